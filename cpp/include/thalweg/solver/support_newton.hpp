// Newton's method on the support of a quadratic model with a separable penalty.
//
// On the orthant face of the current signs the model 1/2 w'Gw - c'w + sum term_k(w_k) is a smooth
// quadratic; its minimiser over the support A is w_A + d with (G_AA + diag(l2)) d = q_A - l1 sign(w_A)
// - l2 w_A, q = c - G w. Coordinate descent finds the support and then converges linearly at the rate
// of G_AA's condition number; one such step ends there. A step that leaves the face is clipped to it
// (coordinates that cross zero or a limit stop there) and kept if the model decreases, otherwise cut
// at the first crossing, where it always does.
//
// Cost |A|^3 / 3 per step. This is the active-set step of Osborne, Presnell, Turlach 2000, used as
// the finish of coordinate descent; compare the semismooth Newton methods of Li, Sun, Toh 2018.
#pragma once

#include "thalweg/kernels/cholesky.hpp"
#include "thalweg/penalty/separable.hpp"
#include "thalweg/solver/gram_cache.hpp"

namespace thalweg::solver {

class SupportNewton final {
 public:
  struct Outcome {
    bool moved = false;
    bool left_face = false;  // a coordinate reached zero or a limit: the face is smaller now
    double largest_change = 0;
  };

  // The support: slots in the cache, coefficients, their correlations q and terms. `delta` receives
  // the step; the caller applies it.
  Outcome step(const GramCache& gram, std::span<const Index> slots, const Vector& w,
               const Vector& q, const std::vector<penalty::Term>& terms, Vector& delta,
               const core::Execution& execution);

 private:
  double model_change(const GramCache& gram, std::span<const Index> slots, const Vector& w,
                      const Vector& q, const std::vector<penalty::Term>& terms,
                      const Vector& delta);

  Vector matrix_, direction_;
  kernels::Cholesky factor_;
};

}  // namespace thalweg::solver
