// Anderson extrapolation of a sequence x_0 ... x_K that a fixed-point map made.
//
// With d_i = x_{i+1} - x_i: solve (D'D) c = 1, normalise sum c = 1, extrapolate to sum c_i x_{i+1}. For
// an affine map, such as coordinate descent on a fixed support, whose residuals are affine too, this
// improves the rate from kappa to about sqrt(kappa). The caller accepts the point only if it is better.
//
// Cost O(m K^2). References: Bertrand & Massias 2021, algorithm 1 (iterates); Massias, Gramfort, Salmon
// 2018, section 3 (residuals, for the dual).
#pragma once

#include <Eigen/Dense>

#include <array>
#include <cmath>
#include <optional>

#include "thalweg/core/types.hpp"

namespace thalweg::core {

inline constexpr int anderson_depth = 5;
using AndersonCoefficients = Eigen::Matrix<double, anderson_depth, 1>;

// dot(i, j) = <d_i, d_j> for i >= j. Nothing where the system is singular.
template <class Dot>
std::optional<AndersonCoefficients> anderson_coefficients(Dot&& dot) {
  Eigen::Matrix<double, anderson_depth, anderson_depth> gram;
  for (int i = 0; i < anderson_depth; ++i) {
    for (int j = 0; j <= i; ++j) gram(i, j) = gram(j, i) = dot(i, j);
  }
  const double scale = gram.diagonal().maxCoeff();
  if (!(scale > 0)) return std::nullopt;
  gram /= scale;
  gram.diagonal().array() += 1e-14;
  AndersonCoefficients c = gram.ldlt().solve(AndersonCoefficients::Ones());
  const double sum = c.sum();
  if (!std::isfinite(sum) || sum == 0) return std::nullopt;
  return c / sum;
}

// A window of anderson_depth + 1 vectors.
class AndersonHistory final {
 public:
  void reset() { count_ = 0; }
  // True once there are enough to extrapolate.
  bool push(const Vector& x) {
    vectors_[static_cast<std::size_t>(count_)] = x;
    return ++count_ == anderson_depth + 1;
  }

  // <d_i, d_j> with weights, which may be null.
  double difference_dot(int i, int j, const double* weights) const {
    const Vector &a = at(i), &b = at(i + 1), &c = at(j), &d = at(j + 1);
    double sum = 0;
    for (std::size_t k = 0; k < a.size(); ++k) {
      sum += (weights != nullptr ? weights[k] : 1.0) * (b[k] - a[k]) * (d[k] - c[k]);
    }
    return sum;
  }
  void combine(const AndersonCoefficients& c, Vector& out) const {
    out.assign(at(0).size(), 0.0);
    for (int i = 0; i < anderson_depth; ++i) {
      const Vector& x = at(i + 1);
      for (std::size_t k = 0; k < x.size(); ++k) out[k] += c[i] * x[k];
    }
  }

 private:
  const Vector& at(int i) const { return vectors_[static_cast<std::size_t>(i)]; }

  std::array<Vector, anderson_depth + 1> vectors_;
  int count_ = 0;
};

}  // namespace thalweg::core
