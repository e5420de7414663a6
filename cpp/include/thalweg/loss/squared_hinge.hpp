// Squared hinge loss. With slack r = 1 - y eta:
//
//   value      max(0, r)^2
//   gradient   -2 y max(0, r)
//   curvature  2 where r > 0
//   conjugate  -u + u^2 / 4 for u = -y theta >= 0
//
// Differentiable, unlike the hinge; outliers weigh more: modified_huber.hpp grows linearly.
#pragma once

#include "thalweg/loss/margin.hpp"

namespace thalweg::loss {

struct SquaredHinge final : Margin {
  template <class V>
  Derivatives<V> evaluate(V y, V eta) const noexcept {
    const V slack = 1.0 - y * eta;
    const V used = max(slack, V(0.0));
    return {used * used, -2.0 * y * used, select(slack > 0.0, V(2.0), V(0.0))};
  }
  template <class V>
  V conjugate(V y, V theta) const noexcept {
    const V u = -y * theta;
    return select(u >= 0.0, u * (0.25 * u - 1.0), V(infinity));
  }

  static constexpr auto flags =
      flags_of({.convex = true, .smooth = true, .bounded_curvature = true, .classification = true});
  static constexpr core::Info info{.name = "squared_hinge",
                                   .summary = "Squared hinge loss of labels -1 and 1.",
                                   .formula = "max(0, 1 - y eta)^2",
                                   .reference = "Chang, Hsieh, Lin 2008, JMLR 9, equation (2)",
                                   .parameters = {},
                                   .flags = flags,
                                   .requires_ = {}};
};

static_assert(Loss<SquaredHinge>);

}  // namespace thalweg::loss
