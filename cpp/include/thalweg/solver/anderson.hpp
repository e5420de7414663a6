// Anderson extrapolation of a sequence of iterates.
//
// From the last K + 1 iterates x_0 ... x_K of a fixed-point map, with U = [x_1 - x_0, ...]: solve
// (U'U) c = 1, normalise sum c = 1, return sum c_i x_i. For coordinate descent on a fixed support the
// map is affine and the extrapolated point improves the rate from kappa to about sqrt(kappa).
//
// Cost O(m K^2) per extrapolation. Reference: Bertrand & Massias 2021, algorithm 1. The caller
// accepts the point only if its objective is smaller.
#pragma once

#include <Eigen/Dense>

#include "thalweg/core/types.hpp"

namespace thalweg::solver {

class Anderson final {
 public:
  static constexpr int depth = 5;

  void reset() { count_ = 0; }

  // Records an iterate; true once there are enough to extrapolate.
  bool push(const Vector& x) {
    history_[static_cast<std::size_t>(count_)] = x;
    return ++count_ == depth + 1;
  }

  // The extrapolated point; starts a new sequence. False where the system is singular.
  bool extrapolate(Vector& out) {
    count_ = 0;
    Eigen::Matrix<double, depth, depth> gram;
    for (int i = 0; i < depth; ++i) {
      for (int j = 0; j <= i; ++j) gram(i, j) = gram(j, i) = difference_dot(i, j);
    }
    const double scale = gram.diagonal().maxCoeff();
    if (!(scale > 0)) return false;
    gram /= scale;
    gram.diagonal().array() += 1e-14;
    Eigen::Matrix<double, depth, 1> c =
        gram.ldlt().solve(Eigen::Matrix<double, depth, 1>::Ones());
    const double sum = c.sum();
    if (!std::isfinite(sum) || sum == 0) return false;
    c /= sum;
    out.assign(history_[0].size(), 0.0);
    for (int i = 0; i < depth; ++i) {
      const Vector& x = history_[static_cast<std::size_t>(i + 1)];
      for (std::size_t k = 0; k < x.size(); ++k) out[k] += c[i] * x[k];
    }
    return true;
  }

 private:
  double difference_dot(int i, int j) const {
    const Vector &a = history_[static_cast<std::size_t>(i)], &b = history_[static_cast<std::size_t>(i + 1)];
    const Vector &c = history_[static_cast<std::size_t>(j)], &d = history_[static_cast<std::size_t>(j + 1)];
    double sum = 0;
    for (std::size_t k = 0; k < a.size(); ++k) sum += (b[k] - a[k]) * (d[k] - c[k]);
    return sum;
  }

  std::array<Vector, depth + 1> history_;
  int count_ = 0;
};

}  // namespace thalweg::solver
