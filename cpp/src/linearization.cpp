#include "thalweg/solver/linearization.hpp"

#include <algorithm>
#include <cmath>

namespace thalweg::solver {

void Linearization::begin(const objective::Residuals& source, Index size) {
  rows_ = source.residual_count();
  size_ = size;
  kept_ = std::min(rows_, size_);
  r_.resize(rows_);
  jacobian_.resize(rows_, size_);
  scale_.setZero(size_);
}

bool Linearization::update(objective::Residuals& source) {
  source.linearize(r_.data(), jacobian_.data());
  if (!r_.allFinite() || !jacobian_.allFinite()) return false;
  for (Index j = 0; j < size_; ++j) scale_[j] = std::max(scale_[j], jacobian_.col(j).norm());
  return true;
}

Index Linearization::solve(Vector& step) {
  orthogonal_.compute(jacobian_);
  Eigen::Map<Eigen::VectorXd>(step.data(), size_) = -orthogonal_.solve(r_);
  return orthogonal_.rank();
}

void Linearization::factorize() {
  qr_.compute(jacobian_);
  rotated_ = r_;
  rotated_.applyOnTheLeft(qr_.householderQ().adjoint());
  stacked_.resize(kept_ + size_, size_);
  right_.resize(kept_ + size_);
}

double Linearization::solve_damped(double mu, Vector& step) {
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

}  // namespace thalweg::solver
