// Minimises a user's function with a catalogued solver of smooth problems, under the one driver.
#pragma once

#include <functional>
#include <string>

#include "thalweg/core/result.hpp"
#include "thalweg/solver/smooth.hpp"

namespace thalweg::solver {

struct MinimizeRequest {
  objective::Smooth* objective = nullptr;
  Vector start;
  Bounds bounds;
  std::string solver;
  SmoothOptions options;
  double tol = 1e-5;  // of the largest entry of the projected gradient
  Index max_iter = 15000;
  core::Execution execution;
  bool keep_trace = true;
  // Called at step boundaries with the point; true stops the solve.
  std::function<bool(const core::IterationInfo&, const SmoothPoint&)> observer;
};

// Result::coef is the point, `gradient` that of the objective there.
struct MinimizeResult : core::Result {
  Vector gradient;
  std::optional<InverseHessian> inverse_hessian;
};

// The start is clipped to the bounds.
MinimizeResult minimize(const MinimizeRequest& request);

}  // namespace thalweg::solver
