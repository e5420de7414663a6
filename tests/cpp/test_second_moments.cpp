// What second moments say of a point differs from the truth, summed in extended precision, by no
// more than the bounds that come with it, and by no less than a share of them that is worth having.
#include "thalweg/objective/second_moments.hpp"

#include <gtest/gtest.h>

#include <random>

#include "thalweg/design/csc.hpp"
#include "thalweg/design/dense.hpp"

namespace thalweg::objective {
namespace {

using Exact = long double;
using Dense = design::ColumnMajor<double>;
using Sparse = design::Csc<double, std::int32_t>;

constexpr Index rows = 3000, cols = 12;

// Columns that are nearly multiples of one another, with a mean: products cancel.
struct Data {
  Vector values, y;
  std::vector<std::int32_t> index, pointers{0};

  Data() : y(rows) {
    std::mt19937_64 generator(7);
    std::normal_distribution<double> normal;
    Vector common(rows);
    for (double& value : common) value = normal(generator) + 3;
    for (Index j = 0; j < cols; ++j) {
      for (Index i = 0; i < rows; ++i) {
        values.push_back(common[static_cast<std::size_t>(i)] + 1e-3 * normal(generator));
        index.push_back(static_cast<std::int32_t>(i));
      }
      pointers.push_back(static_cast<std::int32_t>(values.size()));
    }
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = common[i] + normal(generator);
  }
  template <class D>
  D view() const {
    if constexpr (std::is_same_v<D, Dense>) return {values.data(), rows, cols, rows};
    else return {values.data(), index.data(), pointers.data(), rows, cols};
  }
  Exact x(Index i, Index j) const { return values[static_cast<std::size_t>(i + j * rows)]; }
};

struct Truth {
  Exact product = 0, square = 0;
  std::vector<Exact> correlation = std::vector<Exact>(cols, 0);
};

Truth evaluate(const Data& data, const Vector& w, bool centred) {
  std::vector<Exact> mean(cols + 1, 0);
  for (Index i = 0; centred && i < rows; ++i) {
    for (Index j = 0; j < cols; ++j) mean[static_cast<std::size_t>(j)] += data.x(i, j) / rows;
    mean[cols] += Exact{data.y[static_cast<std::size_t>(i)]} / rows;
  }
  Truth truth;
  for (Index i = 0; i < rows; ++i) {
    const Exact t = data.y[static_cast<std::size_t>(i)] - mean[cols];
    Exact u = t;
    for (std::size_t k = 0; k < w.size(); ++k)
      u -= w[k] * (data.x(i, static_cast<Index>(k)) - mean[k]);
    truth.product += t * u / rows;
    truth.square += u * u / rows;
    for (std::size_t k = 0; k < w.size(); ++k)
      truth.correlation[k] += (data.x(i, static_cast<Index>(k)) - mean[k]) * u / rows;
  }
  return truth;
}

template <class D>
class SecondMomentsOf : public ::testing::Test {};
using Views = ::testing::Types<Dense, Sparse>;
TYPED_TEST_SUITE(SecondMomentsOf, Views);

TYPED_TEST(SecondMomentsOf, ComeWithABoundOfTheirRounding) {
  const Data data;
  const auto view = data.view<TypeParam>();
  const penalty::Terms terms({.l1 = 0.1, .l2 = 0.0}, nullptr, nullptr, nullptr);
  for (const bool centred : {true, false}) {
    Glm glm(design::Erased(view), {.y = data.y.data(), .fit_intercept = centred}, {});
    Vector gram(cols * cols);
    glm.gram(glm.all_columns(), cols, gram.data(), cols);
    const SecondMoments moments(glm, gram.data(), cols);
    std::mt19937_64 generator(3);
    std::normal_distribution<double> normal;
    double closest = 0;
    for (const double size : {0.0, 0.1, 10.0, 1e3}) {
      Vector w(cols);
      for (double& value : w) value = size * normal(generator);
      Evaluation at;
      moments.evaluate(w, terms, at);
      const Truth truth = evaluate(data, w, centred);
      const auto product = static_cast<double>(std::fabs(at.target_product - truth.product));
      const auto square = static_cast<double>(std::fabs(at.square - truth.square));
      EXPECT_LE(product, at.rounding) << size;
      EXPECT_LE(square, at.rounding) << size;
      EXPECT_GE(moments.rounding(w, terms), at.rounding) << size;
      closest = std::max(closest, square / at.rounding);
      for (std::size_t k = 0; k < w.size(); ++k) {
        const auto miss = static_cast<double>(std::fabs(at.correlation[k] - truth.correlation[k]));
        EXPECT_LE(miss, at.correlation_rounding[k]) << size;
      }
    }
    EXPECT_GE(closest, 1e-6);
  }
}

}  // namespace
}  // namespace thalweg::objective
