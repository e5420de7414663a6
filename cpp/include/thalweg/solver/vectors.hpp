// What solvers do with whole vectors, through the kernels of the instruction set in use. One
// thread: the order of sums depends on the length only.
#pragma once

#include <algorithm>
#include <cmath>

#include "thalweg/kernels/kernels.hpp"

namespace thalweg::solver {

inline double dot(const Vector& a, const Vector& b) {
  return kernels::table().dense<double>().dot(a.data(), b.data(), static_cast<Index>(a.size()));
}

// y += a x
inline void axpy(double a, const Vector& x, Vector& y) {
  kernels::table().dense<double>().axpy(a, x.data(), y.data(), static_cast<Index>(x.size()));
}

inline double largest_entry(const Vector& v) {
  double largest = 0;
  for (const double entry : v) largest = std::max(largest, std::fabs(entry));
  return largest;
}

// Also where squares overflow or vanish.
inline double norm(const Vector& v) {
  const double square = dot(v, v);
  if (square < infinity && square > std::numeric_limits<double>::min()) return std::sqrt(square);
  const double scale = largest_entry(v);
  if (scale == 0) return 0;
  double sum = 0;
  for (const double entry : v) sum += (entry / scale) * (entry / scale);
  return scale * std::sqrt(sum);
}

}  // namespace thalweg::solver
