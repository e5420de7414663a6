// Working sets, lazily built Gram columns; active-set finish.
// For: n >> p, or small working sets. The mathematics, cost and references are in
// working_set_engine.hpp.
#pragma once

#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/working_set.hpp"

namespace thalweg::solver {

struct Gram final {
  // The engine of another entry, set differently.
  static std::unique_ptr<QuadraticSolver> make(const objective::Glm& glm,
                                               const SolverOptions& options) {
    return WorkingSet::make(glm, options);
  }
  static void configure(SolverOptions& options) { options.inner = Inner::gram; }

  static constexpr auto flags = flags_of({.handles_bounds = true});
  static constexpr std::array<std::string_view, 3> needs{
      {"column_access", "quadratic", "separable"}};
  static constexpr core::Info info{
      .name = "gram",
      .summary = "Working sets, lazily built Gram columns; active-set finish.",
      .formula = "min_w 1/(2 sum s) ||S^(1/2) (y - X w - b)||^2 + alpha P(w)",
      .reference = "Friedman, Hastie, Tibshirani 2010, section 2.2 (covariance updates)",
      .parameters = {},
      .flags = flags,
      .requires_ = needs};
};

}  // namespace thalweg::solver
