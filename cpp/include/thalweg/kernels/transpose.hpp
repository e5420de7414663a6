// Transposed copies of column-major matrices, by tiles: a plain double loop writes (or reads) a
// cache line per entry, a tile uses every line that it touches. Tiles poll the stop token; after a
// stop the result is not complete.
#pragma once

#include <algorithm>

#include "thalweg/core/parallel.hpp"
#include "thalweg/core/types.hpp"

namespace thalweg::kernels {

namespace detail {

inline constexpr Index transpose_tile = 32;  // two tiles of doubles fit the first-level cache

// Calls f(begin, end) on strips of the indices below `count`, which have `entries` in all.
template <class F>
void over_strips(Index count, Index entries, core::Execution execution, F&& f) {
  constexpr Index worth_threads = 1 << 18;
  if (entries < worth_threads) execution.threads = 1;
  core::parallel_for((count + transpose_tile - 1) / transpose_tile, execution, [&](Index strip) {
    f(strip * transpose_tile, std::min(count, (strip + 1) * transpose_tile));
  });
}

}  // namespace detail

// out[j + i * out_ld] = in[i + j * in_ld] for i < rows, j < cols.
inline void copy_transposed(const double* in, Index in_ld, Index rows, Index cols, double* out,
                            Index out_ld, const core::Execution& execution) {
  detail::over_strips(rows, rows * cols, execution, [&](Index first, Index last) {
    for (Index begin = 0; begin < cols; begin += detail::transpose_tile) {
      const Index end = std::min(cols, begin + detail::transpose_tile);
      for (Index i = first; i < last; ++i) {
        for (Index j = begin; j < end; ++j) out[j + i * out_ld] = in[i + j * in_ld];
      }
    }
  });
}

namespace detail {

// Calls f(i, k) for k < i < size, by tiles.
template <class F>
void over_triangle(Index size, const core::Execution& execution, F&& f) {
  over_strips(size, size * size / 2, execution, [&](Index first, Index last) {
    for (Index begin = first; begin < size; begin += transpose_tile) {
      const Index end = std::min(size, begin + transpose_tile);
      for (Index k = first; k < last; ++k) {
        for (Index i = std::max(begin, k + 1); i < end; ++i) f(i, k);
      }
    }
  });
}

}  // namespace detail

// The triangle above the diagonal of a square matrix, copied below it.
inline void mirror_upper(double* a, Index size, Index ld, const core::Execution& execution) {
  detail::over_triangle(size, execution, [=](Index i, Index k) { a[i + k * ld] = a[k + i * ld]; });
}

// The triangle below the diagonal, copied above it.
inline void mirror_lower(double* a, Index size, Index ld, const core::Execution& execution) {
  detail::over_triangle(size, execution, [=](Index i, Index k) { a[k + i * ld] = a[i + k * ld]; });
}

}  // namespace thalweg::kernels
