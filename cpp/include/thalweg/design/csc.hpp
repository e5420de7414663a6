// Compressed sparse columns: the entries of column j are data[pointers[j] .. pointers[j + 1]),
// their rows in `index`, sorted and without duplicates (the border checks; see
// design/sparse_format.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "thalweg/core/info.hpp"
#include "thalweg/design/concept.hpp"
#include "thalweg/kernels/transpose.hpp"

namespace thalweg::design {

struct SparseColumns;  // its catalogue entry

template <class T, class I>
class Csc final {
 public:
  using Scalar = T;
  using Entry = SparseColumns;

  Csc(const T* data, const I* index, const I* pointers, Index rows, Index cols)
      : data_(data), index_(index), pointers_(pointers), rows_(rows), cols_(cols) {}

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  Index stored() const { return static_cast<Index>(pointers_[cols_]); }
  Index stored(Index j) const { return static_cast<Index>(pointers_[j + 1] - pointers_[j]); }
  Index bytes() const {
    return stored() * static_cast<Index>(sizeof(T) + sizeof(I)) +
           (cols_ + 1) * static_cast<Index>(sizeof(I));
  }

  double dot(Index j, const double* v) const {
    return kernels_.dot(values(j), indices(j), stored(j), v);
  }
  void axpy(double a, Index j, double* v) const {
    kernels_.axpy(a, values(j), indices(j), stored(j), v);
  }
  void axpy_weighted(double a, Index j, const double* s, double* v) const {
    kernels_.axpy_weighted(a, values(j), indices(j), stored(j), s, v);
  }

  void gemv_t(const double* v, std::span<const Index> columns, double* out,
              const core::Execution& execution) const {
    const auto count = static_cast<Index>(columns.size());
    const Index block = block_columns();
    core::parallel_for((count + block - 1) / block,
                       serial_if_small(stored() * count / std::max<Index>(cols_, 1), execution),
                       [&](Index b) {
                         for (Index k = b * block; k < std::min(count, (b + 1) * block); ++k) {
                           const Index j = columns[static_cast<std::size_t>(k)];
                           out[j] = dot(j, v);
                         }
                       });
  }

  void gemv_add(std::span<const Index> columns, const double* coef, double* out,
                const core::Execution& execution) const {
    const auto block = static_cast<std::size_t>(block_columns());
    for (std::size_t k = 0; k < columns.size(); ++k) {
      if (k % block == 0 && execution.stop_requested()) return;
      axpy(coef[k], columns[k], out);
    }
  }

  void moments(const double* s, const double* v, ColumnMoments& out,
               const core::Execution& execution) const {
    out.resize(cols_);
    const Index block = block_columns();
    core::parallel_for(
        (cols_ + block - 1) / block, serial_if_small(stored(), execution), [&](Index b) {
          for (Index j = b * block; j < std::min(cols_, (b + 1) * block); ++j) {
            const kernels::Moments m = kernels_.moments(values(j), indices(j), stored(j), s, v);
            out.sum[static_cast<std::size_t>(j)] = m.sum;
            out.sum_sq[static_cast<std::size_t>(j)] = m.sum_sq;
            out.dot[static_cast<std::size_t>(j)] = m.dot;
          }
        });
  }

  // By rows: the columns asked for are regrouped by row once, then every entry (i, j) of a fresh
  // column meets the entries of row i before it; the other half of the square is its mirror image.
  // Cost: one read of the columns, plus sum_i (fresh entries of row i) * (entries of row i) at
  // most, far below a product of every pair of columns.
  void gram(std::span<const Index> columns, Index fresh, const double* center, const double* s,
            double total, double* out, Index ld, const core::Execution& execution) const {
    const auto count = static_cast<Index>(columns.size());
    const Index first = count - fresh;
    const Index block = block_columns();
    std::vector<Index> starts(static_cast<std::size_t>(rows_) + 1, 0);
    for (Index c = 0; c < count; ++c) {
      if (c % block == 0 && execution.stop_requested()) return;
      const Index j = columns[static_cast<std::size_t>(c)];
      for (Index e = 0; e < stored(j); ++e) ++starts[static_cast<std::size_t>(indices(j)[e]) + 1];
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows_); ++i) starts[i + 1] += starts[i];
    const auto entries =
        std::make_unique_for_overwrite<RowEntry[]>(static_cast<std::size_t>(starts.back()));
    std::vector<Index> next(starts.begin(), starts.end() - 1);
    for (Index c = 0; c < count; ++c) {
      if (c % block == 0 && execution.stop_requested()) return;
      const Index j = columns[static_cast<std::size_t>(c)];
      for (Index e = 0; e < stored(j); ++e) {
        const auto i = static_cast<std::size_t>(indices(j)[e]);
        entries[static_cast<std::size_t>(next[i]++)] = {static_cast<double>(values(j)[e]), c};
      }
    }
    constexpr Index group = 8;
    core::parallel_for(
        (fresh + group - 1) / group, serial_if_small(starts.back() * fresh / 16, execution),
        [&](Index g) {
          for (Index k = g * group; k < std::min(fresh, (g + 1) * group); ++k) {
            if (execution.stop_requested()) return;
            const Index j = columns[static_cast<std::size_t>(first + k)];
            double* const column = out + k * ld;
            for (Index c = 0; c < count; ++c) {
              column[c] = center != nullptr
                              ? -total * center[j] * center[columns[static_cast<std::size_t>(c)]]
                              : 0.0;
            }
            for (Index e = 0; e < stored(j); ++e) {
              const auto i = static_cast<std::size_t>(indices(j)[e]);
              const double x = static_cast<double>(values(j)[e]) * (s != nullptr ? s[i] : 1.0);
              const RowEntry* entry = entries.get() + starts[i];
              for (; entry->column < first + k; ++entry) column[entry->column] += x * entry->value;
              column[entry->column] += x * entry->value;  // its own
            }
          }
        });
    kernels::mirror_upper(out + first, fresh, ld, execution);
  }

  std::optional<BadEntry> find_nonfinite() const {
    for (Index j = 0; j < cols_; ++j) {
      for (Index e = 0; e < stored(j); ++e) {
        const T value = values(j)[e];
        if (!std::isfinite(value)) return BadEntry{static_cast<Index>(indices(j)[e]), j, value};
      }
    }
    return std::nullopt;
  }

 private:
  struct RowEntry {
    double value;
    Index column;
  };

  const T* values(Index j) const { return data_ + pointers_[j]; }
  const I* indices(Index j) const { return index_ + pointers_[j]; }
  // Columns per task, for about 16,000 entries each.
  Index block_columns() const {
    return std::max<Index>(1, (cols_ << 14) / std::max<Index>(stored(), 1));
  }

  const T* data_;
  const I* index_;
  const I* pointers_;
  Index rows_, cols_;
  const kernels::SparseKernels<T, I>& kernels_ = kernels::table().sparse<T, I>();
};

static_assert(ColumnAccess<Csc<double, std::int32_t>>);

// What the catalogue says of this storage.
struct SparseColumns final {
  static constexpr std::array<core::Flag, 3> flags{
      {{"column_access", true}, {"row_access", false}, {"sparse", true}}};
  static constexpr core::Info info{
      .name = "csc",
      .summary = "Compressed sparse columns, float32 or float64 values, int32 or int64 indices.",
      .formula = "x_ij stored for non-zeros, by column",
      .reference = "Duff, Erisman, Reid 2017, section 2.7",
      .parameters = {},
      .flags = flags,
      .requires_ = {}};
};

}  // namespace thalweg::design
