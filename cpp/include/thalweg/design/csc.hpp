// Compressed sparse columns: the entries of column j are data[pointers[j] .. pointers[j + 1]), their
// rows in `index`, sorted and without duplicates (the border checks; see design/sparse_format.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "thalweg/core/info.hpp"
#include "thalweg/design/concept.hpp"

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
                const core::Execution&) const {
    for (std::size_t k = 0; k < columns.size(); ++k) axpy(coef[k], columns[k], out);
  }

  void moments(const double* s, const double* v, ColumnMoments& out,
               const core::Execution& execution) const {
    out.resize(cols_);
    const Index block = block_columns();
    core::parallel_for((cols_ + block - 1) / block, serial_if_small(stored(), execution),
                       [&](Index b) {
                         for (Index j = b * block; j < std::min(cols_, (b + 1) * block); ++j) {
                           const kernels::Moments m =
                               kernels_.moments(values(j), indices(j), stored(j), s, v);
                           out.sum[static_cast<std::size_t>(j)] = m.sum;
                           out.sum_sq[static_cast<std::size_t>(j)] = m.sum_sq;
                           out.dot[static_cast<std::size_t>(j)] = m.dot;
                         }
                       });
  }

  // Each fresh column is scattered into a dense vector that the others are multiplied with: a cost
  // of one read of the columns per fresh column.
  void gram(std::span<const Index> columns, Index fresh, const double* center, const double* s,
            double total, double* out, Index ld, const core::Execution& execution) const {
    constexpr Index group = 16;  // fresh columns per task: amortises clearing the dense vector
    const auto count = static_cast<Index>(columns.size());
    const Index first = count - fresh;
    Index entries = 0;
    for (const Index j : columns) entries += stored(j);
    core::parallel_for(
        (fresh + group - 1) / group, serial_if_small(entries * fresh, execution), [&](Index g) {
          Vector dense(static_cast<std::size_t>(rows_), 0.0);
          for (Index k = g * group; k < std::min(fresh, (g + 1) * group); ++k) {
            const Index j = columns[static_cast<std::size_t>(first + k)];
            if (s != nullptr) axpy_weighted(1.0, j, s, dense.data());
            else axpy(1.0, j, dense.data());
            for (Index i = 0; i <= first + k; ++i) {
              const Index other = columns[static_cast<std::size_t>(i)];
              double value = dot(other, dense.data());
              if (center != nullptr) value -= total * center[j] * center[other];
              out[i + k * ld] = value;
            }
            for (Index e = 0; e < stored(j); ++e) {
              dense[static_cast<std::size_t>(indices(j)[e])] = 0.0;
            }
          }
        });
    for (Index k = 0; k < fresh; ++k) {
      for (Index i = k + 1; i < fresh; ++i) out[first + i + k * ld] = out[first + k + i * ld];
    }
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
  static constexpr std::array<core::Flag, 2> flags{{{"column_access", true}, {"sparse", true}}};
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
