// Every loss of the catalogue: derivatives, convexity, conjugate, large arguments. The checks are
// functions of a loss type, and must reject the broken ones at the end.
#include <cmath>
#include <vector>

#include "catalogue.hpp"

namespace thalweg::test {
namespace {

template <class L>
std::vector<double> targets() {
  std::vector<double> valid;
  for (const double y : {-2.5, -1.0, 0.0, 0.3, 1.0, 4.0}) {
    if constexpr (requires { L::validate(y); }) {
      if (!L::validate(y)) continue;
    }
    valid.push_back(y);
  }
  return valid;
}

const std::vector<double> predictions{-8, -3.1, -1, -0.2, 0, 1e-3, 0.7, 1, 2.6, 9};

constexpr bool flagged(const core::Info& info, std::string_view name) {
  return core::flag(info, name);
}

// Calls f(y, eta) until it fails.
template <class L, class F>
bool holds(F&& f) {
  for (const double y : targets<L>()) {
    for (const double eta : predictions) {
      if (!f(y, eta)) return false;
    }
  }
  return true;
}

bool close(double a, double b, double tolerance) {
  return std::fabs(a - b) <= tolerance * (1 + std::fabs(a) + std::fabs(b));
}

template <class L>
bool gradient_is_the_derivative() {
  const double h = 1e-5;
  return holds<L>([&](double y, double eta) {
    return close((L::value(y, eta + h) - L::value(y, eta - h)) / (2 * h), L::gradient(y, eta),
                 1e-7);
  });
}

template <class L>
bool curvature_bounds_the_second_derivative() {
  const double h = 1e-5;
  return holds<L>([&](double y, double eta) {
    const double second = (L::gradient(y, eta + h) - L::gradient(y, eta - h)) / (2 * h);
    const double curvature = L::curvature(y, eta);
    return curvature >= 0 && curvature >= second - 1e-6 * (1 + std::fabs(second));
  });
}

template <class L>
bool is_convex() {
  return holds<L>([](double y, double eta) {
    for (const double other : predictions) {
      const double middle = L::value(y, 0.5 * (eta + other));
      const double chord = 0.5 * (L::value(y, eta) + L::value(y, other));
      if (middle > chord + 1e-12 * (1 + std::fabs(chord))) return false;
      if (L::value(y, other) <
          L::value(y, eta) + L::gradient(y, eta) * (other - eta) - 1e-12 * (1 + std::fabs(chord))) {
        return false;
      }
    }
    return true;
  });
}

// value(eta) + conjugate(theta) >= eta theta, with equality at theta = gradient(eta).
template <class L>
bool conjugate_is_right() {
  return holds<L>([](double y, double eta) {
    const double at_gradient = L::gradient(y, eta);
    if (!close(L::value(y, eta) + L::conjugate(y, at_gradient), eta * at_gradient, 1e-12))
      return false;
    for (const double other : predictions) {
      const double theta = L::gradient(y, other);
      if (L::value(y, eta) + L::conjugate(y, theta) < eta * theta - 1e-10) return false;
    }
    return true;
  });
}

template <class L>
bool survives_large_arguments() {
  for (const double y : targets<L>()) {
    for (const double eta : {-1e3, -745.2, -100.0, 100.0, 709.9, 1e3}) {
      for (const double v : {L::value(y, eta), L::gradient(y, eta), L::curvature(y, eta),
                             L::conjugate(y, L::gradient(y, eta)), L::inverse_link(eta)}) {
        if (std::isnan(v)) return false;
      }
    }
  }
  return true;
}

// float predictions differ by rounding only.
template <class L>
bool single_precision_is_close() {
  return holds<L>([](double y, double eta) {
    const double rounded = static_cast<double>(static_cast<float>(eta));
    return close(L::value(y, rounded), L::value(y, eta), 1e-5) &&
           close(L::gradient(y, rounded), L::gradient(y, eta), 1e-5);
  });
}

template <class L>
class LossTest : public ::testing::Test {};
TYPED_TEST_SUITE(LossTest, Losses, EntryNames);

TYPED_TEST(LossTest, HasTargets) { EXPECT_GE(targets<TypeParam>().size(), 2u); }

TYPED_TEST(LossTest, GradientIsTheDerivative) {
  if (!flagged(TypeParam::info, "smooth")) return;
  EXPECT_TRUE(gradient_is_the_derivative<TypeParam>());
}

TYPED_TEST(LossTest, CurvatureBoundsTheSecondDerivative) {
  if (!flagged(TypeParam::info, "smooth")) return;
  EXPECT_TRUE(curvature_bounds_the_second_derivative<TypeParam>());
}

TYPED_TEST(LossTest, QuadraticMeansConstantCurvature) {
  if (!flagged(TypeParam::info, "quadratic")) return;
  EXPECT_TRUE(holds<TypeParam>([](double y, double eta) {
    return TypeParam::curvature(y, eta) == TypeParam::curvature(y, 0.0) &&
           close(TypeParam::gradient(y, eta) - TypeParam::gradient(y, 0.0),
                 eta * TypeParam::curvature(y, eta), 1e-14);
  }));
}

TYPED_TEST(LossTest, IsConvex) {
  if (!flagged(TypeParam::info, "convex")) return;
  EXPECT_TRUE(is_convex<TypeParam>());
}

TYPED_TEST(LossTest, ConjugateIsRight) {
  if (!flagged(TypeParam::info, "convex")) return;
  EXPECT_TRUE(conjugate_is_right<TypeParam>());
}

TYPED_TEST(LossTest, SurvivesLargeArguments) { EXPECT_TRUE(survives_large_arguments<TypeParam>()); }

TYPED_TEST(LossTest, SinglePrecisionIsClose) {
  EXPECT_TRUE(single_precision_is_close<TypeParam>());
}

// A sound loss to break.
struct Sound {
  static double value(double y, double eta) { return std::log(std::cosh(eta - y)); }
  static double gradient(double y, double eta) { return std::tanh(eta - y); }
  static double curvature(double, double) { return 1.0; }
  static double conjugate(double y, double t) {
    if (!(std::fabs(t) < 1)) return t == t ? infinity : t;
    return t * y + 0.5 * ((1 + t) * std::log1p(t) + (1 - t) * std::log1p(-t));
  }
  static double inverse_link(double eta) { return eta; }
};
struct FlippedGradient : Sound {
  static double gradient(double y, double eta) { return -Sound::gradient(y, eta); }
};
struct SmallCurvature : Sound {
  static double curvature(double, double) { return 0.5; }
};
struct Concave : Sound {
  static double value(double y, double eta) { return -Sound::value(y, eta); }
  static double gradient(double y, double eta) { return -Sound::gradient(y, eta); }
};
struct WrongConjugate : Sound {
  static double conjugate(double y, double t) { return Sound::conjugate(y, t) - 1e-3; }
};
struct Overflows : Sound {
  static double gradient(double y, double eta) {
    return std::sinh(eta - y) / std::cosh(eta - y);  // infinity over infinity
  }
};

TEST(LossCheckersTest, AcceptTheSoundLoss) {
  EXPECT_TRUE(gradient_is_the_derivative<Sound>());
  EXPECT_TRUE(curvature_bounds_the_second_derivative<Sound>());
  EXPECT_TRUE(is_convex<Sound>());
  EXPECT_TRUE(single_precision_is_close<Sound>());
}

TEST(LossCheckersTest, RejectBrokenLosses) {
  EXPECT_FALSE(gradient_is_the_derivative<FlippedGradient>());
  EXPECT_FALSE(is_convex<FlippedGradient>());
  EXPECT_FALSE(curvature_bounds_the_second_derivative<SmallCurvature>());
  EXPECT_FALSE(is_convex<Concave>());
  EXPECT_FALSE(conjugate_is_right<WrongConjugate>());
  EXPECT_FALSE(survives_large_arguments<Overflows>());
}

}  // namespace
}  // namespace thalweg::test
