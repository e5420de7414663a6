// The matrix of second derivatives of a linear model with K outputs, from weights of the rows:
//
//   block (k, l) = X~' diag(h_kl) X~ / sum s + [k = l] l2,    h_kl = s d2 loss / d eta_k d eta_l,
//
// with rows and columns for K intercepts after those of the coefficients. Blocks are made one by
// one, or all at once where the design has few columns (design/pair_grams.hpp).
//
// Cost: K (K + 1) / 2 weighted Gram matrices.
#pragma once

#include <functional>

#include "thalweg/objective/scaled_design.hpp"
#include "thalweg/penalty/separable.hpp"

namespace thalweg::objective {

class OutputBlocks final {
 public:
  // `x`, which must outlive it and be scaled before use; `total`, the sum of s.
  OutputBlocks(const ScaledDesign& x, Index outputs, bool fit_intercept, double total)
      : x_(x), outputs_(outputs), fit_intercept_(fit_intercept), total_(total) {}

  Index size() const { return (x_.cols() + (fit_intercept_ ? 1 : 0)) * outputs_; }

  // Matrices are column major of leading dimension size(); only lower triangles are made.
  //
  // In the rows of output l and the columns of output k, k <= l: `h` is h_kl, of that sum.
  void assemble(const double* h, double sum, Index k, Index l, double* out,
                const core::Execution& execution) const;
  // All blocks, h_kl on rows [begin, end) by fill(k, l, begin, end, h). False: not here.
  using FillBlock = std::function<void(Index, Index, Index, Index, double*)>;
  bool assemble_all(const FillBlock& fill, double* out, const core::Execution& execution) const;
  // What the penalty adds, and something for directions that neither it nor the loss knows.
  void add_penalty(const penalty::Terms& terms, double* out) const;

  // The diagonal, with the penalty and positive, from planes h_kk of sums `sums`; `is_even`: each
  // is a multiple of the rows' weights, so that the pass over X is known.
  void diagonal(const double* h, const Vector& sums, bool is_even, const penalty::Terms& terms,
                double* out, const core::Execution& execution) const;
  // In a diagonal, gives all rare columns of an output the largest entry among them. How often a
  // column is stored says nothing of its unit, and where there are few rows for so many columns
  // common ones decide the predictions: scaled up, thousands of rare ones fit the same rows at
  // once, and steps are short.
  void share_rare(double* diagonal) const;

 private:
  void fix_common_part(double* first, Index next, Index below) const;
  // Where coefficient j (the intercept after the others) of output k is.
  Index place(Index j, Index k) const {
    return j < x_.cols() ? k * x_.cols() + j : x_.cols() * outputs_ + k;
  }

  const ScaledDesign& x_;
  Index outputs_;
  bool fit_intercept_;
  double total_;
};

}  // namespace thalweg::objective
