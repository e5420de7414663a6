// Newton steps of ridge problems with more columns than rows, on a matrix of the rows.
//
//   (X~'S X~ / sum s + R) d = q,   R = diag(l2),  q = the negative gradient
//
// is solved by way of n unknowns instead of p (Woodbury):
//
//   d = R^-1 (q - X~' S^1/2 c),   (sum s I + S^1/2 X~ R^-1 X~' S^1/2) c = S^1/2 X~ R^-1 q
//
// The problem is quadratic, so one step from anywhere ends at the minimum but for rounding, which
// the next one mends (iterative refinement). Along a path the products of rows are kept, in the
// upper triangle, and only the factor is made again, in the lower one.
//
// For: squared losses, every coefficient with an l2 term and neither an l1 term nor limits.
// Cost: n^2 p / 2 multiply-adds once, n^3 / 6 for every strength, two passes over X for every step;
// n^2 numbers. Reference: Hastie & Tibshirani 2004, Efficient quadratic regularization for
// expression arrays; Golub & Van Loan 2013, section 2.1.4.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>

#include "thalweg/kernels/cholesky.hpp"
#include "thalweg/objective/glm.hpp"
#include "thalweg/solver/gram_cost.hpp"

namespace thalweg::solver {

class RowSystem final {
 public:
  explicit RowSystem(const objective::Glm& glm) : glm_(glm) {}

  // Whether steps are possible, and cheaper than conjugate gradients on the columns would be, in
  // memory of at most so many bytes.
  bool suits(const penalty::Terms& terms, double most_bytes) {
    const auto n = static_cast<double>(glm_.rows()), p = static_cast<double>(glm_.cols());
    if (n >= p || has_failed_) return false;
    const double share = 0.25 * static_cast<double>(glm_.design().bytes());
    if (8 * n * n > std::min(most_bytes, std::max(share, least_bytes))) return false;
    double trace = 0;  // of X~ R^-1 X~' S / sum s
    for (const Index j : glm_.all_columns()) {
      const penalty::Term term = terms(j);
      if (term.l1 != 0 || !(term.l2 > 0) || term.lower > -infinity || term.upper < infinity ||
          glm_.is_far(j))
        return false;
      trace += glm_.sq_norm(j) / term.l2;
    }
    // Products that conjugate gradients need by the square root of the condition, were all rows
    // alike; two passes each.
    const double passes = 2 * std::min(n, 7 * std::sqrt(1 + 4 * trace / n));
    const auto stored = static_cast<double>(glm_.design().stored());
    return full_gram_cost(glm_.design().is_sparse(), p, stored / n, n) + n * n * n / 96 <
           passes * stored;
  }

  // Adds a step to w, from what is known there. False, and not again: the matrix is not positive
  // definite, by rounding.
  bool step(const penalty::Terms& terms, const objective::Evaluation& at, Vector& w) {
    const core::Execution& execution = glm_.execution();
    if (!factorize(terms)) return false;
    const std::span<const Index> columns = glm_.all_columns();
    const std::size_t size = w.size();
    coef_.resize(size);
    direction_.resize(size);
    double shift = 0;
    for (std::size_t j = 0; j < size; ++j) {
      const auto k = static_cast<Index>(j);
      const double l2 = terms(k).l2;
      coef_[j] = (at.correlation[j] - l2 * w[j]) / l2;
      direction_[j] = coef_[j];
      coef_[j] *= glm_.inverse_scale(k);
      shift += glm_.mean(k) * coef_[j];
    }
    rows_.assign(roots_.size(), 0.0);
    glm_.design().gemv_add(columns, coef_.data(), rows_.data(), execution);
    for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i] = roots_[i] * (rows_[i] - shift);
    cholesky_.solve(rows_.data());
    double sum = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) sum += rows_[i] *= roots_[i];
    glm_.correlate(rows_.data(), sum, columns, coef_.data());
    if (execution.stop_requested()) return true;  // w stays
    for (std::size_t j = 0; j < size; ++j) {
      w[j] += direction_[j] - glm_.total_weight() * coef_[j] / terms(static_cast<Index>(j)).l2;
    }
    return true;
  }

  Index bytes() const { return static_cast<Index>(8 * matrix_.size()); }

 private:
  // Of a small X: as much again.
  static constexpr double least_bytes = 3.2e7;

  // The factor for these strengths. False after a stop or where there is none.
  bool factorize(const penalty::Terms& terms) {
    if (matrix_.empty()) make_products(terms);
    if (glm_.execution().stop_requested()) return forget();
    const double ratio = terms(0).l2 / base_.front();
    for (std::size_t j = 0; j < base_.size(); ++j) {
      const double expected = ratio * base_[j];
      if (std::fabs(terms(static_cast<Index>(j)).l2 - expected) > 4 * epsilon * expected) {
        make_products(terms);
        return factorize(terms);
      }
    }
    if (ratio == ratio_) return true;
    ratio_ = ratio;
    const std::size_t n = roots_.size();
    for (std::size_t j = 0; j < n; ++j) {
      matrix_[j * (n + 1)] = glm_.total_weight() + diagonal_[j] / ratio;
      for (std::size_t i = j + 1; i < n; ++i) matrix_[i + j * n] = matrix_[j + i * n] / ratio;
    }
    const auto side = static_cast<Index>(n);
    cholesky_.factorize(matrix_.data(), side, side, 4 * epsilon, glm_.execution());
    if (glm_.execution().stop_requested()) return forget();
    for (Index i = 0; i < side; ++i) has_failed_ = has_failed_ || cholesky_.is_skipped(i);
    return has_failed_ ? forget() : true;
  }

  bool forget() {
    matrix_ = Vector();
    return false;
  }

  // S^1/2 X~ R^-1 X~' S^1/2 in the upper triangle, its diagonal apart.
  void make_products(const penalty::Terms& terms) {
    const auto n = static_cast<std::size_t>(glm_.rows()), p = static_cast<std::size_t>(glm_.cols());
    const core::Execution& execution = glm_.execution();
    ratio_ = 0;
    base_.resize(p);
    Vector factors(p), means(p);
    double square = 0;  // m' R^-1 m of scaled means
    for (std::size_t j = 0; j < p; ++j) {
      const auto k = static_cast<Index>(j);
      base_[j] = terms(k).l2;
      factors[j] = core::square(glm_.inverse_scale(k)) / base_[j];
      means[j] = glm_.mean(k) * factors[j];
      square += means[j] * glm_.mean(k);
    }
    std::vector<Index> rows(n);
    std::iota(rows.begin(), rows.end(), Index{0});
    matrix_.resize(n * n);
    const auto side = static_cast<Index>(n);
    glm_.design().transposed().gram(rows, side, nullptr, factors.data(), 0.0, matrix_.data(), side,
                                    execution);
    Vector shifts(n, 0.0);
    glm_.design().gemv_add(glm_.all_columns(), means.data(), shifts.data(), execution);
    if (execution.stop_requested()) return;
    roots_.resize(n);
    const double* const weights = glm_.weights();
    for (std::size_t i = 0; i < n; ++i)
      roots_[i] = weights != nullptr ? std::sqrt(weights[i]) : 1.0;
    // Of centred columns S^1/2 1 is in the null space, and orthogonal to right-hand sides: what the
    // matrix does there is free, and must not be as small as sum s beside the rest.
    double extra = 0;
    for (std::size_t i = 0; glm_.fits_intercept() && i < n; ++i) {
      const double entry = matrix_[i * (n + 1)] - 2 * shifts[i] + square;
      extra += core::square(roots_[i]) * entry / (static_cast<double>(n) * glm_.total_weight());
    }
    diagonal_.resize(n);
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t i = 0; i <= j; ++i) {
        double& entry = matrix_[i + j * n];
        entry = roots_[i] * roots_[j] * (entry - shifts[i] - shifts[j] + square + extra);
      }
      diagonal_[j] = matrix_[j * (n + 1)];
    }
  }

  const objective::Glm& glm_;
  Vector matrix_, diagonal_, base_, roots_;
  double ratio_ = 0;  // of the strengths of the factor to base_
  kernels::Cholesky cholesky_;
  Vector coef_, direction_, rows_;
  bool has_failed_ = false;
};

}  // namespace thalweg::solver
