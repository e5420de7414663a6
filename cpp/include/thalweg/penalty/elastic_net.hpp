// The elastic net: sparse like the lasso, keeps groups of correlated features like ridge.
//
//   P(w) = sum_j weight_j (l1_ratio |w_j| + (1 - l1_ratio) / 2 w_j^2)
//   over lower_j <= w_j <= upper_j
//
// Reference: Zou & Hastie 2005, in the parameterisation of Friedman, Hastie, Tibshirani 2010,
// equation (2). Prox, conjugate and subdifferential: separable.hpp.
#pragma once

#include <array>

#include "thalweg/penalty/concept.hpp"

namespace thalweg::penalty {

struct ElasticNet final {
  static Strengths strengths(double alpha, std::span<const double> parameters) {
    const double l1_ratio = parameters[0];
    return {alpha * l1_ratio, alpha * (1.0 - l1_ratio)};
  }

  static constexpr std::array<core::Parameter, 1> parameters{
      {{"l1_ratio", 0.5, "[0, 1]", "Share of the l1 term: 1 is the lasso, 0 is ridge."}}};
  static constexpr std::array<core::Flag, 6> flags{{{"convex", true},
                                                    {"separable", true},
                                                    {"smooth_penalty", false},
                                                    {"has_alpha_max", true},
                                                    {"strongly_convex", true},
                                                    {"sparse", true}}};
  static constexpr core::Info info{
      .name = "elastic_net",
      .summary = "The elastic net: sparse like the lasso, keeps correlated features together.",
      .formula = "sum_j weight_j (l1_ratio |w_j| + (1 - l1_ratio) / 2 w_j^2)",
      .reference = "Zou & Hastie 2005; Friedman, Hastie, Tibshirani 2010, equation (2)",
      .parameters = parameters,
      .flags = flags,
      .requires_ = {}};
};

static_assert(SeparablePenalty<ElasticNet>);

}  // namespace thalweg::penalty
