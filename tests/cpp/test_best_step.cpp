// The minimum of a convex loss on a line of predictions, however far it is.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "thalweg/core/parallel.hpp"
#include "thalweg/objective/best_step.hpp"

namespace thalweg::test {
namespace {

// sum_i f(y_i, eta_i + t), which counts how often it is asked.
template <class F>
struct Counted {
  F slope_and_curvature;
  Vector y;
  mutable int calls = 0;

  std::array<double, 3> line(const double* eta, const double* d, double step) const {
    ++calls;
    std::array<double, 3> sums{};
    for (std::size_t i = 0; i < y.size(); ++i) {
      const auto [slope, curvature] = slope_and_curvature(y[i], eta[i] + step * d[i]);
      sums[1] += slope * d[i];
      sums[2] += curvature * d[i] * d[i];
    }
    return sums;
  }
  static core::Execution execution() { return {}; }
};

using Derivatives = std::array<double, 2>;

constexpr auto poisson = [](double y, double eta) -> Derivatives {
  return {std::exp(eta) - y, std::exp(eta)};
};
constexpr auto gamma = [](double y, double eta) -> Derivatives {
  return {1 - y * std::exp(-eta), y * std::exp(-eta)};
};
constexpr auto squared = [](double y, double eta) -> Derivatives { return {eta - y, 1}; };
constexpr auto logistic = [](double y, double eta) -> Derivatives {
  const double p = 1 / (1 + std::exp(-eta));
  return {p - y, p * (1 - p)};
};

template <class F>
double shift(const Counted<F>& loss, double offset) {
  const Vector eta(loss.y.size(), offset), ones(loss.y.size(), 1.0);
  return objective::best_step(loss, eta, ones.data());
}

TEST(BestStep, ExponentialSlopesFarFromTheMinimum) {
  const Vector y{1, 0, 3, 2, 1};
  const double best = std::log(7.0 / 5.0);
  for (const double offset : {-1e5, -720.0, -700.0, -650.0, -300.0, -118.0, -30.0, 0.0, 30.0, 115.0,
                              300.0, 500.0, 650.0, 700.0, 720.0, 1e5}) {
    const Counted<decltype(poisson)> counts{poisson, y};
    EXPECT_NEAR(offset + shift(counts, offset), best, 1e-12 * (1 + std::fabs(offset))) << offset;
    EXPECT_LE(counts.calls, 60) << offset;
    const Counted<decltype(gamma)> amounts{gamma, {1, 0.5, 2.5, 2, 1}};
    EXPECT_NEAR(offset + shift(amounts, offset), best, 1e-12 * (1 + std::fabs(offset))) << offset;
    EXPECT_LE(amounts.calls, 60) << offset;
  }
}

TEST(BestStep, TargetsOfAnySize) {
  for (const double size : {1e-200, 1e-6, 1.0, 1e6, 1e100}) {
    const Counted<decltype(squared)> loss{squared, {size, 2 * size, 6 * size}};
    EXPECT_NEAR(shift(loss, 0), 3 * size, 1e-14 * size) << size;
    EXPECT_LE(loss.calls, 10 + 2 * std::max(0.0, std::log2(size))) << size;
  }
}

TEST(BestStep, FewPassesForLabels) {
  for (const int positive : {1, 10, 50, 90, 99}) {
    Vector y(100, 0.0);
    std::fill_n(y.begin(), positive, 1.0);
    const Counted<decltype(logistic)> loss{logistic, y};
    EXPECT_NEAR(shift(loss, 0), std::log(positive / (100.0 - positive)), 1e-13);
    EXPECT_LE(loss.calls, 10) << positive;
  }
}

// At the minimum slopes are what rounding leaves of them, and no reason to look for a better one.
TEST(BestStep, NoPassesForRounding) {
  std::mt19937_64 generator(5);
  std::normal_distribution<double> normal;
  Vector y(500), eta(y.size()), ones(y.size(), 1.0);
  for (std::size_t i = 0; i < y.size(); ++i) {
    eta[i] = 3 * normal(generator);
    y[i] = i % 3 == 0 ? 1 : 0;
  }
  Counted<decltype(logistic)> loss{logistic, y};
  const double shift = objective::best_step(loss, eta, ones.data());
  for (double& value : eta) value += shift;
  loss.calls = 0;
  EXPECT_NEAR(objective::best_step(loss, eta, ones.data()), 0, 1e-14);
  EXPECT_LE(loss.calls, 2);
}

}  // namespace
}  // namespace thalweg::test
