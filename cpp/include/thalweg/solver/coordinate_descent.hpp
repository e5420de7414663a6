// Cyclic (or randomly permuted) coordinate descent with residual updates.
//
//   w_j <- argmin over coordinate j:  clip(soft(z_j + h_j w_j, l1_j) / (h_j + l2_j)),  h_j =
//   ||x~_j||^2 / S
//
// One step is `sweeps_per_step` sweeps over the columns that screening has left, O(n) per column.
// Simple and predictable; slow where columns are correlated and on p >> n, where working sets win.
// Reference: Friedman, Hastie, Hoefling, Tibshirani 2007; Wu & Lange 2008.
#pragma once

#include <numeric>

#include "thalweg/core/rng.hpp"
#include "thalweg/solver/concept.hpp"
#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/quadratic_model.hpp"
#include "thalweg/solver/sweep.hpp"

namespace thalweg::solver {

template <class D, class L>
class CoordinateDescentEngine final {
 public:
  static constexpr Index sweeps_per_step = 10;
  static constexpr bool is_affine = true;  // on a support that stays

  CoordinateDescentEngine(const objective::Glm<D, L>& glm, const SolverOptions& options)
      : glm_(glm),
        random_(options.parameters[0] != 0),
        rng_(options.seed),
        block_(glm.design(), options.at_once) {}

  StepOutcome step(Vector& w, objective::Evaluation& at, const StepContext& context) {
    order_.assign(context.columns.begin(), context.columns.end());
    positions_.resize(order_.size());
    std::iota(positions_.begin(), positions_.end(), Index{0});
    w_.clear();
    terms_.clear();
    for (const Index j : order_) {
      w_.push_back(w[static_cast<std::size_t>(j)]);
      terms_.push_back(context.terms(j));
    }
    block_.load(order_, glm_.execution());
    ResidualModel<D, L> model(glm_, block_, order_, at);
    StepOutcome outcome;
    const Index sweeps = std::min(sweeps_per_step, context.epochs_left);
    while (outcome.epochs < sweeps && !glm_.execution().stop_requested()) {
      if (random_) rng_.shuffle(positions_);
      const Sweep done = sweep_coordinates(model, w_, terms_, positions_, glm_.execution());
      ++outcome.epochs;
      outcome.largest_change = std::max(outcome.largest_change, done.largest_change);
      if (done.largest_change == 0) break;
    }
    for (std::size_t k = 0; k < order_.size(); ++k) w[static_cast<std::size_t>(order_[k])] = w_[k];
    return outcome;
  }

  Index gram_bytes() const { return 0; }
  std::string_view ran() const { return "coordinate_descent"; }
  std::string reason() const {
    return random_ ? "coordinate descent in random order" : "cyclic coordinate descent";
  }

 private:
  const objective::Glm<D, L>& glm_;
  bool random_;
  core::Rng rng_;
  ColumnBlock<D> block_;
  std::vector<Index> order_, positions_;
  Vector w_;
  std::vector<penalty::Term> terms_;
};

struct CoordinateDescent final {
  template <class D, class L>
  using Engine = CoordinateDescentEngine<D, L>;

  // A choice: the default is a position in the interval's list.
  static constexpr std::array<core::Parameter, 1> parameters{
      {{"selection", 0, "{cyclic, random}", "Order in which coordinates are visited."}}};
  static constexpr auto flags = flags_of({.handles_bounds = true});
  static constexpr std::array<std::string_view, 3> needs{
      {"column_access", "quadratic", "separable"}};
  static constexpr core::Info info{
      .name = "coordinate_descent",
      .summary = "Cyclic or randomly permuted coordinate descent with residual updates.",
      .formula = "w_j <- prox(w_j - grad_j / h_j), h_j = ||x_j||^2 / sum s",
      .reference = "Friedman, Hastie, Hoefling, Tibshirani 2007; Wu & Lange 2008",
      .parameters = parameters,
      .flags = flags,
      .requires_ = needs};
};

}  // namespace thalweg::solver
