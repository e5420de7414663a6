// The ridge penalty: shrinks, keeps every feature.
//
//   P(w) = 1/2 sum_j weight_j w_j^2     over lower_j <= w_j <= upper_j
//
// Reference: Hoerl & Kennard 1970. Prox, conjugate and subdifferential: separable.hpp.
#pragma once

#include <array>

#include "thalweg/penalty/concept.hpp"

namespace thalweg::penalty {

struct L2 final {
  static Strengths strengths(double alpha, std::span<const double>) { return {0.0, alpha}; }

  static constexpr std::array<core::Flag, 6> flags{{{"convex", true},
                                                    {"separable", true},
                                                    {"smooth_penalty", true},
                                                    {"has_alpha_max", false},
                                                    {"strongly_convex", true},
                                                    {"sparse", false}}};
  static constexpr core::Info info{.name = "l2",
                                   .summary = "The ridge penalty: shrinks, keeps every feature.",
                                   .formula = "1/2 sum_j weight_j w_j^2",
                                   .reference = "Hoerl & Kennard 1970",
                                   .parameters = {},
                                   .flags = flags,
                                   .requires_ = {}};
};

static_assert(SeparablePenalty<L2>);

}  // namespace thalweg::penalty
