// The heavy ball method of Polyak.
//
//   x+ = x - t grad f(x) + beta (x - x_last)
//
// For quadratics with eigenvalues from mu to L, t = 4 / (sqrt L + sqrt mu)^2 and beta = (sqrt kappa
// - 1)^2 / (sqrt kappa + 1)^2 give the best rate of all first-order methods, 1 - 2 / sqrt(kappa).
// Given both, the method is just that. Without a step, t follows the local Lipschitz constant and
// momentum is dropped where f would rise (momentum.hpp), so that any beta converges. Not
// accelerated on general convex functions: nesterov is.
//
// Reference: Polyak 1964, USSR Comput. Math. Math. Phys. 4(5).
#pragma once

#include <array>
#include <utility>

#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/momentum.hpp"

namespace thalweg::solver {

class HeavyBallMomentum final {
 public:
  explicit HeavyBallMomentum(double beta) : beta_(beta) {}

  void begin(std::size_t size) {
    last_.resize(size);
    is_first_ = true;
  }
  void restart(const Vector&) { is_first_ = true; }
  bool extrapolate(const Vector& x, const Vector&, Vector& momentum) {
    for (std::size_t j = 0; j < x.size(); ++j) momentum[j] = beta_ * (x[j] - last_[j]);
    last_ = x;
    return !std::exchange(is_first_, false);
  }

 private:
  double beta_;
  Vector last_;
  bool is_first_ = true;
};

struct HeavyBall final {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions& options) {
    return std::make_unique<MomentumSolver<HeavyBallMomentum>>(
        info, HeavyBallMomentum(options.parameters[1]), options.parameters[0]);
  }

  static constexpr std::array<core::Parameter, 2> parameters{
      {{"step", 0, "[0, inf)", "A constant step, without restarts; zero: automatic."},
       {"momentum", 0.9, "[0, 1)", "The share of the last step that is repeated."}}};
  static constexpr auto flags = flags_of({.handles_nonconvex = true});
  static constexpr std::array<std::string_view, 2> needs{{"smooth", "smooth_penalty"}};
  static constexpr core::Info info{.name = "heavy_ball",
                                   .summary = "Gradient descent with Polyak's momentum.",
                                   .formula = "x <- x - t grad f(x) + beta (x - x_last)",
                                   .reference = "Polyak 1964",
                                   .parameters = parameters,
                                   .flags = flags,
                                   .requires_ = needs};
};

static_assert(SmoothEntry<HeavyBall>);

}  // namespace thalweg::solver
