// The Hessian matrix of a user's function that lacks it, for solvers that need one: column by
// column from its products where there are any, else from differences of gradients, made symmetric.
//
// Cost: n products, or n gradients (central: 2 n) beside that of the point; the error of forward
// differences is about eps^(1/2), relative. Gradients that are differences themselves are too
// inexact for that.
//
// Reference: Nocedal & Wright 2006, section 8.1.
#pragma once

#include "thalweg/objective/differences.hpp"

namespace thalweg::objective {

inline void make_symmetric(double* matrix, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = j + 1; i < n; ++i)
      matrix[j * n + i] = matrix[i * n + j] = 0.5 * (matrix[j * n + i] + matrix[i * n + j]);
  }
}

// The function with its matrix; without a change where it has neither products nor a gradient.
inline UserFunction with_hessian_matrix(UserFunction function, const DifferenceOptions& options) {
  const auto n = static_cast<std::size_t>(function.size);
  if (function.hessian) return function;
  if (function.hessian_product) {
    function.hessian = [n, product = function.hessian_product, unit = Vector(n)](
                           const double* x, double* out) mutable {
      for (std::size_t j = 0; j < n; ++j) {
        unit[j] = 1.0;
        product(x, unit.data(), out + j * n);
        unit[j] = 0.0;
      }
    };
  } else if (function.value_gradient) {
    auto gradient = function.gradient;
    if (!gradient) gradient = function.value_gradient;
    function.hessian_by_gradients = [n, gradient = std::move(gradient),
                                     differences =
                                         Differences(function.size, function.size, options)](
                                        const double* x, const double* at, double* out) mutable {
      differences.jacobian(gradient, x, at, out);
      make_symmetric(out, n);
    };
  }
  return function;
}

}  // namespace thalweg::objective
