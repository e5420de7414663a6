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
#include "thalweg/solver/group_product.hpp"

namespace thalweg::solver {

static_assert(ColumnGroups::width <= most_staged);

template <class D, class L>
class ResidualModel final {
 public:
  // With `groups`, which must hold the columns in this order, sweeps visit groups of dense columns.
  ResidualModel(const objective::Glm<D, L>& glm, ColumnBlock<D>& block,
                std::span<const Index> columns, objective::Evaluation& at,
                const ColumnGroups* groups = nullptr)
      : glm_(glm),
        block_(block),
        columns_(columns),
        v_(at.v()),
        sum_v_(at.sum_weighted),
        groups_(groups) {}

  Index size() const { return static_cast<Index>(columns_.size()); }
  Index column(Index k) const { return columns_[static_cast<std::size_t>(k)]; }
  double diagonal(Index k) const { return glm_.sq_norm(column(k)); }
  double correlation(Index k) const {
    const Index j = column(k);
    return scaled(j, block_.dot(j, v_));
  }
  void change(Index k, double delta) {
    const Index j = column(k);
    const double a = -delta * glm_.inverse_scale(j);
    if (glm_.is_far(j)) {
      add_centred(a, j, glm_.weights(), v_);
      sum_v_ = std::accumulate(v_, v_ + glm_.rows(), 0.0);
      return;
    }
    if (glm_.weights() != nullptr) block_.axpy_weighted(a, j, glm_.weights(), v_);
    else block_.axpy(a, j, v_);
    sum_v_ += a * glm_.total_weight() * glm_.mean(j);
  }
  bool is_grouped() const requires(ColumnBlock<D>::is_dense) { return groups_ != nullptr; }
  std::size_t same_group(std::span<const Index> positions) const {
    const Index group = groups_->group(column(positions.front()));
    std::size_t count = 1;
    while (count < positions.size() && groups_->group(column(positions[count])) == group) ++count;
    return count;
  }
  const double* group_gram(Index k) const { return groups_->gram(column(k)); }
  Index offset_in_group(Index k) const { return groups_->place(column(k)) % ColumnGroups::width; }
  void move_and_correlate(std::span<const Index> moved, const Vector& changes,
                          std::span<const Index> asked,
                          Vector& q) requires(ColumnBlock<D>::is_dense) {
    chosen_.clear();
    coef_.clear();
    for (std::size_t i = 0; i < moved.size(); ++i) {
      if (changes[i] == 0) continue;
      const Index j = column(moved[i]);
      if (glm_.is_far(j)) {
        change(moved[i], changes[i]);
        continue;
      }
      chosen_.push_back(j);
      coef_.push_back(-changes[i] * glm_.inverse_scale(j));
    }
    for (std::size_t i = 0; i < chosen_.size(); ++i)
      sum_v_ += coef_[i] * glm_.total_weight() * glm_.mean(chosen_[i]);
    asked_.clear();
    for (const Index k : asked) asked_.push_back(column(k));
    block_.stage(asked_, {.threads = glm_.execution().threads});  // all of it, also after a stop
    q.resize(asked_.size());
    group_product_([this](Index j) { return block_.column(j); }, glm_.rows(), block_.group(chosen_),
                   coef_.data(), glm_.weights(), v_, block_.group(asked_), q.data(),
                   glm_.execution());
    for (std::size_t i = 0; i < asked_.size(); ++i) q[i] = scaled(asked_[i], q[i]);
  }
  void correlations(const std::vector<Index>& support, Vector& out) {
    choose(support);
    by_column_.resize(static_cast<std::size_t>(glm_.cols()));
    block_.columns().gemv_t(v_, chosen_, by_column_.data(), glm_.execution());
    out.resize(support.size());
    for (std::size_t i = 0; i < support.size(); ++i) {
      out[i] = scaled(chosen_[i], by_column_[static_cast<std::size_t>(chosen_[i])]);
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
      slope += value * v_[i];
      square += (s != nullptr ? s[i] : 1.0) * value * value;
      if (s != nullptr) value *= s[i];
    }
    return (0.5 * square - slope) / glm_.total_weight();
  }
  void take() {
    for (std::size_t i = 0; i < combined_.size(); ++i) v_[i] -= combined_[i];
    if (takes_far_) sum_v_ = std::accumulate(v_, v_ + glm_.rows(), 0.0);
  }
  // out[i] = sum_k G_{support_i, support_k} x_k
  void product(const std::vector<Index>& support, const Vector& x, Vector& out) {
    combine(support, x, 1.0);
    weigh();
    const auto& source = block_.columns();
    by_column_.resize(static_cast<std::size_t>(glm_.cols()));
    const double sum = std::accumulate(combined_.begin(), combined_.end(), 0.0);
    source.gemv_t(combined_.data(), chosen_, by_column_.data(), glm_.execution());
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
    for (Index i = 0; i < glm_.rows(); ++i) v_[i] += combined_[static_cast<std::size_t>(i)];
    if (takes_far_) {
      sum_v_ = std::accumulate(v_, v_ + glm_.rows(), 0.0);
      return;
    }
    for (std::size_t i = 0; i < near_.size(); ++i) {
      sum_v_ += coef_[i] * glm_.total_weight() * glm_.mean(near_[i]);
    }
  }
  double visit_cost(Index k) const {
    return visit_cost_of(static_cast<double>(glm_.design().stored(column(k))));
  }
  // Nanoseconds of visiting a column of so many entries, about: a product and half an update.
  static double visit_cost_of(double entries) {
    return 10 + entries * (core::flag(D::Entry::info, "sparse") ? 1.5 : 0.2);
  }

 private:
  // A correlation from the raw product with v.
  double scaled(Index j, double product) const {
    return (product - glm_.mean(j) * sum_v_) * glm_.inverse_scale(j) / glm_.total_weight();
  }

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
        if (a != 0) add_centred(a, j, nullptr, combined_.data());
        continue;
      }
      near_.push_back(j);
      coef_.push_back(a);
    }
    block_.columns().gemv_add(near_, coef_.data(), combined_.data(), glm_.execution());
  }
  // out += a S (x_j - m_j), each difference first: it is exact where the mean is far.
  void add_centred(double a, Index j, const double* s, double* out) {
    raw_.assign(static_cast<std::size_t>(glm_.rows()), 0.0);
    block_.axpy(1.0, j, raw_.data());
    const double mean = glm_.mean(j);
    for (std::size_t i = 0; i < raw_.size(); ++i) {
      const double centred = a * (raw_[i] - mean);
      out[i] += s != nullptr ? s[i] * centred : centred;
    }
  }
  void weigh() {
    const double* s = glm_.weights();
    for (std::size_t i = 0; s != nullptr && i < combined_.size(); ++i) combined_[i] *= s[i];
  }

  const objective::Glm<D, L>& glm_;
  ColumnBlock<D>& block_;
  std::span<const Index> columns_;
  double* v_;
  double& sum_v_;
  const ColumnGroups* groups_;
  GroupProduct<typename D::Scalar> group_product_;
  std::vector<Index> chosen_, near_, asked_;
  bool takes_far_ = false;  // whether the last combination has columns that are
  Vector coef_, combined_, by_column_, raw_;
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
