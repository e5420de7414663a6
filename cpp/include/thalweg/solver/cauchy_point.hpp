// The generalised Cauchy point: the first minimiser of the quadratic model
//
//   m(x) = f + g'(x - x_k) + 1/2 (x - x_k)' B (x - x_k),   B a limited-memory BFGS matrix,
//
// along the path P(x_k - t g) that bends at each bound it meets. Breakpoints are taken from a heap,
// since most lie beyond the minimiser; each costs O(k^2).
//
// Reference: Byrd, Lu, Nocedal & Zhu 1995, algorithm CP.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "thalweg/solver/compact_bfgs.hpp"
#include "thalweg/solver/smooth.hpp"

namespace thalweg::solver {

class CauchyPoint final {
 public:
  void begin(Index size, Index memory) {
    const auto n = static_cast<std::size_t>(size);
    point_.resize(n);
    direction_.resize(n);
    breakpoints_.reserve(n);
    free_.reserve(n);
    fixed_.reserve(n);
    is_fixed_.resize(n);
    for (Vector* v : {&p_, &c_, &row_, &solved_})
      v->assign(static_cast<std::size_t>(2 * memory), 0);
  }

  const Vector& point() const { return point_; }
  const std::vector<Index>& free() const { return free_; }  // not at the bound that they met
  const std::vector<Index>& fixed() const { return fixed_; }
  Vector& shift() { return c_; }  // c = W'(point - x_k)

  // The matrix's middle must be factorised.
  void find(const SmoothPoint& at, const Bounds& bounds, const CompactBfgs& matrix) {
    start(at, bounds);
    const auto k2 = static_cast<std::size_t>(2 * matrix.count());
    matrix.transpose_multiply(direction_, p_.data());
    double slope = 0;
    for (const double d : direction_) slope -= d * d;
    double curvature = -matrix.theta() * slope - quadratic_form(matrix, p_);
    const double least = epsilon * -matrix.theta() * slope;
    curvature = std::max(curvature, least);
    double t = 0;
    while (slope < 0) {
      const double to_minimum = -slope / curvature;
      const double to_break = breakpoints_.empty() ? infinity : breakpoints_.front().at - t;
      if (breakpoints_.empty() && !std::isfinite(to_minimum)) break;  // the model has overflowed
      if (to_minimum < to_break) {
        advance(to_minimum, k2);
        t += to_minimum;
        break;
      }
      const Breakpoint hit = pop();
      advance(to_break, k2);
      t = hit.at;
      fix(hit, at, bounds);
      const auto j = static_cast<std::size_t>(hit.variable);
      const double g = at.gradient[j], moved = point_[j] - at.x[j];
      matrix.row(hit.variable, row_.data());
      std::copy(row_.begin(), row_.end(), solved_.begin());
      matrix.multiply_middle(solved_.data());
      double with_c = 0, with_p = 0, with_row = 0;
      for (std::size_t i = 0; i < k2; ++i) {
        with_c += solved_[i] * c_[i];
        with_p += solved_[i] * p_[i];
        with_row += solved_[i] * row_[i];
      }
      slope += to_break * curvature + g * g + g * (matrix.theta() * moved - with_c);
      curvature -= g * (matrix.theta() * g + 2 * with_p + g * with_row);
      curvature = std::max(curvature, least);
      for (std::size_t i = 0; i < k2; ++i) p_[i] += g * row_[i];
    }
    finish(at, bounds, t);
  }

 private:
  struct Breakpoint {
    double at;
    Index variable;
  };
  static bool is_later(const Breakpoint& a, const Breakpoint& b) {
    return a.at > b.at || (a.at == b.at && a.variable > b.variable);
  }

  void start(const SmoothPoint& at, const Bounds& bounds) {
    breakpoints_.clear();
    fixed_.clear();
    std::fill(c_.begin(), c_.end(), 0.0);
    for (std::size_t j = 0; j < at.x.size(); ++j) {
      const auto k = static_cast<Index>(j);
      const double g = at.gradient[j];
      const double bound = g < 0 ? bounds.upper_at(k) : bounds.lower_at(k);
      const double t = g == 0 ? infinity : (at.x[j] - bound) / g;
      is_fixed_[j] = !(t > 0);
      direction_[j] = is_fixed_[j] ? 0.0 : -g;
      point_[j] = at.x[j];
      if (t > 0 && t < infinity) breakpoints_.push_back({t, k});
    }
    std::make_heap(breakpoints_.begin(), breakpoints_.end(), is_later);
  }

  Breakpoint pop() {
    std::pop_heap(breakpoints_.begin(), breakpoints_.end(), is_later);
    const Breakpoint next = breakpoints_.back();
    breakpoints_.pop_back();
    return next;
  }

  void advance(double length, std::size_t k2) {
    for (std::size_t i = 0; i < k2; ++i) c_[i] += length * p_[i];
  }

  void fix(const Breakpoint& hit, const SmoothPoint& at, const Bounds& bounds) {
    const auto j = static_cast<std::size_t>(hit.variable);
    point_[j] = at.gradient[j] < 0 ? bounds.upper_at(hit.variable) : bounds.lower_at(hit.variable);
    direction_[j] = 0;
    is_fixed_[j] = 1;
  }

  void finish(const SmoothPoint& at, const Bounds& bounds, double t) {
    free_.clear();
    for (std::size_t j = 0; j < point_.size(); ++j) {
      const auto k = static_cast<Index>(j);
      if (is_fixed_[j] != 0) {
        fixed_.push_back(k);
        continue;
      }
      free_.push_back(k);
      point_[j] = bounds.clip(k, at.x[j] + t * direction_[j]);
    }
  }

  double quadratic_form(const CompactBfgs& matrix, const Vector& v) {
    std::copy(v.begin(), v.end(), solved_.begin());
    matrix.multiply_middle(solved_.data());
    double sum = 0;
    for (Index i = 0; i < 2 * matrix.count(); ++i)
      sum += v[static_cast<std::size_t>(i)] * solved_[static_cast<std::size_t>(i)];
    return sum;
  }

  Vector point_, direction_;
  Vector p_, c_, row_, solved_;
  std::vector<Breakpoint> breakpoints_;
  std::vector<Index> free_, fixed_;
  std::vector<char> is_fixed_;
};

}  // namespace thalweg::solver
