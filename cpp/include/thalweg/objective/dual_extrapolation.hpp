// Extrapolated residuals: dual candidates ahead of the iterates.
//
// The residuals of a method whose steps are affine converge linearly, and their extrapolation,
// scaled to be feasible like any other candidate (certificate.hpp), often proves a gap many steps
// earlier. Costs a pass over X, since combined correlations would carry the rounding of large
// coefficients, once in a window of Anderson::depth + 1 residuals, which it keeps.
//
// Reference: Massias, Gramfort, Salmon 2018, section 3. Differs from it: the window starts anew
// after each extrapolation.
#pragma once

#include "thalweg/core/anderson.hpp"
#include "thalweg/objective/glm.hpp"

namespace thalweg::objective {

class DualExtrapolation final {
 public:
  void reset() { residuals_.reset(); }

  // Records an evaluation that has a residual; the extrapolated one, of which only what a dual
  // point is made of holds, if it completes a window.
  const Evaluation* push(const Glm& glm, const Evaluation& at) {
    if (!residuals_.push(at.residual)) return nullptr;
    if (!residuals_.extrapolate(combined_, glm.weights())) return nullptr;
    glm.evaluate_residual(combined_, point_);
    return &point_;
  }

 private:
  core::Anderson residuals_;
  Vector combined_;
  Evaluation point_;
};

}  // namespace thalweg::objective
