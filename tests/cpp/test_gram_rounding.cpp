// Gram products in float32: what they are off by, and that a solve on them ends where one in
// float64 does.
#include "thalweg/solver/gram_rounding.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "thalweg/design/dense.hpp"
#include "thalweg/solver/gram.hpp"
#include "thalweg/solver/quadratic_process.hpp"

namespace thalweg::solver {
namespace {

using design::GramPrecision;

constexpr Index rows = 1500, cols = 40;

// Normal columns about a mean, of a size.
struct Data {
  Vector values, y, weights;

  explicit Data(double size = 1, double mean = 0) {
    std::mt19937_64 generator(3);
    std::normal_distribution<double> normal;
    for (Index k = 0; k < rows * cols; ++k) values.push_back(size * (normal(generator) + mean));
    for (Index i = 0; i < rows; ++i) {
      const auto at = static_cast<std::size_t>(i);
      y.push_back(normal(generator) + (values[at] + values[at + rows]) / size);
      weights.push_back(1 + std::fabs(normal(generator)));
    }
  }
  // Column 1 becomes column 0 but for a part `apart` of its size.
  void make_alike(double apart) {
    for (Index i = 0; i < rows; ++i) {
      const auto at = static_cast<std::size_t>(i);
      values[at + rows] = values[at] + apart * values[at + rows];
    }
  }
  design::ColumnMajor<double> view() const { return {values.data(), rows, cols, rows}; }
};

template <class T>
void expect_near_float64(const Vector& values, const double* center, const double* s,
                         std::span<const Index> columns, Index fresh) {
  const std::vector<T> data(values.begin(), values.end());
  std::vector<T> transposed(data.size());
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < cols; ++j)
      transposed[static_cast<std::size_t>(i * cols + j)] =
          data[static_cast<std::size_t>(i + j * rows)];
  const design::ColumnMajor<T> by_columns(data.data(), rows, cols, rows);
  const design::RowMajor<T> by_rows(transposed.data(), rows, cols, cols);
  const auto count = static_cast<Index>(columns.size());
  const auto size = static_cast<std::size_t>(count * fresh);
  for (const int threads : {1, 2}) {
    Vector exact(size), rounded(size), other(size);
    const core::Execution execution{.threads = threads};
    by_columns.gram(columns, fresh, center, s, 0.0, exact.data(), count, execution);
    by_columns.gram(columns, fresh, center, s, 0.0, rounded.data(), count, execution,
                    GramPrecision::float32);
    by_rows.gram(columns, fresh, center, s, 0.0, other.data(), count, execution,
                 GramPrecision::float32);
    double largest = 0;
    for (Index k = 0; k < fresh; ++k)
      largest = std::max(largest,
                         std::fabs(exact[static_cast<std::size_t>(count - fresh + k + k * count)]));
    for (std::size_t k = 0; k < size; ++k) {
      EXPECT_NEAR(exact[k], rounded[k], 1e-6 * largest);
      EXPECT_NEAR(exact[k], other[k], 1e-6 * largest);
    }
  }
}

TEST(GramRounding, IsInTheSeventhDigit) {
  const Data data(1.0, 2.0);
  const Vector center(cols, 2.0);
  std::vector<Index> columns(cols);
  std::iota(columns.begin(), columns.end(), Index{0});
  for (const double* m : {static_cast<const double*>(nullptr), center.data()}) {
    for (const double* s : {static_cast<const double*>(nullptr), data.weights.data()}) {
      for (const Index fresh : {cols, Index{16}, Index{11}}) {
        expect_near_float64<double>(data.values, m, s, columns, fresh);
        expect_near_float64<float>(data.values, m, s, columns, fresh);
      }
    }
  }
}

core::Result fit(const Data& data, double alpha, double tol, std::string* reason, Vector* coef) {
  objective::Glm glm(design::Erased(data.view()), {.y = data.y.data()}, {});
  objective::Evaluator evaluator(glm);
  SolverOptions options;
  Gram::configure(options);
  const auto solver = Gram::make(glm, options);
  QuadraticProcess process(evaluator, *solver);
  const penalty::Terms terms({.l1 = alpha, .l2 = 0.0}, nullptr, nullptr, nullptr);
  coef->assign(cols, 0.0);
  objective::Evaluation at;
  evaluator.evaluate(*coef, terms, glm.all_columns(), at);
  process.set_problem(terms, *coef, at, 0.0, nullptr);
  core::Result result;
  drive(process, {.tol = tol, .max_iter = 5000, .start = core::StopToken::Clock::now()}, {},
        result);
  *reason = solver->reason();
  return result;
}

TEST(GramRounding, RefinesToAnyTolerance) {
  const Data data;
  std::string reason;
  Vector coef;
  for (const double tol : {1e-4, 1e-8, 1e-13}) {
    const core::Result result = fit(data, 0.01, tol, &reason, &coef);
    EXPECT_EQ(result.status, core::Status::converged) << tol;
    EXPECT_EQ(reason.find("float32"), std::string::npos) << reason;
  }
}

TEST(GramRounding, IsRefusedWhereColumnsAreAlike) {
  Data data;
  data.make_alike(1e-4);  // coefficients of 1e4: correlations are known to 1e-12
  std::string reason;
  Vector coef;
  const core::Result result = fit(data, 1e-7, 1e-6, &reason, &coef);
  EXPECT_EQ(result.status, core::Status::converged) << reason;
  EXPECT_NE(reason.find("float32 at first"), std::string::npos) << reason;
}

TEST(GramRounding, IsNotTriedWhereFloat32HasNoRoom) {
  const auto first = [](const Data& data) {
    const objective::Glm glm(design::Erased(data.view()), {.y = data.y.data()}, {});
    return GramRounding(glm).is_rounded();
  };
  EXPECT_TRUE(first(Data(1.0)));
  EXPECT_TRUE(first(Data(1e6)));
  EXPECT_FALSE(first(Data(1e12)));
  EXPECT_FALSE(first(Data(1e-12)));
  Data data;
  std::fill_n(data.values.begin(), rows, 0.0);
  EXPECT_TRUE(first(data));
}

}  // namespace
}  // namespace thalweg::solver
