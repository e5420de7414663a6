// Conjugates without a closed form: sup_eta theta eta - loss(y, eta), where gradient = theta has a
// solution, by Newton's method for it.
//
// A step is taken if it stays inside the bracket that the signs of gradient - theta have left, and
// is at most half the one before once both ends are known; else the bracket is halved, or, where an
// end is unknown, left by steps that double. The supremum is flat, so an eta of relative error 1e-9
// gives it to rounding. For V a pack, all lanes go on until the last has converged.
#pragma once

#include "thalweg/loss/concept.hpp"

namespace thalweg::loss {

// Where gradient = theta, from a start.
template <class V, class L>
V newton_stationary(const L& loss, V y, V theta, V eta) noexcept {
  constexpr int max_steps = 200;  // halving alone needs 64 from a bracket of length 1e10
  V lower = -infinity, upper = infinity, limit = 1.0;
  for (int k = 0; k < max_steps; ++k) {
    const Derivatives<V> at = loss.evaluate(y, eta);
    const V excess = at.gradient - theta;
    lower = select(excess < 0.0, eta, lower);
    upper = select(excess > 0.0, eta, upper);
    const auto bracketed = (lower > -infinity) & (upper < infinity);
    const V newton = eta - excess / at.curvature;
    const auto good = (newton > lower) & (newton < upper) & (abs(newton - eta) <= limit);
    const V other =
        select(bracketed, 0.5 * (lower + upper), select(excess < 0.0, eta + limit, eta - limit));
    const V next = select(excess == 0.0, eta, select(good, newton, other));
    const V step = abs(next - eta);
    limit = select(bracketed, 0.5 * step, 2.0 * limit);
    const auto moves = step > 1e-9 * (1.0 + abs(eta));
    eta = next;
    if (!any(moves)) break;
  }
  return eta;
}

template <class V, class L>
V newton_conjugate(const L& loss, V y, V theta, V start) noexcept {
  const V eta = newton_stationary(loss, y, theta, start);
  return theta * eta - loss.evaluate(y, eta).value;
}

}  // namespace thalweg::loss
