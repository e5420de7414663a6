// Runs the tasks of a request with a solver of smooth problems: one model per task, warm-started
// along its alphas. Several tasks run in parallel threads, each serial inside.
#pragma once

#include "thalweg/solver/request.hpp"
#include "thalweg/solver/smooth.hpp"

namespace thalweg::solver {

using MakeSmooth = std::unique_ptr<SmoothSolver> (*)(const SmoothOptions& options);

// Throws core::InvalidArgument where y is not what the loss needs, core::Unsupported where the
// solver cannot keep to limits.
Results run_smooth(const Request& request, const core::Info& info, MakeSmooth make);

// Throws where the request asks for a scale that its loss, or its parameter, does not have.
void require_scale(const Request& request);
// The same of a request that `require_scale` lets pass.
Results run_with_scale(const Request& request, MakeSmooth make);

}  // namespace thalweg::solver
