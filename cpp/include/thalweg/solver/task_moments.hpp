// The second moments of a task that stands alone, made before anything else is known of its
// columns: one pass over X where the moments of the columns and their Gram matrix would take two.
// Of long paths, and of narrow designs always.
//
// What is known of the columns then comes from moments about a mean of few rows, as for folds
// (fold_moments.hpp), and is refused by the same rule.
#pragma once

#include <memory>

#include "thalweg/solver/moments_choice.hpp"

namespace thalweg::solver {

class TaskMoments final {
 public:
  // Null where they do not pay, where digits would be lost, or where a stop came first.
  static std::unique_ptr<TaskMoments> make(const Request& request, const Task& task,
                                           const SolverOptions& options, const design::Erased& x) {
    if (!may_pay(request, task, options, x)) return nullptr;
    std::unique_ptr<TaskMoments> made(new TaskMoments(request, task, x));
    if (request.execution.stop_requested() || made->loses_digits(request)) return nullptr;
    return made;
  }

  objective::RemainingRows rows() const { return {all_, nullptr, center(), centred_}; }
  Index bytes() const { return all_.bytes(); }

  // Of other rows, about the same centre. After a stop request they are incomplete.
  objective::RowMoments moments(const design::RowWeights& weights,
                                const core::Execution& execution) const {
    const design::RowWeights* const one = &weights;
    return std::move(objective::row_moments(x_, {&one, 1}, center(), target_, execution).front());
  }

 private:
  // The weights of short runs of rows, spread evenly.
  class SomeRuns final : public design::RowWeights {
   public:
    explicit SomeRuns(const design::RowWeights& all) : all_(all) {}

    void fill(Index begin, Index end, double* out) const override {
      constexpr Index run = 64, runs = 256;
      all_.fill(begin, end, out);
      for (Index i = begin; i < end; ++i) {
        if (i / run % runs != 0) out[i - begin] = 0;
      }
    }

   private:
    const design::RowWeights& all_;
  };

  TaskMoments(const Request& request, const Task& task, const design::Erased& x)
      : x_(x), centred_(request.fit_intercept), all_(x.cols()) {
    const std::unique_ptr<design::RowWeights> weights = task_weights(request, task);
    target_ = centred_target(request, task, *weights, x.rows());
    if (centred_) centre(*weights, request.execution);
    all_ = moments(*weights, request.execution);
  }

  // Beyond so many passes over X what a pass saves is little beside the products.
  static bool may_pay(const Request& request, const Task& task, const SolverOptions& options,
                      const design::Erased& x) {
    if (is_narrow(x)) return options.inner != Inner::residual;
    constexpr Index least_rows = 1 << 13;
    constexpr double matrices = 2;  // these and the solver's
    constexpr double most_passes = 8;
    const double cost = full_gram_cost(x, x.rows());
    return x.rows() >= least_rows && x.rows() >= 4 * x.cols() &&
           moments_are_allowed(request, task, options, x.cols(), matrices) &&
           cost <= most_passes * static_cast<double>(x.stored()) &&
           cost < saved_cost(request, task, x);
  }

  bool loses_digits(const Request& request) const {
    const objective::RemainingRows all = rows();
    return !all.loss(all.summary(), centred_ || request.standardize).is_tolerable();
  }

  const double* center() const { return center_.empty() ? nullptr : center_.data(); }

  // Near the mean is enough.
  void centre(const design::RowWeights& weights, const core::Execution& execution) {
    const objective::RowMoments about_zero = moments(SomeRuns(weights), execution);
    center_.assign(static_cast<std::size_t>(x_.cols()), 0.0);
    if (!(about_zero.weight() > 0)) return;
    for (Index j = 0; j < x_.cols(); ++j) {
      center_[static_cast<std::size_t>(j)] = about_zero(j, about_zero.one()) / about_zero.weight();
    }
  }

  const design::Erased& x_;
  bool centred_;
  design::RowTarget target_;
  Vector center_;
  objective::RowMoments all_;
};

}  // namespace thalweg::solver
