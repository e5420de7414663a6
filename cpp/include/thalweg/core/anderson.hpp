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

#include <array>

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
  bool extrapolate(Vector& out, const double* weights = nullptr);

 private:
  const Vector& at(int i) const { return history_[static_cast<std::size_t>(i)]; }

  double difference_dot(int i, int j, const double* weights) const;

  std::array<Vector, depth + 1> history_;
  int count_ = 0;
};

}  // namespace thalweg::core
