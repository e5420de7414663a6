// The Gram matrix of the columns that a solver has visited, X~_C' S X~_C / sum s, grown lazily.
//
// Independent of w and alpha, so one cache serves a whole path. A column that enters costs one
// product with all cached columns (blocked, threaded); none is ever computed twice. Memory is
// capacity^2 doubles; capacity doubles in place, and untouched pages are not resident.
#pragma once

#include <algorithm>
#include <cstring>

#include "thalweg/core/pages.hpp"
#include "thalweg/core/parallel.hpp"
#include "thalweg/core/types.hpp"
#include "thalweg/kernels/transpose.hpp"
#include "thalweg/solver/column_order.hpp"

namespace thalweg::solver {

class GramCache final {
 public:
  Index size() const { return order_.size(); }
  Index leading_dimension() const { return capacity_; }
  const double* column(Index slot) const { return values_.data() + slot * capacity_; }
  double operator()(Index a, Index b) const { return column(b)[a]; }
  // Memory taken, at most: what `retain` leaves stays resident, and columns take whole pages.
  Index bytes() const {
    constexpr Index page = 4096;
    return largest_ * std::min(8 * capacity_, 8 * largest_ + page);
  }
  // Slot of column j, -1 if it has none.
  Index slot(Index j) const { return order_.place(j); }
  // How many of these columns are not cached yet.
  Index missing(std::span<const Index> columns) const { return order_.missing(columns); }

  // Forgets every column that is not among these; slots change, no product is computed again.
  void retain(std::span<const Index> columns) {
    std::vector<Index> from;
    for (const Index j : columns) {
      if (slot(j) >= 0) from.push_back(slot(j));
    }
    // In the old order, so that moving forward overwrites nothing that is still needed.
    std::sort(from.begin(), from.end());
    for (std::size_t b = 0; b < from.size(); ++b) {
      double* const out = values_.data() + static_cast<Index>(b) * capacity_;
      const double* const in = column(from[b]);
      for (std::size_t a = 0; a < from.size(); ++a) out[a] = in[from[a]];
    }
    order_.keep(from);
  }

  // After a stop request the cache may be left without any column or with wrong entries: it must
  // not be used any more.
  template <class Model>
  void ensure(const Model& glm, std::span<const Index> columns,
              const core::Execution& execution = {}) {
    const Index before = size();
    const Index fresh = order_.add(glm.cols(), columns);
    if (fresh == 0) return;
    if (!reserve(size(), before, execution)) return;
    largest_ = std::max(largest_, size());
    double* const added = values_.data() + before * capacity_;
    glm.gram(order_.columns(), fresh, added, capacity_);
    kernels::copy_transposed(added, capacity_, before, fresh, values_.data() + before, capacity_,
                             execution);
  }

 private:
  // False where a stop came first.
  bool reserve(Index needed, Index used, const core::Execution& execution) {
    if (needed <= capacity_) return true;
    Index capacity = std::max<Index>(capacity_, 64);
    while (capacity < needed) capacity *= 2;
    // An odd multiple of a cache line: columns do not share cache sets.
    capacity += 8;
    // Grown in place, where two blocks would both be held while one is copied to the other. Then
    // columns move apart, the last one first, into what no other column needs any more.
    values_.grow(static_cast<std::size_t>(capacity) * static_cast<std::size_t>(capacity));
    for (Index k = used - 1; k > 0; --k) {
      if (execution.stop_requested()) return false;
      std::memmove(values_.data() + k * capacity, values_.data() + k * capacity_,
                   sizeof(double) * static_cast<std::size_t>(used));
    }
    capacity_ = capacity;
    return true;
  }

  ColumnOrder order_;  // a column's place is its slot
  core::Pages values_;
  Index capacity_ = 0;
  Index largest_ = 0;
};

}  // namespace thalweg::solver
