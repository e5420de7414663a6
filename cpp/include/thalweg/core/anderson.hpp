// Anderson extrapolation of a sequence x_0 ... x_K that a fixed-point map made.
//
// With d_i = x_{i+1} - x_i: solve (D'D) c = 1, normalise sum c = 1, extrapolate to sum c_i x_{i+1}.
// For an affine map, such as coordinate descent on a fixed support, whose residuals are affine too,
// this improves the rate from kappa to about sqrt(kappa). The caller accepts the point only if it
// is better.
//
// Cost O(m K^2). References: Bertrand & Massias 2021, algorithm 1 (iterates); Massias, Gramfort,
// Salmon 2018, section 3 (residuals, for the dual).
#pragma once

#include <Eigen/Dense>

#include <array>
#include <cmath>

#include "thalweg/core/types.hpp"

namespace thalweg::core {

class Anderson final {
 public:
  static constexpr int depth = 5;

  void reset() { count_ = 0; }

  // Records a vector; true once there are enough to extrapolate.
  bool push(const Vector& x) {
    history_[static_cast<std::size_t>(count_)] = x;
    return ++count_ == depth + 1;
  }

  // The extrapolated vector, by differences in the weighted inner product (null: weights of one);
  // starts a new window. False where the system is singular.
  bool extrapolate(Vector& out, const double* weights = nullptr) {
    count_ = 0;
    Eigen::Matrix<double, depth, depth> gram;
    for (int i = 0; i < depth; ++i) {
      for (int j = 0; j <= i; ++j) gram(i, j) = gram(j, i) = difference_dot(i, j, weights);
    }
    const double scale = gram.diagonal().maxCoeff();
    if (!(scale > 0)) return false;
    gram /= scale;
    gram.diagonal().array() += 1e-14;
    Eigen::Matrix<double, depth, 1> c = gram.ldlt().solve(Eigen::Matrix<double, depth, 1>::Ones());
    const double sum = c.sum();
    if (!std::isfinite(sum) || sum == 0) return false;
    c /= sum;
    out.assign(at(0).size(), 0.0);
    for (int i = 0; i < depth; ++i) {
      const Vector& x = at(i + 1);
      for (std::size_t k = 0; k < x.size(); ++k) out[k] += c[i] * x[k];
    }
    return true;
  }

 private:
  const Vector& at(int i) const { return history_[static_cast<std::size_t>(i)]; }

  double difference_dot(int i, int j, const double* weights) const {
    const Vector &a = at(i), &b = at(i + 1), &c = at(j), &d = at(j + 1);
    double sum = 0;
    for (std::size_t k = 0; k < a.size(); ++k) {
      sum += (weights != nullptr ? weights[k] : 1.0) * (b[k] - a[k]) * (d[k] - c[k]);
    }
    return sum;
  }

  std::array<Vector, depth + 1> history_;
  int count_ = 0;
};

}  // namespace thalweg::core
