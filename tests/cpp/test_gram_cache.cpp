// The lazy Gram matrix: right values whatever the order of arrival, nothing computed twice.
#include "thalweg/solver/gram_cache.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <numeric>
#include <random>

#include "thalweg/design/dense.hpp"
#include "thalweg/objective/glm.hpp"

namespace thalweg::solver {
namespace {

using Matrix = design::ColumnMajor<double>;

// A model that counts the products it computes.
struct Problem {
  Index n, p;
  Eigen::MatrixXd x;
  Vector y, s;
  Matrix view;
  objective::Glm glm;
  mutable Index products = 0;

  Problem(Index rows, Index columns, bool weighted, bool fit_intercept, bool standardize)
      : n(rows),
        p(columns),
        x(make(rows, columns)),
        y(static_cast<std::size_t>(rows), 1.0),
        s(static_cast<std::size_t>(rows), 1.0),
        view(x.data(), rows, columns, rows),
        glm((weigh(weighted), design::Erased(view)),
            {.y = y.data(),
             .weights = weighted ? s.data() : nullptr,
             .fit_intercept = fit_intercept,
             .standardize = standardize},
            {.threads = 2}) {}

  Index cols() const { return p; }
  void gram(std::span<const Index> columns, Index fresh, double* out, Index ld) const {
    products += fresh * static_cast<Index>(columns.size());
    glm.gram(columns, fresh, out, ld);
  }

  Eigen::MatrixXd expected(bool centre, bool standardize) const {
    const Eigen::Map<const Eigen::VectorXd> weight(s.data(), n);
    Eigen::MatrixXd centred = x;
    const Eigen::RowVectorXd mean = weight.transpose() * x / weight.sum();
    if (centre || standardize) centred.rowwise() -= mean;
    Eigen::RowVectorXd scale =
        (weight.asDiagonal() * centred.cwiseAbs2()).colwise().sum().cwiseSqrt() /
        std::sqrt(weight.sum());
    if (!standardize) scale.setOnes();
    if (!centre) centred = x;
    centred = centred * scale.cwiseInverse().asDiagonal();
    return centred.transpose() * weight.asDiagonal() * centred / weight.sum();
  }

 private:
  static Eigen::MatrixXd make(Index rows, Index columns) {
    std::mt19937 generator(1);
    std::normal_distribution<double> normal(0.5);
    return Eigen::MatrixXd::NullaryExpr(rows, columns, [&] { return normal(generator); });
  }
  void weigh(bool weighted) {
    std::mt19937 generator(2);
    std::uniform_int_distribution<int> weight(0, 3);
    for (double& value : s) value = weighted ? weight(generator) : 1.0;
  }
};

void expect_values(const GramCache& cache, const Eigen::MatrixXd& expected,
                   std::span<const Index> columns) {
  for (const Index j : columns) {
    ASSERT_GE(cache.slot(j), 0);
    for (const Index k : columns) {
      EXPECT_NEAR(expected(j, k), cache(cache.slot(j), cache.slot(k)),
                  1e-12 * (1 + std::fabs(expected(j, k))));
    }
  }
}

class GramCacheTest : public ::testing::TestWithParam<std::tuple<bool, bool, bool>> {};
INSTANTIATE_TEST_SUITE_P(Options, GramCacheTest,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool(),
                                            ::testing::Bool()));

TEST_P(GramCacheTest, GrowsInAnyOrder) {
  const auto [weighted, centre, standardize] = GetParam();
  const Problem problem(150, 200, weighted, centre, standardize);
  const Eigen::MatrixXd expected = problem.expected(centre, standardize);
  std::vector<Index> order(200);
  std::iota(order.begin(), order.end(), Index{0});
  std::shuffle(order.begin(), order.end(), std::mt19937(3));
  GramCache cache;
  EXPECT_EQ(0, cache.size());
  EXPECT_EQ(-1, cache.slot(4));
  // Beyond the first capacity, in pieces that overlap.
  for (const Index end : {3, 3, 40, 63, 64, 65, 130}) {
    const std::span<const Index> columns(order.data(), static_cast<std::size_t>(end));
    EXPECT_EQ(end - std::min(cache.size(), end), cache.missing(columns));
    cache.ensure(problem, columns);
    EXPECT_EQ(0, cache.missing(columns));
    EXPECT_EQ(end, cache.size());
    expect_values(cache, expected, columns);
  }
}

TEST(GramCacheWorkTest, NothingIsComputedTwice) {
  const Problem problem(40, 30, false, true, false);
  GramCache cache;
  const std::vector<Index> first{4, 7, 1}, second{7, 9, 1, 4};
  cache.ensure(problem, first);
  EXPECT_EQ(9, problem.products);
  cache.ensure(problem, first);
  EXPECT_EQ(9, problem.products);
  cache.ensure(problem, second);
  EXPECT_EQ(9 + 4, problem.products);
  EXPECT_EQ(4 * 8 * cache.leading_dimension(), cache.bytes());
}

TEST(GramCacheWorkTest, RetainedColumnsKeepTheirValues) {
  const Problem problem(40, 30, true, true, true);
  const Eigen::MatrixXd expected = problem.expected(true, true);
  GramCache cache;
  const std::vector<Index> all{4, 7, 1, 29, 12, 3}, kept{3, 29, 7, 20}, later{5, 3, 4};
  cache.ensure(problem, all);
  const Index before = problem.products;
  cache.retain(kept);
  EXPECT_EQ(before, problem.products);
  EXPECT_EQ(3, cache.size());
  EXPECT_EQ(6 * 8 * cache.leading_dimension(), cache.bytes());  // what was taken at most
  EXPECT_EQ(-1, cache.slot(4));
  EXPECT_EQ(-1, cache.slot(20));
  expect_values(cache, expected, std::vector<Index>{3, 29, 7});
  cache.ensure(problem, later);
  expect_values(cache, expected, std::vector<Index>{3, 29, 7, 5, 4});
}

}  // namespace
}  // namespace thalweg::solver
