// Compressed sparse columns: the entries of column j are data[pointers[j] .. pointers[j + 1]),
// their rows in `index`, sorted and without duplicates (the border checks; see
// design/sparse_format.hpp). A column with an entry in every row is therefore an array by itself,
// and visited as one.
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
class Csr;

template <class T, class I>
class Csc final {
 public:
  using Scalar = kernels::Stored<T>;
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

  // X', a view of the same memory.
  Csr<T, I> transposed() const { return {data_, index_, pointers_, cols_, rows_}; }

  double dot(Index j, const double* v) const {
    return is_full(j) ? full_.dot(full_values(j), v, rows_)
                      : kernels_.dot(values(j), indices(j), stored(j), v);
  }
  void axpy(double a, Index j, double* v) const {
    if (is_full(j)) full_.axpy(a, full_values(j), v, rows_);
    else kernels_.axpy(a, values(j), indices(j), stored(j), v);
  }
  void axpy_weighted(double a, Index j, const double* s, double* v) const {
    if (is_full(j)) full_.axpy_weighted(a, full_values(j), s, v, rows_);
    else kernels_.axpy_weighted(a, values(j), indices(j), stored(j), s, v);
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
            const kernels::Moments m =
                is_full(j) ? full_.moments(full_values(j), s, v, rows_)
                           : kernels_.moments(values(j), indices(j), stored(j), s, v);
            out.sum[static_cast<std::size_t>(j)] = m.sum;
            out.sum_sq[static_cast<std::size_t>(j)] = m.sum_sq;
            out.dot[static_cast<std::size_t>(j)] = m.dot;
            double& weight = out.stored[static_cast<std::size_t>(j)];
            if (s == nullptr) weight = static_cast<double>(stored(j));
            for (Index e = 0; s != nullptr && e < stored(j); ++e) weight += s[indices(j)[e]];
          }
        });
  }

  // Narrow columns meet by rows, wide ones meet all others as vectors over the rows.
  // Cost: a read of the narrow columns and, at most, sum_i (fresh entries of row i) * (entries of
  // row i) of them, far below a product of every pair; for each wide column, a read of all that
  // it meets.
  void gram(std::span<const Index> columns, Index fresh, const double* center, const double* s,
            double total, double* out, Index ld, const core::Execution& execution) const {
    const auto count = static_cast<Index>(columns.size());
    const Index first = count - fresh;
    for (Index k = 0; k < fresh && !execution.stop_requested(); ++k) {
      const double mean = center != nullptr ? center[columns[length(first + k)]] : 0.0;
      for (Index c = 0; c < count; ++c)
        out[c + k * ld] = center != nullptr ? -total * mean * center[columns[length(c)]] : 0.0;
    }
    add_narrow_products(columns, fresh, s, out, ld, execution);
    add_wide_products(columns, fresh, s, out, ld, execution);
    kernels::mirror_upper(out + first, fresh, ld, execution);
  }

  std::optional<BadEntry> find_nonfinite() const {
    for (Index j = 0; j < cols_; ++j) {
      for (Index e = 0; e < stored(j); ++e) {
        const auto value = static_cast<double>(values(j)[e]);
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

  static std::size_t length(Index n) { return static_cast<std::size_t>(n); }

  bool is_full(Index j) const { return stored(j) == rows_ && rows_ > 0; }
  // A quarter of the rows: regrouped by row, its entries would meet those of nearly every other
  // column where they lie.
  bool is_wide(Index j) const { return 4 * stored(j) >= rows_; }

  // The narrow columns are regrouped by row once, then every entry (i, j) of a fresh one meets the
  // entries of row i before it; the other half of the square is its mirror image.
  void add_narrow_products(std::span<const Index> columns, Index fresh, const double* s,
                           double* out, Index ld, const core::Execution& execution) const {
    const auto count = static_cast<Index>(columns.size());
    const Index first = count - fresh;
    const Index block = block_columns();
    if (std::all_of(columns.begin() + first, columns.end(), [&](Index j) { return is_wide(j); }))
      return;
    std::vector<Index> starts(length(rows_) + 1, 0);
    for (Index c = 0; c < count; ++c) {
      if (c % block == 0 && execution.stop_requested()) return;
      const Index j = columns[length(c)];
      if (is_wide(j)) continue;
      for (Index e = 0; e < stored(j); ++e) ++starts[static_cast<std::size_t>(indices(j)[e]) + 1];
    }
    for (std::size_t i = 0; i < length(rows_); ++i) starts[i + 1] += starts[i];
    const auto entries = std::make_unique_for_overwrite<RowEntry[]>(length(starts.back()));
    std::vector<Index> next(starts.begin(), starts.end() - 1);
    for (Index c = 0; c < count; ++c) {
      if (c % block == 0 && execution.stop_requested()) return;
      const Index j = columns[length(c)];
      if (is_wide(j)) continue;
      for (Index e = 0; e < stored(j); ++e) {
        const auto i = static_cast<std::size_t>(indices(j)[e]);
        entries[length(next[i]++)] = {static_cast<double>(values(j)[e]), c};
      }
    }
    constexpr Index group = 8;
    core::parallel_for((fresh + group - 1) / group,
                       serial_if_small(starts.back() * fresh / 16, execution), [&](Index g) {
                         for (Index k = g * group; k < std::min(fresh, (g + 1) * group); ++k) {
                           if (execution.stop_requested()) return;
                           const Index j = columns[length(first + k)];
                           if (is_wide(j)) continue;
                           double* const column = out + k * ld;
                           for (Index e = 0; e < stored(j); ++e) {
                             const auto i = static_cast<std::size_t>(indices(j)[e]);
                             const double x =
                                 static_cast<double>(values(j)[e]) * (s != nullptr ? s[i] : 1.0);
                             const RowEntry* entry = entries.get() + starts[i];
                             for (; entry->column < first + k; ++entry)
                               column[entry->column] += x * entry->value;
                             column[entry->column] += x * entry->value;  // its own
                           }
                         }
                       });
  }

  // Of every pair with a wide column and a fresh one, above the diagonal.
  void add_wide_products(std::span<const Index> columns, Index fresh, const double* s, double* out,
                         Index ld, const core::Execution& execution) const {
    const auto count = static_cast<Index>(columns.size());
    const Index first = count - fresh;
    Vector v;
    for (Index c = 0; c < count; ++c) {
      if (!is_wide(columns[length(c)])) continue;
      if (execution.stop_requested()) return;
      v.assign(length(rows_), 0.0);
      if (s != nullptr) axpy_weighted(1.0, columns[length(c)], s, v.data());
      else axpy(1.0, columns[length(c)], v.data());
      // Fresh ones from here on; narrow ones before it, if it is fresh itself.
      const Index from = c >= first ? 0 : first;
      constexpr Index group = 4;
      core::parallel_for(
          (count - from + group - 1) / group,
          serial_if_small(stored() * (count - from) / std::max<Index>(cols_, 1), execution),
          [&](Index g) {
            const Index begin = from + g * group;
            for (Index k = begin; k < std::min(count, begin + group); ++k) {
              const Index j = columns[length(k)];
              if (k < c && is_wide(j)) continue;  // met before
              out[std::min(k, c) + (std::max(k, c) - first) * ld] += dot(j, v.data());
            }
          });
    }
  }

  const T* values(Index j) const { return data_ + pointers_[j]; }
  const Scalar* full_values(Index j) const { return reinterpret_cast<const Scalar*>(values(j)); }
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
  const kernels::DenseKernels<Scalar>& full_ = kernels::table().template dense<Scalar>();
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
