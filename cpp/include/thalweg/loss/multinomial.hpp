// Multinomial (softmax) loss: minus the log-likelihood of a class y in {0, ..., K - 1}, for K
// predictions eta_k with P(k) = p_k = exp(eta_k) / sum_l exp(eta_l).
//
//   value      log sum_k exp(eta_k) - eta_y
//   gradient   p_k - [k = y]
//   curvature  diag(p) - p p', positive semidefinite: a shift of all eta_k changes nothing
//   conjugate  sum_k u_k log u_k for u_k = theta_k + [k = y] >= 0 of sum one
//
// K exponentials and one log1p. Nothing overflows: weights are relative to the largest. With K = 2
// it is the logistic loss of eta_1 - eta_0, at twice the cost.
#pragma once

#include "thalweg/loss/concept.hpp"

namespace thalweg::loss {

// Sums of the weights e_k = exp(eta_k - max_l eta_l).
template <class V>
struct Softmax {
  V largest;  // max_k eta_k
  V score;    // eta_y
  V others;   // sum of e_k over k != y
  V sum;      // of all

  // The sum of a certain label is 1 and a little, which `others` has to more digits.
  V value() const noexcept {
    return (largest - score) + log1p(select(score == largest, others, sum - 1.0));
  }
  // p_k - [k = y] from e_k; p_y - 1 = -others / sum. `inverse` is that of the sum: a division takes
  // as long as an exponential.
  V gradient(V y, Index k, V weight, V inverse) const noexcept {
    return select(y == static_cast<double>(k), -others, weight) * inverse;
  }
};

struct Multinomial final {
  Index outputs;

  // eta(k) gives the prediction of class k; keep(k, e_k) gets its weight.
  template <class V, class Eta, class Keep>
  Softmax<V> softmax(V y, Eta eta, Keep keep) const noexcept {
    Softmax<V> at{eta(0), 0.0, 0.0, 0.0};
    for (Index k = 1; k < outputs; ++k) at.largest = max(at.largest, eta(k));
    for (Index k = 0; k < outputs; ++k) {
      const auto is_label = y == static_cast<double>(k);
      const V prediction = eta(k);
      const V weight = exp(prediction - at.largest);
      at.score = select(is_label, prediction, at.score);
      at.others = at.others + select(is_label, V(0.0), weight);
      at.sum = at.sum + weight;
      keep(k, weight);
    }
    return at;
  }

  // theta(k) gives the dual variable of class k. Rounding may leave their sum off zero.
  template <class V, class Theta>
  V conjugate(V y, Theta theta) const noexcept {
    V total = 0.0, sum = 0.0, smallest = 0.0;
    for (Index k = 0; k < outputs; ++k) {
      const V u = theta(k) + select(y == static_cast<double>(k), V(1.0), V(0.0));
      total = total + theta(k);
      smallest = min(smallest, u);
      sum = sum + x_log_x(max(u, V(0.0)));
    }
    const double rounding = 4.0 * epsilon * static_cast<double>(outputs);
    return select((abs(total) <= rounding) & (smallest >= 0.0), sum, V(infinity));
  }

  bool validate(double y) const noexcept {
    return y >= 0.0 && y < static_cast<double>(outputs) && y == std::floor(y);
  }
  static std::string_view domain() noexcept { return "y in {0, ..., K - 1}"; }

  static constexpr auto flags = flags_of({.convex = true,
                                          .smooth = true,
                                          .bounded_curvature = true,
                                          .twice_differentiable = true,
                                          .classification = true,
                                          .falls_for_ever = true,
                                          .multi_output = true,
                                          .likelihood = true});
  static constexpr core::Info info{
      .name = "multinomial",
      .summary = "Multinomial (softmax) loss of K classes, one prediction for each.",
      .formula = "log(sum_k(exp(eta_k - eta_y)))",
      .reference = "Hastie, Tibshirani, Friedman 2009, section 4.4",
      .parameters = {},
      .flags = flags,
      .requires_ = {}};
};

static_assert(MultiLoss<Multinomial>);

}  // namespace thalweg::loss
