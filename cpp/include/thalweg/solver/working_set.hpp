// Working sets, residual updates; active-set or Anderson finish.
// For: p >> n, sparse solutions, sparse data. The mathematics, cost and references are in
// working_set_engine.hpp.
#pragma once

#include "thalweg/solver/concept.hpp"
#include "thalweg/solver/flags.hpp"

namespace thalweg::solver {

struct WorkingSet final {
  static std::unique_ptr<QuadraticSolver> make(const objective::Glm& glm,
                                               const SolverOptions& options);

  static constexpr auto flags = flags_of({.handles_bounds = true});
  static constexpr std::array<std::string_view, 3> needs{
      {"column_access", "quadratic", "separable"}};
  static constexpr core::Info info{
      .name = "working_set",
      .summary = "Working sets, residual updates; active-set or Anderson finish.",
      .formula = "min_w 1/(2 sum s) ||S^(1/2) (y - X w - b)||^2 + alpha P(w)",
      .reference = "Massias, Gramfort, Salmon 2018; Bertrand & Massias 2021",
      .parameters = {},
      .flags = flags,
      .requires_ = needs};
};

}  // namespace thalweg::solver
