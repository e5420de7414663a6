// The Gauss-Newton method for nonlinear least squares.
//
//   s = argmin |J s + r|,   x+ = x + t s,        f = 1/2 |r|^2
//
// with a line search; the step of least norm where J does not have full rank. Converges
// quadratically where the residuals vanish at the minimum, linearly where they are small there, and
// can fail where they are large or J loses rank: levenberg_marquardt is the safe choice.
//
// With a robust loss, r and J are the rescaled ones (objective/robust.hpp).
//
// Cost: one Jacobian and 4 m n^2 a step. Reference: Nocedal & Wright 2006, section 10.3; Bjorck
// 1996, section 9.2.
#pragma once

#include <array>

#include "thalweg/line_search/armijo.hpp"
#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/line_step.hpp"
#include "thalweg/solver/linearization.hpp"

namespace thalweg::solver {

class GaussNewtonSolver final : public SmoothSolver {
 public:
  void begin(objective::Smooth& f, const SmoothPoint& at, const Bounds&) override {
    model_.begin(*f.refinements().residuals, static_cast<Index>(at.x.size()));
    line_.begin(f);
    deficient_ = 0;
  }

  StepOutcome step(objective::Smooth& f, SmoothPoint& at, const SmoothContext& context) override {
    if (!model_.update(*f.refinements().residuals)) return line_.failed(core::Status::non_finite);
    if (context.execution.stop_requested()) return {};
    if (model_.solve(line_.direction()) < static_cast<Index>(at.x.size())) ++deficient_;
    if (!line_.is_downhill(at)) line_.point_downhill(at);
    f.begin_line(line_.direction().data());
    const line_search::Found found =
        line_search::Armijo::search(f, f.line_start(at.value, line_.slope()), {});
    if (!found.success()) return line_.failed(found.outcome);
    return line_.finish(f, at, found.at.step);
  }

  std::string reason() const override {
    std::string text = "Gauss-Newton";
    if (deficient_ > 0) {
      text += ", Jacobian without full rank in " + std::to_string(deficient_) +
              (deficient_ == 1 ? " step" : " steps");
    }
    return text;
  }
  std::string_view ran() const override { return "gauss_newton"; }
  Index matrix_bytes() const override { return model_.bytes(); }

 private:
  Linearization model_;
  LineStep line_;
  Index deficient_ = 0;
};

struct GaussNewton final {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions&) {
    return std::make_unique<GaussNewtonSolver>();
  }

  static constexpr auto flags = flags_of({.handles_nonconvex = true, .needs_residuals = true});
  static constexpr std::array<std::string_view, 2> needs{{"smooth", "smooth_penalty"}};
  static constexpr core::Info info{
      .name = "gauss_newton",
      .summary = "Gauss-Newton with a line search, for nonlinear least squares.",
      .formula = "x <- x + t s, s = argmin |J s + r|",
      .reference = "Nocedal & Wright 2006, section 10.3",
      .parameters = {},
      .flags = flags,
      .requires_ = needs};
};

static_assert(SmoothEntry<GaussNewton>);

}  // namespace thalweg::solver
