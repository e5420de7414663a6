// Squared error, the half unit deviance of the normal distribution.
//
//   value      1/2 (y - eta)^2
//   gradient   eta - y
//   curvature  1
//   conjugate  1/2 theta^2 + theta y
//
// Quadratic: a second-order model of it is exact, so solvers need one model per fit, which has it
// built in (objective/glm.hpp).
#pragma once

#include "thalweg/loss/concept.hpp"

namespace thalweg::loss {

struct Squared final : Regression {
  template <class V>
  static Derivatives<V> evaluate(V y, V eta) noexcept {
    return {0.5 * (y - eta) * (y - eta), eta - y, 1.0};
  }
  template <class V>
  static V conjugate(V y, V theta) noexcept {
    return 0.5 * theta * theta + theta * y;
  }
  template <class V>
  static V information(V) noexcept {
    return 1.0;
  }
  static double value(double y, double eta) noexcept { return evaluate(y, eta).value; }
  static double gradient(double y, double eta) noexcept { return evaluate(y, eta).gradient; }
  static double curvature(double y, double eta) noexcept { return evaluate(y, eta).curvature; }

  static constexpr auto flags = flags_of({.convex = true,
                                          .smooth = true,
                                          .twice_differentiable = true,
                                          .quadratic = true,
                                          .likelihood = true,
                                          .dispersed = true});
  static constexpr core::Info info{
      .name = "squared",
      .summary = "Squared error, half the unit deviance of the normal distribution.",
      .formula = "1/2 (y - eta)^2",
      .reference = "Gauss 1809; Hastie, Tibshirani, Friedman 2009, section 3.2",
      .parameters = {},
      .flags = flags,
      .requires_ = {}};
};

static_assert(Loss<Squared>);

}  // namespace thalweg::loss
