#include "thalweg/solver/face_factor.hpp"

#include <algorithm>
#include <cmath>

#include "thalweg/kernels/transpose.hpp"

namespace thalweg::solver {

void FaceFactor::reserve(Index size) {
  largest_ = std::max(largest_, size);
  if (size <= ld_) return;
  // An odd multiple of a cache line: columns do not share cache sets.
  const Index ld = (std::max<Index>(size + size / 2, 32) / 8 | 1) * 8;
  core::Pages values;
  values.grow(static_cast<std::size_t>(ld * ld));
  for (Index j = 0; j < size_; ++j) std::copy_n(column(j), j + 1, values.data() + j * ld);
  values_ = std::move(values);
  ld_ = ld;
}

double* FaceFactor::prepare(Index size) {
  size_ = 0;
  if (size > ld_) {
    values_ = core::Pages();  // before there is another one
    ld_ = 0;
  }
  reserve(size);
  return column(0);
}

void FaceFactor::forward(double* x, Index size) const {
  for (Index i = 0; i < size; ++i) {
    x[i] = (x[i] - kernels_.dot(column(i), x, i)) / column(i)[i];
  }
}

bool FaceFactor::append(const double* products, double diagonal) {
  reserve(size_ + 1);
  double* const fresh = column(size_);
  std::copy_n(products, size_, fresh);
  forward(fresh, size_);
  const double rest = diagonal - kernels_.dot(fresh, fresh, size_);
  if (!(rest > dependence * diagonal)) return false;
  fresh[size_++] = std::sqrt(rest);
  return true;
}

bool FaceFactor::factorize(Index size, const core::Execution& execution) {
  blocked_.factorize(values_.data(), size, ld_, dependence, execution);
  if (execution.stop_requested()) return false;
  // Without the rows and columns left out, the lower factor is R transposed.
  for (Index j = 0; j < size; ++j) {
    if (is_left_out(j)) continue;
    double* out = column(size_) + size_;
    for (Index i = j; i < size; ++i) {
      if (!is_left_out(i)) *out++ = column(j)[i];
    }
    ++size_;
  }
  kernels::mirror_lower(values_.data(), size_, ld_, execution);
  return !execution.stop_requested();
}

void FaceFactor::remove(Index position) {
  // Columns behind move one place forward and now reach one row below the diagonal.
  for (Index j = position + 1; j < size_; ++j) std::copy_n(column(j), j + 1, column(j - 1));
  --size_;
  // Rotations of rows (i, i + 1), i >= position: each column is turned by the ones before it and
  // then defines its own.
  cosine_.resize(static_cast<std::size_t>(size_));
  sine_.resize(static_cast<std::size_t>(size_));
  for (Index j = position; j < size_; ++j) {
    double* const x = column(j);
    double below = x[position];
    for (Index i = position; i < j; ++i) {
      const auto r = static_cast<std::size_t>(i);
      const double next = x[i + 1];
      x[i] = cosine_[r] * below + sine_[r] * next;
      below = cosine_[r] * next - sine_[r] * below;
    }
    const double last = x[j + 1];
    const double length = std::sqrt(below * below + last * last);
    const auto r = static_cast<std::size_t>(j);
    cosine_[r] = below / length;
    sine_[r] = last / length;
    x[j] = length;
  }
}

void FaceFactor::solve(double* x) const {
  forward(x, size_);
  for (Index i = size_ - 1; i >= 0; --i) {
    x[i] /= column(i)[i];
    kernels_.axpy(-x[i], column(i), x, i);
  }
}

void FaceFactor::multiply(const double* x, Vector& out) const {
  work_.assign(static_cast<std::size_t>(size_), 0.0);
  for (Index j = 0; j < size_; ++j) kernels_.axpy(x[j], column(j), work_.data(), j + 1);
  out.resize(static_cast<std::size_t>(size_));
  for (Index j = 0; j < size_; ++j) {
    out[static_cast<std::size_t>(j)] = kernels_.dot(column(j), work_.data(), j + 1);
  }
}

}  // namespace thalweg::solver
