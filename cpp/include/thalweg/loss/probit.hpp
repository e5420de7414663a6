// Probit loss: minus the log-likelihood of a label y in {-1, 1} with P(y = 1) = Phi(eta), Phi the
// distribution function of the standard normal distribution. With m = y eta and the hazard ratio
// r(m) = phi(m) / Phi(m):
//
//   value      -log Phi(m)
//   gradient   -y r
//   curvature  r (r + m), in (0, 1); of expectation r(m) r(-m) = phi^2 / (Phi (1 - Phi))
//   conjugate  at u = -y theta >= 0 by Newton's method for r(m) = u; 0 at u = 0
//
// Accurate on the whole line, see normal_tail.hpp.
#pragma once

#include "thalweg/loss/margin.hpp"
#include "thalweg/loss/newton_conjugate.hpp"
#include "thalweg/loss/normal_tail.hpp"

namespace thalweg::loss {

struct Probit final : Margin {
  template <class V>
  Derivatives<V> evaluate(V y, V eta) const noexcept {
    const NormalTail<V> at(y * eta);
    return {-at.log_probability, -y * at.hazard, at.curvature};
  }
  template <class V>
  V conjugate(V y, V theta) const noexcept {
    const V u = -y * theta;
    // Where u is not positive the result is not used. For u > 0.8, r(-u) > u; below, phi(m) = u has
    // a root m > 0 left of that of r(m) = u. Newton's method goes right from both.
    const V slope = select(u > 0.0, u, V(1.0));
    constexpr double sqrt_two_pi = 2.5066282746310002;
    const V far = sqrt(max(-2.0 * log(slope * sqrt_two_pi), V(0.0)));
    const V start = select(slope > 0.8, -slope, far);
    const V inside = newton_conjugate(*this, V(1.0), -slope, start);
    return select(u > 0.0, inside, select(u == 0.0, V(0.0), V(infinity)));
  }
  template <class V>
  V information(V eta) const noexcept {
    return NormalTail<V>(eta).hazard * NormalTail<V>(-eta).hazard;
  }
  template <class V>
  V inverse_link(V eta) const noexcept {
    return exp(NormalTail<V>(eta).log_probability);
  }

  static constexpr auto flags = flags_of({.convex = true,
                                          .smooth = true,
                                          .bounded_curvature = true,
                                          .twice_differentiable = true,
                                          .classification = true,
                                          .falls_for_ever = true,
                                          .likelihood = true});
  static constexpr core::Info info{
      .name = "probit",
      .summary = "Minus the log-likelihood of labels -1 and 1 under a normal link.",
      .formula = "-log(normal_cdf(y eta))",
      .reference = "Bliss 1934; McCullagh, Nelder 1989, section 4.3",
      .parameters = {},
      .flags = flags,
      .requires_ = {}};
};

static_assert(Loss<Probit>);

}  // namespace thalweg::loss
