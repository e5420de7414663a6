// A factor of a symmetric matrix made positive definite: P (A + E) P' = L D L', with diagonal E >=
// 0 that is zero where A is sufficiently positive definite.
//
// Pivots d_j = max(|c_jj|, (theta_j / beta)^2, delta) with theta_j the largest entry left in the
// column bound the entries of L sqrt(D) by beta, so that A + E is not much larger than A; the
// largest remaining diagonal entry is next. Directions of negative curvature get the curvature's
// size. For Newton steps where the Hessian is not positive definite; where it is, Cholesky is
// blocked and threaded.
//
// Cost n^3 / 3 multiply-adds, unblocked. Reference: Gill, Murray & Wright 1981, section 4.4.2.2;
// Nocedal & Wright 2006, section 3.4.
#pragma once

#include <vector>

#include "thalweg/core/parallel.hpp"
#include "thalweg/core/types.hpp"

namespace thalweg::kernels {

class ModifiedCholesky final {
 public:
  // Factorises the n x n matrix `a` (column major, leading dimension n, lower triangle), which is
  // overwritten and must outlive the solves. False where a stop came first or an entry is not
  // finite.
  bool factorize(double* a, Index n, const core::Execution& execution);
  // x <- (A + E)^-1 x
  void solve(double* x);
  // The largest entry of E.
  double shift() const { return shift_; }

 private:
  double* column(Index k) { return a_ + k * n_; }

  double* a_ = nullptr;
  Index n_ = 0;
  double shift_ = 0;
  std::vector<Index> order_;
  Vector pivots_, rest_, work_;
};

}  // namespace thalweg::kernels
