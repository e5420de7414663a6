// Every penalty of the catalogue, with every kind of limits: prox, subdifferential and conjugate
// against brute force. The checks are functions of a term type, and must reject the broken ones.
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "catalogue.hpp"
#include "thalweg/objective/certificate.hpp"

namespace thalweg::test {
namespace {

using penalty::Term;

// Terms of a penalty: parameters at their defaults and at the ends of their intervals where these
// are finite, several strengths and weights, all kinds of limits.
template <class P>
std::vector<Term> terms() {
  std::vector<Vector> settings(1);
  for (const core::Parameter& parameter : P::info.parameters)
    settings[0].push_back(parameter.default_value);
  for (std::size_t k = 0; k < P::info.parameters.size(); ++k) {
    for (const double value : {0.0, 0.3, 1.0}) {
      settings.push_back(settings[0]);
      settings.back()[k] = value;
    }
  }
  const std::vector<std::pair<double, double>> limits{{-infinity, infinity},
                                                      {0, infinity},
                                                      {-infinity, 0},
                                                      {-0.4, 0.7},
                                                      {0.5, 2},
                                                      {-3, -1},
                                                      {0, 0},
                                                      {1, infinity},
                                                      {-infinity, 0.2}};
  std::vector<Term> list;
  for (const Vector& setting : settings) {
    for (const double alpha : {0.0, 1e-3, 0.8, 50.0}) {
      const penalty::Strengths strengths = P::strengths(alpha, setting);
      for (const double weight : {0.0, 1.0, 2.5}) {
        for (const auto& [lower, upper] : limits) {
          list.push_back(penalty::Terms(strengths, &weight, &lower, &upper)(0));
        }
      }
    }
  }
  return list;
}

std::vector<double> grid(const Term& term) {
  std::vector<double> points;
  for (double w = -6; w <= 6; w += 0.003) points.push_back(w);
  for (const double special : {0.0, term.lower, term.upper}) points.push_back(special);
  std::erase_if(points,
                [&](double w) { return !(w >= term.lower && w <= term.upper) || std::isinf(w); });
  return points;
}

const std::vector<double> slopes{-60, -4.2, -0.8, -0.1, 0, 1e-3, 0.5, 0.8, 3.3, 70};

template <class T>
double prox_objective(const T& term, double w, double c, double h) {
  return 0.5 * h * w * w - c * w + term.value(w);
}

template <class T>
bool prox_beats_the_grid(const T& term) {
  for (const double h : {0.1, 1.0, 7.0}) {
    for (const double c : slopes) {
      const double w = term.minimize(c, h);
      if (!(w >= term.lower && w <= term.upper)) return false;
      const double best = prox_objective(term, w, c, h);
      for (const double other : grid(term)) {
        if (best > prox_objective(term, other, c, h) + 1e-12 * (1 + std::fabs(best))) return false;
      }
    }
  }
  return true;
}

template <class T>
bool prox_is_non_expansive(const T& term) {
  for (const double a : slopes) {
    for (const double b : slopes) {
      if (std::fabs(term.minimize(a, 1.0) - term.minimize(b, 1.0)) >
          std::fabs(a - b) * (1 + 1e-15)) {
        return false;
      }
    }
  }
  return true;
}

// At the prox, the rest c - h w is a subgradient; well away from it, it is not.
template <class T>
bool subdifferential_is_zero_at_the_prox_only(const T& term) {
  for (const double h : {0.1, 1.0, 7.0}) {
    for (const double c : slopes) {
      const double w = term.minimize(c, h);
      if (term.subdiff_distance(w, c - h * w) > 1e-13 * (1 + std::fabs(c))) return false;
      for (const double step : {-0.1, 0.1}) {
        const double other = core::clip(w + step, term.lower, term.upper);
        if (std::fabs(other - w) < 1e-3) continue;
        // The objective is h-strongly convex: its subgradients there are at least h |other - w|.
        if (term.subdiff_distance(other, c - h * other) < 0.99 * h * std::fabs(other - w))
          return false;
      }
    }
  }
  return true;
}

// z w - value(w) over a grid never exceeds the conjugate, and comes close to a finite one.
template <class T>
bool conjugate_is_the_supremum(const T& term) {
  for (const double z : slopes) {
    const double conjugate = term.conjugate(z);
    if (std::isnan(conjugate)) return false;
    double best = -infinity;
    for (const double w : grid(term)) best = std::max(best, z * w - term.value(w));
    if (best > conjugate + 1e-12 * (1 + std::fabs(best))) return false;
    // A term with curvature may have its supremum beyond the grid.
    const double at = term.l2 > 0 ? core::soft_threshold(z, term.l1) / term.l2 : 0.0;
    const bool inside = std::fabs(at) < 5.9 || !std::isinf(term.lower) || !std::isinf(term.upper);
    if (std::isfinite(conjugate) && inside &&
        std::fabs(core::clip(at, term.lower, term.upper)) < 5.9 &&
        best < conjugate - 1e-3 * (1 + std::fabs(z) + term.l1 + term.l2)) {
      return false;
    }
    if (std::isinf(conjugate)) {
      const double far = z > 0 ? 1e9 : -1e9;
      if (!(far >= term.lower && far <= term.upper) || !(z * far - term.value(far) > 0))
        return false;
    }
  }
  return true;
}

template <class P>
class PenaltyTest : public ::testing::Test {};
TYPED_TEST_SUITE(PenaltyTest, Penalties, EntryNames);

template <class P, class F>
void expect_all(F&& check) {
  for (const Term& term : terms<P>()) {
    EXPECT_TRUE(check(term)) << "l1 " << term.l1 << ", l2 " << term.l2 << ", limits [" << term.lower
                             << ", " << term.upper << "]";
  }
}

TYPED_TEST(PenaltyTest, ProxBeatsTheGrid) { expect_all<TypeParam>(prox_beats_the_grid<Term>); }

TYPED_TEST(PenaltyTest, ProxIsNonExpansive) { expect_all<TypeParam>(prox_is_non_expansive<Term>); }

TYPED_TEST(PenaltyTest, SubdifferentialIsZeroAtTheProxOnly) {
  expect_all<TypeParam>(subdifferential_is_zero_at_the_prox_only<Term>);
}

TYPED_TEST(PenaltyTest, ConjugateIsTheSupremum) {
  expect_all<TypeParam>(conjugate_is_the_supremum<Term>);
}

TYPED_TEST(PenaltyTest, ZeroWeightIsNoPenalty) {
  const double weight = 0;
  Vector parameters;
  for (const core::Parameter& p : TypeParam::info.parameters) parameters.push_back(p.default_value);
  const Term term =
      penalty::Terms(TypeParam::strengths(3.0, parameters), &weight, nullptr, nullptr)(0);
  EXPECT_EQ(0.0, term.value(17.0));
  EXPECT_EQ(2.0, term.minimize(4.0, 2.0));
  EXPECT_TRUE(term.is_free_at(-5.0));
}

// has_alpha_max: zero is the prox at alpha_max, and not at 0.98 of it.
TYPED_TEST(PenaltyTest, HasAlphaMaxMeansThatZeroCanSolve) {
  Vector parameters;
  for (const core::Parameter& p : TypeParam::info.parameters) parameters.push_back(p.default_value);
  const auto at = [&](double alpha) {
    return penalty::Terms(TypeParam::strengths(alpha, parameters), nullptr, nullptr, nullptr);
  };
  const Vector z{0.3, -1.7, 0.0};
  const double alpha_max = objective::smallest_null_alpha(at(1.0), z);
  EXPECT_EQ(core::flag(TypeParam::info, "has_alpha_max"), std::isfinite(alpha_max));
  if (std::isinf(alpha_max)) return;
  for (Index j = 0; j < 3; ++j)
    EXPECT_EQ(0.0, at(alpha_max * (1 + 1e-15))(j).minimize(z[static_cast<std::size_t>(j)], 1.0));
  EXPECT_NE(0.0, at(0.98 * alpha_max)(1).minimize(z[1], 1.0));
}

TEST(PenaltyTermTest, ZeroColumnsTakeTheCheapestValue) {
  EXPECT_EQ(0.0, (Term{.l1 = 1.0}).minimize(0.0, 0.0));
  EXPECT_EQ(0.5, (Term{.l1 = 1.0, .lower = 0.5}).minimize(0.0, 0.0));
  EXPECT_EQ(-1.0, (Term{.upper = -1.0}).minimize(0.0, 0.0));
}

// Broken terms.
struct WrongThreshold : Term {
  double minimize(double c, double h) const {
    return core::clip(core::soft_threshold(c, 0.9 * l1) / (h + l2), lower, upper);
  }
};
struct IgnoresLimits : Term {
  double minimize(double c, double h) const { return core::soft_threshold(c, l1) / (h + l2); }
};
struct Expansive : Term {
  double minimize(double c, double h) const { return 1.5 * c / h; }
};
struct WrongDistance : Term {
  double subdiff_distance(double w, double z) const { return 0.5 * Term::subdiff_distance(w, z); }
};
struct WrongConjugate : Term {
  double conjugate(double z) const { return 0.5 * Term::conjugate(z); }
};

TEST(PenaltyCheckersTest, RejectBrokenTerms) {
  const Term sound{.l1 = 0.8, .l2 = 0.4, .lower = -0.4, .upper = 2};
  EXPECT_TRUE(prox_beats_the_grid(sound));
  EXPECT_TRUE(prox_is_non_expansive(sound));
  EXPECT_TRUE(subdifferential_is_zero_at_the_prox_only(sound));
  EXPECT_TRUE(conjugate_is_the_supremum(sound));
  EXPECT_FALSE(prox_beats_the_grid(WrongThreshold{sound}));
  EXPECT_FALSE(subdifferential_is_zero_at_the_prox_only(WrongThreshold{sound}));
  EXPECT_FALSE(prox_beats_the_grid(IgnoresLimits{sound}));
  EXPECT_FALSE(prox_is_non_expansive(Expansive{sound}));
  EXPECT_FALSE(subdifferential_is_zero_at_the_prox_only(WrongDistance{sound}));
  EXPECT_FALSE(conjugate_is_the_supremum(WrongConjugate{sound}));
}

}  // namespace
}  // namespace thalweg::test
