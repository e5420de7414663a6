// The spectral projected gradient method.
//
//   d = P(x - lambda g) - x,   x+ = x + t d
//
// P is the projection onto the bounds, lambda = s's / s'y the step of Barzilai & Borwein, which
// must not be made monotone: t is accepted where f is sufficiently below the largest of its last
// ten values (Grippo, Lampariello & Lucidi 1986). Without bounds it is gradient descent with
// Barzilai-Borwein steps.
//
// For: many variables, simple bounds, moderate accuracy. Else l_bfgs_b takes far fewer steps.
//
// Cost: one gradient a step and 10 n. Reference: Birgin, Martinez & Raydan 2000, algorithm SPG2.
// Differs from it in the safeguards of the interpolation, which are those of
// line_search/armijo.hpp, and where s'y <= 0: the largest lambda would cost many trials there.
#pragma once

#include <algorithm>
#include <array>

#include "thalweg/line_search/armijo.hpp"
#include "thalweg/solver/box.hpp"
#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/vectors.hpp"

namespace thalweg::solver {

class ProjectedGradientSolver final : public SmoothSolver {
 public:
  explicit ProjectedGradientSolver(Index values) : values_(static_cast<std::size_t>(values)) {}

  void begin(objective::Smooth&, const SmoothPoint& at, const Bounds&) override {
    target_.resize(at.x.size());
    direction_.resize(at.x.size());
    before_ = at;
    std::fill(values_.begin(), values_.end(), -infinity);
    steps_ = 0;
    lambda_ = 0;
  }

  StepOutcome step(objective::Smooth& f, SmoothPoint& at, const SmoothContext& context) override {
    values_[steps_++ % values_.size()] = at.value;
    const double highest = *std::max_element(values_.begin(), values_.end());
    if (!(lambda_ > 0)) {
      lambda_ =
          core::clip(1 / projected_gradient_norm(at.x, at.gradient, context.bounds), least, most);
    }
    for (std::size_t j = 0; j < target_.size(); ++j) {
      target_[j] = context.bounds.clip(static_cast<Index>(j), at.x[j] - lambda_ * at.gradient[j]);
    }
    aim(at.x, target_, context.bounds, direction_);
    f.begin_line(direction_.data());
    const line_search::Found found = line_search::Armijo::search(
        f, f.line_start(highest, dot(at.gradient, direction_)), {.largest_step = 1.0});
    if (!found.success() && !(found.at.step > 0 && found.at.value < at.value)) {
      return {.failure = failure_of(found.outcome)};
    }
    StepOutcome outcome{.epochs = 1};
    outcome.largest_change = move_along(f, found.at.step, at, before_);
    update_lambda(at);
    return outcome;
  }

  std::string reason() const override { return "spectral projected gradient"; }
  std::string_view ran() const override { return "projected_gradient"; }
  Index matrix_bytes() const override { return 0; }

 private:
  void update_lambda(const SmoothPoint& at) {
    double ss = 0, sy = 0;
    for (std::size_t j = 0; j < at.x.size(); ++j) {
      const double s = at.x[j] - before_.x[j];
      ss += s * s;
      sy += s * (at.gradient[j] - before_.gradient[j]);
    }
    // Where f bends downwards the quotient says nothing, and steps grow.
    lambda_ = core::clip(sy > 0 ? ss / sy : 10 * lambda_, least, most);
  }

  // Of lambda, in the reference.
  static constexpr double least = 1e-30, most = 1e30;

  Vector values_;  // the last ones, as a ring
  std::size_t steps_ = 0;
  double lambda_ = 0;  // zero where nothing is known
  Vector target_, direction_;
  SmoothPoint before_;
};

struct ProjectedGradient final {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions& options) {
    return std::make_unique<ProjectedGradientSolver>(static_cast<Index>(options.parameters[0]));
  }

  static constexpr std::array<core::Parameter, 1> parameters{
      {{"memory", 10, "int [1, inf)", "Values of which f must get below the largest."}}};
  static constexpr auto flags = flags_of({.handles_bounds = true, .handles_nonconvex = true});
  static constexpr std::array<std::string_view, 2> needs{{"smooth", "smooth_penalty"}};
  static constexpr core::Info info{
      .name = "projected_gradient",
      .summary = "Projected gradient with spectral (Barzilai-Borwein) steps, for bounds.",
      .formula = "x <- x + t (P(x - lambda grad f(x)) - x)",
      .reference = "Birgin, Martinez & Raydan 2000",
      .parameters = parameters,
      .flags = flags,
      .requires_ = needs};
};

static_assert(SmoothEntry<ProjectedGradient>);

}  // namespace thalweg::solver
