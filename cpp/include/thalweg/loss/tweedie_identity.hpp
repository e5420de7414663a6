// Half the unit deviance of a Tweedie distribution of variance mu^p, p = power, mean mu = eta.
//
//   value      max(y, 0)^(2-p) / ((1-p)(2-p)) - y eta^(1-p) / (1-p) + eta^(2-p) / (2-p)
//   gradient   eta^(-p) (eta - y)
//   curvature  max(0, eta^(-p) (1 - p + p y / eta)), of expectation eta^(-p)
//   conjugate  p = 0: theta^2 / 2 + theta y;  p = 1: -y log(1 - theta) for theta < 1; between them
//              by Newton's method where y > 0
//
// The limits of this at p = 1 and 2 have logarithms; p = 0 is the squared error. For p > 0 and p <
// 0 the mean must be positive: the value is +inf elsewhere, with derivatives 0, and solvers that
// step there have to come back. Convex for 0 <= p <= 1 only. The log link, tweedie.hpp, has no such
// edge, and says more of p.
#pragma once

#include <array>

#include "thalweg/loss/squared.hpp"
#include "thalweg/loss/tweedie.hpp"

namespace thalweg::loss {

struct TweedieIdentity final : TweedieFamily {
  template <class V>
  Derivatives<V> evaluate(V y, V eta) const noexcept {
    if (power == 0.0) return Squared::evaluate(y, eta);
    const auto inside = eta > 0.0;
    const V mu = select(inside, eta, V(1.0));
    const V scale = exp(-power * log(mu));
    const V outside = select(eta <= 0.0, V(infinity), eta);  // NaN comes out
    const V second = max(scale * (1.0 - power + power * y / mu), V(0.0));
    return {select(inside, deviance(y, mu, scale), outside),
            select(inside, scale * (mu - y), V(0.0)), select(inside, second, V(0.0))};
  }
  template <class V>
  V conjugate(V y, V theta) const noexcept {
    if (power == 0.0) return Squared::conjugate(y, theta);
    if (!is_convex()) return infinity;
    if (power < 1.0) return conjugate_between(y, theta);
    const V t = 1.0 - theta;
    return select((t > 0.0) | ((t == 0.0) & (y == 0.0)),
                  select(y == 0.0, V(0.0), -y * log1p(-theta)), V(infinity));
  }
  template <class V>
  V information(V eta) const noexcept {
    if (power == 0.0) return Squared::information(eta);
    const auto inside = eta > 0.0;
    const V outside = select(eta <= 0.0, V(0.0), eta);  // NaN comes out
    return select(inside, exp(-power * log(select(inside, eta, V(1.0)))), outside);
  }
  template <class V>
  V terms(V y) const noexcept {
    return power == 0.0 ? V(0.0) : TweedieFamily::terms(y);
  }
  template <class V>
  V inverse_link(V eta) const noexcept {
    return eta;
  }
  bool is_convex() const noexcept { return power >= 0.0 && power <= 1.0; }

  // For 0 < p < 1. The gradient is that of the log link at p + 1, so both are theta at one mean.
  // For y = 0: the supremum of theta mu - mu^a / a, at mu^b = theta or at the edge.
  template <class V>
  V conjugate_between(V y, V theta) const noexcept {
    const double a = 2.0 - power, b = 1.0 - power;
    const V above = max(theta, V(0.0));
    const V at_zero = select(above > 0.0, b / a * exp(a / b * log(above)), V(0.0));
    const V positive = select(y > 0.0, y, V(1.0));
    const V eta = Tweedie{{power + 1.0}}.stationary(positive, select(y > 0.0, theta, V(0.0)));
    const V mu = max(exp(eta), V(1e-300));  // at zero the value is the infinity of the outside
    const V inside = select(mu < infinity, theta * mu - evaluate(positive, mu).value, V(infinity));
    return select(y > 0.0, inside, at_zero);
  }

  // The value at a mean mu > 0; scale is mu^-p.
  template <class V>
  V deviance(V y, V mu, V scale) const noexcept {
    if (power == 1.0) return x_log_x(y) - y - y * log(mu) + mu;
    if (power == 2.0) return y / mu + log(mu) - 1.0 - log(y);
    return this->saturated(y) + scale * mu * (mu / (2.0 - power) - y / (1.0 - power));
  }

  static constexpr std::array<core::Parameter, 1> parameters{
      {{"power", 0.0, "(-inf, inf)",
        "Power of the mean that the variance is proportional to; convex in [0, 1]."}}};
  static constexpr auto flags = flags_of({.convex = true,
                                          .smooth = true,
                                          .twice_differentiable = true,
                                          .likelihood = true,
                                          .dispersed = true});
  static constexpr core::Info info{
      .name = "tweedie_identity",
      .summary = "Half the unit deviance of a Tweedie distribution, with the identity link.",
      .formula =
          "max(0, y)^(2 - power) / ((1 - power) (2 - power)) + 0^|power| min(0, y)^2 / 2 - y "
          "eta^(1 - power) / (1 - power) + "
          "eta^(2 - power) / (2 - power)",
      .reference = "Jorgensen 1987, JRSS B 49",
      .parameters = parameters,
      .flags = flags,
      .requires_ = {}};
};

static_assert(Loss<TweedieIdentity>);

}  // namespace thalweg::loss
