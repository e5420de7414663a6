// Backtracking until the Armijo condition holds, by interpolation.
//
//   phi(t) <= phi(0) + decrease t phi'(0)
//
// The next trial minimises the quadratic through phi(0), phi'(0) and the last value, from the
// second backtrack on the cubic that also goes through the value before; it is kept within
// [0.1, 0.5] of the last step. Needs values only, no slopes: for functions whose gradients are much
// dearer than their values, and for methods that know a good step (Newton). Quasi-Newton methods
// want a Wolfe condition as well.
//
// Cost: one value a trial. Reference: Nocedal & Wright 2006, algorithm 3.1 and section 3.5.
#pragma once

#include <array>

#include "thalweg/core/numerics.hpp"
#include "thalweg/line_search/trials.hpp"

namespace thalweg::line_search {

struct Armijo final {
  static Found search(objective::Line& phi, const objective::LinePoint& start,
                      const Options& options) {
    if (!(start.slope < 0)) return not_a_descent_direction(start);
    Found found{.outcome = Outcome::no_decrease, .at = start, .trials = 0};
    objective::LinePoint before{.step = 0, .value = infinity, .slope = 0};
    double step = std::min(options.first_step, options.largest_step);
    while (found.trials < options.most_trials && step > 0) {
      const objective::LinePoint at{.step = step, .value = phi.value_along(step), .slope = 0};
      ++found.trials;
      if (at.value < found.at.value) found.at = at;
      if (at.value == -infinity) {
        found.outcome = Outcome::unbounded;
        return found;
      }
      // Where the predicted decrease drowns in rounding, a value within it will do.
      if (at.value <=
          start.value + options.decrease * step * start.slope + rounding(start, options)) {
        found.outcome = Outcome::success;
        found.at = at;
        return found;
      }
      const double next = std::isfinite(at.value) ? interpolate(start, before, at) : 0.1 * step;
      step = std::isfinite(next) ? core::clip(next, 0.1 * step, 0.5 * step) : 0.5 * step;
      before = at;
    }
    return found;
  }

  static constexpr std::array<core::Flag, 3> flags{
      {{"needs_slopes", false}, {"wolfe", false}, {"strong_wolfe", false}}};
  static constexpr core::Info info{
      .name = "armijo",
      .summary = "Backtracking with quadratic and cubic interpolation.",
      .formula = "phi(t) <= phi(0) + decrease t phi'(0)",
      .reference = "Armijo 1966; Nocedal & Wright 2006, algorithm 3.1 and section 3.5",
      .parameters = {},
      .flags = flags,
      .requires_ = {}};

 private:
  // The minimiser of the cubic a t^3 + b t^2 + phi'(0) t + phi(0) through both trials (of the
  // parabola through the last one where the other is not finite); NaN where it has none.
  static double interpolate(const objective::LinePoint& start, const objective::LinePoint& before,
                            const objective::LinePoint& at) {
    const double t = at.step;
    const double excess = at.value - start.value - start.slope * t;
    if (!std::isfinite(before.value)) return -start.slope * t * t / (2 * excess);
    const double s = before.step;
    const double other = before.value - start.value - start.slope * s;
    const double scale = 1.0 / (t - s);
    const double a = scale * (excess / (t * t) - other / (s * s));
    const double b = scale * (-s * excess / (t * t) + t * other / (s * s));
    // The root of 3 a t^2 + 2 b t + phi'(0) that also serves a = 0.
    return -start.slope / (b + std::sqrt(b * b - 3 * a * start.slope));
  }
};

static_assert(LineSearch<Armijo>);

}  // namespace thalweg::line_search
