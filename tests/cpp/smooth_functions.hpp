// Functions with known minima for tests of solvers of smooth problems.
#pragma once

#include <cmath>
#include <numbers>
#include <string>

#include "thalweg/objective/callable.hpp"

namespace thalweg::test {

// Writes r(x) and its Jacobian, column major of leading dimension `count`.
using ResidualFunction = std::function<void(const double* x, double* r, double* jacobian)>;

// f = sum_i r_i(x)^2 with everything that a solver may ask for. The Hessian is by central
// differences of the gradient, good to nine digits.
inline objective::UserFunction least_squares(Index size, Index count, ResidualFunction residuals) {
  const auto n = static_cast<std::size_t>(size), m = static_cast<std::size_t>(count);
  objective::UserFunction f;
  f.size = size;
  f.value_gradient = [=](const double* x, double* g) {
    Vector r(m), jacobian(m * n, 0.0);
    residuals(x, r.data(), jacobian.data());
    double sum = 0;
    for (const double entry : r) sum += entry * entry;
    for (std::size_t j = 0; j < n; ++j) {
      g[j] = 0;
      for (std::size_t i = 0; i < m; ++i) g[j] += 2 * jacobian[i + j * m] * r[i];
    }
    return sum;
  };
  f.value = [n, both = f.value_gradient](const double* x) {
    Vector g(n);
    return both(x, g.data());
  };
  f.hessian_product = [n, both = f.value_gradient](const double* x, const double* v, double* out) {
    double length = 0, place = 0;
    for (std::size_t j = 0; j < n; ++j) {
      length = std::max(length, std::fabs(v[j]));
      place = std::max(place, std::fabs(x[j]));
    }
    const double h = length > 0 ? 1e-5 * std::max(1.0, place) / length : 1.0;
    Vector at(n), up(n), down(n);
    for (std::size_t j = 0; j < n; ++j) at[j] = x[j] + h * v[j];
    both(at.data(), up.data());
    for (std::size_t j = 0; j < n; ++j) at[j] = x[j] - h * v[j];
    both(at.data(), down.data());
    for (std::size_t j = 0; j < n; ++j) out[j] = (up[j] - down[j]) / (2 * h);
  };
  f.hessian = [n, product = f.hessian_product](const double* x, double* h) {
    Vector unit(n, 0.0);
    for (std::size_t j = 0; j < n; ++j) {
      unit[j] = 1;
      product(x, unit.data(), h + j * n);
      unit[j] = 0;
    }
  };
  f.residual_count = count;
  f.residuals = [=](const double* x, double* r, double* jacobian) {
    std::fill_n(jacobian, m * n, 0.0);
    residuals(x, r, jacobian);
    for (std::size_t i = 0; i < m; ++i) r[i] *= std::numbers::sqrt2;  // f = 1/2 r' r
    for (std::size_t k = 0; k < m * n; ++k) jacobian[k] *= std::numbers::sqrt2;
  };
  return f;
}

// Rosenbrock's function in `size` variables (even), minimum 0 at (1, ..., 1); with its Hessian.
inline objective::UserFunction rosenbrock(Index size = 2) {
  objective::UserFunction f =
      least_squares(size, size, [size](const double* x, double* r, double* jacobian) {
        for (Index i = 0; i < size; i += 2) {
          r[i] = 10 * (x[i + 1] - x[i] * x[i]);
          r[i + 1] = 1 - x[i];
          jacobian[i + i * size] = -20 * x[i];
          jacobian[i + (i + 1) * size] = 10;
          jacobian[i + 1 + i * size] = -1;
        }
      });
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
  return f;
}

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
