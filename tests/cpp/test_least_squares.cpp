// Nonlinear least squares: the robust losses, functions made from residuals, and every solver of
// the catalogue that works with residuals.
#include <gtest/gtest.h>

#include "least_squares_functions.hpp"
#include "minimize_requests.hpp"
#include "thalweg/objective/robust.hpp"

namespace thalweg::test {
namespace {

using objective::Rho;
constexpr std::array rhos{Rho::linear, Rho::soft_l1, Rho::huber, Rho::cauchy, Rho::arctan};

TEST(RobustTest, DerivativesAreThoseOfTheValue) {
  for (const Rho rho : rhos) {
    for (const double z : {0.0, 1e-3, 0.3, 0.9, 1.1, 4.0, 1e3}) {
      const double h = 1e-5 * (1 + z);
      const auto at = objective::evaluate_rho(rho, z);
      const auto above = objective::evaluate_rho(rho, z + h);
      const auto middle = objective::evaluate_rho(rho, z + 0.5 * h);
      EXPECT_NEAR((above.value - at.value) / h, middle.first, 1e-8);
      EXPECT_NEAR((above.first - at.first) / h, middle.second, 1e-7);
    }
  }
}

TEST(RobustTest, SmallResidualsAreSquared) {
  for (const Rho rho : rhos) {
    const auto at = objective::evaluate_rho(rho, 0);
    EXPECT_EQ(at.value, 0);
    EXPECT_EQ(at.first, 1);
    EXPECT_NEAR(objective::evaluate_rho(rho, 1e-8).value, 1e-8, 1e-15);
  }
}

// Rescaled residuals give the gradient, and the curvature where that is positive.
TEST(RobustTest, RescalesToGradientAndCurvature) {
  for (const Rho rho : rhos) {
    for (const double start : {0.1, 0.5, 3.0}) {
      const objective::Robust robust{.rho = rho, .scale = 0.7};
      double r = start, jacobian = 2.0;  // of r(x) = 2 x
      objective::rescale(robust, &r, &jacobian, 1, 1);
      const double h = 1e-4;
      const auto f = [&](double x) {
        const double residual = 2 * x;
        return objective::robust_value(robust, &residual, 1);
      };
      const double x = start / 2;
      EXPECT_NEAR(jacobian * r, (f(x + h) - f(x - h)) / (2 * h), 1e-6);
      const double curvature = (f(x + h) - 2 * f(x) + f(x - h)) / (h * h);
      if (curvature > 0.1) {
        EXPECT_NEAR(jacobian * jacobian, curvature, 1e-4);
      }
      EXPECT_GT(jacobian, 0);
    }
  }
}

TEST(RobustTest, ResidualsThatCountForNothingAreZero) {
  for (const Rho rho : rhos) {
    double r = 1e100, jacobian = 2.0;
    objective::rescale({.rho = rho, .scale = 0.7}, &r, &jacobian, 1, 1);
    EXPECT_TRUE(std::isfinite(r) && std::isfinite(jacobian));
    EXPECT_EQ(r == 0, rho == Rho::arctan);
  }
}

TEST(ResidualFunctionTest, GradientsAreThoseOfTheValue) {
  for (const LeastSquares& problem : more_garbow_hillstrom()) {
    for (const Rho rho : rhos) {
      objective::UserFunction function = residuals_only(problem);
      function.robust = {.rho = rho, .scale = 2};
      objective::Callable f(function);
      Vector g(problem.start.size()), at_other(g.size());
      const double value = f.evaluate(problem.start.data(), g.data());
      // Along one direction that mixes all variables.
      Vector direction(g.size());
      double slope = 0;
      for (std::size_t j = 0; j < g.size(); ++j) {
        direction[j] = (1 + std::fabs(problem.start[j])) * (j % 2 == 0 ? 1 : -0.7);
        slope += g[j] * direction[j];
      }
      f.begin_line(direction.data());
      const double h = 1e-6;
      const double rise = f.value_along(h), fall = f.value_along(-h);
      EXPECT_NEAR((rise - fall) / (2 * h), slope,
                  1e-4 * (std::fabs(slope) + std::fabs(value)) + 1e-8)
          << problem.name;
    }
  }
}

TEST(ResidualFunctionTest, CallsForEachPointOnce) {
  Index values = 0, jacobians = 0;
  objective::UserFunction function{.size = 1};
  function.residual_count = 1;
  function.residuals = [&](const double* x, double* r, double* jacobian) {
    if (r != nullptr) {
      ++values;
      r[0] = x[0] - 2;
    }
    if (jacobian != nullptr) {
      ++jacobians;
      jacobian[0] = 1;
    }
  };
  objective::Callable f(function);
  double x = 0, g = 0, r = 0, jacobian = 0;
  EXPECT_EQ(f.evaluate(&x, &g), 2);
  EXPECT_EQ(g, -2);
  f.refinements().residuals->linearize(&r, &jacobian);
  EXPECT_EQ(r, -2);
  const double one = 1;
  f.begin_line(&one);
  EXPECT_EQ(f.value_along(1), 0.5);
  EXPECT_EQ(f.move(1, &x, &g), 0.5);
  EXPECT_EQ(x, 1);
  f.refinements().residuals->linearize(&r, &jacobian);
  EXPECT_EQ(values, 2);
  EXPECT_EQ(jacobians, 2);
  EXPECT_EQ(f.counts().values, values);
  EXPECT_EQ(f.counts().gradients, jacobians);
}

std::vector<std::string> residual_solvers() {
  return smooth_solvers([](const std::string& name) { return flagged(name, "needs_residuals"); });
}

core::Result run(const std::string& solver, const objective::UserFunction& function,
                 const Vector& start, double tol = 1e-7) {
  solver::MinimizeRequest request = request_of(solver, start, tol);
  request.max_iter = 2000;
  return test::run(request, function);
}

class ResidualSolverTest : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Catalogue, ResidualSolverTest, ::testing::ValuesIn(residual_solvers()),
                         [](const auto& test) { return test.param; });

TEST_P(ResidualSolverTest, FindsTheMinimaOfEasyProblems) {
  for (const LeastSquares& problem : more_garbow_hillstrom()) {
    constexpr std::array easy{"rosenbrock",
                              "beale",
                              "helical_valley",
                              "bard",
                              "box",
                              "wood",
                              "kowalik_osborne",
                              "powell_singular",
                              "broyden_tridiagonal",
                              "extended_rosenbrock",
                              "linear_full_rank",
                              "linear_rank_1"};
    if (std::find(easy.begin(), easy.end(), problem.name) == easy.end()) continue;
    const core::Result result = run(GetParam(), residuals_only(problem), problem.start);
    EXPECT_EQ(result.status, core::Status::converged) << problem.name;
    EXPECT_NEAR(result.certificate.primal, problem.minimum, 1e-8 + 1e-5 * problem.minimum)
        << problem.name;
  }
}

TEST_P(ResidualSolverTest, IsSafeFromEveryStart) {
  for (const LeastSquares& problem : more_garbow_hillstrom()) {
    for (const double factor : {1.0, 10.0, 100.0, 1e150}) {
      Vector start = problem.start;
      for (double& x : start) x *= factor;
      const core::Result result = run(GetParam(), residuals_only(problem), start, 1e-6);
      SCOPED_TRACE(problem.name + " times " + std::to_string(factor) + ": " +
                   std::string(core::to_string(result.status)));
      for (const double x : result.coef) ASSERT_TRUE(std::isfinite(x));
      Vector g(start.size());
      objective::Callable f(residuals_only(problem));
      const double before = f.evaluate(start.data(), g.data());
      if (std::isfinite(before)) {
        EXPECT_LE(result.certificate.primal, before * (1 + 1e-12));
      } else {
        EXPECT_NE(result.status, core::Status::converged);
      }
    }
  }
}

// A line through points of which some are far off: robust losses find it, squares do not.
TEST_P(ResidualSolverTest, RobustLossesSeeThroughOutliers) {
  const auto fit = [&](Rho rho) {
    objective::UserFunction function{.size = 2};
    function.residual_count = 30;
    function.residuals = [](const double* x, double* r, double* jacobian) {
      for (int i = 0; i < 30; ++i) {
        const double t = i / 10.0;
        const double y = 1 + 2 * t + 0.01 * std::sin(37.0 * i) + (i % 7 == 3 ? 20 : 0);
        if (r != nullptr) r[i] = x[0] + x[1] * t - y;
        if (jacobian == nullptr) continue;
        jacobian[i] = 1;
        jacobian[i + 30] = t;
      }
    };
    function.robust = {.rho = rho, .scale = 0.1};
    return run(GetParam(), function, {0.5, 1.5}, 1e-8);
  };
  EXPECT_GT(std::fabs(fit(Rho::linear).coef[0] - 1), 0.5);
  for (const Rho rho : {Rho::soft_l1, Rho::huber, Rho::cauchy}) {
    const core::Result result = fit(rho);
    EXPECT_EQ(result.status, core::Status::converged) << result.reason;
    EXPECT_NEAR(result.coef[0], 1, 0.1);
    EXPECT_NEAR(result.coef[1], 2, 0.1);
  }
}

TEST_P(ResidualSolverTest, SolvesWithFewerResidualsThanVariables) {
  objective::UserFunction function{.size = 3};
  function.residual_count = 1;
  function.residuals = [](const double* x, double* r, double* jacobian) {
    if (r != nullptr) r[0] = x[0] + x[1] * x[1] - 3;
    if (jacobian == nullptr) return;
    jacobian[0] = 1;
    jacobian[1] = 2 * x[1];
    jacobian[2] = 0;
  };
  const core::Result result = run(GetParam(), function, {1, 1, 5}, 1e-9);
  EXPECT_EQ(result.status, core::Status::converged);
  EXPECT_NEAR(result.certificate.primal, 0, 1e-12);
  EXPECT_EQ(result.coef[2], 5);
}

TEST_P(ResidualSolverTest, SaysWhereResidualsAreNotFinite) {
  objective::UserFunction function{.size = 1};
  function.residual_count = 1;
  function.residuals = [](const double*, double* r, double* jacobian) {
    if (r != nullptr) r[0] = std::nan("");
    if (jacobian != nullptr) jacobian[0] = 1;
  };
  EXPECT_EQ(run(GetParam(), function, {1}).status, core::Status::non_finite);
}

// Those of large residuals and poor scaling, at the minima that the paper gives.
TEST(LevenbergMarquardtTest, FindsTheMinimaOfHardProblems) {
  for (const LeastSquares& problem : more_garbow_hillstrom()) {
    constexpr std::array hard{
        "meyer",  "brown_dennis",        "jennrich_sampson",   "osborne_1", "osborne_2",
        "watson", "powell_badly_scaled", "brown_badly_scaled", "chebyquad", "penalty_1",
        "gulf"};
    if (std::find(hard.begin(), hard.end(), problem.name) == hard.end()) continue;
    const core::Result result = run("levenberg_marquardt", residuals_only(problem), problem.start);
    EXPECT_NEAR(result.certificate.primal, problem.minimum, 1e-8 + 1e-5 * problem.minimum)
        << problem.name << ": " << core::to_string(result.status);
  }
  // Its local minimum.
  const LeastSquares problem = more_garbow_hillstrom()[1];
  const core::Result result = run("levenberg_marquardt", residuals_only(problem), problem.start);
  EXPECT_NEAR(result.certificate.primal, 48.9842, 1e-4);
}

}  // namespace
}  // namespace thalweg::test
