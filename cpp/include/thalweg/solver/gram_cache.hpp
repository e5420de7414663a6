// The Gram matrix of the columns that a solver has visited, X~_C' S X~_C / sum s, grown lazily.
//
// Independent of w and alpha, so one cache serves a whole path. A column that enters costs one
// product with all cached columns (blocked, threaded); none is ever computed twice. Memory is
// capacity^2 doubles; capacity doubles, and untouched pages are not resident.
#pragma once

#include <algorithm>
#include <memory>

#include "thalweg/core/types.hpp"

namespace thalweg::solver {

class GramCache final {
 public:
  Index size() const { return static_cast<Index>(columns_.size()); }
  Index leading_dimension() const { return capacity_; }
  const double* column(Index slot) const { return values_.get() + slot * capacity_; }
  double operator()(Index a, Index b) const { return values_[static_cast<std::size_t>(a + b * capacity_)]; }
  Index bytes() const { return size() * size() * 8; }
  // Slot of column j, -1 if it has none.
  Index slot(Index j) const {
    return slots_.empty() ? -1 : slots_[static_cast<std::size_t>(j)];
  }

  // How many of these columns are not cached yet.
  Index missing(std::span<const Index> columns) const {
    if (slots_.empty()) return static_cast<Index>(columns.size());
    return static_cast<Index>(std::count_if(columns.begin(), columns.end(),
                                            [&](Index j) { return slot(j) < 0; }));
  }

  // Forgets every column that is not among these; slots change, no product is computed again.
  void retain(std::span<const Index> columns) {
    std::vector<Index> kept, from;
    for (const Index j : columns) {
      if (slot(j) < 0) continue;
      kept.push_back(j);
      from.push_back(slot(j));
    }
    // In the old order, so that moving forward overwrites nothing that is still needed.
    std::sort(from.begin(), from.end());
    for (std::size_t b = 0; b < from.size(); ++b) {
      kept[b] = columns_[static_cast<std::size_t>(from[b])];
      double* const out = values_.get() + static_cast<Index>(b) * capacity_;
      const double* const in = column(from[b]);
      for (std::size_t a = 0; a < from.size(); ++a) out[a] = in[from[a]];
    }
    for (const Index j : columns_) slots_[static_cast<std::size_t>(j)] = -1;
    columns_ = std::move(kept);
    for (std::size_t k = 0; k < columns_.size(); ++k) {
      slots_[static_cast<std::size_t>(columns_[k])] = static_cast<Index>(k);
    }
  }

  template <class Model>
  void ensure(const Model& glm, std::span<const Index> columns) {
    if (slots_.empty()) slots_.assign(static_cast<std::size_t>(glm.cols()), -1);
    const Index before = size();
    for (const Index j : columns) {
      if (slot(j) >= 0) continue;
      slots_[static_cast<std::size_t>(j)] = size();
      columns_.push_back(j);
    }
    const Index fresh = size() - before;
    if (fresh == 0) return;
    reserve(size(), before);
    glm.gram(columns_, fresh, values_.get() + before * capacity_, capacity_);
    for (Index k = before; k < size(); ++k) {
      for (Index i = 0; i < before; ++i) {
        values_[static_cast<std::size_t>(k + i * capacity_)] =
            values_[static_cast<std::size_t>(i + k * capacity_)];
      }
    }
  }

 private:
  void reserve(Index needed, Index used) {
    if (needed <= capacity_) return;
    Index capacity = std::max<Index>(capacity_, 64);
    while (capacity < needed) capacity *= 2;
    // An odd multiple of a cache line: columns do not share cache sets.
    capacity += 8;
    auto values = std::make_unique_for_overwrite<double[]>(
        static_cast<std::size_t>(capacity) * static_cast<std::size_t>(capacity));
    for (Index k = 0; k < used; ++k) {
      std::copy_n(values_.get() + k * capacity_, used, values.get() + k * capacity);
    }
    values_ = std::move(values);
    capacity_ = capacity;
  }

  std::vector<Index> columns_;
  std::vector<Index> slots_;  // by column, empty before the first use
  std::unique_ptr<double[]> values_;
  Index capacity_ = 0;
};

}  // namespace thalweg::solver
