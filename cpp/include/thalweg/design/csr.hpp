// Compressed sparse rows, sorted and without duplicates (the border checks; see
// design/sparse_format.hpp). For methods that use X a pass at a time: a row's entries meet both its
// prediction and its slope in one. No access to a single column, so coordinate methods need a
// conversion (recorded by the caller).
//
// Sums over rows run over blocks of about equally many entries, with partial sums added in order.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "thalweg/core/info.hpp"
#include "thalweg/design/concept.hpp"
#include "thalweg/kernels/transpose.hpp"

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
    over_row_blocks(cols_, sums.data(), execution, [&](const RowRange& rows, double* partial) {
      for (Index i = rows.begin; i < rows.end; ++i)
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

  // See FusedProducts. Several planes are interleaved, so that an entry meets all of them in one
  // place.
  template <class F>
  bool gemv_add_then_t(Index planes, std::span<const Index> columns, const double* coef, double* v,
                       F&& g, std::span<const Index> asked, double* out,
                       const core::Execution& execution) const {
    const Index width = interleaved_width(planes), given = static_cast<Index>(columns.size());
    Vector full(static_cast<std::size_t>(width * cols_), 0.0), sums(full.size(), 0.0);
    for (Index k = 0; k < planes; ++k) {
      for (Index c = 0; c < given; ++c)
        full[static_cast<std::size_t>(columns[static_cast<std::size_t>(c)] * width + k)] +=
            coef[k * given + c];
    }
    over_row_blocks(width * cols_, sums.data(), execution,
                    [&](const RowRange& rows, double* partial) {
                      combine(rows, planes, full.data(), v);
                      accumulate(rows, planes, g(rows), partial);
                    });
    for (Index k = 0; k < planes; ++k) {
      for (const Index j : asked)
        out[k * cols_ + j] = sums[static_cast<std::size_t>(j * width + k)];
    }
    return true;
  }

  void moments(const double* s, const double* v, ColumnMoments& out,
               const core::Execution& execution) const {
    out.resize(cols_);
    Vector sums(static_cast<std::size_t>(3 * cols_), 0.0);
    over_row_blocks(3 * cols_, sums.data(), execution, [&](const RowRange& rows, double* partial) {
      for (Index i = rows.begin; i < rows.end; ++i) {
        const double weight = s != nullptr ? s[i] : 1.0;
        for (Index e = 0; e < stored_in_row(i); ++e) {
          const auto x = static_cast<double>(values(i)[e]);
          double* const at = partial + 3 * static_cast<Index>(indices(i)[e]);
          at[0] += weight * x;
          at[1] += weight * x * x;
          at[2] += v[i] * x;
        }
      }
    });
    for (std::size_t j = 0; j < out.sum.size(); ++j) {
      out.sum[j] = sums[3 * j];
      out.sum_sq[j] = sums[3 * j + 1];
      out.dot[j] = sums[3 * j + 2];
    }
  }

  // See RowAccess. Rows in any order: what one needs is fetched while others are at work.
  void row_squares(const double* scale, double* out, const core::Execution& execution) const {
    constexpr Index block = 1024;
    core::parallel_for((rows_ + block - 1) / block, serial_if_small(stored(), execution),
                       [&](Index b) {
                         for (Index i = b * block; i < std::min(rows_, (b + 1) * block); ++i) {
                           double sum = 0;
                           for (Index e = 0; e < stored_in_row(i); ++e) {
                             const auto x = static_cast<double>(values(i)[e]);
                             sum += x * x * (scale != nullptr ? scale[indices(i)[e]] : 1.0);
                           }
                           out[i] = sum;
                         }
                       });
  }
  template <class F>
  void relax_rows(std::span<const Index> rows, const double* scale, double* out, F&& f) const {
    constexpr std::size_t pointers_ahead = 8, entries_ahead = 3;
    for (std::size_t k = 0; k < rows.size(); ++k) {
      if (k + pointers_ahead < rows.size())
        __builtin_prefetch(pointers_ + rows[k + pointers_ahead]);
      if (k + entries_ahead < rows.size()) {
        __builtin_prefetch(values(rows[k + entries_ahead]));
        __builtin_prefetch(indices(rows[k + entries_ahead]));
      }
      const Index i = rows[k], size = stored_in_row(i);
      const double a = f(i, kernels_.dot(values(i), indices(i), size, out));
      if (a == 0) continue;
      if (scale == nullptr) kernels_.axpy(a, values(i), indices(i), size, out);
      else kernels_.axpy_weighted(a, values(i), indices(i), size, scale, out);
    }
  }

  // out = X' diag(s) X of all columns, s may be null. Cost: sum_i (entries of row i)^2 / 2. Where
  // the matrix is small, blocks of rows have sums of their own; else its columns are shared out,
  // and each share looks through all rows.
  void row_gram(const double* s, double* out, Index ld, const core::Execution& execution) const {
    constexpr Index most_sums = 16 << 20;  // bytes
    for (Index j = 0; j < cols_; ++j) std::fill_n(out + j * ld, cols_, 0.0);
    if (2 * cols_ * cols_ * static_cast<Index>(sizeof(double)) <= most_sums) {
      Vector sums(static_cast<std::size_t>(cols_ * cols_), 0.0);
      over_row_blocks(
          cols_ * cols_, sums.data(), execution,
          [&](const RowRange& rows, double* partial) {
            add_products(rows, 0, cols_, s, partial, cols_);
          },
          most_sums);
      for (Index j = 0; j < cols_; ++j) std::copy_n(sums.data() + j * cols_, j + 1, out + j * ld);
    } else {
      constexpr Index shares = 32;
      // Of a triangle, so that shares are equally large.
      const auto boundary = [&](Index share) {
        return static_cast<Index>(static_cast<double>(cols_) *
                                  std::sqrt(static_cast<double>(share) / shares));
      };
      core::parallel_for(shares, execution, [&](Index share) {
        constexpr Index between_polls = 256;
        for (Index row = 0; row < rows_ && !execution.stop_requested(); row += between_polls) {
          add_products({row, std::min(rows_, row + between_polls), 0}, boundary(share),
                       boundary(share + 1), s, out, ld);
        }
      });
    }
    kernels::mirror_upper(out, cols_, ld, execution);
  }

  // See design::sum_sq_around. Looks for the column in every row.
  double sum_sq_around(Index j, double center, const double* s) const {
    double sum = 0;
    for (Index i = 0; i < rows_; ++i) {
      const I* const end = indices(i) + stored_in_row(i);
      const I* const at = std::lower_bound(indices(i), end, static_cast<I>(j));
      const bool is_stored = at != end && static_cast<Index>(*at) == j;
      const double value = is_stored ? static_cast<double>(values(i)[at - indices(i)]) : 0.0;
      sum += (s != nullptr ? s[i] : 1.0) * ((value - center) * (value - center));
    }
    return sum;
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

  static Index interleaved_width(Index planes) {
    constexpr Index step = kernels::side_by_side;
    return planes == 1 ? 1 : (planes + step - 1) / step * step;
  }

  // v_k += X coef_k on some rows, coef interleaved.
  void combine(const RowRange& rows, Index planes, const double* coef, double* v) const {
    if (planes == 1) {
      for (Index i = rows.begin; i < rows.end; ++i)
        v[i] += kernels_.dot(values(i), indices(i), stored_in_row(i), coef);
      return;
    }
    Vector products(static_cast<std::size_t>(interleaved_width(planes)));
    for (Index i = rows.begin; i < rows.end; ++i) {
      kernels_.dots(values(i), indices(i), stored_in_row(i), coef, interleaved_width(planes),
                    products.data());
      for (Index k = 0; k < planes; ++k) v[k * rows_ + i] += products[static_cast<std::size_t>(k)];
    }
  }
  // sums_k += X' g_k on some rows, sums interleaved; g_k begins at the first of them.
  void accumulate(const RowRange& rows, Index planes, const double* g, double* sums) const {
    if (planes == 1) {
      for (Index i = rows.begin; i < rows.end; ++i)
        kernels_.axpy(g[i - rows.begin], values(i), indices(i), stored_in_row(i), sums);
      return;
    }
    Vector factors(static_cast<std::size_t>(interleaved_width(planes)), 0.0);
    for (Index i = rows.begin; i < rows.end; ++i) {
      for (Index k = 0; k < planes; ++k)
        factors[static_cast<std::size_t>(k)] = g[k * rows_ + i - rows.begin];
      kernels_.axpys(factors.data(), values(i), indices(i), stored_in_row(i), sums,
                     interleaved_width(planes));
    }
  }
  // out_{ij} += sum over some rows of s x_i x_j for columns j in [first, last), i <= j.
  void add_products(const RowRange& rows, Index first, Index last, const double* s, double* out,
                    Index ld) const {
    for (Index row = rows.begin; row < rows.end; ++row) {
      const T* const x = values(row);
      const I* const index = indices(row);
      const Index size = stored_in_row(row);
      const double weight = s != nullptr ? s[row] : 1.0;
      Index a =
          first == 0 ? 0 : std::lower_bound(index, index + size, static_cast<I>(first)) - index;
      for (; a < size && static_cast<Index>(index[a]) < last; ++a) {
        kernels_.axpy(weight * static_cast<double>(x[a]), x, index, a + 1,
                      out + static_cast<Index>(index[a]) * ld);
      }
    }
  }

  // Calls f(range, sums) on short ranges of rows, in the order of their block, each block with sums
  // of its own, `length` numbers, and adds these up in result. `most_bytes`: of the sums of all
  // blocks, where there can be two at least. Columns of few entries want few blocks: sums that are
  // hardly used cost more than they save (a page that is touched first takes microseconds).
  template <class F>
  void over_row_blocks(Index length, double* result, const core::Execution& requested, F&& f,
                       Index most_bytes = Index{64} << 20) const {
    constexpr Index most_blocks = 8, least_entries = 1 << 15;
    static_assert(most_blocks <= most_row_blocks);
    const core::Execution execution = serial_if_small(stored(), requested);
    const Index affordable =
        std::max<Index>(2, most_bytes / (length * static_cast<Index>(sizeof(double))));
    const Index worthwhile = std::min(stored() / least_entries, stored() / (4 * cols_ + 1));
    const Index blocks = std::clamp<Index>(worthwhile, 1, std::min(most_blocks, affordable));
    Vector partial(static_cast<std::size_t>(blocks > 1 ? blocks * length : 0), 0.0);
    core::parallel_for(blocks, execution, [&](Index b) {
      double* const sums = blocks > 1 ? partial.data() + b * length : result;
      const Index end = boundary(b + 1, blocks);
      for (Index row = boundary(b, blocks); row < end;) {
        if (execution.stop_requested()) return;
        const Index next = std::min(end, range_end(row));
        f(RowRange{row, next, b}, sums);
        row = next;
      }
    });
    if (blocks == 1) return;
    constexpr Index chunk = 1 << 12;
    core::parallel_for((length + chunk - 1) / chunk, execution, [&](Index c) {
      for (Index b = 0; b < blocks; ++b) {
        for (Index k = c * chunk; k < std::min(length, (c + 1) * chunk); ++k)
          result[k] += partial[static_cast<std::size_t>(b * length + k)];
      }
    });
  }

  // Where block b of several begins: they have about equally many entries.
  Index boundary(Index b, Index blocks) const {
    if (b == 0) return 0;
    if (b == blocks) return rows_;
    return std::lower_bound(pointers_, pointers_ + rows_, static_cast<I>(stored() * b / blocks)) -
           pointers_;
  }
  // The end of a range from a row on that stays in a cache between two uses.
  Index range_end(Index row) const {
    constexpr Index bytes = 128 << 10, most_rows = 1024;
    constexpr auto entries = static_cast<Index>(bytes / (sizeof(T) + sizeof(I)));
    Index end = row + 1;
    while (end < rows_ && end - row < most_rows &&
           static_cast<Index>(pointers_[end + 1]) - static_cast<Index>(pointers_[row]) <= entries)
      ++end;
    return end;
  }

  const T* data_;
  const I* index_;
  const I* pointers_;
  Index rows_, cols_;
  const kernels::SparseKernels<T, I>& kernels_ = kernels::table().sparse<T, I>();
};

static_assert(FusedProducts<Csr<double, std::int32_t>> && RowGram<Csr<double, std::int32_t>>);
static_assert(RowAccess<Csr<double, std::int32_t>> && !ColumnAccess<Csr<double, std::int32_t>>);

// What the catalogue says of this storage.
struct SparseRows final {
  static constexpr std::array<core::Flag, 3> flags{
      {{"column_access", false}, {"row_access", true}, {"sparse", true}}};
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
