// Fast access to a few columns of a design.
//
// Column-major and sparse columns are used in place. Row-major ones are copied to contiguous storage
// if that takes at most `budget` bytes; beyond it access stays strided (slower, never more memory).
#pragma once

#include "thalweg/design/column_major.hpp"
#include "thalweg/design/row_major.hpp"

namespace thalweg::solver {

template <class D>
class ColumnBlock final {
 public:
  explicit ColumnBlock(const D& x) : x_(x) {}

  void load(std::span<const Index> columns, const core::Execution&) {
    columns_.assign(columns.begin(), columns.end());
  }
  double dot(Index k, const double* v) const { return x_.dot(column(k), v); }
  void axpy(double a, Index k, double* v) const { x_.axpy(a, column(k), v); }
  void axpy_weighted(double a, Index k, const double* s, double* v) const {
    x_.axpy_weighted(a, column(k), s, v);
  }

 private:
  Index column(Index k) const { return columns_[static_cast<std::size_t>(k)]; }

  const D& x_;
  std::vector<Index> columns_;
};

template <class T>
class ColumnBlock<design::RowMajor<T>> final {
 public:
  explicit ColumnBlock(const design::RowMajor<T>& x)
      : x_(x), budget_(x.bytes() / 8 + (Index{16} << 20)) {}

  void load(std::span<const Index> columns, const core::Execution& execution) {
    if (std::equal(columns.begin(), columns.end(), columns_.begin(), columns_.end())) return;
    columns_.assign(columns.begin(), columns.end());
    const Index size = static_cast<Index>(columns.size()) * x_.rows();
    copied_ = size * static_cast<Index>(sizeof(T)) <= budget_;
    if (!copied_) return;
    storage_.resize(static_cast<std::size_t>(size));
    x_.copy_columns(columns, storage_.data(), execution);
  }
  double dot(Index k, const double* v) const {
    return copied_ ? kernels_.dot(copy(k), v, x_.rows()) : x_.dot(column(k), v);
  }
  void axpy(double a, Index k, double* v) const {
    if (copied_) kernels_.axpy(a, copy(k), v, x_.rows());
    else x_.axpy(a, column(k), v);
  }
  void axpy_weighted(double a, Index k, const double* s, double* v) const {
    if (copied_) kernels_.axpy_weighted(a, copy(k), s, v, x_.rows());
    else x_.axpy_weighted(a, column(k), s, v);
  }

 private:
  Index column(Index k) const { return columns_[static_cast<std::size_t>(k)]; }
  const T* copy(Index k) const { return storage_.data() + k * x_.rows(); }

  const design::RowMajor<T>& x_;
  Index budget_;
  std::vector<Index> columns_;
  std::vector<T> storage_;
  bool copied_ = false;
  const kernels::DenseKernels<T>& kernels_ = kernels::table().dense<T>();
};

}  // namespace thalweg::solver
