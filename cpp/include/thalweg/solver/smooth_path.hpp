// The path of one task of a smooth model along its alphas, and the tasks of a request by it: the
// templates, compiled for each loss over all rows.
#pragma once

#include "thalweg/core/error.hpp"
#include "thalweg/objective/smooth_certificate.hpp"
#include "thalweg/solver/limits.hpp"
#include "thalweg/solver/sharpening.hpp"
#include "thalweg/solver/smooth_process.hpp"
#include "thalweg/solver/smooth_tasks.hpp"

namespace thalweg::solver {

// Loss: over all rows, made of the RowLoss of one.
template <class Loss, class RowLoss>
class SmoothPathRunner final {
 public:
  using Model = objective::SmoothGlm<Loss>;
  using Certifier = objective::SmoothGlmCertifier<Loss>;

  SmoothPathRunner(const Request& request, const RowLoss& loss, MakeSmooth make, Index task_index)
      : request_(request),
        loss_(loss),
        make_(make),
        x_(*request.design),
        task_(request.tasks[static_cast<std::size_t>(task_index)]),
        task_index_(task_index),
        spec_(request.penalties[static_cast<std::size_t>(task_.penalty)]) {}

  std::vector<core::Result> run() {
    const auto start = core::StopToken::Clock::now();
    core::Execution execution = request_.execution;
    if (task_.fold >= 0) {
      weights_ = design::to_vector(fold_weights(request_, task_.fold, FoldWeights::Side::training),
                                   x_.rows());
    }
    std::optional<Model> model(std::in_place, *request_.design, data(), loss_, execution);
    if (execution.stop_requested()) {
      if (!execution.stop->expired()) return {unstarted()};
      // Out of time: the start is still evaluated and certified.
      execution.stop = nullptr;
      model.emplace(*request_.design, data(), loss_, execution);
    }
    Model& glm = *model;
    const Limits limits(spec_, glm.columns());
    set_bounds(limits, glm);
    SmoothPoint at{.x = glm.coordinates().from_raw(task_.coef, task_.intercept),
                   .gradient = Vector(static_cast<std::size_t>(glm.size()))};
    for (std::size_t j = 0; j < at.x.size(); ++j)
      at.x[j] = bounds_.clip(static_cast<Index>(j), at.x[j]);
    Certifier certifier(glm, request_.gradient_tol, request_.keep_theta);
    const std::unique_ptr<SmoothSolver> solver = make_solver(glm, certifier);
    std::vector<core::Result> results;
    for (std::size_t a = 0; a < task_.alphas.size(); ++a) {
      const auto began = a == 0 ? start : core::StopToken::Clock::now();
      core::Result result;
      result.alpha = task_.alphas[a];
      glm.set_terms(limits.terms(result.alpha));
      certifier.begin();
      if (!Model::has_scale && a == 0 && task_.theta != nullptr && glm.outputs() == 1)
        certifier.offer(Vector(task_.theta, task_.theta + x_.rows()), at.x);
      at.dual = {};  // that of another strength
      at.value = glm.evaluate(at.x.data(), at.gradient.data());
      if (glm.execution().stop_requested()) {
        if (a > 0 || !request_.execution.stop->expired()) break;
        glm.ignore_stop();
        at.value = glm.evaluate(at.x.data(), at.gradient.data());
      }
      SmoothProcess process(glm, *solver, at, bounds_, certifier, execution);
      drive(process,
            {.tol = request_.tol,
             .max_iter = request_.max_iter,
             .start = start,
             .stop = request_.execution.stop,
             .keep_trace = request_.keep_trace,
             .keep_theta = request_.keep_theta,
             .observer = &request_.observer},
            {.task = task_index_, .alpha_index = static_cast<Index>(a), .alpha = result.alpha},
            result);
      finish(glm, limits, at, *solver, result);
      result.time = std::chrono::duration<double>(core::StopToken::Clock::now() - began).count();
      results.push_back(std::move(result));
      if (results.back().status != core::Status::converged && stopped()) break;
    }
    if (results.empty()) results.push_back(unstarted());
    return results;
  }

 private:
  std::unique_ptr<SmoothSolver> make_solver(Model& glm, const Certifier& certifier) const {
    auto solver = make_({.parameters = request_.options.parameters, .seed = request_.options.seed});
    if constexpr (Model::has_scale) {
      return std::make_unique<Sharpening<Model, Certifier>>(std::move(solver), glm, certifier);
    } else {
      return solver;
    }
  }

  bool stopped() const {
    return request_.execution.stop != nullptr && request_.execution.stop->requested();
  }
  const double* y() const { return request_.y + task_.target * x_.rows(); }

  objective::GlmData data() const {
    return {.y = y(),
            .weights = task_.fold >= 0 ? weights_.data() : request_.weights,
            .offset = request_.offset,
            .fit_intercept = request_.fit_intercept,
            .standardize = request_.standardize};
  }

  // Of every coefficient of every output; intercepts have none.
  void set_bounds(const Limits& limits, const Model& glm) {
    if (!limits.any()) return;
    const penalty::Terms terms = limits.terms(0.0);
    lower_.assign(static_cast<std::size_t>(glm.size()), -infinity);
    upper_.assign(static_cast<std::size_t>(glm.size()), infinity);
    for (Index i = 0; i < glm.cols() * glm.outputs(); ++i) {
      const penalty::Term term = terms(i % glm.cols());
      lower_[static_cast<std::size_t>(i)] = term.lower;
      upper_[static_cast<std::size_t>(i)] = term.upper;
    }
    bounds_ = {lower_.data(), upper_.data()};
  }

  void finish(Model& glm, const Limits& limits, const SmoothPoint& at, const SmoothSolver& solver,
              core::Result& result) const {
    result.solver = solver.ran();
    result.reason = solver.reason();
    result.gram_bytes = solver.matrix_bytes();
    glm.coordinates().to_raw(at.x, result.coef, result.intercept);
    limits.clip_raw(at.x, result.coef);
    if (task_.fold >= 0) {
      const Vector heldout = design::to_vector(
          fold_weights(request_, task_.fold, FoldWeights::Side::heldout), x_.rows());
      result.heldout_error = glm.mean_loss(heldout.data());
    }
    if constexpr (Model::has_scale) result.scale = glm.scale();
    if (!request_.keep_coef) result.coef.clear();
  }

  core::Result unstarted() const {
    const auto outputs = static_cast<std::size_t>(request_.outputs);
    core::Result result;
    result.alpha = task_.alphas.front();
    result.status = core::Status::stopped;
    result.solver = request_.solver;
    result.reason = "stopped before the first certificate";
    result.intercept.assign(outputs, 0.0);
    result.coef.assign(outputs * static_cast<std::size_t>(x_.cols()), 0.0);
    return result;
  }

  const Request& request_;
  const RowLoss& loss_;
  MakeSmooth make_;
  design::Erased x_;
  const Task& task_;
  Index task_index_;
  const PenaltySpec& spec_;
  Vector weights_;  // of the rows of a fold
  Bounds bounds_;
  Vector lower_, upper_;
};

template <class Loss, class RowLoss>
Results run_tasks_with(const RowLoss& loss, const Request& request, MakeSmooth make) {
  Results results(request.tasks.size());
  core::Execution outer = request.execution;
  outer.stop = nullptr;  // every task returns at least one result, however early the stop
  core::parallel_for(
      static_cast<Index>(request.tasks.size()), outer,
      [&](Index task) {
        results[static_cast<std::size_t>(task)] =
            SmoothPathRunner<Loss, RowLoss>(request, loss, make, task).run();
      },
      request.execution.stop);
  return results;
}

}  // namespace thalweg::solver
