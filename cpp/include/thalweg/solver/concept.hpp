// A solver is a step. It never loops to convergence, prints or reads a clock: the driver does.
//
// `step` is called with an evaluation of the current w; it moves w (solver coordinates) and says
// what it did. The driver evaluates, certifies, screens and stops. An engine that offers its Gram
// matrix (GramEngine) can work without the residual and is then evaluated from second moments.
#pragma once

#include <concepts>
#include <optional>
#include <string>

#include "thalweg/core/info.hpp"
#include "thalweg/objective/certificate.hpp"
#include "thalweg/solver/gram_cache.hpp"

namespace thalweg::solver {

// How the working-set engine updates what it knows of the residual.
enum class Inner { residual, gram, automatic };

struct SolverOptions {
  Vector parameters;  // in the order of the entry's Info
  std::uint64_t seed = 0;
  Inner inner = Inner::residual;
  bool all_at_once = false;       // no working sets: most columns will be in the solution
  double gram_bytes_limit = 1e8;  // memory that a Gram block may take
  Index at_once = 1;              // tasks that share the memory for copies of columns
};

// What a step may know besides w and its evaluation.
struct StepContext {
  const penalty::Terms& terms;
  std::span<const Index> columns;  // the columns that screening has left
  double gap = infinity;           // certified at w
  double target = 0;               // the gap to reach
  Index epochs_left = 0;
  // How far alpha fell since w was optimal, as a multiple of the current alpha: a column whose
  // correlation is within that of its threshold may enter (the sequential strong rule, Tibshirani
  // et al. 2012). Zero after the first step.
  double alpha_drop = 0;
};

struct StepOutcome {
  Index epochs = 0;
  double largest_change = 0;
  // Why no later step will do better, where that is so.
  std::optional<core::Status> failure = std::nullopt;
};

// A design and loss that a solver of squared-loss, separable-penalty problems can take. A member
// `static constexpr bool is_affine = true` says that steps are one affine map once the support
// stays, so that extrapolated residuals are worth trying as dual points (dual_extrapolation.hpp).
template <class S, class D, class L>
concept SolverFor = requires(S& solver, Vector& w, objective::Evaluation& at,
                             const StepContext& context) {
  { solver.step(w, at, context) } -> std::same_as<StepOutcome>;
  { solver.reason() } -> std::convertible_to<std::string>;
  // The catalogue name of what ran last: for `auto`, what it chose.
  { solver.ran() } -> std::convertible_to<std::string_view>;
  { solver.gram_bytes() } -> std::same_as<Index>;
};

template <class S>
concept GramEngine = requires(S& solver) {
  { solver.gram_cache() } -> std::same_as<GramCache&>;
};

}  // namespace thalweg::solver
