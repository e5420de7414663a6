#include "thalweg/solver/coordinate_descent.hpp"

#include <numeric>

#include "thalweg/core/rng.hpp"
#include "thalweg/solver/quadratic_model.hpp"

namespace thalweg::solver {
namespace {

class CoordinateDescentEngine final : public QuadraticSolver {
 public:
  static constexpr Index sweeps_per_step = 10;

  CoordinateDescentEngine(const objective::Glm& glm, const SolverOptions& options)
      : glm_(glm),
        random_(options.parameters[0] != 0),
        rng_(options.seed),
        block_(make_column_block(glm.design(), options.at_once)) {}

  StepOutcome step(Vector& w, objective::Evaluation& at, const StepContext& context) override {
    order_.assign(context.columns.begin(), context.columns.end());
    positions_.resize(order_.size());
    std::iota(positions_.begin(), positions_.end(), Index{0});
    w_.clear();
    terms_.clear();
    for (const Index j : order_) {
      w_.push_back(w[static_cast<std::size_t>(j)]);
      terms_.push_back(context.terms(j));
    }
    block_->load(order_, glm_.execution());
    ResidualModel model(glm_, *block_, order_, at);
    StepOutcome outcome;
    const Index sweeps = std::min(sweeps_per_step, context.epochs_left);
    while (outcome.epochs < sweeps && !glm_.execution().stop_requested()) {
      if (random_) rng_.shuffle(positions_);
      const Sweep done = model.sweep(w_, terms_, positions_, glm_.execution());
      ++outcome.epochs;
      outcome.largest_change = std::max(outcome.largest_change, done.largest_change);
      if (done.largest_change == 0) break;
    }
    for (std::size_t k = 0; k < order_.size(); ++k) w[static_cast<std::size_t>(order_[k])] = w_[k];
    return outcome;
  }

  Index gram_bytes() const override { return 0; }
  GramCache* gram_cache() override { return nullptr; }
  bool is_affine() const override { return true; }
  std::string_view ran() const override { return "coordinate_descent"; }
  std::string reason() const override {
    return random_ ? "coordinate descent in random order" : "cyclic coordinate descent";
  }

 private:
  const objective::Glm& glm_;
  bool random_;
  core::Rng rng_;
  std::unique_ptr<ColumnBlock> block_;
  std::vector<Index> order_, positions_;
  Vector w_;
  std::vector<penalty::Term> terms_;
};

}  // namespace

std::unique_ptr<QuadraticSolver> CoordinateDescent::make(const objective::Glm& glm,
                                                         const SolverOptions& options) {
  return std::make_unique<CoordinateDescentEngine>(glm, options);
}

}  // namespace thalweg::solver
