// The certificate is a true bound at any point, for any candidate: it never claims a gap below the
// distance to the optimum, and it finds the gap of zero at an optimum that is known.
#include "thalweg/objective/certificate.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <random>

#include "thalweg/design/dense.hpp"

namespace thalweg::objective {
namespace {

using Matrix = design::ColumnMajor<double>;

struct Problem {
  Eigen::MatrixXd x;
  Vector y;
  Matrix view;
  Glm glm;
  std::vector<Index> columns;

  Problem(Eigen::MatrixXd matrix, Vector target, bool fit_intercept)
      : x(std::move(matrix)),
        y(std::move(target)),
        view(x.data(), x.rows(), x.cols(), x.rows()),
        glm(design::Erased(view), {.y = y.data(), .fit_intercept = fit_intercept}, {}),
        columns(static_cast<std::size_t>(x.cols())) {
    std::iota(columns.begin(), columns.end(), Index{0});
  }

  core::Certificate certify(const Vector& w, const penalty::Terms& terms) const {
    Certifier certifier(glm);
    certifier.begin(terms);
    Evaluation at;
    glm.evaluate(w, terms, columns, at);
    BestDual best;
    return certifier.certify(w, at, columns, best);
  }
};

Problem random_problem(Index n, Index p, bool fit_intercept, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  Eigen::MatrixXd x = Eigen::MatrixXd::NullaryExpr(n, p, [&] { return normal(generator); });
  Vector y(static_cast<std::size_t>(n));
  for (double& value : y) value = 3 * normal(generator) + 1;
  return {std::move(x), std::move(y), fit_intercept};
}

// Cyclic descent, written here: enough for a handful of coordinates.
Vector minimizer(const Problem& problem, const penalty::Terms& terms) {
  const auto p = static_cast<std::size_t>(problem.x.cols());
  Vector w(p);
  for (std::size_t j = 0; j < p; ++j) {
    const penalty::Term term = terms(static_cast<Index>(j));
    w[j] = core::clip(0.0, term.lower, term.upper);
  }
  Evaluation at;
  for (int sweep = 0; sweep < 3000; ++sweep) {
    for (std::size_t j = 0; j < p; ++j) {
      const auto column = static_cast<Index>(j);
      if (!(problem.glm.sq_norm(column) > 0)) continue;
      problem.glm.evaluate(w, terms, problem.columns, at);
      const double h = problem.glm.sq_norm(column);
      w[j] = terms(column).minimize(at.correlation[j] + h * w[j], h);
    }
  }
  return w;
}

struct Case {
  penalty::Strengths strengths;
  std::vector<double> weights, lower, upper;  // empty: none

  penalty::Terms terms() const {
    const auto pointer = [](const std::vector<double>& v) {
      return v.empty() ? nullptr : v.data();
    };
    return {strengths, pointer(weights), pointer(lower), pointer(upper)};
  }
};

const std::vector<Case> cases{
    {{0.3, 0}, {}, {}, {}},
    {{0.2, 0.4}, {}, {}, {}},
    {{0, 0.5}, {}, {}, {}},
    {{0, 0}, {}, {}, {}},
    {{0.3, 0}, {0, 1, 2, 0, 1}, {}, {}},
    {{0.1, 0.2}, {0, 1, 2, 0, 1}, {}, {}},
    {{0.1, 0}, {}, {0, 0, 0, 0, 0}, {}},
    {{0, 0}, {}, {-0.1, -0.1, -0.1, -0.1, -0.1}, {0.1, 0.1, 0.1, 0.1, 0.1}},
    {{0.3, 0.1}, {}, {1, 1, 1, 1, 1}, {}},
    {{0.3, 0}, {}, {-2, 0.2, -infinity, -1, 2}, {1, 3, infinity, -0.5, 5}},
    {{0.1, 0.1}, {0, 1, 1, 1, 1}, {0.5, -infinity, 0, -1, -1}, {2, 0.1, infinity, -0.5, 0}},
};

class CertificateTest : public ::testing::TestWithParam<std::tuple<std::size_t, bool>> {};
INSTANTIATE_TEST_SUITE_P(Terms, CertificateTest,
                         ::testing::Combine(::testing::Range<std::size_t>(0, cases.size()),
                                            ::testing::Bool()));

TEST_P(CertificateTest, GapIsZeroAtTheOptimumAndABoundElsewhere) {
  const auto [index, fit_intercept] = GetParam();
  const Problem problem = random_problem(30, 5, fit_intercept, 11);
  const penalty::Terms terms = cases[index].terms();
  const Vector best = minimizer(problem, terms);
  const core::Certificate optimal = problem.certify(best, terms);
  EXPECT_EQ(core::Certificate::Kind::duality_gap, optimal.kind);
  EXPECT_LE(optimal.value, 1e-11 * problem.glm.tolerance_scale());
  EXPECT_DOUBLE_EQ(optimal.relative, optimal.value / problem.glm.tolerance_scale());

  std::mt19937 generator(5);
  std::normal_distribution<double> normal;
  for (int trial = 0; trial < 40; ++trial) {
    Vector w = best;
    for (std::size_t j = 0; j < w.size(); ++j) {
      const penalty::Term term = terms(static_cast<Index>(j));
      w[j] =
          core::clip(w[j] + std::pow(10.0, -trial % 6) * normal(generator), term.lower, term.upper);
    }
    const core::Certificate certificate = problem.certify(w, terms);
    const double distance = certificate.primal - optimal.primal;
    EXPECT_GE(certificate.value, distance - 1e-12 * (1 + optimal.primal));
    EXPECT_GE(distance, -1e-12 * (1 + optimal.primal));
  }
}

// Of products that are known up to rounding, the ones that promise most.
TEST_P(CertificateTest, IsABoundOfAllThatRoundedProductsMayStandFor) {
  const auto [index, fit_intercept] = GetParam();
  const Problem problem = random_problem(30, 5, fit_intercept, 11);
  const penalty::Terms terms = cases[index].terms();
  if (terms.has_unpenalized(5)) GTEST_SKIP() << "residuals are projected, which takes X";
  const Vector w = minimizer(problem, terms);
  const double optimum = problem.certify(w, terms).primal;
  Certifier certifier(problem.glm);
  certifier.begin(terms);
  for (const double rounding : {1e-3, 1e-6, 1e-9}) {
    Evaluation at;
    problem.glm.evaluate(w, terms, problem.columns, at);
    at.rounding = rounding;
    at.correlation_rounding.assign(5, rounding);
    at.target_product += rounding;
    at.square -= rounding;
    at.loss = 0.5 * at.square;
    for (double& z : at.correlation) z -= std::copysign(rounding, z);
    BestDual best;
    const core::Certificate certificate = certifier.certify(w, at, problem.columns, best);
    EXPECT_LE(certificate.dual, optimum + 1e-14) << rounding;
    EXPECT_GE(certificate.primal + certificate.value, optimum) << rounding;
    EXPECT_LE(certificate.value, 100 * rounding) << rounding;
  }
}

TEST(CertificateEdgeTest, APointThatUnpenalizedColumnsFitExactlyIsNotOptimalBefore) {
  // One row, one unpenalized column: zero is far from optimal, however small the column.
  for (const double size : {1e-8, 1e-3, 0.3, 1.0, 900.0, 1e9}) {
    Eigen::MatrixXd x(1, 1);
    x(0, 0) = size;
    const Problem problem(x, {1.7}, false);
    const penalty::Terms terms({0, 0}, nullptr, nullptr, nullptr);
    const core::Certificate start = problem.certify({0.0}, terms);
    EXPECT_GE(start.value, 0.5 * 1.7 * 1.7 * (1 - 1e-12)) << size;
    EXPECT_LE(problem.certify({1.7 / size}, terms).value, 1e-14) << size;
  }
}

TEST(CertificateEdgeTest, ConstantAndZeroColumnsAreNoObstacle) {
  Problem source = random_problem(40, 5, true, 3);
  source.x.col(1).setConstant(0.1);
  source.x.col(3).setZero();
  const Problem problem(source.x, source.y, true);
  const std::vector<double> weights{1, 0, 1, 0, 1};
  const penalty::Terms terms({0.1, 0.1}, weights.data(), nullptr, nullptr);
  const core::Certificate certificate = problem.certify(minimizer(problem, terms), terms);
  EXPECT_LE(certificate.value, 1e-11 * problem.glm.tolerance_scale());
}

TEST(CertificateEdgeTest, DependentUnpenalizedColumnsAreProjectedOff) {
  Problem source = random_problem(40, 5, true, 4);
  source.x.col(1) = -3.0 * source.x.col(0);
  source.x.col(2) = source.x.col(0) + source.x.col(4);
  const Problem problem(source.x, source.y, true);
  const std::vector<double> weights{0, 0, 0, 1, 0};
  const penalty::Terms terms({0.2, 0}, weights.data(), nullptr, nullptr);
  const core::Certificate certificate = problem.certify(minimizer(problem, terms), terms);
  EXPECT_LE(certificate.value, 1e-10 * problem.glm.tolerance_scale());
}

// What columns add to others is far below what a Gram matrix shows, but not below what X does: a
// point that does not use it is not optimal.
TEST(CertificateEdgeTest, NearlyDependentUnpenalizedColumnsAreNotDependent) {
  for (const double apart : {1e-7, 1e-9, 1e-10, 1e-11, 1e-12}) {
    Problem source = random_problem(40, 5, false, 4);
    source.x.col(1) = source.x.col(0) + apart * source.x.col(1);
    source.x.col(3) = 2 * source.x.col(2) - apart * source.x.col(3);
    const Problem problem(source.x, source.y, false);
    // Sums of columns that are exact in floating point span the same.
    Eigen::MatrixXd basis = source.x;
    basis.col(1) = (source.x.col(1) - source.x.col(0)) / apart;
    basis.col(3) = (source.x.col(3) - 2 * source.x.col(2)) / apart;
    const Eigen::Map<const Eigen::VectorXd> y(source.y.data(), 40);
    const Eigen::VectorXd best = basis.colPivHouseholderQr().solve(y);
    const double optimum = 0.5 * (y - basis * best).squaredNorm() / 40;
    const Eigen::MatrixXd visible = basis(Eigen::all, {0, 2, 4});
    const Eigen::VectorXd part = visible.colPivHouseholderQr().solve(y);
    const penalty::Terms terms({0, 0}, nullptr, nullptr, nullptr);
    const core::Certificate before = problem.certify({part(0), 0, part(1), 0, part(2)}, terms);
    EXPECT_GE(before.value, (before.primal - optimum) * (1 - 1e-9)) << apart;
    EXPECT_GT(before.primal - optimum, 0.01 * optimum);
    const double w1 = best(1) / apart, w3 = best(3) / apart;
    const core::Certificate at_best =
        problem.certify({best(0) - w1, w1, best(2) - 2 * w3, w3, best(4)}, terms);
    EXPECT_GE(at_best.value, at_best.primal - optimum - 1e-12) << apart;
    // Beyond that rounding, amplified by 1 / apart, spoils the projection.
    if (apart >= 1e-9) {
      EXPECT_LE(at_best.value, 1e3 * epsilon / apart * optimum) << apart;
    }
  }
}

TEST(CertificateEdgeTest, ManyUnpenalizedColumnsFallBackToTheConditions) {
  const Problem problem = random_problem(20, most_free_columns + 1, true, 5);
  const penalty::Terms terms({0, 0}, nullptr, nullptr, nullptr);
  const core::Certificate certificate =
      problem.certify(Vector(static_cast<std::size_t>(most_free_columns) + 1, 0.0), terms);
  EXPECT_EQ(core::Certificate::Kind::kkt, certificate.kind);
  EXPECT_GT(certificate.value, 0.1);
  EXPECT_LE(certificate.value, 1.0);
}

TEST(CertificateEdgeTest, TheBestDualIsKept) {
  const Problem problem = random_problem(30, 5, true, 6);
  const penalty::Terms terms({0.3, 0}, nullptr, nullptr, nullptr);
  Certifier certifier(problem.glm);
  certifier.begin(terms);
  BestDual best;
  Evaluation at;
  const Vector optimum = minimizer(problem, terms);
  problem.glm.evaluate(optimum, terms, problem.columns, at);
  const double dual = certifier.certify(optimum, at, problem.columns, best).dual;
  const Vector zero(5, 0.0);
  problem.glm.evaluate(zero, terms, problem.columns, at);
  EXPECT_EQ(dual, certifier.certify(zero, at, problem.columns, best).dual);
}

}  // namespace
}  // namespace thalweg::objective
