// Columns of a design in the order in which a solver first visited them, each with its place in it.
#pragma once

#include <algorithm>
#include <vector>

#include "thalweg/core/types.hpp"

namespace thalweg::solver {

class ColumnOrder final {
 public:
  Index size() const { return static_cast<Index>(columns_.size()); }
  std::span<const Index> columns() const { return columns_; }
  // Place of column j, -1 if it has none.
  Index place(Index j) const { return places_.empty() ? -1 : places_[static_cast<std::size_t>(j)]; }

  // How many of these columns have no place.
  Index missing(std::span<const Index> columns) const {
    return static_cast<Index>(
        std::count_if(columns.begin(), columns.end(), [&](Index j) { return place(j) < 0; }));
  }

  // Gives every one of these columns, of a design with `cols` of them, a place; how many had none.
  Index add(Index cols, std::span<const Index> columns) {
    if (places_.empty()) places_.assign(static_cast<std::size_t>(cols), -1);
    const Index before = size();
    for (const Index j : columns) {
      if (place(j) >= 0) continue;
      places_[static_cast<std::size_t>(j)] = size();
      columns_.push_back(j);
    }
    return size() - before;
  }

  // Forgets all but the columns at these ascending places, which move forward.
  void keep(std::span<const Index> places) {
    std::vector<Index> kept;
    for (const Index k : places) kept.push_back(columns_[static_cast<std::size_t>(k)]);
    clear();
    add(static_cast<Index>(places_.size()), kept);
  }

  void clear() {
    for (const Index j : columns_) places_[static_cast<std::size_t>(j)] = -1;
    columns_.clear();
  }

 private:
  std::vector<Index> columns_;
  std::vector<Index> places_;  // by column, empty before the first use
};

}  // namespace thalweg::solver
