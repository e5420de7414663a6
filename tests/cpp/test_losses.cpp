// Every loss of the catalogue with several values of its parameters: derivatives, convexity,
// conjugate, large arguments. The checks are functions of a loss, and must reject the broken ones
// at the end. Losses of several outputs are checked in test_loss_blocks.cpp.
#include "losses.hpp"

namespace thalweg::test {
namespace {

using loss::curvature;
using loss::gradient;
using loss::value;

// Calls f(y, eta) for points of finite value until it fails.
template <class L, class F>
bool holds(const L& of, const std::vector<double>& points, F&& f) {
  for (const double y : targets(of)) {
    for (const double eta : points) {
      if (std::isfinite(value(of, y, eta)) && !f(y, eta)) return false;
    }
  }
  return true;
}

bool close(double a, double b, double tolerance) {
  return std::fabs(a - b) <= tolerance * (1 + std::fabs(a) + std::fabs(b));
}

template <class L>
bool gradient_is_the_derivative(const L& of) {
  const double h = 1e-5;
  return holds(of, smooth_points, [&](double y, double eta) {
    const double slope = (value(of, y, eta + h) - value(of, y, eta - h)) / (2 * h);
    return close(slope, gradient(of, y, eta), 2e-7);
  });
}

template <class L>
bool curvature_is_the_second_derivative(const L& of) {
  const double h = 1e-5;
  return holds(of, smooth_points, [&](double y, double eta) {
    const double second = (gradient(of, y, eta + h) - gradient(of, y, eta - h)) / (2 * h);
    return close(curvature(of, y, eta), std::max(second, 0.0), 1e-6);
  });
}

template <class L>
bool has_nonnegative_curvature(const L& of) {
  return holds(of, all_points, [&](double y, double eta) { return curvature(of, y, eta) >= 0; });
}

// Also: the gradient is a subgradient, at kinks too.
template <class L>
bool lies_above_its_tangents(const L& of) {
  return holds(of, all_points, [&](double y, double eta) {
    for (const double other : all_points) {
      const double middle = value(of, y, 0.5 * (eta + other));
      const double chord = 0.5 * (value(of, y, eta) + value(of, y, other));
      const double rounding = 1e-12 * (1 + std::fabs(chord));
      if (middle > chord + rounding) return false;
      const double tangent = value(of, y, eta) + gradient(of, y, eta) * (other - eta);
      if (value(of, y, other) < tangent - rounding) return false;
    }
    return true;
  });
}

template <class L>
bool is_nonnegative(const L& of) {
  return holds(of, all_points, [&](double y, double eta) {
    return value(of, y, eta) >= -1e-13 * (1 + std::fabs(y) + std::exp(std::fabs(eta)));
  });
}

// value(eta) + conjugate(theta) = eta theta at theta = gradient(eta).
template <class L>
bool conjugate_meets_its_bound(const L& of) {
  return holds(of, all_points, [&](double y, double eta) {
    const double theta = gradient(of, y, eta);
    const double at = value(of, y, eta), conjugate = of.conjugate(y, theta);
    const double size = 1 + std::fabs(at) + std::fabs(conjugate) + std::fabs(eta * theta);
    return std::fabs(at + conjugate - eta * theta) <= 1e-12 * size;
  });
}

// sup_eta theta eta - value over |eta| < 700, where values are finite, by trisection; and whether
// it is at an end of this range, so that it may be higher beyond.
struct Supremum {
  double value;
  bool is_at_an_end;
};
template <class L>
Supremum supremum(const L& of, double y, double theta) {
  const auto at = [&](double eta) { return theta * eta - value(of, y, eta); };
  double low = -700, high = 700;
  for (int k = 0; k < 300; ++k) {
    const double a = low + (high - low) / 3, b = high - (high - low) / 3;
    (at(a) <= at(b) ? low : high) = at(a) <= at(b) ? a : b;
  }
  return {std::max(at(low), at(high)), std::fabs(low) > 699.0};
}

// At any theta; where the conjugate is infinite, theta eta - value grows without bound.
template <class L>
bool conjugate_is_the_supremum(const L& of) {
  for (const double y : targets(of)) {
    for (const double theta : {-5.1, -2.3, -1.05, -0.7, -0.2, 0.0, 0.07, 0.2, 0.7, 1.6, 5.1}) {
      const double conjugate = of.conjugate(y, theta);
      if (std::isnan(conjugate)) return false;
      const Supremum found = supremum(of, y, theta);
      const bool is_right = conjugate == infinity
                                ? found.value >= 10
                                : close(conjugate, found.value, 1e-9) ||
                                      (found.is_at_an_end && conjugate > found.value);
      if (!is_right) return false;
    }
  }
  return true;
}

// Over both labels, or at the mean, since second derivatives of deviances are linear in y.
template <class L>
bool information_is_the_expected_curvature(const L& of) {
  for (const double eta : smooth_points) {
    const double mean = of.inverse_link(eta);
    const bool label = core::flag(L::info, "classification");
    if (!label && !of.validate(mean)) continue;
    const double expected = label
                                ? mean * curvature(of, 1, eta) + (1 - mean) * curvature(of, -1, eta)
                                : curvature(of, mean, eta);
    if (!close(of.information(eta), expected, 1e-13)) return false;
  }
  return true;
}

const std::vector<double> large{-1e3, -745.2, -100.0, 100.0, 709.9, 1e3};

// No NaN, and no infinite value where the prediction is moderate on the scale of y.
template <class L>
bool survives_large_arguments(const L& of) {
  const bool label = core::flag(L::info, "classification");
  for (const double y : targets(of)) {
    for (const double eta : large) {
      const auto at = of.evaluate(y, eta);
      const double mean = of.inverse_link(eta);
      double information = 0;
      if constexpr (loss::Likelihood<L>) information = of.information(eta);
      for (const double v :
           {at.value, at.gradient, at.curvature, of.conjugate(y, at.gradient), mean, information}) {
        if (std::isnan(v)) return false;
      }
      const bool moderate = label || (mean > 1e-100 && mean < 1e100);
      const double sum = at.value + at.gradient + at.curvature + information;
      if (moderate && !std::isfinite(sum)) return false;
    }
  }
  return true;
}

// float predictions differ by rounding only.
template <class L>
bool single_precision_is_close(const L& of) {
  return holds(of, smooth_points, [&](double y, double eta) {
    const double rounded = static_cast<double>(static_cast<float>(eta));
    return close(value(of, y, rounded), value(of, y, eta), 1e-5) &&
           close(gradient(of, y, rounded), gradient(of, y, eta), 1e-5);
  });
}

template <class L>
bool nan_comes_out(const L& of) {
  for (const double y : targets(of)) {
    if (!std::isnan(value(of, y, std::nan("")))) return false;
  }
  return true;
}

template <class L>
class LossTest : public ::testing::Test {
 protected:
  // Runs check(loss) for every choice of parameters.
  template <class Check>
  static void all(Check check) {
    if constexpr (loss::Loss<L>) {
      for (const auto& parameters : parameter_choices(L::info)) {
        EXPECT_TRUE(check(loss::with_parameters<L>(parameters)))
            << ::testing::PrintToString(parameters);
      }
    }
  }
  static bool flagged(std::string_view name) { return core::flag(L::info, name); }
};
TYPED_TEST_SUITE(LossTest, Losses, EntryNames);

TYPED_TEST(LossTest, HasTargets) {
  this->all([](const auto& of) { return targets(of).size() >= 2; });
}

TYPED_TEST(LossTest, SaysWhichTargetsItTakes) {
  this->all([](const auto& of) {
    return !of.domain().empty() && !of.validate(infinity) && !of.validate(std::nan(""));
  });
}

TYPED_TEST(LossTest, FlagsFitTogether) {
  if constexpr (loss::Loss<TypeParam>) {
    std::vector<double> defaults;
    for (const auto& parameter : TypeParam::info.parameters) {
      defaults.push_back(parameter.default_value);
    }
    const auto of = loss::with_parameters<TypeParam>(defaults);
    EXPECT_EQ(loss::is_convex(of), this->flagged("convex"));
  }
  EXPECT_EQ(this->flagged("multi_output"), !loss::Loss<TypeParam>);
  EXPECT_TRUE(!this->flagged("quadratic") || this->flagged("convex"));
  EXPECT_TRUE(!this->flagged("quadratic") || this->flagged("twice_differentiable"));
  EXPECT_TRUE(!this->flagged("twice_differentiable") || this->flagged("smooth"));
  EXPECT_TRUE(!this->flagged("likelihood") || this->flagged("twice_differentiable"));
  EXPECT_EQ(this->flagged("likelihood"), loss::Likelihood<TypeParam> || loss::MultiLoss<TypeParam>);
}

TYPED_TEST(LossTest, GradientIsTheDerivative) {
  this->all([](const auto& of) { return gradient_is_the_derivative(of); });
}

TYPED_TEST(LossTest, CurvatureIsTheSecondDerivative) {
  this->all([](const auto& of) {
    return curvature_is_the_second_derivative(of) && has_nonnegative_curvature(of);
  });
}

TYPED_TEST(LossTest, InformationIsTheExpectedCurvature) {
  if constexpr (loss::Likelihood<TypeParam>) {
    this->all([](const auto& of) { return information_is_the_expected_curvature(of); });
  }
}

TYPED_TEST(LossTest, SmoothMeansThatSubgradientsMeet) {
  if (!this->flagged("smooth")) return;
  this->all([](const auto& of) {
    return holds(of, all_points, [&](double y, double eta) {
      const double h = 1e-9, here = gradient(of, y, eta);
      return close(gradient(of, y, eta - h), here, 1e-5) &&
             close(gradient(of, y, eta + h), here, 1e-5);
    });
  });
}

TYPED_TEST(LossTest, BoundedCurvatureIsSmallEverywhere) {
  if (!this->flagged("bounded_curvature")) return;
  // Of what smoothing parameters there are, the reciprocal.
  [[maybe_unused]] constexpr double most = 1e4;
  this->all([](const auto& of) {
    return holds(of, all_points,
                 [&](double y, double eta) { return curvature(of, y, eta) <= most; });
  });
}

TYPED_TEST(LossTest, QuadraticMeansConstantCurvature) {
  if (!this->flagged("quadratic")) return;
  this->all([](const auto& of) {
    return holds(of, all_points, [&](double y, double eta) {
      return curvature(of, y, eta) == curvature(of, y, 0.0) &&
             close(gradient(of, y, eta) - gradient(of, y, 0.0), eta * curvature(of, y, eta), 1e-14);
    });
  });
}

TYPED_TEST(LossTest, IsConvexExactlyWhereItSaysSo) {
  this->all([](const auto& of) { return lies_above_its_tangents(of) == loss::is_convex(of); });
}

TYPED_TEST(LossTest, IsNonnegative) {
  this->all([](const auto& of) { return is_nonnegative(of); });
}

TYPED_TEST(LossTest, ConjugateIsRight) {
  this->all([](const auto& of) {
    if (!loss::is_convex(of)) return of.conjugate(targets(of).front(), 0.1) == infinity;
    return conjugate_meets_its_bound(of) && conjugate_is_the_supremum(of);
  });
}

TYPED_TEST(LossTest, SurvivesLargeArguments) {
  this->all([](const auto& of) { return survives_large_arguments(of); });
}

TYPED_TEST(LossTest, SinglePrecisionIsClose) {
  this->all([](const auto& of) { return single_precision_is_close(of); });
}

TYPED_TEST(LossTest, NanComesOut) {
  this->all([](const auto& of) { return nan_comes_out(of); });
}

// A sound loss to break.
struct Sound {
  loss::Derivatives<double> evaluate(double y, double eta) const noexcept {
    const double t = std::tanh(eta - y);
    return {std::log(std::cosh(eta - y)), t, 1 - t * t};
  }
  double conjugate(double y, double t) const noexcept {
    if (!(std::fabs(t) < 1)) return t == t ? infinity : t;
    return t * y + 0.5 * ((1 + t) * std::log1p(t) + (1 - t) * std::log1p(-t));
  }
  double information(double) const noexcept { return 1; }  // of the curvature at y = eta
  double inverse_link(double eta) const noexcept { return eta; }
  bool validate(double y) const noexcept { return std::isfinite(y); }
  std::string_view domain() const noexcept { return "y finite"; }
  static constexpr auto flags = loss::flags_of({.convex = true, .smooth = true});
  static constexpr core::Info info{.name = "sound",
                                   .summary = {},
                                   .formula = {},
                                   .reference = {},
                                   .parameters = {},
                                   .flags = flags,
                                   .requires_ = {}};
};
struct FlippedGradient : Sound {
  loss::Derivatives<double> evaluate(double y, double eta) const noexcept {
    const auto at = Sound::evaluate(y, eta);
    return {at.value, -at.gradient, at.curvature};
  }
};
struct SmallCurvature : Sound {
  loss::Derivatives<double> evaluate(double y, double eta) const noexcept {
    const auto at = Sound::evaluate(y, eta);
    return {at.value, at.gradient, 0.5 * at.curvature};
  }
};
struct Concave : Sound {
  loss::Derivatives<double> evaluate(double y, double eta) const noexcept {
    const auto at = Sound::evaluate(y, eta);
    return {-at.value, -at.gradient, -at.curvature};
  }
};
struct LowConjugate : Sound {
  double conjugate(double y, double t) const noexcept { return Sound::conjugate(y, t) - 1e-3; }
};
struct NarrowConjugate : Sound {
  double conjugate(double y, double t) const noexcept {
    return std::fabs(t) < 0.5 ? Sound::conjugate(y, t) : infinity;
  }
};
struct LargeInformation : Sound {
  double information(double) const noexcept { return 1.01; }
};
struct Overflows : Sound {
  loss::Derivatives<double> evaluate(double y, double eta) const noexcept {
    const auto at = Sound::evaluate(y, eta);  // infinity over infinity:
    return {at.value, std::sinh(eta - y) / std::cosh(eta - y), at.curvature};
  }
};
struct SwallowsNan : Sound {
  loss::Derivatives<double> evaluate(double y, double eta) const noexcept {
    return Sound::evaluate(y, eta == eta ? eta : 0.0);
  }
};

TEST(LossCheckersTest, AcceptTheSoundLoss) {
  const Sound of;
  EXPECT_TRUE(gradient_is_the_derivative(of));
  EXPECT_TRUE(curvature_is_the_second_derivative(of));
  EXPECT_TRUE(has_nonnegative_curvature(of));
  EXPECT_TRUE(information_is_the_expected_curvature(of));
  EXPECT_TRUE(lies_above_its_tangents(of));
  EXPECT_TRUE(is_nonnegative(of));
  EXPECT_TRUE(conjugate_is_the_supremum(of));
  EXPECT_TRUE(single_precision_is_close(of));
  EXPECT_TRUE(nan_comes_out(of));
}

TEST(LossCheckersTest, RejectBrokenLosses) {
  EXPECT_FALSE(gradient_is_the_derivative(FlippedGradient{}));
  EXPECT_FALSE(lies_above_its_tangents(FlippedGradient{}));
  EXPECT_FALSE(curvature_is_the_second_derivative(SmallCurvature{}));
  EXPECT_FALSE(lies_above_its_tangents(Concave{}));
  EXPECT_FALSE(is_nonnegative(Concave{}));
  EXPECT_FALSE(has_nonnegative_curvature(Concave{}));
  EXPECT_FALSE(conjugate_meets_its_bound(LowConjugate{}));
  EXPECT_FALSE(conjugate_is_the_supremum(LowConjugate{}));
  EXPECT_FALSE(conjugate_is_the_supremum(NarrowConjugate{}));
  EXPECT_FALSE(information_is_the_expected_curvature(LargeInformation{}));
  EXPECT_FALSE(survives_large_arguments(Overflows{}));
  EXPECT_FALSE(nan_comes_out(SwallowsNan{}));
}

}  // namespace
}  // namespace thalweg::test
