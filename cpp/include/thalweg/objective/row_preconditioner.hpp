// A positive definite matrix near the Hessian of a linear model with K outputs, whose inverse is
// cheap: the Hessian's diagonal, and all of what the rows add that make up most of it.
//
//   H = X~' C X~ / S + penalty,   M = D + B B',   D = diag(H - B B'),
//   b_t = sqrt(c_t / S) (v_t (x) x~_i),   c_t, v_t: the largest eigenvalue of the K x K second
//   derivative of row i = i_t and its vector; of one output the derivative itself, and one
//
//   M^-1 = D^-1 - D^-1 B (I + B' D^-1 B)^-1 B' D^-1
//
// A classifier of weak penalty is certain of most rows, which hardly bend the objective any more.
// The others may each bend it thousands of times as much as the penalty does: as many large
// eigenvalues, of which conjugate gradients learn one at a time and the diagonal knows nothing.
//
// Rows are chosen by their shares of the diagonal, of an average output
//
//   sum_j sum_k h_ikk x~_ij^2 / (S mean_k H_jk),
//
// r of them at most, where r^2 takes as much memory as two vectors of variables, and B'D^-1 B as
// long as ten products with H. Where B does not have most of all shares, M is the diagonal: to know
// a part of the large eigenvalues saves little. So it is, too, where rows cannot be read one by
// one, or only at a stride.
//
// Cost: made in three passes over X and, of every output, half the square of as many products of
// rows as have a part in it, and r^3 / 3 multiply-adds; applied, in two passes over the r rows and
// r^2 multiply-adds. References: Golub & Van Loan 2013, section 2.1.4 (Woodbury); Hsia, Chiang &
// Lin 2018 (the diagonal); Frangella, Tropp & Udell 2023 (what preconditioners of low rank do for
// conjugate gradients).
#pragma once

#include <vector>

#include "thalweg/kernels/cholesky.hpp"
#include "thalweg/objective/scaled_design.hpp"
#include "thalweg/objective/weighted_loss.hpp"

namespace thalweg::objective {

class RowPreconditioner final {
 public:
  // `x`, which must outlive it and be scaled before use; `total`, the sum of s.
  RowPreconditioner(const ScaledDesign& x, Index outputs, bool fit_intercept, double total)
      : x_(x), outputs_(outputs), fit_intercept_(fit_intercept), total_(total) {}

  // Lets go of the rows.
  void begin();
  // To be filled with diag(H), and with D once rows have been chosen.
  Vector& diagonal() { return inverse_; }
  // Rows of which B may be made, from planes h_kk of curvatures. False: there is none.
  bool choose(const double* h, const core::Execution& execution);
  design::RowList rows() const { return rows_; }
  // Makes B of how the loss bends in these rows, and takes its part off the planes h_kk. False: it
  // is not most of the Hessian, and left out.
  bool take(const WeightedLoss::Bends& bends, double* h);
  // M from the diagonal. False: it is not finite, or nothing but zero, or rounding has spoilt B.
  bool finish(const core::Execution& execution);
  // out = M^-1 v
  void divide(const double* v, double* out, const core::Execution& execution) const;
  // Lets go of all memory, until begin().
  void release();

 private:
  // Of an output: the columns of B in which it is, their rows, and what x~_i is multiplied by.
  struct Part {
    std::vector<design::RowNumber> rows;
    std::vector<std::size_t> at;
    Vector factors;
  };

  Index most_rows() const;
  bool find_shares(const double* h, const core::Execution& execution);
  Index coefficients() const { return x_.cols() * outputs_; }
  // Column j of X, and where its coefficient in output k is.
  std::size_t place(Index j, Index k) const { return static_cast<std::size_t>(k * x_.cols() + j); }
  // 1 / D of an output's intercept, of X as it is, zero where there is none.
  double inverse_intercept(Index k) const {
    return fit_intercept_ ? inverse_[static_cast<std::size_t>(coefficients() + k)] : 0.0;
  }
  double mean(Index j) const { return x_.columns().mean(j); }
  bool is_centred() const { return x_.columns().center() != nullptr; }
  bool invert();
  bool factorise(const core::Execution& execution);
  void add_gram(Index k, const core::Execution& execution);
  double centre_product(Index k, const double* u) const;
  void subtract_rows(Index k, const Vector& w, double* out) const;

  const ScaledDesign& x_;
  Index outputs_;
  bool fit_intercept_;
  double total_;
  Vector inverse_;                       // D, then 1 / D in the raw columns of X
  Vector shares_;                        // of all rows
  std::vector<design::RowNumber> rows_;  // those of the largest shares, in their order
  std::vector<Part> parts_;
  Vector gram_;  // I + B' D^-1 B, then its factor
  kernels::Cholesky factor_;
  mutable Vector along_;  // B'v
};

}  // namespace thalweg::objective
