#include "thalweg/solver/working_set.hpp"

#include "thalweg/solver/working_set_engine.hpp"

namespace thalweg::solver {

std::unique_ptr<QuadraticSolver> WorkingSet::make(const objective::Glm& glm,
                                                  const SolverOptions& options) {
  return std::make_unique<WorkingSetEngine>(glm, options);
}

}  // namespace thalweg::solver
