// The Levenberg-Marquardt method for nonlinear least squares.
//
//   s = argmin |J s + r|^2 + mu |D s|^2,   x+ = x + s where f = 1/2 |r|^2 falls enough
//
// D holds the largest norms that the columns of J have had, so that units of the variables do not
// matter; mu follows the ratio of the actual to the predicted decrease, from small (a Gauss-Newton
// step) to large (a short step down the scaled gradient). Values that are not finite make it
// larger.
//
// The method for least squares whose Jacobian can be formed: it works with J of any rank and from
// poor starts. With a robust loss, r and J are the rescaled ones (objective/robust.hpp).
//
// Cost: one Jacobian and 2 m n^2 a step, 4 n^3 / 3 for each mu that is tried. References: Marquardt
// 1963; More 1978 (scaling, QR); Nielsen 1999, equation (2.4) (damping).
#pragma once

#include <array>

#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/line_step.hpp"
#include "thalweg/solver/linearization.hpp"

namespace thalweg::solver {

class LevenbergMarquardtSolver final : public SmoothSolver {
 public:
  void begin(objective::Smooth& f, const SmoothPoint& at, const Bounds&) override {
    model_.begin(*f.refinements().residuals, static_cast<Index>(at.x.size()));
    line_.begin(f);
    mu_ = first_mu;
    growth_ = 2;
  }

  StepOutcome step(objective::Smooth& f, SmoothPoint& at, const SmoothContext& context) override {
    if (!model_.update(*f.refinements().residuals)) return line_.failed(core::Status::non_finite);
    model_.factorize();
    while (mu_ < most_mu && !context.execution.stop_requested()) {
      const double predicted = model_.solve_damped(mu_, line_.direction());
      if (!line_.is_downhill(at)) break;
      f.begin_line(line_.direction().data());
      const double value = f.value_along(1.0);
      // Both decreases drown in the rounding of f near a minimum; there the model is right.
      const double rounding = noise * std::fabs(at.value);
      const double ratio = (at.value - value + rounding) / (predicted + rounding);
      if (ratio > least_ratio && std::isfinite(value)) {
        const double bent = 2 * std::min(ratio, 1.0) - 1;
        mu_ = std::max(mu_ * std::max(1.0 / 3.0, 1 - bent * bent * bent), least_mu);
        growth_ = 2;
        return line_.finish(f, at, 1.0);
      }
      mu_ *= growth_;
      growth_ *= 2;
    }
    return line_.failed(core::Status::stalled);
  }

  std::string reason() const override { return "Levenberg-Marquardt, QR factorisation"; }
  std::string_view ran() const override { return "levenberg_marquardt"; }
  Index matrix_bytes() const override { return model_.bytes(); }

 private:
  // Relative to J'J, since D has its scale. The first: Nielsen 1999, for starts of no known
  // quality.
  static constexpr double first_mu = 1e-3, least_mu = 1e-20, most_mu = 1e30;
  static constexpr double least_ratio = 1e-4;
  // Rounding of f. With more, where residuals are large, mu would fall although steps do not help.
  static constexpr double noise = 10 * epsilon;

  Linearization model_;
  LineStep line_;
  double mu_ = first_mu, growth_ = 2;
};

struct LevenbergMarquardt final {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions&) {
    return std::make_unique<LevenbergMarquardtSolver>();
  }

  static constexpr auto flags = flags_of({.handles_nonconvex = true, .needs_residuals = true});
  static constexpr std::array<std::string_view, 2> needs{{"smooth", "smooth_penalty"}};
  static constexpr core::Info info{.name = "levenberg_marquardt",
                                   .summary = "Levenberg-Marquardt, for nonlinear least squares.",
                                   .formula = "x <- x + s, s = argmin |J s + r|^2 + mu |D s|^2",
                                   .reference = "Marquardt 1963; More 1978; Nielsen 1999",
                                   .parameters = {},
                                   .flags = flags,
                                   .requires_ = needs};
};

static_assert(SmoothEntry<LevenbergMarquardt>);

}  // namespace thalweg::solver
