// The catalogue at run time: names to entries, and which solvers serve a combination.
#pragma once

#include <string>
#include <vector>

#include "thalweg/core/info.hpp"
#include "thalweg/line_search/concept.hpp"
#include "thalweg/loss/blocks.hpp"
#include "thalweg/solver/request.hpp"
#include "thalweg/solver/smooth.hpp"

namespace thalweg {

struct PenaltyEntry {
  const core::Info* info;
  penalty::Strengths (*strengths)(double alpha, std::span<const double> parameters);
};

struct LineSearchEntry {
  const core::Info* info;
  line_search::Search search;
};

struct SolverEntry {
  const core::Info* info;
  // Throws core::Unsupported where the request's design or loss lacks what the solver needs.
  solver::Results (*run)(const solver::Request& request);
  // For solvers of smooth problems; null for others.
  std::unique_ptr<solver::SmoothSolver> (*make)(const solver::SmoothOptions& options);
};

// Whether a solver serves a user's function, too: solvers of smooth problems do, but for those that
// need what only a model of the data has.
bool minimizes_functions(const SolverEntry& solver);

// The defaults of an entry's parameters, in the order of its Info.
Vector default_parameters(const core::Info& entry);

// The penalty with its parameters' defaults, without weights or limits.
solver::PenaltySpec default_spec(const PenaltyEntry& entry);

std::span<const core::Info* const> designs();
std::span<const core::Info* const> losses();
std::span<const PenaltyEntry> penalties();
std::span<const LineSearchEntry> line_searches();
std::span<const SolverEntry> solvers();

// Throw core::InvalidArgument that lists the known names.
const core::Info& find_loss(std::string_view name);
const PenaltyEntry& find_penalty(std::string_view name);
const LineSearchEntry& find_line_search(std::string_view name);
const SolverEntry& find_solver(std::string_view name);

// The loss with these parameters (in the order of its info; empty: the defaults) over blocks of
// samples. `outputs` is the number of predictions per sample, more than one for losses flagged
// multi_output. Throws core::InvalidArgument for an unknown name or another number of either.
loss::LossBlock find_loss_block(std::string_view name, std::span<const double> parameters = {},
                                Index outputs = 1, const kernels::Table& isa = kernels::table());

// Empty where the solver serves the combination, else the requirement that is not met.
std::string incompatibility(const core::Info& solver, const core::Info& design,
                            const core::Info& loss, const core::Info& penalty);
// The same of a request, by its first penalty that is not served.
std::string incompatibility(const core::Info& solver, const solver::Request& request);
// Throws core::Unsupported with it.
void require_compatible(const core::Info& solver, const solver::Request& request);

// The smallest alpha at which every penalized coefficient is zero, for each of `targets` columns of
// request.y (first penalty). Infinity where there is none. Throws
// core::Unsupported for a loss that is not smooth.
Vector alpha_max(const solver::Request& request, Index targets);

}  // namespace thalweg
