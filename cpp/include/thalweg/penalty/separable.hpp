// Separable penalties of elastic-net form: l1, l2 and elastic net are three names for
//
//   alpha P(w) = sum_j  a_j |w_j| + b_j / 2 w_j^2 + [lower_j <= w_j <= upper_j]
//
// with a_j = l1 strength times the weight of feature j and b_j likewise for l2. A weight of zero
// leaves a feature unpenalized; positivity is lower = 0. `Term` is one coordinate's function and
// has everything that a solver or a certificate needs, in closed form:
//
//   prox        argmin_w 1/2 h w^2 - c w + term(w) = clip(soft_threshold(c, a) / (h + b))
//   conjugate   sup_w z w - term(w)   (infinite where an unbounded direction has slope > a)
//
// Reference: Zou & Hastie 2005 (elastic net); Friedman, Hastie, Tibshirani 2010, section 2
// (weights and limits).
#pragma once

#include <algorithm>
#include <cmath>

#include "thalweg/core/numerics.hpp"
#include "thalweg/core/types.hpp"

namespace thalweg::penalty {

// What a penalty of this family multiplies |w| and w^2 / 2 by.
struct Strengths {
  double l1 = 0;
  double l2 = 0;
};

struct Term {
  double l1 = 0;
  double l2 = 0;
  double lower = -infinity;
  double upper = infinity;

  double value(double w) const { return l1 * std::fabs(w) + 0.5 * l2 * w * w; }

  // argmin_w 1/2 h w^2 - c w + value(w) over the limits; h >= 0.
  double minimize(double c, double h) const {
    const double denominator = h + l2;
    // A zero column without a quadratic term: c is zero too, any w costs l1 |w|.
    if (!(denominator > 0)) return core::clip(0.0, lower, upper);
    return core::clip(core::soft_threshold(c, l1) / denominator, lower, upper);
  }

  // Distance of z (the negative gradient of the smooth part) from the subdifferential at w.
  double subdiff_distance(double w, double z) const {
    const double rest = z - l2 * w;
    if (w != 0) {
      const double slope = rest - std::copysign(l1, w);
      return at_limit(w, slope) ? 0.0 : std::fabs(slope);
    }
    if (rest > l1) return upper <= 0 ? 0.0 : rest - l1;
    if (rest < -l1) return lower >= 0 ? 0.0 : -l1 - rest;
    return 0.0;
  }

  // |z| / l1 where w = 0 violates, 1 where it does not; 0 without an l1 part.
  double excess_at_zero(double z) const { return l1 > 0 ? 1 + subdiff_distance(0.0, z) / l1 : 0.0; }

  // argmax over the limits of z w - value(w), the derivative of the conjugate. The maximiser of a
  // concave function on an interval is the clipped unconstrained one; without a quadratic term that
  // is a limit (possibly infinite) or zero.
  double conjugate_point(double z) const {
    if (l2 > 0) return core::clip(core::soft_threshold(z, l1) / l2, lower, upper);
    return z > l1 ? upper : z < -l1 ? lower : core::clip(0.0, lower, upper);
  }
  // sup over the limits of z w - value(w).
  double conjugate(double z) const {
    const double w = conjugate_point(z);
    return std::isinf(w) ? infinity : z * w - value(w);
  }

  // The conjugate needs z <= l1, and -z <= l1.
  bool needs_upper_slope() const { return l2 == 0 && std::isinf(upper); }
  bool needs_lower_slope() const { return l2 == 0 && std::isinf(lower); }

  // True where the term does not see a small move of w in either direction; at some w, or at this
  // one.
  bool can_be_free() const {
    return l1 == 0 && l2 == 0 && lower < upper && (std::isinf(lower) || std::isinf(upper));
  }
  bool is_free_at(double w) const { return can_be_free() && w > lower && w < upper; }

  bool at_limit(double w, double slope) const {
    return (w >= upper && slope > 0) || (w <= lower && slope < 0);
  }
};

// The terms of all coordinates, in the solver's (possibly scaled) coordinates.
class Terms final {
 public:
  Terms() = default;
  // Arrays may be null: weights of one, no limits.
  Terms(Strengths strengths, const double* weights, const double* lower, const double* upper)
      : strengths_(strengths), weights_(weights), lower_(lower), upper_(upper) {}

  Term operator()(Index j) const {
    const double weight = weights_ != nullptr ? weights_[j] : 1.0;
    return {strengths_.l1 * weight, strengths_.l2 * weight,
            lower_ != nullptr ? lower_[j] : -infinity, upper_ != nullptr ? upper_[j] : infinity};
  }

  // The same with another l1 strength.
  Terms with_l1(double factor) const {
    Terms terms = *this;
    terms.strengths_.l1 *= factor;
    return terms;
  }

  double value(const Vector& w) const {
    double sum = 0;
    for (std::size_t j = 0; j < w.size(); ++j) {
      if (w[j] != 0) sum += (*this)(static_cast<Index>(j)).value(w[j]);
    }
    return sum;
  }

  // True where some coordinate is not penalized at all.
  bool has_unpenalized(Index cols) const {
    if (strengths_.l1 == 0 && strengths_.l2 == 0) return true;
    return weights_ != nullptr && std::find(weights_, weights_ + cols, 0.0) != weights_ + cols;
  }
  // True where every coordinate has the same term, a |w| without limits.
  bool is_plain_l1() const {
    return weights_ == nullptr && lower_ == nullptr && upper_ == nullptr && strengths_.l2 == 0 &&
           strengths_.l1 > 0;
  }
  // The same of l2 / 2 w^2.
  bool is_plain_l2() const {
    return weights_ == nullptr && lower_ == nullptr && upper_ == nullptr && strengths_.l1 == 0 &&
           strengths_.l2 > 0;
  }
  const Strengths& strengths() const { return strengths_; }

 private:
  Strengths strengths_;
  const double* weights_ = nullptr;
  const double* lower_ = nullptr;
  const double* upper_ = nullptr;
};

}  // namespace thalweg::penalty
