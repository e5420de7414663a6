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
// G squares the condition number: the rounding of B grows with (sum_j |w_j| ||x_j||)^2, which
// `rounding` bounds. Beyond the accuracy that a caller needs it has to evaluate from X.
//
// Reference: Friedman, Hastie, Tibshirani 2010, section 2.2 (covariance updates).
#pragma once

#include "thalweg/objective/glm.hpp"

namespace thalweg::objective {

class SecondMoments final {
 public:
  // `gram`: the Gram matrix of all columns in their order, of leading dimension ld. It and the
  // model must outlive this. `target_size` and `size`: root mean squares of the target and of the
  // columns, in solver coordinates, as they were when the products were formed.
  SecondMoments(const Glm& glm, const double* gram, Index ld, double target_size, Vector size)
      : null_correlation_(glm.null_correlation()),
        sq_norm_(glm.sq_norms()),
        target_square_(2 * glm.null_objective()),
        gram_(gram),
        ld_(ld),
        mean_(static_cast<std::size_t>(glm.cols()), 0.0),
        target_size_(target_size),
        size_(std::move(size)) {
    for (std::size_t j = 0; j < mean_.size(); ++j) {
      const auto k = static_cast<Index>(j);
      mean_[j] = glm.mean(k) * glm.inverse_scale(k);
    }
  }
  // Formed from X itself: of columns that are not centred.
  SecondMoments(const Glm& glm, const double* gram, Index ld)
      : SecondMoments(glm, gram, ld, std::sqrt(2 * glm.null_objective()), raw_norms(glm)) {}

  // Everything of an evaluation but its vectors over the rows, which are left empty.
  void evaluate(const Vector& w, const penalty::Terms& terms, Evaluation& out) const {
    out.residual.clear();
    out.weighted.clear();
    out.is_from_x = false;
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
  }

  // A bound on the rounding error of A and B at w.
  double rounding(const Vector& w) const {
    double size = target_size_;
    for (std::size_t k = 0; k < w.size(); ++k) size += std::fabs(w[k]) * size_[k];
    return 16 * epsilon * core::square(size);
  }

 private:
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
  double target_size_;
  Vector size_;
  const kernels::DenseKernels<double>& kernels_ = kernels::table().dense<double>();
};

}  // namespace thalweg::objective
