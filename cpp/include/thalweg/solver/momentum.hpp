// Gradient steps with momentum: what heavy ball and Nesterov's method share.
//
//   p = x - t grad f(x),   x+ = p + momentum
//
// Unless a step is given, t is 1 / L for the local Lipschitz constant L of the gradient, found by
// f(p) <= f(x) - t/2 |grad f(x)|^2, which holds for t = 1 / L. Then momentum is dropped, and the
// method begins anew, where it points uphill or f would rise (O'Donoghue & Candes 2015,
// section 3.2, both schemes): f never rises.
//
// Cost: n, a value and a gradient a step, one more gradient where momentum is dropped.
#pragma once

#include "thalweg/line_search/armijo.hpp"
#include "thalweg/solver/constant_step.hpp"

namespace thalweg::solver {

// A gradient step whose length follows the local Lipschitz constant.
class LipschitzStep final {
 public:
  LipschitzStep() { options_.decrease = 0.5; }

  void begin() {
    step_ = 0;
    growth_ = 2;
  }

  // On the line from x along -scale grad f(x). Tries values only.
  line_search::Found run(objective::Smooth& f, const objective::LinePoint& start, double scale,
                         double largest) {
    options_.largest_step = largest;
    options_.first_step = step_ > 0 ? step_ / scale : 1.0;
    const line_search::Found found = line_search::Armijo::search(f, start, options_);
    if (!found.success()) return found;
    step_ = scale * found.at.step;
    // Each step is tried longer than the last, by less once one was too long, and not at all where
    // values are too close to each other to tell.
    if (found.trials > 1) growth_ = 1.1;
    const double predicted = -0.5 * found.at.step * start.slope;
    if (predicted > 10 * line_search::rounding(start, options_)) step_ *= growth_;
    return found;
  }

 private:
  line_search::Options options_;
  double step_ = 0;
  double growth_ = 2;
};

// `Rule` says what the momentum is:
//   void begin(size)
//   void restart(x)                    // the next step, from x, is the first
//   bool extrapolate(x, p, momentum)   // writes it for the step from x over p; false: none
template <class Rule>
class MomentumSolver final : public SmoothSolver {
 public:
  // A constant step of zero: automatic.
  MomentumSolver(const core::Info& info, Rule rule, double constant_step)
      : info_(info), rule_(std::move(rule)), constant_(constant_step) {}

  void begin(objective::Smooth& f, const SmoothPoint& at, const Bounds&) override {
    line_.begin(f);
    point_.resize(at.x.size());
    momentum_.resize(at.x.size());
    lipschitz_.begin();
    constant_step_.begin(at, at.value);
    rule_.begin(at.x.size());
  }

  StepOutcome step(objective::Smooth& f, SmoothPoint& at, const SmoothContext&) override {
    const StepOutcome outcome = advance(f, at);
    return constant_ > 0 ? constant_step_.watch(f, at, outcome) : outcome;
  }

  std::string reason() const override {
    return std::string(info_.summary) + std::string(constant_step_.verdict());
  }
  std::string_view ran() const override { return info_.name; }
  Index matrix_bytes() const override { return 0; }

 private:
  StepOutcome advance(objective::Smooth& f, SmoothPoint& at) {
    const double scale = line_.point_downhill(at);
    double step = constant_ / scale;
    if (constant_ == 0) {
      f.begin_line(line_.direction().data());
      const line_search::Found found =
          lipschitz_.run(f, f.line_start(at.value, line_.slope()), scale, line_.largest_step(at));
      if (!found.success()) return line_.failed(found.outcome);
      step = found.at.step;
    }
    Vector& direction = line_.direction();
    for (std::size_t j = 0; j < direction.size(); ++j) {
      direction[j] *= step;
      point_[j] = at.x[j] + direction[j];
    }
    if (!rule_.extrapolate(at.x, point_, momentum_)) return line_.move(f, at, 1.0);
    axpy(1.0, momentum_, direction);
    if (constant_ > 0) return line_.move(f, at, 1.0);
    if (dot(momentum_, at.gradient) <= 0) {
      f.begin_line(direction.data());
      const objective::LinePoint start = f.line_start(at.value, 0);
      if (f.along(1.0).value <= start.value + line_search::rounding(start))
        return line_.finish(f, at, 1.0);
    }
    rule_.restart(point_);
    axpy(-1.0, momentum_, direction);
    return line_.move(f, at, 1.0);
  }

  const core::Info& info_;
  Rule rule_;
  double constant_;
  ConstantStep constant_step_;
  LipschitzStep lipschitz_;
  LineStep line_;
  Vector point_, momentum_;
};

}  // namespace thalweg::solver
