// Huber loss: squared for small residuals, absolute for large ones. With r = eta - y, d = delta:
//
//   value      r^2 / 2 for |r| <= d,  d |r| - d^2 / 2 beyond
//   gradient   clip(r, -d, d)
//   curvature  1 where |r| < d
//   conjugate  theta^2 / 2 + theta y for |theta| <= d
//
// delta is in units of y: this is not scikit-learn's HuberRegressor, which estimates the scale of
// the residuals with the coefficients. 1.345 times the standard deviation keeps 95 % of the
// efficiency of least squares on normal errors.
#pragma once

#include <array>

#include "thalweg/loss/concept.hpp"

namespace thalweg::loss {

struct Huber final : Regression {
  double delta;

  template <class V>
  Derivatives<V> evaluate(V y, V eta) const noexcept {
    const V r = eta - y;
    const V used = min(max(r, V(-delta)), V(delta));
    return {used * (r - 0.5 * used), used, select(abs(r) < delta, V(1.0), V(0.0))};
  }
  template <class V>
  V conjugate(V y, V theta) const noexcept {
    return select(abs(theta) <= delta, theta * (0.5 * theta + y), V(infinity));
  }

  static constexpr std::array<core::Parameter, 1> parameters{
      {{"delta", 1.35, "(0, inf)", "Residual beyond which the loss is linear, in units of y."}}};
  static constexpr auto flags =
      flags_of({.convex = true, .smooth = true, .bounded_curvature = true});
  static constexpr core::Info info{
      .name = "huber",
      .summary = "Squared error of small residuals, absolute error of large ones.",
      .formula = "1/2 min(|y - eta|, delta)^2 + delta max(0, |y - eta| - delta)",
      .reference = "Huber 1964, Annals of Mathematical Statistics 35",
      .parameters = parameters,
      .flags = flags,
      .requires_ = {}};
};

static_assert(Loss<Huber>);

}  // namespace thalweg::loss
