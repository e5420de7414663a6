// The Gram matrices of few dense columns under many weightings of the rows, as a single product of
// matrices: a row for each weighting, a column for each pair of columns of X,
//
//   out_qm = sum_i h_q(i) z_m(i),   z_m = x_j x_k,   m = j (j + 1) / 2 + k,  k <= j
//
// A Gram matrix by itself packs its weighted columns, which for few of them takes longer than the
// multiplications, and panels of more columns than there are multiply with nothing; here a pair is
// made once for all weightings.
//
// Weights are packed some rows at a time; then a task takes a panel of pairs and some of
// weightings, and a slice of the rows where these are too few to go round. All are cut by sizes, so
// that the bits do not depend on threads. Cost: n q m multiply-adds in register tiles. Memory: 1 MB
// (or 128 rows of weights), and the sums of each slice.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <utility>
#include <vector>

#include "thalweg/design/dense_gram.hpp"

namespace thalweg::design {

// Weighting q on rows [begin, end), where q < count: from fill(q, begin, end, out).
using FillWeights = std::function<void(Index, Index, Index, double*)>;

struct PairGramRequest {
  Index count;           // of weightings
  bool with_ones;        // as a last column of X
  const double* center;  // of the other columns, or null

  Index columns(Index cols) const { return cols + (with_ones ? 1 : 0); }
  Index pairs(Index cols) const { return columns(cols) * (columns(cols) + 1) / 2; }
};

// Whether it pays: one by one are as fast where columns fill panels, or weightings are few. All of
// them are held beside the matrix that they become.
inline bool suits_pair_grams(Index cols, Index count) {
  constexpr Index most_entries = 1 << 21;
  return cols <= 64 && count >= 10 && count * cols * (cols + 1) / 2 <= most_entries;
}

namespace detail {

template <class T, class ColumnFunction>
class PairGrams final {
 public:
  PairGrams(const ColumnFunction& column, Index rows, Index cols, const PairGramRequest& request,
            const FillWeights& weights, const core::Execution& execution)
      : column_(column),
        weights_(weights),
        request_(request),
        execution_(execution),
        rows_(rows),
        columns_(request.columns(cols)),
        pairs_(request.pairs(cols)),
        panels_q_((request.count + width - 1) / width),
        panels_m_((pairs_ + width - 1) / width) {
    constexpr Index least_tasks = 16, least_rows = 1024, round_bytes = 1 << 20;
    const Index row_bytes = 8 * (panels_q_ * width + columns_);
    const Index most = std::min(rows / least_rows, round_bytes / (block * row_bytes));
    slices_ = std::clamp<Index>(std::min(least_tasks / panels_m_, most), 1, least_tasks);
    const Index slice_rows = (rows + slices_ - 1) / slices_;
    const Index fit = round_bytes / (slices_ * row_bytes);
    round_ = std::clamp(fit / block * block, block, (slice_rows + block - 1) / block * block);
    packed_.require(slices_ * panels_q_ * round_ * width);
    x_.resize(static_cast<std::size_t>(slices_ * columns_ * round_));
    for (Index m = 0, j = 0; j < columns_; ++j) {
      for (Index k = 0; k <= j; ++k, ++m) pair_.emplace_back(j, k);
    }
  }

  void run(double* out) {
    const Index size = request_.count * pairs_;
    std::fill_n(out, size, 0.0);
    std::vector<Vector> sums(static_cast<std::size_t>(slices_ - 1),
                             Vector(static_cast<std::size_t>(size), 0.0));
    const Index blocks = round_ / block;
    const Index longest = slice_begin(1) - slice_begin(0) + 1;
    for (Index done = 0; done < longest && !execution_.stop_requested(); done += round_) {
      core::parallel_for(slices_ * blocks, execution_,
                         [&](Index task) { pack(task / blocks, done, task % blocks * block); });
      const Index groups = (panels_q_ + group - 1) / group;
      core::parallel_for(slices_ * groups * panels_m_, execution_, [&](Index task) {
        const Index slice = task / (groups * panels_m_), first_q = task % groups * group;
        double* const sum = slice == 0 ? out : sums[static_cast<std::size_t>(slice - 1)].data();
        multiply(slice, done, task / groups % panels_m_, first_q,
                 std::min(panels_q_, first_q + group), sum);
      });
    }
    for (const Vector& sum : sums) {
      for (Index i = 0; i < size; ++i) out[i] += sum[static_cast<std::size_t>(i)];
    }
  }

 private:
  static constexpr Index width = kernels::gram_panel_width;
  static constexpr Index block = gram_inner_rows;
  static constexpr Index group = 16;  // panels of weightings of a task

  Index slice_begin(Index slice) const { return slice * rows_ / slices_; }
  // Rows [begin, end) of a slice in this round.
  std::pair<Index, Index> round_of(Index slice, Index done) const {
    const Index end = slice_begin(slice + 1);
    const Index begin = std::min(end, slice_begin(slice) + done);
    return {begin, std::min(end, begin + round_)};
  }

  // Weights and columns of up to `block` rows of a round.
  void pack(Index slice, Index done, Index offset) {
    const auto [first, last] = round_of(slice, done);
    const Index begin = std::min(last, first + offset), end = std::min(last, begin + block);
    if (begin == end) return;
    double* const packed = packed_.data() + slice * panels_q_ * round_ * width;
    std::array<double, block> h;
    for (Index q = 0; q < panels_q_ * width; ++q) {
      if (q < request_.count) weights_(q, begin, end, h.data());
      else h.fill(0);
      double* const to = packed + (q / width * round_ + offset) * width + q % width;
      for (Index i = 0; i < end - begin; ++i) to[i * width] = h[static_cast<std::size_t>(i)];
    }
    for (Index j = 0; j < columns_; ++j) {
      double* const to = column_of(slice, j) + offset;
      if (request_.with_ones && j == columns_ - 1) {
        std::fill_n(to, end - begin, 1.0);
        continue;
      }
      const DenseColumn<T> x = column_(j);
      const double mean = request_.center != nullptr ? request_.center[j] : 0.0;
      for (Index i = begin; i < end; ++i)
        to[i - begin] = static_cast<double>(x.data[i * x.stride]) - mean;
    }
  }

  // Adds the products of panels [first_q, last_q) of weightings with a panel of pairs.
  void multiply(Index slice, Index done, Index panel, Index first_q, Index last_q, double* sum) {
    const auto [first, last] = round_of(slice, done);
    const double* const packed = packed_.data() + slice * panels_q_ * round_ * width;
    const Index begin = panel * width, count = std::min(width, pairs_ - begin);
    alignas(64) std::array<double, block * width> z;
    for (Index row = 0; row < last - first; row += block) {
      const Index height = std::min(block, last - first - row);
      for (Index m = 0; m < width; ++m) {
        const auto [j, k] = pair_[static_cast<std::size_t>(std::min(begin + m, pairs_ - 1))];
        const double* const a = column_of(slice, j) + row;
        const double* const b = column_of(slice, k) + row;
        for (Index i = 0; i < height; ++i) z[static_cast<std::size_t>(i * width + m)] = a[i] * b[i];
      }
      for (Index q = first_q; q < last_q; ++q) {
        block_.panel_product(packed + (q * round_ + row) * width, z.data(), height, 1.0,
                             sum + q * width + begin * request_.count, request_.count,
                             std::min(width, request_.count - q * width), count, false);
      }
    }
  }

  double* column_of(Index slice, Index j) { return x_.data() + (slice * columns_ + j) * round_; }

  const ColumnFunction& column_;
  const FillWeights& weights_;
  const PairGramRequest& request_;
  const core::Execution& execution_;
  Index rows_, columns_, pairs_, panels_q_, panels_m_;
  Index slices_ = 1, round_ = block;
  kernels::PanelMemory<double> packed_;
  Vector x_;
  std::vector<std::pair<Index, Index>> pair_;
  const kernels::BlockKernels& block_ = kernels::table().block;
};

}  // namespace detail

// column(j) -> DenseColumn<T>. out has leading dimension request.count.
template <class T, class ColumnFunction>
void dense_pair_grams(const ColumnFunction& column, Index rows, Index cols,
                      const PairGramRequest& request, const FillWeights& weights, double* out,
                      const core::Execution& requested) {
  const core::Execution execution =
      serial_if_small(rows * request.count * request.pairs(cols), requested);
  detail::PairGrams<T, ColumnFunction>(column, rows, cols, request, weights, execution).run(out);
}

}  // namespace thalweg::design
