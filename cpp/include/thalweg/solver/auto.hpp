// Chooses: for squared losses working sets, where a cost model picks residual or Gram updates
// before every step; for other smooth problems what smooth_choice.hpp says. For: everything. The
// mathematics, cost and references are in the headers of what it chooses.
#pragma once

#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/l_bfgs.hpp"
#include "thalweg/solver/smooth_choice.hpp"
#include "thalweg/solver/working_set.hpp"

namespace thalweg::solver {

struct Auto final {
  // The engine of another entry, set differently.
  static std::unique_ptr<QuadraticSolver> make(const objective::Glm& glm,
                                               const SolverOptions& options) {
    return WorkingSet::make(glm, options);
  }
  static void configure(SolverOptions& options) { options.inner = Inner::automatic; }
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions& options) {
    return make_smooth_choice(options.seed);
  }

  static constexpr const core::Info& quadratic = WorkingSet::info;  // else a smooth one

  static constexpr auto flags = flags_of({.handles_bounds = true});
  static constexpr std::array<const core::Info*, 2> choices{&WorkingSet::info, &LBfgs::info};
  static constexpr core::Info info{
      .name = "auto",
      .summary = "Working sets for squared losses; L-BFGS or Newton, as costs say, for others.",
      .formula = "min_w 1/(sum s) sum_i s_i loss(y_i, eta_i) + alpha P(w)",
      .reference = "see working_set, gram, l_bfgs, newton, newton_cg and trust_ncg",
      .parameters = {},
      .flags = flags,
      .requires_ = {},
      .any_of = choices};
};

}  // namespace thalweg::solver
