// Pinball loss, whose minimiser is a conditional quantile. With r = eta - y, q = quantile:
//
//   value      (1 - q) max(0, r) + q max(0, -r)
//   gradient   1 - q where r > 0, -q where r < 0, 0 at the kink (a subgradient)
//   curvature  0
//   conjugate  theta y for -q <= theta <= 1 - q
//
// The median regression at q = 1/2 is half the absolute error. smoothed_pinball.hpp is for methods
// that need a gradient.
#pragma once

#include <array>

#include "thalweg/loss/concept.hpp"

namespace thalweg::loss {

struct Pinball final : Regression {
  double quantile;

  template <class V>
  Derivatives<V> evaluate(V y, V eta) const noexcept {
    const V r = eta - y;
    const V slope = select(r > 0.0, V(1.0 - quantile), select(r < 0.0, V(-quantile), V(0.0)));
    return {max(r * (1.0 - quantile), r * -quantile), slope, 0.0};
  }
  template <class V>
  V conjugate(V y, V theta) const noexcept {
    return select((theta >= -quantile) & (theta <= 1.0 - quantile), theta * y, V(infinity));
  }

  static constexpr std::array<core::Parameter, 1> parameters{
      {{"quantile", 0.5, "(0, 1)", "The quantile that the prediction estimates."}}};
  static constexpr auto flags = flags_of({.convex = true});
  static constexpr core::Info info{
      .name = "pinball",
      .summary = "Pinball loss, minimised by a conditional quantile.",
      .formula = "(1 - quantile) max(0, eta - y) + quantile max(0, y - eta)",
      .reference = "Koenker, Bassett 1978, Econometrica 46",
      .parameters = parameters,
      .flags = flags,
      .requires_ = {}};
};

static_assert(Loss<Pinball>);

}  // namespace thalweg::loss
