// Natural gradient descent for generalized linear models.
//
//   x+ = x - t F(x)^-1 g(x),   F = X~' diag(s i(eta)) X~ / sum s + l2
//
// steepest descent in the metric of the Fisher information, in which the length of a step is, to
// second order, the divergence of the model after it from the model before; the ridge of the
// penalty is added as the information of its normal prior. F of a generalized linear model is known
// exactly, so this is the iteration of fisher_scoring.hpp, with its line search. See there for when
// not to use it.
//
// Cost: one Gram matrix with weights and n^3 / 3 multiply-adds a step. References: Amari 1998,
// Neural Computation 10, theorem 1; Martens 2020, JMLR 21, section 9 (the expected Hessian).
#pragma once

#include "thalweg/solver/fisher_scoring.hpp"

namespace thalweg::solver {

struct NaturalGradient final : ScoringMethod {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions&) {
    return make_scoring(info.name, "natural gradient");
  }

  static constexpr core::Info info{
      .name = "natural_gradient",
      .summary = "Natural gradient with the exact information: the iteration of fisher_scoring.",
      .formula = "w <- w - t F^-1 g, F = E[(d loss / d w) (d loss / d w)'] + l2",
      .reference = "Amari 1998; Martens 2020",
      .parameters = {},
      .flags = flags,
      .requires_ = needs};
};

static_assert(SmoothEntry<NaturalGradient>);

}  // namespace thalweg::solver
