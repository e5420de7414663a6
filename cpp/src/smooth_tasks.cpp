#include "thalweg/solver/smooth_tasks.hpp"

#include "thalweg/core/error.hpp"

namespace thalweg::solver {

Results run_smooth(const Request&, MakeSmooth) {
  throw core::Unsupported("WIP");
}

}  // namespace thalweg::solver
