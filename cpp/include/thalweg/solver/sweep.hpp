// One sweep of coordinate descent over a quadratic model (quadratic_model.hpp):
//
//   w_k <- argmin over coordinate k = clip(soft(q_k + h_k w_k, l1_k) / (h_k + l2_k)),  h_k = G_kk
//
// in the order of `positions`. Cost: one product per coordinate and one update per change; where
// the model has its columns in groups (column_groups.hpp), the same by products with groups.
// Reference: Friedman, Hastie, Hoefling, Tibshirani 2007.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>

#include "thalweg/core/parallel.hpp"
#include "thalweg/penalty/separable.hpp"

namespace thalweg::solver {

struct Sweep {
  // The largest |change| (h + l2): the distance of a gradient from the subdifferential, measured
  // just before its coordinate was updated.
  double violation = 0;
  double largest_change = 0;
};

// Steps on coordinate k of value w and correlation q; returns the change.
inline double descend(double& w, double q, double h, const penalty::Term& term, Sweep& sweep) {
  const double before = w;
  w = term.minimize(q + h * before, h);
  const double change = w - before;
  sweep.violation = std::max(sweep.violation, std::fabs(change) * (h + term.l2));
  sweep.largest_change = std::max(sweep.largest_change, std::fabs(change));
  return change;
}

// A model whose residual moves, and whose correlations are formed, for a group of columns at once.
template <class Model>
concept Grouped = requires(Model& model, Index k, std::span<const Index> positions, Vector& changes,
                           Vector& q) {
  // How many positions from the first are of one group.
  { model.same_group(positions) } -> std::same_as<std::size_t>;
  // Entry i: G between position k and the i-th position of its group.
  { model.group_gram(k) } -> std::same_as<const double*>;
  { model.offset_in_group(k) } -> std::same_as<Index>;
  // Moves the residual by `changes` of the first positions; then q of the second ones.
  {model.move_and_correlate(positions, changes, positions, q)};
};

template <Grouped Model>
Sweep sweep_groups(Model& model, Vector& w, const std::vector<penalty::Term>& terms,
                   std::span<const Index> positions, const core::Execution& execution) {
  Sweep sweep;
  std::span<const Index> moved;
  Vector changes, q;
  while (!positions.empty() && !execution.stop_requested()) {
    const auto group = positions.first(model.same_group(positions));
    positions = positions.subspan(group.size());
    model.move_and_correlate(moved, changes, group, q);
    moved = group;
    changes.assign(group.size(), 0.0);
    for (std::size_t i = 0; i < group.size(); ++i) {
      const Index k = group[i];
      const auto at = static_cast<std::size_t>(k);
      changes[i] = descend(w[at], q[i], model.diagonal(k), terms[at], sweep);
      if (changes[i] == 0) continue;
      const double* const gram = model.group_gram(k);
      for (std::size_t later = i + 1; later < group.size(); ++later) {
        q[later] -= changes[i] * gram[model.offset_in_group(group[later])];
      }
    }
  }
  model.move_and_correlate(moved, changes, {}, q);
  return sweep;
}

// Column after column of a model with correlation(k), diagonal(k), change(k, delta), visit_cost(k).
template <class Model>
Sweep sweep_coordinates(Model& model, Vector& w, const std::vector<penalty::Term>& terms,
                        std::span<const Index> positions, const core::Execution& execution) {
  constexpr double between_polls = 1e6;  // nanoseconds
  const double visit = positions.empty() ? 1.0 : model.visit_cost(positions.front());
  const auto poll_every = static_cast<Index>(std::clamp(between_polls / visit, 1.0, 64.0));
  Sweep sweep;
  Index visited = 0;
  for (const Index k : positions) {
    if (++visited % poll_every == 0 && execution.stop_requested()) break;
    const auto at = static_cast<std::size_t>(k);
    const double change = descend(w[at], model.correlation(k), model.diagonal(k), terms[at], sweep);
    if (change != 0) model.change(k, change);
  }
  return sweep;
}

}  // namespace thalweg::solver
