// Steepest descent.
//
//   x+ = x - t grad f(x)
//
// The step t is that of Barzilai & Borwein, s's / s'y of the last step and change of gradient,
// which follows the local curvature; or found by a line search from twice the last one; or
// constant. Barzilai-Borwein steps must not be made monotone: they are accepted where f is
// sufficiently below the largest of its last values (Grippo, Lampariello & Lucidi 1986), and so
// converge.
//
// Cost: n and one gradient a step. Where the Hessian is ill-conditioned other methods are far
// better: rate (kappa - 1) / (kappa + 1). References: Cauchy 1847; Barzilai & Borwein 1988,
// equation (6); Raydan 1997, algorithm GBB.
#pragma once

#include <array>

#include "thalweg/line_search/armijo.hpp"
#include "thalweg/solver/constant_step.hpp"
#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/search_step.hpp"

namespace thalweg::solver {

class GradientDescentSolver final : public SmoothSolver {
 public:
  enum class Rule { barzilai_borwein, line_search, constant };

  GradientDescentSolver(Rule rule, double step)
      : rule_(rule), constant_(step), search_(&line_search::Armijo::search, {}) {}

  void begin(objective::Smooth& f, const SmoothPoint& at, const Bounds&) override {
    line_.begin(f);
    s_.resize(at.x.size());
    y_.resize(at.x.size());
    trial_ = 0;
    // Of one value, the largest is the last: the other rules are monotone.
    values_.assign(rule_ == Rule::barzilai_borwein ? 10 : 1, at.value);
    steps_ = 0;
    constant_step_.begin(at, -infinity);
  }

  StepOutcome step(objective::Smooth& f, SmoothPoint& at, const SmoothContext&) override {
    const double scale = line_.point_downhill(at);
    if (rule_ == Rule::constant) {
      return constant_step_.watch(f, at, line_.move(f, at, constant_ / scale));
    }
    values_[steps_++ % values_.size()] = at.value;
    const double from = *std::max_element(values_.begin(), values_.end());
    // The first move is of length one at most, since nothing is known of the curvature.
    const auto first_step = [&] { return trial_ > 0 ? trial_ / scale : 1.0; };
    if (!search_.run(line_, f, at, from, first_step, s_, y_)) {
      return line_.failed(search_.found().outcome);
    }
    const Pair& pair = search_.pair();
    const bool is_known = rule_ == Rule::barzilai_borwein && pair.is_curved();
    trial_ = is_known ? pair.ss / pair.sy : 2 * scale * search_.found().at.step;
    return search_.outcome();
  }

  std::string reason() const override {
    switch (rule_) {
      case Rule::barzilai_borwein:
        return "steepest descent, Barzilai-Borwein steps";
      case Rule::line_search:
        return "steepest descent, line search";
      case Rule::constant:
        return "steepest descent, constant steps" + std::string(constant_step_.verdict());
    }
    return {};
  }
  std::string_view ran() const override { return "gradient_descent"; }
  Index matrix_bytes() const override { return 0; }

 private:
  Rule rule_;
  double constant_;
  ConstantStep constant_step_;
  LineStep line_;
  SearchStep search_;
  Vector s_, y_;
  double trial_ = 0;
  Vector values_;  // the last ones, as a ring
  std::size_t steps_ = 0;
};

struct GradientDescent final {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions& options) {
    const double step = options.parameters[1];
    const auto rule = step > 0 ? GradientDescentSolver::Rule::constant
                               : static_cast<GradientDescentSolver::Rule>(options.parameters[0]);
    return std::make_unique<GradientDescentSolver>(rule, step);
  }

  static constexpr std::array<core::Parameter, 2> parameters{
      {{"step_rule", 0, "{barzilai_borwein, line_search}", "How a step is chosen."},
       {"step", 0, "[0, inf)", "A constant step, in place of a rule; zero: by step_rule."}}};
  static constexpr auto flags = flags_of({.handles_nonconvex = true});
  static constexpr std::array<std::string_view, 2> needs{{"smooth", "smooth_penalty"}};
  static constexpr core::Info info{.name = "gradient_descent",
                                   .summary = "Steepest descent with Barzilai-Borwein steps.",
                                   .formula = "x <- x - t grad f(x)",
                                   .reference = "Cauchy 1847; Barzilai & Borwein 1988; Raydan 1997",
                                   .parameters = parameters,
                                   .flags = flags,
                                   .requires_ = needs};
};

static_assert(SmoothEntry<GradientDescent>);

}  // namespace thalweg::solver
