#include "thalweg/catalog.hpp"

#include <algorithm>
#include <array>

#include "thalweg/catalog/design.hpp"
#include "thalweg/catalog/line_search.hpp"
#include "thalweg/catalog/loss.hpp"
#include "thalweg/catalog/penalty.hpp"
#include "thalweg/catalog/solver.hpp"
#include "thalweg/core/error.hpp"
#include "thalweg/solver/unit.hpp"

namespace thalweg {

// Defined by the generated units.
namespace solver {
#define THALWEG_SOLVER(name_, class_) Results run_##name_(const Request& request);
#include "thalweg/catalog/solver.def"
#undef THALWEG_SOLVER
}  // namespace solver

namespace {

#define THALWEG_DESIGN(name_, class_) &design::class_::info,
constexpr auto design_entries = std::to_array<const core::Info*>({
#include "thalweg/catalog/design.def"
});
#undef THALWEG_DESIGN

#define THALWEG_LOSS(name_, class_) &loss::class_::info,
constexpr auto loss_entries = std::to_array<const core::Info*>({
#include "thalweg/catalog/loss.def"
});
#undef THALWEG_LOSS

#define THALWEG_PENALTY(name_, class_) \
  PenaltyEntry{&penalty::class_::info, &penalty::class_::strengths},
constexpr auto penalty_entries = std::to_array<PenaltyEntry>({
#include "thalweg/catalog/penalty.def"
});
#undef THALWEG_PENALTY

#define THALWEG_LINE_SEARCH(name_, class_) \
  LineSearchEntry{&line_search::class_::info, &line_search::class_::search},
constexpr auto line_search_entries = std::to_array<LineSearchEntry>({
#include "thalweg/catalog/line_search.def"
});
#undef THALWEG_LINE_SEARCH

template <class S>
constexpr SolverEntry solver_entry(solver::Results (*run)(const solver::Request&)) {
  if constexpr (solver::SmoothEntry<S>) return {&S::info, run, &S::make};
  else return {&S::info, run, nullptr};
}

#define THALWEG_SOLVER(name_, class_) solver_entry<solver::class_>(&solver::run_##name_),
constexpr auto solver_entries = std::to_array<SolverEntry>({
#include "thalweg/catalog/solver.def"
});
#undef THALWEG_SOLVER

const core::Info& info(const core::Info* entry) { return *entry; }
const core::Info& info(const PenaltyEntry& entry) { return *entry.info; }
const core::Info& info(const LineSearchEntry& entry) { return *entry.info; }
const core::Info& info(const SolverEntry& entry) { return *entry.info; }

template <class Entries>
const auto& find(const Entries& entries, std::string_view name, std::string_view kind) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const auto& entry) { return info(entry).name == name; });
  if (found != entries.end()) return *found;
  std::string known;
  for (const auto& entry : entries) {
    known += (known.empty() ? "'" : ", '") + std::string(info(entry).name) + "'";
  }
  throw core::InvalidArgument(std::string(kind) + " must be one of " + known + "; got '" +
                              std::string(name) + "'");
}

// The raw coefficients that solve the problem with every penalized one fixed at zero.
Vector null_coef(const solver::Request& request, const penalty::Terms& unit, Index cols,
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
  derived.penalties = {request.penalties.front()};
  derived.penalties.front().lower = lower.data();
  derived.penalties.front().upper = upper.data();
  derived.tasks = {
      {.target = target, .weighting = request.weights != nullptr ? 0 : -1, .alphas = {1.0}}};
  derived.tol = 1e-14;
  derived.max_iter = 100000;
  derived.keep_trace = false;
  return find_solver(derived.solver).run(derived).front().front().coef;
}

template <class D, class L>
double alpha_max_of(const solver::Request& request, const D& x, const penalty::Terms& unit,
                    Index target) {
  const objective::Glm<D, L> glm(x,
                                 {.y = request.y + target * x.rows(),
                                  .weights = request.weights,
                                  .offset = request.offset,
                                  .fit_intercept = request.fit_intercept,
                                  .standardize = request.standardize},
                                 request.execution);
  if (!unit.has_unpenalized(x.cols())) {
    return objective::smallest_null_alpha(unit, glm.null_correlation());
  }
  Vector w = null_coef(request, unit, x.cols(), target);
  for (const Index j : glm.all_columns()) w[static_cast<std::size_t>(j)] /= glm.inverse_scale(j);
  objective::Evaluation at;
  glm.evaluate(w, unit, glm.all_columns(), at);
  return objective::smallest_null_alpha(unit, at.correlation);
}

}  // namespace

solver::PenaltySpec default_spec(const PenaltyEntry& entry) {
  solver::PenaltySpec spec;
  spec.name = entry.info->name;
  spec.strengths = entry.strengths;
  for (const core::Parameter& parameter : entry.info->parameters) {
    spec.parameters.push_back(parameter.default_value);
  }
  return spec;
}

std::span<const core::Info* const> designs() { return design_entries; }
std::span<const core::Info* const> losses() { return loss_entries; }
std::span<const PenaltyEntry> penalties() { return penalty_entries; }
std::span<const LineSearchEntry> line_searches() { return line_search_entries; }
std::span<const SolverEntry> solvers() { return solver_entries; }

const core::Info& find_loss(std::string_view name) { return *find(loss_entries, name, "loss"); }
const PenaltyEntry& find_penalty(std::string_view name) {
  return find(penalty_entries, name, "penalty");
}
const LineSearchEntry& find_line_search(std::string_view name) {
  return find(line_search_entries, name, "line search");
}
const SolverEntry& find_solver(std::string_view name) {
  return find(solver_entries, name, "solver");
}

std::string incompatibility(const core::Info& solver, const core::Info& design,
                            const core::Info& loss, const core::Info& penalty) {
  if (core::flag(solver, "needs_residuals")) {
    return "solver '" + std::string(solver.name) +
           "' needs the residuals of a nonlinear least-squares function, not a linear model";
  }
  for (const std::string_view requirement : solver.requires_) {
    for (const core::Info* part : {&design, &loss, &penalty}) {
      const auto declared =
          std::find_if(part->flags.begin(), part->flags.end(),
                       [&](const core::Flag& f) { return f.name == requirement; });
      if (declared != part->flags.end() && !declared->value) {
        return "solver '" + std::string(solver.name) + "' needs '" + std::string(requirement) +
               "', which '" + std::string(part->name) + "' does not have";
      }
    }
  }
  return {};
}

const core::Info& info_of(const design::AnyDesign& design) {
  return std::visit([]<class D>(const D&) -> const core::Info& { return D::Entry::info; }, design);
}

Vector alpha_max(const solver::Request& request, Index targets) {
  const solver::PenaltySpec& spec = request.penalties.front();
  const penalty::Terms unit(spec.strengths(1.0, spec.parameters), spec.weights, spec.lower,
                            spec.upper);
  Vector result(static_cast<std::size_t>(targets));
  std::visit(
      [&]<class D>(const D& x) {
        if constexpr (!design::ColumnAccess<D>) {
          throw core::Unsupported("alpha_max needs a design with column access, which '" +
                                  std::string(D::Entry::info.name) + "' does not have");
        } else {
          solver::with_loss(request.loss, [&]<class L>() {
            if constexpr (solver::is_quadratic<L>) {
              for (Index k = 0; k < targets; ++k) {
                result[static_cast<std::size_t>(k)] = alpha_max_of<D, L>(request, x, unit, k);
              }
            } else {
              throw core::Unsupported("alpha_max needs a quadratic loss, which '" +
                                      std::string(L::info.name) + "' is not");
            }
          });
        }
      },
      *request.design);
  return result;
}

}  // namespace thalweg
