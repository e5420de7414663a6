// A step along a direction, of a length that somebody else knows.
#pragma once

#include "thalweg/solver/smooth.hpp"

namespace thalweg::solver {

class LineStep final {
 public:
  void begin(std::size_t size) { direction_.assign(size, 0.0); }

  // For the caller to set, and to have checked by `is_downhill` before a search.
  Vector& direction() { return direction_; }
  double slope() const { return slope_; }

  // Minus the gradient, at most of length one, since nothing is known of the curvature. Returns
  // direction over -gradient.
  double point_downhill(const SmoothPoint& at) {
    const double length = norm(at.gradient);
    const double scale = length > 1 ? 1 / length : 1.0;
    for (std::size_t j = 0; j < direction_.size(); ++j) direction_[j] = -scale * at.gradient[j];
    slope_ = -(scale * length) * length;
    return scale;
  }

  // A function that falls for so long has no minimum within reach. x stays finite.
  double largest_step(const SmoothPoint& at) const {
    return std::min(reach_from(norm(at.x)), 1e300) / norm(direction_);
  }

  // Whether the direction makes an acute angle with minus the gradient, by more than rounding.
  bool is_downhill(const SmoothPoint& at) {
    slope_ = dot(direction_, at.gradient);
    return -slope_ > epsilon * norm(direction_) * norm(at.gradient) && std::isfinite(slope_);
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
    return {
        .epochs = 1, .largest_change = step * largest_entry(direction_), .failure = std::nullopt};
  }

  StepOutcome failed(core::Status status) const {
    return {.epochs = 1,
            .largest_change = 0,
            .failure = std::isfinite(slope_) ? status : core::Status::non_finite};
  }
  StepOutcome failed(line_search::Outcome outcome) const { return failed(failure_of(outcome)); }

 private:
  Vector direction_;
  double slope_ = 0;
};

}  // namespace thalweg::solver
