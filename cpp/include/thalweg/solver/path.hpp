// Runs the tasks of a request: one problem per task, warm-started along its alphas.
//
// A task builds its problem (one pass over X), then every alpha starts from the last solution with
// the residual, the correlations, the solver's Gram cache and its buffers kept: the first
// certificate of an alpha costs no pass. Several tasks run in parallel threads, each serial inside.
//
// Long paths on n >> p run on second moments (objective/second_moments.hpp): the Gram matrix of all
// columns, shared with the solver, replaces the passes over X, also the first (task_moments.hpp).
// Paths whose dual points are handed out end every alpha on a certificate from X; in a
// cross-validation not even the held-out errors cost a pass, they come from the second moments of
// the held-out rows, and those of the training rows from what all folds share (fold_moments.hpp),
// so that a task makes no pass at all.
#pragma once

#include <memory>

#include "thalweg/solver/limits.hpp"
#include "thalweg/solver/quadratic_process.hpp"
#include "thalweg/solver/quadratic_tasks.hpp"
#include "thalweg/solver/task_moments.hpp"

namespace thalweg::solver {

class PathRunner final {
 public:
  // `folds`: what the folds share, or null.
  PathRunner(const Request& request, const SolverOptions& options, MakeQuadratic make,
             const design::Erased& x, Index task_index, const FoldMoments* folds)
      : request_(request),
        make_(make),
        options_(options),
        x_(x),
        task_(request.tasks[static_cast<std::size_t>(task_index)]),
        task_index_(task_index),
        spec_(request.penalties[static_cast<std::size_t>(task_.penalty)]),
        folds_(folds) {
    if (task_.fold >= 0) {
      fold_rows_.emplace(fold_weights(request, task_.fold, FoldWeights::Side::training));
    }
    if (folds_ == nullptr) return;
    if (!folds_->keeps_folds()) own_heldout_ = folds_->make_heldout(task_.fold);
    if (request.execution.stop_requested()) return;  // they may have been cut short
    training_.emplace(folds_->training(heldout_rows()));
    columns_ = training_->summary();
    refusal_ = folds_->refusal(*training_, columns_);
  }

  std::vector<core::Result> run() {
    start_ = core::StopToken::Clock::now();
    // Many tasks may be left when a signal comes, and of these nobody sees more than that they
    // were.
    if (!hands_out(request_) && stopped() && !request_.execution.stop->expired())
      return {unstarted()};
    make_own_moments();
    std::optional<objective::Glm> problem(std::in_place, x_, data(), request_.execution,
                                          known_columns());
    if (request_.execution.stop_requested()) {
      if (!request_.execution.stop->expired()) return {unstarted(*problem)};
      // Out of time: the start is still evaluated and certified.
      problem.emplace(x_, data(), core::Execution{.threads = request_.execution.threads},
                      known_columns());
    }
    objective::Glm& glm = *problem;
    limits_.emplace(spec_, glm);
    bool moments = takes_from_all() && !has_unpenalized(request_, task_, x_.cols());
    const bool cut_short = folds_ != nullptr && !training_;
    if (!moments && !cut_short) moments = moments_pay(request_, task_, options_, x_);
    const bool leaves_out_rows = needs_no_rows();
    if (moments || leaves_out_rows) options_.inner = Inner::gram;
    const std::unique_ptr<QuadraticSolver> solver = make_(glm, options_);
    objective::Evaluator evaluator(glm);
    if (leaves_out_rows) evaluator.leave_out_rows();
    if (moments || leaves_out_rows) prepare(*solver->gram_cache(), glm);
    if (moments) use_moments(*solver->gram_cache(), evaluator);
    QuadraticProcess process(evaluator, *solver);
    Vector w = start(glm);
    objective::Evaluation at;
    std::vector<core::Result> results;
    double previous_alpha = 0;
    for (std::size_t a = 0; a < task_.alphas.size(); ++a) {
      const double alpha = task_.alphas[a];
      const penalty::Terms terms = limits_->terms(alpha);
      if (a > 0) {
        at.penalty = terms.value(w);
      } else if (!complete(glm, [&] { evaluator.evaluate(w, terms, glm.all_columns(), at); })) {
        return {unstarted(glm)};
      }
      core::Result result;
      result.alpha = alpha;
      const auto began = core::StopToken::Clock::now();
      process.set_problem(terms, w, at, previous_alpha > alpha ? previous_alpha / alpha - 1.0 : 0.0,
                          a == 0 ? task_.theta : nullptr);
      drive(process,
            {.tol = request_.tol,
             .max_iter = request_.max_iter,
             .start = start_,
             .stop = request_.execution.stop,
             .keep_trace = request_.keep_trace,
             .keep_theta = request_.keep_theta,
             .observer = &request_.observer},
            {.task = task_index_, .alpha_index = static_cast<Index>(a), .alpha = alpha}, result);
      finish(evaluator, w, terms, at, *solver, result);
      result.time =
          std::chrono::duration<double>(core::StopToken::Clock::now() - (a == 0 ? start_ : began))
              .count();
      results.push_back(std::move(result));
      previous_alpha = alpha;
      // Strengths that were not reached end with a result that says so; it costs no pass.
      if (results.back().status != core::Status::converged && stopped()) break;
    }
    return results;
  }

 private:
  const objective::RowMoments& heldout_rows() const {
    return own_heldout_.empty() ? folds_->heldout(task_.fold) : own_heldout_.front();
  }
  FoldWeights heldout() const {
    return fold_weights(request_, task_.fold, FoldWeights::Side::heldout);
  }
  bool stopped() const {
    return request_.execution.stop != nullptr && request_.execution.stop->requested();
  }
  // Evaluates; where time ran out meanwhile, once more without a limit, since the pass may have
  // been cut short. False after a signal.
  template <class F>
  bool complete(objective::Glm& glm, F&& evaluate) const {
    evaluate();
    if (!glm.execution().stop_requested()) return true;
    if (!request_.execution.stop->expired()) return false;
    glm.ignore_stop();
    evaluate();
    return true;
  }
  // Of a task that shares none.
  void make_own_moments() {
    const bool has_heldout = wants_heldout(task_);
    if (!x_.has_row_moments() || folds_ != nullptr || (has_heldout && !is_narrow(x_))) return;
    own_ = TaskMoments::make(request_, task_, options_, x_);
    if (own_ == nullptr) return;
    if (has_heldout) own_heldout_.push_back(own_->moments(heldout(), request_.execution));
    training_.emplace(own_->rows());
    columns_ = training_->summary();
  }
  // Whether no vector over the rows has to be held: the solver has the Gram matrix of few columns.
  bool needs_no_rows() const {
    return options_.inner != Inner::residual && is_narrow(x_) && !request_.keep_theta &&
           task_.theta == nullptr;
  }
  bool takes_from_all() const { return training_ && refusal_.empty(); }
  const objective::ColumnSummary* known_columns() const {
    return takes_from_all() ? &columns_ : nullptr;
  }

  // The Gram matrix of all columns, and the moments of held-out rows.
  void prepare(GramCache& gram, const objective::Glm& glm) {
    if (takes_from_all())
      gram.ensure(TrainingGram{glm, *training_}, glm.all_columns(), glm.execution());
    else gram.ensure(glm, glm.all_columns(), glm.execution());
    if (wants_heldout(task_) && !glm.execution().stop_requested()) use_heldout_moments(glm);
    // Matrices that a stop cut short must not be used.
    if (glm.execution().stop_requested()) heldout_.reset();
  }

  // Of a matrix that is prepared.
  void use_moments(const GramCache& gram, objective::Evaluator& evaluator) const {
    const objective::Glm& glm = evaluator.glm();
    if (glm.execution().stop_requested()) return;
    constexpr double share = 0.1;
    evaluator.use_moments(second_moments(glm, gram), share * request_.tol * glm.tolerance_scale(),
                          request_.keep_theta);
  }

  objective::SecondMoments second_moments(const objective::Glm& glm, const GramCache& gram) const {
    if (!takes_from_all()) return {glm, gram.column(0), gram.leading_dimension()};
    Vector sizes;
    for (Index j = 0; j < glm.cols(); ++j)
      sizes.push_back(training_->size(j) * glm.inverse_scale(j));
    return {glm,
            gram.column(0),
            gram.leading_dimension(),
            x_.has_row_moments() ? design::gram_chain(x_.rows())
                                 : objective::SecondMoments::column_chain(x_),
            training_->target_size(),
            std::move(sizes)};
  }

  void use_heldout_moments(const objective::Glm& glm) {
    if (training_) {
      heldout_.emplace(heldout_rows(), training_->shifts(), training_->target_shift());
      return;
    }
    // About the means of the training rows, where the design can.
    const bool centred = x_.has_row_moments();
    const FoldWeights weights = heldout();
    const design::RowWeights* const one = &weights;
    own_heldout_ = objective::row_moments(x_, {&one, 1}, centred ? glm.center() : nullptr,
                                          glm.target(), glm.execution());
    Vector means(static_cast<std::size_t>(glm.cols()), 0.0);
    for (Index j = 0; !centred && j < glm.cols(); ++j)
      means[static_cast<std::size_t>(j)] = glm.mean(j);
    heldout_.emplace(own_heldout_.front(), std::move(means), 0.0);
  }

  // The Gram matrix of the training rows, for the solver's cache.
  struct TrainingGram {
    const objective::Glm& glm;
    const objective::RemainingRows& rows;

    Index cols() const { return glm.cols(); }
    void gram(std::span<const Index> columns, Index fresh, double* out, Index ld) const {
      rows.gram(glm, columns, fresh, out, ld);
    }
  };

  objective::GlmData data() const {
    return {.y = request_.y + task_.target * x_.rows(),
            .weights = request_.weights,
            .row_weights = fold_rows_ ? &*fold_rows_ : nullptr,
            .offset = request_.offset,
            .fit_intercept = request_.fit_intercept,
            .standardize = request_.standardize};
  }

  Vector start(const objective::Glm& glm) const {
    Vector w(static_cast<std::size_t>(glm.cols()), 0.0);
    const penalty::Terms limits = limits_->terms(0.0);
    for (Index j = 0; j < glm.cols(); ++j) {
      double& value = w[static_cast<std::size_t>(j)];
      if (task_.coef != nullptr) value = task_.coef[j] / glm.inverse_scale(j);
      const penalty::Term limit = limits(j);
      value = core::clip(value, limit.lower, limit.upper);
    }
    return w;
  }

  void finish(objective::Evaluator& evaluator, const Vector& w, const penalty::Terms& terms,
              objective::Evaluation& at, const QuadraticSolver& solver, core::Result& result) {
    objective::Glm& glm = evaluator.glm();
    result.intercept = {glm.raw_intercept(at)};
    result.solver = solver.ran();
    result.reason = solver.reason();
    result.gram_bytes = solver.gram_bytes();
    if (evaluator.has_moments()) result.reason += "; evaluated from second moments" + origin();
    result.shared_gram_bytes = folds_ != nullptr ? folds_->bytes() : 0;
    result.tasks_at_once = options_.at_once;
    if (own_ != nullptr) result.gram_bytes += own_->bytes();
    if (!own_heldout_.empty()) result.gram_bytes += own_heldout_.front().bytes();
    if (request_.keep_coef || heldout_) {
      glm.to_raw(w, coef_);
      limits_->clip_raw(w, coef_);
    }
    if (request_.keep_coef) result.coef = coef_;
    if (!wants_heldout(task_)) return;
    std::optional<double> error = heldout_ ? (*heldout_)(coef_) : std::nullopt;
    const bool is_cut_short = !at.has_residual() && result.status == core::Status::stopped;
    if (!error && !is_cut_short) error = heldout_error_from_x(glm, w, terms, at);
    if (error) result.heldout_error = *error;
  }

  // Nothing where a stop came first. No vector over the rows is made where there are slices.
  std::optional<double> heldout_error_from_x(objective::Glm& glm, const Vector& w,
                                             const penalty::Terms& terms,
                                             objective::Evaluation& at) const {
    const FoldWeights rows = heldout();
    double error = 0;
    const bool is_done = at.has_residual() || complete(glm, [&] {
                           if (x_.has_row_slices()) error = glm.mean_square(w, at.intercept, rows);
                           else glm.evaluate(w, terms, glm.all_columns(), at);
                         });
    if (!is_done) return std::nullopt;
    return at.has_residual() ? weighted_mean_square(at.residual, rows) : error;
  }

  static double weighted_mean_square(const Vector& residual, const FoldWeights& rows) {
    double error = 0, total = 0;
    design::for_each_row(rows, static_cast<Index>(residual.size()), [&](Index i, double weight) {
      error += weight * core::square(residual[static_cast<std::size_t>(i)]);
      total += weight;
    });
    return error / total;
  }

  // Whose moments they are.
  std::string origin() const {
    if (folds_ == nullptr) return "";
    return takes_from_all() ? " that the folds share" : " of its own, because " + refusal_;
  }

  // A stop by a signal before the first evaluation was complete: the start. Of coefficients of zero
  // the objective and a bound are known without X.
  core::Result unstarted() const {
    core::Result result;
    result.intercept = {0.0};
    result.alpha = task_.alphas.front();
    result.status = core::Status::stopped;
    result.solver = request_.solver;
    result.reason = "stopped before the first certificate";
    return result;
  }
  core::Result unstarted(const objective::Glm& glm) const {
    core::Result result = unstarted();
    result.intercept = {glm.null_intercept()};
    result.coef.assign(static_cast<std::size_t>(x_.cols()), 0.0);
    const penalty::Terms limits({}, nullptr, spec_.lower, spec_.upper);
    bool is_zero = true;
    for (Index j = 0; j < x_.cols(); ++j) {
      const penalty::Term limit = limits(j);
      double& value = result.coef[static_cast<std::size_t>(j)];
      value = core::clip(task_.coef != nullptr ? task_.coef[j] : 0.0, limit.lower, limit.upper);
      is_zero = is_zero && value == 0;
    }
    result.target = request_.tol * glm.tolerance_scale();
    if (!is_zero) return result;
    // Every term is zero there, at its least, and so is the conjugate of the dual point zero.
    core::Certificate& certificate = result.certificate;
    certificate.value = certificate.primal = glm.null_objective();
    certificate.dual = 0;
    certificate.relative = glm.relative(certificate.value);
    return result;
  }

  const Request& request_;
  MakeQuadratic make_;
  SolverOptions options_;
  const design::Erased& x_;
  const Task& task_;
  Index task_index_;
  const PenaltySpec& spec_;
  std::optional<FoldWeights> fold_rows_;  // weights of those that it is fitted to
  core::StopToken::Clock::time_point start_;
  std::optional<Limits> limits_;
  const FoldMoments* folds_;
  std::unique_ptr<TaskMoments> own_;  // where there are no folds and it pays
  std::optional<objective::RemainingRows> training_;
  objective::ColumnSummary columns_;  // of the training rows
  std::string refusal_;               // why they are not taken from those of all rows
  std::vector<objective::RowMoments> own_heldout_;
  std::optional<objective::HeldoutError> heldout_;
  Vector coef_;
};

}  // namespace thalweg::solver
