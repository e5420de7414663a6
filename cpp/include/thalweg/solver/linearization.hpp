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

#include <Eigen/QR>

#include "thalweg/objective/smooth.hpp"

namespace thalweg::solver {

class Linearization final {
 public:
  void begin(const objective::Residuals& source, Index size);

  // At the base point; false where an entry is not finite.
  bool update(objective::Residuals& source);

  // D: the largest norm that each column of J has had (1 where that is zero).
  double scale(Index j) const { return scale_[j] > 0 ? scale_[j] : 1.0; }

  // The Gauss-Newton step of least norm; the rank of J.
  Index solve(Vector& step);

  // For the damped steps of this point.
  void factorize();

  // The predicted decrease of 1/2 |r|^2.
  double solve_damped(double mu, Vector& step);

  Index bytes() const { return 8 * (rows_ * size_ * 2 + (kept_ + size_) * size_ * 2); }

 private:
  Index rows_ = 0, size_ = 0, kept_ = 0;
  Eigen::VectorXd r_, rotated_, right_, scale_;
  Eigen::MatrixXd jacobian_, stacked_;
  Eigen::HouseholderQR<Eigen::MatrixXd> qr_, damped_;
  Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd> orthogonal_;
};

}  // namespace thalweg::solver
