// Nonlinear conjugate gradients: CG_DESCENT of Hager & Zhang.
//
//   d+ = -g+ + beta d,   beta = max{(y - 2 d y'y / d'y)'g+ / d'y, -1 / (|d| min(eta, |g|))}
//
// with y = g+ - g and d the last direction. d+'g+ <= -7/8 |g+|^2 whatever the line search; that of
// the same authors makes it accurate to the digits of the slopes. The first trial promises the same
// first-order change as the last step.
//
// Cost: n and about two gradients a step. Stores 5 n. For problems whose variables are so
// many that the pairs of l_bfgs, which takes fewer steps, are too much.
// Reference: Hager & Zhang 2005, SIAM J. Optim. 16(1), equations 1.3, 1.5 and 1.6, section 4 (I0).
#pragma once

#include <array>

#include "thalweg/line_search/hager_zhang.hpp"
#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/search_step.hpp"

namespace thalweg::solver {

class ConjugateGradientSolver final : public SmoothSolver {
 public:
  explicit ConjugateGradientSolver(double eta)
      : eta_(eta), search_(&line_search::HagerZhang::search, options()) {}

  void begin(objective::Smooth& f, const SmoothPoint& at, const Bounds&) override {
    line_.begin(f);
    s_.resize(at.x.size());
    y_.resize(at.x.size());
    last_step_ = 0;
  }

  StepOutcome step(objective::Smooth& f, SmoothPoint& at, const SmoothContext&) override {
    const bool is_conjugate = last_step_ > 0 && conjugate(at);
    if (!is_conjugate) restart(at);
    if (!run(f, at)) {
      if (!is_conjugate || search_.is_unbounded()) {
        return line_.failed(search_.found().outcome);
      }
      restart(at);
      if (!run(f, at)) return line_.failed(search_.found().outcome);
    }
    last_slope_ = line_.slope();
    last_step_ = search_.found().success() ? search_.found().at.step : 0.0;
    return search_.outcome();
  }

  std::string reason() const override { return "conjugate gradients of Hager and Zhang"; }
  std::string_view ran() const override { return "conjugate_gradient"; }
  Index matrix_bytes() const override { return 0; }

 private:
  // The paper's delta and sigma; the latter is 0.9 there. Directions need more accurate steps than
  // those of quasi-Newton methods: 0.4 saves a fifth to a third of the gradients on classic
  // problems.
  static line_search::Options options() {
    line_search::Options options;
    options.decrease = 0.1;
    options.curvature = 0.4;
    return options;
  }

  void restart(const SmoothPoint& at) {
    last_step_ = 0;
    line_.point_downhill(at);
  }

  // False where the new direction is of no use.
  bool conjugate(const SmoothPoint& at) {
    Vector& d = line_.direction();
    const double dy = dot(d, y_);
    if (!(dy > 0)) return false;
    const double length = norm(d);
    const double beta =
        (dot(y_, at.gradient) - 2 * search_.pair().yy * (dot(d, at.gradient) / dy)) / dy;
    const double least = -1 / (length * std::min(eta_, norm_before_));
    const double kept = std::max(beta, least);
    for (std::size_t j = 0; j < d.size(); ++j) d[j] = kept * d[j] - at.gradient[j];
    return line_.is_downhill(at);
  }

  bool run(objective::Smooth& f, SmoothPoint& at) {
    norm_before_ = norm(at.gradient);
    return search_.run(
        line_, f, at, at.value, [&] { return first_step(at); }, s_, y_);
  }

  // At first the paper's I0: a hundredth of the size of x, or of f. Differs from I1 later: that
  // takes one value more a step for a parabola's minimiser, which the search finds anyway; Nocedal
  // & Wright 2006, section 3.5, scale the last step.
  double first_step(const SmoothPoint& at) {
    if (last_step_ > 0) return last_step_ * (last_slope_ / line_.slope());
    const double largest = largest_entry(at.x);
    if (largest > 0) return 0.01 * largest / largest_entry(line_.direction());
    return at.value != 0 ? -0.01 * std::fabs(at.value) / line_.slope() : 1.0;
  }

  double eta_;
  LineStep line_;
  SearchStep search_;
  Vector s_, y_;
  double last_step_ = 0;  // zero: no direction to go on from
  double last_slope_ = 0;
  double norm_before_ = 0;  // of the gradient that the last step began with
};

struct ConjugateGradient final {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions& options) {
    return std::make_unique<ConjugateGradientSolver>(options.parameters[0]);
  }

  static constexpr std::array<core::Parameter, 1> parameters{
      {{"eta", 0.01, "(0, inf)", "How far beta may be negative: Hager and Zhang's eta."}}};
  static constexpr auto flags = flags_of({.handles_nonconvex = true});
  static constexpr std::array<std::string_view, 2> needs{{"smooth", "smooth_penalty"}};
  static constexpr core::Info info{
      .name = "conjugate_gradient",
      .summary = "Nonlinear conjugate gradients of Hager and Zhang (CG_DESCENT).",
      .formula = "d <- -g + beta d, beta = max{(y - 2 d y'y / d'y)'g / d'y, eta_k}",
      .reference = "Hager & Zhang 2005, SIAM J. Optim. 16(1)",
      .parameters = parameters,
      .flags = flags,
      .requires_ = needs};
};

static_assert(SmoothEntry<ConjugateGradient>);

}  // namespace thalweg::solver
