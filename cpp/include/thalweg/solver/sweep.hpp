// One sweep of coordinate descent over a quadratic model (quadratic_model.hpp):
//
//   w_k <- argmin over coordinate k = clip(soft(q_k + h_k w_k, l1_k) / (h_k + l2_k)),  h_k = G_kk
//
// in the order of `positions`. Cost: one product per coordinate and one update per change.
// Reference: Friedman, Hastie, Hoefling, Tibshirani 2007.
#pragma once

#include <algorithm>
#include <cmath>

#include "thalweg/core/parallel.hpp"
#include "thalweg/penalty/separable.hpp"

namespace thalweg::solver {

struct Sweep {
  // The largest |change| (h + l2): the distance of a gradient from the subdifferential, measured just
  // before its coordinate was updated.
  double violation = 0;
  double largest_change = 0;
};

template <class Model>
Sweep sweep_coordinates(Model& model, Vector& w, const std::vector<penalty::Term>& terms,
                        const std::vector<Index>& positions, const core::Execution& execution) {
  constexpr double between_polls = 1e6;  // nanoseconds
  const double visit = positions.empty() ? 1.0 : model.visit_cost(positions.front());
  const auto poll_every = static_cast<Index>(std::clamp(between_polls / visit, 1.0, 64.0));
  Sweep sweep;
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
    sweep.violation = std::max(sweep.violation, std::fabs(change) * (h + terms[at].l2));
    sweep.largest_change = std::max(sweep.largest_change, std::fabs(change));
  }
  return sweep;
}

}  // namespace thalweg::solver
