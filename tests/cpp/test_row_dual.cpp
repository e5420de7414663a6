// Proximal points of losses, and the dual of a generalized linear model by rows: every loss of the
// catalogue that has them, and data that are hard on rows.
#include <gtest/gtest.h>

#include <random>

#include "losses.hpp"
#include "thalweg/catalog.hpp"
#include "thalweg/core/error.hpp"
#include "thalweg/loss/proximal.hpp"
#include "thalweg/objective/smooth_certificate.hpp"
#include "thalweg/solver/smooth_process.hpp"

namespace thalweg::test {
namespace {

// ------------------------------------------------------------------------------------------------
// Proximal points
// ------------------------------------------------------------------------------------------------

template <class L>
class ProximalTest : public ::testing::Test {};
TYPED_TEST_SUITE(ProximalTest, Losses, EntryNames);

template <class L>
std::vector<L> convex_losses() {
  std::vector<L> list;
  if constexpr (loss::Loss<L> && core::flag(L::info, "smooth")) {
    for (const std::vector<double>& parameters : parameter_choices(L::info)) {
      const L loss = loss::with_parameters<L>(parameters);
      if (loss::is_convex(loss)) list.push_back(loss);
    }
  }
  return list;
}

TYPED_TEST(ProximalTest, IsStationaryHoweverFarItBegins) {
  if constexpr (loss::Loss<TypeParam>) {
    for (const TypeParam& loss : convex_losses<TypeParam>()) {
      for (const double y : targets(loss)) {
        for (const double scale : {0.0, 1e-8, 0.3, 1e3, 1e8}) {
          for (const double center : {-40.0, -1.0, 0.25, 3.0, 40.0}) {
            for (const double start : {center, 0.5, -30.0, 300.0}) {
              loss::Proximal at{start, 0};
              for (int round = 0; round < 6; ++round)
                at = loss::proximal(loss, y, center, scale, at.point);
              const loss::Derivatives<double> there = loss.evaluate(y, at.point);
              const double below = at.point - 1e-6 * (1 + std::fabs(at.point));
              if (!(loss::value(loss, y, below) < infinity)) continue;  // at an edge
              // Where the loss bends more than 1 / scale, the slope comes from the argument.
              if (loss::SelfConcordant<TypeParam> || scale * there.curvature > 1) {
                EXPECT_NEAR(at.slope, there.gradient, 1e-12 * (1 + std::fabs(there.gradient)));
              } else {
                EXPECT_EQ(at.slope, there.gradient);
              }
              const double excess = at.point - center + scale * at.slope;
              const double bend = 1 + scale * there.curvature;
              // In the argument; to the rounding of the sum and of the slope.
              EXPECT_LE(std::fabs(excess) / bend,
                        1e-9 * (1 + std::fabs(at.point)) + 1e-14 * std::fabs(center))
                  << TypeParam::info.name << ": y " << y << ", scale " << scale << ", center "
                  << center << ", start " << start << ", point " << at.point;
            }
          }
        }
      }
    }
  }
}

TYPED_TEST(ProximalTest, LowersWhatItMinimises) {
  if constexpr (loss::Loss<TypeParam>) {
    for (const TypeParam& loss : convex_losses<TypeParam>()) {
      for (const double y : targets(loss)) {
        for (const double scale : {1e-3, 1.0, 1e3}) {
          for (const double start : {-3.0, 0.1, 2.0, 8.0}) {
            const double center = 0.5;
            const auto function = [&](double eta) {
              return scale * loss::value(loss, y, eta) + 0.5 * core::square(eta - center);
            };
            const loss::Proximal at = loss::proximal(loss, y, center, scale, start);
            const double before = function(start);
            if (!(before < infinity)) continue;
            EXPECT_LE(function(at.point), before + 1e-12 * (1 + std::fabs(before)));
          }
        }
      }
    }
  }
}

// What a variable of the dual, -slope, moves by in coordinate ascent from one that belongs to an
// argument a little off `start`.
TYPED_TEST(ProximalTest, ChangesOfTheSlopeAreRightWhateverTheScale) {
  if constexpr (loss::Loss<TypeParam>) {
    for (const TypeParam& loss : convex_losses<TypeParam>()) {
      if (!core::flag(loss.info, "bounded_curvature")) continue;
      for (const double y : targets(loss)) {
        for (const double scale : {1.0, 1e2, 1e4, 1e6}) {
          for (const double start : {-3.0, -0.3, 0.7, 2.0}) {
            for (const double off : {-0.5, -0.1, 0.01, 0.2, 1.5}) {
              const double slope = loss::gradient(loss, y, start + off);
              const double center = start + scale * slope;
              const loss::Proximal at = loss::proximal(loss, y, center, scale, start);
              loss::Proximal exact = at;
              for (int round = 0; round < 6; ++round)
                exact = loss::proximal(loss, y, center, scale, exact.point);
              const double change = (start - exact.point) / scale;
              EXPECT_NEAR(at.slope - slope, change, 0.02 * std::fabs(change) + 1e-14)
                  << TypeParam::info.name << ": y " << y << ", scale " << scale << ", start "
                  << start << ", off " << off;
            }
          }
        }
      }
    }
  }
}

// One call: to a hundredth of the step, and with a slope that the conjugate is finite at.
TYPED_TEST(ProximalTest, IsCloseAfterOneCall) {
  if constexpr (loss::SelfConcordant<TypeParam>) {
    const TypeParam loss{};
    for (const double y : targets(loss)) {
      for (const double scale : {1e-8, 0.3, 1e3}) {
        for (const double center : {-40.0, -1.0, 0.25, 3.0, 40.0}) {
          for (const double start : {center, center - 0.1 * y, center + 1.0, -30.0}) {
            loss::Proximal exact{start, 0};
            for (int round = 0; round < 6; ++round)
              exact = loss::proximal(loss, y, center, scale, exact.point);
            const loss::Proximal at = loss::proximal(loss, y, center, scale, start);
            const double first = loss::gradient(loss, y, start);
            EXPECT_NEAR(at.point, exact.point, 0.02 * std::fabs(exact.point - start) + 1e-12);
            EXPECT_NEAR(at.slope, exact.slope, 0.02 * std::fabs(exact.slope - first) + 1e-14);
            EXPECT_LT(loss.conjugate(y, at.slope), infinity);
          }
        }
      }
    }
  }
}

TYPED_TEST(ProximalTest, ThirdDerivativeIsThatOfTheCurvature) {
  if constexpr (loss::SelfConcordant<TypeParam>) {
    const TypeParam loss{};
    for (const double y : targets(loss)) {
      for (const double eta : {-20.0, -2.0, -0.1, 0.0, 0.7, 5.0}) {
        const double h = 1e-5;
        const loss::Derivatives<double> at = loss.evaluate(y, eta);
        const double expected =
            (loss::curvature(loss, y, eta + h) - loss::curvature(loss, y, eta - h)) / (2 * h);
        const double third = TypeParam::third(y, at);
        EXPECT_NEAR(third, expected, 1e-8 * at.curvature + 1e-12);
        EXPECT_LE(std::fabs(third), at.curvature);
      }
    }
  }
}

// ------------------------------------------------------------------------------------------------
// The dual
// ------------------------------------------------------------------------------------------------

struct Options {
  bool intercept = false, standardize = false, weighted = false, by_feature = false;
  double alpha = 0.1;
};

// Rows of which some are repeated, some are zero, and some weigh nothing.
struct Problem {
  Index rows, cols;
  Vector x, y, weights, offset, feature_weights;

  Problem(const loss::LossBlock& loss, Index n, Index p, bool repeats = true) : rows(n), cols(p) {
    std::mt19937_64 generator(5);
    std::normal_distribution<double> normal;
    const auto size = [](Index k) { return static_cast<std::size_t>(k); };
    x.resize(size(n * p));
    for (double& value : x) value = std::max(0.0, normal(generator) - 0.5);
    for (Index i = 0; i < n; ++i) {
      const double number = normal(generator);
      for (const double candidate : {number, number > 0 ? 1.0 : -1.0, std::fabs(number) + 0.1}) {
        if (loss.validate(candidate)) {
          y.push_back(candidate);
          break;
        }
      }
      weights.push_back(i % 5 == 0 ? 0.0 : 0.5 + std::fabs(normal(generator)));
      offset.push_back(0.1 * normal(generator));
      if (repeats && i % 4 == 1) std::copy_n(x.begin() + (i - 1) * p, p, x.begin() + i * p);
      if (i % 7 == 3) std::fill_n(x.begin() + i * p, p, 0.0);
    }
    for (Index j = 0; j < p; ++j) feature_weights.push_back(0.5 + (j % 3));
  }
};

// Solves by the named solver; returns the result.
core::Result solve(const Problem& problem, const design::AnyDesign& x, const loss::LossBlock& loss,
                   const Options& options, const char* name, int threads = 1) {
  objective::SmoothGlm<> glm(x,
                             {.y = problem.y.data(),
                              .weights = options.weighted ? problem.weights.data() : nullptr,
                              .offset = options.weighted ? problem.offset.data() : nullptr,
                              .fit_intercept = options.intercept,
                              .standardize = options.standardize},
                             loss, {.threads = threads});
  const double* const by_feature = options.by_feature ? problem.feature_weights.data() : nullptr;
  glm.set_terms({{0.0, options.alpha}, by_feature, nullptr, nullptr});
  solver::SmoothPoint at{.x = glm.coordinates().from_raw(nullptr, nullptr),
                         .gradient = Vector(static_cast<std::size_t>(glm.size()))};
  at.value = glm.evaluate(at.x.data(), at.gradient.data());
  objective::SmoothGlmCertifier<> certifier(glm, infinity, true);
  certifier.begin();
  const auto solver = find_solver(name).make({.parameters = {}, .seed = 3});
  core::Result result;
  const solver::Bounds bounds;
  solver::SmoothProcess process(glm, *solver, at, bounds, certifier, {.threads = threads});
  solver::DriverContext context;
  context.tol = 1e-9;
  context.max_iter = 20000;
  solver::drive(process, context, {}, result);
  glm.coordinates().to_raw(at.x, result.coef, result.intercept);
  return result;
}

design::AnyDesign by_rows(const Problem& problem) {
  return design::RowMajor<double>(problem.x.data(), problem.rows, problem.cols, problem.cols);
}

class RowDualTest : public ::testing::TestWithParam<int> {
 protected:
  Options options() const {
    const int bits = GetParam();
    return {.intercept = (bits & 1) != 0,
            .standardize = (bits & 2) != 0,
            .weighted = (bits & 4) != 0,
            .by_feature = (bits & 8) != 0};
  }
};
INSTANTIATE_TEST_SUITE_P(Options, RowDualTest, ::testing::Range(0, 16));

TEST_P(RowDualTest, AgreesWithNewton) {
  for (const core::Info* info : losses()) {
    if (!core::flag(*info, "bounded_curvature") || !core::flag(*info, "convex") ||
        !core::flag(*info, "single_output"))
      continue;
    const loss::LossBlock loss = find_loss_block(info->name);
    for (const Index cols : {Index{4}, Index{90}}) {
      const Problem problem(loss, 40, cols);
      const design::AnyDesign x = by_rows(problem);
      const core::Result dual = solve(problem, x, loss, options(), "dual_coordinate_descent");
      const core::Result newton = solve(problem, x, loss, options(), "newton");
      EXPECT_EQ(dual.status, core::Status::converged)
          << info->name << ", gap " << dual.certificate.value << " of " << dual.target;
      EXPECT_NEAR(dual.certificate.primal, newton.certificate.primal, dual.target + newton.target)
          << info->name;
    }
  }
}

TEST(DualCoordinateDescentTest, IsTheSameForAnyNumberOfThreads) {
  const loss::LossBlock loss = find_loss_block("logistic");
  for (const Index rows : {Index{300}, Index{1027}}) {  // visited by themselves, and in runs
    const Problem problem(loss, rows, 200);
    const design::AnyDesign x = by_rows(problem);
    const Options options{.intercept = true};
    const core::Result serial = solve(problem, x, loss, options, "dual_coordinate_descent", 1);
    EXPECT_EQ(serial.status, core::Status::converged);
    EXPECT_EQ(serial.coef, solve(problem, x, loss, options, "dual_coordinate_descent", 3).coef);
  }
}

TEST(DualCoordinateDescentTest, NeedsAPenaltyOnEveryCoefficient) {
  const loss::LossBlock loss = find_loss_block("logistic");
  const Problem problem(loss, 10, 3);
  EXPECT_THROW(solve(problem, by_rows(problem), loss, {.alpha = 0}, "dual_coordinate_descent"),
               core::Unsupported);
}

// A weak penalty, where the gradient's dual point is far from the one that the solver has.
TEST(DualCoordinateDescentTest, ItsOwnDualPointCertifies) {
  const loss::LossBlock loss = find_loss_block("logistic");
  const Problem problem(loss, 60, 400, false);  // equal rows converge slowly here
  const core::Result result =
      solve(problem, by_rows(problem), loss, {.alpha = 1e-4}, "dual_coordinate_descent");
  EXPECT_EQ(result.status, core::Status::converged);
  EXPECT_EQ(result.certificate.theta.size(), problem.y.size());
}

}  // namespace
}  // namespace thalweg::test
