// Newton's method with conjugate gradients and a line search.
//
//   |H s + g| <= eta |g|,   x+ = x + t s
//
// The system is solved the more exactly the faster the gradient falls (eta by Eisenstat & Walker's
// second choice), so that convergence is superlinear at the price of few products far from the
// minimum; not more exactly than the end of the solve asks for. A direction of negative curvature
// ends the iteration, and is followed as far as its curvature's size suggests (truncated_cg.hpp).
// A Wolfe search from the full step: where a direction of negative curvature has no length of its
// own it gives one. Preconditioned where the function knows how.
//
// For: convex functions with cheap Hessian products. Where f is far from convex: trust_ncg, which
// follows negative curvature.
//
// Cost: some products and one gradient a step. References: Dembo & Steihaug 1983; Eisenstat &
// Walker 1996, equation (2.6); Nocedal & Wright 2006, algorithm 7.1.
#pragma once

#include <array>

#include "thalweg/line_search/strong_wolfe.hpp"
#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/line_step.hpp"
#include "thalweg/solver/truncated_cg.hpp"

namespace thalweg::solver {

class NewtonCgSolver final : public SmoothSolver {
 public:
  void begin(objective::Smooth& f, const SmoothPoint& at, const Bounds&) override {
    require_product(f, ran());
    const auto n = static_cast<Index>(at.x.size());
    cg_.begin(n, f.threads());
    line_.begin(f);
    eta_ = most_eta;
    norm_before_ = 0;
    nonfinite_ = 0;
    source_ = product_source(f.refinements());
  }

  StepOutcome step(objective::Smooth& f, SmoothPoint& at, const SmoothContext& context) override {
    const objective::Refinements have = f.refinements();
    const double size = norm(at.gradient, f.threads());
    update_forcing(size);
    const TruncatedCg::Outcome solved = cg_.solve(*have.product, at.gradient,
                                                  {.reduction = eta_,
                                                   .enough = enough_of(size, context),
                                                   .preconditioner = updated_preconditioner(have),
                                                   .most_products = context.most_products},
                                                  context.execution, line_.direction());
    if (context.execution.stop_requested()) return {};
    nonfinite_ += solved.is_finite ? 0 : 1;
    if (!line_.is_downhill(at)) line_.point_downhill(at);
    f.begin_line(line_.direction().data());
    const line_search::Found found = line_search::StrongWolfe::search(
        f, f.line_start(at.value, line_.slope()), {.largest_step = line_.largest_step(at)});
    if (!found.success()) return line_.failed(found.outcome);
    StepOutcome outcome = line_.finish(f, at, found.at.step);
    outcome.products = solved.products;
    return outcome;
  }

  std::string reason() const override {
    return "Newton, conjugate gradients" + std::string(source_) + nonfinite_hessians(nonfinite_);
  }
  std::string_view ran() const override { return "newton_cg"; }
  Index matrix_bytes() const override { return 0; }

 private:
  void update_forcing(double norm) {
    if (norm_before_ > 0) {
      const double kept = gamma * std::pow(eta_, alpha);
      eta_ = gamma * std::pow(norm / norm_before_, alpha);
      if (kept > 0.1) eta_ = std::max(eta_, kept);
      eta_ = std::min(eta_, most_eta);
    }
    norm_before_ = norm;
  }

  static constexpr double gamma = 0.9, alpha = 1.618033988749895, most_eta = 0.5;

  TruncatedCg cg_;
  double eta_ = most_eta, norm_before_ = 0;
  Index nonfinite_ = 0;
  std::string_view source_;
  LineStep line_;
};

struct NewtonCg final {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions&) {
    return std::make_unique<NewtonCgSolver>();
  }

  static constexpr auto flags =
      flags_of({.handles_nonconvex = true, .superlinear = true, .uses_products = true});
  static constexpr std::array<std::string_view, 2> needs{{"smooth", "smooth_penalty"}};
  static constexpr core::Info info{
      .name = "newton_cg",
      .summary = "Newton's method with conjugate gradients and a line search.",
      .formula = "x <- x + t s, |H s + g| <= eta |g|",
      .reference = "Dembo & Steihaug 1983; Eisenstat & Walker 1996",
      .parameters = {},
      .flags = flags,
      .requires_ = needs};
};

static_assert(SmoothEntry<NewtonCg>);

}  // namespace thalweg::solver
