// Block kernels of every loss, on every instruction set that this processor supports, against the
// losses' own scalar code: all tails, weights, unaligned arrays, NaN. Losses of several outputs,
// which have no scalar code, are held against their own differences.
#include <cmath>
#include <cstring>
#include <limits>

#include "losses.hpp"
#include "thalweg/catalog.hpp"
#include "thalweg/core/error.hpp"

namespace thalweg::test {
namespace {

using loss::LossBlock;
using loss::Rows;

std::size_t size(Index n) { return static_cast<std::size_t>(n); }

// Repeatable values in (-1, 1).
Vector noise(Index n, double phase) {
  Vector v(size(n));
  for (std::size_t i = 0; i < v.size(); ++i) {
    v[i] = std::sin(phase + 12.9898 * static_cast<double>(i));
  }
  return v;
}

const std::vector<Index> lengths{0, 1, 2, 3, 5, 8, 9, 15, 16, 17, 31, 32, 100};

// Samples of a loss. Arrays begin one element behind an allocation: unaligned for every register.
struct Samples {
  Samples(const LossBlock& of, Index rows, double scale = 6)
      : n(rows),
        stride(rows + 3),
        s_(noise(n + 1, 0.3)),
        eta_(noise(of.outputs() * stride + 1, 0.0)),
        d_(noise(of.outputs() * stride + 1, 1.0)) {
    for (Index i = 0; i <= n; ++i) {
      double target = static_cast<double>(i % 5 - 2);
      while (!of.validate(target)) target = target < 3 ? target + 1 : -2;
      y_.push_back(target);
    }
    for (double& v : s_) v = v < -0.6 ? 0.0 : 1 + v;
    const double negative = -1;
    const bool only_positive =
        of.outputs() == 1 && !std::isfinite(of.value({y_.data(), nullptr, 1}, &negative));
    for (double& v : eta_) v = only_positive ? 2.5 + 2 * v : scale * v;
  }
  Rows rows(bool weighted) const { return {y(), weighted ? s() : nullptr, n, stride}; }
  double weight(bool weighted, Index i) const { return weighted ? s()[i] : 1.0; }
  const double* y() const { return y_.data() + 1; }
  const double* s() const { return s_.data() + 1; }
  double* eta() { return eta_.data() + 1; }
  const double* d() const { return d_.data() + 1; }

  Index n, stride;

 private:
  Vector y_, s_, eta_, d_;
};

bool close(double a, double b, double size_of_terms = 0) {
  return a == b || std::fabs(a - b) <= 2e-13 * (1 + std::fabs(b) + size_of_terms);
}

// Sums of terms and of their sizes.
struct Reference {
  double sum = 0, terms = 0;
  void add(double weight, double v) {
    if (weight == 0) return;
    v *= weight;
    sum += v;
    terms += std::fabs(v);
  }
  bool agrees(double v) const { return close(v, sum, terms); }
};

template <class L>
::testing::AssertionResult equals_scalar_code(const LossBlock& block, const L& of, Index n,
                                              bool weighted) {
  Samples at(block, n);
  const Rows rows = at.rows(weighted);
  const double t = 0.3;
  Vector g(size(n + 1), -77), h(g), g2(g), theta(g), product(g), expected(g), mean(g);
  double line[3];
  Reference value, slope, curvature, along, conjugate, terms;
  const double computed = block.value(rows, at.eta());
  const double with_gradient = block.gradient(rows, at.eta(), g.data());
  const double with_curvature = block.curvature(rows, at.eta(), g2.data(), h.data());
  block.line(rows, at.eta(), at.d(), t, line);
  block.product(rows, h.data(), at.d(), product.data());
  block.inverse_links(n, at.stride, at.eta(), mean.data());
  if constexpr (loss::Likelihood<L>) block.information(rows, at.eta(), expected.data());
  for (Index i = 0; i < n; ++i) {
    const double w = at.weight(weighted, i);
    if constexpr (loss::Likelihood<L>) {
      if (!close(expected[size(i)], w == 0 ? 0.0 : w * of.information(at.eta()[i]))) {
        return ::testing::AssertionFailure() << "information of sample " << i << " of " << n;
      }
    }
    const auto here = of.evaluate(at.y()[i], at.eta()[i]);
    const auto there = of.evaluate(at.y()[i], at.eta()[i] + t * at.d()[i]);
    value.add(w, here.value);
    along.add(w, there.value);
    slope.add(w, there.gradient * at.d()[i]);
    curvature.add(w, there.curvature * at.d()[i] * at.d()[i]);
    theta[size(i)] = of.evaluate(at.y()[i], 0.8 * at.eta()[i]).gradient;
    conjugate.add(w, of.conjugate(at.y()[i], theta[size(i)]));
    terms.add(w, loss::terms(of, at.y()[i]));
    if (!close(g[size(i)], w * here.gradient)) {
      return ::testing::AssertionFailure() << "gradient of sample " << i << " of " << n;
    }
    if (!close(h[size(i)], w * here.curvature)) {
      return ::testing::AssertionFailure() << "curvature of sample " << i << " of " << n;
    }
    if (!close(mean[size(i)], of.inverse_link(at.eta()[i]))) {
      return ::testing::AssertionFailure() << "inverse link of sample " << i << " of " << n;
    }
    if (product[size(i)] != h[size(i)] * at.d()[i]) {
      return ::testing::AssertionFailure() << "product of sample " << i << " of " << n;
    }
  }
  for (Index i = 0; i < n; ++i) {
    if (!close(g[size(i)], g2[size(i)])) {
      return ::testing::AssertionFailure() << "gradients of sample " << i << " differ, n = " << n;
    }
  }
  if (g.back() != -77 || h.back() != -77 || expected.back() != -77 || mean.back() != -77) {
    return ::testing::AssertionFailure() << "written beyond the end, n = " << n;
  }
  if (!value.agrees(computed) || !value.agrees(with_gradient) || !value.agrees(with_curvature))
    return ::testing::AssertionFailure() << "value, n = " << n;
  if (!along.agrees(line[0]) || !slope.agrees(line[1]) || !curvature.agrees(line[2])) {
    return ::testing::AssertionFailure() << "line, n = " << n;
  }
  if (!conjugate.agrees(block.conjugate(rows, theta.data()))) {
    return ::testing::AssertionFailure() << "conjugate, n = " << n;
  }
  if (!terms.agrees(block.terms(rows))) return ::testing::AssertionFailure() << "terms, n = " << n;
  return ::testing::AssertionSuccess();
}

template <class L>
class LossBlockTest : public ::testing::Test {};
TYPED_TEST_SUITE(LossBlockTest, Losses, EntryNames);

TYPED_TEST(LossBlockTest, EqualsScalarCode) {
  if constexpr (loss::Loss<TypeParam>) {
    for (const kernels::Table* isa : kernels::tables()) {
      for (const auto& parameters : parameter_choices(TypeParam::info)) {
        const auto of = loss::with_parameters<TypeParam>(parameters);
        const LossBlock block = find_loss_block(TypeParam::info.name, parameters, 1, *isa);
        EXPECT_EQ(&block.info(), &TypeParam::info);
        EXPECT_EQ(block.outputs(), 1);
        EXPECT_EQ(block.is_convex(), loss::is_convex(of));
        EXPECT_DOUBLE_EQ(block.inverse_link(0.3), of.inverse_link(0.3));
        for (const Index n : lengths) {
          for (const bool weighted : {false, true}) {
            EXPECT_TRUE(equals_scalar_code(block, of, n, weighted))
                << isa->name << ::testing::PrintToString(parameters);
          }
        }
      }
    }
  }
}

template <class L>
LossBlock block_of(const kernels::Table& isa) {
  return find_loss_block(L::info.name, {}, loss::Loss<L> ? 1 : 3, isa);
}

TYPED_TEST(LossBlockTest, NanComesOutUnlessItsWeightIsZero) {
  for (const kernels::Table* isa : kernels::tables()) {
    const LossBlock block = block_of<TypeParam>(*isa);
    for (const Index n : {1, 7, 19}) {
      Samples at(block, n);
      for (Index bad = 0; bad < n; ++bad) {
        const double kept = at.eta()[bad];
        at.eta()[bad] = std::nan("");
        EXPECT_TRUE(std::isnan(block.value(at.rows(false), at.eta())));
        const bool counts = at.s()[bad] > 0;
        EXPECT_EQ(counts, std::isnan(block.value(at.rows(true), at.eta())));
        at.eta()[bad] = kept;
      }
    }
  }
}

TYPED_TEST(LossBlockTest, SurvivesLargeArguments) {
  for (const kernels::Table* isa : kernels::tables()) {
    const LossBlock block = block_of<TypeParam>(*isa);
    Samples at(block, 37, 1e3);
    Vector g(size(block.outputs() * at.stride)), h(g);
    EXPECT_FALSE(std::isnan(block.curvature(at.rows(true), at.eta(), g.data(), h.data())));
    for (const Vector* v : {&g, &h}) {
      for (const double entry : *v) EXPECT_FALSE(std::isnan(entry));
    }
  }
}

// Gradient, curvature and line of a loss of several outputs, against differences of the value.
void expect_differences(const LossBlock& block, Index n, bool weighted) {
  Samples at(block, n);
  const Rows rows = at.rows(weighted);
  const double h = 1e-6, t = 0.3;
  const Index planes = block.outputs();
  Vector g(size(planes * at.stride), -77), p(g), product(g), up(g), down(g), moved(g), mean(g),
      expected(g);
  const double value = block.curvature(rows, at.eta(), g.data(), p.data());
  EXPECT_TRUE(close(block.value(rows, at.eta()), value));
  EXPECT_TRUE(close(block.gradient(rows, at.eta(), up.data()), value));
  for (std::size_t j = 0; j < g.size(); ++j) EXPECT_TRUE(close(up[j], g[j]));
  block.product(rows, p.data(), at.d(), product.data());
  block.inverse_links(n, at.stride, at.eta(), mean.data());
  block.information(rows, at.eta(), expected.data());
  const auto shifted = [&](double step) {
    for (Index j = 0; j < planes * at.stride; ++j) moved[size(j)] = at.eta()[j] + step * at.d()[j];
    return moved.data();
  };
  block.gradient(rows, shifted(h), up.data());
  block.gradient(rows, shifted(-h), down.data());
  double slope = 0;
  for (Index k = 0; k < planes; ++k) {
    for (Index i = 0; i < at.stride; ++i) {
      const auto j = size(k * at.stride + i);
      if (i >= n) {
        EXPECT_EQ(g[j], -77) << "written outside of the block";
        EXPECT_EQ(expected[j], -77) << "written outside of the block";
        continue;
      }
      const double kept = at.eta()[j];
      at.eta()[j] = kept + h;
      const double above = block.value(rows, at.eta());
      at.eta()[j] = kept - h;
      EXPECT_NEAR((above - block.value(rows, at.eta())) / (2 * h), g[j], 1e-7);
      at.eta()[j] = kept;
      EXPECT_NEAR((up[j] - down[j]) / (2 * h), product[j], 1e-8);
      EXPECT_NEAR(mean[j], p[j], 1e-14);
      EXPECT_EQ(expected[j], p[j]);
    }
  }
  double line[3];
  block.line(rows, at.eta(), at.d(), t, line);
  block.curvature(rows, shifted(t), g.data(), p.data());
  block.product(rows, p.data(), at.d(), product.data());
  double curvature = 0;
  for (Index k = 0; k < planes; ++k) {
    for (Index i = 0; i < n; ++i) {
      slope += g[size(k * at.stride + i)] * at.d()[k * at.stride + i];
      curvature += product[size(k * at.stride + i)] * at.d()[k * at.stride + i];
    }
  }
  EXPECT_TRUE(close(line[0], block.value(rows, moved.data())));
  EXPECT_NEAR(line[1], slope, 1e-12);
  EXPECT_NEAR(line[2], curvature, 1e-12);
}

TYPED_TEST(LossBlockTest, SeveralOutputsAgreeWithDifferences) {
  if constexpr (!loss::Loss<TypeParam>) {
    for (const kernels::Table* isa : kernels::tables()) {
      for (const Index outputs : {2, 3, 7}) {
        const LossBlock block = find_loss_block(TypeParam::info.name, {}, outputs, *isa);
        EXPECT_EQ(block.outputs(), outputs);
        for (const Index n : {1, 2, 7, 11}) {
          expect_differences(block, n, false);
          expect_differences(block, n, true);
        }
      }
    }
  }
}

TYPED_TEST(LossBlockTest, SeveralOutputsHaveTheirConjugate) {
  if constexpr (!loss::Loss<TypeParam>) {
    for (const kernels::Table* isa : kernels::tables()) {
      const LossBlock block = find_loss_block(TypeParam::info.name, {}, 4, *isa);
      Samples at(block, 11);
      Vector g(size(4 * at.stride)), other(g);
      const Rows rows = at.rows(false);
      const double value = block.gradient(rows, at.eta(), g.data());
      double product = 0;
      for (Index k = 0; k < 4; ++k) {
        for (Index i = 0; i < at.n; ++i) {
          const auto j = size(k * at.stride + i);
          product += at.eta()[j] * g[j];
          other[j] = 0.5 * g[j];
        }
      }
      EXPECT_NEAR(value + block.conjugate(rows, g.data()), product, 1e-12);
      EXPECT_GE(value + block.conjugate(rows, other.data()), 0.5 * product);
      other[0] += 1e-3;
      EXPECT_EQ(block.conjugate(rows, other.data()), infinity);
    }
  }
}

TEST(MultinomialTest, TwoClassesAreTheLogisticLossOfTheDifference) {
  const LossBlock two = find_loss_block("multinomial", {}, 2);
  const LossBlock binary = find_loss_block("logistic");
  const Vector y{0, 1, 1, 0, 1}, label{-1, 1, 1, -1, 1};
  const Vector eta{0.3, -2, 40, 700, 5, -0.3, 3, -38, -690, 1};
  Vector difference, g(10), p(10), g1(5), h1(5);
  for (std::size_t i = 0; i < 5; ++i) difference.push_back(eta[5 + i] - eta[i]);
  const double value = two.curvature({y.data(), nullptr, 5, 5}, eta.data(), g.data(), p.data());
  const double expected =
      binary.curvature({label.data(), nullptr, 5}, difference.data(), g1.data(), h1.data());
  EXPECT_NEAR(value, expected, 1e-14 * expected);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(g[5 + i], g1[i], 1e-15 * std::fabs(g1[i]));
    EXPECT_NEAR(p[i] * p[5 + i], h1[i], 1e-15 * h1[i]);
  }
}

// The normal tails on the whole line, against long double.
TEST(ProbitTest, IsAccurateOnTheWholeLine) {
  for (const kernels::Table* isa : kernels::tables()) {
    const LossBlock block = find_loss_block("probit", {}, 1, *isa);
    for (double eta = -120; eta < 38; eta += 0.0317) {
      const double y = 1;
      double g, h;
      const double value = block.curvature({&y, nullptr, 1}, &eta, &g, &h);
      const long double m = eta;
      const long double phi = std::exp(-m * m / 2) / std::sqrt(2 * std::acos(-1.0L));
      const long double cdf = std::erfc(-m / std::sqrt(2.0L)) / 2;
      const long double beyond = std::erfc(m / std::sqrt(2.0L)) / 2;
      const long double exact = eta < 0 ? -std::log(cdf) : -std::log1p(-beyond);
      const double tolerance = 2e-15 + 2e-16 * eta * eta * (eta > 0);
      EXPECT_NEAR(value, static_cast<double>(exact), tolerance * static_cast<double>(exact)) << eta;
      const long double hazard = phi / cdf;
      EXPECT_NEAR(-g, static_cast<double>(hazard), tolerance * static_cast<double>(hazard)) << eta;
      const double curvature = static_cast<double>(hazard * (hazard + m));
      const double cancelled = eta < 0 ? 4e-15 * eta * eta : 0.0;  // in the reference too
      const double denormal = 100 * std::numeric_limits<double>::denorm_min();
      EXPECT_NEAR(h, curvature, (2 * tolerance + cancelled) * curvature + denormal) << eta;
    }
    for (const double eta : {-1e3, -1e8, -1e150}) {
      const double y = 1;
      double g, h;
      const double value = block.curvature({&y, nullptr, 1}, &eta, &g, &h);
      const double tail = 0.5 * std::log(2 * std::acos(-1.0)) + std::log(-eta);
      EXPECT_NEAR(value, 0.5 * eta * eta + tail, 2e-6 * value);
      EXPECT_NEAR(g, eta, 2e-6 * -eta);
      EXPECT_NEAR(h, 1.0, 2e-6);
    }
  }
}

TEST(FindLossBlockTest, RefusesWhatItCannotMake) {
  EXPECT_THROW(find_loss_block("none"), core::InvalidArgument);
  EXPECT_THROW(find_loss_block("squared", {}, 2), core::InvalidArgument);
  EXPECT_THROW(find_loss_block("multinomial"), core::InvalidArgument);
  EXPECT_THROW(find_loss_block("huber", Vector{1.0, 2.0}), core::InvalidArgument);
}

TEST(LossBlockCheckersTest, RejectAnotherLoss) {
  const LossBlock block = find_loss_block("huber", Vector{1.0});
  EXPECT_TRUE(equals_scalar_code(block, loss::Huber{{}, 1.0}, 9, true));
  EXPECT_FALSE(equals_scalar_code(block, loss::Huber{{}, 1.1}, 9, true));
}

}  // namespace
}  // namespace thalweg::test
