// A strong Wolfe step by bracketing and zooming.
//
//   phi(t) <= phi(0) + decrease t phi'(0),   |phi'(t)| <= curvature |phi'(0)|
//
// Steps grow until an interval must hold an acceptable one; trials in it minimise the cubic through
// its ends, a tenth of its width away from them, or halve it where that shrinks it slowly. Simple
// to follow; more_thuente needs fewer trials where the first one is far off.
//
// Cost: one value and slope a trial. Reference: Nocedal & Wright 2006, algorithms 3.5 and 3.6.
#pragma once

#include <array>
#include <cmath>

#include "thalweg/line_search/interpolation.hpp"
#include "thalweg/line_search/trials.hpp"

namespace thalweg::line_search {

struct StrongWolfe final {
  static Found search(objective::Line& phi, const objective::LinePoint& start,
                      const Options& options) {
    if (!(start.slope < 0)) return not_a_descent_direction(start);
    Trials trials(phi, start, options);
    objective::LinePoint before = start, at;
    double step = std::min(options.first_step, options.largest_step);
    while (trials.any_left()) {
      if (!trials.run(step, before.step, at)) return trials.failure();
      if (is_acceptable(start, at, options)) return trials.success(at);
      if (is_high(start, before, at, options)) return zoom(trials, start, before, at, options);
      if (at.slope >= 0) return zoom(trials, start, at, before, options);
      if (trials.falls_for_ever(at)) return trials.unbounded();
      step = extrapolate(before, at, options.largest_step);
      before = at;
    }
    return trials.failure();
  }

  static constexpr std::array<core::Flag, 3> flags{
      {{"needs_slopes", true}, {"wolfe", true}, {"strong_wolfe", true}}};
  static constexpr core::Info info{
      .name = "strong_wolfe",
      .summary = "Strong Wolfe steps by bracketing and zooming with cubic interpolation.",
      .formula = "phi(t) <= phi(0) + decrease t phi'(0), |phi'(t)| <= curvature |phi'(0)|",
      .reference = "Nocedal & Wright 2006, algorithms 3.5 and 3.6",
      .parameters = {},
      .flags = flags,
      .requires_ = {}};

 private:
  static bool is_acceptable(const objective::LinePoint& start, const objective::LinePoint& at,
                            const Options& options) {
    return is_strong_wolfe(start, at, options) || is_wolfe_by_slopes(start, at, options);
  }

  // Whether an acceptable step lies before `at`. Where values are as good as equal, the slope
  // decides.
  static bool is_high(const objective::LinePoint& start, const objective::LinePoint& low,
                      const objective::LinePoint& at, const Options& options) {
    const double room = margin(start, options);
    return at.value > start.value + options.decrease * at.step * start.slope + room ||
           at.value > low.value + room;
  }

  // `low` is the lowest sufficient step so far, and phi falls from it towards `high`.
  static Found zoom(Trials& trials, const objective::LinePoint& start, objective::LinePoint low,
                    objective::LinePoint high, const Options& options) {
    objective::LinePoint at;
    double width_before = infinity;
    for (double width; trials.any_left(); width_before = width) {
      width = std::fabs(high.step - low.step);
      if (width <= 2 * epsilon * std::max(low.step, high.step)) break;
      if (!trials.run(inside(low, high, width > 0.66 * width_before), low.step, at)) break;
      if (is_acceptable(start, at, options)) return trials.success(at);
      if (is_high(start, low, at, options)) {
        high = at;
        continue;
      }
      if (at.slope * (high.step - low.step) >= 0) high = low;
      low = at;
    }
    return trials.failure();
  }

  static double inside(const objective::LinePoint& low, const objective::LinePoint& high,
                       bool is_slow) {
    const double middle = 0.5 * (low.step + high.step);
    const double cubic = cubic_minimizer(low, high);
    if (is_slow || !std::isfinite(cubic)) return middle;
    const double reach = 0.4 * std::fabs(high.step - low.step);
    return core::clip(cubic, middle - reach, middle + reach);
  }
};

static_assert(LineSearch<StrongWolfe>);

}  // namespace thalweg::line_search
