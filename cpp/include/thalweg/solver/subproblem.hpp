// Descent on a working set: coordinate descent with Anderson extrapolation, and an active-set
// method that ends it.
//
//   small rank:  the active set from the start;
//   else repeat  a sweep over the working set; stop if its largest violation is below the
//   tolerance;
//                sweeps over the support with extrapolation, or, once the support stays the same, a
//                Newton step on it by conjugate gradients;
//                once the sweeps have cost as much as a factorisation of the support would: a few
//                rounds of the active set, which end it if the support is nearly right. The next
//                attempt waits twice as long, so attempts never cost more than the sweeps.
//
// Costs are counted in estimated nanoseconds from sizes alone, never measured: the same problem
// takes the same steps everywhere. The violation of a coordinate is measured where it is visited:
// |change| (diagonal + l2), the distance of its gradient from the subdifferential before the
// update.
//
// References: Friedman, Hastie, Tibshirani 2010, section 2.6 (cycling over the active set);
// Bertrand & Massias 2021 (Anderson); active_set.hpp; face_cg.hpp.
#pragma once

#include "thalweg/core/anderson.hpp"
#include "thalweg/solver/active_set.hpp"
#include "thalweg/solver/face_cg.hpp"
#include "thalweg/solver/quadratic_model.hpp"
#include "thalweg/solver/sweep.hpp"

namespace thalweg::solver {

class Subproblem final {
 public:
  struct Budget {
    double gap = 0;  // suboptimality to aim for
    double violation =
        0;  // and violation: a fraction of that at the start, so that a step progresses
    double rounding = 0;  // of a violation: nothing below it can be reached
    Index epochs = 0;     // sweeps and rounds of the active set allowed
    Index face_size = 0;  // largest support to factorise
    bool small_rank = false;
    bool goes_on = false;  // on the columns of the last call
  };
  struct Outcome {
    Index epochs = 0;
    double largest_change = 0;
    bool used_active_set = false;
    bool used_anderson = false;
    bool used_cg = false;
  };

  // w: coefficients of the working set, updated. `ensure(columns)` makes the Gram cache hold them,
  // or refuses; `build_cost(columns)` says what that would take.
  template <class Model, class EnsureGram, class BuildCost>
  Outcome solve(Model& model, Vector& w, const std::vector<penalty::Term>& terms,
                const Budget& budget, const GramCache& gram, EnsureGram&& ensure,
                BuildCost&& build_cost, const core::Execution& execution) {
    Outcome outcome;
    all_.resize(w.size());
    for (std::size_t k = 0; k < w.size(); ++k) all_[k] = static_cast<Index>(k);
    const auto reach = [&](const Vector& at) { return tolerance(budget, at); };
    double sweep_cost = 0;
    for (std::size_t k = 0; k < w.size(); ++k)
      sweep_cost += model.visit_cost(static_cast<Index>(k));
    if (!budget.goes_on) spent_ = 0;
    double patience = budget.small_rank ? 0.0 : 1.0;
    Index most_rounds = budget.small_rank ? budget.epochs : attempt_rounds;
    while (outcome.epochs < budget.epochs && !execution.stop_requested()) {
      if (patience > 0) {
        const Index before = outcome.epochs;
        const double violation = sweep(model, w, terms, all_, outcome, execution);
        if (violation <= reach(w)) return outcome;
        last_support_.swap(support_);
        collect_support(w, terms);
        if (support_.empty()) continue;
        // Two products more judge the step.
        const Index products = std::min(most_products, budget.epochs - outcome.epochs - 2);
        if (support_ == last_support_ && products > 0) {
          const FaceCg::Outcome step =
              face_cg_.step(model, w, terms, support_, cg_reduction, products, execution);
          outcome.used_cg = true;
          outcome.epochs += step.products;
          outcome.largest_change = std::max(outcome.largest_change, step.largest_change);
        } else {
          anderson(model, w, terms, budget, outcome, execution);
        }
        const double share = static_cast<double>(support_.size()) / static_cast<double>(w.size());
        spent_ += sweep_cost * (1 + share * static_cast<double>(outcome.epochs - before - 1));
      }
      collect_support(w, terms);
      const auto size = static_cast<double>(support_.size());
      if (size > static_cast<double>(budget.face_size)) patience = std::max(1.0, patience);
      if (size > static_cast<double>(budget.face_size)) continue;
      columns_.clear();
      for (const Index k : support_) columns_.push_back(model.column(k));
      const double attempt = size * size * size / factor_rate + build_cost(columns_);
      if (spent_ < patience * attempt) continue;
      const ActiveSet::Outcome exact =
          active_set_.run(model, w, terms, std::min(most_rounds, budget.epochs - outcome.epochs),
                          gram, ensure, reach, execution);
      outcome.used_active_set = true;
      outcome.epochs += std::max<Index>(exact.rounds, 1);
      outcome.largest_change = std::max(outcome.largest_change, exact.largest_change);
      if (exact.converged) return outcome;
      patience = std::max(1.0, 2 * patience);
      most_rounds = attempt_rounds;
      spent_ = 0;
    }
    return outcome;
  }

  // Memory of the factor that an active set has taken.
  Index factor_bytes() const { return active_set_.bytes(); }

 private:
  static constexpr Index attempt_rounds = 6;
  static constexpr double cg_reduction = 1e-3;
  static constexpr Index most_products = 100;
  // Cube of the support per nanosecond, for one attempt: about attempt_rounds blocked
  // factorisations.
  static constexpr double factor_rate = 45;

  // Near the optimum the duality gap is about 2 ||w||_1 times the largest violation.
  static double tolerance(const Budget& budget, const Vector& w) {
    double norm = 0;
    for (const double value : w) norm += std::fabs(value);
    if (!(norm > 0)) return 0.0;
    return std::max(budget.rounding, std::min(0.5 * budget.gap / norm, budget.violation));
  }

  template <class Model>
  double sweep(Model& model, Vector& w, const std::vector<penalty::Term>& terms,
               const std::vector<Index>& positions, Outcome& outcome,
               const core::Execution& execution) {
    const Sweep done = model.sweep(w, terms, positions, execution);
    outcome.largest_change = std::max(outcome.largest_change, done.largest_change);
    ++outcome.epochs;
    return done.violation;
  }

  void collect_support(const Vector& w, const std::vector<penalty::Term>& terms) {
    support_.clear();
    for (std::size_t k = 0; k < w.size(); ++k) {
      if (w[k] != 0 && w[k] > terms[k].lower && w[k] < terms[k].upper) {
        support_.push_back(static_cast<Index>(k));
      }
    }
  }

  template <class Model>
  void anderson(Model& model, Vector& w, const std::vector<penalty::Term>& terms,
                const Budget& budget, Outcome& outcome, const core::Execution& execution) {
    constexpr int most_sweeps = 2 * core::Anderson::depth;
    outcome.used_anderson = true;
    anderson_.reset();
    for (int i = 0; i < most_sweeps && outcome.epochs < budget.epochs; ++i) {
      w_support_.clear();
      for (const Index k : support_) w_support_.push_back(w[static_cast<std::size_t>(k)]);
      if (anderson_.push(w_support_) && anderson_.extrapolate(delta_)) {
        for (std::size_t s = 0; s < delta_.size(); ++s) {
          const auto at = static_cast<std::size_t>(support_[s]);
          delta_[s] = core::clip(delta_[s], terms[at].lower, terms[at].upper) - w_support_[s];
        }
        accept_if_lower(model, w, terms, outcome);
        ++outcome.epochs;
      }
      if (sweep(model, w, terms, support_, outcome, execution) <= 0.3 * tolerance(budget, w))
        return;
      if (execution.stop_requested()) return;
    }
  }

  // Moves w by delta_ on the support if the model decreases.
  template <class Model>
  void accept_if_lower(Model& model, Vector& w, const std::vector<penalty::Term>& terms,
                       Outcome& outcome) {
    double change = model.predict(support_, delta_);
    double largest = 0;
    for (std::size_t s = 0; s < support_.size(); ++s) {
      const auto at = static_cast<std::size_t>(support_[s]);
      change += terms[at].value(w[at] + delta_[s]) - terms[at].value(w[at]);
      largest = std::max(largest, std::fabs(delta_[s]));
    }
    if (!(change < 0)) return;
    model.take();
    for (std::size_t s = 0; s < support_.size(); ++s) {
      w[static_cast<std::size_t>(support_[s])] += delta_[s];
    }
    outcome.largest_change = std::max(outcome.largest_change, largest);
  }

  ActiveSet active_set_;
  core::Anderson anderson_;
  FaceCg face_cg_;
  std::vector<Index> all_, support_, last_support_, columns_;
  Vector w_support_, delta_;
  double spent_ = 0;  // on sweeps since the last attempt
};

}  // namespace thalweg::solver
