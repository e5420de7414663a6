// Hinge loss of the linear support vector machine. With m = y eta:
//
//   value      max(0, 1 - m)
//   gradient   -y where m < 1, else 0 (a subgradient at the kink)
//   curvature  0
//   conjugate  -u for u = -y theta in [0, 1]
//
// Not differentiable at m = 1, where the solution has its support vectors: smoothed_hinge.hpp and
// squared_hinge.hpp are for methods that need a gradient. Estimates no probabilities.
#pragma once

#include "thalweg/loss/margin.hpp"

namespace thalweg::loss {

struct Hinge final : Margin {
  template <class V>
  Derivatives<V> evaluate(V y, V eta) const noexcept {
    const V slack = 1.0 - y * eta;
    return {max(slack, V(0.0)), select(slack > 0.0, -y, V(0.0)), 0.0};
  }
  template <class V>
  V conjugate(V y, V theta) const noexcept {
    const V u = -y * theta;
    return select((u >= 0.0) & (u <= 1.0), -u, V(infinity));
  }

  static constexpr auto flags = flags_of({.convex = true, .classification = true});
  static constexpr core::Info info{
      .name = "hinge",
      .summary = "Hinge loss of labels -1 and 1, of the linear support vector machine.",
      .formula = "max(0, 1 - y eta)",
      .reference = "Cortes, Vapnik 1995, Machine Learning 20",
      .parameters = {},
      .flags = flags,
      .requires_ = {}};
};

static_assert(Loss<Hinge>);

}  // namespace thalweg::loss
