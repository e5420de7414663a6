// Conjugate gradients on the Newton system, cut short: what Newton-CG and trust-region methods
// share.
//
//   min_s  g's + 1/2 s'Hs   subject to  |s|_M <= radius,      |s|_M^2 = s'Ms
//
// M is the function's preconditioner (one where it has none). Ends where the residual
// is small enough, at the boundary, or along a direction of negative curvature, which with a finite
// radius is followed to the boundary. Without a radius it is followed as far as the same curvature,
// were it positive, would ask for. Differs from [N&W, algorithm 7.1], which does so in the first
// iteration only and returns the step so far later: near a saddle such steps hardly move. A later
// direction without curvature, up to rounding, is not followed; a first one has length one.
//
// The residual is measured in the norm of M^-1, and as it is, like the gradient: with a weak
// penalty and a good M the first is still large when the second is small enough for the end. Where
// H is ill-conditioned the second stays about as large for hundreds of products, and the step whose
// residual is least is no iterate but between them: so near the end residuals are smoothed.
//
// The residual r = g + Hs gives the model's value without a product: 1/2 s'(g + r).
//
// Cost: one product with H and 12 n operations an iteration, 22 n where residuals are smoothed.
// References: Steihaug 1983; Toint 1981; Conn, Gould & Toint 2000, algorithm 7.5.1 (norms by
// recurrence); Dembo & Steihaug 1983; Nocedal & Wright 2006, algorithms 7.1 and 7.2; Zhou & Walker
// 1994, section 2 (smoothing).
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "thalweg/core/error.hpp"
#include "thalweg/core/parallel.hpp"
#include "thalweg/objective/smooth.hpp"
#include "thalweg/solver/smooth.hpp"
#include "thalweg/solver/vectors.hpp"

namespace thalweg::solver {

class TruncatedCg final {
 public:
  struct Options {
    double radius = infinity;
    double reduction = 0.1;                               // of the residual, in the norm of M^-1
    double enough = 0;                                    // Euclidean norm of the residual
    objective::Preconditioner* preconditioner = nullptr;  // M
    Index most_products = std::numeric_limits<Index>::max();
  };
  struct Outcome {
    Index products = 0;
    double model = 0;  // at the step: negative
    double norm = 0;   // |s|_M; at least that of a step between iterates, whose norms rise
    bool at_boundary = false;
    bool negative_curvature = false;
    bool is_finite = true;  // the product that ended it
  };

  void begin(Index size, int threads = 1) {
    for (Vector* v : {&residual_, &scaled_, &direction_, &product_})
      v->resize(static_cast<std::size_t>(size));
    threads_ = threads;
  }

  // |g| in the norm of M^-1.
  double dual_norm(const Vector& g, objective::Preconditioner* preconditioner) {
    if (preconditioner == nullptr) return norm(g);
    preconditioner->divide(g.data(), scaled_.data());
    return std::sqrt(dot(g, scaled_, threads_));
  }

  // The step of the model at a point of this gradient; `step` is as long as that.
  Outcome solve(objective::HessianProduct& hessian, const Vector& gradient, const Options& options,
                const core::Execution& execution, Vector& step) {
    Outcome outcome;
    std::fill(step.begin(), step.end(), 0.0);
    residual_ = gradient;
    precondition(options.preconditioner);
    for (std::size_t j = 0; j < step.size(); ++j) direction_[j] = -scaled_[j];
    double rho = dot(residual_, scaled_, threads_);
    const double goal = rho * options.reduction * options.reduction;
    // Squares and product in the norm of M: of the step, step and direction, the direction.
    double ss = 0, sd = 0, dd = rho;
    // Exact arithmetic needs n.
    const auto most = std::min(2 * length_of(step) + 10, options.most_products);
    is_smoothing_ = false;
    while (rho > goal && !is_enough(options.enough, step) && outcome.products < most &&
           !execution.stop_requested()) {
      hessian.multiply(direction_.data(), product_.data());
      ++outcome.products;
      const double curvature = dot(direction_, product_, threads_);
      const bool negative = !(curvature > flat * size_of(curvature));
      const double length = negative ? infinity : rho / curvature;
      const double longer = ss + length * (2 * sd + length * dd);
      if (negative || !(longer < options.radius * options.radius)) {
        outcome.negative_curvature = negative;
        outcome.is_finite = std::isfinite(curvature);
        end_early(curvature, {ss, sd, dd, rho}, options.radius, outcome, step);
        break;
      }
      axpy(length, direction_, step, threads_);
      axpy(length, product_, residual_, threads_);
      precondition(options.preconditioner);
      const double next = dot(residual_, scaled_, threads_);
      const double turn = next / rho;
      core::for_elements(length_of(step), threads_, [&](Index begin, Index end) {
        for (auto j = static_cast<std::size_t>(begin); j < static_cast<std::size_t>(end); ++j)
          direction_[j] = turn * direction_[j] - scaled_[j];
      });
      ss = longer;
      sd = turn * (sd + length * dd);
      dd = next + turn * turn * dd;
      rho = next;
      outcome.norm = std::sqrt(ss);
    }
    outcome.model = 0.5 * (dot(gradient, step, threads_) + dot(residual_, step, threads_));
    return outcome;
  }

 private:
  // Curvature, relative to the sizes of direction and product, that rounding alone can make.
  static constexpr double flat = 4 * epsilon;

  struct Norms {
    double ss, sd, dd, rho;
  };

  double size_of(double curvature) const {
    const double size = norm(direction_, threads_) * norm(product_, threads_);
    return std::isfinite(size) ? size : std::fabs(curvature);
  }

  // Whether the residual is `enough`, or that of a step between the iterates, which `step` is then.
  bool is_enough(double enough, Vector& step) {
    constexpr double near = 20;  // of what is enough: larger residuals hardly help to make it less
    if (!(enough > 0)) return false;
    const double size = norm(residual_, threads_);
    if (size <= enough) return true;
    if (is_smoothing_) {
      smooth(size, step);
    } else if (size <= near * enough) {
      is_smoothing_ = true;
      least_size_ = size;
      least_residual_ = residual_;
      least_step_ = step;
    }
    if (!is_smoothing_ || !(least_size_ <= enough)) return false;
    step.swap(least_step_);
    residual_.swap(least_residual_);
    return true;
  }

  // Moves towards the iterate, whose residual is of this size, as far as the residual falls, but
  // not beyond it, where the trust region may end.
  void smooth(double size, const Vector& step) {
    const double across = dot(least_residual_, residual_, threads_);
    const double here = size * size, there = least_size_ * least_size_;
    const double apart = here - 2 * across + there;
    const double share = apart > 0 ? std::clamp((there - across) / apart, 0.0, 1.0) : 0.0;
    core::for_elements(length_of(step), threads_, [&](Index begin, Index end) {
      for (auto j = static_cast<std::size_t>(begin); j < static_cast<std::size_t>(end); ++j) {
        least_residual_[j] += share * (residual_[j] - least_residual_[j]);
        least_step_[j] += share * (step[j] - least_step_[j]);
      }
    });
    least_size_ = norm(least_residual_, threads_);
  }

  void precondition(objective::Preconditioner* preconditioner) {
    if (preconditioner == nullptr) scaled_ = residual_;
    else preconditioner->divide(residual_.data(), scaled_.data());
  }

  void end_early(double curvature, const Norms& at, double radius, Outcome& outcome, Vector& step) {
    double length = 0;
    if (std::isfinite(radius)) {
      // The positive root of |s + t d|_M = radius, by the form without cancellation.
      const double gap = radius * radius - at.ss;
      const double root = std::sqrt(at.sd * at.sd + at.dd * gap);
      length = at.sd > 0 ? gap / (at.sd + root) : (root - at.sd) / at.dd;
      outcome.norm = radius;
      outcome.at_boundary = true;
    } else if (outcome.products == 1 || curvature < -flat * size_of(curvature)) {
      length = at.rho / std::fabs(curvature);
      if (!std::isfinite(length)) length = 1.0 / std::sqrt(at.dd);
      outcome.norm = std::sqrt(at.ss + length * (2 * at.sd + length * at.dd));
    }
    if (length == 0) return;
    axpy(length, direction_, step);
    axpy(length, product_, residual_);
  }

  Vector residual_, scaled_, direction_, product_;
  // The least residual of all steps between the iterates since smoothing began, and its norm.
  Vector least_residual_, least_step_;
  double least_size_ = 0;
  bool is_smoothing_ = false;
  int threads_ = 1;
};

// How small a residual needs to be for the end of the solve, if the model is right. It is not where
// the certificate's norm is another one, of directions in which H is nearly flat; then it takes one
// more step.
inline double enough_of(double gradient_norm, const SmoothContext& context) {
  constexpr double safe = 0.3;
  return safe * gradient_norm / context.gradient_left;
}

// M at the base point, null where the function has none.
inline objective::Preconditioner* updated_preconditioner(const objective::Refinements& have) {
  if (have.preconditioner == nullptr || !have.preconditioner->update()) return nullptr;
  return have.preconditioner;
}

// How a user's function supplies products, for a solver's reason().
inline std::string_view product_source(const objective::Refinements& have) {
  return have.product_origin == objective::ProductOrigin::differences
             ? ", Hessian products by differences of gradients"
         : have.product_origin == objective::ProductOrigin::matrix
             ? ", Hessian products from the matrix"
             : "";
}

// Throws where the function has no products, not even derived ones.
inline objective::HessianProduct& require_product(objective::Smooth& f, std::string_view solver) {
  objective::HessianProduct* product = f.refinements().product;
  if (product == nullptr) {
    throw core::Unsupported("solver '" + std::string(solver) +
                            "' needs products with the Hessian, which the function does not have");
  }
  return *product;
}

}  // namespace thalweg::solver
