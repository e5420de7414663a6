// What a sweep over groups of dense columns asks of X: the residual moves by one group, and the
// next group is multiplied with it.
#pragma once

#include <algorithm>
#include <vector>

#include "thalweg/design/concept.hpp"

namespace thalweg::solver {

// v += S X_add coef (s may be null), then out[i] = x_columns[i]' v, by strips of rows: each is read
// by both products while it is in a cache. The strips depend on the number of rows only. Keeps its
// scratch.
template <class T>
class GroupProduct final {
 public:
  template <class ColumnFunction>
  void operator()(const ColumnFunction& column, Index rows, std::span<const Index> add,
                  const double* coef, const double* s, double* v, std::span<const Index> columns,
                  double* out, const core::Execution& execution) {
    constexpr Index least = 256, most = 2048, wanted = 8;
    const Index strip = std::clamp((rows / wanted + 63) / 64 * 64, least, most);
    const Index strips = (rows + strip - 1) / strip;
    const auto added = static_cast<Index>(add.size());
    const auto asked = static_cast<Index>(columns.size());
    pointers_.resize(static_cast<std::size_t>(strips * std::max(added, asked)));
    sums_.resize(static_cast<std::size_t>(strips * asked));
    if (s != nullptr) combined_.assign(static_cast<std::size_t>(rows), 0.0);
    core::Execution team = design::serial_if_small(rows * (added + asked), execution);
    team.stop = nullptr;  // a residual must move everywhere or nowhere
    core::parallel_for(strips, team, [&](Index b) {
      const Index begin = b * strip;
      const Index size = std::min(strip, rows - begin);
      const T** const x = pointers_.data() + b * std::max(added, asked);
      for (Index k = 0; k < added; ++k) x[k] = column(add[static_cast<std::size_t>(k)]) + begin;
      double* const target = (s != nullptr ? combined_.data() : v) + begin;
      kernel_.axpys(coef, x, added, target, size);
      for (Index i = 0; s != nullptr && i < size; ++i) v[begin + i] += s[begin + i] * target[i];
      for (Index k = 0; k < asked; ++k) x[k] = column(columns[static_cast<std::size_t>(k)]) + begin;
      kernel_.dots(x, asked, v + begin, size, sums_.data() + b * asked);
    });
    std::fill_n(out, asked, 0.0);
    for (Index b = 0; b < strips; ++b) {
      for (Index k = 0; k < asked; ++k) out[k] += sums_[static_cast<std::size_t>(b * asked + k)];
    }
  }

 private:
  std::vector<const T*> pointers_;
  Vector sums_, combined_;
  const kernels::DenseKernels<T>& kernel_ = kernels::table().template dense<T>();
};

}  // namespace thalweg::solver
