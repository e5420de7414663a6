#include "thalweg/kernels/modified_cholesky.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "thalweg/kernels/cholesky.hpp"
#include "thalweg/kernels/kernels.hpp"

namespace thalweg::kernels {
namespace {

// beta^2 and delta of the reference; negative beta where an entry is not finite.
struct Limits {
  double beta_squared, delta;
};

Limits limits_of(const double* a, Index n) {
  double diagonal = 0, off_diagonal = 0, sum = 0;
  for (Index j = 0; j < n; ++j) {
    diagonal = std::max(diagonal, std::fabs(a[j * (n + 1)]));
    for (Index i = j; i < n; ++i) sum += std::fabs(a[i + j * n]);
    for (Index i = j + 1; i < n; ++i)
      off_diagonal = std::max(off_diagonal, std::fabs(a[i + j * n]));
  }
  if (!std::isfinite(sum)) return {-1, 0};
  const double order = std::sqrt(std::max<double>(static_cast<double>(n * n - 1), 1.0));
  const double size = diagonal + off_diagonal;
  return {.beta_squared = std::max({diagonal, off_diagonal / order, epsilon}),
          .delta = epsilon * (size > 0 ? size : 1.0)};
}

}  // namespace

bool ModifiedCholesky::factorize(double* a, Index n, const core::Execution& execution) {
  const auto size = static_cast<std::size_t>(n);
  a_ = a;
  n_ = n;
  shift_ = 0;
  order_.resize(size);
  std::iota(order_.begin(), order_.end(), Index{0});
  for (Vector* v : {&pivots_, &rest_, &work_}) v->resize(size);
  const Limits limits = limits_of(a, n);
  if (limits.beta_squared < 0) return false;
  for (Index j = 0; j < n; ++j) rest_[static_cast<std::size_t>(j)] = column(j)[j];
  const auto& axpy = table().dense_f64.axpy;
  for (Index k = 0; k < n; ++k) {
    if (execution.stop_requested()) return false;
    const auto largest = std::max_element(rest_.begin() + k, rest_.end(), [](double x, double y) {
      return std::fabs(x) < std::fabs(y);
    });
    bring_forward(a_, n_, k, largest - rest_.begin(), rest_, order_);
    // Column k of C = L D, from those of L so far.
    double* const c = column(k);
    for (Index j = 0; j < k; ++j) {
      const double factor = -column(j)[k] * pivots_[static_cast<std::size_t>(j)];
      if (factor != 0) axpy(factor, column(j) + k + 1, c + k + 1, n - k - 1);
    }
    double theta = 0;
    for (Index i = k + 1; i < n; ++i) theta = std::max(theta, std::fabs(c[i]));
    const double left = rest_[static_cast<std::size_t>(k)];
    const double pivot =
        std::max({std::fabs(left), theta * theta / limits.beta_squared, limits.delta});
    shift_ = std::max(shift_, pivot - left);
    pivots_[static_cast<std::size_t>(k)] = pivot;
    for (Index i = k + 1; i < n; ++i) {
      const double entry = c[i];
      c[i] = entry / pivot;
      rest_[static_cast<std::size_t>(i)] -= entry * c[i];
    }
  }
  return true;
}

void ModifiedCholesky::solve(double* x) {
  const DenseKernels<double>& dense = table().dense_f64;
  for (Index k = 0; k < n_; ++k)
    work_[static_cast<std::size_t>(k)] = x[order_[static_cast<std::size_t>(k)]];
  double* const y = work_.data();
  for (Index k = 0; k < n_; ++k) dense.axpy(-y[k], column(k) + k + 1, y + k + 1, n_ - k - 1);
  for (Index k = 0; k < n_; ++k) y[k] /= pivots_[static_cast<std::size_t>(k)];
  for (Index k = n_ - 1; k >= 0; --k) y[k] -= dense.dot(column(k) + k + 1, y + k + 1, n_ - k - 1);
  for (Index k = 0; k < n_; ++k) x[order_[static_cast<std::size_t>(k)]] = y[k];
}

}  // namespace thalweg::kernels
