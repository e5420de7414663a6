// A solver on a function that differs a little from the objective, and comes closer to it where
// that difference is what is left of the certificate (objective/huber_scale.hpp: the method of
// multipliers). The solver begins anew each time; its function has changed.
#pragma once

#include <utility>

#include "thalweg/solver/smooth.hpp"

namespace thalweg::solver {

// `Model` has can_sharpen() and sharpen(); `Certifier` has is_slack(point).
template <class Model, class Certifier>
class Sharpening final : public SmoothSolver {
 public:
  Sharpening(std::unique_ptr<SmoothSolver> solver, Model& model, const Certifier& certifier)
      : solver_(std::move(solver)), model_(model), certifier_(certifier) {}

  void begin(objective::Smooth& f, const SmoothPoint& at, const Bounds& bounds) override {
    solver_->begin(f, at, bounds);
  }

  StepOutcome step(objective::Smooth& f, SmoothPoint& at, const SmoothContext& context) override {
    const bool is_far = context.certificate > context.target;
    if (is_far && model_.can_sharpen() && certifier_.is_slack(at)) sharpen(f, at, context);
    StepOutcome outcome = solver_->step(f, at, context);
    if (outcome.failure && is_far && model_.can_sharpen()) {
      sharpen(f, at, context);
      outcome.failure = std::nullopt;
    }
    return outcome;
  }

  std::string reason() const override {
    std::string text = solver_->reason();
    if (times_ > 0) {
      text += "; most samples fitted exactly or not at all: targets moved by multipliers " +
              std::to_string(times_) + (times_ == 1 ? " time" : " times");
    }
    return text;
  }
  std::string_view ran() const override { return solver_->ran(); }
  Index matrix_bytes() const override { return solver_->matrix_bytes(); }

 private:
  void sharpen(objective::Smooth& f, SmoothPoint& at, const SmoothContext& context) {
    model_.sharpen();
    at.value = f.evaluate(at.x.data(), at.gradient.data());
    solver_->begin(f, at, context.bounds);
    ++times_;
  }

  std::unique_ptr<SmoothSolver> solver_;
  Model& model_;
  const Certifier& certifier_;
  Index times_ = 0;
};

}  // namespace thalweg::solver
