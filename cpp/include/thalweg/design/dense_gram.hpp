// Blocked Gram matrix of dense columns: out = X_A' diag(s) X_B, B the last columns of A.
//
// Columns are packed, centred and converted to float64 (or float32, which takes half the time where
// digits may be lost: GramPrecision), into panels of gram_panel_width columns,
// `row_chunk` rows at a time, so that the packed chunk stays in cache and memory stays bounded;
// tiles of the result then run on the register-blocked panel product. Cost: 2 n |A| |B| flops less
// the symmetric half of B x B, plus one read of the columns. Row chunks are added in order and
// tiles are disjoint, so the bits do not depend on threads. Layout after Goto & van de Geijn 2008.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "thalweg/design/concept.hpp"
#include "thalweg/kernels/panel_memory.hpp"
#include "thalweg/kernels/transpose.hpp"

namespace thalweg::design {

template <class T>
struct DenseColumn {
  const T* data;
  Index stride;  // between consecutive rows
};

namespace detail {

// Rows that the register tiles run over at once: of this many, what is read of two panels fits a
// first-level cache of 32 KB.
inline constexpr Index gram_inner_rows = 128;

// Rows of which all packed panels take at most so many bytes.
inline Index gram_chunk_rows(Index rows, Index packed_columns, Index bytes,
                             Index size = sizeof(double)) {
  const Index fit = bytes / (size * std::max<Index>(packed_columns, 1));
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
  constexpr Index most_rows = 1 << 18;  // at once: a vector over the rows may be as large as X
  const kernels::DenseKernels<T>& kernel = kernels::table().template dense<T>();
  const auto count = static_cast<Index>(columns.size());
  Vector fresh_column(static_cast<std::size_t>(std::min(rows, most_rows)));
  for (Index k = 0; k < fresh && !execution.stop_requested(); ++k) {
    const Index j = columns[static_cast<std::size_t>(count - fresh + k)];
    const double mean = center != nullptr ? center[j] : 0.0;
    for (Index row = 0; row < rows; row += most_rows) {
      const Index height = std::min(rows - row, most_rows);
      const T* const x = column(j).data + row;
      double sum = 0;
      for (Index i = 0; i < height; ++i) {
        const double value = (static_cast<double>(x[i]) - mean) * (s != nullptr ? s[row + i] : 1.0);
        fresh_column[static_cast<std::size_t>(i)] = value;
        sum += value;
      }
      core::parallel_for(
          (count + group - 1) / group, serial_if_small(count * height, execution), [&](Index g) {
            const T* data[group];
            double part[group];
            const Index size = std::min(group, count - g * group);
            for (Index c = 0; c < size; ++c) {
              data[c] = column(columns[static_cast<std::size_t>(g * group + c)]).data + row;
            }
            kernel.dots(data, size, fresh_column.data(), height, part);
            double* const products = out + g * group + k * ld;
            for (Index c = 0; c < size; ++c) {
              if (center != nullptr)
                part[c] -= center[columns[static_cast<std::size_t>(g * group + c)]] * sum;
              products[c] = row == 0 ? part[c] : products[c] + part[c];
            }
          });
    }
  }
}

// Products of packed panels: panels A of all columns, panels B of the fresh ones. Weights that are
// not negative are in both, as roots, so that fresh columns are packed once; others in B only
// (curvatures between two outputs are negative).
template <class T, class E, class ColumnFunction>
class GramPanels final {
 public:
  using Element = E;  // of the panels
  static constexpr Index width = kernels::gram_panel_width;

  GramPanels(const ColumnFunction& column, std::span<const Index> columns, Index fresh,
             const double* center, const double* s, Index rows)
      : column_(column), columns_(columns), fresh_(fresh), center_(center), s_(s) {
    shares_ = first() % width == 0 &&
              (s == nullptr || std::all_of(s, s + rows, [](double w) { return w >= 0; }));
  }

  // Whether panels B are among panels A: where the fresh columns begin with a panel.
  bool shares() const { return shares_; }
  Index panels_a() const { return (count() + width - 1) / width; }
  Index panels_b() const { return (fresh_ + width - 1) / width; }
  Index panels() const { return panels_a() + (shares() ? 0 : panels_b()); }

  // A fold leaves many rows out, often in one run.
  bool is_left_out(Index row, Index height) const {
    return s_ != nullptr &&
           std::all_of(s_ + row, s_ + row + height, [](double w) { return w == 0; });
  }

  // The roots of the weights of a chunk of rows, where panels have them.
  void take_roots(Index row, Index height, Vector& roots) const {
    if (!shares_ || s_ == nullptr) return;
    roots.resize(static_cast<std::size_t>(height));
    std::transform(s_ + row, s_ + row + height, roots.begin(),
                   [](double w) { return std::sqrt(w); });
  }

  // packed holds panels() times `chunk` rows; `roots` is of these rows.
  void pack(Index panel, Index row, Index height, Index chunk, const Vector& roots,
            E* packed) const {
    const bool is_b = panel >= panels_a();
    const double* const factors = !roots.empty()          ? roots.data()
                                  : is_b && s_ != nullptr ? s_ + row
                                                          : nullptr;
    const Index begin = is_b ? first() + (panel - panels_a()) * width : panel * width;
    const Index panel_columns = std::min(width, count() - begin);
    const T* data[width];
    double centers[width];
    Index stride = 1;
    for (Index c = 0; c < panel_columns; ++c) {
      const Index j = columns_[static_cast<std::size_t>(begin + c)];
      const DenseColumn<T> x = column_(j);
      data[c] = x.data + row * x.stride;
      stride = x.stride;
      centers[c] = center_ != nullptr ? center_[j] : 0.0;
    }
    table_.template dense<T>().template packer<E>()(data, stride, panel_columns, height,
                                                    center_ != nullptr ? centers : nullptr, factors,
                                                    packed + panel * chunk * width);
  }

  // out += A' B for panels [a_begin, a_end) of A and one of B. The part of the square of fresh
  // columns above its diagonal is left out.
  void multiply(Index a_begin, Index a_end, Index panel_b, Index height, Index chunk,
                const E* packed, double* out, Index ld) const {
    const Index panel_size = chunk * width;
    const E* const b = packed + ((shares() ? first() / width : panels_a()) + panel_b) * panel_size;
    const Index b_begin = panel_b * width;
    const Index b_count = std::min(width, fresh_ - b_begin);
    for (Index inner = 0; inner < height; inner += gram_inner_rows) {
      const Index depth = std::min(gram_inner_rows, height - inner);
      for (Index pa = a_begin; pa < a_end; ++pa) {
        const Index begin = pa * width;
        if (begin >= first() + b_begin + b_count) continue;
        table_.block.product<E>()(packed + pa * panel_size + inner * width, b + inner * width,
                                  depth, 1.0, out + begin + b_begin * ld, ld,
                                  std::min(width, count() - begin), b_count,
                                  begin == first() + b_begin);
      }
    }
  }

  void mirror(double* out, Index ld, const core::Execution& execution) const {
    kernels::mirror_upper(out + first(), fresh_, ld, execution);
  }

 private:
  Index count() const { return static_cast<Index>(columns_.size()); }
  Index first() const { return count() - fresh_; }

  const ColumnFunction& column_;
  std::span<const Index> columns_;
  Index fresh_;
  const double* center_;
  const double* s_;
  bool shares_;
  const kernels::Table& table_ = kernels::table();
};

// For many rows: blocks of rows, each with its own sums, so that what a core packs stays in its
// cache; the sums are added in the order of the blocks. Where these run in their order, one sum at
// a time is enough.
inline constexpr Index gram_row_blocks = 16;
inline constexpr Index gram_sums_bytes = 8 << 20;

template <class Panels>
void gram_by_rows(const Panels& panels, Index rows, Index count, Index fresh, double* out, Index ld,
                  const core::Execution& execution) {
  constexpr Index second_level_cache = 1 << 20;
  const Index chunk = gram_chunk_rows(rows, panels.panels() * Panels::width, second_level_cache,
                                      sizeof(typename Panels::Element));
  const Index chunks = (rows + chunk - 1) / chunk;
  const Index blocks = std::min(gram_row_blocks, chunks);
  const bool is_serial = core::is_serial(execution);
  std::vector<Vector> sums(static_cast<std::size_t>(is_serial ? 1 : blocks));
  const auto add = [&](const Vector& sum) {
    for (Index k = 0; k < fresh && !sum.empty(); ++k) {
      for (Index i = 0; i < count; ++i)
        out[i + k * ld] += sum[static_cast<std::size_t>(i + k * count)];
    }
  };
  core::parallel_for(blocks, execution, [&](Index block) {
    Vector& sum = sums[static_cast<std::size_t>(is_serial ? 0 : block)];
    sum.assign(static_cast<std::size_t>(count * fresh), 0.0);
    kernels::PanelMemory<typename Panels::Element> packed(panels.panels() * Panels::width * chunk);
    Vector roots;
    for (Index c = block * chunks / blocks; c < (block + 1) * chunks / blocks; ++c) {
      if (execution.stop_requested()) break;
      const Index row = c * chunk;
      const Index height = std::min(chunk, rows - row);
      if (panels.is_left_out(row, height)) continue;
      panels.take_roots(row, height, roots);
      for (Index panel = 0; panel < panels.panels(); ++panel) {
        panels.pack(panel, row, height, chunk, roots, packed.data());
      }
      for (Index panel = 0; panel < panels.panels_b(); ++panel) {
        panels.multiply(0, panels.panels_a(), panel, height, chunk, packed.data(), sum.data(),
                        count);
      }
    }
    if (is_serial) add(sum);
  });
  for (const Vector& sum : sums) {
    if (!is_serial) add(sum);
  }
}

// For many columns: chunks of rows in turn, whose panels all cores pack and multiply.
template <class Panels>
void gram_by_panels(const Panels& panels, Index rows, double* out, Index ld,
                    const core::Execution& execution) {
  constexpr Index chunk_bytes = 4 << 20;
  const Index chunk = gram_chunk_rows(rows, panels.panels() * Panels::width, chunk_bytes,
                                      sizeof(typename Panels::Element));
  kernels::PanelMemory<typename Panels::Element> packed(panels.panels() * Panels::width * chunk);
  // A task is one panel of B against a few panels of A.
  constexpr Index group = 4;
  const Index groups = (panels.panels_a() + group - 1) / group;
  Vector roots;
  for (Index row = 0; row < rows; row += chunk) {
    const Index height = std::min(chunk, rows - row);
    if (panels.is_left_out(row, height)) continue;
    panels.take_roots(row, height, roots);
    core::parallel_for(panels.panels(), execution, [&](Index panel) {
      panels.pack(panel, row, height, chunk, roots, packed.data());
    });
    core::parallel_for(panels.panels_b() * groups, execution, [&](Index task) {
      const Index begin = task % groups * group;
      panels.multiply(begin, std::min(panels.panels_a(), begin + group), task / groups, height,
                      chunk, packed.data(), out, ld);
    });
  }
}

template <class Panels>
void gram_of(const Panels& panels, Index rows, Index count, Index fresh, double* out, Index ld,
             const core::Execution& execution) {
  const Index sums_bytes = 8 * gram_row_blocks * count * fresh;
  if (sums_bytes <= gram_sums_bytes && rows > 16 * count) {
    gram_by_rows(panels, rows, count, fresh, out, ld, execution);
  } else {
    gram_by_panels(panels, rows, out, ld, execution);
  }
  panels.mirror(out, ld, execution);
}

}  // namespace detail

// The longest chain of additions that an entry of blocked products over so many rows takes.
inline double gram_chain(Index rows) {
  return static_cast<double>(detail::gram_inner_rows + rows / detail::gram_inner_rows);
}

// column(j) -> DenseColumn<T>. center (by column j) and s (by row) may be null.
template <class T, class ColumnFunction>
void dense_gram(const ColumnFunction& column, Index rows, std::span<const Index> columns,
                Index fresh, const double* center, const double* s, double* out, Index ld,
                const core::Execution& requested, GramPrecision precision) {
  if (fresh <= detail::few_columns && column(columns.front()).stride == 1) {
    detail::gram_few<T>(column, rows, columns, fresh, center, s, out, ld, requested);
    return;
  }
  const auto count = static_cast<Index>(columns.size());
  const core::Execution execution = serial_if_small(rows * count * fresh, requested);
  for (Index k = 0; k < fresh && !execution.stop_requested(); ++k) {
    std::fill_n(out + k * ld, count, 0.0);
  }
  const auto make = [&]<class E>(E) {
    const detail::GramPanels<T, E, ColumnFunction> panels(column, columns, fresh, center, s, rows);
    detail::gram_of(panels, rows, count, fresh, out, ld, execution);
  };
  if (precision == GramPrecision::float32) make(float());
  else make(double());
}

}  // namespace thalweg::design
