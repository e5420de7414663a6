// Every solver of the catalogue that handles bounds: known solutions, optimality conditions checked
// independently, and that no function is evaluated outside its bounds.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <numbers>
#include <random>

#include "minimize_requests.hpp"
#include "smooth_functions.hpp"
#include "thalweg/core/error.hpp"

namespace thalweg::test {
namespace {

struct Box {
  Vector lower, upper;

  solver::Bounds view() const {
    return {lower.empty() ? nullptr : lower.data(), upper.empty() ? nullptr : upper.data()};
  }
};

struct BoundedProblem {
  std::string name;
  objective::UserFunction function;
  Vector start;
  Box box;
  Vector solution;
};

// f and gradient from a function of dual numbers.
template <class F>
objective::UserFunction differentiated(Index size, F f) {
  objective::UserFunction function{.size = size};
  function.value = [f](const double* x) { return f(x); };
  function.value_gradient = [f, size](const double* x, double* g) {
    std::vector<Dual<double>> point(x, x + size);
    for (std::size_t j = 0; j < point.size(); ++j) {
      point[j].slope = 1;
      g[j] = f(point.data()).slope;
      point[j].slope = 0;
    }
    return f(x);
  };
  return function;
}

// Hock & Schittkowski 1981, the problems with bounds only, by their numbers there.
std::vector<BoundedProblem> hock_schittkowski() {
  const double pi = std::numbers::pi;
  const double a = std::sqrt(598.0 / 1200), b = 400 * a * a * a;
  return {
      {"2",
       rosenbrock(),
       {2, 1},
       {{-infinity, 1.5}, {}},
       {2 * a * std::cos(std::acos(1 / b) / 3), 1.5}},
      {"3",
       differentiated(2, [](const auto* x) { return x[1] + 1e-5 * (x[1] - x[0]) * (x[1] - x[0]); }),
       {10, 1},
       {{-infinity, 0}, {}},
       {0, 0}},
      {"4",
       differentiated(2,
                      [](const auto* x) {
                        const auto u = x[0] + 1.0;
                        return u * u * u / 3.0 + x[1];
                      }),
       {1.125, 0.125},
       {{1, 0}, {}},
       {1, 0}},
      {"5",
       differentiated(2,
                      [](const auto* x) {
                        const auto gap = x[0] - x[1];
                        return sin(x[0] + x[1]) + gap * gap - 1.5 * x[0] + 2.5 * x[1] + 1.0;
                      }),
       {0, 0},
       {{-1.5, -3}, {4, 3}},
       {-pi / 3 + 0.5, -pi / 3 - 0.5}},
      {"45",
       differentiated(5,
                      [](const auto* x) { return 2.0 - x[0] * x[1] * x[2] * x[3] * x[4] / 120.0; }),
       {2, 2, 2, 2, 2},
       {Vector(5, 0.0), {1, 2, 3, 4, 5}},
       {1, 2, 3, 4, 5}},
  };
}

// How far x is from satisfying the conditions for a minimum: a gradient that points out of the box
// at a bound, else zero; infinite outside the box.
double violation(const Vector& x, const Vector& gradient, const Box& box) {
  double worst = 0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    const double lower = box.lower.empty() ? -infinity : box.lower[j];
    const double upper = box.upper.empty() ? infinity : box.upper[j];
    if (!(x[j] >= lower && x[j] <= upper)) return infinity;
    double wrong = std::fabs(gradient[j]);
    // Within what a projected gradient of the tolerance lets it be from the bound.
    if (x[j] - lower <= 1e-6 && gradient[j] > 0) wrong = 0;
    if (upper - x[j] <= 1e-6 && gradient[j] < 0) wrong = 0;
    worst = std::max(worst, wrong);
  }
  return worst;
}

double violation(const objective::UserFunction& function, const Vector& x, const Box& box) {
  Vector gradient(x.size());
  function.value_gradient(x.data(), gradient.data());
  return violation(x, gradient, box);
}

// The function, which fails the test where it is evaluated outside the box.
objective::UserFunction guarded(objective::UserFunction function, const Box& box) {
  const auto check = [box, size = function.size](const double* x) {
    for (Index j = 0; j < size; ++j) {
      const auto k = static_cast<std::size_t>(j);
      if (!box.lower.empty()) {
        EXPECT_GE(x[j], box.lower[k]);
      }
      if (!box.upper.empty()) {
        EXPECT_LE(x[j], box.upper[k]);
      }
    }
  };
  function.value = [check, value = function.value](const double* x) {
    check(x);
    return value(x);
  };
  function.value_gradient = [check, value = function.value_gradient](const double* x, double* g) {
    check(x);
    return value(x, g);
  };
  return function;
}

std::vector<std::string> bounded_solvers() {
  return smooth_solvers([](const std::string& name) { return flagged(name, "handles_bounds"); });
}

class BoundedTest : public ::testing::TestWithParam<std::string> {
 protected:
  bool is_superlinear() const { return flagged(GetParam(), "superlinear"); }

  core::Result run(const objective::UserFunction& function, const Vector& start, const Box& box) {
    solver::MinimizeRequest request = request_of(GetParam(), start, 1e-7);
    request.bounds = box.view();
    return test::run(request, guarded(function, box));
  }
};
INSTANTIATE_TEST_SUITE_P(Catalogue, BoundedTest, ::testing::ValuesIn(bounded_solvers()),
                         [](const auto& test) { return test.param; });

TEST(BoundedCheckerTest, RejectsWhatIsNotOptimal) {
  const Box box{{0, 0}, {1, 1}};
  EXPECT_EQ(violation({0, 1}, {2, -3}, box), 0);
  EXPECT_EQ(violation({0, 1}, {-2, -3}, box), 2);   // would fall into the box
  EXPECT_EQ(violation({0.5, 1}, {2, -3}, box), 2);  // not at a bound
  EXPECT_EQ(violation({-1, 1}, {2, -3}, box), infinity);
}

TEST_P(BoundedTest, SolvesHockAndSchittkowski) {
  for (const BoundedProblem& problem : hock_schittkowski()) {
    SCOPED_TRACE(problem.name);
    // Problem 3 is flat: a gradient of 1e-7 is within 5e-3 of the minimum.
    const double tolerance = problem.name == "3" ? 1e-2 : 1e-5;
    const core::Result result = run(problem.function, problem.start, problem.box);
    EXPECT_EQ(result.status, core::Status::converged);
    EXPECT_LE(violation(problem.function, result.coef, problem.box), 1e-6);
    // Problem 2 has another minimum, which is as good a place to end.
    const bool is_other = problem.name == "2" && result.coef[0] < 0;
    const Vector expected = is_other ? Vector{-1.2210262, 1.5} : problem.solution;
    for (std::size_t j = 0; j < expected.size(); ++j)
      EXPECT_NEAR(result.coef[j], expected[j], tolerance);
  }
}

// The solution is the projection of the free minimum: active, inactive, one-sided and fixed.
TEST_P(BoundedTest, ProjectsSeparableQuadratics) {
  const objective::UserFunction function = quadratic(6, 50);
  const Box box{{2, -infinity, -3, 0.1, 1, -infinity}, {3, 0.3, 5, 0.1, 1, infinity}};
  for (const double at : {-1e3, 0.0, 0.7, 1e3}) {
    const core::Result result = run(function, Vector(6, at), box);
    EXPECT_EQ(result.status, core::Status::converged);
    const Vector expected{2, 0.3, 1, 0.1, 1, 1};
    for (std::size_t j = 0; j < 6; ++j) EXPECT_NEAR(result.coef[j], expected[j], 1e-6);
    EXPECT_EQ(result.coef[3], 0.1);
    EXPECT_EQ(result.coef[4], 1.0);
  }
}

TEST_P(BoundedTest, SolvesCoupledQuadratics) {
  std::mt19937 generator(1);
  std::normal_distribution<double> normal;
  for (const Index n : {1, 2, 10, 60}) {
    const auto draw = [&] { return normal(generator); };
    const Eigen::MatrixXd root = Eigen::MatrixXd::NullaryExpr(n + 3, n, draw);
    const Eigen::MatrixXd h = root.transpose() * root;
    const Eigen::VectorXd c = h * Eigen::VectorXd::NullaryExpr(n, draw);
    objective::UserFunction function{.size = n};
    function.value_gradient = [h, c, n](const double* x, double* g) {
      const Eigen::Map<const Eigen::VectorXd> point(x, n);
      const Eigen::VectorXd product = h * point;
      Eigen::Map<Eigen::VectorXd>(g, n) = product - c;
      return point.dot(0.5 * product - c);
    };
    function.value = [f = function.value_gradient, n](const double* x) {
      Vector g(static_cast<std::size_t>(n));
      return f(x, g.data());
    };
    Box box{Vector(static_cast<std::size_t>(n), -0.2),
            Vector(static_cast<std::size_t>(n), 1.0 / 3)};
    const core::Result result = run(function, Vector(static_cast<std::size_t>(n), 0.1), box);
    EXPECT_EQ(result.status, core::Status::converged) << n;
    EXPECT_LE(violation(function, result.coef, box), 1e-6) << n;
  }
}

TEST_P(BoundedTest, StaysInsideWhereTheFunctionEnds) {
  // sqrt: not a number below zero; the gradient at zero is infinite.
  objective::UserFunction function{.size = 2};
  function.value = [](const double* x) {
    return x[0] - std::sqrt(x[0]) + (x[1] - 0.1) * (x[1] - 0.1);
  };
  function.value_gradient = [value = function.value](const double* x, double* g) {
    g[0] = 1 - 0.5 / std::sqrt(x[0]);
    g[1] = 2 * (x[1] - 0.1);
    return value(x);
  };
  const Box box{{1e-12, 0.3}, {}};
  const core::Result result = run(function, {7, 1e4}, box);
  EXPECT_EQ(result.status, core::Status::converged);
  EXPECT_NEAR(result.coef[0], 0.25, 1e-6);
  EXPECT_NEAR(result.coef[1], 0.3, 1e-12);
}

TEST_P(BoundedTest, StopsAtOnceWhereEverythingIsFixed) {
  const Box box{{0.5, -2}, {0.5, -2}};
  const core::Result result = run(rosenbrock(), {3, 3}, box);
  EXPECT_EQ(result.status, core::Status::converged);
  EXPECT_EQ(result.iterations, 0);
  EXPECT_EQ(result.coef, box.lower);
}

TEST_P(BoundedTest, SaysWhereThereIsNoMinimum) {
  const objective::UserFunction function =
      differentiated(2, [](const auto* x) { return x[0] + x[1]; });
  const core::Result result = run(function, {1, 1}, {{0, -infinity}, {}});
  EXPECT_NE(result.status, core::Status::converged);
  // With a floor there is one, however far.
  const core::Result floored = run(function, {1, 1}, {{0, -1e6}, {}});
  EXPECT_EQ(floored.status, core::Status::converged);
  EXPECT_EQ(floored.coef[0], 0);
  EXPECT_NEAR(floored.coef[1], -1e6, 1e-6);
}

// The classic problems in boxes that cut off their minima, and in boxes that do not.
TEST_P(BoundedTest, SolvesTheClassicProblemsInBoxes) {
  if (!is_superlinear()) GTEST_SKIP() << "a first-order method";
  for (const LeastSquares& problem : more_garbow_hillstrom()) {
    if (problem.name == "meyer") continue;  // gradients of 1e-4 are rounding there
    const objective::UserFunction residuals = residuals_only(problem);
    const auto f = std::make_shared<objective::Callable>(residuals);
    objective::UserFunction function{.size = problem.size};
    function.value_gradient = [f](const double* x, double* g) { return f->evaluate(x, g); };
    function.value = [f](const double* x) {
      Vector g(static_cast<std::size_t>(f->size()));
      return f->evaluate(x, g.data());
    };
    for (const double width : {0.1, 1.0}) {
      Box box{problem.start, problem.start};
      for (std::size_t j = 0; j < box.lower.size(); ++j) {
        if (j % 3 != 1) box.lower[j] -= width * (1 + std::fabs(problem.start[j]));
        if (j % 3 != 2) box.upper[j] += width * (1 + std::fabs(problem.start[j]));
      }
      const core::Result result = run(function, problem.start, box);
      EXPECT_LE(violation(function, result.coef, box), 1e-4)
          << problem.name << " " << width << ": " << core::to_string(result.status) << " after "
          << result.iterations;
    }
  }
}

TEST(BoundsTest, OtherSolversRefuseThem) {
  objective::Callable f(rosenbrock());
  const Vector lower{0, 0};
  for (const SolverEntry& entry : solvers()) {
    if (entry.make == nullptr || core::flag(*entry.info, "handles_bounds")) continue;
    solver::MinimizeRequest request;
    request.objective = &f;
    request.start = {1, 1};
    request.bounds.lower = lower.data();
    request.solver = entry.info->name;
    EXPECT_THROW(solver::minimize(request), core::Unsupported) << entry.info->name;
  }
}

}  // namespace
}  // namespace thalweg::test
