// Every line search of the catalogue, on functions of one variable. What a search returns is judged
// by a checker that evaluates the function itself, and must reject the broken searches at the end.
#include <cmath>

#include "catalogue.hpp"
#include "line_functions.hpp"

namespace thalweg::test {
namespace {

using line_search::Found;
using line_search::Options;
using line_search::Outcome;

// What is wrong with the answer of a search that says success; empty if nothing.
std::string complaint(const LineFunction& function, const Options& options, const Found& found,
                      bool needs_wolfe, bool needs_strong) {
  if (!found.success()) return "no success";
  const double t = found.at.step;
  if (!(t > 0) || t > options.largest_step) return "step " + std::to_string(t);
  const double value = function.value(t), slope = function.slope(t);
  if (found.at.value != value) return "value is not that of the step";
  const double start = function.value(0), fall = function.slope(0);
  const double room = (needs_wolfe ? options.doubt : options.noise) * std::fabs(start);
  const bool is_rounding = std::fabs(value - start) <= room;
  const bool is_lower = value <= start + options.decrease * t * fall;
  if (!is_lower && !(value <= start + room)) return "phi(t) is too high";
  if (!needs_wolfe) return is_lower || is_rounding ? "" : "no sufficient decrease";
  if (found.at.slope != slope) return "slope is not that of the step";
  if (slope < options.curvature * fall) return "slope is too steep";
  const bool is_approximate = slope <= (2 * options.decrease - 1) * fall;
  if (!needs_strong) return is_lower || is_approximate ? "" : "no sufficient decrease";
  if (is_lower && slope <= -options.curvature * fall) return "";
  return is_rounding && is_approximate ? "" : "not a strong Wolfe step";
}

template <class S>
std::string complaint(const LineFunction& function, const Options& options) {
  CountedLine line(function);
  const Found found = S::search(line, line.start(), options);
  if (found.trials != line.calls()) return "trials are not the calls";
  if (found.trials > options.most_trials) return "too many trials";
  return complaint(function, options, found, core::flag(S::info, "wolfe"),
                   core::flag(S::info, "strong_wolfe"));
}

template <class S>
Found search(const LineFunction& function, const Options& options) {
  CountedLine line(function);
  return S::search(line, line.start(), options);
}

Options from(double first_step, double decrease = 1e-4, double curvature = 0.9) {
  Options options;
  options.first_step = first_step;
  options.decrease = decrease;
  options.curvature = curvature;
  return options;
}

constexpr double first_steps[] = {1e-3, 1e-1, 1e1, 1e3};

template <class S>
class LineSearchTest : public ::testing::Test {};
TYPED_TEST_SUITE(LineSearchTest, LineSearches, EntryNames);

TYPED_TEST(LineSearchTest, SolvesTheProblemsOfMoreAndThuente) {
  for (const PaperProblem& problem : paper_problems()) {
    for (const double step : first_steps) {
      for (const auto& [decrease, curvature] :
           {std::pair{problem.decrease, problem.curvature}, {1e-4, 0.9}, {1e-3, 0.1}}) {
        EXPECT_EQ(complaint<TypeParam>(problem.function, from(step, decrease, curvature)), "")
            << problem.function.name << " from " << step << ", " << decrease << ", " << curvature;
      }
    }
  }
}

TYPED_TEST(LineSearchTest, StepsBackFromWhereTheFunctionIsNotFinite) {
  for (const LineFunction& function : bounded_domains()) {
    for (const double step : {1e-2, 1.0, 1e2, 1e8}) {
      EXPECT_EQ(complaint<TypeParam>(function, from(step)), "")
          << function.name << " from " << step;
    }
  }
}

TYPED_TEST(LineSearchTest, ReachesTheAccuracyOfSlopesWhereValuesAreEqual) {
  for (const double distance : {1e-7, 1e-8, 1e-9, 1e-10}) {
    const LineFunction function = rounded_parabola(distance);
    for (const double step : {0.1 * distance, distance, 1.7 * distance}) {
      EXPECT_EQ(complaint<TypeParam>(function, from(step)), "") << distance << " from " << step;
    }
  }
}

// The same with one taken off: near zero, but no more precise.
TYPED_TEST(LineSearchTest, KnowsHowLargeTermsAreThatCancel) {
  for (const double distance : {1e-7, 1e-8, 1e-9}) {
    LineFunction function = rounded_parabola(distance);
    function.value = [whole = function.value](double t) { return whole(t) - 1; };
    for (const double step : {0.1 * distance, distance, 1.7 * distance}) {
      CountedLine line(function);
      objective::LinePoint start = line.start();
      start.terms = 1;
      EXPECT_TRUE(TypeParam::search(line, start, from(step)).success())
          << distance << " from " << step;
    }
  }
}

TYPED_TEST(LineSearchTest, StaysWithinTheLargestStep) {
  Options options = from(1e3);
  options.largest_step = 2.0;
  EXPECT_EQ(complaint<TypeParam>(parabola(1.5), options), "");
}

TYPED_TEST(LineSearchTest, NeedsADescentDirection) {
  for (const double slope : {0.0, 1.0, std::nan("")}) {
    CountedLine line(parabola(1.0));
    const Found found = TypeParam::search(line, {0, 1.0, slope}, from(1.0));
    EXPECT_EQ(found.outcome, Outcome::not_a_descent_direction);
    EXPECT_EQ(found.at.step, 0);
    EXPECT_EQ(line.calls(), 0);
  }
}

TYPED_TEST(LineSearchTest, SaysWhereThereIsNoLowerPoint) {
  const LineFunction nowhere{.name = "finite at zero only",
                             .value = [](double t) { return t > 0 ? std::nan("") : 1.0; },
                             .slope = [](double t) { return t > 0 ? std::nan("") : -1.0; }};
  EXPECT_EQ(search<TypeParam>(nowhere, from(1.0)).outcome, Outcome::no_decrease);
  // A slope that promises a descent which values do not have. Values alone cannot tell that once
  // steps are so short that all are equal.
  const LineFunction wrong{.name = "wrong slope",
                           .value = [](double t) { return 1 + t; },
                           .slope = [](double) { return -1.0; }};
  const Found found = search<TypeParam>(wrong, from(1.0));
  EXPECT_LE(found.at.value, 1 + Options{}.noise);
  EXPECT_LE(found.trials, Options{}.most_trials);
  if (!core::flag(TypeParam::info, "needs_slopes")) return;
  EXPECT_EQ(found.outcome, Outcome::no_decrease);
}

TYPED_TEST(LineSearchTest, SaysWhereTheFunctionHasNoLowerBound) {
  const LineFunction infinite{.name = "minus infinity",
                              .value = [](double t) { return t > 0.5 ? -infinity : -t; },
                              .slope = [](double) { return -1.0; }};
  EXPECT_EQ(search<TypeParam>(infinite, from(1.0)).outcome, Outcome::unbounded);
  if (!core::flag(TypeParam::info, "wolfe")) return;
  const LineFunction falling{.name = "falling line",
                             .value = [](double t) { return -2 * t; },
                             .slope = [](double) { return -2.0; }};
  Options options = from(1.0);
  options.largest_step = 1e10;
  const Found found = search<TypeParam>(falling, options);
  EXPECT_EQ(found.outcome, Outcome::unbounded);
  EXPECT_EQ(found.at.step, 1e10);
}

TYPED_TEST(LineSearchTest, ReturnsTheLowestPointWhereTrialsRunOut) {
  Options options = from(1e-3, 0.1, 1e-3);
  options.most_trials = 3;
  for (const PaperProblem& problem : paper_problems()) {
    CountedLine line(problem.function);
    const Found found = TypeParam::search(line, line.start(), options);
    EXPECT_LE(line.calls(), 3);
    if (found.success()) continue;
    EXPECT_LE(found.at.value, line.lowest()) << problem.function.name;
  }
}

// The numbers of evaluations in More & Thuente 1994, tables I to VI.
TEST(MoreThuenteTest, TakesAsManyTrialsAsThePaper) {
  for (const PaperProblem& problem : paper_problems()) {
    for (std::size_t k = 0; k < std::size(first_steps); ++k) {
      const Found found = search<line_search::MoreThuente>(
          problem.function, from(first_steps[k], problem.decrease, problem.curvature));
      EXPECT_EQ(found.trials, problem.evaluations[k])
          << problem.function.name << " from " << first_steps[k];
    }
  }
}

// Broken specimens.

struct FirstTrial final {  // checks nothing
  static Found search(objective::Line& phi, const objective::LinePoint&, const Options& options) {
    return {.outcome = Outcome::success, .at = phi.along(options.first_step), .trials = 1};
  }
  static constexpr core::Info info = line_search::MoreThuente::info;
};

struct ArmijoOnly final {  // no condition on the slope
  static Found search(objective::Line& phi, const objective::LinePoint& start,
                      const Options& options) {
    Found found = line_search::Armijo::search(phi, start, options);
    found.at.slope = phi.along(found.at.step).slope;
    ++found.trials;
    return found;
  }
  static constexpr core::Info info = line_search::MoreThuente::info;
};

struct WeakWolfe final {  // says strong
  static Found search(objective::Line& phi, const objective::LinePoint& start,
                      const Options& options) {
    return line_search::HagerZhang::search(phi, start, options);
  }
  static constexpr core::Info info = line_search::MoreThuente::info;
};

struct StaleValue final {  // the point is not that of the step
  static Found search(objective::Line& phi, const objective::LinePoint& start,
                      const Options& options) {
    Found found = line_search::MoreThuente::search(phi, start, options);
    found.at.step *= 1.01;
    return found;
  }
  static constexpr core::Info info = line_search::MoreThuente::info;
};

struct Miscounting final {
  static Found search(objective::Line& phi, const objective::LinePoint& start,
                      const Options& options) {
    Found found = line_search::MoreThuente::search(phi, start, options);
    ++found.trials;
    return found;
  }
  static constexpr core::Info info = line_search::MoreThuente::info;
};

template <class S>
int complaints() {
  int count = 0;
  for (const PaperProblem& problem : paper_problems()) {
    for (const double step : first_steps) {
      const Options options = from(step, problem.decrease, problem.curvature);
      count += complaint<S>(problem.function, options).empty() ? 0 : 1;
    }
  }
  return count;
}

TEST(LineSearchCheckerTest, RejectsBrokenSearches) {
  EXPECT_EQ(complaints<line_search::MoreThuente>(), 0);
  EXPECT_GT(complaints<FirstTrial>(), 0);
  EXPECT_GT(complaints<ArmijoOnly>(), 0);
  EXPECT_GT(complaints<WeakWolfe>(), 0);
  EXPECT_GT(complaints<StaleValue>(), 0);
  EXPECT_GT(complaints<Miscounting>(), 0);
}

}  // namespace
}  // namespace thalweg::test
