// The quadratic model of a problem on a working set, in two forms that one descent runs on:
//
//   1/2 w'Gw - c'w + sum_k term_k(w_k),   q = c - G w   (the correlations with the residual)
//
// ResidualModel keeps the residual v and forms q_k = x~_k' v when asked: O(n) per coordinate.
// GramModel keeps q and updates it by columns of G: O(m) per change, nothing per unchanged one.
#pragma once

#include <numeric>

#include "thalweg/objective/glm.hpp"
#include "thalweg/solver/column_block.hpp"
#include "thalweg/solver/gram_cache.hpp"

namespace thalweg::solver {

template <class D, class L>
class ResidualModel final {
 public:
  ResidualModel(const objective::Glm<D, L>& glm, ColumnBlock<D>& block,
                std::span<const Index> columns, objective::Evaluation& at)
      : glm_(glm), block_(block), columns_(columns), v_(at.v()), sum_v_(at.sum_weighted) {
    block_.load(columns, glm.execution());
  }

  Index size() const { return static_cast<Index>(columns_.size()); }
  Index column(Index k) const { return columns_[static_cast<std::size_t>(k)]; }
  double diagonal(Index k) const { return glm_.sq_norm(column(k)); }
  double correlation(Index k) const {
    const Index j = column(k);
    const double product = block_.dot(j, v_);
    return (product - glm_.mean(j) * sum_v_) * glm_.inverse_scale(j) / glm_.total_weight();
  }
  void change(Index k, double delta) {
    const Index j = column(k);
    const double a = -delta * glm_.inverse_scale(j);
    if (glm_.weights() != nullptr) block_.axpy_weighted(a, j, glm_.weights(), v_);
    else block_.axpy(a, j, v_);
    sum_v_ += a * glm_.total_weight() * glm_.mean(j);
  }
  // out[i] = sum_k G_{support_i, support_k} x_k
  void product(const std::vector<Index>& support, const Vector& x, Vector& out) {
    combine(support, x, 1.0);
    const auto& source = block_.columns();
    by_column_.resize(static_cast<std::size_t>(glm_.cols()));
    const double sum = std::accumulate(combined_.begin(), combined_.end(), 0.0);
    source.gemv_t(combined_.data(), chosen_, by_column_.data(), glm_.execution());
    for (std::size_t i = 0; i < support.size(); ++i) {
      const Index j = chosen_[i];
      out[i] = (by_column_[static_cast<std::size_t>(j)] - glm_.mean(j) * sum) * glm_.inverse_scale(j) /
               glm_.total_weight();
    }
  }
  // change(k, delta) for all of the support at once.
  void change_all(const std::vector<Index>& support, const Vector& delta) {
    combine(support, delta, -1.0);
    for (Index i = 0; i < glm_.rows(); ++i) v_[i] += combined_[static_cast<std::size_t>(i)];
    for (std::size_t i = 0; i < support.size(); ++i) {
      sum_v_ += coef_[i] * glm_.total_weight() * glm_.mean(chosen_[i]);
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
  // combined_ = factor S sum_k x_k x~_k, up to a multiple of the weights.
  void combine(const std::vector<Index>& support, const Vector& x, double factor) {
    chosen_.clear();
    coef_.clear();
    for (std::size_t i = 0; i < support.size(); ++i) {
      chosen_.push_back(column(support[i]));
      coef_.push_back(factor * x[i] * glm_.inverse_scale(chosen_.back()));
    }
    combined_.assign(static_cast<std::size_t>(glm_.rows()), 0.0);
    block_.columns().gemv_add(chosen_, coef_.data(), combined_.data(), glm_.execution());
    const double* s = glm_.weights();
    for (std::size_t i = 0; s != nullptr && i < combined_.size(); ++i) combined_[i] *= s[i];
  }

  const objective::Glm<D, L>& glm_;
  ColumnBlock<D>& block_;
  std::span<const Index> columns_;
  double* v_;
  double& sum_v_;
  std::vector<Index> chosen_;
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
  void change(Index k, double delta) {
    kernels_.axpy(-delta, gram_.column(slot(k)), all_.data(), gram_.size());
  }
  void product(const std::vector<Index>& support, const Vector& x, Vector& out) {
    combined_.assign(all_.size(), 0.0);
    for (std::size_t i = 0; i < support.size(); ++i) {
      kernels_.axpy(x[i], gram_.column(slot(support[i])), combined_.data(), gram_.size());
    }
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

  const GramCache& gram_;
  std::span<const Index> columns_;
  std::vector<Index> slots_;
  Vector combined_;
  Vector all_;  // q by slot, meaningful for the slots of `columns`
  const kernels::DenseKernels<double>& kernels_ = kernels::table().dense<double>();
};

}  // namespace thalweg::solver
