// Functions with known minima for tests of solvers of smooth problems.
#pragma once

#include <cmath>

#include "least_squares_functions.hpp"
#include "thalweg/objective/callable.hpp"

namespace thalweg::test {

// 1/2 sum_i d_i (x_i - 1)^2 with d_i from 1 to `condition`, geometrically.
inline objective::UserFunction quadratic(Index size, double condition) {
  Vector d(static_cast<std::size_t>(size));
  for (Index i = 0; i < size; ++i) {
    d[static_cast<std::size_t>(i)] = std::pow(
        condition, static_cast<double>(i) / static_cast<double>(std::max<Index>(size - 1, 1)));
  }
  objective::UserFunction f;
  f.size = size;
  f.value = [d](const double* x) {
    double sum = 0;
    for (std::size_t i = 0; i < d.size(); ++i) sum += 0.5 * d[i] * (x[i] - 1) * (x[i] - 1);
    return sum;
  };
  f.value_gradient = [d, value = f.value](const double* x, double* g) {
    for (std::size_t i = 0; i < d.size(); ++i) g[i] = d[i] * (x[i] - 1);
    return value(x);
  };
  f.hessian_product = [d](const double*, const double* v, double* out) {
    for (std::size_t i = 0; i < d.size(); ++i) out[i] = d[i] * v[i];
  };
  f.hessian = [d](const double*, double* h) {
    for (std::size_t k = 0; k < d.size() * d.size(); ++k) h[k] = 0;
    for (std::size_t i = 0; i < d.size(); ++i) h[i * (d.size() + 1)] = d[i];
  };
  f.residual_count = size;
  f.residuals = [d](const double* x, double* r, double* jacobian) {
    std::fill_n(jacobian, d.size() * d.size(), 0.0);
    for (std::size_t i = 0; i < d.size(); ++i) {
      jacobian[i * (d.size() + 1)] = std::sqrt(d[i]);
      r[i] = std::sqrt(d[i]) * (x[i] - 1);
    }
  };
  return f;
}

}  // namespace thalweg::test
