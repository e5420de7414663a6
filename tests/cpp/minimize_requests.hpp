// How tests run the smooth solvers of the catalogue on functions: by name, with their defaults.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "thalweg/catalog.hpp"
#include "thalweg/objective/callable.hpp"
#include "thalweg/solver/minimize.hpp"

namespace thalweg::test {

inline bool flagged(const std::string& solver, std::string_view flag) {
  return core::flag(*find_solver(solver).info, flag);
}

// Names of the solvers that take functions, those of which `holds(name)`.
template <class F>
std::vector<std::string> smooth_solvers(F&& holds) {
  std::vector<std::string> names;
  for (const SolverEntry& entry : solvers()) {
    const std::string name(entry.info->name);
    if (minimizes_functions(entry) && holds(name)) names.push_back(name);
  }
  return names;
}

inline solver::MinimizeRequest request_of(const std::string& solver, Vector start, double tol) {
  solver::MinimizeRequest request;
  request.start = std::move(start);
  request.solver = solver;
  request.tol = tol;
  request.options.parameters = default_parameters(*find_solver(solver).info);
  return request;
}

inline core::Result run(solver::MinimizeRequest request, const objective::UserFunction& function) {
  objective::Callable f(function);
  request.objective = &f;
  return solver::minimize(request);
}

}  // namespace thalweg::test
