// Robust losses for least squares, as functions of z = (r / c)^2:
//
//   f(x) = 1/2 sum_k c^2 rho(r_k(x)^2 / c^2)
//
// rho(z) ~ z for small z, grows more slowly for large; c is the size of a residual from which on it
// counts for less. With rho'' < 0 the residuals and their Jacobian are rescaled,
//
//   J~_k = a_k J_k,  r~_k = rho'_k r_k / a_k,   a_k^2 = max(rho' + 2 rho'' z, rho' / 100),
//
// so that J~'r~ is f's gradient and J~'J~ its Gauss-Newton matrix, as far as that is positive.
// Where it is not, a share of the weight rho' of reweighted least squares keeps steps of a
// reasonable length: far from the data every residual may be an outlier.
//
// Reference: Triggs, McLauchlan, Hartley & Fitzgibbon 2000, section 4.3.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "thalweg/core/types.hpp"

namespace thalweg::objective {

enum class Rho { linear, soft_l1, huber, cauchy, arctan };

inline constexpr std::array<std::string_view, 5> rho_names{"linear", "soft_l1", "huber", "cauchy",
                                                           "arctan"};

struct RhoPoint {
  double value = 0, first = 1, second = 0;  // rho, rho', rho''
};

inline RhoPoint evaluate_rho(Rho rho, double z) {
  const double t = 1 + z;
  switch (rho) {
    case Rho::linear:
      return {z, 1, 0};
    case Rho::soft_l1: {  // 2 (sqrt(1 + z) - 1)
      const double root = std::sqrt(t);
      return {2 * z / (root + 1), 1 / root, -0.5 / (t * root)};
    }
    case Rho::huber: {  // z up to 1, then 2 sqrt(z) - 1
      if (z <= 1) return {z, 1, 0};
      const double root = std::sqrt(z);
      return {2 * root - 1, 1 / root, -0.5 / (z * root)};
    }
    case Rho::cauchy:  // log(1 + z)
      return {std::log1p(z), 1 / t, -1 / (t * t)};
    case Rho::arctan: {
      const double s = 1 / (1 + z * z);
      return {std::atan(z), s, -2 * z * s * s};
    }
  }
  return {};
}

struct Robust {
  Rho rho = Rho::linear;
  double scale = 1;  // c
};

// f; what overflows is infinite, and NaN comes through.
inline double robust_value(const Robust& robust, const double* r, Index count) {
  const double c = robust.scale;
  double sum = 0;
  for (Index k = 0; k < count; ++k) {
    const double z = (r[k] / c) * (r[k] / c);
    sum += evaluate_rho(robust.rho, z).value;
  }
  return 0.5 * c * c * sum;
}

// Rescales residuals and, row by row, a column-major Jacobian of leading dimension `count`.
inline void rescale(const Robust& robust, double* r, double* jacobian, Index count, Index cols) {
  if (robust.rho == Rho::linear) return;
  for (Index k = 0; k < count; ++k) {
    const double z = (r[k] / robust.scale) * (r[k] / robust.scale);
    const RhoPoint at = evaluate_rho(robust.rho, z);
    if (at.first == 0) {  // so far out that the residual counts for nothing
      r[k] = 0;
      for (Index j = 0; j < cols; ++j) jacobian[k + j * count] = 0;
      continue;
    }
    const double a = std::sqrt(std::max(at.first + 2 * at.second * z, 0.01 * at.first));
    r[k] *= at.first / a;
    for (Index j = 0; j < cols; ++j) jacobian[k + j * count] *= a;
  }
}

}  // namespace thalweg::objective
