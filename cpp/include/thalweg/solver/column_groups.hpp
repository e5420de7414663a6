// Dense columns in groups that a sweep visits together, each with its own Gram matrix.
//
// With q = X_B' v of a group B known by one product and G_BB at hand, coordinate descent inside the
// group touches neither X nor v: its changes follow q by columns of G_BB, and v by one product at
// the end. The iterates are those of coordinate descent, column by column in this order; the passes
// over X are matrix products, which threads can share and which read v once per group.
//
// Columns join in the order in which they are first visited and stay, so that matrices last for
// many steps. Cost: n width multiply-adds per column, once. Memory: 8 width bytes per column.
#pragma once

#include <memory>

#include "thalweg/core/types.hpp"
#include "thalweg/kernels/transpose.hpp"
#include "thalweg/solver/column_order.hpp"

namespace thalweg::solver {

class ColumnGroups final {
 public:
  static constexpr Index width = 32;

  // By column: its place in the order of all that have one; -1 if it has none.
  Index place(Index j) const { return order_.place(j); }
  Index group(Index j) const { return place(j) / width; }
  Index size() const { return order_.size(); }
  Index bytes() const { return static_cast<Index>(grams_.size()) * width * width * 8; }

  // Column of the group's matrix that belongs to design column j; entry i is for the i-th of the
  // group.
  const double* gram(Index j) const {
    return grams_[static_cast<std::size_t>(group(j))].get() + place(j) % width * width;
  }

  void clear() {
    order_.clear();
    grams_.clear();
  }

  // Gives every one of these columns a place.
  template <class Model>
  void add(const Model& glm, std::span<const Index> columns) {
    const Index before = size();
    order_.add(glm.cols(), columns);
    for (Index first = before / width * width; first < size(); first += width) {
      fill(glm, first, std::max<Index>(0, before - first));
    }
  }

 private:
  // The matrix of the group that begins at place `first`, whose first `known` columns are there.
  template <class Model>
  void fill(const Model& glm, Index first, Index known) {
    const Index count = std::min(width, size() - first);
    if (known == count) return;
    if (known == 0) grams_.push_back(std::make_unique<double[]>(width * width));
    double* const gram = grams_.back().get();
    const auto columns = order_.columns().subspan(static_cast<std::size_t>(first));
    glm.gram(columns.first(static_cast<std::size_t>(count)), count - known, gram + known * width,
             width);
    kernels::copy_transposed(gram + known * width, width, known, count - known, gram + known, width,
                             {});
  }

  ColumnOrder order_;
  std::vector<std::unique_ptr<double[]>> grams_;
};

}  // namespace thalweg::solver
