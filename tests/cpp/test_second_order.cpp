// Methods that use curvature, on functions that are not convex, have singular Hessians or supply
// them in different ways; and their parts, the truncated conjugate gradients and the modified
// Cholesky factorisation.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <random>

#include "minimize_requests.hpp"
#include "smooth_functions.hpp"
#include "thalweg/core/error.hpp"
#include "thalweg/kernels/modified_cholesky.hpp"
#include "thalweg/solver/truncated_cg.hpp"

namespace thalweg::test {
namespace {

std::vector<std::string> curvature_solvers() {
  return smooth_solvers([](const std::string& name) {
    return flagged(name, "superlinear") && flagged(name, "handles_nonconvex") &&
           !flagged(name, "needs_residuals");
  });
}

struct Finished {
  core::Result result;
  objective::Counts counts;
};

Finished run(const std::string& solver, const objective::UserFunction& function,
             const Vector& start, double tol = 1e-7, core::Execution execution = {}) {
  objective::Callable f(function);
  solver::MinimizeRequest request = request_of(solver, start, tol);
  request.objective = &f;
  request.execution = execution;
  core::Result result = solver::minimize(request);
  return {std::move(result), f.counts()};
}

// 1/4 x^4 - 1/2 x^2 + 1/2 y^2: a saddle at the origin, minima at (+-1, 0).
objective::UserFunction double_well() {
  objective::UserFunction f{.size = 2};
  f.value = [](const double* x) {
    return 0.25 * std::pow(x[0], 4) - 0.5 * x[0] * x[0] + 0.5 * x[1] * x[1];
  };
  f.value_gradient = [value = f.value](const double* x, double* g) {
    g[0] = std::pow(x[0], 3) - x[0];
    g[1] = x[1];
    return value(x);
  };
  f.hessian = [](const double* x, double* h) {
    h[0] = 3 * x[0] * x[0] - 1;
    h[1] = h[2] = 0;
    h[3] = 1;
  };
  return f;
}

class CurvatureTest : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Catalogue, CurvatureTest, ::testing::ValuesIn(curvature_solvers()),
                         [](const auto& test) { return test.param; });

TEST_P(CurvatureTest, LeavesSaddlePoints) {
  for (const Vector& start : {Vector{1e-3, 1}, Vector{1e-6, 1e-6}, Vector{-1e-3, 30}}) {
    const core::Result result = run(GetParam(), double_well(), start).result;
    EXPECT_EQ(result.status, core::Status::converged);
    EXPECT_NEAR(std::fabs(result.coef[0]), 1, 1e-5);
    EXPECT_NEAR(result.coef[1], 0, 1e-5);
  }
}

TEST_P(CurvatureTest, SolvesWhereTheHessianIsSingular) {
  // 1/2 (x + y - 1)^2: every point of a line.
  objective::UserFunction f{.size = 2};
  f.value = [](const double* x) { return 0.5 * core::square(x[0] + x[1] - 1); };
  f.value_gradient = [value = f.value](const double* x, double* g) {
    g[0] = g[1] = x[0] + x[1] - 1;
    return value(x);
  };
  f.hessian = [](const double*, double* h) { h[0] = h[1] = h[2] = h[3] = 1; };
  const core::Result result = run(GetParam(), f, {5, -3}).result;
  EXPECT_EQ(result.status, core::Status::converged);
  EXPECT_NEAR(result.coef[0] + result.coef[1], 1, 1e-6);
  EXPECT_LE(std::fabs(result.coef[0]), 20);
}

TEST_P(CurvatureTest, FindsStationaryPointsOfTheClassicProblems) {
  for (const LeastSquares& problem : more_garbow_hillstrom()) {
    const objective::UserFunction function = with_hessian(problem);
    for (const double factor : {1.0, 10.0, 100.0}) {
      Vector start = problem.start;
      for (double& x : start) x *= factor;
      const core::Result result = run(GetParam(), function, start, 1e-6).result;
      SCOPED_TRACE(problem.name + " times " + std::to_string(factor) + ": " +
                   std::string(core::to_string(result.status)) + ", gradient " +
                   std::to_string(result.certificate.value));
      ASSERT_TRUE(std::all_of(result.coef.begin(), result.coef.end(),
                              [](double v) { return std::isfinite(v); }));
      Vector g(start.size());
      const double before = objective::Callable(function).evaluate(start.data(), g.data());
      if (std::isfinite(before)) {
        EXPECT_LE(result.certificate.primal, before * (1 + 1e-12));
      }
      // Meyer's values have no digits left for smaller gradients.
      if (factor == 1 && problem.name != "meyer") {
        EXPECT_LE(result.certificate.value, 1e-4);
      }
    }
  }
}

TEST_P(CurvatureTest, TakesHessiansInEveryForm) {
  if (flagged(GetParam(), "needs_hessian")) GTEST_SKIP();
  objective::UserFunction product = rosenbrock(6), matrix = product, none = product;
  product.hessian = nullptr;
  matrix.hessian_product = nullptr;
  none.hessian = nullptr;
  none.hessian_product = nullptr;
  const Vector start{-1.2, 1, -1.2, 1, 0, 0};
  const Finished with_product = run(GetParam(), product, start, 1e-9);
  const Finished with_matrix = run(GetParam(), matrix, start, 1e-9);
  const Finished with_none = run(GetParam(), none, start, 1e-9);
  for (const Finished& each : {with_product, with_matrix, with_none}) {
    EXPECT_EQ(each.result.status, core::Status::converged) << each.result.reason;
    for (const double x : each.result.coef) EXPECT_NEAR(x, 1, 1e-6);
  }
  EXPECT_EQ(with_product.counts.hessians + with_none.counts.hessian_products, 0);
  if (with_product.counts.hessian_products == 0) return;  // does not use them
  EXPECT_EQ(with_matrix.counts.hessians, with_matrix.result.iterations);
  EXPECT_GT(with_none.counts.gradients, with_product.counts.gradients);
  EXPECT_NE(with_none.result.reason.find("differences"), std::string::npos);
}

TEST_P(CurvatureTest, BitsDoNotDependOnThreads) {
  const LeastSquares problem = more_garbow_hillstrom().back();
  const objective::UserFunction function = with_hessian(problem);
  EXPECT_EQ(run(GetParam(), function, problem.start, 1e-7, {.threads = 1}).result.coef,
            run(GetParam(), function, problem.start, 1e-7, {.threads = 3}).result.coef);
}

TEST(RequirementsTest, MissingPartsAreNamedBeforeAnyWork) {
  objective::UserFunction function = quadratic(2, 3);
  function.hessian = nullptr;
  function.hessian_product = nullptr;
  function.residuals = nullptr;
  function.value_gradient = [](const double*, double*) -> double {
    ADD_FAILURE() << "evaluated";
    return 0;
  };
  objective::Callable f(function);
  for (const SolverEntry& entry : solvers()) {
    std::string missing;
    if (core::flag(*entry.info, "needs_hessian")) missing = "Hessian";
    if (core::flag(*entry.info, "needs_residuals")) missing = "residuals";
    if (core::flag(*entry.info, "needs_information")) missing = "information";
    if (core::flag(*entry.info, "needs_rows")) missing = "rows";
    if (missing.empty()) continue;
    solver::MinimizeRequest request;
    request.objective = &f;
    request.start = {0, 0};
    request.solver = entry.info->name;
    try {
      solver::minimize(request);
      ADD_FAILURE() << entry.info->name;
    } catch (const core::Unsupported& error) {
      EXPECT_NE(std::string(error.what()).find(missing), std::string::npos);
    }
  }
}

Eigen::MatrixXd random_symmetric(Index n, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  const Eigen::MatrixXd a = Eigen::MatrixXd::NullaryExpr(n, n, [&] { return normal(generator); });
  return a + a.transpose();
}

// A + E from the factor, by solving for unit vectors.
Eigen::MatrixXd modified(const Eigen::MatrixXd& a, kernels::ModifiedCholesky& factor) {
  Eigen::MatrixXd storage = a;
  storage.triangularView<Eigen::StrictlyUpper>().setConstant(std::nan(""));
  EXPECT_TRUE(factor.factorize(storage.data(), a.rows(), {}));
  Eigen::MatrixXd inverse = Eigen::MatrixXd::Identity(a.rows(), a.rows());
  for (Index j = 0; j < a.rows(); ++j) factor.solve(inverse.col(j).data());
  return inverse.inverse();
}

TEST(ModifiedCholeskyTest, LeavesDefiniteMatricesAlone) {
  for (const Index n : {1, 2, 5, 40}) {
    const Eigen::MatrixXd root = random_symmetric(n, 1);
    const Eigen::MatrixXd a = root * root + Eigen::MatrixXd::Identity(n, n);
    kernels::ModifiedCholesky factor;
    EXPECT_LE((modified(a, factor) - a).norm(), 1e-9 * a.norm());
    EXPECT_LE(factor.shift(), 1e-12 * a.norm());
  }
}

TEST(ModifiedCholeskyTest, AddsADiagonalThatMakesMatricesDefinite) {
  for (const Index n : {1, 2, 5, 40}) {
    for (unsigned seed = 1; seed < 6; ++seed) {
      Eigen::MatrixXd a = random_symmetric(n, seed);
      if (n == 1) a(0, 0) = -2;
      kernels::ModifiedCholesky factor;
      const Eigen::MatrixXd sum = modified(a, factor);
      Eigen::MatrixXd added = sum - a;
      const double rounding = 1e-9 * sum.norm();
      EXPECT_GE(added.diagonal().minCoeff(), -rounding);
      EXPECT_LE(added.diagonal().maxCoeff(), factor.shift() + rounding);
      added.diagonal().setZero();
      EXPECT_LE(added.norm(), rounding);
      EXPECT_GT(Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(sum).eigenvalues().minCoeff(), 0);
      // Not much larger than A: the bound of the reference is of the order of n^2.
      EXPECT_LE(sum.norm(), static_cast<double>(10 * n + 10) * a.norm());
    }
  }
}

TEST(ModifiedCholeskyTest, RefusesWhatIsNotFinite) {
  for (const double bad : {std::nan(""), infinity}) {
    Eigen::MatrixXd a = Eigen::MatrixXd::Identity(3, 3);
    a(2, 1) = bad;
    kernels::ModifiedCholesky factor;
    EXPECT_FALSE(factor.factorize(a.data(), 3, {}));
  }
}

class MatrixProduct final : public objective::HessianProduct {
 public:
  explicit MatrixProduct(Eigen::MatrixXd a) : a_(std::move(a)) {}
  void multiply(const double* v, double* out) override {
    Eigen::Map<Eigen::VectorXd>(out, a_.rows()) =
        a_ * Eigen::Map<const Eigen::VectorXd>(v, a_.rows());
  }

 private:
  Eigen::MatrixXd a_;
};

class DiagonalMatrix final : public objective::Preconditioner {
 public:
  explicit DiagonalMatrix(Eigen::VectorXd entries) : entries_(std::move(entries)) {}
  bool update() override { return true; }
  bool is_close() override { return false; }
  void divide(const double* v, double* out) override {
    for (Index j = 0; j < entries_.size(); ++j) out[j] = v[j] / entries_[j];
  }
  void release() override {}

 private:
  Eigen::VectorXd entries_;
};

class TruncatedCgTest : public ::testing::Test {
 protected:
  solver::TruncatedCg::Outcome solve(const Eigen::MatrixXd& a, const Eigen::VectorXd& g,
                                     const solver::TruncatedCg::Options& options) {
    MatrixProduct product(a);
    cg_.begin(g.size());
    const Vector gradient(g.begin(), g.end());
    Vector step(gradient.size());
    const solver::TruncatedCg::Outcome outcome = cg_.solve(product, gradient, options, {}, step);
    step_ = Eigen::Map<const Eigen::VectorXd>(step.data(), g.size());
    EXPECT_NEAR(outcome.model, g.dot(step_) + 0.5 * step_.dot(a * step_),
                1e-9 * std::fabs(outcome.model));
    return outcome;
  }

  solver::TruncatedCg cg_;
  Eigen::VectorXd step_;
  const Index n_ = 12;
  const Eigen::MatrixXd symmetric_ = random_symmetric(n_, 3);
  const Eigen::MatrixXd definite_ = symmetric_ * symmetric_ + Eigen::MatrixXd::Identity(n_, n_);
  const Eigen::VectorXd gradient_ = random_symmetric(n_, 4).col(0);
};

TEST_F(TruncatedCgTest, SolvesDefiniteSystems) {
  const auto outcome = solve(definite_, gradient_, {.reduction = 1e-10});
  EXPECT_LE((definite_ * step_ + gradient_).norm(), 1e-8 * gradient_.norm());
  EXPECT_FALSE(outcome.at_boundary || outcome.negative_curvature);
  EXPECT_NEAR(outcome.norm, step_.norm(), 1e-8 * step_.norm());
}

TEST_F(TruncatedCgTest, EndsWhereTheResidualIsSmallEnough) {
  const double enough = 0.1 * gradient_.norm();
  const auto all = solve(definite_, gradient_, {.reduction = 1e-10});
  const auto some = solve(definite_, gradient_, {.reduction = 1e-10, .enough = enough});
  EXPECT_LE((definite_ * step_ + gradient_).norm(), enough);
  EXPECT_LT(some.products, all.products);
}

// The residuals of the iterates stay about as large for long here.
TEST_F(TruncatedCgTest, EndsBetweenIterates) {
  const Eigen::VectorXd eigenvalues = Eigen::VectorXd::LinSpaced(200, -10, 0).array().exp();
  const Eigen::MatrixXd matrix = eigenvalues.asDiagonal();
  const Eigen::VectorXd gradient = eigenvalues.cwiseSqrt();
  const auto residual = [&] { return (matrix * step_ + gradient).norm(); };
  const double enough = 0.02 * gradient.norm();
  const auto outcome = solve(matrix, gradient, {.reduction = 1e-10, .enough = enough});
  EXPECT_LE(residual(), enough * (1 + 1e-9));
  EXPECT_LE(step_.norm(), outcome.norm);
  Index iterates = 0;
  do {
    solve(matrix, gradient, {.reduction = 1e-10, .most_products = ++iterates});
  } while (residual() > enough && iterates < 2 * outcome.products);
  EXPECT_EQ(2 * outcome.products, iterates) << "the first iterate with such a residual";
}

TEST_F(TruncatedCgTest, EndsAtTheBoundary) {
  const double radius = 1e-2;
  const auto outcome = solve(definite_, gradient_, {.radius = radius, .reduction = 1e-10});
  EXPECT_TRUE(outcome.at_boundary);
  EXPECT_FALSE(outcome.negative_curvature);
  EXPECT_NEAR(step_.norm(), radius, 1e-12);
}

TEST_F(TruncatedCgTest, MeasuresInTheNormOfThePreconditioner) {
  const Eigen::VectorXd m = definite_.diagonal();
  DiagonalMatrix matrix(m);
  const double radius = 0.1;
  const auto outcome = solve(definite_, gradient_,
                             {.radius = radius, .reduction = 1e-10, .preconditioner = &matrix});
  EXPECT_TRUE(outcome.at_boundary);
  EXPECT_NEAR(std::sqrt(step_.dot(m.cwiseProduct(step_))), radius, 1e-12);
  solve(definite_, gradient_, {.reduction = 1e-10, .preconditioner = &matrix});
  EXPECT_LE((definite_ * step_ + gradient_).norm(), 1e-7 * gradient_.norm());
}

TEST_F(TruncatedCgTest, FollowsNegativeCurvatureToTheBoundary) {
  const auto outcome = solve(symmetric_, gradient_, {.radius = 1e3, .reduction = 1e-10});
  EXPECT_TRUE(outcome.negative_curvature && outcome.at_boundary);
  EXPECT_NEAR(step_.norm(), 1e3, 1e-6);
  EXPECT_LT(outcome.model, 0);
}

TEST_F(TruncatedCgTest, WithoutARadiusGoesDownhillAllTheSame) {
  for (const Eigen::MatrixXd& a :
       {symmetric_, Eigen::MatrixXd(-definite_), Eigen::MatrixXd(Eigen::MatrixXd::Zero(n_, n_))}) {
    const auto outcome = solve(a, gradient_, {.reduction = 1e-10});
    EXPECT_TRUE(outcome.negative_curvature);
    EXPECT_TRUE(step_.allFinite());
    EXPECT_LT(gradient_.dot(step_), 0);
  }
}

}  // namespace
}  // namespace thalweg::test
