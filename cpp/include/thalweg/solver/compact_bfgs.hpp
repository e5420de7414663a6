// The compact representation of a limited-memory BFGS matrix: of the last k pairs s, y,
//
//   B = theta I - W M W',   W = [Y, theta S],   M^-1 = [ -D      L'        ]
//                                                      [  L   theta S'S    ],
//
// D the diagonal and L the strict lower triangle of S'Y (pairs from the oldest to the newest),
// theta = y'y / s'y of the newest. S'S, S'Y and Y'Y are kept, so that a pair costs 4 k n.
//
// Systems with M^-1, and with the matrix that subspace minimisation needs, have the form
// [-P, Q'; Q, R] with P positive definite, R positive semidefinite, and are solved by two Cholesky
// factorisations of order k: those of P and of R + Q P^-1 Q'.
//
// Reference: Byrd, Nocedal & Schnabel 1994, theorem 2.3; Byrd, Lu, Nocedal & Zhu 1995, section 3.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <span>
#include <vector>

#include "thalweg/solver/smooth.hpp"

namespace thalweg::solver {

// Solves [-P, Q'; Q, R] [u1; u2] = [v1; v2]. Set P and R (lower triangles) and Q, then factorize.
class QuasiDefinite final {
 public:
  using Matrix = Eigen::MatrixXd;

  void reserve(Index most) {
    for (Matrix* matrix : {&p_, &q_, &r_}) matrix->setZero(most, most);
  }
  auto p(Index k) { return p_.topLeftCorner(k, k); }
  auto q(Index k) { return q_.topLeftCorner(k, k); }
  auto r(Index k) { return r_.topLeftCorner(k, k); }

  // False where P or the Schur complement is not positive definite. Overwrites the blocks.
  bool factorize(Index k);

  // In place; v has 2 k entries.
  void solve(double* v) const;

 private:
  Matrix p_, q_, r_;
  Index size_ = 0;
};

class CompactBfgs final {
 public:
  void begin(Index size, Index memory) {
    size_ = size;
    most_ = memory;
    for (std::vector<Vector>* vectors : {&s_, &y_})
      vectors->assign(static_cast<std::size_t>(memory), Vector(static_cast<std::size_t>(size)));
    for (Eigen::MatrixXd* matrix : {&ss_, &sy_, &yy_}) matrix->setZero(memory, memory);
    order_.reserve(static_cast<std::size_t>(memory));
    s_columns_.reserve(static_cast<std::size_t>(memory));
    y_columns_.reserve(static_cast<std::size_t>(memory));
    products_.resize(static_cast<std::size_t>(memory));
    middle_.reserve(memory);
    clear();
  }
  void clear() {
    order_.clear();
    s_columns_.clear();
    y_columns_.clear();
    theta_ = 1;
    middle_.factorize(0);
  }

  Index count() const { return static_cast<Index>(order_.size()); }
  double theta() const { return theta_; }
  // The pairs from the oldest on; begins anew.
  InverseHessian take() {
    InverseHessian out;
    for (const Index i : order_) {
      out.steps.push_back(std::move(s_[static_cast<std::size_t>(i)]));
      out.changes.push_back(std::move(y_[static_cast<std::size_t>(i)]));
    }
    clear();
    return out;
  }
  Index bytes() const { return 16 * most_ * size_ + 72 * most_ * most_; }

  // The pair of a step; skipped where s'y is not above the rounding of the slope's change, as B
  // would not stay positive definite. `slope` is g's before the step.
  void update(const Vector& after, const Vector& before, const Vector& gradient_after,
              const Vector& gradient_before, double slope) {
    const Index newest = count() < most_ ? count() : order_.front();
    Vector& s = s_[static_cast<std::size_t>(newest)];
    Vector& y = y_[static_cast<std::size_t>(newest)];
    double product = 0;
    for (std::size_t j = 0; j < s.size(); ++j)
      product += (after[j] - before[j]) * (gradient_after[j] - gradient_before[j]);
    if (!(product > epsilon * std::fabs(slope))) return;
    for (std::size_t j = 0; j < s.size(); ++j) {
      s[j] = after[j] - before[j];
      y[j] = gradient_after[j] - gradient_before[j];
    }
    if (count() == most_) order_.erase(order_.begin());
    order_.push_back(newest);
    list_columns();
    update_products(newest);
    theta_ = yy_(newest, newest) / sy_(newest, newest);
  }

  // v <- B^-1 v, by the two-loop recursion (Nocedal & Wright 2006, algorithm 7.4).
  void multiply_inverse(Vector& v) {
    for (Index i = count() - 1; i >= 0; --i) {
      double& share = products_[static_cast<std::size_t>(i)];
      share = dot(s_[index(i)], v) / sy_(slot(i), slot(i));
      axpy(-share, y_[index(i)], v);
    }
    for (double& entry : v) entry /= theta_;
    for (Index i = 0; i < count(); ++i) {
      const double share = dot(y_[index(i)], v) / sy_(slot(i), slot(i));
      axpy(products_[static_cast<std::size_t>(i)] - share, s_[index(i)], v);
    }
  }

  // out (2 k entries) = W' v
  void transpose_multiply(const Vector& v, double* out) const {
    const auto& dots = kernels::table().dense_f64.dots;
    const Index k = count();
    dots(y_columns_.data(), k, v.data(), size_, out);
    dots(s_columns_.data(), k, v.data(), size_, out + k);
    for (Index i = 0; i < k; ++i) out[k + i] *= theta_;
  }
  // v += a W c; overwrites c.
  void multiply_add(double a, double* c, Vector& v) const {
    const auto& axpys = kernels::table().dense_f64.axpys;
    const Index k = count();
    for (Index i = 0; i < k; ++i) {
      c[i] *= a;
      c[k + i] *= a * theta_;
    }
    axpys(c, y_columns_.data(), k, v.data(), size_);
    axpys(c + k, s_columns_.data(), k, v.data(), size_);
  }
  // out = the row of W of variable j.
  void row(Index j, double* out) const {
    const Index k = count();
    for (Index i = 0; i < k; ++i) {
      out[i] = y_columns_[static_cast<std::size_t>(i)][j];
      out[k + i] = theta_ * s_columns_[static_cast<std::size_t>(i)][j];
    }
  }
  // Makes M; needed before multiply_middle only. False where rounding has spoilt the matrix.
  bool factorize_middle() {
    const Index k = count();
    auto p = middle_.p(k);
    auto q = middle_.q(k);
    auto r = middle_.r(k);
    p.setZero();
    q.setZero();
    for (Index i = 0; i < k; ++i) {
      p(i, i) = sy_(slot(i), slot(i));
      for (Index j = 0; j < i; ++j) q(i, j) = sy_(slot(i), slot(j));
      for (Index j = 0; j <= i; ++j) r(i, j) = theta_ * ss_(slot(i), slot(j));
    }
    return middle_.factorize(k);
  }
  // v <- M v
  void multiply_middle(double* v) const { middle_.solve(v); }

  // Factorises M^-1 - W_F' W_F / theta for the free variables F, by sums over them or over the
  // others ("fixed"), whichever are fewer:
  //   P = D + (Y'Y)_F / theta,   R = theta (S'S)_fixed,
  //   Q_ij = (s_i'y_j)_fixed below the diagonal, -(s_i'y_j)_F on and above it.
  bool factorize_free(std::span<const Index> free, std::span<const Index> fixed,
                      QuasiDefinite& out) const {
    const bool over_fixed = fixed.size() <= free.size();
    const std::span<const Index> summed = over_fixed ? fixed : free;
    const auto in_fixed = [&](double sum, double all) { return over_fixed ? sum : all - sum; };
    const auto in_free = [&](double sum, double all) { return over_fixed ? all - sum : sum; };
    const Index k = count();
    auto p = out.p(k);
    auto q = out.q(k);
    auto r = out.r(k);
    for (Index i = 0; i < k; ++i) {
      for (Index j = 0; j < k; ++j) {
        const double sy = sum_products(s_of(i), y_of(j), summed), sy_all = sy_(slot(i), slot(j));
        q(i, j) = j < i ? in_fixed(sy, sy_all) : -in_free(sy, sy_all);
        if (j > i) continue;
        const double yy = sum_products(y_of(i), y_of(j), summed);
        const double ss = sum_products(s_of(i), s_of(j), summed);
        p(i, j) = in_free(yy, yy_(slot(i), slot(j))) / theta_;
        r(i, j) = theta_ * in_fixed(ss, ss_(slot(i), slot(j)));
      }
      p(i, i) += sy_(slot(i), slot(i));
    }
    return out.factorize(k);
  }

 private:
  Index slot(Index i) const { return order_[static_cast<std::size_t>(i)]; }
  std::size_t index(Index i) const { return static_cast<std::size_t>(slot(i)); }
  const double* s_of(Index i) const { return s_columns_[static_cast<std::size_t>(i)]; }
  const double* y_of(Index i) const { return y_columns_[static_cast<std::size_t>(i)]; }

  static double sum_products(const double* x, const double* z, std::span<const Index> at) {
    double sum = 0;
    for (const Index v : at) sum += x[v] * z[v];
    return sum;
  }

  void list_columns() {
    s_columns_.clear();
    y_columns_.clear();
    for (const Index i : order_) {
      s_columns_.push_back(s_[static_cast<std::size_t>(i)].data());
      y_columns_.push_back(y_[static_cast<std::size_t>(i)].data());
    }
  }

  void update_products(Index newest) {
    const auto& dots = kernels::table().dense_f64.dots;
    const Index k = count();
    const double* const s = s_[static_cast<std::size_t>(newest)].data();
    const double* const y = y_[static_cast<std::size_t>(newest)].data();
    const auto fill = [&](const std::vector<const double*>& columns, const double* v, auto&& put) {
      dots(columns.data(), k, v, size_, products_.data());
      for (Index i = 0; i < k; ++i) put(slot(i), products_[static_cast<std::size_t>(i)]);
    };
    fill(s_columns_, s, [&](Index i, double v) { ss_(i, newest) = ss_(newest, i) = v; });
    fill(y_columns_, y, [&](Index i, double v) { yy_(i, newest) = yy_(newest, i) = v; });
    fill(s_columns_, y, [&](Index i, double v) { sy_(i, newest) = v; });
    fill(y_columns_, s, [&](Index i, double v) { sy_(newest, i) = v; });
  }

  Index size_ = 0, most_ = 0;
  std::vector<Vector> s_, y_;
  std::vector<Index> order_;  // slots from the oldest pair to the newest
  std::vector<const double*> s_columns_, y_columns_;
  Eigen::MatrixXd ss_, sy_, yy_;  // by slots
  double theta_ = 1;
  QuasiDefinite middle_;
  Vector products_;
};

}  // namespace thalweg::solver
