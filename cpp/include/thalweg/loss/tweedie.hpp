// Half the unit deviance of a Tweedie distribution of variance mu^p, p = power, mean mu = exp(eta).
//
//   value      max(y, 0)^(2-p) / ((1-p)(2-p)) - y mu^(1-p) / (1-p) + mu^(2-p) / (2-p)
//   gradient   mu^(2-p) - y mu^(1-p)
//   curvature  max(0, (2-p) mu^(2-p) - (1-p) y mu^(1-p)), of expectation mu^(2-p)
//   conjugate  for 1 <= p <= 2: closed at p = 1, p = 2 or y = 0, else by Newton's method
//
// p = 0 is the normal distribution (the square of y, whatever its sign), 1 Poisson, 2 gamma, 3
// inverse Gaussian; 1 < p < 2 has a mass at zero, as sums of claims do. Between 0 and 1 there is no
// distribution, but a deviance, whose expectation is least at the mean. Convex for 1 <= p <= 2
// only. tweedie_identity.hpp is the same with mu = eta.
#pragma once

#include <array>

#include "thalweg/loss/gamma.hpp"
#include "thalweg/loss/newton_conjugate.hpp"
#include "thalweg/loss/poisson.hpp"

namespace thalweg::loss {

// The unit deviances of the Tweedie family, of variance mu^power: what both links share.
struct TweedieFamily {
  double power;

  // The term of the deviance that depends on y only: y^(2 - p) / ((1 - p)(2 - p)), 0 for y <= 0.
  // Powers 0, 1 and 2 are apart.
  template <class V>
  V saturated(V y) const noexcept {
    const V root = exp((2.0 - power) * log(y));
    return select(y > 0.0, root / ((1.0 - power) * (2.0 - power)), V(0.0));
  }
  template <class V>
  V terms(V y) const noexcept {
    if (power == 1.0) return Poisson{}.terms(y);
    if (power == 2.0) return Gamma{}.terms(y);
    const double a = std::fabs(2.0 - power), b = std::fabs(1.0 - power);
    const V root = exp((2.0 - power) * log(y));
    return select(y > 0.0, root * (1 / (a * b) + 1 / a + 1 / b), V(0.0));
  }
  bool validate(double y) const noexcept {
    if (power >= 2.0) return y > 0.0 && y < infinity;
    if (power > 0.0) return y >= 0.0 && y < infinity;
    return std::isfinite(y);
  }
  std::string_view domain() const noexcept {
    if (power >= 2.0) return "y > 0 and finite";
    if (power > 0.0) return "y >= 0 and finite";
    return "y finite";
  }
};

struct Tweedie final : TweedieFamily {
  template <class V>
  Derivatives<V> evaluate(V y, V eta) const noexcept {
    if (power == 1.0) return Poisson{}.evaluate(y, eta);
    if (power == 2.0) return Gamma{}.evaluate(y, eta);
    const double a = 2.0 - power, b = 1.0 - power;
    // mu^a and y mu^b as a common factor, which alone may overflow, times a and b of size 1 or
    // less.
    const auto outer = (eta > 0.0) | (y == 0.0);
    const V factor = exp(select(outer, a * eta, b * eta));
    const V ratio = exp(-abs(eta));
    const V mean = select(outer, V(1.0), ratio);
    const V target = y * select(outer, ratio, V(1.0));
    const V constant = power == 0.0 ? 0.5 * y * y : this->saturated(y);
    return {constant + factor * (mean / a - target / b), factor * (mean - target),
            max(factor * (a * mean - b * target), V(0.0))};
  }
  template <class V>
  V conjugate(V y, V theta) const noexcept {
    if (power == 1.0) return Poisson{}.conjugate(y, theta);
    if (power == 2.0) return Gamma{}.conjugate(y, theta);
    if (!is_convex()) return infinity;
    // y = 0: the supremum over mu of theta log mu - mu^a / a, at mu^a = theta.
    const double a = 2.0 - power;
    const V at_zero = select(theta == 0.0, V(0.0), theta * (log(theta) - 1.0) / a);
    const V positive = select(y > 0.0, y, V(1.0));
    const V slope = select(y > 0.0, theta, V(0.0));
    const V eta = stationary(positive, slope);
    const V inside =
        select(eta < infinity, slope * eta - evaluate(positive, eta).value, V(infinity));
    return select(y > 0.0, inside, select(theta >= 0.0, at_zero, V(infinity)));
  }
  // Where gradient = theta, for 1 < p < 2 and y > 0: mu = y exp(r) with exp(a r) - exp(b r) =
  // scaled, where each term bounds r on one side. Far out the terms overflow: +inf.
  template <class V>
  V stationary(V y, V theta) const noexcept {
    const double a = 2.0 - power, b = 1.0 - power;
    const V log_y = log(y);
    const V scaled = theta * exp(-a * log_y);
    const V start = log_y + log1p(abs(scaled)) / select(scaled < 0.0, V(b), V(a));
    return select(abs(scaled) >= 1e280, V(infinity), newton_stationary(*this, y, theta, start));
  }
  template <class V>
  V information(V eta) const noexcept {
    if (power == 2.0) return Gamma{}.information(eta);
    return exp((2.0 - power) * eta);
  }
  template <class V>
  V inverse_link(V eta) const noexcept {
    return exp(eta);
  }
  bool is_convex() const noexcept { return power >= 1.0 && power <= 2.0; }

  static constexpr std::array<core::Parameter, 1> parameters{
      {{"power", 1.5, "(-inf, inf)",
        "Power of the mean that the variance is proportional to; convex in [1, 2]."}}};
  static constexpr auto flags = flags_of({.convex = true,
                                          .smooth = true,
                                          .twice_differentiable = true,
                                          .likelihood = true,
                                          .dispersed = true});
  static constexpr core::Info info{
      .name = "tweedie",
      .summary = "Half the unit deviance of a Tweedie distribution, with the log link.",
      .formula =
          "max(0, y)^(2 - power) / ((1 - power) (2 - power)) - y exp((1 - power) eta) / (1 - "
          "power) + exp((2 - power) eta) / (2 - power)",
      .reference = "Jorgensen 1987, JRSS B 49; Dunn, Smyth 2005",
      .parameters = parameters,
      .flags = flags,
      .requires_ = {}};
};

static_assert(Loss<Tweedie>);

}  // namespace thalweg::loss
