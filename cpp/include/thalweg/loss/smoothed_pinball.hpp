// Pinball loss whose kink is a parabola. With r = eta - y, q = quantile, g = smoothing and
// u = clip(r / g, -q, 1 - q):
//
//   value      u r - g u^2 / 2
//   gradient   u
//   curvature  1/g where -q g < r < (1 - q) g
//   conjugate  theta y + g theta^2 / 2 for -q <= theta <= 1 - q
//
// Adding g theta^2 / 2 to the conjugate of the pinball loss is what smooths it [Nesterov 2005];
// values differ by at most g max(q, 1 - q)^2 / 2.
#pragma once

#include <array>

#include "thalweg/loss/concept.hpp"

namespace thalweg::loss {

struct SmoothedPinball final : Regression {
  double quantile;
  double smoothing;

  template <class V>
  Derivatives<V> evaluate(V y, V eta) const noexcept {
    const V r = eta - y;
    const V slope = r / smoothing;
    const V u = min(max(slope, V(-quantile)), V(1.0 - quantile));
    const V inside = select(slope == u, V(1.0 / smoothing), V(0.0));
    return {u * (r - 0.5 * smoothing * u), u, inside};
  }
  template <class V>
  V conjugate(V y, V theta) const noexcept {
    return select((theta >= -quantile) & (theta <= 1.0 - quantile),
                  theta * (y + 0.5 * smoothing * theta), V(infinity));
  }

  static constexpr std::array<core::Parameter, 2> parameters{
      {{"quantile", 0.5, "(0, 1)", "The quantile that the prediction estimates."},
       {"smoothing", 1.0, "(0, inf)", "Scale of the parabola, in units of y."}}};
  static constexpr auto flags =
      flags_of({.convex = true, .smooth = true, .bounded_curvature = true});
  static constexpr core::Info info{
      .name = "smoothed_pinball",
      .summary = "Pinball loss with a parabola instead of the kink.",
      .formula =
          "max(-quantile smoothing, min(eta - y, (1 - quantile) smoothing))^2 / (2 smoothing) + "
          "(1 - quantile) max(0, eta - y - (1 - quantile) smoothing) + "
          "quantile max(0, y - eta - quantile smoothing)",
      .reference = "Nesterov 2005, Mathematical Programming 103; Koenker, Bassett 1978",
      .parameters = parameters,
      .flags = flags,
      .requires_ = {}};
};

static_assert(Loss<SmoothedPinball>);

}  // namespace thalweg::loss
