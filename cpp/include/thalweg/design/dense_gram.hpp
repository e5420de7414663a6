// Blocked Gram matrix of dense columns: out = X_A' diag(s) X_B, B the last columns of A.
//
// Columns are packed, centred and converted to float64, into panels of gram_panel_width columns,
// `row_chunk` rows at a time, so that the packed chunk stays in cache and memory stays bounded;
// tiles of the result then run on the register-blocked panel product. Cost: 2 n |A| |B| flops less
// the symmetric half of B x B, plus one read of the columns. Row chunks are added in order and tiles
// are disjoint, so the bits do not depend on threads. Layout after Goto & van de Geijn 2008.
#pragma once

#include <algorithm>
#include <memory>

#include "thalweg/design/concept.hpp"

namespace thalweg::design {

template <class T>
struct DenseColumn {
  const T* data;
  Index stride;  // between consecutive rows
};

namespace detail {

inline constexpr Index gram_chunk_bytes = 4 << 20;
inline constexpr Index gram_inner_rows = 256;  // one panel of this many rows fits the L1 cache

inline Index gram_chunk_rows(Index rows, Index packed_columns) {
  const Index fit = gram_chunk_bytes / (8 * std::max<Index>(packed_columns, 1));
  const Index rounded = std::max<Index>(fit / gram_inner_rows, 1) * gram_inner_rows;
  return std::min(rows, rounded);
}

// Fresh columns for which packing all others costs more than multiplying with them one by one.
inline constexpr Index few_columns = 6;

// The same result by products of contiguous columns with one centred, weighted column at a time.
template <class T, class ColumnFunction>
void gram_few(const ColumnFunction& column, Index rows, std::span<const Index> columns, Index fresh,
              const double* center, const double* s, double* out, Index ld,
              const core::Execution& execution) {
  constexpr Index group = 8;
  const kernels::DenseKernels<T>& kernel = kernels::table().template dense<T>();
  const auto count = static_cast<Index>(columns.size());
  Vector fresh_column(static_cast<std::size_t>(rows));
  for (Index k = 0; k < fresh; ++k) {
    const Index j = columns[static_cast<std::size_t>(count - fresh + k)];
    const T* const x = column(j).data;
    const double mean = center != nullptr ? center[j] : 0.0;
    double sum = 0;
    for (Index i = 0; i < rows; ++i) {
      const double value = (static_cast<double>(x[i]) - mean) * (s != nullptr ? s[i] : 1.0);
      fresh_column[static_cast<std::size_t>(i)] = value;
      sum += value;
    }
    core::parallel_for(
        (count + group - 1) / group, serial_if_small(count * rows, execution), [&](Index g) {
          const T* data[group];
          const Index size = std::min(group, count - g * group);
          for (Index c = 0; c < size; ++c) {
            data[c] = column(columns[static_cast<std::size_t>(g * group + c)]).data;
          }
          double* const products = out + g * group + k * ld;
          kernel.dots(data, size, fresh_column.data(), rows, products);
          for (Index c = 0; center != nullptr && c < size; ++c) {
            products[c] -= center[columns[static_cast<std::size_t>(g * group + c)]] * sum;
          }
        });
  }
}

}  // namespace detail

// column(j) -> DenseColumn<T>. center (by column j) and s (by row) may be null.
template <class T, class ColumnFunction>
void dense_gram(const ColumnFunction& column, Index rows, std::span<const Index> columns,
                Index fresh, const double* center, const double* s, double* out, Index ld,
                const core::Execution& requested) {
  if (fresh <= detail::few_columns && column(columns.front()).stride == 1) {
    detail::gram_few<T>(column, rows, columns, fresh, center, s, out, ld, requested);
    return;
  }
  constexpr Index width = kernels::gram_panel_width;
  const kernels::Table& table = kernels::table();
  const auto count = static_cast<Index>(columns.size());
  const Index first = count - fresh;
  const Index panels_a = (count + width - 1) / width;
  const Index panels_b = (fresh + width - 1) / width;
  const core::Execution execution = serial_if_small(rows * count * fresh, requested);

  const Index chunk = detail::gram_chunk_rows(rows, (panels_a + panels_b) * width);
  const Index panel_size = chunk * width;
  const auto packed =
      std::make_unique_for_overwrite<double[]>(static_cast<std::size_t>((panels_a + panels_b) * panel_size));
  double* const packed_a = packed.get();
  double* const packed_b = packed.get() + panels_a * panel_size;

  for (Index k = 0; k < fresh; ++k) std::fill_n(out + k * ld, count, 0.0);

  for (Index row = 0; row < rows; row += chunk) {
    const Index height = std::min(chunk, rows - row);
    // A fold leaves many rows out, often in one run.
    if (s != nullptr && std::all_of(s + row, s + row + height, [](double w) { return w == 0; })) {
      continue;
    }
    core::parallel_for(panels_a + panels_b, execution, [&](Index panel) {
      const bool weighted = panel >= panels_a;
      const Index begin = weighted ? first + (panel - panels_a) * width : panel * width;
      const Index panel_columns = std::min(width, count - begin);
      const T* data[width];
      double centers[width];
      Index stride = 1;
      for (Index c = 0; c < panel_columns; ++c) {
        const Index j = columns[static_cast<std::size_t>(begin + c)];
        const DenseColumn<T> x = column(j);
        data[c] = x.data + row * x.stride;
        stride = x.stride;
        centers[c] = center != nullptr ? center[j] : 0.0;
      }
      table.template dense<T>().pack(data, stride, panel_columns, height,
                                     center != nullptr ? centers : nullptr,
                                     weighted && s != nullptr ? s + row : nullptr,
                                     packed.get() + panel * panel_size);
    });
    // Tiles of whole panels; a task is one panel of B against a few panels of A.
    constexpr Index group = 4;
    const Index groups = (panels_a + group - 1) / group;
    core::parallel_for(panels_b * groups, execution, [&](Index task) {
      const Index pb = task / groups;
      const Index b_begin = pb * width;
      const Index b_count = std::min(width, fresh - b_begin);
      const Index a_end = std::min(panels_a, (task % groups + 1) * group);
      for (Index inner = 0; inner < height; inner += detail::gram_inner_rows) {
        const Index depth = std::min(detail::gram_inner_rows, height - inner);
        for (Index pa = task % groups * group; pa < a_end; ++pa) {
          const Index a_begin = pa * width;
          // The part of the square B x B above its diagonal is mirrored below.
          if (a_begin >= first + b_begin + b_count) continue;
          table.block.panel_product(packed_a + pa * panel_size + inner * width,
                                    packed_b + pb * panel_size + inner * width, depth, 1.0,
                                    out + a_begin + b_begin * ld, ld,
                                    std::min(width, count - a_begin), b_count);
        }
      }
    });
  }
  for (Index k = 0; k < fresh; ++k) {
    for (Index i = k + 1; i < fresh; ++i) out[first + i + k * ld] = out[first + k + i * ld];
  }
}

}  // namespace thalweg::design
