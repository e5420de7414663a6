#include "thalweg/solver/support_newton.hpp"

#include <cmath>

#include "thalweg/kernels/kernels.hpp"

namespace thalweg::solver {
namespace {

// Where w + step stays on its face: the sign of w (if |w| costs anything) and the limits.
double project_on_face(double w, double target, const penalty::Term& term) {
  double result = target;
  if (term.l1 > 0 && w * target < 0) result = 0.0;
  return core::clip(result, term.lower, term.upper);
}

}  // namespace

SupportNewton::Outcome SupportNewton::step(const GramCache& gram, std::span<const Index> slots,
                                           const Vector& w, const Vector& q,
                                           const std::vector<penalty::Term>& terms, Vector& delta,
                                           const core::Execution& execution) {
  const auto size = static_cast<Index>(slots.size());
  Outcome outcome;
  delta.assign(slots.size(), 0.0);
  if (size == 0) return outcome;
  const Index ld = size + 8;
  matrix_.resize(static_cast<std::size_t>(size * ld));
  direction_.resize(slots.size());
  for (Index k = 0; k < size; ++k) {
    const double* column = gram.column(slots[static_cast<std::size_t>(k)]);
    double* out = matrix_.data() + k * ld;
    for (Index i = k; i < size; ++i) out[i] = column[slots[static_cast<std::size_t>(i)]];
    const auto at = static_cast<std::size_t>(k);
    out[k] += terms[at].l2;
    const double slope = terms[at].l1 > 0 ? std::copysign(terms[at].l1, w[at]) : 0.0;
    direction_[at] = q[at] - slope - terms[at].l2 * w[at];
  }
  factor_.factorize(matrix_.data(), size, ld, 1e-11, execution);
  if (execution.stop_requested()) return outcome;
  factor_.solve(direction_.data());

  double first_crossing = 1.0;
  for (std::size_t k = 0; k < slots.size(); ++k) {
    if (!std::isfinite(direction_[k])) return outcome;
    const double target = w[k] + direction_[k];
    const double allowed = project_on_face(w[k], target, terms[k]);
    delta[k] = allowed - w[k];
    if (allowed != target) {
      outcome.left_face = true;
      first_crossing = std::min(first_crossing, delta[k] / direction_[k]);
    }
  }
  if (outcome.left_face && !(model_change(gram, slots, w, q, terms, delta) < 0)) {
    for (std::size_t k = 0; k < slots.size(); ++k) {
      const double at_crossing = w[k] + first_crossing * direction_[k];
      const double allowed = project_on_face(w[k], w[k] + direction_[k], terms[k]);
      // The coordinate that crosses first stops exactly there.
      const bool crosses = allowed != w[k] + direction_[k] &&
                           (allowed - w[k]) / direction_[k] <= first_crossing;
      delta[k] = (crosses ? allowed : at_crossing) - w[k];
    }
  }
  for (const double change : delta) {
    outcome.moved = outcome.moved || change != 0;
    outcome.largest_change = std::max(outcome.largest_change, std::fabs(change));
  }
  return outcome;
}

double SupportNewton::model_change(const GramCache& gram, std::span<const Index> slots,
                                   const Vector& w, const Vector& q,
                                   const std::vector<penalty::Term>& terms, const Vector& delta) {
  double change = 0;
  for (std::size_t k = 0; k < slots.size(); ++k) {
    if (delta[k] == 0) continue;
    const double* column = gram.column(slots[k]);
    double product = 0;
    for (std::size_t i = 0; i < slots.size(); ++i) product += column[slots[i]] * delta[i];
    change += delta[k] * (0.5 * product - q[k]) + terms[k].value(w[k] + delta[k]) -
              terms[k].value(w[k]);
  }
  return change;
}

}  // namespace thalweg::solver
