// Descent on a working set: coordinate descent, finished by an active-set method where its support is
// small enough for a factorisation, accelerated by Anderson extrapolation where it is not.
//
//   repeat  sweeps over the working set while they pay; stop if the largest violation is below the
//           tolerance
//           active set (active_set.hpp), or sweeps over the support with extrapolation
//
// The violation of a coordinate is measured where it is visited: |change| (diagonal + l2), the
// distance of its gradient from the subdifferential just before the update.
//
// References: Friedman, Hastie, Tibshirani 2010, section 2.6 (cycling over the active set); Bertrand &
// Massias 2021 (Anderson).
#pragma once

#include "thalweg/solver/active_set.hpp"
#include "thalweg/solver/anderson.hpp"
#include "thalweg/solver/quadratic_model.hpp"

namespace thalweg::solver {

class Subproblem final {
 public:
  struct Budget {
    double gap = 0;         // suboptimality to aim for
    Index epochs = 0;       // sweeps and rounds of the active set allowed
    Index face_size = 0;    // largest support to factorise
    Index sweeps_first = 0; // sweeps that may precede the active set
  };
  struct Outcome {
    Index epochs = 0;
    double largest_change = 0;
    bool used_active_set = false;
    bool used_anderson = false;
  };

  // w: coefficients of the working set, updated. `ensure(columns)` makes the Gram cache hold them, or
  // refuses.
  template <class Model, class EnsureGram>
  Outcome solve(Model& model, Vector& w, const std::vector<penalty::Term>& terms,
                const Budget& budget, const GramCache& gram, EnsureGram&& ensure,
                const core::Execution& execution) {
    Outcome outcome;
    all_.resize(w.size());
    for (std::size_t k = 0; k < w.size(); ++k) all_[k] = static_cast<Index>(k);
    const auto reach = [&](const Vector& at) { return tolerance(budget, at); };
    bool factorise = true;
    while (outcome.epochs < budget.epochs && !execution.stop_requested()) {
      double violation = infinity;
      Index sweeps = factorise ? budget.sweeps_first : 1;
      while (sweeps-- > 0 && outcome.epochs < budget.epochs) {
        const double last = violation;
        violation = sweep(model, w, terms, all_, outcome, execution);
        if (violation <= reach(w)) return outcome;
        if (violation > 0.5 * last) break;
      }
      collect_support(w, terms);
      factorise = factorise && static_cast<Index>(support_.size()) <= budget.face_size;
      if (factorise) {
        const ActiveSet::Outcome exact =
            active_set_.run(model, w, terms, budget.epochs - outcome.epochs, gram, ensure, reach, execution);
        outcome.used_active_set = true;
        outcome.epochs += exact.rounds;
        outcome.largest_change = std::max(outcome.largest_change, exact.largest_change);
        if (exact.converged) return outcome;
        // Dependent to rounding, or grown too large to factorise: go on without.
        factorise = false;
      } else if (!support_.empty()) {
        anderson(model, w, terms, budget, outcome, execution);
      }
    }
    return outcome;
  }

 private:
  // Near the optimum the duality gap is about 2 ||w||_1 times the largest violation.
  static double tolerance(const Budget& budget, const Vector& w) {
    double norm = 0;
    for (const double value : w) norm += std::fabs(value);
    return norm > 0 ? 0.5 * budget.gap / norm : 0.0;
  }

  template <class Model>
  double sweep(Model& model, Vector& w, const std::vector<penalty::Term>& terms,
               const std::vector<Index>& positions, Outcome& outcome,
               const core::Execution& execution) {
    constexpr Index poll_every = 64;
    double violation = 0;
    Index visited = 0;
    for (const Index k : positions) {
      if (++visited % poll_every == 0 && execution.stop_requested()) break;
      const auto at = static_cast<std::size_t>(k);
      const double h = model.diagonal(k);
      const double before = w[at];
      const double after = terms[at].minimize(model.correlation(k) + h * before, h);
      const double change = after - before;
      if (change == 0) continue;
      w[at] = after;
      model.change(k, change);
      violation = std::max(violation, std::fabs(change) * (h + terms[at].l2));
      outcome.largest_change = std::max(outcome.largest_change, std::fabs(change));
    }
    ++outcome.epochs;
    return violation;
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
    constexpr int most_sweeps = 2 * Anderson::depth;
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
      if (sweep(model, w, terms, support_, outcome, execution) <= 0.3 * tolerance(budget, w)) return;
      if (execution.stop_requested()) return;
    }
  }

  // Moves w by delta_ on the support and back again if the model did not decrease. For a quadratic
  // the smooth part changes by exactly -1/2 (q_before + q_after)' delta.
  template <class Model>
  void accept_if_lower(Model& model, Vector& w, const std::vector<penalty::Term>& terms,
                       Outcome& outcome) {
    double change = 0;
    double largest = 0;
    for (std::size_t s = 0; s < support_.size(); ++s) {
      const auto at = static_cast<std::size_t>(support_[s]);
      change += terms[at].value(w[at] + delta_[s]) - terms[at].value(w[at]) -
                0.5 * model.correlation(support_[s]) * delta_[s];
      largest = std::max(largest, std::fabs(delta_[s]));
    }
    for (std::size_t s = 0; s < support_.size(); ++s) {
      if (delta_[s] != 0) model.change(support_[s], delta_[s]);
    }
    for (std::size_t s = 0; s < support_.size(); ++s) {
      change -= 0.5 * model.correlation(support_[s]) * delta_[s];
    }
    if (change < 0) {
      for (std::size_t s = 0; s < support_.size(); ++s) {
        w[static_cast<std::size_t>(support_[s])] += delta_[s];
      }
      outcome.largest_change = std::max(outcome.largest_change, largest);
      return;
    }
    for (std::size_t s = 0; s < support_.size(); ++s) {
      if (delta_[s] != 0) model.change(support_[s], -delta_[s]);
    }
  }

  ActiveSet active_set_;
  Anderson anderson_;
  std::vector<Index> all_, support_;
  Vector w_support_, delta_;
};

}  // namespace thalweg::solver
