// Derivatives of f: R^n -> R^m by differences of its values, one column of the Jacobian at a time.
//
//   forward   (f(x + h e_j) - f(x)) / h                     error O(h), n evaluations
//   central   (f(x + h e_j) - f(x - h e_j)) / (2 h)         error O(h^2), 2 n evaluations
//
// Bounds are kept: the forward difference becomes the backward one where there is no room above,
// the central one the derivative of the parabola through x, x + h e_j and x + 2 h e_j on the side
// that has more room; both steps shrink to the room there is. A variable without any room has
// derivative zero. Where a value is not finite, another point serves if one is: on that side, then
// on the other.
//
// The step balances truncation with the rounding of values of relative accuracy eps:
// h = eps^(1/2) max(1, |x_j|) forward, eps^(1/3) max(1, |x_j|) central, rounded so that x_j + h is
// exact. Not for values with more noise than that, without a step of the caller's.
//
// Reference: Dennis & Schnabel 1983, section 5.4; Nocedal & Wright 2006, section 8.1.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>

#include "thalweg/core/numerics.hpp"
#include "thalweg/objective/callable.hpp"

namespace thalweg::objective {

enum class Scheme { forward, central };

// What a difference may use; null where there is no limit on that side.
struct DifferenceOptions {
  Scheme scheme = Scheme::forward;
  const double* lower = nullptr;
  const double* upper = nullptr;
  // One for each variable; the absolute ones go before. Null: as above.
  const double* relative_steps = nullptr;
  const double* absolute_steps = nullptr;
};

class Differences final {
 public:
  Differences(Index inputs, Index outputs, const DifferenceOptions& options)
      : options_(options),
        trial_(static_cast<std::size_t>(inputs)),
        near_(static_cast<std::size_t>(outputs)),
        far_(static_cast<std::size_t>(outputs)) {}

  // The Jacobian at x, column major of leading dimension m, from f(x, out) and `at` = f(x).
  template <class F>
  void jacobian(const F& f, const double* x, const double* at, double* out) {
    std::copy_n(x, trial_.size(), trial_.begin());
    for (std::size_t j = 0; j < trial_.size(); ++j) {
      column(f, j, at, out + j * near_.size());
      trial_[j] = x[j];
    }
  }

 private:
  template <class F>
  void column(const F& f, std::size_t j, const double* at, double* out) {
    const double x = trial_[j];
    const double above = options_.upper != nullptr ? options_.upper[j] - x : infinity;
    const double below = options_.lower != nullptr ? x - options_.lower[j] : infinity;
    const double room = std::max(above, below);
    if (!(room > 0)) {
      std::fill_n(out, near_.size(), 0.0);
      return;
    }
    const double h = step(j);
    const double side = h <= above || above >= below ? 1.0 : -1.0;
    if (options_.scheme == Scheme::forward) {
      one_sided(f, j, side * std::min(h, room), side > 0 ? below : above, at, out);
    } else if (h <= above && h <= below) {
      two_sided(f, j, h, at, out);
    } else {
      parabola(f, j, side * std::min(h, 0.5 * room), side > 0 ? below : above, at, out);
    }
  }

  double step(std::size_t j) const {
    if (options_.absolute_steps != nullptr) return options_.absolute_steps[j];
    const double usual =
        options_.scheme == Scheme::forward ? std::sqrt(epsilon) : std::cbrt(epsilon);
    return (options_.relative_steps != nullptr ? options_.relative_steps[j] : usual) *
           std::max(1.0, std::fabs(trial_[j]));
  }

  // f at x + h e_j into `values`; the step that was taken, 0 where a value is not finite.
  template <class F>
  double evaluate(const F& f, std::size_t j, double h, Vector& values) {
    const double x = trial_[j];
    trial_[j] = x + h;
    const double taken = trial_[j] - x;
    f(trial_.data(), values.data());
    trial_[j] = x;
    return core::all_finite(values) ? taken : 0.0;
  }

  static double other_side(double h, double room) {
    return std::copysign(std::min(std::fabs(h), room), -h);
  }

  template <class F>
  void one_sided(const F& f, std::size_t j, double h, double room_behind, const double* at,
                 double* out) {
    double taken = evaluate(f, j, h, near_);
    if (taken == 0 && room_behind > 0) taken = evaluate(f, j, other_side(h, room_behind), near_);
    for (std::size_t k = 0; k < near_.size(); ++k)
      out[k] = taken != 0 ? (near_[k] - at[k]) / taken : nan;
  }

  template <class F>
  void two_sided(const F& f, std::size_t j, double h, const double* at, double* out) {
    const double up = evaluate(f, j, h, near_);
    const double down = evaluate(f, j, -h, far_);
    for (std::size_t k = 0; k < near_.size(); ++k) {
      if (up != 0 && down != 0) out[k] = (near_[k] - far_[k]) / (up - down);
      else if (up != 0) out[k] = (near_[k] - at[k]) / up;
      else out[k] = down != 0 ? (far_[k] - at[k]) / down : nan;
    }
  }

  template <class F>
  void parabola(const F& f, std::size_t j, double h, double room_behind, const double* at,
                double* out) {
    double a = evaluate(f, j, h, near_);
    double b = evaluate(f, j, 2 * h, far_);
    if (a == 0 && b == 0 && room_behind > 0) {
      const double back = other_side(h, 0.5 * room_behind);
      a = evaluate(f, j, back, near_);
      b = evaluate(f, j, 2 * back, far_);
    }
    for (std::size_t k = 0; k < near_.size(); ++k) {
      const double to_near = near_[k] - at[k], to_far = far_[k] - at[k];
      if (a != 0 && b != 0) out[k] = (b * b * to_near - a * a * to_far) / (a * b * (b - a));
      else if (a != 0) out[k] = to_near / a;
      else out[k] = b != 0 ? to_far / b : nan;
    }
  }

  DifferenceOptions options_;
  Vector trial_, near_, far_;
};

// The function with a gradient made of its values.
inline UserFunction with_gradient_differences(UserFunction function,
                                              const DifferenceOptions& options) {
  function.value_gradient = [value = function.value,
                             differences = Differences(function.size, 1, options)](
                                const double* x, double* gradient) mutable {
    const double at = value(x);
    if (std::isfinite(at)) {
      differences.jacobian([&](const double* point, double* out) { *out = value(point); }, x, &at,
                           gradient);
    }
    return at;
  };
  return function;
}

}  // namespace thalweg::objective
