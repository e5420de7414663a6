// The second moments of a task that stands alone, made before anything else is known of its
// columns: one pass over X where the moments of the columns and their Gram matrix would take two.
//
// Whether the Gram matrix pays depends on X'y. It is estimated from a sample of the rows, short
// runs spread evenly, whose moments are a part of the whole: moments of disjoint rows add up. So a
// sample that says yes costs nothing, and one that says no a sixteenth of the products.
//
// What is known of the columns then comes from moments about a mean of few rows, as for folds
// (fold_moments.hpp), and is refused by the same rule.
#pragma once

#include <memory>

#include "thalweg/solver/moments_choice.hpp"

namespace thalweg::solver {

template <class D>
class TaskMoments final {
 public:
  // Null where they do not pay, where digits would be lost, or where a stop came first.
  static std::unique_ptr<TaskMoments> make(const Request& request, const Task& task,
                                           const SolverOptions& options, const D& x) {
    if (!may_pay(request, task, options, x)) return nullptr;
    std::unique_ptr<TaskMoments> made(new TaskMoments(request, task, x));
    const bool pays =
        is_narrow(x) || is_long(request, task, x) || made->sample_says_yes(request, task);
    if (!pays || request.execution.stop_requested()) return nullptr;
    made->add_other_rows(request);
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
  // Rows of the sample: so many, then those of as many runs less one are left out.
  static constexpr Index run = 64, runs = 16;

  // The weights of the rows of every n-th run, or of the others.
  class SomeRuns final : public design::RowWeights {
   public:
    SomeRuns(const design::RowWeights& all, Index every, bool others = false)
        : all_(all), every_(every), others_(others) {}

    void fill(Index begin, Index end, double* out) const override {
      all_.fill(begin, end, out);
      for (Index i = begin; i < end; ++i) {
        if ((i / run % every_ == 0) == others_) out[i - begin] = 0;
      }
    }

   private:
    const design::RowWeights& all_;
    Index every_;
    bool others_;
  };

  TaskMoments(const Request& request, const Task& task, const D& x)
      : x_(x),
        centred_(request.fit_intercept),
        weights_(task_weights(request, task)),
        target_(centred_target(request, task, *weights_, x.rows())),
        all_(x.cols()) {
    if (centred_) centre(request.execution);
    all_ = moments(SomeRuns(*weights_, runs), request.execution);
  }

  // A path so long that they pay whatever X'y is.
  static bool is_long(const Request& request, const Task& task, const D& x) {
    return full_gram_cost(x, x.rows()) < saved_cost(request, task, x);
  }

  static bool may_pay(const Request& request, const Task& task, const SolverOptions& options,
                      const D& x) {
    if (is_narrow(x)) return options.inner != Inner::residual;
    constexpr Index least_rows = 1 << 13;
    constexpr double matrices = 2;  // these and the solver's
    // Beyond so many passes over X what a sample takes is no longer small beside one, and one saved
    // is little beside the products.
    constexpr double most_passes = 8;
    return x.rows() >= least_rows && x.rows() >= 4 * x.cols() &&
           moments_are_allowed(request, task, options, x.cols(), matrices) &&
           full_gram_cost(x, x.rows()) <= most_passes * static_cast<double>(x.stored()) &&
           // A start that may be the solution is certified first.
           (is_long(request, task, x) || (task.coef == nullptr && request.max_iter > 0));
  }

  // Whether most columns enter, though chance had raised every |z_j| by two standard errors.
  bool sample_says_yes(const Request& request, const Task& task) const {
    const objective::RemainingRows sample = rows();
    const objective::ColumnSummary columns = sample.summary();
    const double target_square = core::square(sample.target_size());
    const double size = static_cast<double>(x_.rows() / runs);
    Vector z = columns.product;
    for (std::size_t j = 0; j < z.size(); ++j) {
      const double second = centred_ ? columns.variance[j] : columns.second[j];
      const double error = std::sqrt(second * target_square / size);
      z[j] = std::copysign(std::max(std::fabs(z[j]) - 2 * error, 0.0), z[j]);
      if (request.standardize) z[j] /= std::sqrt(std::max(columns.variance[j], smallest_normal));
    }
    const PenaltySpec& spec = request.penalties[static_cast<std::size_t>(task.penalty)];
    const penalty::Terms terms(spec.strengths(task.alphas.front(), spec.parameters), spec.weights,
                               spec.lower, spec.upper);
    return most_enter(terms, z, x_.rows());
  }

  void add_other_rows(const Request& request) {
    const objective::RowMoments parts[] = {
        std::move(all_), moments(SomeRuns(*weights_, runs, true), request.execution)};
    all_ = objective::RowMoments::sum(parts);
  }

  bool loses_digits(const Request& request) const {
    const objective::RemainingRows all = rows();
    return !all.loss(all.summary(), centred_ || request.standardize).is_tolerable();
  }

  const double* center() const { return center_.empty() ? nullptr : center_.data(); }

  // Near the mean is enough: the mean of a sixteenth of the sample.
  void centre(const core::Execution& execution) {
    const objective::RowMoments about_zero = moments(SomeRuns(*weights_, runs * runs), execution);
    center_.assign(static_cast<std::size_t>(x_.cols()), 0.0);
    if (!(about_zero.weight() > 0)) return;
    for (Index j = 0; j < x_.cols(); ++j) {
      center_[static_cast<std::size_t>(j)] = about_zero(j, about_zero.one()) / about_zero.weight();
    }
  }

  const D& x_;
  bool centred_;
  std::unique_ptr<design::RowWeights> weights_;
  design::RowTarget target_;
  Vector center_;
  objective::RowMoments all_;
};

}  // namespace thalweg::solver
