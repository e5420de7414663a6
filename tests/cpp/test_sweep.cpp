// Sweeps over groups of columns: the iterates of coordinate descent, one column after the other.
#include "thalweg/solver/sweep.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <numeric>
#include <random>

#include "thalweg/design/dense.hpp"
#include "thalweg/solver/column_block_of.hpp"
#include "thalweg/solver/quadratic_model.hpp"

namespace thalweg::solver {
namespace {

constexpr Index rows = 300;
constexpr Index cols = 9 * ColumnGroups::width + 12;

struct Options {
  bool weighted, fit_intercept, standardize;
  double mean = 0;  // that every fourth column has beside its own
};

// A model on one of the two dense views, at w = 0.
template <class D>
struct Problem {
  Eigen::MatrixXd x;
  Vector y, s;
  D view;
  objective::Glm glm;
  objective::Evaluation at;
  ColumnBlockOf<D> block;

  // `at_once` blocks share the memory for copies of columns.
  explicit Problem(const Options& options, Index at_once = 1)
      : x(make(options.mean)),
        y(target(make(0.0))),
        s(weights()),
        view(x.data(), rows, cols, by_rows ? cols : rows),
        glm(design::Erased(view),
            {.y = y.data(),
             .weights = options.weighted ? s.data() : nullptr,
             .fit_intercept = options.fit_intercept,
             .standardize = options.standardize},
            {.threads = 2}),
        block(view, at_once) {
    glm.evaluate(Vector(cols, 0.0), penalty::Terms(), glm.all_columns(), at);
    block.load(glm.all_columns(), {});
  }

  static constexpr bool by_rows = std::is_same_v<D, design::RowMajor<double>>;
  static double normal(Index seed) {
    std::mt19937_64 generator(static_cast<unsigned>(seed));
    return std::normal_distribution<double>(0.3)(generator);
  }
  // Columns with something in common, so that the order of updates matters.
  static Eigen::MatrixXd make(double mean) {
    Eigen::MatrixXd matrix(by_rows ? cols : rows, by_rows ? rows : cols);  // the memory of the view
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < cols; ++j) {
        matrix(by_rows ? j : i, by_rows ? i : j) =
            normal(i * cols + j) + 0.5 * normal(-1 - i) + (j % 4 == 0 ? mean : 0.0);
      }
    }
    return matrix;
  }
  static Vector target(const Eigen::MatrixXd& matrix) {
    Vector out(rows);
    for (Index i = 0; i < rows; ++i)
      out[static_cast<std::size_t>(i)] = 3 * matrix.data()[i] + normal(i + 7);
    return out;
  }
  static Vector weights() {
    Vector out(rows);
    for (Index i = 0; i < rows; ++i) out[static_cast<std::size_t>(i)] = static_cast<double>(i % 4);
    return out;
  }
};

// Three sweeps over `positions` of `columns`.
template <class D>
Vector descend(Problem<D>& problem, const std::vector<Index>& columns,
               const std::vector<Index>& positions, const std::vector<penalty::Term>& terms,
               const ColumnGroups* groups) {
  objective::Evaluation at = problem.at;
  ResidualModel model(problem.glm, problem.block, columns, at, groups);
  Vector w(columns.size(), 0.0);
  for (int i = 0; i < 3; ++i) model.sweep(w, terms, positions, problem.glm.execution());
  // The residual followed: its correlations are those of a fresh evaluation.
  Vector full(cols, 0.0), q;
  for (std::size_t k = 0; k < columns.size(); ++k)
    full[static_cast<std::size_t>(columns[k])] = w[k];
  objective::Evaluation fresh;
  problem.glm.evaluate(full, penalty::Terms(), problem.glm.all_columns(), fresh);
  std::vector<Index> all(columns.size());
  std::iota(all.begin(), all.end(), Index{0});
  model.correlations(all, q);
  for (std::size_t k = 0; k < columns.size(); ++k) {
    EXPECT_NEAR(fresh.correlation[static_cast<std::size_t>(columns[k])], q[k], 1e-12);
  }
  return w;
}

// All columns, those of a group far from each other.
std::vector<Index> scattered() {
  std::vector<Index> columns;
  for (Index k = 0; k < cols; ++k) columns.push_back(k * 37 % cols);
  return columns;
}

template <class D>
void expect_same_iterates(const Options& options, Index at_once = 1, bool scatters = false) {
  Problem<D> problem(options, at_once);
  // Some columns first, as an earlier working set had them; then all, in the order of their places.
  ColumnGroups groups;
  groups.add(problem.glm, std::vector<Index>{5, 40, 41, 2});
  if (scatters) groups.add(problem.glm, scattered());
  std::vector<Index> columns = problem.glm.all_columns();
  groups.add(problem.glm, columns);
  std::sort(columns.begin(), columns.end(),
            [&](Index a, Index b) { return groups.place(a) < groups.place(b); });
  ASSERT_EQ(5, columns.front());
  std::vector<penalty::Term> terms;
  for (const Index j : columns) {
    terms.push_back({.l1 = 0.02 * static_cast<double>(j % 3),
                     .l2 = j % 2 == 0 ? 0.1 : 0.0,
                     .lower = j % 5 == 0 ? 0.0 : -infinity});
  }
  std::vector<Index> every(columns.size()), third;
  std::iota(every.begin(), every.end(), Index{0});
  for (Index k = 0; k < static_cast<Index>(columns.size()); k += 3) third.push_back(k);
  for (const std::vector<Index>& positions : {every, third}) {
    const Vector single = descend(problem, columns, positions, terms, nullptr);
    const Vector grouped = descend(problem, columns, positions, terms, &groups);
    double largest = 0;
    for (std::size_t k = 0; k < single.size(); ++k) {
      EXPECT_NEAR(single[k], grouped[k], 1e-11);
      largest = std::max(largest, std::fabs(single[k]));
    }
    EXPECT_GT(largest, 0.1);
  }
}

class SweepTest : public ::testing::TestWithParam<std::tuple<bool, bool, bool>> {
 protected:
  Options options() const {
    const auto [weighted, fit_intercept, standardize] = GetParam();
    return {weighted, fit_intercept, standardize};
  }
};
INSTANTIATE_TEST_SUITE_P(Options, SweepTest,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool(),
                                            ::testing::Bool()));

TEST_P(SweepTest, GroupsOfColumnsGiveTheSameIterates) {
  expect_same_iterates<design::ColumnMajor<double>>(options());
}

TEST_P(SweepTest, GroupsOfCopiedRowMajorColumnsToo) {
  expect_same_iterates<design::RowMajor<double>>(options());
}

// Two blocks at once: copies of 150 columns fit, 64 of them for staging.
constexpr Index room_for_some = 2;

TEST_P(SweepTest, GroupsOfStagedRowMajorColumnsToo) {
  expect_same_iterates<design::RowMajor<double>>(options(), room_for_some, true);
}

TEST_P(SweepTest, GroupsOfNeighboursInRowsToo) {
  expect_same_iterates<design::RowMajor<double>>(options(), room_for_some);
}

TEST(SweepGroupTest, NeighboursAreReadInPlace) {
  Problem<design::RowMajor<double>> problem({false, true, false}, room_for_some);
  const std::vector<Index> near{231, 230, 260}, far{231, 30, 260};
  const auto in_rows = problem.block.group(near);
  ASSERT_EQ(problem.view.row(0) + 230, in_rows.rows);
  EXPECT_EQ(230, in_rows.first);
  EXPECT_EQ(31, in_rows.width);
  EXPECT_EQ(nullptr, problem.block.group(far).rows);
  problem.block.load(near, {});  // now they are copied
  EXPECT_EQ(nullptr, problem.block.group(near).rows);
}

// Where the mean of a column is many times its spread, its products and changes are those of the
// centred column, but for what the mean costs of its own digits.
template <class D>
class FarMeans : public ::testing::Test {};
using DenseViews = ::testing::Types<design::ColumnMajor<double>, design::RowMajor<double>>;
TYPED_TEST_SUITE(FarMeans, DenseViews);

TYPED_TEST(FarMeans, LeaveTheIteratesAsTheyAre) {
  for (const bool weighted : {false, true}) {
    Problem<TypeParam> centred({weighted, true, false}), shifted({weighted, true, false, 1e6});
    ASSERT_TRUE(shifted.glm.is_far(4));
    ASSERT_FALSE(shifted.glm.is_far(5) || centred.glm.is_far(4));
    const std::vector<Index> columns = scattered();
    ColumnGroups groups;
    groups.add(centred.glm, columns);
    const std::vector<penalty::Term> terms(columns.size(), {.l1 = 0.01});
    const std::vector<Index> all = centred.glm.all_columns();
    const auto run = [&](Problem<TypeParam>& problem, const ColumnGroups* given, Vector& q) {
      objective::Evaluation at = problem.at;
      ResidualModel model(problem.glm, problem.block, columns, at, given);
      Vector w(columns.size(), 0.0);
      for (int i = 0; i < 5; ++i) model.sweep(w, terms, all, {.threads = 2});
      const Vector delta(columns.size(), 1e-2);
      EXPECT_GT(model.predict(all, delta), 0);
      model.take();
      Vector product(columns.size()), after;
      model.product(all, delta, product);
      model.change_all(all, delta);
      model.correlations(all, after);
      model.change_all(all, Vector(columns.size(), -1e-2));
      model.correlations(all, q);
      for (std::size_t k = 0; k < q.size(); ++k) EXPECT_NEAR(q[k] - after[k], product[k], 1e-6);
      return w;
    };
    for (const ColumnGroups* given :
         {static_cast<const ColumnGroups*>(nullptr), &std::as_const(groups)}) {
      Vector q_expected, q;
      const Vector expected = run(centred, given, q_expected), w = run(shifted, given, q);
      for (std::size_t k = 0; k < w.size(); ++k) {
        EXPECT_NEAR(expected[k], w[k], 1e-7);
        EXPECT_NEAR(q_expected[k], q[k], 1e-6);
      }
    }
  }
}

// Groups are staged in part by one sweep and whole by the next, and the other way round.
TEST(SweepStagingTest, SweepsOverSomeColumnsAndOverAllMayAlternate) {
  using D = design::RowMajor<double>;
  Problem<D> problem({false, true, false}, room_for_some);
  const std::vector<Index> columns = scattered(), positions = problem.glm.all_columns();
  ColumnGroups groups;
  groups.add(problem.glm, columns);
  const std::vector<penalty::Term> terms(columns.size(), {.l1 = 0.01});
  std::vector<std::vector<Index>> some(4);
  for (const Index k : positions) {
    if (k < 3 || k > 250) some[0].push_back(k);
    if (k % 40 == 7) some[1].push_back(k);
    if (k > 280) some[2].push_back(k);
    if (k >= 96 && k < 128) some[3].push_back(k);
  }
  const auto descend_with = [&](const ColumnGroups* given) {
    objective::Evaluation at = problem.at;
    ResidualModel model(problem.glm, problem.block, columns, at, given);
    Vector w(columns.size(), 0.0);
    for (const std::vector<Index>& chosen : some) {
      for (const std::vector<Index>* each : {&chosen, &positions, &chosen}) {
        model.sweep(w, terms, *each, problem.glm.execution());
      }
    }
    return w;
  };
  ASSERT_TRUE(problem.block.can_stage(columns));
  ASSERT_FALSE(problem.block.has_all(columns));
  const Vector single = descend_with(nullptr), grouped = descend_with(&groups);
  for (std::size_t k = 0; k < single.size(); ++k) EXPECT_NEAR(single[k], grouped[k], 1e-11);
}

TEST(SweepStopTest, StoppedSweepsKeepCoefficientsAndResidualTogether) {
  Problem<design::ColumnMajor<double>> problem({false, true, false});
  ColumnGroups groups;
  groups.add(problem.glm, problem.glm.all_columns());
  core::StopToken stop;
  const core::Execution execution{.threads = 2, .stop = &stop};
  const std::vector<penalty::Term> terms(static_cast<std::size_t>(cols), {.l1 = 0.01});
  ResidualModel model(problem.glm, problem.block, problem.glm.all_columns(), problem.at, &groups);
  Vector w(static_cast<std::size_t>(cols), 0.0);
  model.sweep(w, terms, problem.glm.all_columns(), execution);
  stop.request();
  const Vector before = w;
  model.sweep(w, terms, problem.glm.all_columns(), execution);
  EXPECT_EQ(before, w);
  objective::Evaluation fresh;
  problem.glm.evaluate(w, penalty::Terms(), problem.glm.all_columns(), fresh);
  Vector q;
  model.correlations(problem.glm.all_columns(), q);
  for (std::size_t j = 0; j < q.size(); ++j) EXPECT_NEAR(fresh.correlation[j], q[j], 1e-12);
}

}  // namespace
}  // namespace thalweg::solver
