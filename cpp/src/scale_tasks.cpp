// Smooth models whose scale is estimated: a unit of their own, for the time that it takes to
// compile.
#include "thalweg/catalog.hpp"
#include "thalweg/objective/huber_scale.hpp"
#include "thalweg/solver/smooth_path.hpp"

namespace thalweg::solver {
namespace {

loss::Huber huber_of(const Request& request) {
  return loss::with_parameters<loss::Huber>(request.loss_parameters.empty()
                                                ? default_parameters(loss::Huber::info)
                                                : request.loss_parameters);
}

}  // namespace

void require_scale(const Request& request) {
  if (!request.estimate_scale) return;
  const std::string name(loss::Huber::info.name);
  if (request.loss != name) {
    throw core::Unsupported("a scale is estimated with the loss '" + name + "' only; got '" +
                            request.loss + "'");
  }
  const double delta = huber_of(request).delta;
  if (!(delta >= 1)) {
    throw core::InvalidArgument("delta must be in [1, inf) where the scale is estimated; got " +
                                std::to_string(delta));
  }
}

Results run_with_scale(const Request& request, MakeSmooth make) {
  return run_tasks_with<objective::HuberScale>(huber_of(request), request, make);
}

}  // namespace thalweg::solver
