// A smooth function of a vector, as the solvers of unconstrained and bounded problems see it: the
// sum of a generalized linear model and its penalty, or a user's function.
//
// The function has a base point, the last one that `evaluate` or `move` was called for. Line
// searches see its restriction phi(t) = f(base + t d) only; where predictions are linear in x, as
// in a generalized linear model, a trial then costs O(n), not a pass over the data.
//
// Second-order information is a refinement that a function may have or not: `refinements` says
// which. It is of the base point. An implementation owns its scratch memory and allocates nothing
// after the first call of each kind.
//
// Values may be infinite or NaN outside the function's domain: line searches step back from there.
// A stop request may cut any call short, which then returns what must not be used.
#pragma once

#include <span>

#include "thalweg/core/types.hpp"
#include "thalweg/design/concept.hpp"

namespace thalweg::objective {

// A point of phi(t) = f(base + t d).
struct LinePoint {
  double step = 0;
  double value = infinity;
  double slope = 0;  // phi'(step)
  // Of the start of a line: the size of the terms that phi is the sum of, where it is known. What
  // the rounding of values is relative to, if |value| is less.
  double terms = 0;
};

// What a line search sees.
class Line {
 public:
  virtual ~Line() = default;
  virtual double value_along(double step) = 0;
  virtual LinePoint along(double step) = 0;
};

// Work done, in calls.
struct Counts {
  Index values = 0;
  Index gradients = 0;
  Index hessians = 0;          // matrices
  Index hessian_products = 0;  // products with a vector
};

// Estimated work in entries of data read at streaming speed, which is what a choice between methods
// weighs. Zero where nothing is known.
struct Costs {
  double gradient = 0;
  double product = 0;  // Hessian times vector
  double matrix = 0;   // the Hessian
};

class HessianProduct {
 public:
  virtual ~HessianProduct() = default;
  // out = H v at the base point.
  virtual void multiply(const double* v, double* out) = 0;
};

class HessianMatrix {
 public:
  virtual ~HessianMatrix() = default;
  // H at the base point, column major of leading dimension size(), at least its lower triangle.
  virtual void assemble(double* out) = 0;
};

class HessianDiagonal {
 public:
  virtual ~HessianDiagonal() = default;
  // diag(H) at the base point, or an estimate of it; positive.
  virtual void diagonal(double* out) = 0;
  // How far apart variables are in scale, as a first guess of H: the diagonal, unless something
  // better is known.
  virtual void scales(double* out) { diagonal(out); }
};

// A positive definite matrix M near the Hessian whose inverse is cheap.
class Preconditioner {
 public:
  virtual ~Preconditioner() = default;
  // M becomes that of the base point. False: it is not finite.
  virtual bool update() = 0;
  // Whether M of the base point has, or would have, most of the Hessian, not its diagonal only.
  // Leaves no M.
  virtual bool is_close() = 0;
  // out = M^-1 v
  virtual void divide(const double* v, double* out) = 0;
  // Lets go of M's memory, until the next update.
  virtual void release() = 0;
};

// f = 1/2 sum_k c^2 rho(r_k(x)^2 / c^2): residuals and their Jacobian at the base point, scaled so
// that f's gradient is J' r and J' J approximates its Hessian (Triggs et al. 2000 where rho is
// robust).
class Residuals {
 public:
  virtual ~Residuals() = default;
  virtual Index residual_count() const = 0;
  // r, and J column major of leading dimension residual_count().
  virtual void linearize(double* r, double* jacobian) = 0;
};

// A convex f = (1 / S) sum_i s_i loss_i(x_i'w + b) + sum_j r_j / 2 w_j^2 with all r_j > 0 has a
// dual with one variable u_i for every row, and a point x(u) = (w, b) that belongs to it: the
// optimal one at the optimal u (objective/row_dual.hpp).
class RowDual {
 public:
  virtual ~RowDual() = default;
  virtual Index row_count() const = 0;
  // What a visit of every row reads.
  virtual Index stored() const = 0;
  // The mean of s_i / S sum_j x_ij^2 / r_j: how much rows weigh beside the penalty.
  virtual double coupling() const = 0;
  // Takes u from the slopes of the losses at the base point of f, whose gradient is given, and r as
  // it is now.
  virtual void start(const double* gradient) = 0;
  // Gives the variables of `rows`, one after the other, the best values that they can have given
  // the others. False: a value is not finite.
  virtual bool relax(design::RowList rows) = 0;
  // Of every row, about twice what its last visit has made of S times the dual; until f is
  // evaluated.
  virtual std::span<const double> gains() const = 0;
  // What ties b to u moves to where b is: to be called now and then.
  virtual void settle_intercept() = 0;
  // u, until the next call that changes it, and x(u).
  virtual std::span<const double> variables() const = 0;
  virtual void read(double* x) const = 0;
  // Lets go of the memory of the variables, until the next start.
  virtual void release() = 0;
};

// Where products with the Hessian come from, if not from the function itself.
enum class ProductOrigin { function, matrix, differences };

// Null where the function does not have it.
struct Refinements {
  HessianProduct* product = nullptr;
  HessianMatrix* matrix = nullptr;
  // The expectation of the matrix under the model, where f is minus a log-likelihood (and a
  // penalty): its Fisher information. Positive semidefinite.
  HessianMatrix* information = nullptr;
  HessianDiagonal* diagonal = nullptr;
  Preconditioner* preconditioner = nullptr;
  Residuals* residuals = nullptr;
  RowDual* dual = nullptr;
  ProductOrigin product_origin = ProductOrigin::function;
  // Of a model: whether its rows share more than coefficients, as a scale that is estimated.
  bool couples_rows = false;
  // Of a model: whether the curvature of its loss jumps, as a hinge's does.
  bool curvature_jumps = false;
};

class Smooth : public Line {
 public:
  virtual Index size() const = 0;
  // The size of the terms that f is the sum of near its minimum, where they are known to cancel.
  virtual double magnitude() const { return 0; }
  // Where lines from the base point start.
  LinePoint line_start(double value, double slope) const {
    return {.step = 0, .value = value, .slope = slope, .terms = magnitude()};
  }
  // That work on vectors of this size may use.
  virtual int threads() const { return 1; }
  // f(x) and its gradient; x becomes the base point.
  virtual double evaluate(const double* x, double* gradient) = 0;
  // Lines from the base point along d, until the next call or a new base point. d is read by the
  // calls on the line, and must be as it was.
  virtual void begin_line(const double* direction) = 0;
  // The base point moves to base + t d: writes it and its gradient, returns f there. Costs no
  // evaluation where t is the last trial of `along`.
  virtual double move(double step, double* x, double* gradient) = 0;
  virtual Refinements refinements() = 0;
  virtual Counts counts() const = 0;
  virtual Costs costs() const = 0;
};

}  // namespace thalweg::objective
