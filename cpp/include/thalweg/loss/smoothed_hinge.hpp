// Hinge loss whose kink is a parabola of width g = smoothing. With slack r = 1 - y eta:
//
//   value      0 for r <= 0,  r^2 / (2 g) for r <= g,  r - g/2 beyond
//   gradient   -y clip(r / g, 0, 1)
//   curvature  1/g where 0 < r < g
//   conjugate  -u + g u^2 / 2 for u = -y theta in [0, 1]
//
// Adding g u^2 / 2 to the conjugate of the hinge is what smooths it; values differ by at most g/2.
#pragma once

#include <array>

#include "thalweg/loss/margin.hpp"

namespace thalweg::loss {

struct SmoothedHinge final : Margin {
  double smoothing;

  template <class V>
  Derivatives<V> evaluate(V y, V eta) const noexcept {
    const V slack = 1.0 - y * eta;
    const V u = min(max(slack / smoothing, V(0.0)), V(1.0));
    const V inside = select((slack > 0.0) & (slack < smoothing), V(1.0 / smoothing), V(0.0));
    return {u * (slack - 0.5 * smoothing * u), -y * u, inside};
  }
  template <class V>
  V conjugate(V y, V theta) const noexcept {
    const V u = -y * theta;
    return select((u >= 0.0) & (u <= 1.0), u * (0.5 * smoothing * u - 1.0), V(infinity));
  }

  static constexpr std::array<core::Parameter, 1> parameters{
      {{"smoothing", 1.0, "(0, inf)", "Width of the parabola, in units of the margin."}}};
  static constexpr auto flags =
      flags_of({.convex = true, .smooth = true, .bounded_curvature = true, .classification = true});
  static constexpr core::Info info{
      .name = "smoothed_hinge",
      .summary = "Hinge loss with a parabola instead of the kink.",
      .formula =
          "min(max(0, 1 - y eta), smoothing)^2 / (2 smoothing) + max(0, 1 - smoothing - y eta)",
      .reference = "Shalev-Shwartz, Zhang 2013, JMLR 14, equation (12)",
      .parameters = parameters,
      .flags = flags,
      .requires_ = {}};
};

static_assert(Loss<SmoothedHinge>);

}  // namespace thalweg::loss
