// Perceptron loss: the hinge without a margin. With m = y eta:
//
//   value      max(0, -m)
//   gradient   -y where m < 0, else 0 (a subgradient at the kink)
//   curvature  0
//   conjugate  0 for u = -y theta in [0, 1]
//
// eta = 0 minimises it, so that it makes sense only for methods that stop at the first separating
// plane; a penalty leads to zero coefficients.
#pragma once

#include "thalweg/loss/margin.hpp"

namespace thalweg::loss {

struct Perceptron final : Margin {
  template <class V>
  Derivatives<V> evaluate(V y, V eta) const noexcept {
    const V wrong = -y * eta;
    return {max(wrong, V(0.0)), select(wrong > 0.0, -y, V(0.0)), 0.0};
  }
  template <class V>
  V conjugate(V y, V theta) const noexcept {
    const V u = -y * theta;
    return select((u >= 0.0) & (u <= 1.0), V(0.0), V(infinity));
  }

  static constexpr auto flags = flags_of({.convex = true, .classification = true});
  static constexpr core::Info info{
      .name = "perceptron",
      .summary = "Perceptron loss of labels -1 and 1, a hinge without a margin.",
      .formula = "max(0, -y eta)",
      .reference = "Rosenblatt 1958; Bottou 2010",
      .parameters = {},
      .flags = flags,
      .requires_ = {}};
};

static_assert(Loss<Perceptron>);

}  // namespace thalweg::loss
