#include "thalweg/solver/minimize.hpp"

#include "thalweg/catalog.hpp"
#include "thalweg/core/error.hpp"
#include "thalweg/solver/smooth_process.hpp"

namespace thalweg::solver {
namespace {

[[noreturn]] void refuse(const MinimizeRequest& request, const std::string& reason) {
  throw core::Unsupported("solver '" + request.solver + "' " + reason);
}

std::unique_ptr<SmoothSolver> make_solver(const MinimizeRequest& request) {
  const SolverEntry& entry = find_solver(request.solver);
  if (entry.make == nullptr) refuse(request, "solves linear models only, not a function");
  if (request.bounds.any() && !core::flag(*entry.info, "handles_bounds")) {
    refuse(request, "does not handle bounds");
  }
  const objective::Refinements have = request.objective->refinements();
  if (core::flag(*entry.info, "needs_hessian") && have.matrix == nullptr) {
    refuse(request, "needs the Hessian matrix, which the function does not have");
  }
  if (core::flag(*entry.info, "needs_residuals") && have.residuals == nullptr) {
    refuse(request, "needs residuals and their Jacobian, which the function does not have");
  }
  if (core::flag(*entry.info, "needs_information") && have.information == nullptr) {
    refuse(request, "needs the Fisher information of a likelihood, which the function is not");
  }
  if (core::flag(*entry.info, "needs_rows") && have.dual == nullptr) {
    refuse(request, "needs the rows of a model, which the function does not have");
  }
  return entry.make(request.options);
}

}  // namespace

MinimizeResult minimize(const MinimizeRequest& request) {
  const std::unique_ptr<SmoothSolver> solver = make_solver(request);
  objective::Smooth& f = *request.objective;
  SmoothPoint at{.x = request.start, .gradient = Vector(request.start.size())};
  for (std::size_t j = 0; j < at.x.size(); ++j)
    at.x[j] = request.bounds.clip(static_cast<Index>(j), at.x[j]);
  const auto start = core::StopToken::Clock::now();
  at.value = f.evaluate(at.x.data(), at.gradient.data());
  GradientCertifier certifier(request.bounds, at);
  SmoothProcess process(f, *solver, at, request.bounds, certifier, request.execution);
  const std::function<bool(const core::IterationInfo&)> observer =
      [&](const core::IterationInfo& info) {
        return request.observer && request.observer(info, at);
      };
  MinimizeResult result;
  drive(process,
        {.tol = request.tol,
         .max_iter = request.max_iter,
         .start = start,
         .stop = request.execution.stop,
         .keep_trace = request.keep_trace,
         .observer = &observer},
        {}, result);
  result.coef = std::move(at.x);
  result.gradient = std::move(at.gradient);
  result.solver = solver->ran();
  result.reason = solver->reason();
  result.gram_bytes = solver->matrix_bytes();
  result.inverse_hessian = solver->take_inverse_hessian();
  result.time = std::chrono::duration<double>(core::StopToken::Clock::now() - start).count();
  return result;
}

}  // namespace thalweg::solver
