// What solvers do with whole vectors, through the kernels of the instruction set in use, on as many
// threads as are asked for: the order of sums depends on the length only. What a vector of float64
// is multiplied by or added to may be kept in float32.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "thalweg/core/elements.hpp"
#include "thalweg/core/types.hpp"
#include "thalweg/kernels/kernels.hpp"

namespace thalweg::solver {

template <class Real>
Index length_of(const VectorOf<Real>& v) {
  return static_cast<Index>(v.size());
}

template <class Real>
double dot(const VectorOf<Real>& a, const Vector& b, int threads = 1) {
  const auto& kernel = kernels::table().dense<Real>();
  return core::sum_elements(length_of(a), threads, [&](Index begin, Index end) {
    return kernel.dot(a.data() + begin, b.data() + begin, end - begin);
  });
}

// y += a x
template <class Real>
void axpy(double a, const VectorOf<Real>& x, Vector& y, int threads = 1) {
  const auto& kernel = kernels::table().dense<Real>();
  core::for_elements(length_of(x), threads, [&](Index begin, Index end) {
    kernel.axpy(a, x.data() + begin, y.data() + begin, end - begin);
  });
}

// y += a x and, in the same pass, y'z of the result.
template <class Real>
double axpy_dot(double a, const VectorOf<Real>& x, Vector& y, const VectorOf<Real>& z,
                int threads = 1) {
  const auto& kernel = kernels::table().dense<Real>();
  return core::sum_elements(length_of(x), threads, [&](Index begin, Index end) {
    kernel.axpy(a, x.data() + begin, y.data() + begin, end - begin);
    return kernel.dot(z.data() + begin, y.data() + begin, end - begin);
  });
}

// max_j |v_j|; NaN if any entry is. In four parts, so that no comparison waits for the last one.
inline double largest_entry(const double* v, Index n) {
  double largest[4] = {};
  bool any_nan = false;
  const auto take = [&](double entry, double& part) {
    const double size = std::fabs(entry);
    any_nan |= size != size;
    part = size > part ? size : part;
  };
  Index j = 0;
  for (; j + 4 <= n; j += 4) {
    for (Index k = 0; k < 4; ++k) take(v[j + k], largest[k]);
  }
  for (; j < n; ++j) take(v[j], largest[0]);
  if (any_nan) return nan;
  return std::max(std::max(largest[0], largest[1]), std::max(largest[2], largest[3]));
}
inline double largest_entry(const Vector& v, int threads = 1) {
  const Index n = length_of(v);
  if (n <= core::elements_block) return largest_entry(v.data(), n);
  Vector parts(static_cast<std::size_t>((n + core::elements_block - 1) / core::elements_block));
  core::for_elements(n, threads, [&](Index begin, Index end) {
    parts[static_cast<std::size_t>(begin / core::elements_block)] =
        largest_entry(v.data() + begin, end - begin);
  });
  return largest_entry(parts.data(), length_of(parts));
}

// Also where squares overflow or vanish.
inline double norm(const Vector& v, int threads = 1) {
  const double square = dot(v, v, threads);
  if (square < infinity && square > std::numeric_limits<double>::min()) return std::sqrt(square);
  const double scale = largest_entry(v);
  if (scale == 0 || !std::isfinite(scale)) return scale;
  double sum = 0;
  for (const double entry : v) sum += (entry / scale) * (entry / scale);
  return scale * std::sqrt(sum);
}

}  // namespace thalweg::solver
