// Fisher scoring for generalized linear models.
//
//   (X~' diag(s i(eta)) X~ / sum s + l2) d = -g,   x+ = x + t d,
//   i(eta) = E[d2 loss(y, eta) / d eta2], y drawn from the model at eta
//
// Newton's method with the expectation of the Hessian, which is positive semidefinite for every
// link: steps go down also where the loss is not convex. With a canonical link (squared, poisson,
// logistic, multinomial, tweedie_identity at power 0) the two matrices and all iterates are equal.
// With others (gamma, tweedie, probit) they differ by residuals times a slope, so that convergence
// is linear, and fast where the model fits; newton is quadratic there.
//
// The same iteration has two more names: irls, natural_gradient. Line search and factorisation are
// those of newton.hpp, and so is the cost.
//
// References: McCullagh & Nelder 1989, section 2.5; Green 1984, JRSS B 46, section 1.
#pragma once

#include "thalweg/solver/newton.hpp"

namespace thalweg::solver {

// What the three names share.
struct ScoringMethod {
  static std::unique_ptr<SmoothSolver> make_scoring(std::string_view name, std::string_view title) {
    return std::make_unique<NewtonSolver>(
        NewtonKind{name, title, &objective::Refinements::information});
  }

  // Superlinear for canonical links, whose information is the Hessian.
  static constexpr auto flags =
      flags_of({.handles_nonconvex = true, .superlinear = true, .needs_information = true});
  static constexpr std::array<std::string_view, 3> needs{
      {"smooth", "smooth_penalty", "likelihood"}};
};

struct FisherScoring final : ScoringMethod {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions&) {
    return make_scoring(info.name, "Fisher scoring");
  }

  static constexpr core::Info info{
      .name = "fisher_scoring",
      .summary = "Newton's method with the expected Hessian of a likelihood; irls by another name.",
      .formula = "w <- w - t (X' diag(s E[loss'']) X / (sum s) + l2)^-1 g",
      .reference = "Fisher 1935; McCullagh & Nelder 1989, section 2.5",
      .parameters = {},
      .flags = flags,
      .requires_ = needs};
};

static_assert(SmoothEntry<FisherScoring>);

}  // namespace thalweg::solver
