// Runs the tasks of a request with a solver of smooth problems.
#pragma once

#include "thalweg/solver/request.hpp"
#include "thalweg/solver/smooth.hpp"

namespace thalweg::solver {

using MakeSmooth = std::unique_ptr<SmoothSolver> (*)(const SmoothOptions& options);

Results run_smooth(const Request& request, MakeSmooth make);

}  // namespace thalweg::solver
