// A whole job as the bindings hand it over: one design, several targets, folds and penalties, and
// tasks (warm-started paths) that combine them. A single fit is one task with one alpha; a
// cross-validation is one task per fold and l1_ratio; several targets are one task each.
#pragma once

#include <functional>
#include <string>

#include "thalweg/core/result.hpp"
#include "thalweg/core/stop.hpp"
#include "thalweg/design/any_design.hpp"
#include "thalweg/penalty/separable.hpp"
#include "thalweg/solver/concept.hpp"
#include "thalweg/solver/folds.hpp"

namespace thalweg::solver {

struct PenaltySpec {
  std::string name;
  Vector parameters;  // in the order of the entry's Info
  penalty::Strengths (*strengths)(double alpha, std::span<const double> parameters) = nullptr;
  const double* weights = nullptr;  // per feature, or null
  const double* lower = nullptr;
  const double* upper = nullptr;
};

struct Task {
  Index target = 0;  // column of y
  Index fold = -1;   // whose rows it is fitted to and judged by, -1 for all rows
  Index penalty = 0;
  Vector alphas;
  const double* coef = nullptr;  // warm start, raw coordinates, one output after the other
  const double* intercept =
      nullptr;  // likewise; follows from the coefficients where the loss is quadratic
  const double* theta = nullptr;  // a dual point to try at the start, by row
};

struct Request {
  const design::AnyDesign* design = nullptr;
  const double* y = nullptr;        // n x targets, column major
  const double* weights = nullptr;  // of the rows, or null
  Folds folds;
  const double* offset = nullptr;
  bool fit_intercept = true;
  bool standardize = false;
  std::string loss;
  Vector loss_parameters;  // in the order of the entry's Info
  Index outputs = 1;       // predictions per sample: the classes of a loss of several outputs
  // Whether the loss is of residuals in units of a scale that is estimated too (huber_scale.hpp).
  bool estimate_scale = false;
  std::string solver;
  std::vector<PenaltySpec> penalties;
  std::vector<Task> tasks;
  SolverOptions options;
  double tol = 1e-6;
  // What the largest entry of the gradient must not exceed either; smooth problems only.
  double gradient_tol = infinity;
  Index max_iter = 1000;
  core::Execution execution;
  bool keep_coef = true;
  bool keep_theta = false;
  bool keep_trace = true;
  // Called at step boundaries, from any thread; true stops the whole job.
  std::function<bool(const core::IterationInfo&)> observer;
};

inline FoldWeights fold_weights(const Request& request, Index fold, FoldWeights::Side side) {
  return {request.weights, request.folds, fold, side};
}

// results[task][alpha]; a stop leaves tails out, but never a task's first result.
using Results = std::vector<std::vector<core::Result>>;

}  // namespace thalweg::solver
