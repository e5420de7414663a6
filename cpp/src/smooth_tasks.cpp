#include "thalweg/solver/smooth_tasks.hpp"

#include "thalweg/catalog.hpp"
#include "thalweg/solver/smooth_path.hpp"

namespace thalweg::solver {
namespace {

void check_targets(const Request& request, const loss::LossBlock& loss, Index rows) {
  for (const Task& task : request.tasks) {
    const double* const y = request.y + task.target * rows;
    for (Index i = 0; i < rows; ++i) {
      if (loss.validate(y[i])) continue;
      throw core::InvalidArgument("loss '" + request.loss + "' needs " +
                                  std::string(loss.domain()) + "; got " + std::to_string(y[i]) +
                                  " in row " + std::to_string(i));
    }
  }
}

void check_limits(const Request& request, const core::Info& info) {
  if (core::flag(info, "handles_bounds")) return;
  for (const PenaltySpec& penalty : request.penalties) {
    if (penalty.lower == nullptr && penalty.upper == nullptr) continue;
    throw core::Unsupported("solver '" + std::string(info.name) +
                            "' does not keep coefficients to limits (positive, lower, upper)");
  }
}

}  // namespace

Results run_smooth(const Request& request, const core::Info& info, MakeSmooth make) {
  const loss::LossBlock loss =
      find_loss_block(request.loss, request.loss_parameters, request.outputs);
  check_limits(request, info);
  check_targets(request, loss, design::Erased(*request.design).rows());
  require_scale(request);
  return request.estimate_scale ? run_with_scale(request, make)
                                : run_tasks_with<objective::WeightedLoss>(loss, request, make);
}

}  // namespace thalweg::solver
