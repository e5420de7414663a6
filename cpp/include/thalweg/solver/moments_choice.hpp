// Whether second moments pay: building the Gram matrices of all columns against the passes over X
// that they save. Estimates from counts, of neither cores nor the clock (gram_cost.hpp).
#pragma once

#include "thalweg/solver/fold_moments.hpp"

namespace thalweg::solver {

// Memory is divided between the tasks that may run at once, without regard to the threads that
// there are.
inline constexpr Index most_at_once = 8;

// Whether anybody sees more of the results than their held-out errors.
inline bool hands_out(const Request& request) { return request.keep_coef || request.keep_theta; }

inline bool wants_heldout(const Task& task) { return task.fold >= 0; }

// The weights of the rows that a task is fitted to.
inline std::unique_ptr<design::RowWeights> task_weights(const Request& request, const Task& task) {
  if (task.fold < 0) return std::make_unique<design::ArrayWeights>(request.weights);
  return std::make_unique<FoldWeights>(
      fold_weights(request, task.fold, FoldWeights::Side::training));
}

// Certificates of problems with unpenalized columns need the residual.
inline bool has_unpenalized(const Request& request, const Task& task, Index cols) {
  const PenaltySpec& spec = request.penalties[static_cast<std::size_t>(task.penalty)];
  return std::any_of(task.alphas.begin(), task.alphas.end(), [&](double alpha) {
    return penalty::Terms(spec.strengths(alpha, spec.parameters), spec.weights, spec.lower,
                          spec.upper)
        .has_unpenalized(cols);
  });
}

// Nanoseconds that a path saves: of about two passes over X per alpha after the first, those with
// dual points keep one. (Measured on paths to alpha_max / 100, less what evaluations from second
// moments take. Entries of dense designs come from the cache or from memory; sparse ones are as
// dear as the estimates of their products.)
inline double saved_cost(const Request& request, const Task& task, const design::Erased& x) {
  constexpr Index cached_bytes = 1 << 24;
  const double two_passes = x.is_sparse() ? 2.0 : x.bytes() <= cached_bytes ? 0.2 : 0.4;
  return (request.keep_theta ? 0.5 : 1.0) * two_passes *
         static_cast<double>(task.alphas.size() - 1) * static_cast<double>(x.stored());
}

inline double full_gram_cost(const design::Erased& x, Index rows) {
  const double share =
      static_cast<double>(rows) / static_cast<double>(std::max<Index>(x.rows(), 1));
  const auto cols = static_cast<double>(x.cols());
  return full_gram_cost(x.is_sparse(), static_cast<double>(rows),
                        share * static_cast<double>(x.stored()) / cols, cols);
}

// Columns so few that their Gram matrix costs no more than a pass over X, while a vector over the
// rows is no longer small beside X. It is always made then, and no vector is held. Where rows are
// few neither matters.
inline bool is_narrow(const design::Erased& x) {
  constexpr Index least_rows = 1 << 13;
  return x.has_row_slices() && x.has_row_moments() && x.rows() >= least_rows &&
         full_gram_cost(x, x.rows()) <= static_cast<double>(x.stored());
}

// Whether memory, penalty and settings allow them for one task, `matrices` of them at once.
inline bool moments_are_allowed(const Request& request, const Task& task,
                                const SolverOptions& options, Index cols, double matrices) {
  constexpr double factors = 1;  // of the solver's active set, at most
  const double entries = static_cast<double>(cols) * static_cast<double>(cols);
  return options.inner != Inner::residual && !has_unpenalized(request, task, cols) &&
         8 * entries * (matrices + factors) <= options.gram_bytes_limit;
}

// For one task by itself.
inline bool moments_pay(const Request& request, const Task& task, const SolverOptions& options,
                        const design::Erased& x) {
  const double matrices = wants_heldout(task) ? 2 : 1;
  return moments_are_allowed(request, task, options, x.cols(), matrices) &&
         (is_narrow(x) || matrices * full_gram_cost(x, x.rows()) < saved_cost(request, task, x));
}

// How folds share second moments.
struct FoldPlan {
  Index at_once = 0;  // tasks that there is memory for at once; none: the folds do not share
  bool keeps_folds = true;
};

// The matrices of all folds where there is memory for them and a task, else that of all rows. A
// task holds the matrix of its training rows and, at most, a factor of it, and that of its held-out
// rows where they are not kept. `memory`: for all of it.
inline FoldPlan fold_plan(const Request& request, double memory, const design::Erased& x,
                          const FoldLayout& layout) {
  const double side = static_cast<double>(x.cols()) + 2;
  const auto tasks = static_cast<Index>(request.tasks.size());
  for (const bool keeps_folds : {true, false}) {
    const double left = memory / (8 * side * side) -
                        static_cast<double>(FoldMoments::matrices(layout, keeps_folds));
    const auto at_once = static_cast<Index>(std::floor(left / (keeps_folds ? 2 : 3)));
    if (at_once >= 1) return {std::min({tasks, at_once, most_at_once}), keeps_folds};
  }
  return {};
}

// Rows whose products the moments of a plan take.
inline Index rows_multiplied(const Request& request, const design::Erased& x,
                             const FoldLayout& layout, bool keeps_folds) {
  const auto tasks = static_cast<Index>(request.tasks.size());
  const Index whole = layout.partition && keeps_folds ? 0 : 1;
  const Index times = keeps_folds ? 1 : tasks / layout.folds;
  if (!x.has_row_moments()) return x.rows() * (layout.folds * times + whole);
  return layout.heldout_rows * times + layout.all_rows * whole;
}

// For all folds together.
inline bool fold_moments_pay(const Request& request, const design::Erased& x,
                             const FoldLayout& layout, const FoldPlan& plan) {
  if (x.rows() < x.cols() || plan.at_once == 0) return false;
  double saved = 0;
  for (const Task& task : request.tasks) {
    if (has_unpenalized(request, task, x.cols())) return false;
    saved += saved_cost(request, task, x);
  }
  return is_narrow(x) ||
         full_gram_cost(x, rows_multiplied(request, x, layout, plan.keeps_folds)) < saved;
}

// Null where folds are not complementary, where it does not pay, or where a stop came first.
// Otherwise `options` becomes what a task may have beside what is shared.
inline std::unique_ptr<FoldMoments> make_fold_moments(const Request& request,
                                                      SolverOptions& options,
                                                      const design::Erased& x) {
  if (options.inner == Inner::residual) return nullptr;
  const FoldLayout layout = fold_layout(request, x.rows());
  if (!layout.complementary) return nullptr;
  const double memory = options.gram_bytes_limit * static_cast<double>(options.at_once);
  const FoldPlan plan = fold_plan(request, memory, x, layout);
  if (!fold_moments_pay(request, x, layout, plan)) return nullptr;
  auto moments = std::make_unique<FoldMoments>(x, request, layout, plan.keeps_folds);
  // Matrices that a stop cut short must not be used.
  if (request.execution.stop_requested()) return nullptr;
  const auto shared = static_cast<double>(moments->bytes());
  const double own = plan.keeps_folds ? 0 : shared;  // of its held-out rows
  options.at_once = plan.at_once;
  options.gram_bytes_limit = (memory - shared) / static_cast<double>(plan.at_once) - own;
  return moments;
}

}  // namespace thalweg::solver
