// The strength from which on every penalized coefficient is zero: from the gradient of the loss at
// the model that has none of them.
#include "thalweg/catalog.hpp"
#include "thalweg/core/error.hpp"
#include "thalweg/objective/certificate.hpp"
#include "thalweg/objective/smooth_glm.hpp"
#include "thalweg/solver/task_moments.hpp"

namespace thalweg {
namespace {

// The model with every penalized coefficient fixed at zero. What becomes of the penalty then is all
// the same: one without corners, which every loss has a solver for.
core::Result null_model(const solver::Request& request, const penalty::Terms& unit, Index cols,
                        Index target) {
  Vector lower(static_cast<std::size_t>(cols)), upper(static_cast<std::size_t>(cols));
  for (Index j = 0; j < cols; ++j) {
    const penalty::Term term = unit(j);
    const bool penalized = term.l1 > 0 || term.l2 > 0;
    lower[static_cast<std::size_t>(j)] = penalized ? 0.0 : term.lower;
    upper[static_cast<std::size_t>(j)] = penalized ? 0.0 : term.upper;
  }
  solver::Request derived = request;
  derived.solver = "auto";
  derived.options.parameters = default_parameters(*find_solver(derived.solver).info);
  solver::PenaltySpec spec = default_spec(find_penalty("l2"));
  spec.weights = request.penalties.front().weights;
  spec.lower = lower.data();
  spec.upper = upper.data();
  derived.penalties = {spec};
  derived.tasks = {{.target = target, .alphas = {1.0}}};
  derived.tol = 1e-14;
  derived.max_iter = 100000;
  derived.keep_trace = false;
  return find_solver(derived.solver).run(derived).front().front();
}

// Of squared loss and few columns, from second moments: without a vector over the rows. Nothing
// where it cannot be had so.
std::optional<double> alpha_max_from_moments(const solver::Request& request,
                                             const penalty::Terms& unit, Index target) {
  const design::Erased x(*request.design);
  if (!solver::is_narrow(x) || unit.has_unpenalized(x.cols())) return std::nullopt;
  solver::Task task;
  task.target = target;
  task.alphas = {1.0};
  solver::SolverOptions options;
  options.inner = solver::Inner::automatic;
  const auto moments = solver::TaskMoments::make(request, task, options, x);
  if (moments == nullptr) return std::nullopt;
  const objective::ColumnSummary columns = moments->rows().summary();
  const objective::Glm glm(x,
                           {.y = request.y + target * x.rows(),
                            .weights = request.weights,
                            .offset = request.offset,
                            .fit_intercept = request.fit_intercept,
                            .standardize = request.standardize},
                           request.execution, &columns);
  return objective::smallest_null_alpha(unit, glm.null_correlation());
}

double alpha_max_of(const solver::Request& request, const loss::LossBlock& loss,
                    const penalty::Terms& unit, Index target) {
  if (core::flag(loss.info(), "quadratic")) {
    if (const auto alpha = alpha_max_from_moments(request, unit, target)) return *alpha;
  }
  const Index rows = design::Erased(*request.design).rows();
  objective::SmoothGlm<> glm(*request.design,
                             {.y = request.y + target * rows,
                              .weights = request.weights,
                              .offset = request.offset,
                              .fit_intercept = request.fit_intercept,
                              .standardize = request.standardize},
                             loss, request.execution);
  glm.set_terms(unit);
  Vector x;
  if (unit.has_unpenalized(glm.cols())) {
    const core::Result null = null_model(request, unit, glm.cols(), target);
    x = glm.coordinates().from_raw(null.coef.data(), null.intercept.data());
  } else {
    x = glm.coordinates().from_raw(nullptr, nullptr);
  }
  Vector gradient(x.size());
  glm.evaluate(x.data(), gradient.data());
  double alpha = 0;
  for (Index k = 0; k < glm.outputs(); ++k) {
    Vector correlation(gradient.begin() + k * glm.cols(), gradient.begin() + (k + 1) * glm.cols());
    for (double& z : correlation) z = -z;
    alpha = std::max(alpha, objective::smallest_null_alpha(unit, correlation));
  }
  return alpha;
}

}  // namespace

Vector alpha_max(const solver::Request& request, Index targets) {
  const core::Info& info = find_loss(request.loss);
  if (!core::flag(info, "smooth")) {
    throw core::Unsupported(
        "the alpha from which on all coefficients are zero is known for smooth "
        "losses only; for '" +
        std::string(info.name) + "' give the alphas themselves");
  }
  const loss::LossBlock loss =
      find_loss_block(request.loss, request.loss_parameters, request.outputs);
  const solver::PenaltySpec& spec = request.penalties.front();
  const penalty::Terms unit(spec.strengths(1.0, spec.parameters), spec.weights, spec.lower,
                            spec.upper);
  Vector result;
  for (Index k = 0; k < targets; ++k) result.push_back(alpha_max_of(request, loss, unit, k));
  return result;
}

}  // namespace thalweg
