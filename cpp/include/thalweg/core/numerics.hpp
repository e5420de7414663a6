// Scalar functions that losses, penalties and solvers share. Plain inline functions of their
// arguments only, so that a device compiler can take them as they are.
#pragma once

#include <algorithm>
#include <cmath>

namespace thalweg::core {

// argmin_w 1/2 (w - v)^2 + t |w|
inline double soft_threshold(double v, double t) {
  return std::copysign(std::max(std::fabs(v) - t, 0.0), v);
}

inline double clip(double v, double lower, double upper) {
  return std::min(std::max(v, lower), upper);
}

inline double square(double v) { return v * v; }

}  // namespace thalweg::core
