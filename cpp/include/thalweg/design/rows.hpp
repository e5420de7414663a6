// What is known of the rows beside X: weights and a target, made a block of rows at a time where
// they are needed. Of the folds of a tall design, a vector each would be more than the design.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "thalweg/core/types.hpp"

namespace thalweg::design {

// Weights of the rows, none of them negative.
class RowWeights {
 public:
  RowWeights() = default;
  RowWeights(const RowWeights&) = default;
  RowWeights& operator=(const RowWeights&) = default;
  virtual ~RowWeights() = default;

  // out[i - begin] is the weight of row i in [begin, end).
  virtual void fill(Index begin, Index end, double* out) const = 0;
};

// Those of an array, which may be null: ones.
class ArrayWeights final : public RowWeights {
 public:
  explicit ArrayWeights(const double* values) : values_(values) {}

  void fill(Index begin, Index end, double* out) const override {
    if (values_ != nullptr) std::copy(values_ + begin, values_ + end, out);
    else std::fill_n(out, end - begin, 1.0);
  }

 private:
  const double* values_;
};

inline constexpr Index row_block = 1 << 12;  // of which weights are made at once

// Calls f(i, weight) for all rows in their order.
template <class F>
void for_each_row(const RowWeights& weights, Index rows, F&& f) {
  std::array<double, row_block> block;
  for (Index begin = 0; begin < rows; begin += row_block) {
    const Index end = std::min(rows, begin + row_block);
    weights.fill(begin, end, block.data());
    for (Index i = begin; i < end; ++i) f(i, block[static_cast<std::size_t>(i - begin)]);
  }
}

inline Vector to_vector(const RowWeights& weights, Index rows) {
  Vector all(static_cast<std::size_t>(rows));
  weights.fill(0, rows, all.data());
  return all;
}

// y - offset - shift, the shift in two parts: one pass finds it to rounding of the mean, another to
// that of the spread.
struct RowTarget {
  const double* y = nullptr;
  const double* offset = nullptr;  // or null
  std::array<double, 2> shift{0, 0};

  double operator()(Index i) const {
    const double known = offset != nullptr ? y[i] - offset[i] : y[i];
    return (known - shift[0]) - shift[1];
  }
};

// The rows whose weight is not zero, by their positions among themselves.
class RowPart final {
 public:
  RowPart() = default;
  RowPart(const RowWeights& weights, Index rows) : weights_(&weights), rows_(rows) {
    std::array<double, row_block> block;
    for (Index begin = 0; begin < rows; begin += row_block) {
      const Index end = std::min(rows, begin + row_block);
      weights.fill(begin, end, block.data());
      before_.push_back(size_);
      size_ += end - begin - std::count(block.data(), block.data() + (end - begin), 0.0);
    }
  }

  Index size() const { return size_; }

  // Rows in turn, from a position on: which, and the roots of their weights.
  class Cursor final {
   public:
    Cursor(const RowPart& part, Index position) : part_(part) {
      const auto after = std::upper_bound(part.before_.begin(), part.before_.end(), position);
      block_ = static_cast<Index>(after - part.before_.begin()) - 1;
      position = position - part.before_[static_cast<std::size_t>(block_)];
      open();
      for (; position > 0; ++row_) position -= weight() != 0 ? 1 : 0;
    }

    void take(Index count, Index* rows, double* roots) {
      for (Index k = 0; k < count; ++row_) {
        if (row_ == end_) {
          ++block_;
          open();
        }
        if (weight() == 0) continue;
        rows[k] = row_;
        roots[k++] = std::sqrt(weight());
      }
    }

   private:
    void open() {
      row_ = begin_ = block_ * row_block;
      end_ = std::min(part_.rows_, begin_ + row_block);
      part_.weights_->fill(begin_, end_, weights_.data());
    }
    double weight() const { return weights_[static_cast<std::size_t>(row_ - begin_)]; }

    const RowPart& part_;
    Index block_ = 0, begin_ = 0, end_ = 0, row_ = 0;
    std::array<double, row_block> weights_;
  };

 private:
  const RowWeights* weights_ = nullptr;
  Index rows_ = 0, size_ = 0;
  std::vector<Index> before_;  // used rows before each block of rows
};

// How many of these rows, of which there are `count`, follow one another from the first on.
inline Index run_length(const Index* rows, Index count) {
  Index length = 1;
  while (length < count && rows[length] == rows[0] + length) ++length;
  return length;
}

}  // namespace thalweg::design
