// Compressed sparse rows: no access to a single column, so coordinate methods need a conversion
// (recorded by the caller). Products run over blocks of rows with partial sums added in order.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "thalweg/core/info.hpp"
#include "thalweg/design/concept.hpp"

namespace thalweg::design {

struct SparseRows;  // its catalogue entry

template <class T, class I>
class Csr final {
 public:
  using Scalar = T;
  using Entry = SparseRows;

  Csr(const T* data, const I* index, const I* pointers, Index rows, Index cols)
      : data_(data), index_(index), pointers_(pointers), rows_(rows), cols_(cols) {}

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  Index stored() const { return static_cast<Index>(pointers_[rows_]); }
  Index bytes() const {
    return stored() * static_cast<Index>(sizeof(T) + sizeof(I)) +
           (rows_ + 1) * static_cast<Index>(sizeof(I));
  }

  void gemv_t(const double* v, std::span<const Index> columns, double* out,
              const core::Execution& execution) const {
    Vector sums(static_cast<std::size_t>(cols_), 0.0);
    over_row_blocks(1, sums.data(), execution, [&](Index i, double* partial) {
      kernels_.axpy(v[i], values(i), indices(i), stored_in_row(i), partial);
    });
    for (const Index j : columns) out[j] = sums[static_cast<std::size_t>(j)];
  }

  void gemv_add(std::span<const Index> columns, const double* coef, double* out,
                const core::Execution& execution) const {
    Vector full(static_cast<std::size_t>(cols_), 0.0);
    for (std::size_t k = 0; k < columns.size(); ++k) {
      full[static_cast<std::size_t>(columns[k])] += coef[k];
    }
    constexpr Index block = 1024;
    core::parallel_for(
        (rows_ + block - 1) / block, serial_if_small(stored(), execution), [&](Index b) {
          for (Index i = b * block; i < std::min(rows_, (b + 1) * block); ++i) {
            out[i] += kernels_.dot(values(i), indices(i), stored_in_row(i), full.data());
          }
        });
  }

  void moments(const double* s, const double* v, ColumnMoments& out,
               const core::Execution& execution) const {
    out.resize(cols_);
    Vector sums(static_cast<std::size_t>(3 * cols_), 0.0);
    over_row_blocks(3, sums.data(), execution, [&](Index i, double* partial) {
      const double weight = s != nullptr ? s[i] : 1.0;
      for (Index e = 0; e < stored_in_row(i); ++e) {
        const auto x = static_cast<double>(values(i)[e]);
        double* const at = partial + indices(i)[e];
        at[0] += weight * x;
        at[cols_] += weight * x * x;
        at[2 * cols_] += v[i] * x;
      }
    });
    const auto size = static_cast<std::size_t>(cols_);
    std::copy_n(sums.begin(), size, out.sum.begin());
    std::copy_n(sums.begin() + cols_, size, out.sum_sq.begin());
    std::copy_n(sums.begin() + 2 * cols_, size, out.dot.begin());
  }

  std::optional<BadEntry> find_nonfinite() const {
    for (Index i = 0; i < rows_; ++i) {
      for (Index e = 0; e < stored_in_row(i); ++e) {
        const T value = values(i)[e];
        if (!std::isfinite(value)) return BadEntry{i, static_cast<Index>(indices(i)[e]), value};
      }
    }
    return std::nullopt;
  }

 private:
  const T* values(Index i) const { return data_ + pointers_[i]; }
  const I* indices(Index i) const { return index_ + pointers_[i]; }
  Index stored_in_row(Index i) const { return static_cast<Index>(pointers_[i + 1] - pointers_[i]); }

  template <class F>
  void over_row_blocks(Index arrays, double* result, const core::Execution& execution,
                       F&& f) const {
    constexpr Index most_blocks = 8, between_polls = 64;
    const Index height = std::max<Index>(4096, (rows_ + most_blocks - 1) / most_blocks);
    const Index blocks = (rows_ + height - 1) / height;
    const Index length = arrays * cols_;
    Vector partial(static_cast<std::size_t>(blocks > 1 ? blocks * length : 0), 0.0);
    core::parallel_for(blocks, serial_if_small(stored(), execution), [&](Index b) {
      double* const out = blocks > 1 ? partial.data() + b * length : result;
      for (Index i = b * height; i < std::min(rows_, (b + 1) * height); ++i) {
        if (i % between_polls == 0 && execution.stop_requested()) return;
        f(i, out);
      }
    });
    for (Index b = 0; b < (blocks > 1 ? blocks : 0); ++b) {
      for (Index k = 0; k < length; ++k)
        result[k] += partial[static_cast<std::size_t>(b * length + k)];
    }
  }

  const T* data_;
  const I* index_;
  const I* pointers_;
  Index rows_, cols_;
  const kernels::SparseKernels<T, I>& kernels_ = kernels::table().sparse<T, I>();
};

static_assert(Design<Csr<double, std::int32_t>>);
static_assert(!ColumnAccess<Csr<double, std::int32_t>>);

// What the catalogue says of this storage.
struct SparseRows final {
  static constexpr std::array<core::Flag, 2> flags{{{"column_access", false}, {"sparse", true}}};
  static constexpr core::Info info{
      .name = "csr",
      .summary = "Compressed sparse rows, float32 or float64 values, int32 or int64 indices.",
      .formula = "x_ij stored for non-zeros, by row",
      .reference = "Duff, Erisman, Reid 2017, section 2.7",
      .parameters = {},
      .flags = flags,
      .requires_ = {}};
};

}  // namespace thalweg::design
