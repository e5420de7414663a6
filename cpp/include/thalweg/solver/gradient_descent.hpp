// Steepest descent.
//
//   x+ = x - t grad f(x)
//
// The step t is constant, found by a line search, or that of Barzilai & Borwein, s's / s'y of the
// last step and change of gradient, which follows the local curvature and is not monotone; here the
// Armijo condition safeguards it. With bounds, or where the Hessian is ill-conditioned, other
// methods are far better: rate (kappa - 1) / (kappa + 1).
//
// Cost: one gradient a step. References: Cauchy 1847; Barzilai & Borwein 1988, equation (6);
// Nocedal & Wright 2006, section 3.3.
#pragma once

#include <array>
#include <cmath>

#include "thalweg/line_search/armijo.hpp"
#include "thalweg/solver/smooth.hpp"

namespace thalweg::solver {

class GradientDescentSolver final : public SmoothSolver {
 public:
  enum class Rule { barzilai_borwein, line_search, constant };

  GradientDescentSolver(Rule rule, double step) : rule_(rule), constant_(step) {}

  void begin(objective::Smooth&, const SmoothPoint& at, const Bounds&) override {
    direction_.resize(at.x.size());
    before_ = at;
    trial_ = 0;
  }

  StepOutcome step(objective::Smooth& f, SmoothPoint& at, const SmoothContext&) override {
    double slope = 0;
    for (std::size_t j = 0; j < direction_.size(); ++j) {
      direction_[j] = -at.gradient[j];
      slope -= at.gradient[j] * at.gradient[j];
    }
    f.begin_line(direction_.data());
    double step = constant_;
    if (rule_ != Rule::constant) {
      const line_search::Found found =
          line_search::Armijo::search(f, {0, at.value, slope}, {.first_step = first_step(slope)});
      if (!found.success()) return {.failure = failure_of(found.outcome)};
      step = found.at.step;
    }
    before_.x.swap(at.x);
    before_.gradient.swap(at.gradient);
    at.value = f.move(step, at.x.data(), at.gradient.data());
    StepOutcome outcome{.epochs = 1};
    double change = 0, product = 0;
    for (std::size_t j = 0; j < at.x.size(); ++j) {
      const double moved = at.x[j] - before_.x[j];
      outcome.largest_change = std::max(outcome.largest_change, std::fabs(moved));
      change += moved * moved;
      product += moved * (at.gradient[j] - before_.gradient[j]);
    }
    trial_ = rule_ == Rule::barzilai_borwein && product > 0 ? change / product : 2 * step;
    return outcome;
  }

  std::string reason() const override {
    switch (rule_) {
      case Rule::barzilai_borwein:
        return "steepest descent, Barzilai-Borwein steps";
      case Rule::line_search:
        return "steepest descent, line search";
      case Rule::constant:
        return "steepest descent, constant steps";
    }
    return {};
  }
  std::string_view ran() const override { return "gradient_descent"; }
  Index matrix_bytes() const override { return 0; }

 private:
  // A first move of length one at most, since nothing is known of the curvature.
  double first_step(double slope) const {
    return trial_ > 0 ? trial_ : std::min(1.0, 1.0 / std::sqrt(-slope));
  }

  Rule rule_;
  double constant_;
  double trial_ = 0;
  Vector direction_;
  SmoothPoint before_;
};

struct GradientDescent final {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions& options) {
    return std::make_unique<GradientDescentSolver>(
        static_cast<GradientDescentSolver::Rule>(options.parameters[0]), options.parameters[1]);
  }

  static constexpr std::array<core::Parameter, 2> parameters{
      {{"step_rule", 0, "{barzilai_borwein, line_search, constant}", "How a step is chosen."},
       {"step", 1e-3, "(0, inf)", "The step of the rule constant."}}};
  static constexpr std::array<core::Flag, 4> flags{{{"deterministic", true},
                                                    {"handles_bounds", false},
                                                    {"needs_hessian", false},
                                                    {"needs_residuals", false}}};
  static constexpr std::array<std::string_view, 2> needs{{"smooth", "smooth_penalty"}};
  static constexpr core::Info info{.name = "gradient_descent",
                                   .summary = "Steepest descent with Barzilai-Borwein steps.",
                                   .formula = "x <- x - t grad f(x)",
                                   .reference = "Cauchy 1847; Barzilai & Borwein 1988",
                                   .parameters = parameters,
                                   .flags = flags,
                                   .requires_ = needs};
};

static_assert(SmoothEntry<GradientDescent>);

}  // namespace thalweg::solver
