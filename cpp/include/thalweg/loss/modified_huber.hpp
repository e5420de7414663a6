// Squared hinge that goes on linearly beyond a margin of -1. With m = y eta:
//
//   value      max(0, 1 - m)^2 for m >= -1,  -4 m below
//   gradient   -y min(2 max(0, 1 - m), 4)
//   curvature  2 where -1 < m < 1
//   conjugate  -u + u^2 / 4 for u = -y theta in [0, 4]
//
// Robust to outliers, and the prediction clip(eta, -1, 1) estimates 2 P(y = 1) - 1.
#pragma once

#include "thalweg/loss/margin.hpp"

namespace thalweg::loss {

struct ModifiedHuber final : Margin {
  template <class V>
  Derivatives<V> evaluate(V y, V eta) const noexcept {
    const V slack = 1.0 - y * eta;
    const V used = min(max(slack, V(0.0)), V(2.0));
    const V inside = select((slack > 0.0) & (slack < 2.0), V(2.0), V(0.0));
    return {used * (2.0 * slack - used), -2.0 * y * used, inside};
  }
  template <class V>
  V conjugate(V y, V theta) const noexcept {
    const V u = -y * theta;
    return select((u >= 0.0) & (u <= 4.0), u * (0.25 * u - 1.0), V(infinity));
  }
  template <class V>
  V inverse_link(V eta) const noexcept {
    return 0.5 * (1.0 + min(max(eta, V(-1.0)), V(1.0)));
  }

  static constexpr auto flags =
      flags_of({.convex = true, .smooth = true, .bounded_curvature = true, .classification = true});
  static constexpr core::Info info{
      .name = "modified_huber",
      .summary = "Squared hinge that is linear beyond a margin of -1, robust to outliers.",
      .formula = "min(max(0, 1 - y eta), 2)^2 + 4 max(0, -1 - y eta)",
      .reference = "Zhang 2004, Annals of Statistics 32, section 2",
      .parameters = {},
      .flags = flags,
      .requires_ = {}};
};

static_assert(Loss<ModifiedHuber>);

}  // namespace thalweg::loss
