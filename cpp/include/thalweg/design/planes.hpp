// Several vectors, as products with X take them: one after the other ("planes"), or interleaved, so
// that what an entry of X meets lies side by side.
#pragma once

#include <algorithm>
#include <span>

#include "thalweg/design/concept.hpp"
#include "thalweg/kernels/kernels.hpp"

namespace thalweg::design {

// Numbers from one element of interleaved planes to the next.
inline Index interleaved_pitch(Index planes) {
  constexpr Index step = kernels::side_by_side;
  return (planes + step - 1) / step * step;
}

// Blocks of rows, each with sums of its own for every plane: of about 1,024 rows or more, as even
// as can be; of fewer where they would be hardly any, since planes that share what is read of X
// gain more than the sums cost. No more than two whose sums are more than an eighth of X, of
// entries T.
template <class T>
Index plane_blocks(Index rows, Index planes) {
  constexpr auto share = static_cast<Index>(8 * sizeof(double) / sizeof(T));
  const Index wanted = std::max(rows / 1024, std::min<Index>(rows / 128, 8));
  const Index two = std::min<Index>({wanted, rows / (4 * planes), 2});
  const Index small = std::max(rows / (share * planes), two);
  return std::clamp<Index>(std::min(wanted, small), 1, most_row_blocks);
}

// out[i * interleaved_pitch(planes) + k] = v[k * pitch + i] for i < n, padded with zeros.
inline void interleave(const double* v, Index pitch, Index n, Index planes, double* out) {
  const Index width = interleaved_pitch(planes);
  for (Index i = 0; i < n; ++i, out += width) {
    for (Index k = 0; k < planes; ++k) out[k] = v[k * pitch + i];
    std::fill(out + planes, out + width, 0.0);
  }
}

// Whether columns follow one another, as those of a design do that takes part as a whole.
inline bool is_run(std::span<const Index> columns) {
  for (std::size_t k = 1; k < columns.size(); ++k) {
    if (columns[k] != columns[0] + static_cast<Index>(k)) return false;
  }
  return true;
}

}  // namespace thalweg::design
