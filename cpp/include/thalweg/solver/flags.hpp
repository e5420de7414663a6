// What solvers say of themselves. Every one declares the same flags, so they are listed here once.
#pragma once

#include <array>

#include "thalweg/core/info.hpp"

namespace thalweg::solver {

struct Traits {
  bool deterministic = true;
  bool handles_bounds = false;
  bool handles_kinks = false;  // of functions with a gradient almost everywhere
  bool handles_nonconvex = false;
  bool superlinear = false;      // uses curvature: few steps near a minimum
  bool uses_products = false;    // with the Hessian
  bool needs_hessian = false;    // the matrix
  bool needs_residuals = false;  // and their Jacobian
  // Of a model, which a function of the user does not have: the information of a likelihood, a dual
  // with a variable for every row.
  bool needs_information = false;
  bool needs_rows = false;
};

constexpr std::array<core::Flag, 10> flags_of(const Traits& traits) {
  return {{{"deterministic", traits.deterministic},
           {"handles_bounds", traits.handles_bounds},
           {"handles_kinks", traits.handles_kinks},
           {"handles_nonconvex", traits.handles_nonconvex},
           {"superlinear", traits.superlinear},
           {"uses_products", traits.uses_products},
           {"needs_hessian", traits.needs_hessian},
           {"needs_residuals", traits.needs_residuals},
           {"needs_information", traits.needs_information},
           {"needs_rows", traits.needs_rows}}};
}

}  // namespace thalweg::solver
