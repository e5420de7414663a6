// What a sweep over groups of dense columns asks of X: the residual moves by one group, and the
// next group is multiplied with it.
#pragma once

#include <algorithm>
#include <vector>

#include "thalweg/design/concept.hpp"

namespace thalweg::solver {

// The columns of one group, and where they are: each a contiguous array, or all of them among
// `width` neighbours from column `first` on of rows that are `stride` apart.
template <class T>
struct GroupColumns {
  std::span<const Index> columns;
  const T* rows = nullptr;  // row 0 of column `first`; null: contiguous columns
  Index stride = 0, first = 0, width = 0;

  Index size() const { return static_cast<Index>(columns.size()); }

  // Calls f(i, height, row i) for blocks of the rows from `begin` on, each fetched while the one
  // before is at work: hardware does not foresee rows of few lines.
  template <class F>
  void over_rows(Index begin, Index count, F&& f) const {
    constexpr Index block = 16, line = 64 / static_cast<Index>(sizeof(T));
    const T* row = rows + begin * stride;
    for (Index i = 0; i < count; i += block, row += block * stride) {
      const Index next = std::min(i + 2 * block, count);
      for (Index ahead = i + block; ahead < next; ++ahead) {
        for (Index c = 0; c < width + line; c += line)
          __builtin_prefetch(rows + (begin + ahead) * stride + std::min(c, width - 1));
      }
      f(i, std::min(block, count - i), row);
    }
  }
};

// v += S X_add coef (s may be null), then out[i] = x_asked[i]' v, by strips of rows: each is read
// by both products while it is in a cache. The strips depend on the number of rows only. Keeps its
// scratch.
template <class T>
class GroupProduct final {
 public:
  // column(j): the array of a contiguous column.
  template <class ColumnFunction>
  void operator()(const ColumnFunction& column, Index rows, const GroupColumns<T>& add,
                  const double* coef, const double* s, double* v, const GroupColumns<T>& asked,
                  double* out, const core::Execution& execution) {
    constexpr Index least = 256, most = 2048, wanted = 8;
    const Index strip = std::clamp((rows / wanted + 63) / 64 * 64, least, most);
    const Index strips = (rows + strip - 1) / strip;
    const Index pointers = std::max(add.size(), asked.size());
    const Index sums = asked.rows != nullptr ? asked.width : asked.size();
    pointers_.resize(static_cast<std::size_t>(strips * pointers));
    sums_.assign(static_cast<std::size_t>(strips * sums), 0.0);
    if (s != nullptr) combined_.assign(static_cast<std::size_t>(rows), 0.0);
    if (add.rows != nullptr) spread(add, coef);
    core::Execution team = design::serial_if_small(rows * (add.size() + asked.size()), execution);
    team.stop = nullptr;  // a residual must move everywhere or nowhere
    core::parallel_for(strips, team, [&](Index b) {
      const Index begin = b * strip;
      const Index size = std::min(strip, rows - begin);
      const T** const x = pointers_.data() + b * pointers;
      double* const target = (s != nullptr ? combined_.data() : v) + begin;
      if (add.rows != nullptr) {
        add.over_rows(begin, size, [&](Index i, Index height, const T* row) {
          kernel_.rows_combine(row, add.stride, height, add.width, spread_.data(), target + i);
        });
      } else {
        collect(column, add, begin, x);
        kernel_.axpys(coef, x, add.size(), target, size);
      }
      for (Index i = 0; s != nullptr && i < size; ++i) v[begin + i] += s[begin + i] * target[i];
      double* const sum = sums_.data() + b * sums;
      if (asked.rows != nullptr) {
        asked.over_rows(begin, size, [&](Index i, Index height, const T* row) {
          kernel_.rows_accumulate(row, asked.stride, height, asked.width, v + begin + i, sum);
        });
      } else {
        collect(column, asked, begin, x);
        kernel_.dots(x, asked.size(), v + begin, size, sum);
      }
    });
    std::fill_n(out, asked.size(), 0.0);
    for (Index b = 0; b < strips; ++b) {
      for (Index k = 0; k < asked.size(); ++k) {
        const Index at =
            asked.rows != nullptr ? asked.columns[static_cast<std::size_t>(k)] - asked.first : k;
        out[k] += sums_[static_cast<std::size_t>(b * sums + at)];
      }
    }
  }

 private:
  template <class ColumnFunction>
  static void collect(const ColumnFunction& column, const GroupColumns<T>& group, Index begin,
                      const T** x) {
    for (const Index j : group.columns) *x++ = column(j) + begin;
  }
  // Coefficients by neighbour, zero between the columns.
  void spread(const GroupColumns<T>& add, const double* coef) {
    spread_.assign(static_cast<std::size_t>(add.width), 0.0);
    for (const Index j : add.columns) spread_[static_cast<std::size_t>(j - add.first)] = *coef++;
  }

  std::vector<const T*> pointers_;
  Vector sums_, combined_, spread_;
  const kernels::DenseKernels<T>& kernel_ = kernels::table().template dense<T>();
};

}  // namespace thalweg::solver
