// Moments that folds share: equal to those built from the rows of each fold, or refused.
#include "thalweg/solver/fold_moments.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <deque>
#include <random>

#include "thalweg/design/csc.hpp"
#include "thalweg/design/dense.hpp"

namespace thalweg::solver {
namespace {

using objective::ColumnSummary;
using objective::RemainingRows;
using Columns = design::ColumnMajor<double>;
using Rows = design::RowMajor<float>;
using Sparse = design::Csc<double, Index>;

struct Settings {
  Index rows = 700, cols = 23;
  bool weighted = false, fit_intercept = true, standardize = false, shuffled = false;
};

// A design in three storages, whose entries float32 holds too, and the folds of its rows.
class Folds {
 public:
  static constexpr Index count = 4;

  explicit Folds(const Settings& settings) : settings_(settings), x_(settings.rows, settings.cols) {
    std::mt19937 generator(1);
    std::uniform_int_distribution<int> eighths(-16, 24), weight(0, 3), fold(0, count - 1);
    for (double& value : x_.reshaped()) value = eighths(generator) / 8.0;
    const auto n = static_cast<std::size_t>(rows());
    y_.resize(n);
    weights_.resize(n);
    times_.assign(count, std::vector<FoldTimes>(n));
    for (std::size_t i = 0; i < n; ++i) {
      y_[i] = 5.0 + x_(static_cast<Index>(i), 0) + eighths(generator) / 8.0;
      weights_[i] = settings.weighted ? weight(generator) / 2.0 : 1.0;
      const auto mine =
          settings.shuffled ? static_cast<std::size_t>(fold(generator)) : count * i / n;
      times_[mine][i] = {.training = 0, .heldout = 1};
    }
  }

  Index rows() const { return settings_.rows; }
  Index cols() const { return settings_.cols; }
  Eigen::MatrixXd& x() { return x_; }
  Vector& y() { return y_; }
  FoldTimes& times(Index fold, Index row) {
    return times_[static_cast<std::size_t>(fold)][static_cast<std::size_t>(row)];
  }
  Vector weights(Index fold, FoldWeights::Side side) {
    return design::to_vector(fold_weights(request(), fold, side), rows());
  }

  Columns columns() const { return {x_.data(), rows(), cols(), rows()}; }
  Rows by_rows() {
    floats_ = x_.cast<float>();
    return {floats_.data(), rows(), cols(), cols()};
  }
  Sparse sparse() {
    starts_ = {0};
    for (Index j = 0; j < cols(); ++j) {
      for (Index i = 0; i < rows(); ++i) {
        if (x_(i, j) == 0) continue;
        entries_.push_back(x_(i, j));
        index_.push_back(i);
      }
      starts_.push_back(static_cast<Index>(entries_.size()));
    }
    return {entries_.data(), index_.data(), starts_.data(), rows(), cols()};
  }

  // Counts below four, two to a code. What a request refers to lives as long as this.
  const Request& request(int threads = 1) {
    Request& request = requests_.emplace_back();
    request.y = y_.data();
    request.weights = weights_.data();
    request.fit_intercept = settings_.fit_intercept;
    request.standardize = settings_.standardize;
    request.execution.threads = threads;
    Fold fold;
    for (int code = 0; code < 16; ++code)
      fold.times.push_back({static_cast<double>(code / 4), static_cast<double>(code % 4)});
    for (const std::vector<FoldTimes>& times : times_) {
      std::vector<std::uint8_t>& codes = codes_.emplace_back();
      for (const FoldTimes& each : times)
        codes.push_back(static_cast<std::uint8_t>(4 * each.training + each.heldout));
      fold.column = request.folds.size();
      request.folds.columns.push_back(codes.data());
      request.folds.all.push_back(fold);
      request.tasks.push_back({.fold = fold.column, .alphas = {1.0}});
    }
    return request;
  }
  FoldLayout layout() { return fold_layout(request(), rows()); }

  objective::Glm glm(const design::Erased& x, Index fold, const ColumnSummary* known = nullptr) {
    const Vector& weights = fitted_.emplace_back(this->weights(fold, FoldWeights::Side::training));
    return {x,
            {.y = y_.data(),
             .weights = weights.data(),
             .fit_intercept = settings_.fit_intercept,
             .standardize = settings_.standardize},
            {},
            known};
  }

 private:
  Settings settings_;
  Eigen::MatrixXd x_;
  Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> floats_;
  Vector y_, weights_, entries_;
  std::vector<std::vector<FoldTimes>> times_;
  std::deque<Request> requests_;
  std::deque<std::vector<std::uint8_t>> codes_;
  std::deque<Vector> fitted_;
  std::vector<Index> index_, starts_;
};

void expect_close(const Vector& expected, const Vector& actual, double tolerance) {
  ASSERT_EQ(expected.size(), actual.size());
  for (std::size_t j = 0; j < expected.size(); ++j) {
    EXPECT_NEAR(expected[j], actual[j], tolerance * (1 + std::fabs(expected[j]))) << "entry " << j;
  }
}

template <class Model>
Vector gram_of(const Model& rows, const auto& glm) {
  const Index p = glm.cols();
  Vector out(static_cast<std::size_t>(p * p));
  if constexpr (std::is_same_v<Model, RemainingRows>)
    rows.gram(glm, glm.all_columns(), p, out.data(), p);
  else glm.gram(glm.all_columns(), p, out.data(), p);
  return out;
}

// The model of every fold and the error on its held-out rows, against those from its rows.
void expect_folds_from_their_rows(Folds& folds, const design::AnyDesign& view, double tolerance) {
  const design::Erased x(view);
  const FoldMoments moments(x, folds.request(), folds.layout());
  for (Index fold = 0; fold < Folds::count; ++fold) {
    SCOPED_TRACE("fold " + std::to_string(fold));
    const RemainingRows training = moments.training(moments.heldout(fold));
    const ColumnSummary summary = training.summary();
    EXPECT_EQ("", moments.refusal(training, summary));
    const auto expected = folds.glm(x, fold);
    const auto actual = folds.glm(x, fold, &summary);
    expect_close(expected.sq_norms(), actual.sq_norms(), tolerance);
    expect_close(expected.null_correlation(), actual.null_correlation(), tolerance);
    expect_close(gram_of(expected, expected), gram_of(training, actual), tolerance);

    Vector coef(static_cast<std::size_t>(folds.cols()), 0.0);
    double intercept = expected.null_intercept();
    for (std::size_t j = 0; j < coef.size(); j += 2) {
      coef[j] = std::sin(static_cast<double>(j));
      intercept -= coef[j] * expected.mean(static_cast<Index>(j));
    }
    double error = 0, total = 0;
    const Vector held = folds.weights(fold, FoldWeights::Side::heldout);
    for (Index i = 0; i < folds.rows(); ++i) {
      const double h = held[static_cast<std::size_t>(i)];
      const double eta =
          folds.x().row(i).dot(Eigen::Map<Eigen::VectorXd>(coef.data(), folds.cols()));
      error += h * core::square(folds.y()[static_cast<std::size_t>(i)] - eta - intercept);
      total += h;
    }
    objective::HeldoutError heldout(moments.heldout(fold), training.shifts(),
                                    training.target_shift());
    ASSERT_TRUE(heldout(coef).has_value());
    EXPECT_NEAR(error / total, *heldout(coef), tolerance * error / total);
  }
}

class FoldMomentsTest : public ::testing::TestWithParam<std::tuple<bool, bool, bool, bool, Index>> {
 protected:
  Settings settings() const {
    const auto [weighted, fit_intercept, standardize, shuffled, cols] = GetParam();
    return {.cols = cols,
            .weighted = weighted,
            .fit_intercept = fit_intercept,
            .standardize = standardize,
            .shuffled = shuffled};
  }
};
// Widths around a panel of the kernel, whose last columns are the target and the ones.
INSTANTIATE_TEST_SUITE_P(Settings, FoldMomentsTest,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool(), ::testing::Bool(),
                                            ::testing::Bool(),
                                            ::testing::Values(1, 22, 23, 24, 50)));

TEST_P(FoldMomentsTest, EqualThoseOfTheRowsOfEachFold) {
  Folds folds(settings());
  ASSERT_TRUE(folds.layout().partition);
  expect_folds_from_their_rows(folds, folds.columns(), 1e-12);
  expect_folds_from_their_rows(folds, folds.by_rows(), 1e-12);
  expect_folds_from_their_rows(folds, folds.sparse(), 1e-12);
}

TEST_P(FoldMomentsTest, OverlappingPartsNeedTheWhole) {
  Folds folds(settings());
  for (Index i = 0; i < folds.rows(); i += 3) {  // held out by another fold, too
    FoldTimes& times = folds.times(folds.times(1, i).heldout > 0 ? 2 : 1, i);
    std::swap(times.training, times.heldout);
  }
  ASSERT_TRUE(folds.layout().complementary);
  ASSERT_EQ(folds.layout().partition, false);
  expect_folds_from_their_rows(folds, folds.columns(), 1e-12);
}

TEST_P(FoldMomentsTest, BitsDoNotDependOnThreads) {
  Settings large = settings();
  large.rows = 5000;
  Folds folds(large);
  const design::Erased x(folds.columns());
  const FoldMoments one(x, folds.request(1), folds.layout());
  const FoldMoments three(x, folds.request(3), folds.layout());
  for (Index fold = 0; fold < Folds::count; ++fold) {
    const Index size = one.heldout(fold).size();
    for (Index j = 0; j < size; ++j) {
      for (Index i = 0; i < size; ++i) {
        ASSERT_EQ(one.heldout(fold)(i, j), three.heldout(fold)(i, j));
        ASSERT_EQ(one.heldout(fold)(i, j), one.heldout(fold)(j, i));
      }
    }
  }
}

TEST_P(FoldMomentsTest, HeldOutMomentsThatAreNotKeptAreMadeAgain) {
  Folds folds(settings());
  const design::Erased x(folds.columns());
  const FoldMoments kept(x, folds.request(), folds.layout());
  const FoldMoments made(x, folds.request(), folds.layout(), false);
  EXPECT_EQ(kept.bytes(), (Folds::count + 1) * made.bytes());
  for (Index fold = 0; fold < Folds::count; ++fold) {
    const auto own = made.make_heldout(fold);
    const auto expected = kept.training(kept.heldout(fold)).summary();
    const auto actual = made.training(own.front()).summary();
    expect_close(expected.mean, actual.mean, 1e-13);
    expect_close(expected.variance, actual.variance, 1e-12);
    expect_close(expected.product, actual.product, 1e-12);
  }
}

TEST(FoldMomentsSizeTest, PanelsThatAllCoresShareGiveTheSame) {
  Folds folds({.rows = 900, .cols = 210});
  const design::Erased x(folds.columns());
  expect_folds_from_their_rows(folds, x.view(), 1e-11);
  const FoldMoments one(x, folds.request(1), folds.layout(), false);
  const FoldMoments three(x, folds.request(3), folds.layout(), false);
  const auto a = one.make_heldout(2), b = three.make_heldout(2);
  const Index entries = a.front().size() * a.front().size();
  EXPECT_EQ(Vector(a.front().column(0), a.front().column(0) + entries),
            Vector(b.front().column(0), b.front().column(0) + entries));
}

TEST(FoldLayoutTest, FoldsThatDoNotAddUpAreToldApart) {
  Folds folds({});
  EXPECT_TRUE(folds.layout().complementary);
  EXPECT_EQ(folds.rows(), folds.layout().heldout_rows);
  folds.times(0, folds.rows() - 1).training = 2;  // a row that is listed twice
  EXPECT_FALSE(folds.layout().complementary);
  folds.times(0, folds.rows() - 1).training = 0;  // a row that is left over
  EXPECT_FALSE(folds.layout().complementary);
}

TEST(FoldLayoutTest, TasksOfDifferentTargetsShareNothing) {
  Folds folds({});
  Request request = folds.request();
  request.tasks.back().target = 1;
  EXPECT_FALSE(fold_layout(request, folds.rows()).complementary);
}

std::string refusal(Folds& folds, Index fold) {
  const design::Erased x(folds.columns());
  const FoldMoments moments(x, folds.request(), folds.layout());
  const RemainingRows training = moments.training(moments.heldout(fold));
  return moments.refusal(training, training.summary());
}

TEST(FoldRefusalTest, ColumnsThatHardlyVaryInTheTrainingRows) {
  for (const double left : {0.0, 1e-6, 1e-2}) {
    Folds folds({});
    for (Index i = folds.rows() / 4; i < folds.rows(); ++i) folds.x()(i, 5) = 3.0 + left * (i % 2);
    EXPECT_EQ("column 5 varies too little in the training rows compared with all rows",
              refusal(folds, 0));
    EXPECT_EQ("", refusal(folds, 1));
  }
}

TEST(FoldRefusalTest, ATargetThatHardlyVariesInTheTrainingRows) {
  Folds folds({});
  for (Index i = folds.rows() / 4; i < folds.rows(); ++i)
    folds.y()[static_cast<std::size_t>(i)] = 2.0;
  EXPECT_EQ("the target varies too little in the training rows compared with all rows",
            refusal(folds, 0));
}

TEST(FoldRefusalTest, ConstantColumnsAreNoneOfIt) {
  for (const double value : {0.0, 0.1, 1e8 / 3}) {
    Folds folds({});
    folds.x().col(3).setConstant(value);
    EXPECT_EQ("", refusal(folds, 2));
    const design::Erased x(folds.columns());
    const FoldMoments moments(x, folds.request(), folds.layout());
    EXPECT_EQ(0.0, moments.training(moments.heldout(2)).summary().variance[3]);
  }
}

TEST(FoldRefusalTest, NumbersThatAreNotFinite) {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), infinity}) {
    Folds folds({});
    folds.x()(10, 4) = bad;
    for (Index fold = 0; fold < Folds::count; ++fold) EXPECT_NE("", refusal(folds, fold));
  }
}

TEST(FoldMomentsAccuracyTest, LargeMeansDoNotCancel) {
  Folds small({}), large({});
  large.x().array() += 1e8;  // exactly: entries are eighths
  const design::Erased a(small.columns()), b(large.columns());
  const FoldMoments near(a, small.request(), small.layout());
  const FoldMoments far(b, large.request(), large.layout());
  for (Index fold = 0; fold < Folds::count; ++fold) {
    const RemainingRows expected = near.training(near.heldout(fold)),
                        actual = far.training(far.heldout(fold));
    const ColumnSummary summary = expected.summary(), shifted = actual.summary();
    EXPECT_EQ("", far.refusal(actual, shifted));
    expect_close(summary.variance, shifted.variance, 1e-12);
    expect_close(summary.product, shifted.product, 1e-12);
    const auto glm = small.glm(a, fold);
    expect_close(gram_of(expected, glm), gram_of(actual, glm), 1e-12);
  }
}

}  // namespace
}  // namespace thalweg::solver
