// Focal loss: the logistic loss, times a power of the probability of the other label, so that
// samples that are right already count less. With m = y eta, p = 1 / (1 + exp(-m)), q = 1 - p, l =
// -log p:
//
//   value      q^gamma l
//   gradient   -y q^gamma (gamma p l + q)
//   curvature  max(0, q^gamma p (gamma^2 p l + 2 gamma q - gamma q l + q))
//
// Not convex for gamma > 0; the logistic loss at gamma = 0, where alone it has a conjugate.
// Estimates of probabilities are not calibrated.
#pragma once

#include <array>

#include "thalweg/loss/logistic.hpp"

namespace thalweg::loss {

struct Focal final : Margin {
  double gamma;

  template <class V>
  Derivatives<V> evaluate(V y, V eta) const noexcept {
    const V m = y * eta;
    const Sigmoid<V> at(m);
    const V l = at.loss;
    const V power = exp(-gamma * (m + l));  // log q = -(m + l)
    const V part = gamma * at.right * l;
    const V second = gamma * part + (2.0 * gamma + 1.0 - gamma * l) * at.wrong;
    return {power * l, -y * power * (part + at.wrong), max(power * at.right * second, V(0.0))};
  }
  template <class V>
  V conjugate(V y, V theta) const noexcept {
    return gamma == 0.0 ? Logistic{}.conjugate(y, theta) : V(infinity);
  }
  template <class V>
  V inverse_link(V eta) const noexcept {
    return Logistic{}.inverse_link(eta);
  }
  bool is_convex() const noexcept { return gamma == 0.0; }

  static constexpr std::array<core::Parameter, 1> parameters{
      {{"gamma", 2.0, "[0, inf)",
        "Power of the probability of the other label; 0 is the logistic loss."}}};
  static constexpr auto flags = flags_of({.smooth = true,
                                          .twice_differentiable = true,
                                          .classification = true,
                                          .falls_for_ever = true});
  static constexpr core::Info info{
      .name = "focal",
      .summary = "Logistic loss that counts samples less which are right already.",
      .formula = "(1 + exp(y eta))^(-gamma) log(1 + exp(-y eta))",
      .reference = "Lin, Goyal, Girshick, He, Dollar 2017, equation (4)",
      .parameters = parameters,
      .flags = flags,
      .requires_ = {}};
};

static_assert(Loss<Focal>);

}  // namespace thalweg::loss
