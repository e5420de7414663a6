// Nesterov's accelerated gradient method with adaptive restart.
//
//   p+ = x - t grad f(x),   x+ = p+ + (theta - 1) / theta+ (p+ - p),
//   theta+ = (1 + sqrt(1 + 4 theta^2)) / 2
//
// t follows the local Lipschitz constant, and theta returns to one where momentum points uphill or
// f would rise (momentum.hpp), which gives the linear rate 1 - 1 / sqrt(kappa) of strongly convex
// functions without knowing kappa. For convex functions; quasi-Newton methods need fewer gradients.
//
// References: Nesterov 1983; Beck & Teboulle 2009 (theta); O'Donoghue & Candes 2015, section 3.2.
#pragma once

#include <array>

#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/momentum.hpp"

namespace thalweg::solver {

class NesterovMomentum final {
 public:
  void begin(std::size_t size) {
    last_.resize(size);
    theta_ = 1;
  }
  void restart(const Vector& x) {
    last_ = x;
    theta_ = 1;
  }
  bool extrapolate(const Vector&, const Vector& p, Vector& momentum) {
    const double next = 0.5 * (1 + std::sqrt(1 + 4 * theta_ * theta_));
    const double beta = (theta_ - 1) / next;
    for (std::size_t j = 0; j < p.size(); ++j) momentum[j] = beta * (p[j] - last_[j]);
    last_ = p;
    theta_ = next;
    return beta > 0;
  }

 private:
  Vector last_;  // p of the last step
  double theta_ = 1;
};

struct Nesterov final {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions& options) {
    return std::make_unique<MomentumSolver<NesterovMomentum>>(info, NesterovMomentum{},
                                                              options.parameters[0]);
  }

  static constexpr std::array<core::Parameter, 1> parameters{
      {{"step", 0, "[0, inf)", "A constant step, without restarts; zero: automatic."}}};
  static constexpr auto flags = flags_of({});
  static constexpr std::array<std::string_view, 2> needs{{"smooth", "smooth_penalty"}};
  static constexpr core::Info info{
      .name = "nesterov",
      .summary = "Accelerated gradients of Nesterov with adaptive restart.",
      .formula = "p <- x - t grad f(x), x <- p + (theta - 1) / theta+ (p - p_last)",
      .reference = "Nesterov 1983; O'Donoghue & Candes 2015, section 3.2",
      .parameters = parameters,
      .flags = flags,
      .requires_ = needs};
};

static_assert(SmoothEntry<Nesterov>);

}  // namespace thalweg::solver
