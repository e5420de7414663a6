// Functions with known minima for tests of line searches and of solvers of smooth problems.
#pragma once

#include <cmath>

#include "thalweg/objective/callable.hpp"

namespace thalweg::test {

// Rosenbrock's function in `size` variables (even), minimum 0 at (1, ..., 1); with Hessian and
// residuals.
inline objective::UserFunction rosenbrock(Index size = 2) {
  objective::UserFunction f{.size = size};
  f.value = [size](const double* x) {
    double sum = 0;
    for (Index i = 0; i < size; i += 2) {
      const double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
      sum += 100 * a * a + b * b;
    }
    return sum;
  };
  f.value_gradient = [size, value = f.value](const double* x, double* g) {
    for (Index i = 0; i < size; i += 2) {
      const double a = x[i + 1] - x[i] * x[i];
      g[i] = -400 * x[i] * a - 2 * (1 - x[i]);
      g[i + 1] = 200 * a;
    }
    return value(x);
  };
  f.hessian = [size](const double* x, double* h) {
    for (Index k = 0; k < size * size; ++k) h[k] = 0;
    for (Index i = 0; i < size; i += 2) {
      h[i * (size + 1)] = 1200 * x[i] * x[i] - 400 * x[i + 1] + 2;
      h[i * (size + 1) + 1] = h[(i + 1) * size + i] = -400 * x[i];
      h[(i + 1) * (size + 1)] = 200;
    }
  };
  f.hessian_product = [size](const double* x, const double* v, double* out) {
    for (Index i = 0; i < size; i += 2) {
      const double a = 1200 * x[i] * x[i] - 400 * x[i + 1] + 2, b = -400 * x[i];
      out[i] = a * v[i] + b * v[i + 1];
      out[i + 1] = b * v[i] + 200 * v[i + 1];
    }
  };
  f.residual_count = size;
  f.residuals = [size](const double* x, double* r, double* jacobian) {
    const double root = std::sqrt(2.0);  // f = 1/2 r' r
    for (Index k = 0; k < size * size; ++k) jacobian[k] = 0;
    for (Index i = 0; i < size; i += 2) {
      r[i] = root * 10 * (x[i + 1] - x[i] * x[i]);
      r[i + 1] = root * (1 - x[i]);
      jacobian[i + i * size] = -root * 20 * x[i];
      jacobian[i + (i + 1) * size] = root * 10;
      jacobian[i + 1 + i * size] = -root;
    }
  };
  return f;
}

// 1/2 sum_i d_i (x_i - 1)^2 with d_i from 1 to `condition`, geometrically.
inline objective::UserFunction quadratic(Index size, double condition) {
  Vector d(static_cast<std::size_t>(size));
  for (Index i = 0; i < size; ++i) {
    d[static_cast<std::size_t>(i)] =
        std::pow(condition, static_cast<double>(i) / static_cast<double>(std::max<Index>(size - 1, 1)));
  }
  objective::UserFunction f{.size = size};
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
  return f;
}

}  // namespace thalweg::test
