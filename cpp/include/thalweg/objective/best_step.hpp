// The minimum of a convex loss over all rows on a line of predictions, eta + t d, from the side of
// zero: for intercepts, where d is one on an output's rows.
//
// Newton steps on the slope, which rises with t, kept between the points where it was seen to be
// negative and positive. Where slopes grow exponentially Newton's steps all have the same length,
// however far the minimum is. One that is not much shorter than the last one is replaced, by a step
// to the middle of the two points or, where one of them is not known yet, of twice the length. What
// is less than the rounding of the predictions is no step.
//
// Cost: a pass over the rows for each step, a handful of them.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "thalweg/core/numerics.hpp"
#include "thalweg/core/types.hpp"

namespace thalweg::objective {

// A step at which the slope is a number, where it overflows at zero: its sign tells the side. Zero
// where there is none, or where the slope is not a number.
template <class Loss>
double step_into_range(const Loss& loss, const Vector& eta, const double* d) {
  constexpr int most_steps = 100;
  double step = 0, length = 1, lower = -infinity, upper = infinity;
  for (int i = 0; i < most_steps && !loss.execution().stop_requested(); ++i) {
    const double slope = loss.line(eta.data(), d, step)[1];
    if (std::isfinite(slope)) return step;
    if (std::isnan(slope)) break;
    (slope > 0 ? upper : lower) = step;
    const bool has_both = std::isfinite(lower) && std::isfinite(upper);
    step = has_both ? 0.5 * (lower + upper) : -std::copysign(length, slope);
    length *= 2;
  }
  return 0;
}

template <class Loss>
double best_step(const Loss& loss, const Vector& eta, const double* d) {
  constexpr int most_steps = 200;
  double moved = 0, sum = 0;
  for (std::size_t i = 0; i < eta.size(); ++i) {
    moved += std::fabs(d[i]);
    sum += std::fabs(eta[i] * d[i]);
  }
  const double rounding = epsilon * (moved > 0 ? sum / moved : 0.0);
  // Of a step, so that no exponential overflows; more and more while steps are as long, since
  // targets may be of any unit.
  double longest = 5.0, growth = 1;
  double step = 0, known = 0, last = 0, last_newton = infinity, lower = -infinity, upper = infinity;
  for (int i = 0; i < most_steps; ++i) {
    const std::array<double, 3> at = loss.line(eta.data(), d, step);
    if (!std::isfinite(at[1])) {
      if (step == known) {  // the start
        step = known = step_into_range(loss, eta, d);
        if (step == 0) break;
        continue;
      }
      (step > known ? upper : lower) = step;  // too far
      step = 0.5 * (known + step);
      continue;
    }
    if (at[1] == 0) break;
    known = step;
    (at[1] > 0 ? upper : lower) = step;
    const bool has_both = std::isfinite(lower) && std::isfinite(upper);
    const double newton = at[2] > 0 ? -at[1] / at[2] : -std::copysign(longest, at[1]);
    double move = core::clip(newton, -longest, longest);
    if (move != newton) longest *= growth *= 2;
    if (std::fabs(move) <= std::max(rounding, 2 * epsilon * (std::fabs(step) + epsilon)))
      return step + move;
    if (has_both) {
      const bool is_slow = std::fabs(move) > 0.5 * std::fabs(last);
      if (is_slow || !(step + move > lower && step + move < upper))
        move = 0.5 * (lower + upper) - step;
    } else {
      const double length = std::fabs(move);
      if (length > 0.75 * last_newton)
        move = std::copysign(std::max(length, 2 * std::fabs(last)), move);
      last_newton = length;
    }
    step += move;
    last = move;
    // The points are neighbours, or as good.
    if (std::fabs(move) <= epsilon * std::fabs(step) || loss.execution().stop_requested()) break;
  }
  return step;
}

}  // namespace thalweg::objective
