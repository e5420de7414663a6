// A line search finds a step t > 0 along a descent direction at which phi(t) = f(x + t d) is
// sufficiently lower. It sees phi only; failure is a status, not an exception.
//
//   Armijo       phi(t) <= phi(0) + decrease t phi'(0)
//   Wolfe        Armijo and phi'(t) >= curvature phi'(0)
//   strong Wolfe Armijo and |phi'(t)| <= curvature |phi'(0)|
//
// Near a minimum the values of phi differ by rounding only, while slopes still tell where it is.
// There every search also accepts a step by the approximate Wolfe conditions (Hager & Zhang 2005,
// equation 1.5), in which the slopes stand for the decrease:
//
//   (2 decrease - 1) phi'(0) >= phi'(t) >= curvature phi'(0),  |phi(t) - phi(0)| <= doubt |phi(0)|,
//
// where |phi(0)| is rather the size of the terms that phi is the sum of, if they are known to be
// larger: of a deviance that is nearly zero, say.
//
// Values and slopes that are not finite count as too high: searches step back from them.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>

#include "thalweg/core/info.hpp"
#include "thalweg/objective/smooth.hpp"

namespace thalweg::line_search {

struct Options {
  double first_step = 1.0;
  double largest_step = infinity;
  double decrease = 1e-4;  // share of the linear decrease that is sufficient (Armijo)
  double curvature = 0.9;  // share of the slope that may be left (Wolfe)
  // Relative to the size of phi(0): rounding of values, which is all that may be between them where
  // there is nothing else to go by; and differences below which slopes are believed rather than
  // values, since terms of f may cancel (Hager & Zhang's epsilon, there 1e-6).
  double noise = 1e-14;
  double doubt = 1e-10;
  Index most_trials = 40;
};

enum class Outcome {
  success,
  not_a_descent_direction,  // phi'(0) >= 0, or not a number
  no_decrease,              // no acceptable step within most_trials, or the bracket has collapsed
  unbounded,                // phi still falls steeply at largest_step, or is minus infinity
};

struct Found {
  Outcome outcome = Outcome::no_decrease;
  // The accepted step; on failure the lowest point seen, step 0 if none is lower than phi(0).
  objective::LinePoint at;
  Index trials = 0;

  bool success() const { return outcome == Outcome::success; }
};

using Search = Found (*)(objective::Line& phi, const objective::LinePoint& start,
                         const Options& options);

template <class S>
concept LineSearch = requires(objective::Line& phi, const objective::LinePoint& start,
                              const Options& options) {
  { S::search(phi, start, options) } -> std::same_as<Found>;
  { S::info } -> std::convertible_to<const core::Info&>;
};

// How far values may be apart that are equal, and that are as good as equal where slopes are known.
inline double rounding(const objective::LinePoint& start, const Options& options = {}) {
  return options.noise * std::max(std::fabs(start.value), start.terms);
}
inline double margin(const objective::LinePoint& start, const Options& options = {}) {
  return options.doubt * std::max(std::fabs(start.value), start.terms);
}

inline bool is_armijo(const objective::LinePoint& start, const objective::LinePoint& at,
                      const Options& options) {
  return at.value <= start.value + options.decrease * at.step * start.slope;
}

// Values that are equal up to rounding are no decrease: there the slope has to be one of the
// approximate conditions as well, or any step across the minimum would do, however far.
inline bool is_wolfe(const objective::LinePoint& start, const objective::LinePoint& at,
                     const Options& options) {
  const bool is_lower = at.value < start.value - rounding(start, options);
  return is_armijo(start, at, options) && at.slope >= options.curvature * start.slope &&
         (is_lower || at.slope <= (2 * options.decrease - 1) * start.slope);
}

inline bool is_strong_wolfe(const objective::LinePoint& start, const objective::LinePoint& at,
                            const Options& options) {
  return is_armijo(start, at, options) &&
         std::fabs(at.slope) <= options.curvature * std::fabs(start.slope);
}

// Hager & Zhang's form: a value below phi(0) will do however far it is.
inline bool is_approximate_wolfe(const objective::LinePoint& start, const objective::LinePoint& at,
                                 const Options& options) {
  return at.value <= start.value + margin(start, options) &&
         at.slope <= (2 * options.decrease - 1) * start.slope &&
         at.slope >= options.curvature * start.slope;
}

// The form in which it only stands in where values say nothing.
inline bool is_wolfe_by_slopes(const objective::LinePoint& start, const objective::LinePoint& at,
                               const Options& options) {
  return at.value >= start.value - margin(start, options) &&
         is_approximate_wolfe(start, at, options);
}

}  // namespace thalweg::line_search
