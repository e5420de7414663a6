// The blocked factorisation against Eigen's: sizes around its blocks, dependent columns, threads.
#include "thalweg/kernels/cholesky.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <random>

namespace thalweg::kernels {
namespace {

constexpr double tolerance = 1e-11;

Eigen::MatrixXd random_matrix(Index rows, Index cols, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  return Eigen::MatrixXd::NullaryExpr(rows, cols, [&] { return normal(generator); });
}

// Solves A x = b through a copy with a leading dimension beyond the size and NaN above the
// diagonal, which must not be read.
Eigen::VectorXd solve(const Eigen::MatrixXd& a, const Eigen::VectorXd& b, Cholesky& factor,
                      int threads) {
  const Index n = a.rows(), ld = n + 5;
  Vector storage(static_cast<std::size_t>(n * ld), std::nan(""));
  for (Index j = 0; j < n; ++j) {
    for (Index i = j; i < n; ++i) storage[static_cast<std::size_t>(i + j * ld)] = a(i, j);
  }
  factor.factorize(storage.data(), n, ld, tolerance, {.threads = threads});
  Eigen::VectorXd x = b;
  factor.solve(x.data());
  return x;
}

Index skipped(const Cholesky& factor, Index n) {
  Index count = 0;
  for (Index k = 0; k < n; ++k) count += factor.is_skipped(k);
  return count;
}

class CholeskyTest : public ::testing::TestWithParam<Index> {};
INSTANTIATE_TEST_SUITE_P(Sizes, CholeskyTest,
                         ::testing::Values(1, 2, 7, 23, 24, 25, 47, 48, 49, 95, 96, 97, 145, 300));

TEST_P(CholeskyTest, SolvesLikeEigen) {
  const Index n = GetParam();
  const Eigen::MatrixXd x = random_matrix(2 * n + 3, n, 1);
  const Eigen::MatrixXd a = x.transpose() * x;
  const Eigen::VectorXd b = random_matrix(n, 1, 2);
  Cholesky factor;
  const Eigen::VectorXd got = solve(a, b, factor, 1);
  EXPECT_EQ(0, skipped(factor, n));
  EXPECT_LE((a * got - b).norm(), 1e-12 * (a.norm() * got.norm() + b.norm()));
}

TEST_P(CholeskyTest, BitsDoNotDependOnThreads) {
  const Index n = GetParam();
  const Eigen::MatrixXd x = random_matrix(n + 9, n, 3);
  const Eigen::MatrixXd a = x.transpose() * x;
  const Eigen::VectorXd b = random_matrix(n, 1, 4);
  Cholesky factor;
  EXPECT_EQ(solve(a, b, factor, 1), solve(a, b, factor, 3));
}

// Dependent columns are skipped, their unknowns are zero, and the rest is some minimiser.
TEST_P(CholeskyTest, DependentColumnsGiveAMinimiser) {
  const Index n = GetParam();
  const Index rank = (n + 1) / 2;
  Eigen::MatrixXd x = random_matrix(2 * n + 3, n, 5);
  // Every other column repeats the one before; the last one of more than three is a sum.
  for (Index j = 1; j < n; j += 2) x.col(j) = -2.0 * x.col(j - 1);
  const Eigen::MatrixXd a = x.transpose() * x;
  const Eigen::VectorXd target = random_matrix(2 * n + 3, 1, 6);
  const Eigen::VectorXd b = x.transpose() * target;
  Cholesky factor;
  const Eigen::VectorXd got = solve(a, b, factor, 2);
  EXPECT_EQ(n - rank, skipped(factor, n));
  for (Index j = 1; j < n; j += 2) {
    EXPECT_TRUE(factor.is_skipped(j));
    EXPECT_EQ(0.0, got[j]);
  }
  EXPECT_LE((a * got - b).norm(), 1e-10 * (a.norm() * got.norm() + b.norm()));
}

TEST(CholeskyEdgeTest, AZeroMatrixSkipsEverything) {
  Cholesky factor;
  const Eigen::VectorXd got =
      solve(Eigen::MatrixXd::Zero(60, 60), Eigen::VectorXd::Ones(60), factor, 1);
  EXPECT_EQ(60, skipped(factor, 60));
  EXPECT_EQ(0.0, got.norm());
}

TEST(CholeskyEdgeTest, NothingIsFine) {
  Cholesky factor;
  factor.factorize(nullptr, 0, 0, tolerance, {});
  factor.solve(nullptr);
}

TEST(CholeskyEdgeTest, AFactorCanBeUsedAgain) {
  Cholesky factor;
  for (const Index n : {120, 5, 60}) {
    const Eigen::MatrixXd x = random_matrix(2 * n, n, 7);
    const Eigen::MatrixXd a = x.transpose() * x;
    const Eigen::VectorXd b = random_matrix(n, 1, 8);
    EXPECT_LE((a * solve(a, b, factor, 1) - b).norm(), 1e-9 * b.norm());
  }
}

TEST(CholeskyEdgeTest, ScalesDoNotMatter) {
  // Columns of very different norms are not dependent.
  Eigen::MatrixXd x = random_matrix(80, 50, 9);
  for (Index j = 0; j < 50; ++j) x.col(j) *= std::pow(10.0, j % 13 - 6);
  const Eigen::MatrixXd a = x.transpose() * x;
  Cholesky factor;
  solve(a, Eigen::VectorXd::Ones(50), factor, 1);
  EXPECT_EQ(0, skipped(factor, 50));
}

TEST_P(CholeskyTest, PivotsRevealTheRank) {
  const Index n = GetParam(), rank = (n + 1) / 2;
  const Eigen::MatrixXd basis = random_matrix(2 * n + 3, rank, 10);
  const Eigen::MatrixXd x = basis * random_matrix(rank, n, 11);
  const Eigen::MatrixXd a = x.transpose() * x;
  const Eigen::VectorXd b = a * random_matrix(n, 1, 12);
  Eigen::MatrixXd storage = a;
  storage.triangularView<Eigen::StrictlyUpper>().setConstant(std::nan(""));
  PivotedCholesky factor;
  ASSERT_TRUE(factor.factorize(storage.data(), n, 1e-11, {}));
  EXPECT_EQ(rank, factor.rank());
  Eigen::VectorXd got = b;
  factor.solve(got.data());
  EXPECT_EQ(n - rank, (got.array() == 0).count());
  EXPECT_LE((a * got - b).norm(), 1e-8 * b.norm());
}

TEST(CholeskyEdgeTest, PivotingEndsAfterAStop) {
  core::StopToken stop;
  stop.request();
  Eigen::MatrixXd a = Eigen::MatrixXd::Identity(9, 9);
  PivotedCholesky factor;
  EXPECT_FALSE(factor.factorize(a.data(), 9, 1e-11, {.stop = &stop}));
}

}  // namespace
}  // namespace thalweg::kernels
