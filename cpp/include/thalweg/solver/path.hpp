// Runs the tasks of a request: one problem per task, warm-started along its alphas.
//
// A task builds its problem (one pass over X), then every alpha starts from the last solution with
// the residual, the correlations, the solver's Gram cache and its buffers kept: the first certificate
// of an alpha costs no pass. Several tasks run in parallel threads, each serial inside.
#pragma once

#include <exception>
#include <mutex>

#include "thalweg/solver/driver.hpp"

namespace thalweg::solver {

template <class Engine, class D, class L>
class PathRunner final {
 public:
  PathRunner(const Request& request, const D& x, Index task_index)
      : request_(request), x_(x), task_(request.tasks[static_cast<std::size_t>(task_index)]),
        task_index_(task_index),
        spec_(request.penalties[static_cast<std::size_t>(task_.penalty)]) {}

  std::vector<core::Result> run() {
    start_ = core::StopToken::Clock::now();
    objective::Glm<D, L> glm(x_, data(), request_.execution);
    std::vector<core::Result> results;
    if (request_.execution.stop_requested()) {
      results.push_back(unstarted());
      return results;
    }
    scale_limits(glm);
    Engine engine(glm, request_.options);
    Driver driver(glm, engine);
    Vector w = start(glm);
    objective::Evaluation at;
    double previous_alpha = 0;
    for (std::size_t a = 0; a < task_.alphas.size(); ++a) {
      const double alpha = task_.alphas[a];
      const penalty::Terms terms(spec_.strengths(alpha, spec_.parameters), spec_.weights, lower_,
                                 upper_);
      if (a == 0) glm.evaluate(w, terms, all_columns(glm), at);
      else at.penalty = penalty_value(terms, w);
      core::Result result;
      result.alpha = alpha;
      const auto began = core::StopToken::Clock::now();
      driver.minimize(terms, w, at,
                      {.tol = request_.tol,
                       .max_iter = request_.max_iter,
                       .start = start_,
                       .stop = request_.execution.stop,
                       .keep_trace = request_.keep_trace,
                       .observer = &request_.observer,
                       .alpha_drop = previous_alpha > alpha ? previous_alpha / alpha - 1.0 : 0.0},
                      {.task = task_index_, .alpha_index = static_cast<Index>(a), .alpha = alpha},
                      result);
      finish(glm, w, at, engine, result);
      result.time = std::chrono::duration<double>(core::StopToken::Clock::now() - (a == 0 ? start_ : began)).count();
      results.push_back(std::move(result));
      previous_alpha = alpha;
      if (request_.execution.stop != nullptr && request_.execution.stop->requested()) break;
    }
    return results;
  }

 private:
  objective::GlmData data() const {
    const Index n = x_.rows();
    return {.y = request_.y + task_.target * n,
            .weights = task_.weighting >= 0 ? request_.weights + task_.weighting * n : nullptr,
            .offset = request_.offset,
            .fit_intercept = request_.fit_intercept,
            .standardize = request_.standardize};
  }

  // Limits are given for raw coefficients.
  void scale_limits(const objective::Glm<D, L>& glm) {
    lower_ = spec_.lower;
    upper_ = spec_.upper;
    if (!glm.is_scaled()) return;
    const auto scaled = [&](const double* limits, Vector& storage) -> const double* {
      if (limits == nullptr) return nullptr;
      storage.assign(limits, limits + glm.cols());
      for (Index j = 0; j < glm.cols(); ++j) {
        storage[static_cast<std::size_t>(j)] /= glm.inverse_scale(j);
      }
      return storage.data();
    };
    lower_ = scaled(spec_.lower, lower_storage_);
    upper_ = scaled(spec_.upper, upper_storage_);
  }

  Vector start(const objective::Glm<D, L>& glm) const {
    Vector w(static_cast<std::size_t>(glm.cols()), 0.0);
    const penalty::Terms limits({}, nullptr, lower_, upper_);
    for (Index j = 0; j < glm.cols(); ++j) {
      double& value = w[static_cast<std::size_t>(j)];
      if (task_.coef != nullptr) value = task_.coef[j] / glm.inverse_scale(j);
      const penalty::Term limit = limits(j);
      value = core::clip(value, limit.lower, limit.upper);
    }
    return w;
  }

  static double penalty_value(const penalty::Terms& terms, const Vector& w) {
    double sum = 0;
    for (std::size_t j = 0; j < w.size(); ++j) {
      if (w[j] != 0) sum += terms(static_cast<Index>(j)).value(w[j]);
    }
    return sum;
  }

  static std::vector<Index> all_columns(const objective::Glm<D, L>& glm) {
    std::vector<Index> columns(static_cast<std::size_t>(glm.cols()));
    std::iota(columns.begin(), columns.end(), Index{0});
    return columns;
  }

  void finish(const objective::Glm<D, L>& glm, const Vector& w, const objective::Evaluation& at,
              const Engine& engine, core::Result& result) const {
    if (request_.keep_coef) {
      glm.to_raw(w, result.coef);
      // Scaling back and forth may miss a limit by a rounding.
      const penalty::Terms limits({}, nullptr, spec_.lower, spec_.upper);
      for (Index j = 0; glm.is_scaled() && j < glm.cols(); ++j) {
        const penalty::Term limit = limits(j);
        double& value = result.coef[static_cast<std::size_t>(j)];
        value = core::clip(value, limit.lower, limit.upper);
      }
    }
    result.intercept = glm.raw_intercept(at);
    result.solver = request_.solver;
    result.reason = engine.reason();
    result.gram_bytes = engine.gram_bytes();
    if (!request_.keep_theta) result.certificate.theta = {};
    if (request_.heldout != nullptr && task_.weighting >= 0) {
      const double* h = request_.heldout + task_.weighting * glm.rows();
      double error = 0, total = 0;
      for (Index i = 0; i < glm.rows(); ++i) {
        error += h[i] * core::square(at.residual[static_cast<std::size_t>(i)]);
        total += h[i];
      }
      result.heldout_error = error / total;
    }
  }

  // A stop before the first pass over X was complete.
  core::Result unstarted() const {
    core::Result result;
    result.alpha = task_.alphas.front();
    result.status = request_.execution.stop->expired() ? core::Status::time_limit : core::Status::stopped;
    if (task_.coef != nullptr) result.coef.assign(task_.coef, task_.coef + x_.cols());
    else result.coef.assign(static_cast<std::size_t>(x_.cols()), 0.0);
    result.solver = request_.solver;
    result.reason = "stopped during the first pass over X";
    return result;
  }

  const Request& request_;
  const D& x_;
  const Task& task_;
  Index task_index_;
  const PenaltySpec& spec_;
  core::StopToken::Clock::time_point start_;
  const double* lower_ = nullptr;
  const double* upper_ = nullptr;
  Vector lower_storage_, upper_storage_;
};

template <class Engine, class D, class L>
Results run_tasks(const Request& request, const D& x) {
  Results results(request.tasks.size());
  std::exception_ptr error;
  std::mutex error_mutex;
  core::Execution outer = request.execution;
  outer.stop = nullptr;  // every task returns at least one result, however early the stop
  core::parallel_for(static_cast<Index>(request.tasks.size()), outer, [&](Index task) {
    try {
      results[static_cast<std::size_t>(task)] = PathRunner<Engine, D, L>(request, x, task).run();
    } catch (...) {
      const std::scoped_lock lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  });
  if (error) std::rethrow_exception(error);
  return results;
}

}  // namespace thalweg::solver
