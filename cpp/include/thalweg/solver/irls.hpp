// Iteratively reweighted least squares for generalized linear models.
//
//   w+ = argmin_w  1/(2 sum s) sum_i h_i (z_i - x~_i' w)^2 + sum_j l2_j / 2 w_j^2
//   h_i = s_i i(eta_i),   z_i = x~_i' w - loss'(y_i, eta_i) / i(eta_i)
//
// the weighted least-squares fit to the working response z, with the Fisher information i of one
// sample as weights. Its normal equations are those of fisher_scoring.hpp for a full step, t = 1,
// so it is that iteration, which solves them without forming z and shortens steps that go up. See
// there for when not to use it.
//
// Cost: one Gram matrix with weights and n^3 / 3 multiply-adds a step. References: Nelder &
// Wedderburn 1972, section 2.2; Green 1984, JRSS B 46, equation (4).
#pragma once

#include "thalweg/solver/fisher_scoring.hpp"

namespace thalweg::solver {

struct Irls final : ScoringMethod {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions&) {
    return make_scoring(info.name, "iteratively reweighted least squares");
  }

  static constexpr core::Info info{
      .name = "irls",
      .summary = "Iteratively reweighted least squares: the iteration of fisher_scoring.",
      .formula = "w <- argmin_w sum_i s_i E[loss''_i] (z_i - x_i w)^2 / (2 sum s) + l2 w^2 / 2",
      .reference = "Nelder & Wedderburn 1972; Green 1984",
      .parameters = {},
      .flags = flags,
      .requires_ = needs};
};

static_assert(SmoothEntry<Irls>);

}  // namespace thalweg::solver
