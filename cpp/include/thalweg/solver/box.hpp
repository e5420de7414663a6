// Moves within bounds that rounding cannot lead out of: a function need not be defined beyond them.
//
// Along x + t d with 0 <= t <= 1 rounding is monotone in t, so that it is enough to have the
// rounded x + d within the bounds; for longer steps the largest one is kept short by the rounding
// of its own computation.
#pragma once

#include <algorithm>
#include <cmath>

#include "thalweg/solver/smooth.hpp"

namespace thalweg::solver {

// The direction from x to `target`, which must be within the bounds, such that x + d is too.
inline void aim(const Vector& x, const Vector& target, const Bounds& bounds, Vector& direction) {
  for (std::size_t j = 0; j < x.size(); ++j) {
    double d = target[j] - x[j];
    const auto k = static_cast<Index>(j);
    // NaN is equal to nothing; it goes through.
    while (!std::isnan(d) && bounds.clip(k, x[j] + d) != x[j] + d) d = std::nextafter(d, 0.0);
    direction[j] = d;
  }
}

// The largest t with x + t d within the bounds, at least 1: for a direction that was aimed.
// Infinite where no bound limits it.
inline double room_along(const Vector& x, const Vector& direction, const Bounds& bounds) {
  if (!bounds.any()) return infinity;
  constexpr double rounding = 4 * epsilon;  // of the difference, the quotient and the product
  double step = infinity;
  for (std::size_t j = 0; j < x.size(); ++j) {
    const auto k = static_cast<Index>(j);
    const double d = direction[j];
    if (d < 0) step = std::min(step, (1 - rounding) * ((bounds.lower_at(k) - x[j]) / d));
    else if (d > 0) step = std::min(step, (1 - rounding) * ((bounds.upper_at(k) - x[j]) / d));
  }
  return std::max(step, 1.0);
}

// Moves the objective's base point and `at` along the line that has begun; the largest change.
inline double move_along(objective::Smooth& f, double step, SmoothPoint& at, SmoothPoint& before) {
  before.x.swap(at.x);
  before.gradient.swap(at.gradient);
  before.value = at.value;
  at.value = f.move(step, at.x.data(), at.gradient.data());
  double change = 0;
  for (std::size_t j = 0; j < at.x.size(); ++j)
    change = std::max(change, std::fabs(at.x[j] - before.x[j]));
  return change;
}

}  // namespace thalweg::solver
