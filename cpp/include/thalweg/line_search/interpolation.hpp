// Minimisers of polynomials through points of phi, and the next step beyond two of them. NaN where
// there is none; callers keep them within their bracket.
#pragma once

#include <algorithm>
#include <cmath>

#include "thalweg/core/numerics.hpp"
#include "thalweg/objective/smooth.hpp"

namespace thalweg::line_search {

// Of the cubic through both values and slopes (Nocedal & Wright 2006, equation 3.59).
inline double cubic_minimizer(const objective::LinePoint& a, const objective::LinePoint& b) {
  const double width = b.step - a.step;
  const double d1 = a.slope + b.slope - 3 * (b.value - a.value) / width;
  const double scale = std::max({std::fabs(d1), std::fabs(a.slope), std::fabs(b.slope)});
  const double square = core::square(d1 / scale) - (a.slope / scale) * (b.slope / scale);
  const double d2 = std::copysign(scale * std::sqrt(square), width);
  return b.step - width * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2));
}

// Of the parabola through both values and the slope at a.
inline double quadratic_minimizer(const objective::LinePoint& a, const objective::LinePoint& b) {
  const double width = b.step - a.step;
  return a.step + 0.5 * width * (a.slope / ((a.value - b.value) / width + a.slope));
}

// Of the parabola with both slopes.
inline double secant_minimizer(const objective::LinePoint& a, const objective::LinePoint& b) {
  return b.step - (b.step - a.step) * (b.slope / (b.slope - a.slope));
}

// A step beyond `at`, towards which phi falls from `before`: the farther of the minimisers of cubic
// and parabola where slopes get flatter, within 1.1 and 4 times the last increase (More & Thuente
// 1994, sections 2 and 4, case 3).
inline double extrapolate(const objective::LinePoint& before, const objective::LinePoint& at,
                          double largest_step) {
  const double increase = at.step - before.step;
  const double farthest = at.step + 4 * increase;
  double step = farthest;
  if (std::fabs(at.slope) < std::fabs(before.slope)) {
    const double cubic = cubic_minimizer(before, at);
    step = std::max(cubic > at.step ? cubic : farthest, secant_minimizer(before, at));
  }
  return std::min(core::clip(step, at.step + 1.1 * increase, farthest), largest_step);
}

}  // namespace thalweg::line_search
