// The driver on a user's function, with every smooth solver of the catalogue.
#include <gtest/gtest.h>

#include "smooth_functions.hpp"
#include "thalweg/catalog.hpp"
#include "thalweg/solver/minimize.hpp"

namespace thalweg::test {
namespace {

std::vector<std::string> smooth_solvers() {
  std::vector<std::string> names;
  for (const SolverEntry& entry : solvers()) {
    if (entry.make != nullptr) names.emplace_back(entry.info->name);
  }
  return names;
}

core::Result run(const std::string& solver, objective::UserFunction function, Vector start) {
  objective::Callable f(std::move(function));
  solver::MinimizeRequest request{
      .objective = &f, .start = std::move(start), .solver = solver, .tol = 1e-6};
  for (const core::Parameter& parameter : find_solver(solver).info->parameters)
    request.options.parameters.push_back(parameter.default_value);
  return solver::minimize(request);
}

class MinimizeTest : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Catalogue, MinimizeTest, ::testing::ValuesIn(smooth_solvers()),
                         [](const auto& info) { return info.param; });

TEST_P(MinimizeTest, FindsTheMinimumOfAQuadratic) {
  const core::Result result = run(GetParam(), quadratic(10, 100), Vector(10, -1.0));
  EXPECT_EQ(result.status, core::Status::converged) << result.reason;
  for (const double x : result.coef) EXPECT_NEAR(x, 1.0, 1e-5);
}

TEST_P(MinimizeTest, StopsAtOnceAtTheMinimum) {
  const core::Result result = run(GetParam(), quadratic(3, 10), Vector(3, 1.0));
  EXPECT_EQ(result.status, core::Status::converged);
  EXPECT_EQ(result.iterations, 0);
}

}  // namespace
}  // namespace thalweg::test
