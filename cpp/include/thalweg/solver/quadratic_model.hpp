// The quadratic model of a problem on a working set, in two forms that one descent runs on:
//
//   1/2 w'Gw - c'w + sum_k term_k(w_k),   q = c - G w   (the correlations with the residual)
//
// ResidualModel keeps the residual v and forms q_k = x~_k' v when asked: O(n) per coordinate, or
// for a group of coordinates at once (column_groups.hpp). Its updates leave out the centre of a
// column, except where the mean is far from zero; such columns are nearly full in any storage, so
// that an update of O(n) costs what it did, a few times. GramModel keeps q and updates it by
// columns of G: O(m) per change, nothing per unchanged one.
#pragma once

#include <numeric>

#include "thalweg/objective/glm.hpp"
#include "thalweg/solver/column_block.hpp"
#include "thalweg/solver/column_groups.hpp"
#include "thalweg/solver/gram_cache.hpp"

namespace thalweg::solver {

static_assert(ColumnGroups::width <= most_staged);

class ResidualModel final {
 public:
  // With `groups`, which must hold the columns in this order, sweeps visit groups of dense columns.
  ResidualModel(const objective::Glm& glm, ColumnBlock& block, std::span<const Index> columns,
                objective::Evaluation& at, const ColumnGroups* groups = nullptr)
      : glm_(glm),
        block_(block),
        columns_(columns),
        residual_{glm, at.v(), at.sum_weighted},
        groups_(groups) {}

  Index size() const { return static_cast<Index>(columns_.size()); }
  Index column(Index k) const { return columns_[static_cast<std::size_t>(k)]; }
  double diagonal(Index k) const { return glm_.sq_norm(column(k)); }
  // One sweep over single columns or, where there are groups, over these.
  Sweep sweep(Vector& w, const std::vector<penalty::Term>& terms, std::span<const Index> positions,
              const core::Execution& execution) {
    if (groups_ != nullptr) return sweep_groups(*this, w, terms, positions, execution);
    return block_.sweep(residual_, columns_, w, terms, positions, execution);
  }
  std::size_t same_group(std::span<const Index> positions) const {
    const Index group = groups_->group(column(positions.front()));
    std::size_t count = 1;
    while (count < positions.size() && groups_->group(column(positions[count])) == group) ++count;
    return count;
  }
  const double* group_gram(Index k) const { return groups_->gram(column(k)); }
  Index offset_in_group(Index k) const { return groups_->place(column(k)) % ColumnGroups::width; }
  void move_and_correlate(std::span<const Index> moved, const Vector& changes,
                          std::span<const Index> asked, Vector& q) {
    chosen_.clear();
    coef_.clear();
    for (std::size_t i = 0; i < moved.size(); ++i) {
      if (changes[i] == 0) continue;
      const Index j = column(moved[i]);
      const double a = -changes[i] * glm_.inverse_scale(j);
      if (glm_.is_far(j)) {
        block_.add_centred(a, j, glm_.mean(j), glm_.weights(), residual_.v);
        residual_.sum_again();
        continue;
      }
      chosen_.push_back(j);
      coef_.push_back(a);
    }
    for (std::size_t i = 0; i < chosen_.size(); ++i)
      residual_.sum_v += residual_.share(coef_[i], chosen_[i]);
    asked_.clear();
    for (const Index k : asked) asked_.push_back(column(k));
    q.resize(asked_.size());
    block_.move_group(chosen_, coef_.data(), glm_.weights(), residual_.v, asked_, q.data(),
                      glm_.execution());
    for (std::size_t i = 0; i < asked_.size(); ++i) q[i] = residual_.scaled(asked_[i], q[i]);
  }
  void correlations(const std::vector<Index>& support, Vector& out) {
    choose(support);
    by_column_.resize(static_cast<std::size_t>(glm_.cols()));
    block_.gemv_t(residual_.v, chosen_, by_column_.data(), glm_.execution());
    out.resize(support.size());
    for (std::size_t i = 0; i < support.size(); ++i) {
      out[i] = residual_.scaled(chosen_[i], by_column_[static_cast<std::size_t>(chosen_[i])]);
    }
  }
  // By how much -c'w + 1/2 w'Gw would change with w + delta on the support; `take` makes it so.
  double predict(const std::vector<Index>& support, const Vector& delta) {
    combine(support, delta, 1.0);
    double centre = 0;
    for (std::size_t i = 0; i < near_.size(); ++i) centre += coef_[i] * glm_.mean(near_[i]);
    const double* s = glm_.weights();
    double slope = 0, square = 0;
    for (std::size_t i = 0; i < combined_.size(); ++i) {
      double& value = combined_[i];
      value -= centre;
      slope += value * residual_.v[i];
      square += (s != nullptr ? s[i] : 1.0) * value * value;
      if (s != nullptr) value *= s[i];
    }
    return (0.5 * square - slope) / glm_.total_weight();
  }
  void take() {
    for (std::size_t i = 0; i < combined_.size(); ++i) residual_.v[i] -= combined_[i];
    if (takes_far_) residual_.sum_again();
  }
  // out[i] = sum_k G_{support_i, support_k} x_k
  void product(const std::vector<Index>& support, const Vector& x, Vector& out) {
    combine(support, x, 1.0);
    weigh();
    by_column_.resize(static_cast<std::size_t>(glm_.cols()));
    const double sum = std::accumulate(combined_.begin(), combined_.end(), 0.0);
    block_.gemv_t(combined_.data(), chosen_, by_column_.data(), glm_.execution());
    for (std::size_t i = 0; i < support.size(); ++i) {
      const Index j = chosen_[i];
      out[i] = (by_column_[static_cast<std::size_t>(j)] - glm_.mean(j) * sum) *
               glm_.inverse_scale(j) / glm_.total_weight();
    }
  }
  // change(k, delta) for all of the support at once.
  void change_all(const std::vector<Index>& support, const Vector& delta) {
    combine(support, delta, -1.0);
    weigh();
    for (std::size_t i = 0; i < combined_.size(); ++i) residual_.v[i] += combined_[i];
    if (takes_far_) return residual_.sum_again();
    for (std::size_t i = 0; i < near_.size(); ++i)
      residual_.sum_v += residual_.share(coef_[i], near_[i]);
  }
  double visit_cost(Index k) const {
    const auto entries = static_cast<double>(glm_.design().stored(column(k)));
    return solver::visit_cost(block_.is_dense(), entries, static_cast<double>(columns_.size()));
  }

 private:
  void choose(const std::vector<Index>& support) {
    chosen_.clear();
    for (const Index k : support) chosen_.push_back(column(k));
  }

  // combined_ = factor sum_k x_k x_{support_k}, without the centres of the columns near_, to which
  // coef_ belongs, and with that of others.
  void combine(const std::vector<Index>& support, const Vector& x, double factor) {
    choose(support);
    near_.clear();
    coef_.clear();
    combined_.assign(static_cast<std::size_t>(glm_.rows()), 0.0);
    takes_far_ = false;
    for (std::size_t i = 0; i < support.size(); ++i) {
      const Index j = chosen_[i];
      const double a = factor * x[i] * glm_.inverse_scale(j);
      if (glm_.is_far(j)) {
        takes_far_ = true;
        if (a != 0) block_.add_centred(a, j, glm_.mean(j), nullptr, combined_.data());
        continue;
      }
      near_.push_back(j);
      coef_.push_back(a);
    }
    block_.gemv_add(near_, coef_.data(), combined_.data(), glm_.execution());
  }
  void weigh() {
    const double* s = glm_.weights();
    for (std::size_t i = 0; s != nullptr && i < combined_.size(); ++i) combined_[i] *= s[i];
  }

  const objective::Glm& glm_;
  ColumnBlock& block_;
  std::span<const Index> columns_;
  MovingResidual residual_;
  const ColumnGroups* groups_;
  std::vector<Index> chosen_, near_, asked_;
  bool takes_far_ = false;  // whether the last combination has columns that are
  Vector coef_, combined_, by_column_;
};

class GramModel final {
 public:
  // `correlation` is by column of the design. The cache must hold every column.
  GramModel(const GramCache& gram, std::span<const Index> columns, const Vector& correlation)
      : gram_(gram), columns_(columns), all_(static_cast<std::size_t>(gram.size())) {
    slots_.reserve(columns.size());
    for (const Index j : columns) {
      slots_.push_back(gram.slot(j));
      all_[static_cast<std::size_t>(gram.slot(j))] = correlation[static_cast<std::size_t>(j)];
    }
  }

  Index size() const { return static_cast<Index>(columns_.size()); }
  Index column(Index k) const { return columns_[static_cast<std::size_t>(k)]; }
  double diagonal(Index k) const { return gram_(slot(k), slot(k)); }
  double correlation(Index k) const { return all_[static_cast<std::size_t>(slot(k))]; }
  Sweep sweep(Vector& w, const std::vector<penalty::Term>& terms, std::span<const Index> positions,
              const core::Execution& execution) {
    return sweep_coordinates(*this, w, terms, positions, execution);
  }
  void change(Index k, double delta) {
    kernels_.axpy(-delta, gram_.column(slot(k)), all_.data(), gram_.size());
  }
  void correlations(const std::vector<Index>& support, Vector& out) const {
    out.resize(support.size());
    for (std::size_t i = 0; i < support.size(); ++i) out[i] = correlation(support[i]);
  }
  double predict(const std::vector<Index>& support, const Vector& delta) {
    combine(support, delta);
    double change = 0;
    for (std::size_t i = 0; i < support.size(); ++i) {
      const double curved = combined_[static_cast<std::size_t>(slot(support[i]))];
      change += delta[i] * (0.5 * curved - correlation(support[i]));
    }
    return change;
  }
  void take() {
    for (std::size_t i = 0; i < all_.size(); ++i) all_[i] -= combined_[i];
  }
  void product(const std::vector<Index>& support, const Vector& x, Vector& out) {
    combine(support, x);
    for (std::size_t i = 0; i < support.size(); ++i) {
      out[i] = combined_[static_cast<std::size_t>(slot(support[i]))];
    }
  }
  void change_all(const std::vector<Index>& support, const Vector& delta) {
    for (std::size_t i = 0; i < support.size(); ++i) {
      if (delta[i] != 0) change(support[i], delta[i]);
    }
  }
  double visit_cost(Index) const { return 5 + update_cost(static_cast<double>(gram_.size())); }
  // Nanoseconds of one column of a Gram matrix of `size` columns, from cache or from memory.
  static double update_cost(double size) {
    constexpr double cache_columns = 724;  // 4 MB
    return size * (size <= cache_columns ? 0.1 : 0.4);
  }

 private:
  Index slot(Index k) const { return slots_[static_cast<std::size_t>(k)]; }

  // combined_ = G x by slot.
  void combine(const std::vector<Index>& support, const Vector& x) {
    combined_.assign(all_.size(), 0.0);
    for (std::size_t i = 0; i < support.size(); ++i) {
      if (x[i] == 0) continue;
      kernels_.axpy(x[i], gram_.column(slot(support[i])), combined_.data(), gram_.size());
    }
  }

  const GramCache& gram_;
  std::span<const Index> columns_;
  std::vector<Index> slots_;
  Vector combined_;
  Vector all_;  // q by slot, meaningful for the slots of `columns`
  const kernels::DenseKernels<double>& kernels_ = kernels::table().dense<double>();
};

}  // namespace thalweg::solver
