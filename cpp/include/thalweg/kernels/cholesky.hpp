// Cholesky factorisation of a symmetric positive semidefinite matrix, in place, lower triangle,
// column major, blocked: panels of gram_panel_width columns, trailing update by the panel product.
//
// A pivot that falls below `tolerance` times its original diagonal entry marks a column that
// depends on the ones before: it is skipped, and `solve` leaves its unknown at zero. That is what a
// Newton step on a support with collinear columns needs: some minimiser, not a regularised one.
//
// Cost n^3 / 3 flops. Reference: Golub & Van Loan 2013, algorithm 4.2.7 (blocked outer product).
#pragma once

#include <vector>

#include "thalweg/core/parallel.hpp"
#include "thalweg/core/types.hpp"
#include "thalweg/kernels/panel_memory.hpp"

namespace thalweg::kernels {

class Cholesky final {
 public:
  // Factorises the n x n matrix `a` (leading dimension ld), which is overwritten and must outlive
  // the solves. After a stop request the factor is not complete.
  void factorize(double* a, Index n, Index ld, double tolerance, const core::Execution& execution);
  // x <- A^+ x, where skipped unknowns are zero.
  void solve(double* x) const;
  bool is_skipped(Index k) const { return skipped_[static_cast<std::size_t>(k)] != 0; }

 private:
  void factorize_diagonal(Index begin, Index end);
  void solve_panel(Index begin, Index end, const core::Execution& execution);
  void update_trailing(Index begin, Index end, const core::Execution& execution);
  double& at(Index i, Index j) { return a_[i + j * ld_]; }
  double at(Index i, Index j) const { return a_[i + j * ld_]; }

  double* a_ = nullptr;
  Index n_ = 0, ld_ = 0;
  Vector threshold_;
  std::vector<char> skipped_;
  PanelMemory<double> packed_;
};

// The same with diagonal pivoting, which reveals the rank: the largest remaining pivot is next, and
// the first that is not above `tolerance` times the largest of all ends the factorisation.
// Unblocked, by columns; polls at each of them.
//
// Reference: Higham 2002, section 10.3.
class PivotedCholesky final {
 public:
  // Factorises the n x n matrix `a` (column major, leading dimension n), which is overwritten and
  // must outlive the solves. False where a stop came first.
  bool factorize(double* a, Index n, double tolerance, const core::Execution& execution);
  // x <- A^+ x on the columns chosen, zero in the others.
  void solve(double* x) const;
  Index rank() const { return rank_; }
  // The columns that were not.
  std::span<const Index> left_out() const {
    return std::span(order_).subspan(static_cast<std::size_t>(rank_));
  }

 private:
  double* column(Index k) { return a_ + k * n_; }
  const double* column(Index k) const { return a_ + k * n_; }

  double* a_ = nullptr;
  Index n_ = 0, rank_ = 0;
  std::vector<Index> order_;
  Vector rest_;  // the diagonal, less what the columns so far explain
  mutable Vector work_;
};

// The exchange of a factorisation with diagonal pivoting, of an n x n matrix of leading dimension
// n: rows and columns k and `pivot` >= k of what is left of it (its lower triangle), the rows of
// the columns so far, and the entries of the remaining diagonal and of the order.
void bring_forward(double* a, Index n, Index k, Index pivot, Vector& rest,
                   std::vector<Index>& order);

}  // namespace thalweg::kernels
