// The minimum of a convex loss over all rows on a line of predictions, eta + t d, from the side of
// zero: safeguarded Newton steps on its slope. For intercepts, where d is one on an output's rows.
//
// Cost: a pass over the rows for each step, a handful of them.
#pragma once

#include <array>
#include <cmath>
#include <utility>

#include "thalweg/core/numerics.hpp"
#include "thalweg/core/types.hpp"

namespace thalweg::objective {

template <class Loss>
double best_step(const Loss& loss, const double* eta, const double* d) {
  constexpr int most_steps = 100;
  // Of a step, so that no exponential overflows; doubled while steps are as long, since targets may
  // be of any unit.
  double longest = 5.0;
  double step = 0, known = 0, lower = -infinity, upper = infinity;
  for (int i = 0; i < most_steps; ++i) {
    const std::array<double, 3> at = loss.line(eta, d, step);
    if (!std::isfinite(at[1])) {
      if (step == known) break;
      step = 0.5 * (known + step);
      continue;
    }
    if (at[1] == 0) break;
    known = step;
    (at[1] > 0 ? upper : lower) = step;
    double next = at[2] > 0 ? step - at[1] / at[2] : step - std::copysign(longest, at[1]);
    const double wanted = std::exchange(next, core::clip(next, step - longest, step + longest));
    if (wanted != next) longest *= 2;
    if (!(next > lower && next < upper) && std::isfinite(lower) && std::isfinite(upper))
      next = 0.5 * (lower + upper);
    const bool done = std::fabs(next - step) <= 2 * epsilon * (std::fabs(step) + epsilon);
    step = next;
    if (done || loss.execution().stop_requested()) break;
  }
  return step;
}

}  // namespace thalweg::objective
