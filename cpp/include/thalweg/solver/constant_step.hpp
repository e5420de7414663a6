// Steps of a length that the caller chose, followed as long as f does not run away.
//
//   x+ = x - t grad f(x) (+ momentum),   t constant
//
// Where the gradient's Lipschitz constant is L, steps up to 2 / L converge and never let f rise
// (Nesterov 2004, section 2.1.5); with momentum beta, up to 2 (1 + beta) / L on quadratics (Polyak
// 1964), where f may rise, but hardly above its start. Longer steps let f grow without end. So the
// solve ends after `patience` rises in a row, with momentum above the start only, or where f is not
// finite any more: at the lowest point, with a reason.
//
// Cost: n a step.
#pragma once

#include "thalweg/solver/line_step.hpp"

namespace thalweg::solver {

class ConstantStep final {
 public:
  // `ceiling`: a value below which rises do not count.
  void begin(const SmoothPoint& at, double ceiling) {
    lowest_ = at;
    last_ = at.value;
    ceiling_ = ceiling;
    rises_ = 0;
    is_too_long_ = false;
  }

  // Takes the outcome of a step that has led to `at`.
  StepOutcome watch(objective::Smooth& f, SmoothPoint& at, StepOutcome outcome) {
    const double rounding = line_search::rounding(f.line_start(last_, 0));
    rises_ = at.value > std::max(last_ + rounding, ceiling_) ? rises_ + 1 : 0;
    last_ = at.value;
    if (!outcome.failure && at.value < lowest_.value) lowest_ = at;
    is_too_long_ = outcome.failure == core::Status::non_finite || rises_ >= patience;
    if (!is_too_long_) return outcome;
    at.x = lowest_.x;
    at.value = f.evaluate(at.x.data(), at.gradient.data());
    outcome.failure = core::Status::line_search_failed;
    return outcome;
  }

  // For a solver's reason.
  std::string_view verdict() const {
    return is_too_long_ ? "; the step is too long, f rises: take a smaller one" : "";
  }

 private:
  static constexpr int patience = 20;

  SmoothPoint lowest_;
  double last_ = infinity, ceiling_ = -infinity;
  int rises_ = 0;
  bool is_too_long_ = false;
};

}  // namespace thalweg::solver
