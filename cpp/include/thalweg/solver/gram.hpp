// Working sets, coordinate descent on lazily built Gram columns, Newton finish.
// For: n >> p, or small working sets. The mathematics, cost and references are in working_set_engine.hpp.
#pragma once

#include "thalweg/solver/working_set_engine.hpp"

namespace thalweg::solver {

struct Gram final {
  template <class D, class L>
  static WorkingSetEngine<D, L> make(const objective::Glm<D, L>& glm, const SolverOptions&) {
    return {glm, Inner::gram};
  }

  static constexpr std::array<core::Flag, 1> flags{{{"deterministic", true}}};
  static constexpr std::array<std::string_view, 3> needs{
      {"column_access", "quadratic", "separable"}};
  static constexpr core::Info info{.name = "gram",
                                   .summary = "Working sets, coordinate descent on lazily built Gram columns, Newton finish.",
                                   .formula = "min_w 1/(2 sum s) ||S^(1/2) (y - X w - b)||^2 + alpha P(w)",
                                   .reference = "Friedman, Hastie, Tibshirani 2010, section 2.2 (covariance updates)",
                                   .parameters = {},
                                   .flags = flags,
                                   .requires_ = needs};
};

}  // namespace thalweg::solver
