// Half the unit deviance of the Poisson distribution, for counts y >= 0 of mean mu = exp(eta).
//
//   value      y log(y / mu) - y + mu
//   gradient   mu - y
//   curvature  mu, whatever y: the link is canonical
//   conjugate  t log t - t + y - y log y for t = theta + y >= 0
//
// Zero at mu = y, whatever y. Not for counts that vary more than their means: tweedie.hpp.
// The value overflows where exp(eta) does (eta > 709.78).
#pragma once

#include "thalweg/loss/concept.hpp"

namespace thalweg::loss {

struct Poisson final {
  template <class V>
  Derivatives<V> evaluate(V y, V eta) const noexcept {
    const V mu = exp(eta);
    return {mu - y * eta + (x_log_x(y) - y), mu - y, mu};
  }
  template <class V>
  V conjugate(V y, V theta) const noexcept {
    const V t = theta + y;
    const V inside = select(t == 0.0, V(0.0), t * (log(t) - 1.0)) + (y - x_log_x(y));
    return select(t >= 0.0, inside, V(infinity));
  }
  template <class V>
  V information(V eta) const noexcept {
    return exp(eta);
  }
  template <class V>
  V terms(V y) const noexcept {
    return 2.0 * (y + abs(x_log_x(y)));
  }
  template <class V>
  V inverse_link(V eta) const noexcept {
    return exp(eta);
  }
  static bool validate(double y) noexcept { return y >= 0.0 && y < infinity; }
  static std::string_view domain() noexcept { return "y >= 0 and finite"; }

  static constexpr auto flags =
      flags_of({.convex = true, .smooth = true, .twice_differentiable = true, .likelihood = true});
  static constexpr core::Info info{
      .name = "poisson",
      .summary = "Half the unit deviance of the Poisson distribution, with the log link.",
      .formula = "y log(y) - y eta - y + exp(eta)",
      .reference = "McCullagh, Nelder 1989, chapter 6",
      .parameters = {},
      .flags = flags,
      .requires_ = {}};
};

static_assert(Loss<Poisson>);

}  // namespace thalweg::loss
