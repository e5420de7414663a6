// The lasso penalty: sparse solutions.
//
//   P(w) = sum_j weight_j |w_j|     over lower_j <= w_j <= upper_j
//
// Reference: Tibshirani 1996. Prox, conjugate and subdifferential: separable.hpp.
#pragma once

#include <array>

#include "thalweg/penalty/concept.hpp"

namespace thalweg::penalty {

struct L1 final {
  static Strengths strengths(double alpha, std::span<const double>) { return {alpha, 0.0}; }

  static constexpr std::array<core::Flag, 6> flags{{{"convex", true},
                                                    {"separable", true},
                                                    {"smooth_penalty", false},
                                                    {"has_alpha_max", true},
                                                    {"strongly_convex", false},
                                                    {"sparse", true}}};
  static constexpr core::Info info{.name = "l1",
                                   .summary = "The lasso penalty: sparse solutions.",
                                   .formula = "sum_j weight_j |w_j|",
                                   .reference = "Tibshirani 1996",
                                   .parameters = {},
                                   .flags = flags,
                                   .requires_ = {}};
};

static_assert(SeparablePenalty<L1>);

}  // namespace thalweg::penalty
