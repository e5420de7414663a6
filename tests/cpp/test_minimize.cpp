// The driver on a user's function, with every smooth solver of the catalogue.
#include <gtest/gtest.h>

#include "minimize_requests.hpp"
#include "smooth_functions.hpp"
#include "thalweg/core/error.hpp"

namespace thalweg::test {
namespace {

constexpr double tol = 1e-6;

core::Result run_from(const std::string& solver, const objective::UserFunction& function,
                      Vector start) {
  return run(request_of(solver, std::move(start), tol), function);
}

double largest_gradient(const objective::UserFunction& function, const Vector& x) {
  Vector gradient(x.size());
  function.value_gradient(x.data(), gradient.data());
  double largest = 0;
  for (const double entry : gradient) largest = std::max(largest, std::fabs(entry));
  return largest;
}

bool all_finite(const Vector& x) {
  return std::all_of(x.begin(), x.end(), [](double v) { return std::isfinite(v); });
}

class MinimizeTest : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Catalogue, MinimizeTest,
                         ::testing::ValuesIn(smooth_solvers([](const std::string&) {
                           return true;
                         })),
                         [](const auto& test) { return test.param; });

TEST_P(MinimizeTest, FindsTheMinimumOfAQuadratic) {
  if (flagged(GetParam(), "handles_kinks")) GTEST_SKIP() << "sublinear";
  const core::Result result = run_from(GetParam(), quadratic(10, 100), Vector(10, -1.0));
  EXPECT_EQ(result.status, core::Status::converged) << result.reason;
  for (const double x : result.coef) EXPECT_NEAR(x, 1.0, 1e-5);
}

TEST_P(MinimizeTest, StopsAtOnceAtTheMinimum) {
  const core::Result result = run_from(GetParam(), quadratic(3, 10), Vector(3, 1.0));
  EXPECT_EQ(result.status, core::Status::converged);
  EXPECT_EQ(result.iterations, 0);
}

TEST_P(MinimizeTest, SolvesInOneVariable) {
  if (flagged(GetParam(), "handles_kinks")) GTEST_SKIP() << "sublinear";
  const core::Result result = run_from(GetParam(), quadratic(1, 1), {-7.0});
  EXPECT_EQ(result.status, core::Status::converged) << result.reason;
  EXPECT_NEAR(result.coef[0], 1.0, 1e-5);
}

// Nothing is known of the curvature at first; the size of f says how far a minimum may be.
TEST(FirstStep, OfQuasiNewtonMethodsEndsWhereASumOfSquaresWouldVanish) {
  for (const std::string solver : {"l_bfgs", "l_bfgs_b", "bfgs"}) {
    int calls = 0;
    objective::UserFunction f;
    f.size = 1;
    f.value_gradient = [&](const double* x, double* g) {
      ++calls;
      g[0] = 1000 * (x[0] - 1);
      return 500 * (x[0] - 1) * (x[0] - 1);
    };
    f.value = [g = f.value_gradient](const double* x) {
      double slope = 0;
      return g(x, &slope);
    };
    const core::Result result = run_from(solver, f, {1.5});
    EXPECT_EQ(result.status, core::Status::converged) << solver;
    EXPECT_EQ(calls, 2) << solver;
  }
}

// No start leads to a point that is higher or not finite, and `converged` is true where it is said.
TEST_P(MinimizeTest, IsSafeFromEveryStart) {
  for (const LeastSquares& problem : more_garbow_hillstrom()) {
    const objective::UserFunction function = with_everything(problem);
    for (const double factor : {1.0, 10.0, 100.0, 1e6, 1e150}) {
      Vector start = problem.start;
      for (double& x : start) x *= factor;
      const double before = function.value(start.data());
      solver::MinimizeRequest request = request_of(GetParam(), start, tol);
      request.max_iter = 2000;
      const core::Result result = run(request, function);
      SCOPED_TRACE(problem.name + " times " + std::to_string(factor) + ": " +
                   std::string(core::to_string(result.status)));
      ASSERT_TRUE(all_finite(result.coef));
      const double after = function.value(result.coef.data());
      if (std::isfinite(before)) EXPECT_LE(after, before * (1 + 1e-12));
      else EXPECT_NE(result.status, core::Status::converged);
      if (result.status != core::Status::converged) continue;
      EXPECT_LE(largest_gradient(function, result.coef), request.tol);
    }
  }
}

// Methods that use curvature reach the stationary points of the classic functions.
TEST_P(MinimizeTest, SolvesTheClassicProblems) {
  if (!flagged(GetParam(), "superlinear")) GTEST_SKIP() << "a first-order method";
  for (const LeastSquares& problem : more_garbow_hillstrom()) {
    if (problem.name == "meyer") continue;  // gradients of 1e-4 are rounding there
    const objective::UserFunction function = with_everything(problem);
    const core::Result result = run_from(GetParam(), function, problem.start);
    EXPECT_LE(largest_gradient(function, result.coef), 1e-4)
        << problem.name << ": " << core::to_string(result.status) << " after " << result.iterations;
  }
}

TEST_P(MinimizeTest, ReachesSmallGradients) {
  if (!flagged(GetParam(), "superlinear")) GTEST_SKIP() << "a first-order method";
  // One more than the sum of squares: values are equal up to rounding long before.
  objective::UserFunction function = rosenbrock(4);
  function.value = [base = function.value](const double* x) { return 1 + base(x); };
  function.value_gradient = [base = function.value_gradient](const double* x, double* g) {
    return 1 + base(x, g);
  };
  solver::MinimizeRequest request = request_of(GetParam(), {-1.2, 1, -1.2, 1}, 1e-10);
  EXPECT_EQ(run(request, function).status, core::Status::converged);
}

TEST_P(MinimizeTest, StopsAtMaxIter) {
  for (const Index most : {0, 1, 3}) {
    solver::MinimizeRequest request = request_of(GetParam(), {-1.2, 1}, 1e-14);
    request.max_iter = most;
    const core::Result result = run(request, rosenbrock());
    EXPECT_EQ(result.status, core::Status::max_iter);
    EXPECT_LE(result.iterations, most);
  }
}

TEST_P(MinimizeTest, SaysWhereTheFunctionIsNotFinite) {
  for (const double bad : {std::nan(""), infinity}) {
    objective::UserFunction function = quadratic(2, 1);
    function.value = [=](const double*) { return bad; };
    function.value_gradient = [=](const double*, double* g) {
      g[0] = g[1] = 1;
      return bad;
    };
    EXPECT_EQ(run_from(GetParam(), function, {0, 0}).status, core::Status::non_finite);
  }
}

// Wherever in the gradient the NaN is.
TEST_P(MinimizeTest, DoesNotTakeANanGradientForASmallOne) {
  for (int bad = 0; bad < 6; ++bad) {
    objective::UserFunction function = quadratic(6, 1);
    function.value_gradient = [=](const double*, double* g) {
      for (int j = 0; j < 6; ++j) g[j] = j == bad ? std::nan("") : 0.0;
      return 1.0;
    };
    const core::Result result = run_from(GetParam(), function, Vector(6, 0.0));
    EXPECT_NE(result.status, core::Status::converged) << bad;
    EXPECT_TRUE(all_finite(result.coef)) << bad;
  }
}

// A plane and a paraboloid that is upside down.
TEST_P(MinimizeTest, SaysWhereThereIsNoMinimum) {
  if (flagged(GetParam(), "needs_residuals")) GTEST_SKIP() << "sums of squares are bounded";
  for (const double bend : {0.0, -1.0}) {
    objective::UserFunction function = quadratic(2, 1);
    function.value_gradient = [=](const double* x, double* g) {
      g[0] = 1 + bend * x[0];
      g[1] = -2 + bend * x[1];
      return x[0] - 2 * x[1] + 0.5 * bend * (x[0] * x[0] + x[1] * x[1]);
    };
    function.value = [=, both = function.value_gradient](const double* x) {
      double ignored[2];
      return both(x, ignored);
    };
    function.hessian = [=](const double*, double* h) {
      h[0] = h[3] = bend;
      h[1] = h[2] = 0;
    };
    function.hessian_product = [=](const double*, const double* v, double* out) {
      for (int i = 0; i < 2; ++i) out[i] = bend * v[i];
    };
    function.residuals = nullptr;
    function.residual_count = 0;
    solver::MinimizeRequest request = request_of(GetParam(), {0, 0}, tol);
    request.max_iter = 500;
    const core::Result result = run(request, function);
    EXPECT_TRUE(all_finite(result.coef)) << bend;
    EXPECT_LE(result.certificate.primal, 0) << bend;
    // Steps of a subgradient method get shorter whatever the function.
    if (flagged(GetParam(), "handles_kinks")) EXPECT_NE(result.status, core::Status::converged);
    else EXPECT_EQ(result.status, core::Status::unbounded) << bend << " " << result.iterations;
  }
}

// A barrier: finite for positive x only, with the minimum at (1, 1).
TEST_P(MinimizeTest, StaysWhereTheFunctionIsFinite) {
  if (flagged(GetParam(), "handles_kinks")) GTEST_SKIP() << "steps do not descend";
  objective::UserFunction function = quadratic(2, 1);
  function.value = [](const double* x) { return x[0] - std::log(x[0]) + x[1] - std::log(x[1]); };
  function.value_gradient = [value = function.value](const double* x, double* g) {
    for (int i = 0; i < 2; ++i) g[i] = 1 - 1 / x[i];
    return value(x);
  };
  function.hessian = [](const double* x, double* h) {
    h[1] = h[2] = 0;
    for (int i = 0; i < 2; ++i) h[3 * i] = 1 / (x[i] * x[i]);
  };
  function.hessian_product = [](const double* x, const double* v, double* out) {
    for (int i = 0; i < 2; ++i) out[i] = v[i] / (x[i] * x[i]);
  };
  function.residuals = nullptr;
  function.residual_count = 0;
  core::Result result;
  try {
    result = run_from(GetParam(), function, {0.01, 30});
  } catch (const core::Unsupported&) {
    GTEST_SKIP() << "needs residuals";
  }
  EXPECT_EQ(result.status, core::Status::converged);
  for (const double x : result.coef) EXPECT_NEAR(x, 1.0, 1e-5);
}

TEST_P(MinimizeTest, RepeatsItselfToTheBit) {
  const objective::UserFunction function = rosenbrock(6);
  solver::MinimizeRequest request = request_of(GetParam(), {-3, -1, -3, -1, 2, 0}, tol);
  request.max_iter = 50;
  EXPECT_EQ(run(request, function).coef, run(request, function).coef);
}

// With every value of every parameter that is a choice.
TEST_P(MinimizeTest, TakesEveryChoice) {
  const core::Info& info = *find_solver(GetParam()).info;
  for (std::size_t k = 0; k < info.parameters.size(); ++k) {
    const std::string_view interval = info.parameters[k].interval;
    if (!interval.starts_with("{")) continue;
    const auto count = 1 + std::count(interval.begin(), interval.end(), ',');
    for (int choice = 0; choice < count; ++choice) {
      solver::MinimizeRequest request = request_of(GetParam(), Vector(5, 3.0), tol);
      request.options.parameters[k] = choice;
      const objective::UserFunction function = quadratic(5, 10);
      const core::Result result = run(request, function);
      EXPECT_LT(result.certificate.primal, function.value(request.start.data()))
          << info.parameters[k].name << " " << choice;
    }
  }
}

}  // namespace
}  // namespace thalweg::test
