// Cyclic (or randomly permuted) coordinate descent with residual updates.
//
//   w_j <- argmin over coordinate j:  clip(soft(z_j + h_j w_j, l1_j) / (h_j + l2_j)),  h_j = ||x~_j||^2 / S
//
// One step is `sweeps_per_step` sweeps over the columns that screening has left, O(n) per column.
// Simple and predictable; slow where columns are correlated and on p >> n, where working sets win.
// Reference: Friedman, Hastie, Hoefling, Tibshirani 2007; Wu & Lange 2008.
#pragma once

#include "thalweg/core/rng.hpp"
#include "thalweg/solver/concept.hpp"
#include "thalweg/solver/quadratic_model.hpp"

namespace thalweg::solver {

template <class D, class L>
class CoordinateDescentEngine final {
 public:
  static constexpr Index sweeps_per_step = 10;

  CoordinateDescentEngine(const objective::Glm<D, L>& glm, const SolverOptions& options)
      : glm_(glm), random_(options.random_selection), rng_(options.seed), block_(glm.design()) {}

  StepOutcome step(Vector& w, objective::Evaluation& at, const StepContext& context) {
    order_.assign(context.columns.begin(), context.columns.end());
    block_.load(order_, glm_.execution());
    ResidualModel<D, L> model(glm_, block_, order_, at);
    StepOutcome outcome;
    positions_.resize(order_.size());
    for (std::size_t k = 0; k < positions_.size(); ++k) positions_[k] = static_cast<Index>(k);
    const Index sweeps = std::min(sweeps_per_step, context.epochs_left);
    while (outcome.epochs < sweeps && !glm_.execution().stop_requested()) {
      if (random_) rng_.shuffle(positions_);
      double largest = 0;
      for (const Index k : positions_) {
        if (k % 64 == 0 && glm_.execution().stop_requested()) break;
        const Index j = order_[static_cast<std::size_t>(k)];
        double& value = w[static_cast<std::size_t>(j)];
        const double h = glm_.sq_norm(j);
        const double after = context.terms(j).minimize(model.correlation(k) + h * value, h);
        const double change = after - value;
        if (change == 0) continue;
        value = after;
        model.change(k, change);
        largest = std::max(largest, std::fabs(change));
      }
      ++outcome.epochs;
      outcome.largest_change = std::max(outcome.largest_change, largest);
      if (largest == 0) break;
    }
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
};

struct CoordinateDescent final {
  template <class D, class L>
  using Engine = CoordinateDescentEngine<D, L>;

  // A choice: the default is a position in the interval's list.
  static constexpr std::array<core::Parameter, 1> parameters{
      {{"selection", 0, "{cyclic, random}", "Order in which coordinates are visited."}}};
  static constexpr std::array<core::Flag, 1> flags{{{"deterministic", true}}};
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
