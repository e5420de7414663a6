// The trials of one line search: their number, the lowest point, the limits of steps.
//
// A trial at which phi or its slope is not finite is repeated closer to a step where both are, and
// no later step goes that far. Where phi is finite from zero up to some step only, searches thus
// work on that interval.
#pragma once

#include <algorithm>

#include "thalweg/line_search/concept.hpp"

namespace thalweg::line_search {

class Trials final {
 public:
  Trials(objective::Line& phi, const objective::LinePoint& start, const Options& options)
      : phi_(phi), start_(start), options_(options), lowest_(start) {}

  bool any_left() const { return count_ < options_.most_trials; }

  // phi at `step`, or between there and `inside`, a step where it is finite. False where there is
  // no such point within the trials that are left, or phi is minus infinity.
  bool run(double step, double inside, objective::LinePoint& at) {
    if (step >= wall_) step = inside + 0.5 * (wall_ - inside);
    while (any_left()) {
      ++count_;
      at = phi_.along(step);
      if (at.value == -infinity) {
        is_unbounded_ = true;
        lowest_ = at;
        return false;
      }
      if (std::isfinite(at.value) && std::isfinite(at.slope)) {
        if (at.value < lowest_.value) lowest_ = at;
        return true;
      }
      wall_ = std::min(wall_, step);
      step = inside + 0.1 * (step - inside);
    }
    return false;
  }

  // Whether phi falls as steeply as is sufficient where steps must end.
  bool falls_for_ever(const objective::LinePoint& at) const {
    return at.step >= options_.largest_step && is_armijo(start_, at, options_) &&
           at.slope < options_.decrease * start_.slope;
  }

  Found success(const objective::LinePoint& at) const {
    return {.outcome = Outcome::success, .at = at, .trials = count_};
  }
  Found unbounded() const {
    return {.outcome = Outcome::unbounded, .at = lowest_, .trials = count_};
  }
  Found failure() const {
    if (is_unbounded_) return unbounded();
    return {.outcome = Outcome::no_decrease, .at = lowest_, .trials = count_};
  }

 private:
  objective::Line& phi_;
  const objective::LinePoint& start_;
  const Options& options_;
  objective::LinePoint lowest_;
  double wall_ = infinity;
  Index count_ = 0;
  bool is_unbounded_ = false;
};

inline Found not_a_descent_direction(const objective::LinePoint& start) {
  return {.outcome = Outcome::not_a_descent_direction, .at = start, .trials = 0};
}

}  // namespace thalweg::line_search
