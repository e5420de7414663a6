// Dense matrix in Fortran order: column j is contiguous at data + j * stride.
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
class RowMajor;

// Products with contiguous columns, column(j) -> const T*. v, or a block of rows of `out`, is read
// once per group of columns.
inline constexpr Index column_group = 8;

template <class T, class ColumnFunction>
void dense_gemv_t(const ColumnFunction& column, Index rows, const double* v,
                  std::span<const Index> columns, double* out, const core::Execution& execution) {
  constexpr Index group = column_group;
  const kernels::DenseKernels<T>& kernel = kernels::table().template dense<T>();
  const auto count = static_cast<Index>(columns.size());
  const Index block = std::max<Index>(group, (1 << 15) / std::max<Index>(rows, 1) / group * group);
  core::parallel_for((count + block - 1) / block, serial_if_small(count * rows, execution),
                     [&](Index b) {
                       const T* x[group];
                       double result[group];
                       const Index end = std::min(count, (b + 1) * block);
                       for (Index k = b * block; k < end; k += group) {
                         const Index size = std::min(group, end - k);
                         for (Index c = 0; c < size; ++c)
                           x[c] = column(columns[static_cast<std::size_t>(k + c)]);
                         kernel.dots(x, size, v, rows, result);
                         for (Index c = 0; c < size; ++c)
                           out[columns[static_cast<std::size_t>(k + c)]] = result[c];
                       }
                     });
}

template <class T, class ColumnFunction>
void dense_gemv_add(const ColumnFunction& column, Index rows, std::span<const Index> columns,
                    const double* coef, double* out, const core::Execution& execution) {
  constexpr Index group = column_group;
  constexpr Index block = 4096;
  const kernels::DenseKernels<T>& kernel = kernels::table().template dense<T>();
  const auto count = static_cast<Index>(columns.size());
  core::parallel_for((rows + block - 1) / block, serial_if_small(count * rows, execution),
                     [&](Index b) {
                       const T* x[group];
                       const Index size = std::min(block, rows - b * block);
                       for (Index k = 0; k < count; k += group) {
                         const Index width = std::min(group, count - k);
                         for (Index c = 0; c < width; ++c) {
                           x[c] = column(columns[static_cast<std::size_t>(k + c)]) + b * block;
                         }
                         kernel.axpys(coef + k, x, width, out + b * block, size);
                       }
                     });
}

template <class T>
class ColumnMajor final {
 public:
  using Scalar = T;
  using Entry = Dense;

  ColumnMajor(const T* data, Index rows, Index cols, Index stride)
      : data_(data), rows_(rows), cols_(cols), stride_(stride) {}

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  Index stored() const { return rows_ * cols_; }
  Index stored(Index) const { return rows_; }
  Index bytes() const { return rows_ * cols_ * static_cast<Index>(sizeof(T)); }
  ColumnMajor row_slice(Index begin, Index end) const {
    return {data_ + begin, end - begin, cols_, stride_};
  }

  // X', a view of the same memory.
  RowMajor<T> transposed() const { return {data_, cols_, rows_, stride_}; }

  double dot(Index j, const double* v) const { return kernels_.dot(column(j), v, rows_); }
  void axpy(double a, Index j, double* v) const { kernels_.axpy(a, column(j), v, rows_); }
  void axpy_weighted(double a, Index j, const double* s, double* v) const {
    kernels_.axpy_weighted(a, column(j), s, v, rows_);
  }

  // See RowAccess. A row is a stride apart, entry by entry.
  void row_squares(const double* scale, double* out, const core::Execution&) const {
    std::fill_n(out, rows_, 0.0);
    for (Index j = 0; j < cols_; ++j) {
      const double factor = scale != nullptr ? scale[j] : 1.0;
      for (Index i = 0; i < rows_; ++i) {
        const auto x = static_cast<double>(column(j)[i]);
        out[i] += factor * (x * x);
      }
    }
  }
  template <class F>
  void relax_rows(RowList rows, const double* scale, double* out, F&& f) const {
    for (const Index i : rows) {
      double product = 0;
      for (Index j = 0; j < cols_; ++j) product += static_cast<double>(column(j)[i]) * out[j];
      const double a = f(i, product);
      for (Index j = 0; a != 0 && j < cols_; ++j) {
        const double factor = scale != nullptr ? a * scale[j] : a;
        out[j] += factor * static_cast<double>(column(j)[i]);
      }
    }
  }

  void gemv_t(const double* v, std::span<const Index> columns, double* out,
              const core::Execution& execution) const {
    dense_gemv_t<T>([this](Index j) { return column(j); }, rows_, v, columns, out, execution);
  }

  void gemv_add(std::span<const Index> columns, const double* coef, double* out,
                const core::Execution& execution) const {
    dense_gemv_add<T>([this](Index j) { return column(j); }, rows_, columns, coef, out, execution);
  }

  // See FusedProducts: strips of rows, of which the columns stay in a cache between the two
  // products. Not where columns are so many that strips are short, or rows so few; except where
  // several planes share what is read of X.
  template <class F>
  bool gemv_add_then_t(Index planes, std::span<const Index> columns, const double* coef, double* v,
                       F&& g, std::span<const Index> asked, double* out,
                       const core::Execution& execution) const {
    constexpr Index strip_bytes = 256 << 10, least_strip = 128, most_strip = 1024;
    const auto width = static_cast<Index>(std::max({columns.size(), asked.size(), std::size_t{1}}));
    const Index cached = strip_bytes / (width * static_cast<Index>(sizeof(T))) / 8 * 8;
    const Index strip = std::clamp(cached, least_strip, most_strip);
    const Index blocks = planes > 1 ? plane_blocks<T>(rows_, planes) : 16;
    if (planes > 1 ? blocks < 2 : cached < least_strip || rows_ < blocks * strip) return false;
    const auto size = static_cast<Index>(asked.size());
    Vector sums(static_cast<std::size_t>(blocks * planes * size), 0.0);
    core::parallel_for(blocks, serial_if_small(planes * rows_ * width, execution), [&](Index b) {
      double* const sum = sums.data() + b * planes * size;
      const Index end = (b + 1) * rows_ / blocks;
      for (Index row = b * rows_ / blocks; row < end; row += strip) {
        if (execution.stop_requested()) return;
        const Index height = std::min(strip, end - row);
        add_strips(planes, columns, coef, row, height, v + row);
        const double* const u = g(RowRange{row, row + height, b});
        if (u != nullptr) dot_strips(planes, asked, row, height, u, sum);
      }
    });
    for (Index i = 0; i < planes * size; ++i) {
      double total = 0;
      for (Index b = 0; b < blocks; ++b)
        total += sums[static_cast<std::size_t>(b * planes * size + i)];
      out[i / size * cols_ + asked[static_cast<std::size_t>(i % size)]] = total;
    }
    return true;
  }

  // See SquareProducts. The squares of a column, some rows at a time, meet all planes.
  void square_products(Index planes, const double* h, double* out,
                       const core::Execution& execution) const {
    constexpr Index strip = 2048;
    core::parallel_for(cols_, serial_if_small(planes * stored(), execution), [&](Index j) {
      std::array<double, strip> squares;
      std::vector<const double*> at(static_cast<std::size_t>(planes));
      Vector sums(at.size(), 0.0), parts(at.size());
      for (Index row = 0; row < rows_; row += strip) {
        const Index height = std::min(strip, rows_ - row);
        const T* const x = column(j) + row;
        for (Index i = 0; i < height; ++i)
          squares[static_cast<std::size_t>(i)] = core::square(static_cast<double>(x[i]));
        for (std::size_t k = 0; k < at.size(); ++k) at[k] = h + static_cast<Index>(k) * rows_ + row;
        kernels::table().dense<double>().dots(at.data(), planes, squares.data(), height,
                                              parts.data());
        for (std::size_t k = 0; k < at.size(); ++k) sums[k] += parts[k];
      }
      for (std::size_t k = 0; k < at.size(); ++k) out[static_cast<Index>(k) * cols_ + j] = sums[k];
    });
  }

  void moments(const double* s, const double* v, ColumnMoments& out,
               const core::Execution& execution) const {
    out.resize(cols_);
    const Index block = std::max<Index>(1, (1 << 15) / std::max<Index>(rows_, 1));
    core::parallel_for((cols_ + block - 1) / block, serial_if_small(stored(), execution),
                       [&](Index b) {
                         for (Index j = b * block; j < std::min(cols_, (b + 1) * block); ++j) {
                           const kernels::Moments m = kernels_.moments(column(j), s, v, rows_);
                           out.sum[static_cast<std::size_t>(j)] = m.sum;
                           out.sum_sq[static_cast<std::size_t>(j)] = m.sum_sq;
                           out.dot[static_cast<std::size_t>(j)] = m.dot;
                         }
                       });
  }

  void gram(std::span<const Index> columns, Index fresh, const double* center, const double* s,
            double /*total*/, double* out, Index ld, const core::Execution& execution,
            GramPrecision precision = GramPrecision::float64) const {
    dense_gram<T>(
        [this](Index j) {
          return DenseColumn<T>{column(j), 1};
        },
        rows_, columns, fresh, center, s, out, ld, execution, precision);
  }

  void pair_grams(const PairGramRequest& request, const FillWeights& weights, double* out,
                  const core::Execution& execution) const {
    dense_pair_grams<T>(
        [this](Index j) {
          return DenseColumn<T>{column(j), 1};
        },
        rows_, cols_, request, weights, out, execution);
  }

  void row_moments(std::span<const RowPart> parts, const double* center, const RowTarget& t,
                   std::span<double* const> out, const core::Execution& execution) const {
    dense_row_moments<T>(
        [this](Index j) {
          return DenseColumn<T>{column(j), 1};
        },
        cols_, parts, center, t, out, execution);
  }

  std::optional<BadEntry> find_nonfinite() const {
    for (Index j = 0; j < cols_; ++j) {
      for (Index i = 0; i < rows_; ++i) {
        if (!std::isfinite(column(j)[i])) return BadEntry{i, j, column(j)[i]};
      }
    }
    return std::nullopt;
  }

  const T* column(Index j) const { return data_ + j * stride_; }

 private:
  // v_k += X_columns coef_k on some rows, where v_k begin at them.
  void add_strips(Index planes, std::span<const Index> columns, const double* coef, Index row,
                  Index height, double* v) const {
    const auto given = static_cast<Index>(columns.size());
    if (planes > 1 && given > 0 && is_run(columns)) {
      kernels_.planes_accumulate(column(columns[0]) + row, stride_, given, height, coef, given,
                                 planes, v, rows_);
      return;
    }
    for (Index k = 0; k < planes; ++k)
      add_strip(columns, coef + k * given, row, height, v + k * rows_);
  }
  // sums_k += X_columns' u_k on some rows, at which u_k begin.
  void dot_strips(Index planes, std::span<const Index> columns, Index row, Index height,
                  const double* u, double* sums) const {
    const auto size = static_cast<Index>(columns.size());
    if (planes > 1 && size > 0 && is_run(columns)) {
      const Index pitch = interleaved_pitch(planes);
      Vector interleaved(static_cast<std::size_t>(pitch * height));
      interleave(u, rows_, height, planes, interleaved.data());
      kernels_.planes_combine(column(columns[0]) + row, stride_, size, height, interleaved.data(),
                              pitch, planes, sums, size);
      return;
    }
    for (Index k = 0; k < planes; ++k)
      dot_strip(columns, row, height, u + k * rows_, sums + k * size);
  }

  // v += X_columns coef on some rows.
  void add_strip(std::span<const Index> columns, const double* coef, Index row, Index height,
                 double* v) const {
    for (std::size_t k = 0; k < columns.size(); k += column_group) {
      const Group group(*this, columns.subspan(k), row);
      kernels_.axpys(coef + k, group.x, group.size, v, height);
    }
  }
  // sums_k += x_{columns[k]}' v on some rows.
  void dot_strip(std::span<const Index> columns, Index row, Index height, const double* v,
                 double* sums) const {
    double part[column_group];
    for (std::size_t k = 0; k < columns.size(); k += column_group) {
      const Group group(*this, columns.subspan(k), row);
      kernels_.dots(group.x, group.size, v, height, part);
      for (Index c = 0; c < group.size; ++c) sums[k + static_cast<std::size_t>(c)] += part[c];
    }
  }
  // The first columns of a list, from a row on.
  struct Group {
    const T* x[column_group];
    Index size;

    Group(const ColumnMajor& of, std::span<const Index> columns, Index row)
        : size(std::min(column_group, static_cast<Index>(columns.size()))) {
      for (Index c = 0; c < size; ++c) x[c] = of.column(columns[static_cast<std::size_t>(c)]) + row;
    }
  };

  const T* data_;
  Index rows_, cols_, stride_;
  const kernels::DenseKernels<T>& kernels_ = kernels::table().dense<T>();
};

static_assert(ColumnAccess<ColumnMajor<double>> && FusedProducts<ColumnMajor<double>> &&
              RowSlices<ColumnMajor<double>>);

}  // namespace thalweg::design
