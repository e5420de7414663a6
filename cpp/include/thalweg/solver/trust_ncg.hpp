// A trust region with conjugate gradients: Newton's method that only needs products H v.
//
//   s ~ argmin g's + 1/2 s'Hs  subject to  |s|_M <= radius;   x+ = x + s where f falls enough
//
// Directions of negative curvature are followed to the boundary, so that saddle points are left.
// The radius follows the ratio of the actual to the predicted decrease, and the minimiser of the
// parabola through f, its slope and the new value. M is the function's preconditioner, if it has
// one, else the identity. Values that are not finite shrink the radius. The model is not solved
// more exactly than the end of the solve asks for.
//
// For: ill-conditioned functions with cheap Hessian products, convex or not. Few variables: newton.
//
// Cost: some products and one gradient a step. References: Steihaug 1983; Nocedal & Wright 2006,
// algorithms 4.1 and 7.2; Lin & More 1999 (radius); Hsia, Chiang & Lin 2018 (preconditioner);
// Conn, Gould & Toint 2000, section 17.4.2 (rounding).
#pragma once

#include <array>

#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/line_step.hpp"
#include "thalweg/solver/truncated_cg.hpp"

namespace thalweg::solver {

class TrustNcgSolver final : public SmoothSolver {
 public:
  void begin(objective::Smooth& f, const SmoothPoint& at, const Bounds&) override {
    require_product(f, ran());
    const auto n = static_cast<Index>(at.x.size());
    cg_.begin(n, f.threads());
    line_.begin(f);
    radius_ = 0;
    is_first_ = true;
    nonfinite_ = 0;
    source_ = product_source(f.refinements());
  }

  StepOutcome step(objective::Smooth& f, SmoothPoint& at, const SmoothContext& context) override {
    const objective::Refinements have = f.refinements();
    objective::Preconditioner* const preconditioner = updated_preconditioner(have);
    if (is_first_) radius_ = cg_.dual_norm(at.gradient, preconditioner);
    const double size = norm(at.gradient, f.threads());
    const double floor = epsilon * norm(at.x, f.threads()) + std::numeric_limits<double>::min();
    // The model stays, the radius shrinks, until a step is good.
    while (std::isfinite(radius_) && radius_ > floor && !context.execution.stop_requested()) {
      const TruncatedCg::Outcome step = cg_.solve(*have.product, at.gradient,
                                                  {.radius = radius_,
                                                   .reduction = reduction,
                                                   .enough = enough_of(size, context),
                                                   .preconditioner = preconditioner},
                                                  context.execution, line_.direction());
      nonfinite_ += step.is_finite ? 0 : 1;
      if (!(step.model < 0)) break;
      f.begin_line(line_.direction().data());
      const objective::LinePoint trial = f.along(1.0);
      const double ratio =
          update_radius(step, f.line_start(at.value, dot(at.gradient, line_.direction())), trial);
      if (!(ratio > least_ratio)) continue;
      return line_.finish(f, at, 1.0);
    }
    return line_.failed(nonfinite_ > 0 ? core::Status::non_finite : core::Status::stalled);
  }

  std::string reason() const override {
    return "trust region, conjugate gradients" + std::string(source_) +
           nonfinite_hessians(nonfinite_);
  }
  std::string_view ran() const override { return "trust_ncg"; }
  Index matrix_bytes() const override { return 0; }

 private:
  // Returns the ratio of decreases; NaN or minus infinity where the trial is no point.
  double update_radius(const TruncatedCg::Outcome& step, const objective::LinePoint& start,
                       const objective::LinePoint& trial) {
    if (trial.value == -infinity) return infinity;
    if (!std::isfinite(trial.value) || !std::isfinite(trial.slope)) {
      radius_ = shrink * step.norm;
      return -infinity;
    }
    // Both decreases drown in the rounding of f near a minimum; there the model is right.
    const double rounding = line_search::rounding(start);
    double change = trial.value - start.value;
    // Slopes tell more than values that hardly differ; the trapezoid is right to third order.
    if (std::fabs(change) <= line_search::margin(start)) change = 0.5 * (start.slope + trial.slope);
    const double ratio = (change - rounding) / (step.model - rounding);
    if (is_first_) radius_ = std::min(radius_, step.norm);
    is_first_ = false;
    const double bend = change - start.slope;  // f(x + s) - f - g's
    const double to_minimum = bend > 0 ? std::max(shrink, -0.5 * start.slope / bend) : grow;
    const double reach = to_minimum * step.norm;
    if (ratio < least_ratio)
      radius_ = std::min(std::max(reach, shrink * step.norm), 0.5 * step.norm);
    else if (ratio < 0.25) radius_ = std::max(shrink * radius_, std::min(reach, 0.5 * radius_));
    else if (ratio < 0.75) radius_ = std::max(shrink * radius_, std::min(reach, grow * radius_));
    else if (step.at_boundary) radius_ = std::max(radius_, std::min(reach, grow * radius_));
    return ratio;
  }

  // Lin & More 1999, section 4: eta_0, sigma_1 and sigma_3; the residual's reduction.
  static constexpr double least_ratio = 1e-4;
  static constexpr double shrink = 0.25;
  static constexpr double grow = 4.0;
  static constexpr double reduction = 0.1;

  TruncatedCg cg_;
  double radius_ = 0;
  bool is_first_ = true;
  Index nonfinite_ = 0;
  std::string_view source_;
  LineStep line_;
};

struct TrustNcg final {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions&) {
    return std::make_unique<TrustNcgSolver>();
  }

  static constexpr auto flags =
      flags_of({.handles_nonconvex = true, .superlinear = true, .uses_products = true});
  static constexpr std::array<std::string_view, 2> needs{{"smooth", "smooth_penalty"}};
  static constexpr core::Info info{
      .name = "trust_ncg",
      .summary = "Trust region with conjugate gradients on Hessian products.",
      .formula = "x <- x + s, s ~ argmin g's + 1/2 s'Hs subject to |s|_M <= radius",
      .reference = "Steihaug 1983; Lin & More 1999; Hsia, Chiang & Lin 2018",
      .parameters = {},
      .flags = flags,
      .requires_ = needs};
};

static_assert(SmoothEntry<TrustNcg>);

}  // namespace thalweg::solver
