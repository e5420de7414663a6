// Columns whose mean is many times their spread, and steps that end above their start: a solve ends
// at the lowest point that was certified.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "thalweg/design/csc.hpp"
#include "thalweg/design/dense.hpp"
#include "thalweg/solver/auto.hpp"
#include "thalweg/solver/quadratic_process.hpp"

namespace thalweg::solver {
namespace {

using Dense = design::ColumnMajor<double>;
using Sparse = design::Csc<double, std::int32_t>;

constexpr Index rows = 60, cols = 90;
const penalty::Terms lasso({.l1 = 0.05, .l2 = 0.0}, nullptr, nullptr, nullptr);

// Normal columns with a mean, every entry stored.
struct Data {
  Vector values, y;
  std::vector<std::int32_t> index, pointers{0};

  explicit Data(double mean) : y(rows, 0.0) {
    std::mt19937_64 generator(1);
    std::normal_distribution<double> normal;
    for (Index j = 0; j < cols; ++j) {
      for (Index i = 0; i < rows; ++i) {
        const double value = normal(generator);
        y[static_cast<std::size_t>(i)] += j < 10 ? value : 0.0;
        values.push_back(value + mean);
        index.push_back(static_cast<std::int32_t>(i));
      }
      pointers.push_back(static_cast<std::int32_t>(values.size()));
    }
    for (double& value : y) value += normal(generator);
  }
  template <class D>
  D view() const {
    if constexpr (std::is_same_v<D, Dense>) return {values.data(), rows, cols, rows};
    else return {values.data(), index.data(), pointers.data(), rows, cols};
  }
};

template <class Solver>
core::Result minimize(const design::AnyDesign& x, const Vector& y, const SolverOptions& options,
                      Vector& w, Index max_iter = 5000) {
  objective::Glm glm(design::Erased(x), {.y = y.data()}, {});
  objective::Evaluator evaluator(glm);
  const auto solver = Solver::make(glm, options);
  QuadraticProcess process(evaluator, *solver);
  w.assign(static_cast<std::size_t>(cols), 0.0);
  objective::Evaluation at;
  evaluator.evaluate(w, lasso, glm.all_columns(), at);
  process.set_problem(lasso, w, at, 0.0, nullptr);
  core::Result result;
  DriverContext context;
  context.tol = 1e-7;
  context.max_iter = max_iter;
  drive(process, context, {}, result);
  objective::Evaluation fresh;
  evaluator.evaluate(w, lasso, glm.all_columns(), fresh);
  EXPECT_NEAR(fresh.primal(), result.certificate.primal, 1e-6 * fresh.primal());
  EXPECT_NEAR(at.intercept, fresh.intercept, 1e-9 * std::fabs(fresh.intercept));
  return result;
}

template <class D>
class FarMeansOf : public ::testing::Test {};
using Views = ::testing::Types<Dense, Sparse>;
TYPED_TEST_SUITE(FarMeansOf, Views);

TYPED_TEST(FarMeansOf, LeaveTheSolutionAsItIs) {
  Vector expected, w;
  const Data centred(0.0);
  for (const Inner inner : {Inner::residual, Inner::gram, Inner::automatic}) {
    SolverOptions options;
    options.inner = inner;
    ASSERT_EQ(core::Status::converged,
              minimize<WorkingSet>(centred.view<TypeParam>(), centred.y, options, expected).status);
    for (const double mean : {1e4, 1e5, 1e6, 1e7}) {
      const Data shifted(mean);
      const core::Result result =
          minimize<WorkingSet>(shifted.view<TypeParam>(), shifted.y, options, w);
      EXPECT_EQ(core::Status::converged, result.status) << mean;
      for (std::size_t k = 0; k < w.size(); ++k) EXPECT_NEAR(expected[k], w[k], 1e-3) << mean;
    }
  }
}

// One good step, then others that end somewhere else.
class Astray final : public QuadraticSolver {
 public:
  static std::unique_ptr<QuadraticSolver> make(const objective::Glm&,
                                               const SolverOptions& options) {
    return std::make_unique<Astray>(options);
  }
  explicit Astray(const SolverOptions& options)
      : astray_(options.parameters[0]), good_(options.parameters[1] != 0) {}

  StepOutcome step(Vector& w, objective::Evaluation&, const StepContext&) override {
    w[0] = good_ && ++steps_ == 1 ? 0.5 : astray_;
    return {1, 1.0};
  }
  std::string reason() const override { return ""; }
  std::string_view ran() const override { return ""; }
  Index gram_bytes() const override { return 0; }
  GramCache* gram_cache() override { return nullptr; }
  bool is_affine() const override { return false; }

 private:
  double astray_;
  bool good_;
  int steps_ = 0;
};

TEST(LowestPointTest, IsWhereASolveThatWentAstrayEnds) {
  const Data data(0.0);
  const Dense x = data.view<Dense>();
  for (const double astray : {-3.0, 1e10, 1e200, std::nan("")}) {
    for (const double good : {0.0, 1.0}) {
      SolverOptions options;
      options.parameters = {astray, good};
      Vector w;
      const core::Result result = minimize<Astray>(x, data.y, options, w, 7);
      EXPECT_EQ(std::fabs(astray) < 1e100 ? core::Status::max_iter : core::Status::non_finite,
                result.status);
      EXPECT_EQ(0.5 * good, w[0]);
      EXPECT_EQ(result.trace.back().objective, result.certificate.primal);
      EXPECT_EQ(result.trace[good != 0 ? 1 : 0].objective, result.certificate.primal);
      EXPECT_EQ(good != 0 ? 1 : 0, result.trace.back().support);
      EXPECT_TRUE(std::isfinite(result.certificate.value));
      EXPECT_NEAR(result.certificate.value, result.certificate.primal - result.certificate.dual,
                  1e-12);
    }
  }
}

}  // namespace
}  // namespace thalweg::solver
