// The intercepts of several outputs: best for any predictions, and known in closed form where these
// are equal.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "thalweg/catalog.hpp"
#include "thalweg/objective/null_model.hpp"

namespace thalweg::test {
namespace {

using objective::WeightedLoss;

constexpr Index rows = 3000;

struct Labels {
  Vector y = Vector(rows), weights = Vector(rows);
  std::mt19937_64 generator{5};

  // Class k is 1 / (k + 1) times as frequent as the first.
  explicit Labels(Index classes) {
    std::vector<double> shares;
    for (Index k = 0; k < classes; ++k) shares.push_back(1.0 / static_cast<double>(k + 1));
    std::discrete_distribution<int> label(shares.begin(), shares.end());
    std::uniform_real_distribution<double> weight(0.0, 2.0);
    for (double& value : y) value = label(generator);
    for (double& value : weights) value = weight(generator);
  }
};

// The largest |sum of slopes| of an output, over the sum of all their sizes.
double imbalance(const WeightedLoss& loss, const Vector& eta, Index classes) {
  Vector g(eta.size());
  loss.gradient(eta.data(), g.data());
  double worst = 0, size = 0;
  for (Index k = 0; k < classes; ++k) {
    double sum = 0;
    for (Index i = 0; i < rows; ++i) {
      sum += g[static_cast<std::size_t>(k * rows + i)];
      size += std::fabs(g[static_cast<std::size_t>(k * rows + i)]);
    }
    worst = std::max(worst, std::fabs(sum));
  }
  return worst / size;
}

class BestIntercepts : public ::testing::TestWithParam<Index> {};
INSTANTIATE_TEST_SUITE_P(Classes, BestIntercepts, ::testing::Values(3, 20, 100));

TEST_P(BestIntercepts, OfEqualPredictionsAreLogFrequencies) {
  const Index classes = GetParam();
  const Labels data(classes);
  const loss::LossBlock block = find_loss_block("multinomial", {}, classes);
  const WeightedLoss loss(block, data.y.data(), data.weights.data(), rows, {});
  Vector expected(static_cast<std::size_t>(classes), 0.0);
  for (std::size_t i = 0; i < rows; ++i)
    expected[static_cast<std::size_t>(data.y[i])] += data.weights[i];
  double mean = 0;
  for (double& value : expected) mean += (value = std::log(value)) / static_cast<double>(classes);
  for (const double start : {0.0, 1e3}) {
    Vector eta(static_cast<std::size_t>(classes * rows), 0.0), scratch(eta.size());
    std::fill_n(eta.begin(), rows, start);
    const Vector shifts = objective::shift_to_best_intercept(loss, classes, eta, scratch.data());
    for (std::size_t k = 0; k < shifts.size(); ++k) {
      const double own = k == 0 ? start : 0.0;
      const double common = start / static_cast<double>(classes);
      EXPECT_NEAR(shifts[k] + own - common, expected[k] - mean, 1e-12 * (1 + start)) << k;
      EXPECT_NEAR(eta[k * rows], own + shifts[k], 1e-12 * (1 + start));
    }
    EXPECT_LE(imbalance(loss, eta, classes), 1e-13 * (1 + start));
  }
}

TEST_P(BestIntercepts, BalanceTheSlopesOfAnyPredictions) {
  const Index classes = GetParam();
  Labels data(classes);
  const loss::LossBlock block = find_loss_block("multinomial", {}, classes);
  std::normal_distribution<double> normal;
  for (const double size : {0.1, 3.0, 100.0}) {
    const WeightedLoss loss(block, data.y.data(), data.weights.data(), rows, {});
    Vector eta(static_cast<std::size_t>(classes * rows)), scratch(eta.size());
    for (double& value : eta) value = size * normal(data.generator);
    objective::shift_to_best_intercept(loss, classes, eta, scratch.data());
    EXPECT_LE(imbalance(loss, eta, classes), 1e-13) << size;
  }
}

TEST(BestInterceptsEdge, AClassThatNoRowHasIsPushedAwayAndNoFurther) {
  Labels data(4);
  for (double& value : data.y) value = value == 3 ? 0 : value;
  const loss::LossBlock block = find_loss_block("multinomial", {}, 4);
  const WeightedLoss loss(block, data.y.data(), nullptr, rows, {});
  Vector eta(4 * rows, 0.0), scratch(eta.size());
  const Vector shifts = objective::shift_to_best_intercept(loss, 4, eta, scratch.data());
  for (const double shift : shifts) EXPECT_TRUE(std::isfinite(shift));
  EXPECT_LE(imbalance(loss, eta, 4), 1e-13);
  EXPECT_LT(shifts[3], shifts[0] - 20);
}

}  // namespace
}  // namespace thalweg::test
