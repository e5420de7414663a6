// Huber's loss with an estimated scale: its scale against a search, its derivatives against
// differences, its bounds against each other.
#include <gtest/gtest.h>

#include <random>

#include "thalweg/design/column_major.hpp"
#include "thalweg/objective/huber_scale.hpp"
#include "thalweg/objective/smooth_certificate.hpp"

namespace thalweg::test {
namespace {

using objective::HuberScale;

constexpr loss::Huber huber{{}, 1.35};

struct Sample {
  Vector y, weights, eta, direction;

  explicit Sample(Index rows, unsigned seed = 3) {
    std::mt19937_64 generator(seed);
    std::normal_distribution<double> normal;
    for (Index i = 0; i < rows; ++i) {
      y.push_back(normal(generator) * (i % 9 == 0 ? 20.0 : 1.0));
      weights.push_back(i % 7 == 0 ? 0.0 : 0.5 + std::fabs(normal(generator)));
      eta.push_back(0.3 * normal(generator));
      direction.push_back(normal(generator));
    }
  }
  Index rows() const { return static_cast<Index>(y.size()); }
  HuberScale loss(const loss::Huber& of = huber, const core::Execution& execution = {}) const {
    return {of, y.data(), weights.data(), rows(), execution};
  }
  // The sum that the scale minimises.
  double at_scale(double sigma, double e = huber.delta) const {
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const double z = std::fabs(y[i] - eta[i]) / sigma;
      sum += weights[i] * sigma * (0.5 + (z <= e ? 0.5 * z * z : e * z - 0.5 * e * e));
    }
    return sum;
  }
};

TEST(HuberScaleTest, NoScaleIsBetter) {
  for (const double e : {1.0, 1.01, 1.35, 3.0, 100.0}) {
    const Sample sample(200);
    const HuberScale loss = sample.loss({{}, e});
    const double sigma = loss.scale(sample.eta.data()), value = loss.value(sample.eta.data());
    EXPECT_NEAR(value, sample.at_scale(sigma, e), 1e-13 * value) << e;
    for (double factor = 1e-3; factor < 1e3; factor *= 1.01)
      EXPECT_GE(sample.at_scale(factor * sigma, e), value * (1 - 1e-14)) << e << ", " << factor;
  }
}

TEST(HuberScaleTest, TheScaleHasTheUnitOfTheResiduals) {
  const Sample sample(100);
  const double sigma = sample.loss().scale(sample.eta.data());
  for (const double unit : {1e-9, 1e7, 1e150}) {
    Sample other = sample;
    for (Vector* each : {&other.y, &other.eta}) {
      for (double& number : *each) number *= unit;
    }
    EXPECT_NEAR(other.loss().scale(other.eta.data()) / (unit * sigma), 1.0, 1e-13) << unit;
  }
}

TEST(HuberScaleTest, TheScaleIsAtItsBoundWhereMostIsFittedExactly) {
  Sample sample(100);
  for (std::size_t i = 0; i < 60; ++i) sample.eta[i] = sample.y[i];
  const HuberScale loss = sample.loss();
  EXPECT_EQ(loss.scale(sample.eta.data()), 10 * epsilon);
  double absolute = 0;
  for (std::size_t i = 60; i < 100; ++i)
    absolute += sample.weights[i] * std::fabs(sample.y[i] - sample.eta[i]);
  EXPECT_NEAR(loss.value(sample.eta.data()), huber.delta * absolute, 1e-12 * absolute);
  EXPECT_EQ(loss.scale(sample.y.data()), 10 * epsilon);
}

TEST(HuberScaleTest, NumbersThatAreNotFiniteDoNotHang) {
  for (const double bad : {infinity, std::nan("")}) {
    Sample sample(50);
    sample.eta[1] = bad;
    EXPECT_FALSE(std::isfinite(sample.loss().value(sample.eta.data())));
  }
}

TEST(HuberScaleTest, LinesAreTheFunctionAlongThem) {
  const Sample sample(300);
  HuberScale loss = sample.loss();
  Vector g(300);
  loss.gradient(sample.eta.data(), g.data());
  const auto along = [&](double t) {
    return loss.line(sample.eta.data(), sample.direction.data(), t);
  };
  for (const double t : {0.0, 0.3, -2.0, 50.0}) {
    Vector there = sample.eta;
    loss.advance(t, sample.direction.data(), there.data());
    const auto [value, slope, curvature] = along(t);
    EXPECT_NEAR(value, loss.value(there.data()), 1e-12 * value);
    const double h = 1e-6;
    EXPECT_NEAR(slope, (along(t + h)[0] - along(t - h)[0]) / (2 * h), 1e-6 * (1 + value));
    EXPECT_NEAR(curvature, (along(t + h)[1] - along(t - h)[1]) / (2 * h), 1e-5 * (1 + value));
  }
  double product = 0;
  for (std::size_t i = 0; i < g.size(); ++i) product += g[i] * sample.direction[i];
  EXPECT_NEAR(along(0.0)[1], product, 1e-11 * std::fabs(product));
}

TEST(HuberScaleTest, FenchelYoungHoldsWithEqualityAtTheGradient) {
  const Sample sample(200), other(200, 5);
  HuberScale loss = sample.loss();
  Vector g(200), minus_u(200);
  const double value = loss.gradient(sample.eta.data(), g.data());
  const auto gap = [&](const Vector& eta, const Vector& slopes) {
    double sum = loss.value(eta.data()) + loss.conjugate(slopes.data(), nullptr, minus_u.data());
    for (std::size_t i = 0; i < eta.size(); ++i) sum -= slopes[i] * eta[i];
    return sum;
  };
  loss.make_feasible(g.data());
  EXPECT_NEAR(gap(sample.eta, g), 0.0, 1e-12 * value);
  EXPECT_GT(gap(other.eta, g), 1e-3 * value);
  for (double& entry : g) entry *= 1.001;
  EXPECT_EQ(loss.conjugate(g.data(), nullptr, minus_u.data()), infinity);
  loss.make_feasible(g.data());
  EXPECT_NEAR(gap(sample.eta, g), 0.0, 1e-12 * value);
}

TEST(HuberScaleTest, ThreadsDoNotChangeABit) {
  const Sample sample(30000);
  Vector slopes[2], curvatures[2], products[2];
  std::array<double, 3> lines[2];
  for (const int k : {0, 1}) {
    HuberScale loss = sample.loss(huber, {.threads = k + 1});
    slopes[k].resize(30000), curvatures[k].resize(30000);
    loss.gradient(sample.eta.data(), slopes[k].data());
    loss.curvature(sample.eta.data(), nullptr, curvatures[k].data());
    loss.curvature(sample.eta.data(), nullptr, curvatures[k].data());
    products[k] = sample.direction;
    loss.product(sample.eta.data(), curvatures[k].data(), products[k].data());
    lines[k] = loss.line(sample.eta.data(), sample.direction.data(), 0.7);
  }
  EXPECT_EQ(slopes[0], slopes[1]);
  EXPECT_EQ(curvatures[0], curvatures[1]);
  EXPECT_EQ(products[0], products[1]);
  EXPECT_EQ(lines[0], lines[1]);
}

// Multipliers stand for samples that are fitted exactly.
TEST(HuberScaleTest, MultipliersMakeTheBoundTight) {
  Sample sample(100);
  HuberScale loss = sample.loss();
  Vector g(100), moved(100);
  Vector eta = sample.eta;
  loss.gradient(eta.data(), g.data());
  loss.set_floor(1.0, 1.0);
  for (std::size_t i = 0; i < 80; ++i) eta[i] = sample.y[i] - 1e-4 * std::cos(i);
  loss.gradient(eta.data(), g.data());
  EXPECT_GT(loss.slack(), 1e-7);
  EXPECT_TRUE(loss.can_sharpen());
  loss.sharpen(eta.data());
  for (std::size_t i = 0; i < 80; ++i) eta[i] = sample.y[i];
  loss.gradient(eta.data(), moved.data());
  for (std::size_t i = 0; i < 100; ++i) EXPECT_NEAR(moved[i], g[i], 1e-7);
  EXPECT_LT(loss.slack(), 1e-12);
  EXPECT_EQ(loss.true_value(), loss.value(eta.data()));
}

constexpr Index rows = 200, cols = 9;  // enough columns for a blocked Gram product

using Glm = objective::SmoothGlm<HuberScale>;

struct Model {
  Sample sample;
  Vector numbers = Vector(rows * cols);
  design::AnyDesign x;
  Glm glm;
  Vector point;

  explicit Model(bool intercept, double shift = 0)
      : sample(shifted(shift)),
        numbers(random_numbers()),
        x(design::ColumnMajor<double>(numbers.data(), rows, cols, rows)),
        glm(x,
            {.y = sample.y.data(),
             .weights = sample.weights.data(),
             .fit_intercept = intercept,
             .standardize = true},
            huber, {}) {
    glm.set_terms({{0.0, 0.01}, nullptr, nullptr, nullptr});
    std::mt19937_64 generator(11);
    std::normal_distribution<double> normal;
    for (Index k = 0; k < glm.size(); ++k) point.push_back(0.3 * normal(generator));
  }
  std::size_t size() const { return point.size(); }
  Vector gradient_at(const Vector& at) {
    Vector gradient(size());
    glm.evaluate(at.data(), gradient.data());
    return gradient;
  }

 private:
  static Sample shifted(double shift) {
    Sample sample(rows);
    for (double& y : sample.y) y += shift;
    return sample;
  }
  static Vector random_numbers() {
    std::mt19937_64 generator(7);
    std::normal_distribution<double> normal;
    Vector numbers(rows * cols);
    for (double& value : numbers) value = normal(generator) + 0.5;
    return numbers;
  }
};

class HuberModelTest : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Intercept, HuberModelTest, ::testing::Bool());

TEST_P(HuberModelTest, GradientIsTheDerivative) {
  Model model(GetParam());
  const Vector gradient = model.gradient_at(model.point);
  Vector ignored(model.size());
  for (std::size_t j = 0; j < model.size(); ++j) {
    const double h = 1e-6;
    Vector at = model.point;
    at[j] += h;
    const double above = model.glm.evaluate(at.data(), ignored.data());
    at[j] -= 2 * h;
    const double below = model.glm.evaluate(at.data(), ignored.data());
    EXPECT_NEAR(gradient[j], (above - below) / (2 * h), 1e-7) << j;
  }
}

// The second matrix at a point is the Hessian, and so are the products.
TEST_P(HuberModelTest, HessianIsTheDerivativeOfTheGradient) {
  Model model(GetParam());
  const std::size_t size = model.size();
  const objective::Refinements refinements = model.glm.refinements();
  Vector matrix(size * size), product(size), diagonal(size);
  for (int times = 0; times < 2; ++times) {
    model.gradient_at(model.point);
    refinements.matrix->assemble(matrix.data());
  }
  refinements.diagonal->diagonal(diagonal.data());
  std::vector<Vector> columns;
  for (std::size_t j = 0; j < size; ++j) {
    Vector unit(size, 0.0);
    unit[j] = 1;
    refinements.product->multiply(unit.data(), product.data());
    columns.push_back(product);
  }
  for (std::size_t j = 0; j < size; ++j) {
    const double h = 1e-6;
    Vector at = model.point;
    at[j] += h;
    const Vector above = model.gradient_at(at);
    at[j] -= 2 * h;
    const Vector below = model.gradient_at(at);
    EXPECT_NEAR(diagonal[j], matrix[j + j * size], 1e-12);
    for (std::size_t i = 0; i < size; ++i) {
      EXPECT_NEAR(columns[j][i], (above[i] - below[i]) / (2 * h), 1e-7) << i << ", " << j;
      if (i >= j) {
        EXPECT_NEAR(matrix[i + j * size], columns[j][i], 1e-12);
      }
    }
  }
}

// The first matrix at a point is that of a quadratic above the function.
TEST_P(HuberModelTest, TheFirstMatrixBoundsTheFunction) {
  Model model(GetParam());
  const std::size_t size = model.size();
  Vector gradient(size), matrix(size * size), ignored(size);
  const double value = model.glm.evaluate(model.point.data(), gradient.data());
  model.glm.refinements().matrix->assemble(matrix.data());
  std::mt19937_64 generator(13);
  std::normal_distribution<double> normal;
  for (const double length : {1e-3, 0.1, 1.0, 30.0}) {
    Vector at = model.point, d(size);
    double bound = value;
    for (double& entry : d) entry = length * normal(generator);
    for (std::size_t j = 0; j < size; ++j) {
      at[j] += d[j];
      bound += gradient[j] * d[j] + 0.5 * matrix[j * (size + 1)] * d[j] * d[j];
      for (std::size_t i = j + 1; i < size; ++i) bound += matrix[i + j * size] * d[i] * d[j];
    }
    EXPECT_LE(model.glm.evaluate(at.data(), ignored.data()), bound * (1 + 1e-13)) << length;
  }
}

// The dual value is below the objective everywhere, and close to it at the minimum.
TEST_P(HuberModelTest, DualPointsBoundTheObjective) {
  Model model(GetParam());
  const std::size_t size = model.size();
  Vector x = model.point, gradient(size);
  double value = model.glm.evaluate(x.data(), gradient.data()), lowest = value;
  const double first = model.glm.dual_point(model.point, false).value;
  model.glm.evaluate(x.data(), gradient.data());
  for (int i = 0; i < 3000; ++i) {
    Vector direction(size);
    for (std::size_t j = 0; j < size; ++j) direction[j] = -gradient[j];
    model.glm.begin_line(direction.data());
    double step = 8;
    while (!(model.glm.value_along(step) <= value) && step > 1e-12) step /= 2;
    value = model.glm.move(step, x.data(), gradient.data());
    lowest = std::min(lowest, value);
  }
  const auto last = model.glm.dual_point(x, true);
  EXPECT_LE(first, lowest + 1e-12);
  EXPECT_LE(last.value, lowest + 1e-12);
  EXPECT_NEAR(last.value, lowest, 1e-7);
  EXPECT_NEAR(last.primal, value, 1e-12);
}

TEST_P(HuberModelTest, TargetsFarFromZeroHaveTheSameScale) {
  if (!GetParam()) return;
  const Model model(true), far(true, 1e7);
  EXPECT_NEAR(far.glm.null_model().objective, model.glm.null_model().objective, 1e-7);
  EXPECT_NEAR(far.glm.null_model().intercept.front() - 1e7,
              model.glm.null_model().intercept.front(), 1e-6);
}

}  // namespace
}  // namespace thalweg::test
