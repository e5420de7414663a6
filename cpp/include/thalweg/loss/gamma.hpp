// Half the unit deviance of the gamma distribution, for targets y > 0 of mean mu = exp(eta).
//
//   value      y / mu - log(y / mu) - 1
//   gradient   1 - y / mu
//   curvature  y / mu, of expectation 1
//   conjugate  c + t (log t - c) for t = 1 - theta >= 0, c = 1 + log y
//
// Zero at mu = y. The value overflows where y exp(-eta) does.
#pragma once

#include "thalweg/loss/concept.hpp"

namespace thalweg::loss {

struct Gamma final {
  template <class V>
  Derivatives<V> evaluate(V y, V eta) const noexcept {
    const V ratio = y * exp(-eta);
    return {ratio + eta - (1.0 + log(y)), 1.0 - ratio, ratio};
  }
  template <class V>
  V conjugate(V y, V theta) const noexcept {
    const V t = 1.0 - theta;
    const V peak = log(y) + 1.0;  // the conjugate at theta = 1
    const V inside = peak + select(t == 0.0, V(0.0), t * (log(t) - peak));
    return select(t >= 0.0, inside, V(infinity));
  }
  template <class V>
  V information(V) const noexcept {
    return 1.0;
  }
  template <class V>
  V terms(V y) const noexcept {
    return 2.0 * (1.0 + abs(log(y)));
  }
  template <class V>
  V inverse_link(V eta) const noexcept {
    return exp(eta);
  }
  static bool validate(double y) noexcept { return y > 0.0 && y < infinity; }
  static std::string_view domain() noexcept { return "y > 0 and finite"; }

  static constexpr auto flags = flags_of({.convex = true,
                                          .smooth = true,
                                          .twice_differentiable = true,
                                          .likelihood = true,
                                          .dispersed = true});
  static constexpr core::Info info{
      .name = "gamma",
      .summary = "Half the unit deviance of the gamma distribution, with the log link.",
      .formula = "y exp(-eta) + eta - log(y) - 1",
      .reference = "McCullagh, Nelder 1989, chapter 8",
      .parameters = {},
      .flags = flags,
      .requires_ = {}};
};

static_assert(Loss<Gamma>);

}  // namespace thalweg::loss
