// Dense matrix in C order: row i is contiguous at data + i * stride.
//
// Whole passes (gemv_t, moments) stream rows. Access to one column is strided, a cache line per
// entry: solvers copy the few columns that they visit often (see solver/column_block.hpp).
#pragma once

#include <cmath>

#include "thalweg/design/dense_gram.hpp"

namespace thalweg::design {

struct Dense;  // its catalogue entry

template <class T>
class RowMajor final {
 public:
  using Scalar = T;
  using Entry = Dense;

  RowMajor(const T* data, Index rows, Index cols, Index stride)
      : data_(data), rows_(rows), cols_(cols), stride_(stride) {}

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  Index stored() const { return rows_ * cols_; }
  Index stored(Index) const { return rows_; }
  Index bytes() const { return rows_ * cols_ * static_cast<Index>(sizeof(T)); }

  double dot(Index j, const double* v) const {
    double sum[4] = {0, 0, 0, 0};
    Index i = 0;
    for (; i + 4 <= rows_; i += 4) {
      for (Index k = 0; k < 4; ++k) sum[k] += static_cast<double>(at(i + k, j)) * v[i + k];
    }
    for (; i < rows_; ++i) sum[0] += static_cast<double>(at(i, j)) * v[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }
  void axpy(double a, Index j, double* v) const {
    for (Index i = 0; i < rows_; ++i) v[i] += a * static_cast<double>(at(i, j));
  }
  void axpy_weighted(double a, Index j, const double* s, double* v) const {
    for (Index i = 0; i < rows_; ++i) v[i] += a * s[i] * static_cast<double>(at(i, j));
  }

  // Copies columns into contiguous storage, out[k] for columns[k].
  void copy_columns(std::span<const Index> columns, T* const* out,
                    const core::Execution& execution) const {
    constexpr Index block = 64;
    const auto count = static_cast<Index>(columns.size());
    core::parallel_for((rows_ + block - 1) / block, serial_if_small(rows_ * count, execution),
                       [&](Index b) {
                         const Index end = std::min(rows_, (b + 1) * block);
                         for (Index k = 0; k < count; ++k) {
                           const Index j = columns[static_cast<std::size_t>(k)];
                           for (Index i = b * block; i < end; ++i) out[k][i] = at(i, j);
                         }
                       });
  }

  void gemv_t(const double* v, std::span<const Index> columns, double* out,
              const core::Execution& execution) const {
    Vector sums(static_cast<std::size_t>(cols_), 0.0);
    over_tiles(1, sums.data(), execution,
               [&](Index row, Index height, Index column, Index width, double* partial) {
                 kernels_.rows_accumulate(data_ + row * stride_ + column, stride_, height, width,
                                          v + row, partial + column);
               });
    for (const Index j : columns) out[j] = sums[static_cast<std::size_t>(j)];
  }

  void gemv_add(std::span<const Index> columns, const double* coef, double* out,
                const core::Execution& execution) const {
    constexpr Index block = 1024;
    const auto count = static_cast<Index>(columns.size());
    // A sparse combination gathers; a full one reads rows at stream speed.
    const bool gather = count * 4 < cols_;
    Vector full;
    if (!gather) {
      full.assign(static_cast<std::size_t>(cols_), 0.0);
      for (Index k = 0; k < count; ++k) {
        full[static_cast<std::size_t>(columns[static_cast<std::size_t>(k)])] += coef[k];
      }
    }
    core::parallel_for((rows_ + block - 1) / block,
                       serial_if_small(rows_ * (gather ? count : cols_), execution), [&](Index b) {
                         for (Index i = b * block; i < std::min(rows_, (b + 1) * block); ++i) {
                           if (gather) {
                             double sum = 0;
                             for (Index k = 0; k < count; ++k) {
                               sum += coef[k] * static_cast<double>(at(i, columns[static_cast<std::size_t>(k)]));
                             }
                             out[i] += sum;
                           } else {
                             out[i] += kernels_.dot(data_ + i * stride_, full.data(), cols_);
                           }
                         }
                       });
  }

  void moments(const double* s, const double* v, ColumnMoments& out,
               const core::Execution& execution) const {
    out.resize(cols_);
    Vector sums(static_cast<std::size_t>(3 * cols_), 0.0);
    over_tiles(3, sums.data(), execution,
               [&](Index row, Index height, Index column, Index width, double* partial) {
                 kernels_.rows_moments(data_ + row * stride_ + column, stride_, height, width,
                                       s != nullptr ? s + row : nullptr, v + row, partial + column,
                                       partial + cols_ + column, partial + 2 * cols_ + column);
               });
    const auto size = static_cast<std::size_t>(cols_);
    std::copy_n(sums.begin(), size, out.sum.begin());
    std::copy_n(sums.begin() + cols_, size, out.sum_sq.begin());
    std::copy_n(sums.begin() + 2 * cols_, size, out.dot.begin());
  }

  void gram(std::span<const Index> columns, Index fresh, const double* center, const double* s,
            double /*total*/, double* out, Index ld, const core::Execution& execution) const {
    dense_gram<T>([this](Index j) { return DenseColumn<T>{data_ + j, stride_}; }, rows_, columns,
                  fresh, center, s, out, ld, execution);
  }

  std::optional<BadEntry> find_nonfinite() const {
    for (Index i = 0; i < rows_; ++i) {
      for (Index j = 0; j < cols_; ++j) {
        if (!std::isfinite(at(i, j))) return BadEntry{i, j, at(i, j)};
      }
    }
    return std::nullopt;
  }

 private:
  T at(Index i, Index j) const { return data_[i * stride_ + j]; }

  // Calls f on tiles of rows x columns, each block of rows with partial sums of its own, and adds
  // these in order: `arrays` results of length cols, one after the other.
  template <class F>
  void over_tiles(Index arrays, double* result, const core::Execution& execution, F&& f) const {
    constexpr Index strip = 512;
    constexpr Index most_blocks = 32;
    const Index height = std::max<Index>(4096, (rows_ + most_blocks - 1) / most_blocks);
    const Index blocks = (rows_ + height - 1) / height;
    const Index strips = (cols_ + strip - 1) / strip;
    const Index length = arrays * cols_;
    Vector partial(static_cast<std::size_t>(blocks > 1 ? blocks * length : 0), 0.0);
    core::parallel_for(blocks * strips, serial_if_small(stored(), execution), [&](Index task) {
      const Index b = task / strips;
      const Index column = task % strips * strip;
      f(b * height, std::min(height, rows_ - b * height), column, std::min(strip, cols_ - column),
        blocks > 1 ? partial.data() + b * length : result);
    });
    for (Index b = 0; b < (blocks > 1 ? blocks : 0); ++b) {
      for (Index k = 0; k < length; ++k) result[k] += partial[static_cast<std::size_t>(b * length + k)];
    }
  }

  const T* data_;
  Index rows_, cols_, stride_;
  const kernels::DenseKernels<T>& kernels_ = kernels::table().dense<T>();
};

static_assert(ColumnAccess<RowMajor<double>>);

}  // namespace thalweg::design
