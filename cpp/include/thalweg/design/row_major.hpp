// Dense matrix in C order: row i is contiguous at data + i * stride.
//
// Whole passes (gemv_t, moments) stream rows. Access to one column is strided, a cache line per
// entry: solvers copy the few columns that they visit often, and read neighbours together (see
// solver/column_block.hpp).
#pragma once

#include <cmath>

#include "thalweg/core/numerics.hpp"
#include "thalweg/design/dense_gram.hpp"
#include "thalweg/design/dense_moments.hpp"
#include "thalweg/design/pair_grams.hpp"
#include "thalweg/design/planes.hpp"

namespace thalweg::design {

struct Dense;  // its catalogue entry
template <class T>
class ColumnMajor;

template <class T>
class RowMajor final {
 public:
  using Scalar = T;
  using Entry = Dense;
  static constexpr bool is_by_rows = true;

  RowMajor(const T* data, Index rows, Index cols, Index stride)
      : data_(data), rows_(rows), cols_(cols), stride_(stride) {}

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  Index stored() const { return rows_ * cols_; }
  Index stored(Index) const { return rows_; }
  Index bytes() const { return rows_ * cols_ * static_cast<Index>(sizeof(T)); }
  RowMajor row_slice(Index begin, Index end) const {
    return {data_ + begin * stride_, end - begin, cols_, stride_};
  }
  const T* row(Index i) const { return data_ + i * stride_; }
  Index stride() const { return stride_; }

  // X', a view of the same memory.
  ColumnMajor<T> transposed() const { return {data_, cols_, rows_, stride_}; }

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

  // See RowAccess.
  void row_squares(const double* scale, double* out, const core::Execution& execution) const {
    core::parallel_for(rows_, serial_if_small(stored(), execution), [&](Index i) {
      double sum = 0;
      for (Index j = 0; j < cols_; ++j) {
        const double x = static_cast<double>(at(i, j));
        sum += x * x * (scale != nullptr ? scale[j] : 1.0);
      }
      out[i] = sum;
    });
  }
  template <class F>
  void relax_rows(RowList rows, const double* scale, double* out, F&& f) const {
    for (const Index i : rows) {
      const double a = f(i, kernels_.dot(row(i), out, cols_));
      if (a == 0) continue;
      if (scale == nullptr) kernels_.axpy(a, row(i), out, cols_);
      else kernels_.axpy_weighted(a, row(i), scale, out, cols_);
    }
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
    over_tiles(row_blocks(), 1, cached_columns, sums.data(), execution,
               [&](const Tile& tile, double* partial) {
                 kernels_.rows_accumulate(data_ + tile.row * stride_ + tile.column, stride_,
                                          tile.height, tile.width, v + tile.row,
                                          partial + tile.column);
               });
    for (const Index j : columns) out[j] = sums[static_cast<std::size_t>(j)];
  }

  void gemv_add(std::span<const Index> columns, const double* coef, double* out,
                const core::Execution& execution) const {
    constexpr Index block = 1024;
    const Combination combination(columns, coef, cols_);
    core::parallel_for(
        (rows_ + block - 1) / block, serial_if_small(rows_ * combination.reads(), execution),
        [&](Index b) { combine(combination, b * block, std::min(rows_, (b + 1) * block), out); });
  }

  // See FusedProducts. Not where rows are few: two passes over tiles have more parallelism then,
  // and several planes hardly share what they read.
  template <class F>
  bool gemv_add_then_t(Index planes, std::span<const Index> columns, const double* coef, double* v,
                       F&& g, std::span<const Index> /*asked*/, double* out,
                       const core::Execution& execution) const {
    if (row_blocks(planes) < (planes > 1 ? 2 : 4)) return false;
    if (out != nullptr) std::fill_n(out, planes * cols_, 0.0);
    if (planes > 1) {
      multiply_planes(planes, columns, coef, v, g, out, execution);
      return true;
    }
    const Combination combination(columns, coef, cols_);
    over_strips(1, out, execution, [&](const RowRange& rows, double* sums) {
      if (!columns.empty()) combine(combination, rows.begin, rows.end, v);
      const double* const u = g(rows);
      if (u == nullptr || sums == nullptr) return;
      kernels_.rows_accumulate(row(rows.begin), stride_, rows.end - rows.begin, cols_, u, sums);
    });
    return true;
  }

  // See SquareProducts.
  void square_products(Index planes, const double* h, double* out,
                       const core::Execution& execution) const {
    std::fill_n(out, planes * cols_, 0.0);
    over_strips(planes, out, execution, [&](const RowRange& rows, double* sums) {
      const Index height = rows.end - rows.begin;
      Vector squares(static_cast<std::size_t>(height * cols_));
      for (Index i = 0; i < height; ++i) {
        const T* const x = row(rows.begin + i);
        double* const to = squares.data() + i * cols_;
        for (Index j = 0; j < cols_; ++j) to[j] = core::square(static_cast<double>(x[j]));
      }
      kernels::table().dense<double>().planes_accumulate(
          squares.data(), cols_, height, cols_, h + rows.begin, rows_, planes, sums, cols_);
    });
  }

  void moments(const double* s, const double* v, ColumnMoments& out,
               const core::Execution& execution) const {
    out.resize(cols_);
    Vector sums(static_cast<std::size_t>(3 * cols_), 0.0);
    over_tiles(row_blocks(), 3, cached_columns, sums.data(), execution,
               [&](const Tile& tile, double* partial) {
                 kernels_.rows_moments(
                     data_ + tile.row * stride_ + tile.column, stride_, tile.height, tile.width,
                     s != nullptr ? s + tile.row : nullptr, v + tile.row, partial + tile.column,
                     partial + cols_ + tile.column, partial + 2 * cols_ + tile.column);
               });
    const auto size = static_cast<std::size_t>(cols_);
    std::copy_n(sums.begin(), size, out.sum.begin());
    std::copy_n(sums.begin() + cols_, size, out.sum_sq.begin());
    std::copy_n(sums.begin() + 2 * cols_, size, out.dot.begin());
  }

  void gram(std::span<const Index> columns, Index fresh, const double* center, const double* s,
            double /*total*/, double* out, Index ld, const core::Execution& execution,
            GramPrecision precision = GramPrecision::float64) const {
    dense_gram<T>(
        [this](Index j) {
          return DenseColumn<T>{data_ + j, stride_};
        },
        rows_, columns, fresh, center, s, out, ld, execution, precision);
  }

  void pair_grams(const PairGramRequest& request, const FillWeights& weights, double* out,
                  const core::Execution& execution) const {
    dense_pair_grams<T>(
        [this](Index j) {
          return DenseColumn<T>{data_ + j, stride_};
        },
        rows_, cols_, request, weights, out, execution);
  }

  void row_moments(std::span<const RowPart> parts, const double* center, const RowTarget& t,
                   std::span<double* const> out, const core::Execution& execution) const {
    dense_row_moments<T>(
        [this](Index j) {
          return DenseColumn<T>{data_ + j, stride_};
        },
        cols_, parts, center, t, out, execution);
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
  static constexpr Index cached_columns = 512;  // whose sums stay in the first-level cache

  T at(Index i, Index j) const { return data_[i * stride_ + j]; }

  // Coefficients of a product X w. A sparse combination gathers, a cache line per entry; a full one
  // reads rows at stream speed.
  class Combination final {
   public:
    Combination(std::span<const Index> columns, const double* coef, Index cols)
        : columns_(columns), coef_(coef) {
      constexpr Index line = 64 / static_cast<Index>(sizeof(T));
      if (static_cast<Index>(columns.size()) * line < cols) return;
      full_.assign(static_cast<std::size_t>(cols), 0.0);
      for (std::size_t k = 0; k < columns.size(); ++k)
        full_[static_cast<std::size_t>(columns[k])] += coef[k];
    }

    // How many entries of a row it reads.
    Index reads() const {
      return static_cast<Index>(full_.empty() ? columns_.size() : full_.size());
    }
    double operator()(const kernels::DenseKernels<T>& kernels, const T* row) const {
      if (!full_.empty()) return kernels.dot(row, full_.data(), static_cast<Index>(full_.size()));
      double sum = 0;
      for (std::size_t k = 0; k < columns_.size(); ++k) {
        sum += coef_[k] * static_cast<double>(row[columns_[k]]);
      }
      return sum;
    }

   private:
    std::span<const Index> columns_;
    const double* coef_;
    Vector full_;
  };

  // gemv_add_then_t of several planes.
  template <class F>
  void multiply_planes(Index planes, std::span<const Index> columns, const double* coef, double* v,
                       F&& g, double* out, const core::Execution& execution) const {
    const Index pitch = interleaved_pitch(planes), given = static_cast<Index>(columns.size());
    Vector full(static_cast<std::size_t>(given > 0 ? pitch * cols_ : 0), 0.0);
    for (Index c = 0; c < given; ++c) {
      double* const at = full.data() + columns[static_cast<std::size_t>(c)] * pitch;
      for (Index k = 0; k < planes; ++k) at[k] += coef[k * given + c];
    }
    over_strips(planes, out, execution, [&](const RowRange& rows, double* sums) {
      const T* const x = row(rows.begin);
      const Index height = rows.end - rows.begin;
      if (given > 0) {
        kernels_.planes_combine(x, stride_, height, cols_, full.data(), pitch, planes,
                                v + rows.begin, rows_);
      }
      const double* const u = g(rows);
      if (u == nullptr || sums == nullptr) return;
      kernels_.planes_accumulate(x, stride_, height, cols_, u, rows_, planes, sums, cols_);
    });
  }

  // Calls f(rows, sums) on strips that stay in a cache between two uses; see over_tiles.
  template <class F>
  void over_strips(Index arrays, double* result, const core::Execution& execution, F&& f) const {
    constexpr Index strip_bytes = 256 << 10;
    const Index most_rows = arrays > 1 ? 256 : 4096;  // of several vectors beside X
    const Index strip = std::clamp<Index>(
        strip_bytes / (cols_ * static_cast<Index>(sizeof(T))) / 8 * 8, 8, most_rows);
    over_tiles(row_blocks(arrays), arrays, cols_, result, execution,
               [&](const Tile& tile, double* sums) {
                 const Index end = tile.row + tile.height;
                 for (Index row = tile.row; row < end; row += strip) {
                   if (execution.stop_requested()) return;
                   f(RowRange{row, std::min(end, row + strip), tile.block}, sums);
                 }
               });
  }

  void combine(const Combination& combination, Index begin, Index end, double* out) const {
    for (Index i = begin; i < end; ++i) out[i] += combination(kernels_, data_ + i * stride_);
  }

  // Blocks of about 1,024 rows or more, as even as can be; see plane_blocks.
  Index row_blocks(Index planes = 1) const {
    if (planes > 1) return plane_blocks<T>(rows_, planes);
    return std::clamp<Index>(rows_ / 1024, 1, most_row_blocks);
  }

  struct Tile {
    Index row, height, column, width;
    Index block;  // of rows
  };

  // Calls f(tile, sums) on tiles of rows x columns, `strip` columns wide, each block of rows with
  // sums of its own, and adds these in order: `arrays` results of length cols, one after the other.
  // No result: no sums.
  template <class F>
  void over_tiles(Index blocks, Index arrays, Index strip, double* result,
                  const core::Execution& execution, F&& f) const {
    const Index strips = (cols_ + strip - 1) / strip;
    const Index length = result != nullptr ? arrays * cols_ : 0;
    Vector partial(static_cast<std::size_t>(blocks > 1 ? blocks * length : 0), 0.0);
    core::parallel_for(blocks * strips, serial_if_small(arrays * stored(), execution),
                       [&](Index task) {
                         const Index b = task / strips;
                         const Index row = b * rows_ / blocks;
                         const Index column = task % strips * strip;
                         f(Tile{.row = row,
                                .height = (b + 1) * rows_ / blocks - row,
                                .column = column,
                                .width = std::min(strip, cols_ - column),
                                .block = b},
                           blocks > 1 && length > 0 ? partial.data() + b * length : result);
                       });
    for (Index b = 0; b < (blocks > 1 ? blocks : 0); ++b) {
      for (Index k = 0; k < length; ++k)
        result[k] += partial[static_cast<std::size_t>(b * length + k)];
    }
  }

  const T* data_;
  Index rows_, cols_, stride_;
  const kernels::DenseKernels<T>& kernels_ = kernels::table().dense<T>();
};

static_assert(ColumnAccess<RowMajor<double>> && FusedProducts<RowMajor<double>> &&
              RowSlices<RowMajor<double>>);

}  // namespace thalweg::design
