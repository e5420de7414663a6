// What solvers do with whole vectors, through the kernels of the instruction set in use. One
// thread: the order of sums depends on the length only.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "thalweg/kernels/kernels.hpp"

namespace thalweg::solver {

inline double dot(const Vector& a, const Vector& b) {
  return kernels::table().dense<double>().dot(a.data(), b.data(), static_cast<Index>(a.size()));
}

// y += a x
inline void axpy(double a, const Vector& x, Vector& y) {
  kernels::table().dense<double>().axpy(a, x.data(), y.data(), static_cast<Index>(x.size()));
}

// max_j |v_j|; NaN if any entry is. In four parts, so that no comparison waits for the last one.
inline double largest_entry(const Vector& v) {
  double largest[4] = {};
  bool any_nan = false;
  const auto take = [&](double entry, double& part) {
    const double size = std::fabs(entry);
    any_nan |= size != size;
    part = size > part ? size : part;
  };
  std::size_t j = 0;
  for (; j + 4 <= v.size(); j += 4) {
    for (std::size_t k = 0; k < 4; ++k) take(v[j + k], largest[k]);
  }
  for (; j < v.size(); ++j) take(v[j], largest[0]);
  if (any_nan) return std::numeric_limits<double>::quiet_NaN();
  return std::max(std::max(largest[0], largest[1]), std::max(largest[2], largest[3]));
}

// Also where squares overflow or vanish.
inline double norm(const Vector& v) {
  const double square = dot(v, v);
  if (square < infinity && square > std::numeric_limits<double>::min()) return std::sqrt(square);
  const double scale = largest_entry(v);
  if (scale == 0 || !std::isfinite(scale)) return scale;
  double sum = 0;
  for (const double entry : v) sum += (entry / scale) * (entry / scale);
  return scale * std::sqrt(sum);
}

}  // namespace thalweg::solver
