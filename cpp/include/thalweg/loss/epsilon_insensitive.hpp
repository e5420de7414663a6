// Epsilon-insensitive loss of support vector regression. With r = eta - y, e = epsilon:
//
//   value      max(0, |r| - e)
//   gradient   sign(r) where |r| > e, else 0 (a subgradient at the kinks)
//   curvature  0
//   conjugate  theta y + e |theta| for |theta| <= 1
//
// The absolute error at epsilon = 0.
#pragma once

#include <array>

#include "thalweg/loss/concept.hpp"

namespace thalweg::loss {

struct EpsilonInsensitive final : Regression {
  double epsilon;

  template <class V>
  Derivatives<V> evaluate(V y, V eta) const noexcept {
    const V r = eta - y;
    const V sign = select(r > epsilon, V(1.0), select(r < -epsilon, V(-1.0), V(0.0)));
    return {max(abs(r) - epsilon, V(0.0)), sign, 0.0};
  }
  template <class V>
  V conjugate(V y, V theta) const noexcept {
    return select(abs(theta) <= 1.0, theta * y + epsilon * abs(theta), V(infinity));
  }

  static constexpr std::array<core::Parameter, 1> parameters{
      {{"epsilon", 0.1, "[0, inf)", "Residual that costs nothing, in units of y."}}};
  static constexpr auto flags = flags_of({.convex = true});
  static constexpr core::Info info{
      .name = "epsilon_insensitive",
      .summary = "Absolute error beyond a tolerance, of support vector regression.",
      .formula = "max(0, |y - eta| - epsilon)",
      .reference = "Vapnik 1995, The Nature of Statistical Learning Theory, section 6.1",
      .parameters = parameters,
      .flags = flags,
      .requires_ = {}};
};

static_assert(Loss<EpsilonInsensitive>);

}  // namespace thalweg::loss
