#include "thalweg/kernels/cholesky.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "thalweg/kernels/kernels.hpp"

namespace thalweg::kernels {
namespace {

constexpr Index block = 2 * gram_panel_width;
// Multiply-adds below which a parallel region costs more than it saves.
constexpr Index parallel_work = 1 << 22;

core::Execution limited(Index work, core::Execution execution) {
  if (work < parallel_work) execution.threads = 1;
  return execution;
}

}  // namespace

void Cholesky::factorize(double* a, Index n, Index ld, double tolerance,
                         const core::Execution& execution) {
  a_ = a;
  n_ = n;
  ld_ = ld;
  threshold_.resize(static_cast<std::size_t>(n));
  for (Index k = 0; k < n; ++k) threshold_[static_cast<std::size_t>(k)] = tolerance * at(k, k);
  skipped_.assign(static_cast<std::size_t>(n), 0);
  for (Index begin = 0; begin < n && !execution.stop_requested(); begin += block) {
    const Index end = std::min(n, begin + block);
    factorize_diagonal(begin, end);
    if (end == n) break;
    solve_panel(begin, end, execution);
    update_trailing(begin, end, execution);
  }
}

void Cholesky::factorize_diagonal(Index begin, Index end) {
  for (Index k = begin; k < end; ++k) {
    const double pivot = at(k, k);
    if (!(pivot > threshold_[static_cast<std::size_t>(k)]) || !(pivot > 0)) {
      skipped_[static_cast<std::size_t>(k)] = 1;
      at(k, k) = 1.0;
      for (Index i = k + 1; i < end; ++i) at(i, k) = 0.0;
      continue;
    }
    const double root = std::sqrt(pivot);
    at(k, k) = root;
    for (Index i = k + 1; i < end; ++i) at(i, k) /= root;
    for (Index j = k + 1; j < end; ++j) {
      const double factor = at(j, k);
      if (factor == 0) continue;
      for (Index i = j; i < end; ++i) at(i, j) -= factor * at(i, k);
    }
  }
}

// Rows below the diagonal block: L21 = A21 L11^{-T}, a few rows per task.
void Cholesky::solve_panel(Index begin, Index end, const core::Execution& execution) {
  constexpr Index rows = 64;
  core::parallel_for((n_ - end + rows - 1) / rows, limited((n_ - end) * block * block, execution),
                     [&](Index task) {
                       const Index first = end + task * rows;
                       const Index last = std::min(n_, first + rows);
                       for (Index k = begin; k < end; ++k) {
                         if (skipped_[static_cast<std::size_t>(k)] != 0) {
                           for (Index i = first; i < last; ++i) at(i, k) = 0.0;
                           continue;
                         }
                         for (Index j = begin; j < k; ++j) {
                           const double factor = at(k, j);
                           if (factor == 0) continue;
                           for (Index i = first; i < last; ++i) at(i, k) -= factor * at(i, j);
                         }
                         const double inverse = 1.0 / at(k, k);
                         for (Index i = first; i < last; ++i) at(i, k) *= inverse;
                       }
                     });
}

// A22 -= L21 L21', lower tiles.
void Cholesky::update_trailing(Index begin, Index end, const core::Execution& execution) {
  constexpr Index width = gram_panel_width;
  const Table& kernels = table();
  const Index depth = end - begin;
  const Index panels = (n_ - end + width - 1) / width;
  packed_.require(panels * width * block);
  for (Index panel = 0; panel < panels; ++panel) {
    const Index first = end + panel * width;
    const double* rows[width];
    const Index count = std::min(width, n_ - first);
    for (Index c = 0; c < count; ++c) rows[c] = a_ + first + c + begin * ld_;
    kernels.dense<double>().pack(rows, ld_, count, depth, nullptr, nullptr,
                                 packed_.data() + panel * width * block);
  }
  core::parallel_for(
      panels, limited((n_ - end) * (n_ - end) * depth, execution), [&](Index column) {
        const Index j = end + column * width;
        for (Index panel = column; panel < panels; ++panel) {
          const Index i = end + panel * width;
          kernels.block.panel_product(packed_.data() + panel * width * block,
                                      packed_.data() + column * width * block, depth, -1.0,
                                      a_ + i + j * ld_, ld_, std::min(width, n_ - i),
                                      std::min(width, n_ - j), false);
        }
      });
}

void Cholesky::solve(double* x) const {
  const DenseKernels<double>& dense = table().dense<double>();
  for (Index k = 0; k < n_; ++k) {
    if (skipped_[static_cast<std::size_t>(k)] != 0) {
      x[k] = 0.0;
      continue;
    }
    x[k] /= at(k, k);
    dense.axpy(-x[k], a_ + k + 1 + k * ld_, x + k + 1, n_ - k - 1);
  }
  for (Index k = n_ - 1; k >= 0; --k) {
    if (skipped_[static_cast<std::size_t>(k)] != 0) {
      x[k] = 0.0;
      continue;
    }
    x[k] = (x[k] - dense.dot(a_ + k + 1 + k * ld_, x + k + 1, n_ - k - 1)) / at(k, k);
  }
}

void bring_forward(double* a, Index n, Index k, Index pivot, Vector& rest,
                   std::vector<Index>& order) {
  if (pivot == k) return;
  const auto column = [&](Index j) { return a + j * n; };
  for (Index j = 0; j < k; ++j) std::swap(column(j)[k], column(j)[pivot]);
  for (Index i = k + 1; i < pivot; ++i) std::swap(column(k)[i], column(i)[pivot]);
  std::swap(column(k)[k], column(pivot)[pivot]);
  std::swap_ranges(column(k) + pivot + 1, column(k) + n, column(pivot) + pivot + 1);
  std::swap(rest[static_cast<std::size_t>(k)], rest[static_cast<std::size_t>(pivot)]);
  std::swap(order[static_cast<std::size_t>(k)], order[static_cast<std::size_t>(pivot)]);
}

bool PivotedCholesky::factorize(double* a, Index n, double tolerance,
                                const core::Execution& execution) {
  const DenseKernels<double>& dense = table().dense<double>();
  a_ = a;
  n_ = n;
  rank_ = 0;
  order_.resize(static_cast<std::size_t>(n));
  std::iota(order_.begin(), order_.end(), Index{0});
  rest_.resize(static_cast<std::size_t>(n));
  for (Index k = 0; k < n; ++k) rest_[static_cast<std::size_t>(k)] = column(k)[k];
  work_.resize(static_cast<std::size_t>(n));
  std::vector<const double*> before(static_cast<std::size_t>(n));
  double least = 0;
  for (Index k = 0; k < n; ++k) {
    if (execution.stop_requested()) return false;
    const auto largest = std::max_element(rest_.begin() + k, rest_.end());
    if (k == 0) least = tolerance * *largest;
    if (!(*largest > least)) break;
    bring_forward(a_, n_, k, largest - rest_.begin(), rest_, order_);
    double* const x = column(k);
    for (Index j = 0; j < k; ++j) {
      work_[static_cast<std::size_t>(j)] = -column(j)[k];
      before[static_cast<std::size_t>(j)] = column(j) + k + 1;
    }
    dense.axpys(work_.data(), before.data(), k, x + k + 1, n - k - 1);
    x[k] = std::sqrt(rest_[static_cast<std::size_t>(k)]);
    for (Index i = k + 1; i < n; ++i) {
      x[i] /= x[k];
      rest_[static_cast<std::size_t>(i)] -= x[i] * x[i];
    }
    ++rank_;
  }
  return true;
}

void PivotedCholesky::solve(double* x) const {
  const DenseKernels<double>& dense = table().dense<double>();
  for (Index k = 0; k < rank_; ++k)
    work_[static_cast<std::size_t>(k)] = x[order_[static_cast<std::size_t>(k)]];
  double* const y = work_.data();
  for (Index k = 0; k < rank_; ++k) {
    y[k] /= column(k)[k];
    dense.axpy(-y[k], column(k) + k + 1, y + k + 1, rank_ - k - 1);
  }
  for (Index k = rank_ - 1; k >= 0; --k) {
    y[k] = (y[k] - dense.dot(column(k) + k + 1, y + k + 1, rank_ - k - 1)) / column(k)[k];
  }
  std::fill_n(x, n_, 0.0);
  for (Index k = 0; k < rank_; ++k) x[order_[static_cast<std::size_t>(k)]] = y[k];
}

}  // namespace thalweg::kernels
