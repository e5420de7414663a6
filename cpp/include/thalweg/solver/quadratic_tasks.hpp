// Runs the tasks of a request by a solver of quadratic problems. Compiled once: what is particular
// to a view is behind design::Erased and ColumnBlock.
#pragma once

#include "thalweg/solver/request.hpp"

namespace thalweg::solver {

using MakeQuadratic = std::unique_ptr<QuadraticSolver> (*)(const objective::Glm&,
                                                           const SolverOptions&);

// `options`: those of the request, as the entry configures them.
Results run_quadratic(const Request& request, const SolverOptions& options, MakeQuadratic make);

// By the entry S, of a request that is compatible with it.
template <QuadraticEntry S>
Results run_quadratic(const Request& request) {
  SolverOptions options = request.options;
  if constexpr (requires { S::configure(options); }) S::configure(options);
  return run_quadratic(request, options, &S::make);
}

}  // namespace thalweg::solver
