// The columns of a view behind the interface of column_block.hpp: in place where a column is an
// array or a list, copied or staged where it has a stride. The only code of the solvers of
// quadratic problems that is compiled for every view.
#pragma once

#include <array>

#include "thalweg/design/column_major.hpp"
#include "thalweg/design/row_major.hpp"
#include "thalweg/solver/column_block.hpp"
#include "thalweg/solver/group_product.hpp"

namespace thalweg::solver {

// What a sweep over single columns asks of a model (sweep.hpp), inlined for a block.
template <class Block>
class SingleColumns final {
 public:
  SingleColumns(Block& block, const MovingResidual& residual, std::span<const Index> columns)
      : block_(block), glm_(residual.glm), residual_(residual), columns_(columns) {}

  double diagonal(Index k) const { return glm_.sq_norm(column(k)); }
  double correlation(Index k) const {
    const Index j = column(k);
    return residual_.scaled(j, block_.dot(j, residual_.v));
  }
  void change(Index k, double delta) {
    const Index j = column(k);
    const double a = -delta * glm_.inverse_scale(j);
    if (glm_.is_far(j)) {
      block_.add_centred(a, j, glm_.mean(j), glm_.weights(), residual_.v);
      residual_.sum_again();
      return;
    }
    if (glm_.weights() != nullptr) block_.axpy_weighted(a, j, glm_.weights(), residual_.v);
    else block_.axpy(a, j, residual_.v);
    residual_.sum_v += residual_.share(a, j);
  }
  double visit_cost(Index k) const {
    const auto entries = static_cast<double>(glm_.design().stored(column(k)));
    return solver::visit_cost(block_.is_dense(), entries, static_cast<double>(columns_.size()));
  }

 private:
  Index column(Index k) const { return columns_[static_cast<std::size_t>(k)]; }

  Block& block_;
  const objective::Glm& glm_;
  const MovingResidual& residual_;
  std::span<const Index> columns_;
};

template <class D>
class ColumnBlockOf final : public ColumnBlock {
 public:
  static constexpr bool dense = requires(const D& d) { d.column(Index{}); };

  ColumnBlockOf(const D& x, Index /*at_once*/) : x_(x) {}

  Index rows() const override { return x_.rows(); }
  bool is_dense() const override { return dense; }
  void load(std::span<const Index>, const core::Execution&) override {}
  bool has_all(std::span<const Index>) const override { return dense; }
  bool can_stage(std::span<const Index>) const override { return dense; }
  double visit_factor(std::span<const Index>) const override { return 1.0; }

  double dot(Index j, const double* v) const { return x_.dot(j, v); }
  void axpy(double a, Index j, double* v) const override { x_.axpy(a, j, v); }
  void axpy_weighted(double a, Index j, const double* s, double* v) const {
    x_.axpy_weighted(a, j, s, v);
  }

  void gemv_t(const double* v, std::span<const Index> columns, double* out,
              const core::Execution& execution) const override {
    x_.gemv_t(v, columns, out, execution);
  }
  void gemv_add(std::span<const Index> columns, const double* coef, double* out,
                const core::Execution& execution) const override {
    x_.gemv_add(columns, coef, out, execution);
  }
  void gram(std::span<const Index> columns, Index fresh, const double* center, const double* s,
            double total, double* out, Index ld, const core::Execution& execution,
            design::GramPrecision precision) const override {
    if constexpr (design::RoundedGram<D>) {
      x_.gram(columns, fresh, center, s, total, out, ld, execution, precision);
    } else {
      x_.gram(columns, fresh, center, s, total, out, ld, execution);
    }
  }

  Sweep sweep(const MovingResidual& residual, std::span<const Index> columns, Vector& w,
              const std::vector<penalty::Term>& terms, std::span<const Index> positions,
              const core::Execution& execution) override {
    SingleColumns<ColumnBlockOf> model{*this, residual, columns};
    return sweep_coordinates(model, w, terms, positions, execution);
  }

  void move_group(std::span<const Index> moved, const double* coef, const double* s, double* v,
                  std::span<const Index> asked, double* q,
                  const core::Execution& execution) override {
    if constexpr (dense) {
      using Group = GroupColumns<typename D::Scalar>;
      group_product_([this](Index j) { return x_.column(j); }, x_.rows(), Group{moved}, coef, s, v,
                     Group{asked}, q, execution);
    }
  }

 private:
  const D& x_;
  GroupProduct<typename D::Scalar> group_product_;
};

template <class T>
class ColumnBlockOf<design::RowMajor<T>> final : public ColumnBlock {
 public:
  ColumnBlockOf(const design::RowMajor<T>& x, Index at_once) : x_(x) {
    const Index fit =
        budget(x.bytes()) / at_once / std::max<Index>(1, x.rows() * static_cast<Index>(sizeof(T)));
    const Index staged = 2 * most_staged;
    stages_fit_ = fit < x.cols() && fit >= staged;
    most_ = stages_fit_ ? fit - staged : fit;
  }

  Index rows() const override { return x_.rows(); }
  bool is_dense() const override { return true; }
  void load(std::span<const Index> columns, const core::Execution& execution) override {
    if (copies_.empty()) {
      copies_.resize(static_cast<std::size_t>(x_.cols()));
      contiguous_.assign(static_cast<std::size_t>(x_.cols()), nullptr);
    }
    for (Stage& stage : stages_) clear(stage);
    collect_uncopied(columns);
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

  bool can_stage(std::span<const Index> columns) const override {
    return stages_fit_ || has_all(columns);
  }

  // Makes most_staged columns, at most, arrays; those of the call before stay so.
  void stage(std::span<const Index> columns, const core::Execution& execution) {
    if (are_neighbours(columns)) return;
    collect_uncopied(columns);
    if (stages_[0].holds(missing_, contiguous_)) return;
    std::swap(stages_[0], stages_[1]);  // the group before this one is in the second now
    Stage& stage = stages_[0];
    if (stage.holds(missing_, contiguous_)) return;
    clear(stage);
    stage.columns = missing_;
    stage.values.resize(missing_.size() * static_cast<std::size_t>(x_.rows()));
    targets_.clear();
    for (std::size_t k = 0; k < missing_.size(); ++k) {
      targets_.push_back(stage.values.data() + k * static_cast<std::size_t>(x_.rows()));
    }
    copy_missing(execution);
  }

  bool has_all(std::span<const Index> columns) const override {
    return !copies_.empty() && std::all_of(columns.begin(), columns.end(), [&](Index j) {
      return copies_[static_cast<std::size_t>(j)] != nullptr;
    });
  }
  // Columns that were staged, or that are neighbours.
  GroupColumns<T> group(std::span<const Index> columns) const {
    if (!are_neighbours(columns)) return {columns};
    const auto [first, last] = std::minmax_element(columns.begin(), columns.end());
    return {columns, x_.row(0) + *first, x_.stride(), *first, *last - *first + 1};
  }
  // Null where it is neither copied nor staged.
  const T* column(Index j) const { return contiguous_[static_cast<std::size_t>(j)]; }

  double visit_factor(std::span<const Index> columns) const override {
    const auto count = static_cast<Index>(columns.size());
    if (count <= most_) return 1.0;
    if (stages_fit_ && 2 * count >= x_.cols()) return neighbour_visit;  // taken in their order
    return stages_fit_ ? staged_visit : strided_visit;
  }

  double dot(Index j, const double* v) const {
    return column(j) ? kernels_.dot(column(j), v, x_.rows()) : x_.dot(j, v);
  }
  void axpy(double a, Index j, double* v) const override {
    if (column(j)) kernels_.axpy(a, column(j), v, x_.rows());
    else x_.axpy(a, j, v);
  }
  void axpy_weighted(double a, Index j, const double* s, double* v) const {
    if (column(j)) kernels_.axpy_weighted(a, column(j), s, v, x_.rows());
    else x_.axpy_weighted(a, j, s, v);
  }

  void gemv_t(const double* v, std::span<const Index> columns, double* out,
              const core::Execution& execution) const override {
    if (!has_all(columns)) return x_.gemv_t(v, columns, out, execution);
    design::dense_gemv_t<T>([this](Index j) { return column(j); }, x_.rows(), v, columns, out,
                            execution);
  }
  void gemv_add(std::span<const Index> columns, const double* coef, double* out,
                const core::Execution& execution) const override {
    if (!has_all(columns)) return x_.gemv_add(columns, coef, out, execution);
    design::dense_gemv_add<T>([this](Index j) { return column(j); }, x_.rows(), columns, coef, out,
                              execution);
  }
  void gram(std::span<const Index> columns, Index fresh, const double* center, const double* s,
            double total, double* out, Index ld, const core::Execution& execution,
            design::GramPrecision precision) const override {
    if (!has_all(columns)) {
      x_.gram(columns, fresh, center, s, total, out, ld, execution, precision);
      return;
    }
    design::dense_gram<T>(
        [this](Index j) {
          return design::DenseColumn<T>{column(j), 1};
        },
        x_.rows(), columns, fresh, center, s, out, ld, execution, precision);
  }

  Sweep sweep(const MovingResidual& residual, std::span<const Index> columns, Vector& w,
              const std::vector<penalty::Term>& terms, std::span<const Index> positions,
              const core::Execution& execution) override {
    SingleColumns<ColumnBlockOf> model{*this, residual, columns};
    return sweep_coordinates(model, w, terms, positions, execution);
  }

  void move_group(std::span<const Index> moved, const double* coef, const double* s, double* v,
                  std::span<const Index> asked, double* q,
                  const core::Execution& execution) override {
    stage(asked, {.threads = execution.threads});  // all of it, also after a stop
    group_product_([this](Index j) { return column(j); }, x_.rows(), group(moved), coef, s, v,
                   group(asked), q, execution);
  }

 private:
  struct Stage {
    std::vector<Index> columns;
    std::vector<T> values;

    bool contains(const T* column) const {
      return column != nullptr && column >= values.data() && column < values.data() + values.size();
    }
    bool holds(std::span<const Index> wanted, const std::vector<const T*>& contiguous) const {
      return std::all_of(wanted.begin(), wanted.end(), [&](Index j) {
        return contains(contiguous[static_cast<std::size_t>(j)]);
      });
    }
  };

  // And have no copies: whether rows hold all of these within twice the width of a group.
  bool are_neighbours(std::span<const Index> columns) const {
    if (columns.empty() || has_all(columns)) return false;
    const auto [first, last] = std::minmax_element(columns.begin(), columns.end());
    return *last - *first < 2 * most_staged;
  }
  void collect_uncopied(std::span<const Index> columns) {
    missing_.clear();
    for (const Index j : columns) {
      if (!copies_[static_cast<std::size_t>(j)]) missing_.push_back(j);
    }
  }
  void copy_missing(const core::Execution& execution) {
    for (std::size_t k = 0; k < missing_.size(); ++k) {
      contiguous_[static_cast<std::size_t>(missing_[k])] = targets_[k];
    }
    x_.copy_columns(missing_, targets_.data(), execution);
  }
  // A column may be in both stages; its array is the one that was written last.
  void clear(Stage& stage) {
    for (const Index j : stage.columns) {
      const T*& column = contiguous_[static_cast<std::size_t>(j)];
      if (stage.contains(column)) column = nullptr;
    }
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
  Index most_ = 0;  // copies that fit the budget, beside the stages
  bool stages_fit_ = false;
  Index held_ = 0;
  std::vector<std::unique_ptr<T[]>> copies_;
  std::array<Stage, 2> stages_;
  std::vector<const T*> contiguous_;  // by column: its copy, staged or to stay; null
  std::vector<Index> missing_;
  std::vector<T*> targets_;  // where the missing ones go
  GroupProduct<T> group_product_;
  const kernels::DenseKernels<T>& kernels_ = kernels::table().dense<T>();
};

}  // namespace thalweg::solver
