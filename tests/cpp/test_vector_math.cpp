// Elementary functions of packs on every instruction set that this processor supports, in units in
// the last place of long double references (64 bits of mantissa): random arguments over the whole
// range, denormals, special values, all tails.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "thalweg/core/rng.hpp"
#include "thalweg/kernels/kernels.hpp"

namespace thalweg::kernels {
namespace {

using Reference = long double (*)(long double);
using Kernel = void (*)(const double*, Index, double*);

double ulp(double v) {
  const double size = std::fabs(v);
  return size < 0x1p-1022 ? 0x1p-1074 : std::nextafter(size, infinity) - size;
}

// Largest error of the kernel over x in ulp of the rounded reference, and infinity where only one
// of the two is finite.
double worst_error(Kernel kernel, Reference reference, const std::vector<double>& x) {
  std::vector<double> out(x.size());
  kernel(x.data(), static_cast<Index>(x.size()), out.data());
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double exact = reference(x[i]);
    const double rounded = static_cast<double>(exact);
    if (!std::isfinite(rounded) || !std::isfinite(out[i])) {
      const bool same = rounded == out[i] || (std::isnan(rounded) && std::isnan(out[i]));
      worst = same ? worst : infinity;
      continue;
    }
    const auto error = static_cast<double>(std::fabs(static_cast<long double>(out[i]) - exact));
    worst = std::max(worst, error / ulp(rounded));
  }
  return worst;
}

// Uniform in [low, high].
std::vector<double> uniform(double low, double high) {
  core::Rng rng(7);
  std::vector<double> x(40003);
  for (double& v : x) v = low + (high - low) * 0x1p-53 * static_cast<double>(rng.next() >> 11);
  return x;
}

// Every exponent of the positive doubles in [low, high] alike.
std::vector<double> spread(double low, double high) {
  core::Rng rng(8);
  const auto first = std::bit_cast<std::int64_t>(low);
  const auto count = std::bit_cast<std::int64_t>(high) - first + 1;
  std::vector<double> x(40003);
  for (double& v : x) v = std::bit_cast<double>(first + rng.below(count));
  return x;
}

std::vector<double> negated(std::vector<double> x) {
  for (double& v : x) v = -v;
  return x;
}

const double nan_value = std::numeric_limits<double>::quiet_NaN();
const std::vector<double> special{0.0,          -0.0,
                                  infinity,     -infinity,
                                  nan_value,    1.0,
                                  -1.0,         5e-324,
                                  -5e-324,      1e308,
                                  -1e308,       709.78,
                                  709.79,       -708.4,
                                  -745.13,      -745.14,
                                  0x1p-1022,    -0x1p-1022,
                                  -0x1p-54,     0x1p-53,
                                  0x1p53,       2.0,
                                  0.5,          1e-300,
                                  -1 + 0x1p-53, 0x1.6a09e667f3bcdp-1};

class VectorMath : public ::testing::TestWithParam<const Table*> {
 protected:
  const MathKernels& math() const { return GetParam()->math; }
};

TEST_P(VectorMath, Exp) {
  for (const auto& x :
       {uniform(-745.2, 709.8), uniform(-708.0, 708.0), uniform(-745.2, -708.3), uniform(-1, 1),
        spread(1e-20, 700.0), negated(spread(1e-20, 740.0)), special}) {
    EXPECT_LT(worst_error(math().exp, std::exp, x), 1.05);
  }
}

TEST_P(VectorMath, Log) {
  for (const auto& x : {spread(5e-324, 1.7e308), spread(5e-324, 2.3e-308), uniform(0.5, 2.0),
                        uniform(0.99, 1.01), uniform(1 - 1e-9, 1 + 1e-9), special}) {
    EXPECT_LT(worst_error(math().log, std::log, x), 0.8);
  }
}

TEST_P(VectorMath, Log1p) {
  for (const auto& x : {spread(5e-324, 1.7e308), negated(spread(5e-324, 1.0)), uniform(-1, 1),
                        uniform(-0.3, 0.42), uniform(0.4, 3.0), uniform(-1e-3, 1e-3), special}) {
    EXPECT_LT(worst_error(math().log1p, std::log1p, x), 1.0);
  }
}

// Any length, in place, nothing written beyond the end, and the same bits wherever a value stands.
TEST_P(VectorMath, TailsEqualTheRest) {
  const double x = 0.7391, mark = -77;
  for (const Kernel kernel : {math().exp, math().log, math().log1p}) {
    double expected = x;
    kernel(&expected, 1, &expected);
    for (Index n = 0; n < 20; ++n) {
      std::vector<double> values(static_cast<std::size_t>(n + 1), x);
      values.back() = mark;
      kernel(values.data(), n, values.data());
      for (Index i = 0; i < n; ++i) EXPECT_EQ(expected, values[static_cast<std::size_t>(i)]);
      EXPECT_EQ(mark, values.back());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, VectorMath, ::testing::ValuesIn(tables().begin(), tables().end()),
                         [](const auto& isa) { return std::string(isa.param->name); });

void off_by_two_ulp(const double* x, Index n, double* out) {
  for (Index i = 0; i < n; ++i) out[i] = std::exp(x[i]) * (1 + 4 * epsilon);
}
void infinite(const double*, Index n, double* out) {
  for (Index i = 0; i < n; ++i) out[i] = infinity;
}

TEST(VectorMathCheckersTest, RejectBrokenFunctions) {
  EXPECT_GT(worst_error(off_by_two_ulp, std::exp, uniform(-1, 1)), 1.0);
  EXPECT_GT(worst_error(infinite, std::exp, special), 1.0);
}

}  // namespace
}  // namespace thalweg::kernels
