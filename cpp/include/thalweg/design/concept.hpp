// A design is a non-owning view of the user's own array. Dense and sparse differ here and nowhere
// else; everything a design computes is on raw values (objective/glm.hpp centres and scales).
//
// Every operation takes float64 vectors and accumulates in float64, whatever the storage type.
// Parallel ones cut their work at boundaries that depend on the shape only.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <optional>
#include <string>
#include <vector>

#include "thalweg/core/parallel.hpp"
#include "thalweg/core/types.hpp"
#include "thalweg/design/rows.hpp"
#include "thalweg/kernels/kernels.hpp"

namespace thalweg::design {

// Moments of every column, one array per moment (see kernels::Moments); of sparse designs also the
// sum of the weights of the rows where it is stored.
struct ColumnMoments {
  Vector sum, sum_sq, dot, stored;

  void resize(Index columns) {
    const auto size = static_cast<std::size_t>(columns);
    sum.assign(size, 0.0);
    sum_sq.assign(size, 0.0);
    dot.assign(size, 0.0);
    stored.assign(size, 0.0);
  }
};

// Where a NaN or an infinity stands.
struct BadEntry {
  Index row = 0;
  Index column = 0;
  double value = 0;
};

// Below this many multiply-adds, some 3 microseconds, a parallel region (half a microsecond, with
// helpers awake) gains nothing.
inline constexpr Index parallel_threshold = 1 << 15;

inline core::Execution serial_if_small(Index work, core::Execution execution) {
  if (work < parallel_threshold) execution.threads = 1;
  return execution;
}

template <class D>
concept Design = requires(const D& d, const double* in, double* out, std::span<const Index> columns,
                          ColumnMoments& moments, const core::Execution& execution) {
  { d.rows() } -> std::same_as<Index>;
  { d.cols() } -> std::same_as<Index>;
  { d.stored() } -> std::same_as<Index>;  // entries that one pass reads
  { d.bytes() } -> std::same_as<Index>;
  // out[j] = x_j . in for j in columns (indexed by j, other entries untouched).
  {d.gemv_t(in, columns, out, execution)};
  // out += sum_k coef[k] x_{columns[k]}
  {d.gemv_add(columns, in, out, execution)};
  // All columns against weights (may be null) and a vector.
  {d.moments(in, in, moments, execution)};
  { d.find_nonfinite() } -> std::same_as<std::optional<BadEntry>>;
};

// Consecutive rows, in one of the blocks that a pass has cut all rows into.
struct RowRange {
  Index begin = 0, end = 0;
  Index block = 0;  // less than most_row_blocks
};
inline constexpr Index most_row_blocks = 32;

// Both products in one pass over X, for several vectors at once: in_k += X_columns coef_k, then
// out_k[j] = x_j' g_k for j in `asked` (and what it likes for others). g(range) is called when
// every in_k is complete on a range of rows and returns where g_0 begins on them, in an array of
// all rows, or null where nothing is to be multiplied; ranges of a block come in order. No columns:
// in stays as it is. `planes` vectors lie one after the other, in and g by rows, coef by
// columns.size(), out by columns of X and null where nothing is asked. False: nothing done, not
// here.
template <class D>
concept FusedProducts = Design<D> &&
    requires(const D& d, std::span<const Index> columns, const double* coef, double* in,
             double* out, const double* (*g)(const RowRange&), const core::Execution& execution) {
  {
    d.gemv_add_then_t(Index{}, columns, coef, in, g, columns, out, execution)
    } -> std::same_as<bool>;
};

// out_k[j] = sum_i h_k[i] x_ij^2 for so many planes h_k: diagonals of Gram matrices.
template <class D>
concept SquareProducts = Design<D> &&
    requires(const D& d, const double* h, double* out, const core::Execution& execution) {
  {d.square_products(Index{}, h, out, execution)};
};

template <class D>
concept ColumnAccess = Design<D> &&
    requires(const D& d, Index j, double a, const double* in, double* out,
             std::span<const Index> columns, const core::Execution& execution) {
  { d.stored(j) } -> std::same_as<Index>;
  { d.dot(j, in) } -> std::same_as<double>;
  {d.axpy(a, j, out)};
  {d.axpy_weighted(a, j, in, out)};
  // out[i + k * ld] = sum_r s_r (x_{rows[i]} - center) (x_{tail[k]} - center) where tail is the
  // last `fresh` of `columns` and s, center may be null; `total` is the sum of the weights.
  {d.gram(columns, Index{}, in, in, a, out, Index{}, execution)};
};

// What products are rounded to before they are added. Of float32 a digit in the seventh place is
// lost, relative to the norms of both columns (which must be far from the ends of its range), and
// half the time is saved.
enum class GramPrecision { float64, float32 };

// `gram` with a last argument that says so.
template <class D>
concept RoundedGram = requires(const D& d, const double* in, double* out,
                               std::span<const Index> columns, const core::Execution& execution) {
  {d.gram(columns, Index{}, in, in, 0.0, out, Index{}, execution, GramPrecision::float32)};
};

// Rows to be visited: those who do so can have lists as long as X, and half the memory matters.
using RowNumber = std::uint32_t;
using RowList = std::span<const RowNumber>;

// Where a row can be had: what coordinate methods on the dual work with.
template <class D>
concept RowAccess = Design<D> &&
    requires(const D& d, RowList rows, double (*f)(Index, double), const double* scale, double* out,
             const core::Execution& execution) {
  // out_i = sum_j scale_j x_ij^2; scale may be null: ones.
  {d.row_squares(scale, out, execution)};
  // For i in rows, one after the other: out_j += a scale_j x_ij with a = f(i, x_i . out).
  {d.relax_rows(rows, scale, out, f)};
};

// The entries of a row are next to each other.
template <class D>
concept ContiguousRows = RowAccess<D> && requires {
  requires D::is_by_rows;
};

// The same matrix of all columns, out = X' diag(s) X with s that may be null, where there is no
// single column.
template <class D>
concept RowGram = Design<D> &&
    requires(const D& d, const double* s, double* out, const core::Execution& execution) {
  {d.row_gram(s, out, Index{}, execution)};
};

// sum_i s_i (x_ij - center)^2 of centred values, where a column can be had; null s: ones.
template <Design D>
std::optional<double> sum_sq_around(const D& x, Index j, double center, const double* s) {
  if constexpr (requires { x.sum_sq_around(j, center, s); }) {
    return x.sum_sq_around(j, center, s);
  } else if constexpr (ColumnAccess<D>) {
    Vector column(static_cast<std::size_t>(x.rows()), 0.0);
    x.axpy(1.0, j, column.data());
    double sum = 0;
    for (std::size_t i = 0; i < column.size(); ++i) {
      const double apart = column[i] - center;
      sum += (s != nullptr ? s[i] : 1.0) * (apart * apart);
    }
    return sum;
  } else {
    return std::nullopt;
  }
}

// out[part] = sum_i h_i a_i a_i', a_i = (x_i - center, t_i, 1), over the rows of the part: a matrix
// of leading dimension cols + 2; center may be null. After a stop request it is incomplete.
template <class D>
concept MomentAccess = Design<D> &&
    requires(const D& d, std::span<const RowPart> parts, const double* center, const RowTarget& t,
             std::span<double* const> out, const core::Execution& execution) {
  {d.row_moments(parts, center, t, out, execution)};
};

// A view of some consecutive rows, for passes that keep nothing as long as a column.
template <class D>
concept RowSlices = Design<D> && requires(const D& d, Index begin, Index end) {
  { d.row_slice(begin, end) } -> std::same_as<D>;
};

}  // namespace thalweg::design
