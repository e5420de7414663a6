// The Cholesky factor R'R = G_AA + diag(l2) of an active set, kept while members come and go.
//
// R is upper triangular, column major. Appending a column is a forward substitution, O(k^2);
// removing one deletes it and restores the triangle by Givens rotations, O((k - i)^2). A column
// that depends on the members (its remaining diagonal is rounding) is refused.
//
// Reference: Golub & Van Loan 2013, sections 6.5.2 (deleting a column) and 4.2; the same
// bookkeeping as in LARS (Efron et al. 2004, section 8).
#pragma once

#include "thalweg/core/pages.hpp"
#include "thalweg/core/parallel.hpp"
#include "thalweg/kernels/cholesky.hpp"
#include "thalweg/kernels/kernels.hpp"

namespace thalweg::solver {

class FaceFactor final {
 public:
  // A column depends on the members if less than this share of its squared norm remains.
  static constexpr double dependence = 1e-10;

  Index size() const { return size_; }
  // Memory taken, at most: pages that were never used are not resident.
  Index bytes() const { return largest_ * largest_ * 8; }

  // products[i] = G_{A_i, new}, diagonal = G_new,new + l2. False, and nothing changes, if
  // dependent.
  bool append(const double* products, double diagonal);
  // Starts anew: the caller writes the lower triangle of a matrix to the memory returned, of
  // leading_dimension(), and has it factorised by blocks, for many members at once. Columns that
  // depend on earlier ones are left out; is_left_out tells which. False, and the factor must not be
  // used, where a stop came first.
  double* prepare(Index size);
  Index leading_dimension() const { return ld_; }
  bool factorize(Index size, const core::Execution& execution);
  bool is_left_out(Index k) const { return blocked_.is_skipped(k); }
  void remove(Index position);
  // Keeps the first `size` members.
  void truncate(Index size) { size_ = size; }
  // x <- (R'R)^{-1} x
  void solve(double* x) const;
  // out <- R'R x, the matrix itself
  void multiply(const double* x, Vector& out) const;

 private:
  void reserve(Index size);
  double* column(Index j) { return values_.data() + j * ld_; }
  const double* column(Index j) const { return values_.data() + j * ld_; }
  // x <- R^{-T} x on the leading `size` members.
  void forward(double* x, Index size) const;

  core::Pages values_;
  Vector cosine_, sine_;
  mutable Vector work_;
  Index size_ = 0;
  Index ld_ = 0;
  Index largest_ = 0;
  kernels::Cholesky blocked_;
  const kernels::DenseKernels<double>& kernels_ = kernels::table().dense<double>();
};

}  // namespace thalweg::solver
