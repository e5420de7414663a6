// A solver is a step. It never loops to convergence, prints or reads a clock: the driver does.
//
// `step` is called with an evaluation of the current w; it moves w (solver coordinates) and says
// what it did. The driver evaluates, certifies, screens and stops. An engine that offers its Gram
// matrix (GramEngine) can work without the residual and is then evaluated from second moments.
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <string>

#include "thalweg/core/info.hpp"
#include "thalweg/core/result.hpp"
#include "thalweg/objective/glm.hpp"
#include "thalweg/solver/gram_cache.hpp"

namespace thalweg::solver {

// How the working-set engine updates what it knows of the residual.
enum class Inner { residual, gram, automatic };

struct SolverOptions {
  Vector parameters;  // in the order of the entry's Info
  std::uint64_t seed = 0;
  Inner inner = Inner::residual;
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
  // Of Newton's method: the matrix was not positive definite.
  bool is_modified = false;
  Index products = 0;  // with the Hessian, of newton_cg
};

// A solver of squared loss and separable penalties on one model, which outlives it. A call does the
// work of passes over columns.
//
// A class in the catalogue offers
//   static std::unique_ptr<QuadraticSolver> make(const objective::Glm&, const SolverOptions&);
// and, if it is another entry's with other settings, static void configure(SolverOptions&).
class QuadraticSolver {
 public:
  virtual ~QuadraticSolver() = default;
  virtual StepOutcome step(Vector& w, objective::Evaluation& at, const StepContext& context) = 0;
  virtual std::string reason() const = 0;
  // The catalogue name of what ran last: for `auto`, what it chose.
  virtual std::string_view ran() const = 0;
  // Of Gram matrices and factors that it holds.
  virtual Index gram_bytes() const = 0;
  // The Gram matrix that its steps use, for evaluations from second moments, which fill it first.
  // Null where none is used.
  virtual GramCache* gram_cache() = 0;
  // Whether steps are one affine map once the support stays, so that extrapolated residuals are
  // worth trying as dual points (dual_extrapolation.hpp).
  virtual bool is_affine() const = 0;
};

template <class S>
concept QuadraticEntry = requires(const objective::Glm& glm, const SolverOptions& options) {
  { S::make(glm, options) } -> std::same_as<std::unique_ptr<QuadraticSolver>>;
  { S::info } -> std::convertible_to<const core::Info&>;
};

}  // namespace thalweg::solver
