// Second moments of weighted rows of a dense design, for several parts of the rows at once:
//
//   A = sum_i h_i a_i a_i',   a_i = (x_i - c, t_i, 1)
//
// with c a centre and t a vector. Rows of weight zero are never read, so parts that share no row
// cost one Gram matrix together, n p^2 / 2. Rows are packed, times the root of their weight, like
// those of dense_gram.hpp; t and 1 are two more columns, so that all sums are of centred values.
//
// Every part is cut into slices with sums of their own, added in their order, or, where matrices
// are too large for that, taken in chunks of rows whose panels all cores share: slices and chunks
// depend on the shape only.
#pragma once

#include "thalweg/design/dense_gram.hpp"

namespace thalweg::design {

namespace detail {

// Panels of [X - c, t, 1] and their products.
template <class T, class ColumnFunction>
class AugmentedPanels final {
 public:
  static constexpr Index width = kernels::gram_panel_width;

  AugmentedPanels(const ColumnFunction& column, Index cols, const double* center,
                  const RowTarget& t)
      : column_(column), cols_(cols), center_(center), t_(t) {}

  Index size() const { return cols_ + 2; }
  Index panels() const { return (size() + width - 1) / width; }

  // out += the moments of the positions [begin, end) of a part, its upper triangle.
  void add(const RowPart& part, Index begin, Index end, double* out,
           const core::Execution& execution) const {
    constexpr Index second_level_cache = 1 << 20;
    const Index chunk = gram_chunk_rows(end - begin, panels() * width, second_level_cache);
    if (begin == end) return;
    kernels::PanelMemory<double> packed(panels() * width * chunk);
    RowPart::Cursor cursor(part, begin);
    Rows rows(chunk);
    for (; begin < end; begin += chunk) {
      const Index height = std::min(chunk, end - begin);
      cursor.take(height, rows.index.data(), rows.roots.data());
      for (Index panel = 0; panel < panels(); ++panel) {
        pack(panel, rows, height, packed.data() + panel * chunk * width);
      }
      for (Index panel = 0; panel < panels(); ++panel) {
        if (execution.stop_requested()) return;
        multiply(panel, height, chunk, packed.data(), out);
      }
    }
  }

  // The same for all of a part, by all cores.
  void add_together(const RowPart& part, double* out, const core::Execution& execution) const {
    constexpr Index chunk_bytes = 4 << 20;
    const Index chunk = gram_chunk_rows(part.size(), panels() * width, chunk_bytes);
    if (part.size() == 0) return;
    kernels::PanelMemory<double> packed(panels() * width * chunk);
    RowPart::Cursor cursor(part, 0);
    Rows rows(chunk);
    for (Index begin = 0; begin < part.size(); begin += chunk) {
      const Index height = std::min(chunk, part.size() - begin);
      cursor.take(height, rows.index.data(), rows.roots.data());
      core::parallel_for(panels(), execution, [&](Index panel) {
        pack(panel, rows, height, packed.data() + panel * chunk * width);
      });
      core::parallel_for(panels(), execution, [&](Index task) {
        const Index panel = panels() - 1 - task;  // the one with most products first
        multiply(panel, height, chunk, packed.data(), out);
      });
    }
  }

 private:
  // Some rows of a part.
  struct Rows {
    std::vector<Index> index;
    Vector roots;

    explicit Rows(Index count)
        : index(static_cast<std::size_t>(count)), roots(static_cast<std::size_t>(count)) {}
  };

  void pack(Index panel, const Rows& chosen, Index height, double* out) const {
    const Index first = panel * width;
    const Index count = std::clamp<Index>(cols_ - first, 0, width);
    const T* data[width];
    double centers[width];
    Index stride = 1;
    for (Index c = 0; c < count; ++c) {
      const DenseColumn<T> x = column_(first + c);
      data[c] = x.data;
      stride = x.stride;
      centers[c] = center_ != nullptr ? center_[first + c] : 0.0;
    }
    const double* const roots = chosen.roots.data();
    const Index* const rows = chosen.index.data();
    for (Index i = 0, run = 0; i < height; i += run) {
      run = run_length(rows + i, height - i);
      const T* from[width];
      for (Index c = 0; c < count; ++c) from[c] = data[c] + rows[i] * stride;
      kernels_.template dense<T>().pack(from, stride, count, run,
                                        center_ != nullptr ? centers : nullptr, roots + i,
                                        out + i * width);
    }
    const Index target = cols_ - first, one = target + 1;
    for (Index i = 0; target >= 0 && target < width && i < height; ++i) {
      out[i * width + target] = roots[i] * t_(rows[i]);
    }
    for (Index i = 0; one >= 0 && one < width && i < height; ++i) out[i * width + one] = roots[i];
  }

  // Panels [0, panel] times one.
  void multiply(Index panel, Index height, Index chunk, const double* packed, double* out) const {
    for (Index inner = 0; inner < height; inner += gram_inner_rows) {
      const Index depth = std::min(gram_inner_rows, height - inner);
      const double* const at = packed + inner * width;
      for (Index a = 0; a <= panel; ++a) {
        kernels_.block.panel_product(at + a * chunk * width, at + panel * chunk * width, depth, 1.0,
                                     out + a * width + panel * width * size(), size(),
                                     std::min(width, size() - a * width),
                                     std::min(width, size() - panel * width), a == panel);
      }
    }
  }

  const ColumnFunction& column_;
  Index cols_;
  const double* center_;
  const RowTarget& t_;
  const kernels::Table& kernels_ = kernels::table();
};

}  // namespace detail

// column(j) -> DenseColumn<T>: see MomentAccess.
template <class T, class ColumnFunction>
void dense_row_moments(const ColumnFunction& column, Index cols, std::span<const RowPart> parts,
                       const double* center, const RowTarget& t, std::span<double* const> out,
                       const core::Execution& requested) {
  constexpr Index least_rows = 512;  // of a slice, so that adding its sums costs little
  const detail::AugmentedPanels<T, ColumnFunction> panels(column, cols, center, t);
  const Index size = panels.size(), entries = size * size;
  const auto count = static_cast<Index>(parts.size());
  Index rows = 0;
  for (const RowPart& part : parts) rows += part.size();
  const Index slices = std::clamp<Index>(
      std::min(detail::gram_sums_bytes / (8 * entries * count), rows / (least_rows * count)), 1,
      detail::gram_row_blocks);
  for (double* const result : out) std::fill_n(result, entries, 0.0);
  constexpr Index worth_sharing = 16;  // panels
  if (slices == 1 && panels.panels() >= worth_sharing) {
    for (Index part = 0; part < count; ++part) {
      double* const result = out[static_cast<std::size_t>(part)];
      panels.add_together(parts[static_cast<std::size_t>(part)], result, requested);
      kernels::mirror_upper(result, size, size, requested);
    }
    return;
  }
  // The first slice of a part adds to its result, the others to sums of their own.
  Vector sums(static_cast<std::size_t>(count * (slices - 1) * entries), 0.0);
  core::parallel_for(
      count * slices, serial_if_small(rows * entries, requested),
      [&](Index task) {
        const Index part = task / slices, slice = task % slices;
        const RowPart& chosen = parts[static_cast<std::size_t>(part)];
        double* const sum = slice == 0 ? out[static_cast<std::size_t>(part)]
                                       : sums.data() + (part * (slices - 1) + slice - 1) * entries;
        panels.add(chosen, slice * chosen.size() / slices, (slice + 1) * chosen.size() / slices,
                   sum, requested);
      },
      requested.stop);
  core::parallel_for(count, serial_if_small(slices * count * entries, requested), [&](Index part) {
    double* const result = out[static_cast<std::size_t>(part)];
    for (Index slice = 1; slice < slices; ++slice) {
      const double* const sum = sums.data() + (part * (slices - 1) + slice - 1) * entries;
      for (Index k = 0; k < entries; ++k) result[k] += sum[k];
    }
    kernels::mirror_upper(result, size, size, requested);
  });
}

}  // namespace thalweg::design
