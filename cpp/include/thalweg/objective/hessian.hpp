// Second-order information that a user's function lacks, from what it has.
//
//   product  from the matrix, which is kept until the point changes
//   matrix   from n products
//   both     from gradients: products as (g(x + h v) - g(x)) / h, the matrix as the symmetric part
//            of the columns (g(x + h e_j) - g(x)) / h
//
// Costs: a product of the matrix 2 n^2 operations and n^2 numbers; by differences one gradient a
// product, n a matrix, with a relative error of about eps^(1/2). Gradients that are differences
// themselves are too inexact for that.
//
// Reference: Nocedal & Wright 2006, section 8.1.
#pragma once

#include "thalweg/objective/differences.hpp"

namespace thalweg::objective {

namespace detail {

// Remembers what was computed at the last point.
class AtPoint final {
 public:
  AtPoint(Index size, Index length)
      : x_(static_cast<std::size_t>(size), std::numeric_limits<double>::quiet_NaN()),
        values_(static_cast<std::size_t>(length)) {}

  template <class F>
  const Vector& get(const double* x, const F& compute) {
    if (!std::equal(x_.begin(), x_.end(), x)) {
      compute(x, values_.data());
      x_.assign(x, x + x_.size());
    }
    return values_;
  }

 private:
  Vector x_, values_;
};

inline void add_product_of_matrix(UserFunction& function) {
  const Index n = function.size;
  function.hessian_product = [n, hessian = function.hessian, at = AtPoint(n, n * n)](
                                 const double* x, const double* v, double* out) mutable {
    const Vector& h = at.get(x, hessian);
    const auto size = static_cast<std::size_t>(n);
    std::fill_n(out, n, 0.0);
    for (std::size_t j = 0; j < size; ++j) {
      for (std::size_t i = j; i < size; ++i) {
        out[i] += h[j * size + i] * v[j];
        if (i != j) out[j] += h[j * size + i] * v[i];
      }
    }
  };
}

inline void add_matrix_of_products(UserFunction& function) {
  const Index n = function.size;
  function.hessian = [n, product = function.hessian_product,
                      unit = Vector(static_cast<std::size_t>(n))](const double* x,
                                                                  double* out) mutable {
    for (Index j = 0; j < n; ++j) {
      unit[static_cast<std::size_t>(j)] = 1.0;
      product(x, unit.data(), out + j * n);
      unit[static_cast<std::size_t>(j)] = 0.0;
    }
  };
}

// The longest step along v that the bounds allow, up to `wanted`.
inline double room_along(const double* x, const Vector& v, double sign,
                         const DifferenceOptions& options, double wanted) {
  double longest = wanted;
  for (std::size_t j = 0; j < v.size(); ++j) {
    const double d = sign * v[j];
    if (d > 0 && options.upper != nullptr)
      longest = std::min(longest, (options.upper[j] - x[j]) / d);
    if (d < 0 && options.lower != nullptr)
      longest = std::min(longest, (options.lower[j] - x[j]) / d);
  }
  return longest;
}

// Products and matrices by differences of gradients.
class GradientDifferences final {
 public:
  GradientDifferences(const UserFunction& function, const DifferenceOptions& options)
      : value_gradient_(function.value_gradient),
        options_(options),
        base_(function.size, function.size),
        columns_(function.size, function.size, options),
        direction_(static_cast<std::size_t>(function.size)),
        trial_(static_cast<std::size_t>(function.size)) {}

  void product(const double* x, const double* v, double* out) {
    const std::size_t n = trial_.size();
    const Vector& at = gradient_at(x);
    direction_.assign(v, v + n);
    double length = 0, reach = 1;
    for (std::size_t j = 0; j < n; ++j) {
      length = std::max(length, std::fabs(v[j]));
      reach = std::max(reach, std::fabs(x[j]));
    }
    std::fill_n(out, n, 0.0);
    if (length == 0) return;
    const double wanted = std::sqrt(epsilon) * reach / length;
    const double ahead = room_along(x, direction_, 1, options_, wanted);
    const double behind = ahead < wanted ? room_along(x, direction_, -1, options_, wanted) : 0;
    const double h = ahead >= behind ? ahead : -behind;
    if (h == 0) return;
    for (std::size_t j = 0; j < n; ++j) trial_[j] = x[j] + h * v[j];
    value_gradient_(trial_.data(), out);
    for (std::size_t j = 0; j < n; ++j) out[j] = (out[j] - at[j]) / h;
  }

  void matrix(const double* x, double* out) {
    const std::size_t n = trial_.size();
    columns_.jacobian([this](const double* point, double* g) { value_gradient_(point, g); }, x,
                      gradient_at(x).data(), out);
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t i = j + 1; i < n; ++i)
        out[j * n + i] = out[i * n + j] = 0.5 * (out[j * n + i] + out[i * n + j]);
    }
  }

 private:
  const Vector& gradient_at(const double* x) {
    return base_.get(x, [this](const double* point, double* g) { value_gradient_(point, g); });
  }

  std::function<double(const double*, double*)> value_gradient_;
  DifferenceOptions options_;
  AtPoint base_;
  Differences columns_;
  Vector direction_, trial_;
};

}  // namespace detail

// The function with Hessian matrix and products.
inline UserFunction with_hessian(UserFunction function, const DifferenceOptions& options) {
  if (function.hessian && !function.hessian_product) {
    detail::add_product_of_matrix(function);
  } else if (function.hessian_product && !function.hessian) {
    detail::add_matrix_of_products(function);
  } else if (!function.hessian) {
    function.hessian_product = [differences = detail::GradientDifferences(function, options)](
                                   const double* x, const double* v, double* out) mutable {
      differences.product(x, v, out);
    };
    function.hessian = [differences = detail::GradientDifferences(function, options)](
                           const double* x, double* out) mutable { differences.matrix(x, out); };
  }
  return function;
}

}  // namespace thalweg::objective
