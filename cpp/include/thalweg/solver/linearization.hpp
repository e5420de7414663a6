// Residuals r and Jacobian J of a least-squares function at its base point, as Gauss-Newton methods
// use them, and the systems that they solve with them:
//
//   min_s |J s + r|                      of least norm (complete orthogonal decomposition)
//   min_s |J s + r|^2 + mu |D s|^2       damped, by a QR factorisation of [R; sqrt(mu) D]
//
// where R is the triangle of J = QR, made once per point. No normal equations: their condition
// number is the square.
//
// Cost: 2 m n^2 a point, 4 n^3 / 3 for each mu. Reference: More 1978, section 3.
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "thalweg/objective/smooth.hpp"

namespace thalweg::solver {

class Linearization final {
 public:
  void begin(const objective::Residuals& source, Index size) {
    rows_ = source.residual_count();
    size_ = size;
    kept_ = std::min(rows_, size_);
    r_.resize(rows_);
    jacobian_.resize(rows_, size_);
    scale_.setZero(size_);
  }

  // At the base point; false where an entry is not finite.
  bool update(objective::Residuals& source) {
    source.linearize(r_.data(), jacobian_.data());
    if (!r_.allFinite() || !jacobian_.allFinite()) return false;
    for (Index j = 0; j < size_; ++j) scale_[j] = std::max(scale_[j], jacobian_.col(j).norm());
    return true;
  }

  // D: the largest norm that each column of J has had (1 where that is zero).
  double scale(Index j) const { return scale_[j] > 0 ? scale_[j] : 1.0; }

  // The Gauss-Newton step of least norm; the rank of J.
  Index solve(Vector& step) {
    orthogonal_.compute(jacobian_);
    Eigen::Map<Eigen::VectorXd>(step.data(), size_) = -orthogonal_.solve(r_);
    return orthogonal_.rank();
  }

  // For the damped steps of this point.
  void factorize() {
    qr_.compute(jacobian_);
    rotated_ = r_;
    rotated_.applyOnTheLeft(qr_.householderQ().adjoint());
    stacked_.resize(kept_ + size_, size_);
    right_.resize(kept_ + size_);
  }

  // The predicted decrease of 1/2 |r|^2.
  double solve_damped(double mu, Vector& step) {
    stacked_.setZero();
    stacked_.topRows(kept_) = qr_.matrixQR().topRows(kept_).template triangularView<Eigen::Upper>();
    right_.setZero();
    right_.head(kept_) = -rotated_.head(kept_);
    const double root = std::sqrt(mu);
    for (Index j = 0; j < size_; ++j) stacked_(kept_ + j, j) = root * scale(j);
    damped_.compute(stacked_);
    right_.applyOnTheLeft(damped_.householderQ().adjoint());
    Eigen::Map<Eigen::VectorXd> s(step.data(), size_);
    s = damped_.matrixQR().topRows(size_).template triangularView<Eigen::Upper>().solve(
        right_.head(size_));
    // 1/2 |J s|^2 + mu |D s|^2, More 1978, equation (4.4).
    const double along = (jacobian_ * s).squaredNorm();
    double damping = 0;
    for (Index j = 0; j < size_; ++j) damping += (scale(j) * s[j]) * (scale(j) * s[j]);
    return 0.5 * along + mu * damping;
  }

  Index bytes() const { return 8 * (rows_ * size_ * 2 + (kept_ + size_) * size_ * 2); }

 private:
  Index rows_ = 0, size_ = 0, kept_ = 0;
  Eigen::VectorXd r_, rotated_, right_, scale_;
  Eigen::MatrixXd jacobian_, stacked_;
  Eigen::HouseholderQR<Eigen::MatrixXd> qr_, damped_;
  Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd> orthogonal_;
};

}  // namespace thalweg::solver
