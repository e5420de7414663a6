// Logistic loss: minus the log-likelihood of a label y in {-1, 1} whose log-odds are eta.
//
// With m = y eta and q = 1 / (1 + exp(m)), the probability of the other label:
//
//   value      log(1 + exp(-m)) = max(-m, 0) + log1p(exp(-|m|))
//   gradient   -y q
//   curvature  q (1 - q), the same for both labels; its derivative is -y (1 - 2 q) times that
//   conjugate  u log u + (1 - u) log(1 - u) for u = -y theta in [0, 1]
//
// One exponential and one log1p; no argument overflows. Canonical link: the fitted probabilities of
// an unpenalized intercept add up to the number of positive labels.
#pragma once

#include "thalweg/loss/margin.hpp"

namespace thalweg::loss {

struct Logistic final : Margin {
  template <class V>
  Derivatives<V> evaluate(V y, V eta) const noexcept {
    const Sigmoid<V> at(y * eta);
    return {at.loss, -y * at.wrong, at.right * at.wrong};
  }
  static double third(double y, const Derivatives<double>& at) noexcept {
    return -(y + 2 * at.gradient) * at.curvature;
  }
  template <class V>
  V conjugate(V y, V theta) const noexcept {
    const V u = -y * theta;
    const V inside = x_log_x(u) + x_log_x(1.0 - u);
    return select((u >= 0.0) & (u <= 1.0), inside, V(infinity));
  }
  template <class V>
  V information(V eta) const noexcept {
    const Sigmoid<V> at(eta);
    return at.right * at.wrong;
  }
  template <class V>
  V inverse_link(V eta) const noexcept {
    return Sigmoid<V>(eta).right;
  }

  static constexpr auto flags = flags_of({.convex = true,
                                          .smooth = true,
                                          .bounded_curvature = true,
                                          .twice_differentiable = true,
                                          .classification = true,
                                          .falls_for_ever = true,
                                          .likelihood = true});
  static constexpr core::Info info{
      .name = "logistic",
      .summary = "Logistic loss of labels -1 and 1, minus the Bernoulli log-likelihood.",
      .formula = "log(1 + exp(-y eta))",
      .reference = "Cox 1958; Hastie, Tibshirani, Friedman 2009, section 4.4",
      .parameters = {},
      .flags = flags,
      .requires_ = {}};
};

static_assert(Loss<Logistic>);

}  // namespace thalweg::loss
