#include "thalweg/catalog.hpp"

#include <algorithm>
#include <array>

#include "thalweg/catalog/design.hpp"
#include "thalweg/catalog/line_search.hpp"
#include "thalweg/catalog/loss.hpp"
#include "thalweg/catalog/penalty.hpp"
#include "thalweg/catalog/quadratic_solver.hpp"
#include "thalweg/catalog/smooth_solver.hpp"
#include "thalweg/core/error.hpp"
#include "thalweg/design/erased.hpp"
#include "thalweg/solver/quadratic_tasks.hpp"
#include "thalweg/solver/smooth_tasks.hpp"

namespace thalweg {

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

// A solver of quadratic problems that may choose one of smooth problems (auto) serves both kinds.
template <solver::QuadraticEntry S>
solver::Results run_quadratic_entry(const solver::Request& request) {
  require_compatible(S::info, request);
  if constexpr (solver::SmoothEntry<S>) {
    if (!incompatibility(S::quadratic, request).empty())
      return solver::run_smooth(request, S::info, &S::make);
  }
  return solver::run_quadratic<S>(request);
}
template <solver::QuadraticEntry S>
constexpr SolverEntry quadratic_entry() {
  if constexpr (solver::SmoothEntry<S>) return {&S::info, &run_quadratic_entry<S>, &S::make};
  else return {&S::info, &run_quadratic_entry<S>, nullptr};
}
template <class S>
solver::Results run_smooth_entry(const solver::Request& request) {
  require_compatible(S::info, request);
  return solver::run_smooth(request, S::info, &S::make);
}
template <solver::SmoothEntry S>
constexpr SolverEntry smooth_entry() {
  return {&S::info, &run_smooth_entry<S>, &S::make};
}

#define THALWEG_QUADRATIC_SOLVER(name_, class_) quadratic_entry<solver::class_>(),
#define THALWEG_SMOOTH_SOLVER(name_, class_) smooth_entry<solver::class_>(),
constexpr auto solver_entries = std::to_array<SolverEntry>({
#include "thalweg/catalog/quadratic_solver.def"
#include "thalweg/catalog/smooth_solver.def"
});
#undef THALWEG_QUADRATIC_SOLVER
#undef THALWEG_SMOOTH_SOLVER

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

template <class L>
loss::LossBlock loss_block(std::span<const double> parameters, Index outputs,
                           const loss::BlockKernels& kernels) {
  const auto& names = L::info.parameters;
  if (!parameters.empty() && parameters.size() != names.size()) {
    throw core::InvalidArgument("loss '" + std::string(L::info.name) + "' takes " +
                                std::to_string(names.size()) + " parameters; got " +
                                std::to_string(parameters.size()));
  }
  if constexpr (loss::Loss<L>) {
    if (outputs != 1) {
      throw core::InvalidArgument("loss '" + std::string(L::info.name) +
                                  "' takes one prediction per sample; got " +
                                  std::to_string(outputs));
    }
    const Vector defaults = default_parameters(L::info);
    return {loss::with_parameters<L>(parameters.empty() ? defaults : parameters), kernels};
  } else {
    if (outputs < 2) {
      throw core::InvalidArgument("loss '" + std::string(L::info.name) +
                                  "' needs two classes or more; got " + std::to_string(outputs));
    }
    return {L{outputs}, kernels};
  }
}

#define THALWEG_LOSS(name_, class_) &loss_block<loss::class_>,
constexpr auto loss_blocks =
    std::to_array<loss::LossBlock (*)(std::span<const double>, Index, const loss::BlockKernels&)>({
#include "thalweg/catalog/loss.def"
    });
#undef THALWEG_LOSS

}  // namespace

bool minimizes_functions(const SolverEntry& solver) {
  return solver.make != nullptr && !core::flag(*solver.info, "needs_information") &&
         !core::flag(*solver.info, "needs_rows");
}

Vector default_parameters(const core::Info& entry) {
  Vector values;
  for (const core::Parameter& parameter : entry.parameters)
    values.push_back(parameter.default_value);
  return values;
}

solver::PenaltySpec default_spec(const PenaltyEntry& entry) {
  solver::PenaltySpec spec;
  spec.name = entry.info->name;
  spec.strengths = entry.strengths;
  spec.parameters = default_parameters(*entry.info);
  return spec;
}

std::span<const core::Info* const> designs() { return design_entries; }
std::span<const core::Info* const> losses() { return loss_entries; }
std::span<const PenaltyEntry> penalties() { return penalty_entries; }
std::span<const LineSearchEntry> line_searches() { return line_search_entries; }
std::span<const SolverEntry> solvers() { return solver_entries; }

const core::Info& find_loss(std::string_view name) { return *find(loss_entries, name, "loss"); }
loss::LossBlock find_loss_block(std::string_view name, std::span<const double> parameters,
                                Index outputs, const kernels::Table& isa) {
  const auto found = std::find(loss_entries.begin(), loss_entries.end(), &find_loss(name));
  const auto k = static_cast<std::size_t>(found - loss_entries.begin());
  return loss_blocks[k](parameters, outputs, loss::block_kernels(isa)[k]);
}
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
  std::string reason;
  for (const core::Info* choice : solver.any_of) {
    const std::string why = incompatibility(*choice, design, loss, penalty);
    if (why.empty()) return {};
    reason += (reason.empty() ? "" : "; ") + why;
  }
  if (!reason.empty()) return reason;
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

std::string incompatibility(const core::Info& solver, const solver::Request& request) {
  for (const solver::PenaltySpec& penalty : request.penalties) {
    std::string reason = incompatibility(solver, design::Erased(*request.design).info(),
                                         find_loss(request.loss), *find_penalty(penalty.name).info);
    if (!reason.empty()) return reason;
  }
  return {};
}

void require_compatible(const core::Info& solver, const solver::Request& request) {
  const std::string reason = incompatibility(solver, request);
  if (reason.empty()) return;
  std::string others;
  for (const SolverEntry& other : solvers()) {
    if (!incompatibility(*other.info, request).empty()) continue;
    others += (others.empty() ? "'" : ", '") + std::string(other.info->name) + "'";
  }
  throw core::Unsupported(reason + (others.empty() ? "" : "; solvers that serve this: " + others));
}

}  // namespace thalweg
