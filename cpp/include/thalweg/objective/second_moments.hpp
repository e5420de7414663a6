// A quadratic problem evaluated from its second moments, without a pass over X.
//
//   G = X~' S X~ / S,  z0 = X~' S t / S,  tt = t' S t / S      (X~ and t centred as in glm.hpp)
//
//   z = z0 - G w,   A = t' S u / S = tt - w'z0,   B = u' S u / S = A - w'z,   loss = B / 2
//
// is all that a certificate needs (certificate.hpp) and all that Gram updates need. Cost: k p for a
// support of k columns, against (k + p) n from X; building G costs n p^2 / 2 once for a whole path.
// Nothing here gives the residual, so problems with unpenalized columns, whose residual must be
// projected, cannot use it.
//
// G squares the condition number: the rounding of B grows with (sum_j |w_j| ||x_j||)^2. It is
// bounded here, as is that of every z_j, and handed on with the evaluation, so that a certificate
// can allow for it. Beyond the accuracy that a caller needs it has to evaluate from X.
//
// A sum of products whose longest chain of additions has m terms is off by m u sum |a_i b_i| at
// most (u the unit roundoff), and so by m u ||a|| ||b||. The elimination of the intercept takes two
// more sums, rows that are taken from all as many again, and the sums over the k columns of the
// support 2 k additions.
//
// Reference: Friedman, Hastie, Tibshirani 2010, section 2.2 (covariance updates); Higham 2002,
// section 3.1 (sums of products).
#pragma once

#include "thalweg/design/dense_gram.hpp"
#include "thalweg/objective/glm.hpp"

namespace thalweg::objective {

class SecondMoments final {
 public:
  // `gram`: the Gram matrix of all columns in their order, of leading dimension ld. It and the
  // model must outlive this. `target_size` and `size`: root mean squares of the target and of the
  // columns, in solver coordinates, as they were when the products were formed, by sums of chains
  // of `chain` additions at most.
  SecondMoments(const Glm& glm, const double* gram, Index ld, double chain, double target_size,
                Vector size)
      : null_correlation_(glm.null_correlation()),
        sq_norm_(glm.sq_norms()),
        target_square_(2 * glm.null_objective()),
        gram_(gram),
        ld_(ld),
        mean_(static_cast<std::size_t>(glm.cols()), 0.0),
        chain_(chain),
        target_size_(target_size),
        size_(std::move(size)) {
    for (std::size_t j = 0; j < mean_.size(); ++j) {
      const auto k = static_cast<Index>(j);
      mean_[j] = glm.mean(k) * glm.inverse_scale(k);
    }
  }
  // Formed from X itself: of columns that are not centred.
  SecondMoments(const Glm& glm, const double* gram, Index ld)
      : SecondMoments(glm, gram, ld, column_chain(glm.design()),
                      std::sqrt(2 * glm.null_objective()), raw_norms(glm)) {}

  // Everything of an evaluation but its vectors over the rows, which are left empty.
  void evaluate(const Vector& w, const penalty::Terms& terms, Evaluation& out) const {
    out.residual.clear();
    out.weighted.clear();
    out.sum_weighted = 0;
    out.intercept = 0;
    out.penalty = terms.value(w);
    out.correlation = null_correlation_;
    const auto cols = static_cast<Index>(w.size());
    double explained = 0;
    for (Index j = 0; j < cols; ++j) {
      const auto k = static_cast<std::size_t>(j);
      if (w[k] == 0) continue;
      kernels_.axpy(-w[k], gram_ + j * ld_, out.correlation.data(), cols);
      explained += w[k] * null_correlation_[k];
      out.intercept -= w[k] * mean_[k];
    }
    double slope = 0;
    for (std::size_t k = 0; k < w.size(); ++k) {
      if (!(sq_norm_[k] > 0)) out.correlation[k] = 0;
      slope += w[k] * out.correlation[k];
    }
    out.target_product = target_square_ - explained;
    out.square = std::max(out.target_product - slope, 0.0);
    out.loss = 0.5 * out.square;
    const double per_size = rate(w) * length(w);
    out.rounding = per_size * length(w);
    out.correlation_rounding.resize(w.size());
    for (std::size_t k = 0; k < w.size(); ++k) out.correlation_rounding[k] = per_size * size_[k];
  }

  // About how much the gap of a point close to the optimum grows for the rounding of A, B and z. A
  // dual point that is made smaller, so that z is within the slopes of l1 for certain, loses as
  // much as the l1 terms do.
  double rounding(const Vector& w, const penalty::Terms& terms) const {
    double l1_terms = 0, largest = 0;
    for (std::size_t k = 0; k < w.size(); ++k) {
      const penalty::Term term = terms(static_cast<Index>(k));
      if (!(term.l1 > 0)) continue;
      l1_terms += term.l1 * std::fabs(w[k]);
      largest = std::max(largest, size_[k] / term.l1);
    }
    return rate(w) * length(w) * (2 * length(w) + largest * l1_terms);
  }

  // The longest chain of additions where columns are passed over one by one: of dense ones several
  // sums run side by side. That of the target is over all rows, once and not `sums` times.
  static double column_chain(const design::Erased& x) {
    constexpr Index side_by_side = 4;
    Index most = x.rows() / side_by_side + side_by_side;
    for (Index j = 0; x.is_sparse() && j < x.cols(); ++j) most = std::max(most, x.stored(j));
    return static_cast<double>(most);
  }

 private:
  // The sizes of what products are taken of.
  double length(const Vector& w) const {
    double sum = target_size_;
    for (std::size_t k = 0; k < w.size(); ++k) sum += std::fabs(w[k]) * size_[k];
    return sum;
  }
  // The rounding of a product in units of both sizes. A factor comes with its weight, centre and
  // scale.
  double rate(const Vector& w) const {
    constexpr double factors = 16, sums = 6, sums_over_support = 2;
    const auto support = static_cast<double>(
        std::count_if(w.begin(), w.end(), [](double value) { return value != 0; }));
    return 0.5 * epsilon * (sums * chain_ + sums_over_support * support + factors);
  }

  static Vector raw_norms(const Glm& glm) {
    Vector norms;
    for (Index j = 0; j < glm.cols(); ++j) norms.push_back(glm.raw_norm(j));
    return norms;
  }

  const Vector& null_correlation_;
  const Vector& sq_norm_;
  double target_square_;
  const double* gram_;
  Index ld_;
  Vector mean_;  // of the columns in solver coordinates
  double chain_;
  double target_size_;
  Vector size_;
  const kernels::DenseKernels<double>& kernels_ = kernels::table().dense<double>();
};

}  // namespace thalweg::objective
