// Descent on a working set: coordinate descent, finished by Newton steps on the support where they
// are affordable and accelerated by Anderson extrapolation where they are not.
//
//   repeat  one sweep over the working set; stop if its largest violation is below the tolerance
//           sweeps over the support, then Newton steps until one stays on its face, or Anderson
//
// The violation of a coordinate is measured where it is visited: |change| (diagonal + l2), the
// distance of its gradient from the subdifferential just before the update.
//
// References: Friedman, Hastie, Tibshirani 2010, section 2.6 (cycling over the active set); Bertrand &
// Massias 2021 (Anderson); support_newton.hpp.
#pragma once

#include "thalweg/solver/anderson.hpp"
#include "thalweg/solver/quadratic_model.hpp"
#include "thalweg/solver/support_newton.hpp"

namespace thalweg::solver {

class Subproblem final {
 public:
  struct Budget {
    double gap = 0;         // suboptimality to aim for
    Index epochs = 0;       // sweeps and Newton steps allowed
    Index newton_size = 0;  // largest support that a Newton step may take
  };
  struct Outcome {
    Index epochs = 0;
    double largest_change = 0;
    bool used_newton = false;
    bool used_anderson = false;
  };

  // w_ws: coefficients of the working set, updated. `ensure(support columns)` makes the cache hold
  // them and says whether Newton is allowed to use it.
  template <class Model, class EnsureGram>
  Outcome solve(Model& model, Vector& w, const std::vector<penalty::Term>& terms,
                const Budget& budget, const GramCache& gram, EnsureGram&& ensure,
                const core::Execution& execution) {
    Outcome outcome;
    all_.resize(w.size());
    for (std::size_t k = 0; k < w.size(); ++k) all_[k] = static_cast<Index>(k);
    while (outcome.epochs < budget.epochs && !execution.stop_requested()) {
      const double violation = sweep(model, w, terms, all_, outcome, execution);
      if (violation <= tolerance(budget, w)) break;
      collect_support(w, terms);
      if (support_.empty()) continue;
      if (static_cast<Index>(support_.size()) <= budget.newton_size && ensure(support_)) {
        newton(model, w, terms, budget, gram, outcome, execution);
      } else {
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
  void newton(Model& model, Vector& w, const std::vector<penalty::Term>& terms,
              const Budget& budget, const GramCache& gram, Outcome& outcome,
              const core::Execution& execution) {
    constexpr int most_faces = 8;
    outcome.used_newton = true;
    for (int face = 0; face < most_faces && outcome.epochs < budget.epochs; ++face) {
      slots_.clear();
      w_support_.clear();
      q_support_.clear();
      terms_support_.clear();
      for (const Index k : support_) {
        const auto at = static_cast<std::size_t>(k);
        slots_.push_back(gram.slot(model.column(k)));
        w_support_.push_back(w[at]);
        q_support_.push_back(model.correlation(k));
        terms_support_.push_back(terms[at]);
      }
      const SupportNewton::Outcome step =
          newton_.step(gram, slots_, w_support_, q_support_, terms_support_, delta_, execution);
      ++outcome.epochs;
      if (!step.moved) return;
      outcome.largest_change = std::max(outcome.largest_change, step.largest_change);
      for (std::size_t i = 0; i < support_.size(); ++i) {
        if (delta_[i] == 0) continue;
        const auto at = static_cast<std::size_t>(support_[i]);
        // w + (limit - w) may miss the limit by a rounding; w + (0 - w) is exactly zero.
        w[at] = core::clip(w[at] + delta_[i], terms[at].lower, terms[at].upper);
        model.change(support_[i], delta_[i]);
      }
      if (!step.left_face) return;
      collect_support(w, terms);
      if (support_.empty()) return;
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

  SupportNewton newton_;
  Anderson anderson_;
  std::vector<Index> all_, support_, slots_;
  Vector w_support_, q_support_, delta_;
  std::vector<penalty::Term> terms_support_;
};

}  // namespace thalweg::solver
