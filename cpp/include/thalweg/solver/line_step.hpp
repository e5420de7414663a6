// A step along a direction, of a length that somebody else knows.
#pragma once

#include "thalweg/solver/smooth.hpp"

namespace thalweg::solver {

// The first trial along a direction when nothing is known of the curvature: a move of length one at
// most, and no farther than to the minimum of the parabola whose lowest value is f - |f|, since f's
// own size is the best guess of how far it falls (Fletcher 1987, section 2.6: 2 df / -slope). For
// sums of squares that is where residuals vanish. A value that is zero by chance says nothing.
inline double first_trial(double value, double slope, double length) {
  const double farthest = std::min(1.0, 1.0 / length);
  const double guess = 2 * std::fabs(value) / -slope;
  return guess > std::sqrt(epsilon) * farthest ? std::min(guess, farthest) : farthest;
}

// For a solver's reason: how often it met a Hessian that is not finite and went down the gradient.
inline std::string nonfinite_hessians(Index steps) {
  if (steps == 0) return {};
  return ", Hessian not finite in " + std::to_string(steps) + (steps == 1 ? " step" : " steps");
}

class LineStep final {
 public:
  void begin(const objective::Smooth& f) {
    direction_.assign(static_cast<std::size_t>(f.size()), 0.0);
    threads_ = f.threads();
  }

  // For the caller to set, and to have checked by `is_downhill` before a search.
  Vector& direction() { return direction_; }
  double slope() const { return slope_; }

  // Minus the gradient, at most of length one, since nothing is known of the curvature. Returns
  // direction over -gradient.
  double point_downhill(const SmoothPoint& at) { return point_downhill(at.gradient); }
  double point_downhill(const Vector& gradient) {
    const double length = norm(gradient, threads_);
    const double scale = length > 1 ? 1 / length : 1.0;
    for (std::size_t j = 0; j < direction_.size(); ++j) direction_[j] = -scale * gradient[j];
    slope_ = -(scale * length) * length;
    return scale;
  }

  double first_trial(const SmoothPoint& at) const {
    return solver::first_trial(at.value, slope_, norm(direction_, threads_));
  }

  // A function that falls for so long has no minimum within reach. x stays finite.
  double largest_step(const SmoothPoint& at) const {
    return std::min(reach_from(norm(at.x, threads_)), 1e300) / norm(direction_, threads_);
  }

  // Whether the direction makes an acute angle with minus the gradient, by more than rounding.
  bool is_downhill(const SmoothPoint& at) {
    slope_ = dot(direction_, at.gradient, threads_);
    const double sizes = norm(direction_, threads_) * norm(at.gradient, threads_);
    return -slope_ > epsilon * sizes && std::isfinite(slope_);
  }

  // Moves the point, but not to where f is not finite.
  StepOutcome move(objective::Smooth& f, SmoothPoint& at, double step) {
    f.begin_line(direction_.data());
    const objective::LinePoint to = f.along(step);
    if (to.value == -infinity) return failed(core::Status::unbounded);
    if (!std::isfinite(to.value) || !std::isfinite(to.slope)) {
      return failed(core::Status::non_finite);
    }
    return finish(f, at, step);
  }

  // Moves the point to a trial of the line that f is on.
  StepOutcome finish(objective::Smooth& f, SmoothPoint& at, double step) {
    at.value = f.move(step, at.x.data(), at.gradient.data());
    return {.epochs = 1,
            .largest_change = step * largest_entry(direction_, threads_),
            .failure = std::nullopt};
  }

  StepOutcome failed(core::Status status) const {
    return {.epochs = 1,
            .largest_change = 0,
            .failure = std::isfinite(slope_) ? status : core::Status::non_finite};
  }
  StepOutcome failed(line_search::Outcome outcome) const { return failed(failure_of(outcome)); }

 private:
  Vector direction_;
  int threads_ = 1;
  double slope_ = 0;
};

}  // namespace thalweg::solver
