// The second moments of a long path that stands alone, made before anything else is known of its
// columns: one pass over X where the moments of the columns and their Gram matrix would take two.
//
// What is known of the columns then comes from a difference, as for folds (fold_moments.hpp), and
// is refused by the same rule; the centre is a mean of few rows.
#pragma once

#include <memory>

#include "thalweg/solver/moments_choice.hpp"

namespace thalweg::solver {

class TaskMoments final {
 public:
  // Null where they do not pay, where digits would be lost, or where a stop came first. For tasks
  // without held-out rows.
  static std::unique_ptr<TaskMoments> make(const Request& request, const Task& task,
                                           const SolverOptions& options, const design::Erased& x) {
    if (!may_pay(request, task, options, x)) return nullptr;
    std::unique_ptr<TaskMoments> made(new TaskMoments(request, task, x));
    if (request.execution.stop_requested() || made->loses_digits(request)) return nullptr;
    return made;
  }

  objective::RemainingRows rows() const { return {all_, none_, center(), centred_}; }
  Index bytes() const { return all_.bytes() + none_.bytes(); }

 private:
  TaskMoments(const Request& request, const Task& task, const design::Erased& x)
      : x_(x), centred_(request.fit_intercept), all_(x.cols()), none_(x.cols()) {
    std::fill_n(none_.data(), none_.size() * none_.size(), 0.0);
    const Vector weights = row_weights(request, task, x.rows());
    target_ = centred_target(request, task, weights.data(), x.rows());
    if (centred_) centre(weights, request.execution);
    all_ = moments(weights, request.execution);
  }

  static Vector row_weights(const Request& request, const Task& task, Index rows) {
    if (task.weighting < 0) return Vector(static_cast<std::size_t>(rows), 1.0);
    const double* const weights = request.weights + task.weighting * rows;
    return {weights, weights + rows};
  }

  // Beyond so many passes over X what a pass saves is little beside the products.
  static bool may_pay(const Request& request, const Task& task, const SolverOptions& options,
                      const design::Erased& x) {
    constexpr Index least_rows = 1 << 13;
    constexpr double matrices = 3;  // these, none and the solver's
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

  // Near the mean is enough: the mean of short runs of rows, spread evenly.
  void centre(const Vector& weights, const core::Execution& execution) {
    constexpr Index run = 64, runs = 256;
    Vector few = weights;
    for (Index i = 0; i < x_.rows(); ++i) {
      if (i / run % runs != 0) few[static_cast<std::size_t>(i)] = 0;
    }
    const objective::RowMoments about_zero = moments(few, execution);
    center_.assign(static_cast<std::size_t>(x_.cols()), 0.0);
    if (!(about_zero.weight() > 0)) return;
    for (Index j = 0; j < x_.cols(); ++j) {
      center_[static_cast<std::size_t>(j)] = about_zero(j, about_zero.one()) / about_zero.weight();
    }
  }

  objective::RowMoments moments(const Vector& weights, const core::Execution& execution) const {
    const double* const h = weights.data();
    return std::move(
        objective::row_moments(x_, {&h, 1}, center(), target_.data(), execution).front());
  }

  const design::Erased& x_;
  bool centred_;
  Vector target_, center_;
  objective::RowMoments all_, none_;
};

}  // namespace thalweg::solver
