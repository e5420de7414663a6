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
#include <vector>

#include "thalweg/core/info.hpp"
#include "thalweg/core/numerics.hpp"
#include "thalweg/design/concept.hpp"
#include "thalweg/design/planes.hpp"
#include "thalweg/kernels/transpose.hpp"

namespace thalweg::design {

struct SparseRows;  // its catalogue entry
template <class T, class I>
class Csc;

template <class T, class I>
class Csr final {
 public:
  using Scalar = kernels::Stored<T>;
  using Entry = SparseRows;
  static constexpr bool is_by_rows = true;

  Csr(const T* data, const I* index, const I* pointers, Index rows, Index cols)
      : data_(data), index_(index), pointers_(pointers), rows_(rows), cols_(cols) {}

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  Index stored() const { return static_cast<Index>(pointers_[rows_]); }
  Index bytes() const {
    return stored() * static_cast<Index>(sizeof(T) + sizeof(I)) +
           (rows_ + 1) * static_cast<Index>(sizeof(I));
  }

  // X', a view of the same memory.
  Csc<T, I> transposed() const { return {data_, index_, pointers_, cols_, rows_}; }

  void gemv_t(const double* v, std::span<const Index> columns, double* out,
              const core::Execution& execution) const {
    sum_rows(columns, out, execution, [&](const RowRange& rows, double* partial) {
      for (Index i = rows.begin; i < rows.end; ++i)
        kernels_.axpy(v[i], values(i), indices(i), stored_in_row(i), partial);
    });
  }

  void gemv_add(std::span<const Index> columns, const double* coef, double* out,
                const core::Execution& execution) const {
    if (columns.empty()) return;
    Vector filled;
    const double* const full = fill(columns, coef, filled);
    constexpr Index block = 1024;
    core::parallel_for((rows_ + block - 1) / block, serial_if_small(stored(), execution),
                       [&](Index b) {
                         for (Index i = b * block; i < std::min(rows_, (b + 1) * block); ++i) {
                           out[i] += kernels_.dot(values(i), indices(i), stored_in_row(i), full);
                         }
                       });
  }

  // See FusedProducts.
  template <class F>
  bool gemv_add_then_t(Index planes, std::span<const Index> columns, const double* coef, double* v,
                       F&& g, std::span<const Index> asked, double* out,
                       const core::Execution& execution) const {
    if (planes > 1) {
      multiply_planes(planes, columns, coef, v, g, out, execution);
      return true;
    }
    Vector filled;
    const double* const full = fill(columns, coef, filled);
    sum_rows(asked, out, execution, [&](const RowRange& rows, double* partial) {
      for (Index i = rows.begin; i < rows.end && !columns.empty(); ++i)
        v[i] += kernels_.dot(values(i), indices(i), stored_in_row(i), full);
      const double* const u = g(rows);
      for (Index i = rows.begin; i < rows.end && u != nullptr; ++i)
        kernels_.axpy(u[i - rows.begin], values(i), indices(i), stored_in_row(i), partial);
    });
    return true;
  }

  // See SquareProducts.
  void square_products(Index planes, const double* h, double* out,
                       const core::Execution& execution) const {
    if (planes == 1) {
      std::fill_n(out, cols_, 0.0);
      over_row_blocks(cols_, out, execution, [&](const RowRange& rows, double* partial) {
        for (Index i = rows.begin; i < rows.end; ++i) {
          for (Index e = 0; e < stored_in_row(i); ++e)
            partial[indices(i)[e]] += core::square(static_cast<double>(values(i)[e])) * h[i];
        }
      });
      return;
    }
    std::vector<Vector> sums;
    sum_planes(planes, h, out, serial_if_small(planes * stored(), execution), sums,
               [&](Index i, const std::array<double, group_size>& factors, double* to) {
                 for (Index e = 0; e < stored_in_row(i); ++e) {
                   const double square = core::square(static_cast<double>(values(i)[e]));
                   double* const at = to + static_cast<Index>(indices(i)[e]) * group_size;
                   for (Index k = 0; k < group_size; ++k)
                     at[k] += square * factors[static_cast<std::size_t>(k)];
                 }
               });
  }

  void moments(const double* s, const double* v, ColumnMoments& out,
               const core::Execution& execution) const {
    out.resize(cols_);
    constexpr Index each = are_ones ? 2 : 4;
    Vector sums(static_cast<std::size_t>(each * cols_), 0.0);
    over_row_blocks(each * cols_, sums.data(), execution,
                    [&](const RowRange& rows, double* partial) {
                      for (Index i = rows.begin; i < rows.end; ++i) {
                        const double weight = s != nullptr ? s[i] : 1.0;
                        for (Index e = 0; e < stored_in_row(i); ++e) {
                          const auto x = static_cast<double>(values(i)[e]);
                          double* const at = partial + each * static_cast<Index>(indices(i)[e]);
                          at[0] += weight * x;
                          at[1] += v[i] * x;
                          if constexpr (!are_ones) {
                            at[2] += weight * x * x;
                            at[3] += weight;
                          }
                        }
                      }
                    });
    for (std::size_t j = 0; j < out.sum.size(); ++j) {
      const double* const at = sums.data() + each * static_cast<Index>(j);
      out.sum[j] = at[0];
      out.dot[j] = at[1];
      out.sum_sq[j] = at[are_ones ? 0 : 2];
      out.stored[j] = at[are_ones ? 0 : 3];
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
  void relax_rows(RowList rows, const double* scale, double* out, F&& f) const {
    constexpr std::size_t pointers_ahead = 8, entries_ahead = 3;
    for (std::size_t k = 0; k < rows.size(); ++k) {
      if (k + pointers_ahead < rows.size())
        __builtin_prefetch(pointers_ + rows[k + pointers_ahead]);
      if (k + entries_ahead < rows.size()) {
        if constexpr (!are_ones) __builtin_prefetch(values(rows[k + entries_ahead]));
        __builtin_prefetch(indices(rows[k + entries_ahead]));
      }
      const Index i = rows[k];
      const Index size = stored_in_row(i);
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
        const auto value = static_cast<double>(values(i)[e]);
        if (!std::isfinite(value)) return BadEntry{i, static_cast<Index>(indices(i)[e]), value};
      }
    }
    return std::nullopt;
  }

 private:
  static constexpr bool are_ones = std::is_same_v<T, kernels::One>;
  static constexpr Index group_size = kernels::side_by_side;  // of planes

  const T* values(Index i) const { return data_ + pointers_[i]; }
  const I* indices(Index i) const { return index_ + pointers_[i]; }
  Index stored_in_row(Index i) const { return static_cast<Index>(pointers_[i + 1] - pointers_[i]); }

  // Whether they are all columns, in their order.
  bool are_all(std::span<const Index> columns) const {
    bool all = static_cast<Index>(columns.size()) == cols_;
    for (std::size_t k = 0; all && k < columns.size(); ++k)
      all = columns[k] == static_cast<Index>(k);
    return all;
  }

  // Coefficients for all columns: those given, unless some are left out.
  const double* fill(std::span<const Index> columns, const double* coef, Vector& filled) const {
    if (columns.empty() || are_all(columns)) return coef;
    filled.assign(static_cast<std::size_t>(cols_), 0.0);
    for (std::size_t k = 0; k < columns.size(); ++k)
      filled[static_cast<std::size_t>(columns[k])] += coef[k];
    return filled.data();
  }

  // out[j] of `columns` = what f(rows, sums of all columns) makes of all rows.
  template <class F>
  void sum_rows(std::span<const Index> columns, double* out, const core::Execution& execution,
                F&& f) const {
    if (are_all(columns)) {
      std::fill_n(out, cols_, 0.0);
      over_row_blocks(cols_, out, execution, f);
      return;
    }
    Vector sums(static_cast<std::size_t>(cols_), 0.0);
    over_row_blocks(cols_, sums.data(), execution, f);
    for (const Index j : columns) out[j] = sums[static_cast<std::size_t>(j)];
  }

  // gemv_add_then_t of several planes: in groups of a cache line, interleaved, so that an entry
  // meets all of a group in one place. Predictions by blocks of rows; then each group's products
  // have sums of their own, which are as long as X is wide, and for which threads share X.
  template <class F>
  void multiply_planes(Index planes, std::span<const Index> columns, const double* coef, double* v,
                       F&& g, double* out, const core::Execution& requested) const {
    const core::Execution execution = serial_if_small(planes * stored(), requested);
    std::vector<Vector> full;
    if (!columns.empty()) full = interleaved(planes, columns, coef, execution);
    std::array<const double*, most_row_blocks> answers{};
    over_ranges(row_blocks(), execution, [&](const RowRange& rows) {
      for (std::size_t group = 0; group < full.size(); ++group) {
        const Index first = static_cast<Index>(group) * group_size;
        combine(rows, std::min(group_size, planes - first), full[group].data(), v + first * rows_);
      }
      const double* const u = g(rows);
      if (u != nullptr) answers[static_cast<std::size_t>(rows.block)] = u - rows.begin;
    });
    if (answers[0] == nullptr) return;
    sum_planes(planes, answers[0], out, execution, full,
               [&](Index i, const std::array<double, group_size>& factors, double* sums) {
                 kernels_.axpys(factors.data(), values(i), indices(i), stored_in_row(i), sums,
                                group_size);
               });
  }

  // out_k[j] = what add(i, u_k[i] of the planes of a group, sums of the group) makes of all rows,
  // in memory of the groups of planes.
  template <class Add>
  void sum_planes(Index planes, const double* u, double* out, const core::Execution& execution,
                  std::vector<Vector>& sums, Add&& add) const {
    const Index groups = interleaved_pitch(planes) / group_size;
    // A lone group is shared out by blocks of rows.
    constexpr Index most_shares = 4, between_polls = 1024;
    const Index shares =
        groups > 1 ? 1 : std::clamp<Index>(stored() / (4 * cols_ + 1), 1, most_shares);
    sums.resize(static_cast<std::size_t>(groups * shares));
    for (Vector& sum : sums) sum.reserve(static_cast<std::size_t>(group_size * cols_));
    core::parallel_for(groups * shares, execution, [&](Index task) {
      const Index first = task / shares * group_size, size = std::min(group_size, planes - first);
      const Index end = boundary(task % shares + 1, shares);
      Vector& sum = sums[static_cast<std::size_t>(task)];
      sum.assign(static_cast<std::size_t>(group_size * cols_), 0.0);
      std::array<double, group_size> factors{};
      for (Index i = boundary(task % shares, shares); i < end; ++i) {
        if (i % between_polls == 0 && execution.stop_requested()) return;
        for (Index k = 0; k < size; ++k)
          factors[static_cast<std::size_t>(k)] = u[(first + k) * rows_ + i];
        add(i, factors, sum.data());
      }
    });
    if (execution.stop_requested()) return;
    constexpr Index chunk = 1 << 12;
    const Index chunks = (cols_ + chunk - 1) / chunk;
    core::parallel_for(planes * chunks, execution, [&](Index task) {
      const Index k = task / chunks, begin = task % chunks * chunk;
      for (Index j = begin; j < std::min(cols_, begin + chunk); ++j) {
        double total = 0;
        for (Index share = 0; share < shares; ++share) {
          const Vector& sum = sums[static_cast<std::size_t>(k / group_size * shares + share)];
          total += sum[static_cast<std::size_t>(j * group_size + k % group_size)];
        }
        out[k * cols_ + j] = total;
      }
    });
  }

  std::vector<Vector> interleaved(Index planes, std::span<const Index> columns, const double* coef,
                                  const core::Execution& execution) const {
    const Index groups = interleaved_pitch(planes) / group_size;
    const auto given = static_cast<Index>(columns.size());
    std::vector<Vector> full(static_cast<std::size_t>(groups));
    for (Vector& group : full) group.reserve(static_cast<std::size_t>(group_size * cols_));
    core::parallel_for(groups, execution, [&](Index g) {
      Vector& group = full[static_cast<std::size_t>(g)];
      const Index first = g * group_size, size = std::min(group_size, planes - first);
      group.assign(static_cast<std::size_t>(group_size * cols_), 0.0);
      for (Index c = 0; c < given; ++c) {
        const Index j = columns[static_cast<std::size_t>(c)];
        for (Index k = 0; k < size; ++k)
          group[static_cast<std::size_t>(j * group_size + k)] += coef[(first + k) * given + c];
      }
    });
    return full;
  }

  // v_k += X coef_k on some rows for the planes of a group.
  void combine(const RowRange& rows, Index planes, const double* coef, double* v) const {
    std::array<double, group_size> products;
    for (Index i = rows.begin; i < rows.end; ++i) {
      kernels_.dots(values(i), indices(i), stored_in_row(i), coef, group_size, products.data());
      for (Index k = 0; k < planes; ++k) v[k * rows_ + i] += products[static_cast<std::size_t>(k)];
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

  static constexpr Index least_entries = 1 << 15, most_blocks = 8;  // of a block of rows
  static_assert(most_blocks <= most_row_blocks);

  Index row_blocks() const { return std::clamp<Index>(stored() / least_entries, 1, most_blocks); }

  // Calls f(range) on short ranges of rows, in the order of their block.
  template <class F>
  void over_ranges(Index blocks, const core::Execution& execution, F&& f) const {
    core::parallel_for(blocks, execution, [&](Index b) {
      const Index end = boundary(b + 1, blocks);
      for (Index row = boundary(b, blocks); row < end;) {
        if (execution.stop_requested()) return;
        const Index next = std::min(end, range_end(row));
        f(RowRange{row, next, b});
        row = next;
      }
    });
  }

  // Calls f(range, sums) likewise, each block with sums of its own, `length` numbers, and adds
  // these up in result, which is zero before. `most_bytes`: of the sums of all blocks but the
  // first, where there can be two blocks at least. Columns of few entries want few blocks: sums
  // that are hardly used cost more than they save (a page that is touched first takes
  // microseconds). Three a block and column are enough (measured on sms_spam, which has 7.5 of
  // them; two made a third block there, and that no gain).
  template <class F>
  void over_row_blocks(Index length, double* result, const core::Execution& requested, F&& f,
                       Index most_bytes) const {
    const core::Execution execution = serial_if_small(stored(), requested);
    const Index affordable =
        1 + std::max<Index>(1, most_bytes / (length * static_cast<Index>(sizeof(double)) + 1));
    const Index worthwhile = std::min(row_blocks(), stored() / (3 * cols_ + 1));
    const Index most = std::clamp<Index>(worthwhile, 1, affordable);
    const Index blocks = most - (most > 1 ? most % 2 : 0);  // two threads share them evenly
    Vector others(static_cast<std::size_t>((blocks - 1) * length), 0.0);
    over_ranges(blocks, execution, [&](const RowRange& rows) {
      f(rows, rows.block == 0 ? result : others.data() + (rows.block - 1) * length);
    });
    if (blocks == 1) return;
    constexpr Index chunk = 1 << 12;
    core::parallel_for((length + chunk - 1) / chunk, execution, [&](Index c) {
      for (Index b = 0; b + 1 < blocks; ++b) {
        for (Index k = c * chunk; k < std::min(length, (c + 1) * chunk); ++k)
          result[k] += others[static_cast<std::size_t>(b * length + k)];
      }
    });
  }
  // Within a sixteenth of what X takes.
  template <class F>
  void over_row_blocks(Index length, double* result, const core::Execution& execution,
                       F&& f) const {
    over_row_blocks(length, result, execution, f, bytes() / 16);
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
