// The subgradient method.
//
//   x+ = x - t_k g / |g|,   t_k = c, c / k or c / sqrt(k);   Polyak: t = (f(x) - f*) / |g|
//
// For functions with kinks, where nothing better applies: error O(1 / sqrt(k)) at best, constant
// steps end at a distance that c sets, and Polyak's need the optimal value f*. Steps do not
// descend: the best point seen is kept. On smooth functions every other method is better.
//
// Cost: n and a gradient a step, two where the point is not the best. References: Shor 1985; Polyak
// 1969; Boyd, Xiao & Mutapcic 2003.
#pragma once

#include <array>

#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/line_step.hpp"

namespace thalweg::solver {

class SubgradientSolver final : public SmoothSolver {
 public:
  enum class Schedule { constant, inverse, inverse_sqrt, polyak };

  SubgradientSolver(Schedule schedule, double length, double optimal_value)
      : schedule_(schedule), length_(length), optimal_value_(optimal_value) {}

  void begin(objective::Smooth&, const SmoothPoint& at, const Bounds&) override {
    now_ = at;
    steps_ = 0;
  }

  StepOutcome step(objective::Smooth& f, SmoothPoint& at, const SmoothContext&) override {
    const double size = norm(now_.gradient);
    if (size == 0) return {.epochs = 1, .largest_change = 0, .failure = core::Status::stalled};
    const double length = next_length(size);
    for (std::size_t j = 0; j < now_.x.size(); ++j) {
      now_.x[j] -= length * (now_.gradient[j] / size);
    }
    now_.value = f.evaluate(now_.x.data(), now_.gradient.data());
    StepOutcome outcome{.epochs = 1, .largest_change = length, .failure = std::nullopt};
    if (now_.value < at.value) {
      at = now_;
      if (at.value == -infinity) outcome.failure = core::Status::unbounded;
      return outcome;
    }
    if (!std::isfinite(now_.value)) outcome.failure = core::Status::non_finite;
    // The objective stays at the best point.
    at.value = f.evaluate(at.x.data(), at.gradient.data());
    outcome.epochs = 2;
    return outcome;
  }

  std::string reason() const override { return "subgradient steps; the best point is kept"; }
  std::string_view ran() const override { return "subgradient"; }
  Index matrix_bytes() const override { return 0; }

 private:
  double next_length(double size) {
    const double k = static_cast<double>(++steps_);
    switch (schedule_) {
      case Schedule::constant:
        return length_;
      case Schedule::inverse:
        return length_ / k;
      case Schedule::inverse_sqrt:
        return length_ / std::sqrt(k);
      case Schedule::polyak:
        return (now_.value - optimal_value_) / size;
    }
    return 0;
  }

  Schedule schedule_;
  double length_, optimal_value_;
  SmoothPoint now_;
  Index steps_ = 0;
};

struct Subgradient final {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions& options) {
    return std::make_unique<SubgradientSolver>(
        static_cast<SubgradientSolver::Schedule>(options.parameters[0]), options.parameters[1],
        options.parameters[2]);
  }

  static constexpr std::array<core::Parameter, 3> parameters{
      {{"schedule", 2, "{constant, inverse, inverse_sqrt, polyak}", "How long steps are."},
       {"length", 1, "(0, inf)", "The first step's length, for every schedule but polyak."},
       {"optimal_value", 0, "(-inf, inf)", "The minimum of f, for the schedule polyak."}}};
  static constexpr auto flags = flags_of({.handles_kinks = true});
  static constexpr std::array<std::string_view, 1> needs{{"smooth_penalty"}};
  static constexpr core::Info info{
      .name = "subgradient",
      .summary = "Subgradient steps of scheduled length; keeps the best point.",
      .formula = "x <- x - t_k g / |g|",
      .reference = "Shor 1985; Polyak 1969; Boyd, Xiao & Mutapcic 2003",
      .parameters = parameters,
      .flags = flags,
      .requires_ = needs};
};

static_assert(SmoothEntry<Subgradient>);

}  // namespace thalweg::solver
