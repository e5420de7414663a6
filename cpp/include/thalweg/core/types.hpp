// Shared scalar and container types.
//
// Iterates, residuals, Gram blocks and certificates are float64 whatever the storage type of the
// data; only a design is templated on its scalar (float or double) and index type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "thalweg/core/recycling.hpp"

namespace thalweg {

using Index = std::int64_t;
template <class Real>
using VectorOf = std::vector<Real, core::RecyclingAllocator<Real>>;
using Vector = VectorOf<double>;
using ConstSpan = std::span<const double>;
using Span = std::span<double>;

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double epsilon = std::numeric_limits<double>::epsilon();
inline constexpr double smallest_normal = std::numeric_limits<double>::min();

}  // namespace thalweg
