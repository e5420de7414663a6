// Whole vectors, of one block and of many: the values of naive loops, and the same bits with any
// threads.
#include "thalweg/solver/vectors.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace thalweg::solver {
namespace {

constexpr Index block = core::elements_block;

class VectorsTest : public ::testing::TestWithParam<Index> {
 protected:
  Vector numbers(unsigned seed) const {
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal;
    Vector v(static_cast<std::size_t>(GetParam()));
    for (double& x : v) x = normal(generator);
    return v;
  }
};

TEST_P(VectorsTest, EveryElementIsInOneBlock) {
  const Index n = GetParam();
  for (const int threads : {1, 3}) {
    std::vector<int> visits(static_cast<std::size_t>(n), 0);
    core::for_elements(n, threads, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
    });
    EXPECT_EQ(n, std::count(visits.begin(), visits.end(), 1));
  }
}

TEST_P(VectorsTest, ProductsAgreeWithNaiveLoops) {
  const Vector x = numbers(1), z = numbers(2), start = numbers(3);
  long double product = 0, after = 0;
  Vector moved = start;
  for (std::size_t i = 0; i < x.size(); ++i) {
    product += static_cast<long double>(x[i]) * z[i];
    moved[i] += 0.75 * x[i];
    after += static_cast<long double>(moved[i]) * z[i];
  }
  const double rounding = 1e-13 * static_cast<double>(1 + x.size());
  const double first = dot(x, z);
  for (const int threads : {1, 2, 3}) {
    EXPECT_EQ(first, dot(x, z, threads));
    Vector y = start, v = start;
    axpy(0.75, x, y, threads);
    const double found = axpy_dot(0.75, x, v, z, threads);
    EXPECT_EQ(y, v);
    EXPECT_EQ(dot(v, z, threads), found);
    EXPECT_NEAR(static_cast<double>(product), dot(x, z, threads), rounding);
    EXPECT_NEAR(static_cast<double>(after), found, rounding);
    for (std::size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(moved[i], y[i], 1e-15);
  }
}

// As if what is kept in float32 were float64.
TEST_P(VectorsTest, ProductsTakeFloat32) {
  const Vector start = numbers(3);
  const auto round = [](const Vector& v) { return VectorOf<float>(v.begin(), v.end()); };
  const VectorOf<float> x = round(numbers(1)), z = round(numbers(2));
  const Vector wide_x(x.begin(), x.end()), wide_z(z.begin(), z.end());
  const double rounding = 1e-13 * static_cast<double>(1 + x.size());
  for (const int threads : {1, 3}) {
    EXPECT_NEAR(dot(wide_x, start), dot(x, start, threads), rounding);
    Vector expected = start, y = start;
    const double product = axpy_dot(0.75, wide_x, expected, wide_z);
    EXPECT_NEAR(product, axpy_dot(0.75, x, y, z, threads), rounding);
    for (std::size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(expected[i], y[i], 1e-15);
  }
}

TEST_P(VectorsTest, TheLargestEntryIsFoundWhereverItIs) {
  const Index n = GetParam();
  for (const Index at : {Index{0}, n / 2, n - 1}) {
    Vector v = numbers(4);
    if (at < 0 || at >= n) continue;
    v[static_cast<std::size_t>(at)] = -100;
    EXPECT_EQ(100, largest_entry(v, 2));
    v[static_cast<std::size_t>(at)] = std::numeric_limits<double>::quiet_NaN();
    EXPECT_TRUE(std::isnan(largest_entry(v, 2)));
  }
}

TEST_P(VectorsTest, NormsNeitherOverflowNorVanish) {
  Vector v = numbers(5);
  const double size = norm(v, 2);
  for (double& x : v) x *= 1e200;
  EXPECT_NEAR(size, norm(v, 2) / 1e200, 1e-12 * size);
  for (double& x : v) x = x * 1e-200 * 1e-200;
  EXPECT_NEAR(size, norm(v, 2) / 1e-200, 1e-12 * size);
}

INSTANTIATE_TEST_SUITE_P(Sizes, VectorsTest,
                         ::testing::Values(0, 1, 7, block - 1, block, block + 1, 5 * block + 3));

}  // namespace
}  // namespace thalweg::solver
