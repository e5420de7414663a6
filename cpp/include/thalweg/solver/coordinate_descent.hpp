// Cyclic (or randomly permuted) coordinate descent with residual updates.
//
//   w_j <- argmin over coordinate j:  clip(soft(z_j + h_j w_j, l1_j) / (h_j + l2_j)),  h_j =
//   ||x~_j||^2 / S
//
// One step is `sweeps_per_step` sweeps over the columns that screening has left, O(n) per column.
// Simple and predictable; slow where columns are correlated and on p >> n, where working sets win.
// Reference: Friedman, Hastie, Hoefling, Tibshirani 2007; Wu & Lange 2008.
#pragma once

#include "thalweg/solver/concept.hpp"
#include "thalweg/solver/flags.hpp"

namespace thalweg::solver {

struct CoordinateDescent final {
  static std::unique_ptr<QuadraticSolver> make(const objective::Glm& glm,
                                               const SolverOptions& options);

  // A choice: the default is a position in the interval's list.
  static constexpr std::array<core::Parameter, 1> parameters{
      {{"selection", 0, "{cyclic, random}", "Order in which coordinates are visited."}}};
  static constexpr auto flags = flags_of({.handles_bounds = true});
  static constexpr std::array<std::string_view, 3> needs{
      {"column_access", "quadratic", "separable"}};
  static constexpr core::Info info{
      .name = "coordinate_descent",
      .summary = "Cyclic or randomly permuted coordinate descent with residual updates.",
      .formula = "w_j <- prox(w_j - grad_j / h_j), h_j = ||x_j||^2 / sum s",
      .reference = "Friedman, Hastie, Hoefling, Tibshirani 2007; Wu & Lange 2008",
      .parameters = parameters,
      .flags = flags,
      .requires_ = needs};
};

}  // namespace thalweg::solver
