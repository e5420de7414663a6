// Squared epsilon-insensitive loss. With r = eta - y, e = epsilon:
//
//   value      max(0, |r| - e)^2
//   gradient   2 sign(r) max(0, |r| - e)
//   curvature  2 where |r| > e
//   conjugate  theta y + e |theta| + theta^2 / 4
//
// Differentiable, unlike epsilon_insensitive.hpp. Twice the squared error at epsilon = 0.
#pragma once

#include <array>

#include "thalweg/loss/concept.hpp"

namespace thalweg::loss {

struct SquaredEpsilonInsensitive final : Regression {
  double epsilon;

  template <class V>
  Derivatives<V> evaluate(V y, V eta) const noexcept {
    const V r = eta - y;
    const V excess = max(abs(r) - epsilon, V(0.0));
    return {excess * excess, select(r < 0.0, -2.0 * excess, 2.0 * excess),
            select(abs(r) > epsilon, V(2.0), V(0.0))};
  }
  template <class V>
  V conjugate(V y, V theta) const noexcept {
    return theta * y + abs(theta) * (epsilon + 0.25 * abs(theta));
  }

  static constexpr std::array<core::Parameter, 1> parameters{
      {{"epsilon", 0.1, "[0, inf)", "Residual that costs nothing, in units of y."}}};
  static constexpr auto flags =
      flags_of({.convex = true, .smooth = true, .bounded_curvature = true});
  static constexpr core::Info info{
      .name = "squared_epsilon_insensitive",
      .summary = "Squared error beyond a tolerance, of support vector regression.",
      .formula = "max(0, |y - eta| - epsilon)^2",
      .reference = "Ho, Lin 2012, JMLR 13, equation (3)",
      .parameters = parameters,
      .flags = flags,
      .requires_ = {}};
};

static_assert(Loss<SquaredEpsilonInsensitive>);

}  // namespace thalweg::loss
