// The proximal point of a convex smooth loss, and the slope there:
//
//   eta = argmin  scale loss(y, eta) + (eta - center)^2 / 2,   scale >= 0,
//
// which is where eta - center + scale loss'(eta) = 0: one variable of a dual at its maximum given
// the others. Newton's method for that, within the bracket that its signs have left: steps that
// leave it, or are not half as long as the one before, give way to halving; while an end is
// unknown, steps may double. Ends where the next step is a small share of the last one, a Newton
// step: the method converges quadratically by then, and what it would still change matters to no
// caller.
//
// A self-concordant loss is known nearby by its Taylor series, and with it the end of a short step,
// to a hundredth of the step.
//
// A dual moves by the change of the slope, the step over the scale. Where the loss bends more than
// 1 / scale, the slope at an argument that is a little off says less of it than
// (center - eta) / scale, which is that slope at the solution, between what both are at the start:
// values of the conjugate's domain, where the caller's variable is one.
//
// A point where the value is infinite and the slope is not counts as too small: losses of positive
// predictions have an edge there.
//
// Cost: two or three derivatives, of self-concordant losses one or two. Reference: Yu, Huang & Lin
// 2011, section 3.3 (why the step has to be guarded).
#pragma once

#include <algorithm>
#include <cmath>
#include <tuple>

#include "thalweg/loss/concept.hpp"

namespace thalweg::loss {

struct Proximal {
  double point = 0, slope = 0;
};

// Apart, so that values, whose logarithms are dear, are only made where they are asked for.
template <Loss L>
[[gnu::noinline]] bool is_outside(const L& loss, double y, double eta) noexcept {
  return !(loss.evaluate(y, eta).value < infinity);
}

// Where the Newton step from eta leads, with terms of the second order.
template <SelfConcordant L>
Proximal extrapolate(double y, double eta, double newton, double scale,
                     const Derivatives<double>& at) noexcept {
  const double third = L::third(y, at), step = newton - eta;
  const double bend = 0.5 * scale * third / (1 + scale * at.curvature);
  const double d = step - bend * step * step;
  return {eta + d, at.gradient + d * (at.curvature + 0.5 * d * third)};
}

template <Loss L>
Proximal proximal(const L& loss, double y, double center, double scale, double start) noexcept {
  constexpr int most_steps = 200;  // halving alone needs 64 from a bracket of length 1e10
  constexpr double share = 1e-2;
  double eta = start, lower = -infinity, upper = infinity, limit = infinity, last = 0, first = 0;
  double curvature = 0, least = -infinity, largest = infinity;  // of the slope
  Proximal found{start, 0};
  const auto settled = [&] {
    if (scale * curvature > 1)
      found.slope = core::clip((center - found.point) / scale, least, largest);
    return found;
  };
  for (int k = 0; k < most_steps; ++k) {
    const Derivatives<double> at = loss.evaluate(y, eta);
    const bool outside = at.gradient == 0 && is_outside(loss, y, eta);
    if (!outside) {
      found = {eta, at.gradient};
      curvature = at.curvature;
    }
    const double excess = outside ? -infinity : eta - center + scale * at.gradient;
    if (excess == 0 || std::isnan(excess)) break;
    (excess < 0 ? lower : upper) = eta;
    if (k == 0) {
      first = std::fabs(excess);
      const double end = (center - eta) / scale;
      if (!outside) std::tie(least, largest) = std::minmax({at.gradient, end});
    }
    const double newton = eta - excess / (1 + scale * at.curvature);
    const double length = std::fabs(newton - eta);
    const bool good = newton > lower && newton < upper && length <= limit;
    if constexpr (SelfConcordant<L>) {
      constexpr double near = 0.2;  // the series leaves near^2 / 4 of a step
      if (good && length <= near) {
        found = extrapolate<L>(y, eta, newton, scale, at);
        return settled();
      }
    }
    const bool close = length <= share * last && std::fabs(excess) <= share * first;
    if (close || length <= 2 * epsilon * std::fabs(eta)) break;
    const bool is_bracketed = std::isfinite(lower) && std::isfinite(upper);
    const double doubled = std::copysign(std::min(limit, 1 + std::fabs(eta)), -excess);
    const double next = good ? newton : is_bracketed ? 0.5 * (lower + upper) : eta + doubled;
    if (next == lower || next == upper) break;  // neighbouring numbers
    const double step = std::fabs(next - eta);
    limit = (is_bracketed ? 0.5 : 2.0) * step;
    last = good ? step : 0;
    eta = next;
  }
  return settled();
}

}  // namespace thalweg::loss
