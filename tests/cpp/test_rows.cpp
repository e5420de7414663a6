// Weights that are made as they are needed, the rows that have one, and evaluations in slices of
// rows: the same as from vectors over the rows.
#include "thalweg/design/rows.hpp"

#include <gtest/gtest.h>

#include <random>

#include "thalweg/design/dense.hpp"
#include "thalweg/objective/certificate.hpp"
#include "thalweg/solver/folds.hpp"

namespace thalweg {
namespace {

using design::RowPart;
using solver::FoldWeights;

// Around the ends of blocks.
const Index row_counts[] = {1, design::row_block - 1, design::row_block, 2 * design::row_block + 7};

struct Coded {
  std::vector<std::uint16_t> codes;
  Vector weights;
  solver::Folds folds;

  explicit Coded(Index rows) : weights(static_cast<std::size_t>(rows)) {
    std::mt19937 generator(1);
    std::uniform_int_distribution<int> code(0, 300), eighths(0, 8);
    for (double& weight : weights) {
      weight = eighths(generator) / 8.0;
      codes.push_back(static_cast<std::uint16_t>(code(generator)));
    }
    folds.columns.push_back(codes.data());
    folds.all = {{.first = 290, .times = {{0, 1}, {2, 3}}}, {.first = 400, .times = {{0, 1}}}};
  }
};

TEST(FoldWeightsTest, AreThoseOfTheRowsTimesTheCountsOfTheirCodes) {
  for (const Index rows : row_counts) {
    const Coded data(rows);
    using Side = FoldWeights::Side;
    const auto all = [&](Index fold, Side side) {
      return design::to_vector(FoldWeights(data.weights.data(), data.folds, fold, side), rows);
    };
    const Vector training = all(0, Side::training), heldout = all(0, Side::heldout),
                 both = all(0, Side::both), unused = all(1, Side::training);
    for (std::size_t i = 0; i < training.size(); ++i) {
      const int code = data.codes[i];
      const double s = data.weights[i];
      EXPECT_EQ(s * (code == 290 ? 0 : code == 291 ? 2 : 1), training[i]);
      EXPECT_EQ(s * (code == 290 ? 1 : code == 291 ? 3 : 0), heldout[i]);
      EXPECT_EQ(training[i] + heldout[i], both[i]);
      EXPECT_EQ(s, unused[i]);
    }
    const Vector ones =
        design::to_vector(FoldWeights(nullptr, data.folds, 1, Side::training), rows);
    EXPECT_EQ(Vector(static_cast<std::size_t>(rows), 1.0), ones);
  }
}

TEST(RowPartTest, CursorsFindTheRowsThatHaveAWeightFromAnyPosition) {
  for (const Index rows : row_counts) {
    Vector weights(static_cast<std::size_t>(rows), 0.0);
    std::mt19937 generator(2);
    std::vector<Index> used;
    for (Index i = 0; i < rows; ++i) {
      // With a block and more that has none.
      if (generator() % 3 != 0 || (i > 5 && i < design::row_block + 9)) continue;
      weights[static_cast<std::size_t>(i)] = static_cast<double>(i + 1);
      used.push_back(i);
    }
    const design::ArrayWeights source(weights.data());
    const RowPart part(source, rows);
    ASSERT_EQ(static_cast<Index>(used.size()), part.size());
    for (Index first = 0; first < part.size(); first += 1 + part.size() / 7) {
      RowPart::Cursor cursor(part, first);
      for (Index at = first, count = 1; at < part.size(); at += count, count = 2 * count + 1) {
        count = std::min(count, part.size() - at);
        std::vector<Index> found(static_cast<std::size_t>(count));
        Vector roots(found.size());
        cursor.take(count, found.data(), roots.data());
        for (std::size_t k = 0; k < found.size(); ++k) {
          ASSERT_EQ(used[static_cast<std::size_t>(at) + k], found[k]);
          ASSERT_EQ(std::sqrt(static_cast<double>(found[k] + 1)), roots[k]);
        }
      }
    }
  }
}

struct Settings {
  bool weighted, offset, fit_intercept, standardize;
  double mean;
};

template <class D>
class SlicesTest : public ::testing::Test {
 public:
  static constexpr Index rows = 5003, cols = 7;

  SlicesTest() {
    std::mt19937 generator(3);
    std::normal_distribution<double> normal;
    for (double& value : values_) value = normal(generator);
    for (double& value : y_) value = 4 + normal(generator);
    for (double& value : offset_) value = normal(generator);
    for (std::size_t i = 0; i < weights_.size(); ++i) weights_[i] = static_cast<double>(i % 4);
  }

  static constexpr bool by_rows = std::is_same_v<D, design::RowMajor<double>>;
  D view(double mean) {
    shifted_ = values_;
    for (double& value : shifted_) value += mean;
    return {shifted_.data(), rows, cols, by_rows ? cols : rows};
  }
  objective::GlmData data(const Settings& settings) const {
    objective::GlmData data;
    data.y = y_.data();
    if (settings.weighted) data.row_weights = &row_weights_;
    if (settings.offset) data.offset = offset_.data();
    data.fit_intercept = settings.fit_intercept;
    data.standardize = settings.standardize;
    return data;
  }
  template <class F>
  static void for_all(F&& f) {
    for (int bits = 0; bits < 16; ++bits) {
      for (const double mean : {0.0, 1e4}) {
        const Settings settings{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0,
                                mean};
        if (mean == 0 || settings.fit_intercept) f(settings);
      }
    }
  }

 private:
  Vector values_ = Vector(rows * cols), y_ = Vector(rows), offset_ = Vector(rows),
         weights_ = Vector(rows), shifted_;
  design::ArrayWeights row_weights_{weights_.data()};
};

using Dense = ::testing::Types<design::ColumnMajor<double>, design::RowMajor<double>>;
TYPED_TEST_SUITE(SlicesTest, Dense);

TYPED_TEST(SlicesTest, EvaluateWithoutVectorsOverTheRows) {
  this->for_all([&](const Settings& settings) {
    const design::Erased x(this->view(settings.mean));
    const objective::Glm glm(x, this->data(settings), {});
    const penalty::Terms terms({.l1 = 0.1, .l2 = 0.3}, nullptr, nullptr, nullptr);
    for (const Vector& w : {Vector(7, 0.0), Vector{0.5, 0, -1, 0, 0, 2, 0.25}}) {
      objective::Evaluation expected, found;
      glm.evaluate(w, terms, glm.all_columns(), expected);
      glm.evaluate_in_slices(w, terms, glm.all_columns(), found);
      const double tolerance = settings.mean == 0 ? 1e-13 : 1e-9;
      EXPECT_FALSE(found.has_residual());
      EXPECT_TRUE(found.is_from_x() && expected.is_from_x());
      EXPECT_EQ(expected.penalty, found.penalty);
      EXPECT_NEAR(expected.loss, found.loss, tolerance * expected.loss);
      EXPECT_NEAR(expected.square, found.square, tolerance * expected.square);
      EXPECT_NEAR(expected.target_product, found.target_product, tolerance * expected.loss);
      EXPECT_NEAR(expected.intercept, found.intercept, 1e-13 * (1 + 4 * settings.mean));
      for (std::size_t j = 0; j < w.size(); ++j)
        EXPECT_NEAR(expected.correlation[j], found.correlation[j], tolerance * expected.loss);
    }
  });
}

TYPED_TEST(SlicesTest, ColumnsThatAreKnownCostNoVector) {
  this->for_all([&](const Settings& settings) {
    const design::Erased x(this->view(settings.mean));
    const objective::Glm expected(x, this->data(settings), {});
    objective::ColumnSummary known;
    known.resize(7);
    const objective::Glm found(x, this->data(settings), {}, &known);
    EXPECT_EQ(expected.null_objective(), found.null_objective());
    EXPECT_EQ(expected.null_intercept(), found.null_intercept());
    EXPECT_EQ(expected.total_weight(), found.total_weight());
    EXPECT_EQ(expected.tolerance_scale(), found.tolerance_scale());
  });
}

TYPED_TEST(SlicesTest, CertificatesProjectThePointWhereThereIsNoResidual) {
  this->for_all([&](const Settings& settings) {
    const design::Erased x(this->view(settings.mean));
    const objective::Glm glm(x, this->data(settings), {});
    const Vector factors{0, 1, 1, 0, 1, 1, 0};
    const penalty::Terms terms({.l1 = 0.1, .l2 = 0.0}, factors.data(), nullptr, nullptr);
    const Vector w{0.5, 0, -1, 0, 0, 2, 0.25};
    const auto certify = [&](const objective::Evaluation& at) {
      objective::Certifier certifier(glm);
      certifier.begin(terms);
      objective::BestDual best;
      return certifier.certify(w, at, glm.all_columns(), best);
    };
    objective::Evaluation at, in_slices;
    glm.evaluate(w, terms, glm.all_columns(), at);
    glm.evaluate_in_slices(w, terms, glm.all_columns(), in_slices);
    const core::Certificate expected = certify(at), found = certify(in_slices);
    EXPECT_TRUE(std::isfinite(expected.dual));
    EXPECT_GT(expected.dual, 0);
    EXPECT_NEAR(expected.dual, found.dual, 1e-9 * expected.primal);
    EXPECT_NEAR(expected.primal, found.primal, 1e-9 * expected.primal);
  });
}

}  // namespace
}  // namespace thalweg
