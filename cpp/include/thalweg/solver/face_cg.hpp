// One inexact Newton step on the face of the current support, by preconditioned conjugate
// gradients.
//
//   (G_AA + diag(l2)) d = q_A - l1 sign(w_A) - l2 w_A,   A = what is not at zero or at a limit
//
// without a factorisation: a product with G_AA is one visit of the support's columns in each
// direction, threaded and blocked, several times cheaper than a sweep of coordinate descent. For
// supports too large to factorise, and for ridge problems, where every coordinate is in A; with p
// >> n the matrix is a multiple of the identity plus one of rank n, so that about n products solve
// it. A coordinate that would leave its side of zero or its limits stops there if the model then
// decreases; otherwise the step ends at the first one.
//
// Dependent columns make the matrix singular. Along their null space there is neither curvature nor
// slope, only the rounding of both, whose quotient is any number: directions of negligible
// curvature end the iteration, and a step is taken only if the model, by a product with the step
// itself, decreases by more than that product's rounding.
//
// Reference: Nocedal & Wright 2006, algorithms 5.3 (PCG, Jacobi preconditioner) and 7.1; the face
// as in active_set.hpp.
#pragma once

#include <algorithm>
#include <cmath>

#include "thalweg/core/parallel.hpp"
#include "thalweg/solver/face.hpp"

namespace thalweg::solver {

class FaceCg final {
 public:
  struct Outcome {
    Index products = 0;
    double largest_change = 0;
  };

  // `support`: positions in the working set. Stops when the residual of the system has fallen by
  // `reduction` in the preconditioned norm, or after most_products.
  template <class Model>
  Outcome step(Model& model, Vector& w, const std::vector<penalty::Term>& terms,
               const std::vector<Index>& support, double reduction, Index most_products,
               const core::Execution& execution) {
    const std::size_t size = support.size();
    model.correlations(support, gradient_);
    scale_.resize(size);
    ends_.resize(size);
    for (std::size_t i = 0; i < size; ++i) {
      const auto k = static_cast<std::size_t>(support[i]);
      ends_[i] = Ends::of(w[k], terms[k]);
      gradient_[i] -= ends_[i].slope + terms[k].l2 * w[k];
      scale_[i] = 1.0 / (model.diagonal(support[i]) + terms[k].l2);
    }
    Outcome outcome;
    if (!solve(model, terms, support, reduction, most_products, execution, outcome)) return outcome;

    const ClippedStep clipped = clip_step(
        step_, [&](std::size_t i) -> const Ends& { return ends_[i]; },
        [&](std::size_t i) { return w[static_cast<std::size_t>(support[i])]; }, delta_);
    bool lower = decreases(model, terms, support, outcome);
    if (!lower && clipped.crosses) {
      for (std::size_t i = 0; i < size; ++i) {
        const double from = w[static_cast<std::size_t>(support[i])];
        delta_[i] = ends_[i].clip(from + clipped.first * step_[i]) - from;
      }
      lower = decreases(model, terms, support, outcome);
    }
    if (!lower) return outcome;
    for (std::size_t i = 0; i < size; ++i) {
      if (delta_[i] == 0) continue;
      w[static_cast<std::size_t>(support[i])] += delta_[i];
      outcome.largest_change = std::max(outcome.largest_change, std::fabs(delta_[i]));
    }
    model.change_all(support, delta_);
    return outcome;
  }

 private:
  template <class Model>
  void multiply(Model& model, const std::vector<penalty::Term>& terms,
                const std::vector<Index>& support, const Vector& x, Vector& out) {
    out.resize(x.size());
    model.product(support, x, out);
    for (std::size_t i = 0; i < x.size(); ++i) {
      out[i] += terms[static_cast<std::size_t>(support[i])].l2 * x[i];
    }
  }

  // step_ from gradient_; false where nothing moves or a stop was asked for.
  template <class Model>
  bool solve(Model& model, const std::vector<penalty::Term>& terms,
             const std::vector<Index>& support, double reduction, Index most_products,
             const core::Execution& execution, Outcome& outcome) {
    const std::size_t size = support.size();
    rest_ = gradient_;
    step_.assign(size, 0.0);
    direction_.resize(size);
    double norm = 0;
    for (std::size_t i = 0; i < size; ++i) {
      direction_[i] = scale_[i] * rest_[i];
      norm += direction_[i] * rest_[i];
    }
    const double goal = norm * reduction * reduction;
    while (norm > goal && norm > 0 && outcome.products < most_products) {
      if (execution.stop_requested()) return false;
      multiply(model, terms, support, direction_, product_);
      ++outcome.products;
      double curvature = 0;
      double diagonal = 0;
      for (std::size_t i = 0; i < size; ++i) {
        curvature += direction_[i] * product_[i];
        diagonal += direction_[i] * direction_[i] / scale_[i];
      }
      if (!(curvature > flat * diagonal)) break;
      const double length = norm / curvature;
      double next = 0;
      for (std::size_t i = 0; i < size; ++i) {
        step_[i] += length * direction_[i];
        rest_[i] -= length * product_[i];
        next += scale_[i] * rest_[i] * rest_[i];
      }
      const double turn = next / norm;
      for (std::size_t i = 0; i < size; ++i)
        direction_[i] = scale_[i] * rest_[i] + turn * direction_[i];
      norm = next;
    }
    return outcome.products > 0;
  }

  // Whether the model falls by delta_:  sum_i delta_i (1/2 (H delta)_i - gradient_i) < -rounding.
  template <class Model>
  bool decreases(Model& model, const std::vector<penalty::Term>& terms,
                 const std::vector<Index>& support, Outcome& outcome) {
    multiply(model, terms, support, delta_, product_);
    ++outcome.products;
    double change = 0;
    double length = 0;
    for (std::size_t i = 0; i < delta_.size(); ++i) {
      change += delta_[i] * (0.5 * product_[i] - gradient_[i]);
      length += std::fabs(delta_[i]) / std::sqrt(scale_[i]);
    }
    return change < -epsilon * length * length;
  }

  // Curvature, relative to that of the diagonal, that rounding alone can make.
  static constexpr double flat = 64 * epsilon;

  std::vector<Ends> ends_;
  Vector gradient_, scale_, rest_, step_, direction_, product_, delta_;
};

}  // namespace thalweg::solver
