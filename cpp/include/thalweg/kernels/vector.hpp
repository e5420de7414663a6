// Operations on whole vectors of float64, through the kernels of the instruction set in use. Sums
// depend on the length only, never on threads. For calls that do at least some tens of
// multiply-adds; shorter loops are better written out.
#pragma once

#include <cmath>

#include "thalweg/kernels/kernels.hpp"

namespace thalweg::kernels {

inline double dot(const Vector& x, const Vector& y) {
  return table().dense_f64.dot(x.data(), y.data(), static_cast<Index>(x.size()));
}

// y += a x
inline void axpy(double a, const Vector& x, Vector& y) {
  table().dense_f64.axpy(a, x.data(), y.data(), static_cast<Index>(x.size()));
}

inline double norm(const Vector& x) { return std::sqrt(dot(x, x)); }

// max_j |x_j|; NaN where an entry is.
inline double largest(const Vector& x) {
  double result = 0;
  for (const double entry : x) {
    if (!(std::fabs(entry) <= result)) result = std::fabs(entry);
  }
  return result;
}

}  // namespace thalweg::kernels
