// What a generalized linear model knows of a line from its base point.
//
//   phi(t) = f(x + t d),   eta(t) = eta + t X~ d
//
// The first trial of a line, which is mostly the last one, is evaluated as a point of its own, with
// its gradient, in one pass over X where the design can: a move there costs no other. The second
// one costs a pass, for X~ d, and makes all later ones O(n); then a move costs one, for the
// gradient.
//
// Memory: a vector over the predictions, which serves others while no line is under way, and two
// over the variables.
#pragma once

#include <array>
#include <optional>

#include "thalweg/core/elements.hpp"
#include "thalweg/objective/smooth.hpp"

namespace thalweg::objective {

// Model: SmoothGlm, whose base point and predictions a move changes.
template <class Model>
class LineAhead final {
 public:
  LineAhead(Model& model, Index predictions)
      : model_(model), delta_(static_cast<std::size_t>(predictions)) {}

  void begin(const double* direction) {
    direction_ = direction;
    known_ = Known::nothing;
  }

  // As long as the predictions. What was known of the line is lost.
  Vector& scratch() {
    known_ = Known::nothing;
    return delta_;
  }

  // As long as the point; likewise.
  Vector& point_scratch() {
    known_ = Known::nothing;
    trial_gradient_.resize(model_.point_.size());
    return trial_gradient_;
  }

  LinePoint along(double step) {
    if (known_ == Known::nothing && try_point(step)) return trial_;
    look();
    const std::array<double, 3> sums = model_.loss_.line(model_.eta_.data(), delta_.data(), step);
    return {.step = step,
            .value = sums[0] / model_.total_ + penalty_[0] +
                     step * (penalty_[1] + 0.5 * step * penalty_[2]),
            .slope = sums[1] / model_.total_ + penalty_[1] + step * penalty_[2]};
  }

  // The model goes to the trial, if that is where the step leads: its value there.
  std::optional<double> take_trial(double step, double* gradient) {
    if (known_ != Known::trial || step != trial_.step) return std::nullopt;
    model_.eta_.swap(delta_);
    model_.point_.swap(trial_point_);
    known_ = Known::nothing;
    model_.copy(trial_gradient_.data(), gradient);
    return trial_.value;
  }
  // The model's point and predictions go there.
  void advance(double step) {
    look();
    combine(step, model_.point_.data());
    model_.loss_.advance(step, delta_.data(), model_.eta_.data());
  }

 private:
  // What delta_ has: the predictions of the trial, those of the direction, or anything.
  enum class Known { nothing, trial, line };

  // to = the base point + step times the direction
  void combine(double step, double* to) const {
    core::for_elements(model_.size(), model_.threads(), [&](Index begin, Index end) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
        to[i] = model_.point_[i] + step * direction_[i];
    });
  }

  // The first trial, as a point of its own. False: not here.
  bool try_point(double step) {
    trial_point_.resize(model_.point_.size());
    trial_gradient_.resize(model_.point_.size());
    combine(step, trial_point_.data());
    const auto value = model_.evaluate_in_one_pass(trial_point_, delta_, trial_gradient_.data());
    if (!value) return false;
    const double slope =
        core::sum_elements(model_.size(), model_.threads(), [&](Index begin, Index end) {
          double sum = 0;
          for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
            sum += trial_gradient_[i] * direction_[i];
          return sum;
        });
    trial_ = {.step = step, .value = *value, .slope = slope};
    known_ = Known::trial;
    return true;
  }

  // X~ d, and the penalty.
  void look() {
    if (known_ == Known::line) return;
    model_.predict(direction_, nullptr, delta_);
    known_ = Known::line;
    penalty_ = {};
    const Index coefficients = model_.cols() * model_.outputs();
    for (Index i = 0; i < coefficients; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const double l2 = model_.terms_(i % model_.cols()).l2;
      penalty_[0] += 0.5 * l2 * model_.point_[at] * model_.point_[at];
      penalty_[1] += l2 * model_.point_[at] * direction_[at];
      penalty_[2] += l2 * direction_[at] * direction_[at];
    }
  }

  Model& model_;
  const double* direction_ = nullptr;
  Vector delta_, trial_point_, trial_gradient_;
  LinePoint trial_;
  std::array<double, 3> penalty_{};  // along the line: value, slope, curvature
  Known known_ = Known::nothing;
};

}  // namespace thalweg::objective
