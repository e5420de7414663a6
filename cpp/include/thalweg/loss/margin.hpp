// What the binary losses share: y is -1 or 1, and the loss is a function of the margin m = y eta.
//
// With m the margin and v(m) such a function, gradient = y v'(m) and curvature = v''(m). The
// conjugate at theta is that of v at -u, u = -y theta; v falls, so u >= 0.
#pragma once

#include "thalweg/loss/concept.hpp"

namespace thalweg::loss {

struct Margin {
  // A score of either sign, unless the loss estimates probabilities.
  template <class V>
  static V inverse_link(V eta) noexcept {
    return eta;
  }
  static bool validate(double y) noexcept { return y == -1.0 || y == 1.0; }
  static std::string_view domain() noexcept { return "y in {-1, 1}"; }
};

// 1 / (1 + exp(-m)) and log(1 + exp(-m)) from one exponential, without overflow.
template <class V>
struct Sigmoid {
  explicit Sigmoid(V m) noexcept {
    const V e = exp(-abs(m));
    const V larger = 1.0 / (1.0 + e);
    const V smaller = e * larger;
    right = select(m < 0.0, smaller, larger);
    wrong = select(m < 0.0, larger, smaller);
    loss = max(-m, V(0.0)) + log1p(e);
  }
  V right;  // probability of the label at margin m
  V wrong;  // one minus that, with full relative accuracy
  V loss;   // -log(right)
};

}  // namespace thalweg::loss
