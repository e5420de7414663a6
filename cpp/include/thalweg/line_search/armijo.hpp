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
#include "thalweg/line_search/concept.hpp"

namespace thalweg::line_search {

struct Armijo final {
  static Found search(objective::Line& phi, const objective::LinePoint& start,
                      const Options& options) {
    Found found;
    if (!(start.slope < 0)) {
      found.outcome = Outcome::not_a_descent_direction;
      return found;
    }
    // Where the predicted decrease drowns in rounding, a value within it will do.
    const double room = options.noise * std::fabs(start.value);
    objective::LinePoint before{.step = 0, .value = infinity};
    double step = std::min(options.first_step, options.largest_step);
    while (found.trials < options.most_trials && step > 0) {
      const objective::LinePoint at{.step = step, .value = phi.value_along(step)};
      ++found.trials;
      if (at.value == -infinity) {
        found.outcome = Outcome::unbounded;
        found.at = at;
        return found;
      }
      if (at.value <= start.value + options.decrease * step * start.slope + room) {
        found.outcome = Outcome::success;
        found.at = at;
        return found;
      }
      const double next = std::isfinite(at.value) ? interpolate(start, before, at) : 0.1 * step;
      step = core::clip(next, 0.1 * step, 0.5 * step);
      before = at;
    }
    return found;
  }

  static constexpr std::array<core::Flag, 2> flags{{{"needs_slopes", false}, {"wolfe", false}}};
  static constexpr core::Info info{
      .name = "armijo",
      .summary = "Backtracking with quadratic and cubic interpolation.",
      .formula = "phi(t) <= phi(0) + decrease t phi'(0)",
      .reference = "Armijo 1966; Nocedal & Wright 2006, algorithm 3.1 and section 3.5",
      .parameters = {},
      .flags = flags,
      .requires_ = {}};

 private:
  // The minimiser of the cubic through both trials (of the quadratic through the last one where
  // there is no finite other); NaN where it has none.
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
    if (a == 0) return -start.slope / (2 * b);
    const double discriminant = b * b - 3 * a * start.slope;
    return discriminant >= 0 ? (-b + std::sqrt(discriminant)) / (3 * a) : 0.5 * t;
  }
};

static_assert(LineSearch<Armijo>);

}  // namespace thalweg::line_search
