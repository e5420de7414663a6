// Fast access to the columns that a solver visits.
//
// Column-major and sparse columns are used in place. Row-major ones are copied to contiguous storage
// on their first visit, as long as the copies take at most `budget` bytes. A column without a copy is
// read with a stride, or, by whoever visits columns in groups, staged: copied for the time until the
// next group but one is.
#pragma once

#include <array>
#include <memory>

#include "thalweg/design/column_major.hpp"
#include "thalweg/design/row_major.hpp"

namespace thalweg::solver {

template <class D>
class ColumnBlock final {
 public:
  static constexpr bool is_dense = requires(const D& d) { d.column(Index{}); };

  ColumnBlock(const D& x, Index /*at_once*/) : x_(x) {}

  void load(std::span<const Index>, const core::Execution&) {}
  // Makes column(j) contiguous for these; what was staged the time before stays so.
  void stage(std::span<const Index>, const core::Execution&) {}
  // Whether all of these are contiguous arrays, column(j).
  bool has_all(std::span<const Index>) const { return is_dense; }
  auto column(Index j) const
    requires is_dense
  {
    return x_.column(j);
  }
  const D& columns() const { return x_; }
  // What visiting a column costs, relative to contiguous storage.
  double visit_factor(std::span<const Index>) const { return 1.0; }

  double dot(Index j, const double* v) const { return x_.dot(j, v); }
  void axpy(double a, Index j, double* v) const { x_.axpy(a, j, v); }
  void axpy_weighted(double a, Index j, const double* s, double* v) const {
    x_.axpy_weighted(a, j, s, v);
  }

 private:
  const D& x_;
};

template <class T>
class ColumnBlock<design::RowMajor<T>> final {
 public:
  static constexpr bool is_dense = true;

  // The budget is divided between the blocks that there are at once.
  ColumnBlock(const design::RowMajor<T>& x, Index at_once)
      : x_(x), most_(budget(x.bytes()) / at_once /
                     std::max<Index>(1, x.rows() * static_cast<Index>(sizeof(T)))) {}

  // Copies those of these columns that have no copy yet; if all do not fit, columns that are not
  // among these lose theirs.
  void load(std::span<const Index> columns, const core::Execution& execution) {
    if (copies_.empty()) {
      copies_.resize(static_cast<std::size_t>(x_.cols()));
      contiguous_.assign(static_cast<std::size_t>(x_.cols()), nullptr);
    }
    for (Stage& stage : stages_) clear(stage);
    collect_missing(columns);
    if (missing_.empty()) return;
    if (held_ + static_cast<Index>(missing_.size()) > most_) release_others(columns);
    missing_.resize(static_cast<std::size_t>(
        std::min<Index>(static_cast<Index>(missing_.size()), most_ - held_)));
    targets_.clear();
    for (const Index j : missing_) {
      auto& copy = copies_[static_cast<std::size_t>(j)];
      copy = std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(x_.rows()));
      targets_.push_back(copy.get());
    }
    held_ += static_cast<Index>(missing_.size());
    copy_missing(execution);
  }

  void stage(std::span<const Index> columns, const core::Execution& execution) {
    collect_missing(columns);
    if (missing_.empty()) return;
    std::swap(stages_[0], stages_[1]);
    Stage& stage = stages_[0];
    clear(stage);
    stage.columns = missing_;
    stage.values.resize(missing_.size() * static_cast<std::size_t>(x_.rows()));
    targets_.clear();
    for (std::size_t k = 0; k < missing_.size(); ++k) {
      targets_.push_back(stage.values.data() + k * static_cast<std::size_t>(x_.rows()));
    }
    copy_missing(execution);
  }

  bool has_all(std::span<const Index> columns) const {
    return !copies_.empty() && std::all_of(columns.begin(), columns.end(), [&](Index j) {
      return copies_[static_cast<std::size_t>(j)] != nullptr;
    });
  }
  // Null where it is neither copied nor staged.
  const T* column(Index j) const { return contiguous_[static_cast<std::size_t>(j)]; }

  const ColumnBlock& columns() const { return *this; }
  // Staging reads a cache line per entry, or per few entries of columns that are neighbours.
  double visit_factor(std::span<const Index> columns) const {
    return static_cast<Index>(columns.size()) <= most_ ? 1.0 : 6.0;
  }

  double dot(Index j, const double* v) const {
    return column(j) ? kernels_.dot(column(j), v, x_.rows()) : x_.dot(j, v);
  }
  void axpy(double a, Index j, double* v) const {
    if (column(j)) kernels_.axpy(a, column(j), v, x_.rows());
    else x_.axpy(a, j, v);
  }
  void axpy_weighted(double a, Index j, const double* s, double* v) const {
    if (column(j)) kernels_.axpy_weighted(a, column(j), s, v, x_.rows());
    else x_.axpy_weighted(a, j, s, v);
  }

  // The design's products, from the copies if there are all.
  void gemv_t(const double* v, std::span<const Index> columns, double* out,
              const core::Execution& execution) const {
    if (!has_all(columns)) return x_.gemv_t(v, columns, out, execution);
    design::dense_gemv_t<T>([this](Index j) { return column(j); }, x_.rows(), v, columns, out, execution);
  }
  void gemv_add(std::span<const Index> columns, const double* coef, double* out,
                const core::Execution& execution) const {
    if (!has_all(columns)) return x_.gemv_add(columns, coef, out, execution);
    design::dense_gemv_add<T>([this](Index j) { return column(j); }, x_.rows(), columns, coef, out,
                              execution);
  }
  void gram(std::span<const Index> columns, Index fresh, const double* center, const double* s,
            double total, double* out, Index ld, const core::Execution& execution) const {
    if (!has_all(columns)) return x_.gram(columns, fresh, center, s, total, out, ld, execution);
    design::dense_gram<T>([this](Index j) { return design::DenseColumn<T>{column(j), 1}; }, x_.rows(),
                          columns, fresh, center, s, out, ld, execution);
  }

 private:
  struct Stage {
    std::vector<Index> columns;
    std::vector<T> values;
  };

  void collect_missing(std::span<const Index> columns) {
    missing_.clear();
    for (const Index j : columns) {
      if (column(j) == nullptr) missing_.push_back(j);
    }
  }
  void copy_missing(const core::Execution& execution) {
    for (std::size_t k = 0; k < missing_.size(); ++k) {
      contiguous_[static_cast<std::size_t>(missing_[k])] = targets_[k];
    }
    x_.copy_columns(missing_, targets_.data(), execution);
  }
  void clear(Stage& stage) {
    for (const Index j : stage.columns) contiguous_[static_cast<std::size_t>(j)] = nullptr;
    stage.columns.clear();
  }

  // Of the copies, in bytes: an eighth of X and some more; a small X may be copied whole.
  static Index budget(Index bytes) {
    constexpr Index small = Index{128} << 20;
    return bytes <= small ? bytes : bytes / 8 + (Index{16} << 20);
  }
  void release_others(std::span<const Index> columns) {
    std::vector<char> wanted(copies_.size(), 0);
    for (const Index j : columns) wanted[static_cast<std::size_t>(j)] = 1;
    for (std::size_t j = 0; j < copies_.size(); ++j) {
      if (wanted[j] != 0 || !copies_[j]) continue;
      copies_[j].reset();
      contiguous_[j] = nullptr;
      --held_;
    }
  }

  const design::RowMajor<T>& x_;
  Index most_;  // copies that fit the budget
  Index held_ = 0;
  std::vector<std::unique_ptr<T[]>> copies_;
  std::array<Stage, 2> stages_;
  std::vector<const T*> contiguous_;  // by column: its copy, staged or to stay; null
  std::vector<Index> missing_;
  std::vector<T*> targets_;           // where the missing ones go
  const kernels::DenseKernels<T>& kernels_ = kernels::table().dense<T>();
};

}  // namespace thalweg::solver
