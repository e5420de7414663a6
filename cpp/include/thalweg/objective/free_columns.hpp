// The columns that nothing penalizes at a point, and least squares on them.
//
// With G = X~'S X~ / S of these columns, solve(z) is G^+ z: the step after which the residual whose
// correlations were z is orthogonal to all of them. G has the square of their condition: what a
// column adds to the others below sqrt(epsilon) of its size is lost in G, and found from X,
//
//   r = x~_d - X~ c,   c = G^+ X~'S x~_d / S on the columns that G tells apart, refined.
//
// A remainder that stands above the rounding of X counts as a direction of its own, kept as the
// coefficients that make it; the rest are dependent columns, whose coefficients solve leaves alone.
//
// Cost k^2 n + k^3 / 3 for k columns, and for each that G leaves out some passes over them, with a
// vector over the rows for each direction while they are made.
// References: Higham 2002, section 10.3; Björck 1996, section 2.9 (corrected seminormal equations).
#pragma once

#include "thalweg/kernels/cholesky.hpp"
#include "thalweg/objective/glm.hpp"

namespace thalweg::objective {

class FreeColumns final {
 public:
  explicit FreeColumns(const Glm& glm) : glm_(glm) {}

  // Of these columns from now on. False, and there are none, where a stop came first.
  bool set(std::vector<Index> columns);
  const std::vector<Index>& columns() const { return columns_; }
  bool empty() const { return columns_.empty(); }

  // For z of all columns: the step of the coefficients of columns().
  Vector solve(const Vector& z) const;
  // out += sign X~ x, x of columns().
  void add_product(const Vector& x, double sign, Vector& out) const;
  // How much of t'S u / S, t the target, may be due to what is left of u on the columns, z its
  // correlations: an exact projection would change it by z'G^+ X~'S t / S.
  double unresolved(const Vector& z) const;
  // Whether G alone leaves a direction out.
  bool nearly_dependent() const { return !directions_.empty(); }

 private:
  bool factorize();
  void find_directions();
  void remove_directions(const std::vector<Vector>& remainders, Vector& c, Vector& r) const;
  double dot(const Vector& a, const Vector& b) const;
  double rounding(const Vector& c) const;
  Vector solve_gram(const Vector& z) const;

  const Glm& glm_;
  std::vector<Index> columns_;
  Vector gram_, scale_;
  kernels::PivotedCholesky factor_;
  std::vector<Vector> directions_;  // coefficients, of remainders that are orthonormal
  Vector least_squares_;            // of the target
};

}  // namespace thalweg::objective
