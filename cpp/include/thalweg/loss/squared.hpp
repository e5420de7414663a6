// Squared error, the half unit deviance of the normal distribution.
//
//   value      1/2 (y - eta)^2
//   gradient   eta - y
//   curvature  1
//   conjugate  1/2 theta^2 + theta y
//
// Quadratic: a second-order model of it is exact, so solvers need one model per fit.
#pragma once

#include <array>

#include "thalweg/core/info.hpp"
#include "thalweg/loss/concept.hpp"

namespace thalweg::loss {

struct Squared final {
  static double value(double y, double eta) noexcept { return 0.5 * (y - eta) * (y - eta); }
  static double gradient(double y, double eta) noexcept { return eta - y; }
  static double curvature(double, double) noexcept { return 1.0; }
  static double conjugate(double y, double theta) noexcept {
    return 0.5 * theta * theta + theta * y;
  }
  static double inverse_link(double eta) noexcept { return eta; }

  static constexpr std::array<core::Flag, 3> flags{
      {{"convex", true}, {"smooth", true}, {"quadratic", true}}};
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
