// Whether labels are separated: whether there is a direction d of coefficients and intercepts such
// that no row's label falls behind another one along it and some get ahead,
//
//   m_i = y_i (X d)_i >= 0,   m != 0       (of several outputs: (X d_y - X d_k)_i, every k != y)
//
// A loss that falls for ever, of which nothing is penalized, has no minimum exactly then (Albert &
// Anderson 1984). Where all m_i > 0 separation is complete, and a point on the way shows it. Else
// (quasi-complete) the iterates are d times a growing number plus what fits the rows that overlap,
// and d is what is left of a point projected onto the null space of these rows:
//
//   rows behind at the point are held at zero; so are those that the projection puts behind, until
//   none is (d separates) or nothing is left (no such d was found).
//
// A direction that is found is checked row by row, to rounding, so that data that overlap are not
// called separated. One may go unfound: far from convergence, or where the matrix is not made
// because it is large.
//
// Cost: one weighted Gram matrix and its factor for each round, mostly one. Reference: Albert &
// Anderson 1984; Konis 2007.
#pragma once

#include <algorithm>

#include "thalweg/kernels/cholesky.hpp"
#include "thalweg/objective/smooth_glm.hpp"

namespace thalweg::objective {

template <class Model>
class Separation final {
 public:
  explicit Separation(Model& model)
      : model_(model),
        y_(model.data().y),
        offset_(model.data().offset),
        rows_(model.rows()),
        outputs_(model.outputs()) {}

  // Whether the coefficients at the base point put every label ahead of all others. The offset does
  // not grow with them.
  bool is_complete() const {
    const double* const eta = model_.predictions().data();
    for (Index i = 0; i < rows_; ++i) {
      const double shift = offset_ != nullptr ? offset_[i] : 0.0;
      const double rounding = 4 * epsilon * std::fabs(shift);
      for (Index k = 0; k < outputs_; ++k) {
        if (is_pair(i, k) && !(margin(eta, i, k, shift) > rounding)) return false;
      }
    }
    return true;
  }

  // A direction along which some labels get ahead and none falls behind, found from x; empty where
  // none was.
  Vector find(const Vector& x) {
    Vector d = x;
    begin(d);
    const double before = largest_;
    if (!(before > certain) || model_.size() > most_variables) return {};
    int repeats = 0;
    for (Index rounds = 0; rounds <= model_.size();) {
      if (!(largest_ > vanished * before)) return {};
      bool is_behind = false, is_new = false;
      for (std::size_t i = 0; i < margins_.size(); ++i) {
        if (!(margins_[i] < -allowed * largest_)) continue;
        is_behind = true;
        is_new = is_new || held_[i] == 0;
        held_[i] = 1;
      }
      if (!is_behind) return d;
      // Rows that are held can still be behind: where their margins hardly depend on d, projections
      // close in slowly.
      repeats = is_new ? 0 : repeats + 1;
      rounds += is_new ? 1 : 0;
      if (is_new) factorize();
      if (repeats > most_repeats || !project(d)) return {};
    }
    return {};
  }

 private:
  // Margins that a label is as good as certain at; without such rows nothing has been separated.
  static constexpr double certain = 3;
  // The largest margin of a direction, relative to that of x, that is nothing.
  static constexpr double vanished = 1e-3;
  // How far behind rounding may put a row, relative to the largest margin.
  static constexpr double allowed = 1e-12;
  // The weight of rows that are not held, which makes the projection's matrix definite, and how
  // often the projection is repeated, each time closer to zero by about this factor.
  static constexpr double loose = 1e-7;
  static constexpr int most_repetitions = 4, most_repeats = 25;
  static constexpr Index most_variables = 512;

  static std::size_t length(Index n) { return static_cast<std::size_t>(n); }
  Index label(Index i) const { return static_cast<Index>(y_[i]); }

  // A row that counts, with a label other than its own. Rows of one output have one pair.
  bool is_pair(Index i, Index k) const {
    const double* const weights = model_.data().weights;
    return (weights == nullptr || weights[i] != 0) && (outputs_ == 1 || k != label(i));
  }
  double margin(const double* eta, Index i, Index k, double shift) const {
    if (outputs_ == 1) return y_[i] * (eta[i] - shift);
    return eta[label(i) * rows_ + i] - eta[k * rows_ + i];
  }

  void begin(const Vector& d) {
    const auto pairs = length(rows_ * outputs_);
    eta_.resize(pairs);
    margins_.resize(pairs);
    held_.assign(pairs, 0.0);
    find_margins(d);
  }
  // Infinite where there is no pair.
  void find_margins(const Vector& d) {
    model_.predict_without_offset(d, eta_);
    largest_ = -infinity;
    for (Index k = 0; k < outputs_; ++k) {
      for (Index i = 0; i < rows_; ++i) {
        double& m = margins_[length(k * rows_ + i)];
        m = is_pair(i, k) ? margin(eta_.data(), i, k, 0.0) : infinity;
        if (m < infinity) largest_ = std::max(largest_, m);
      }
    }
  }

  // d -= (A'A + loose B'B)^-1 A'A d, A giving the margins that are held and B the others. False
  // where a stop came first.
  bool project(Vector& d) {
    Vector step(d.size());
    for (int k = 0; k < most_repetitions; ++k) {
      if (model_.execution().stop_requested()) return false;
      scatter_held();
      model_.collect(eta_.data(), false, step.data());
      cholesky_.solve(step.data());
      for (std::size_t j = 0; j < d.size(); ++j) d[j] -= step[j];
      find_margins(d);
    }
    return true;
  }

  void factorize() {
    const Index size = model_.size();
    matrix_.assign(length(size * size), 0.0);
    Vector h(length(rows_));
    for (Index k = 0; k < outputs_; ++k) {
      for (Index l = k; l < outputs_; ++l) {
        for (Index i = 0; i < rows_; ++i) h[length(i)] = second_derivative(i, k, l);
        model_.assemble_block(h.data(), k, l, matrix_.data());
      }
    }
    cholesky_.factorize(matrix_.data(), size, size, 1e-13, model_.execution());
  }
  double strength(Index i, Index k) const {
    return !is_pair(i, k) ? 0.0 : held_[length(k * rows_ + i)] > 0 ? 1.0 : loose;
  }
  // Of half the sum of a row's squared margins times strengths, with respect to the predictions k
  // and l.
  double second_derivative(Index i, Index k, Index l) const {
    if (outputs_ == 1) return strength(i, 0);
    if (k != l) return label(i) == k ? -strength(i, l) : label(i) == l ? -strength(i, k) : 0.0;
    if (label(i) != k) return strength(i, k);
    double sum = 0;
    for (Index other = 0; other < outputs_; ++other) sum += strength(i, other);
    return sum;
  }
  // eta <- the gradient of half the sum of squared margins that are held.
  void scatter_held() {
    std::fill(eta_.begin(), eta_.end(), 0.0);
    for (Index k = 0; k < outputs_; ++k) {
      for (Index i = 0; i < rows_; ++i) {
        const std::size_t pair = length(k * rows_ + i);
        if (!(held_[pair] > 0)) continue;
        if (outputs_ == 1) {
          eta_[pair] = y_[i] * margins_[pair];
        } else {
          eta_[length(label(i) * rows_ + i)] += margins_[pair];
          eta_[pair] -= margins_[pair];
        }
      }
    }
  }

  Model& model_;
  const double* y_;
  const double* offset_;
  Index rows_, outputs_;
  Vector eta_, margins_;
  Vector held_;  // 1: to be zero
  double largest_ = 0;
  Vector matrix_;
  kernels::Cholesky cholesky_;
};

}  // namespace thalweg::objective
