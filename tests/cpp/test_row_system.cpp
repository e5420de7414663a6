// A Newton step of a ridge problem on the matrix of its rows ends at the minimum, of every storage.
#include "thalweg/solver/row_system.hpp"

#include <gtest/gtest.h>

#include <random>

#include "thalweg/objective/certificate.hpp"

namespace thalweg::solver {
namespace {

constexpr Index rows = 12, cols = 40;

struct Data {
  Vector by_column = Vector(rows * cols), by_row = Vector(rows * cols);
  Vector y = Vector(rows), weights = Vector(rows), factors = Vector(cols);
  std::vector<std::int32_t> column_index, row_index, column_starts{0}, row_starts{0};
  Vector column_values, row_values;

  Data() {
    std::mt19937_64 generator(3);
    std::normal_distribution<double> normal;
    for (Index j = 0; j < cols; ++j) {
      factors[static_cast<std::size_t>(j)] = 0.5 + static_cast<double>(j % 4);
      for (Index i = 0; i < rows; ++i) {
        const bool is_zero = (i + j) % 3 == 0;
        const double value = is_zero ? 0.0 : 1.0 + normal(generator);
        by_column[static_cast<std::size_t>(i + j * rows)] = value;
        by_row[static_cast<std::size_t>(j + i * cols)] = value;
        if (is_zero) continue;
        column_index.push_back(static_cast<std::int32_t>(i));
        column_values.push_back(value);
      }
      column_starts.push_back(static_cast<std::int32_t>(column_index.size()));
    }
    for (Index i = 0; i < rows; ++i) {
      y[static_cast<std::size_t>(i)] = normal(generator);
      weights[static_cast<std::size_t>(i)] = i == 4 ? 0.0 : 0.5 + static_cast<double>(i % 3);
      for (Index j = 0; j < cols; ++j) {
        const double value = by_row[static_cast<std::size_t>(j + i * cols)];
        if (value == 0) continue;
        row_index.push_back(static_cast<std::int32_t>(j));
        row_values.push_back(value);
      }
      row_starts.push_back(static_cast<std::int32_t>(row_index.size()));
    }
  }

  std::vector<design::AnyDesign> designs() const {
    return {design::ColumnMajor<double>(by_column.data(), rows, cols, rows),
            design::RowMajor<double>(by_row.data(), rows, cols, cols),
            design::Csc<double, std::int32_t>(column_values.data(), column_index.data(),
                                              column_starts.data(), rows, cols),
            design::Csr<double, std::int32_t>(row_values.data(), row_index.data(),
                                              row_starts.data(), rows, cols)};
  }
};

double largest_slope(const objective::Glm& glm, const penalty::Terms& terms, const Vector& w,
                     objective::Evaluation& at) {
  glm.evaluate(w, terms, glm.all_columns(), at);
  double largest = 0;
  for (std::size_t j = 0; j < w.size(); ++j) {
    const double slope = at.correlation[j] - terms(static_cast<Index>(j)).l2 * w[j];
    largest = std::max(largest, std::fabs(slope));
  }
  return largest;
}

TEST(RowSystem, EndsAtTheMinimumFromAnywhere) {
  const Data data;
  for (const design::AnyDesign& x : data.designs()) {
    for (const bool intercept : {false, true}) {
      for (const bool weighted : {false, true}) {
        const objective::Glm glm(design::Erased(x),
                                 {.y = data.y.data(),
                                  .weights = weighted ? data.weights.data() : nullptr,
                                  .fit_intercept = intercept,
                                  .standardize = weighted},
                                 {});
        RowSystem system(glm);
        Vector w(cols, 0.7);
        objective::Evaluation at;
        // One strength after another, then factors that are no multiple of those before.
        for (const double l2 : {1.0, 1e-2, 1e-5, 1e-9}) {
          for (const double* factors : {static_cast<const double*>(nullptr), data.factors.data()}) {
            const penalty::Terms terms({.l1 = 0, .l2 = l2}, factors, nullptr, nullptr);
            ASSERT_TRUE(system.suits(terms, 1e8));
            for (int refinement = 0; refinement < 3; ++refinement) {
              largest_slope(glm, terms, w, at);
              ASSERT_TRUE(system.step(terms, at, w));
              if (refinement == 0) {
                EXPECT_LE(largest_slope(glm, terms, w, at), 1e-6) << l2;
              }
            }
            EXPECT_LE(largest_slope(glm, terms, w, at), 1e-13) << l2;
          }
        }
      }
    }
  }
}

TEST(RowSystem, SuitsRidgeProblemsOnly) {
  const Data data;
  const design::AnyDesign x = data.designs().front();
  const objective::Glm glm(design::Erased(x), {.y = data.y.data()}, {});
  RowSystem system(glm);
  const Vector no_limit(cols, infinity), limits(cols, 1.0);
  Vector free = data.factors;
  free[3] = 0;
  EXPECT_TRUE(system.suits({{.l1 = 0, .l2 = 1}, nullptr, nullptr, no_limit.data()}, 1e8));
  EXPECT_FALSE(system.suits({{.l1 = 1, .l2 = 1}, nullptr, nullptr, nullptr}, 1e8));
  EXPECT_FALSE(system.suits({{.l1 = 0, .l2 = 1}, free.data(), nullptr, nullptr}, 1e8));
  EXPECT_FALSE(system.suits({{.l1 = 0, .l2 = 1}, nullptr, nullptr, limits.data()}, 1e8));
  EXPECT_FALSE(system.suits({{.l1 = 0, .l2 = 1}, nullptr, nullptr, nullptr}, 8 * rows));
}

}  // namespace
}  // namespace thalweg::solver
