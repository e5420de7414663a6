// Derivatives by differences: accuracy, bounds, edges of the domain, Hessians.
#include <gtest/gtest.h>

#include <cmath>

#include "smooth_functions.hpp"
#include "thalweg/objective/hessian.hpp"

namespace thalweg::test {
namespace {

using objective::DifferenceOptions;
using objective::Differences;
using objective::Scheme;

// f_k(x) = exp((k + 1) x_0) + x_1^2, k < 2
void pair(const double* x, double* out) {
  for (int k = 0; k < 2; ++k) out[k] = std::exp((k + 1) * x[0]) + x[1] * x[1];
}

Vector jacobian_at(const Vector& x, const DifferenceOptions& options) {
  Vector at(2), jacobian(4);
  pair(x.data(), at.data());
  Differences(2, 2, options).jacobian(pair, x.data(), at.data(), jacobian.data());
  return jacobian;
}

void expect_jacobian(const Vector& x, const Vector& jacobian, double tolerance) {
  const Vector exact{std::exp(x[0]), 2 * std::exp(2 * x[0]), 2 * x[1], 2 * x[1]};
  for (std::size_t k = 0; k < 4; ++k)
    EXPECT_NEAR(jacobian[k], exact[k], tolerance * (1 + std::fabs(exact[k]))) << k;
}

TEST(Differences, ForwardAndCentralAreAsAccurateAsTheyCanBe) {
  const Vector x{0.7, -3.0};
  expect_jacobian(x, jacobian_at(x, {}), 1e-6);
  expect_jacobian(x, jacobian_at(x, {.scheme = Scheme::central}), 1e-9);
}

TEST(Differences, KeepWithinBounds) {
  const Vector x{0.5, 2.0};
  for (const Scheme scheme : {Scheme::forward, Scheme::central}) {
    for (const double room : {0.0, 1e-9, 1e-4}) {
      const Vector lower{0.5 - 1e-3, 2.0 - room}, upper{0.5 + room, 2.0 + 1e-3};
      const auto guarded = [&](const double* point, double* out) {
        for (std::size_t j = 0; j < 2; ++j) {
          EXPECT_GE(point[j], lower[j]);
          EXPECT_LE(point[j], upper[j]);
        }
        pair(point, out);
      };
      Vector at(2), jacobian(4);
      pair(x.data(), at.data());
      Differences(2, 2, {.scheme = scheme, .lower = lower.data(), .upper = upper.data()})
          .jacobian(guarded, x.data(), at.data(), jacobian.data());
      expect_jacobian(x, jacobian, scheme == Scheme::forward ? 1e-6 : 1e-8);
    }
  }
}

TEST(Differences, OfAVariableWithoutRoomAreZero) {
  const Vector x{0.5, 2.0}, upper{0.5, 3.0};
  const Vector jacobian = jacobian_at(x, {.lower = x.data(), .upper = upper.data()});
  EXPECT_EQ(jacobian[0], 0.0);
  EXPECT_EQ(jacobian[1], 0.0);
  EXPECT_NEAR(jacobian[2], 4.0, 1e-6);
}

TEST(Differences, StepBackFromTheEdgeOfTheDomain) {
  const auto root = [](const double* x, double* out) { *out = std::sqrt(1 - x[0]); };
  for (const Scheme scheme : {Scheme::forward, Scheme::central}) {
    const double x = 1 - 1e-9, at = std::sqrt(1e-9);
    double slope = 0;
    Differences(1, 1, {.scheme = scheme}).jacobian(root, &x, &at, &slope);
    EXPECT_TRUE(std::isfinite(slope));
    EXPECT_LT(slope, 0);
  }
}

TEST(Differences, NearABoundTakeThePointThatServes) {
  const double x = 1.0, at = x * x, near = 1 - 1e-6;
  for (const double edge : {1.00001, 1 + 1e-9}) {  // between the two points ahead, or before both
    const auto square = [&](const double* point, double* out) {
      *out = *point < edge ? *point * *point : nan;
    };
    double slope = 0;
    Differences(1, 1, {.scheme = Scheme::central, .lower = &near})
        .jacobian(square, &x, &at, &slope);
    EXPECT_NEAR(slope, 2.0, 1e-4);
  }
}

TEST(Differences, TakeTheStepThatTheyAreGiven) {
  double farthest = 0;
  const auto watch = [&](const double* x, double* out) {
    farthest = std::max(farthest, std::fabs(x[0] - 3.0));
    *out = x[0];
  };
  const double x = 3.0;
  double slope = 0;
  const double relative = 1e-3, absolute = 1e-2;
  Differences(1, 1, {.relative_steps = &relative}).jacobian(watch, &x, &x, &slope);
  EXPECT_NEAR(farthest, 3e-3, 1e-12);
  farthest = 0;
  Differences(1, 1, {.absolute_steps = &absolute}).jacobian(watch, &x, &x, &slope);
  EXPECT_NEAR(farthest, 1e-2, 1e-12);
  EXPECT_NEAR(slope, 1.0, 1e-12);
}

TEST(GradientDifferences, AreThoseOfTheFunction) {
  objective::UserFunction exact = rosenbrock(4);
  objective::UserFunction by_values = exact;
  by_values.value_gradient = nullptr;
  by_values = with_gradient_differences(by_values, {.scheme = Scheme::central});
  const Vector x{-1.2, 1.0, 0.3, 2.0};
  Vector expected(4), gradient(4);
  const double value = exact.value_gradient(x.data(), expected.data());
  EXPECT_EQ(by_values.value_gradient(x.data(), gradient.data()), value);
  for (std::size_t j = 0; j < 4; ++j)
    EXPECT_NEAR(gradient[j], expected[j], 1e-6 * (1 + std::fabs(expected[j])));
}

TEST(HessianMatrix, ComesFromProductsOrFromGradients) {
  const objective::UserFunction exact = rosenbrock(4);
  const Vector x{-1.2, 1.0, 0.3, 2.0};
  Vector expected(16);
  exact.hessian(x.data(), expected.data());

  objective::UserFunction from_products = exact;
  from_products.hessian = nullptr;
  objective::UserFunction from_gradients = from_products;
  from_gradients.hessian_product = nullptr;
  for (const auto& function : {from_products, from_gradients}) {
    const objective::UserFunction complete = with_hessian_matrix(function, {});
    Vector matrix(16);
    Vector gradient(4);
    function.value_gradient(x.data(), gradient.data());
    if (complete.hessian) complete.hessian(x.data(), matrix.data());
    else complete.hessian_by_gradients(x.data(), gradient.data(), matrix.data());
    for (std::size_t k = 0; k < 16; ++k)
      EXPECT_NEAR(matrix[k], expected[k], 1e-5 * (1 + std::fabs(expected[k])));
  }
  objective::UserFunction without;
  without.size = 4;
  without.value = exact.value;
  without = with_hessian_matrix(without, {});
  EXPECT_FALSE(without.hessian || without.hessian_by_gradients);
}

}  // namespace
}  // namespace thalweg::test
