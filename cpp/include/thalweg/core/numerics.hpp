// Scalar functions that losses, penalties and solvers share. Plain inline functions of their
// arguments only, so that a device compiler can take them as they are.
//
// Templates on the number type V (double, or a pack of lanes of kernels/pack.inl) call elementary
// functions without a namespace: these here for double, those of the pack by its namespace.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace thalweg::core {

// argmin_w 1/2 (w - v)^2 + t |w|
inline double soft_threshold(double v, double t) {
  return std::copysign(std::max(std::fabs(v) - t, 0.0), v);
}

inline double clip(double v, double lower, double upper) {
  return std::min(std::max(v, lower), upper);
}

inline double square(double v) { return v * v; }

inline bool all_finite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

// The elementary functions of the number type double. A NaN in the first argument of min or max
// comes out.
inline double exp(double v) noexcept { return std::exp(v); }
inline double log(double v) noexcept { return std::log(v); }
inline double log1p(double v) noexcept { return std::log1p(v); }
inline double sqrt(double v) noexcept { return std::sqrt(v); }
inline double abs(double v) noexcept { return std::fabs(v); }
inline double min(double a, double b) noexcept { return b < a ? b : a; }
inline double max(double a, double b) noexcept { return a < b ? b : a; }
inline double select(bool condition, double a, double b) noexcept { return condition ? a : b; }
inline bool any(bool condition) noexcept { return condition; }

// c[0] + c[1] x + ... + c[n - 1] x^(n - 1)
template <class V, std::size_t n>
inline V polynomial(const double (&c)[n], V x) noexcept {
  V sum = c[n - 1];
#pragma GCC unroll 32
  for (int k = static_cast<int>(n) - 2; k >= 0; --k) sum = sum * x + c[k];
  return sum;
}

}  // namespace thalweg::core
