// A generalized linear model as a smooth objective: every scalar and multi-output loss of the
// catalogue, dense and sparse, against finite differences and against weak duality.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "thalweg/catalog.hpp"
#include "thalweg/objective/smooth_certificate.hpp"

namespace thalweg::test {
namespace {

constexpr Index rows = 200, cols = 9;  // enough columns for a blocked Gram product

struct Data {
  Vector x = Vector(rows * cols);
  Vector y = Vector(rows), weights = Vector(rows), offset = Vector(rows);
};

// The first of several targets that the loss accepts.
Data make_data(const loss::LossBlock& loss) {
  std::mt19937_64 generator(7);
  std::normal_distribution<double> normal;
  Data data;
  for (double& value : data.x) value = normal(generator) + 0.5;
  for (Index i = 0; i < rows; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const double number = normal(generator);
    data.weights[k] = i % 7 == 0 ? 0.0 : 0.5 + std::fabs(normal(generator));
    data.offset[k] = 0.1 * normal(generator);
    const double label = static_cast<double>(i % loss.outputs());
    for (const double candidate :
         {number, number > 0 ? 1.0 : -1.0, std::fabs(number) + 0.1, label}) {
      data.y[k] = candidate;
      if (loss.validate(candidate) && (loss.outputs() == 1 || candidate == label)) break;
    }
    EXPECT_TRUE(loss.validate(data.y[k])) << loss.info().name;
  }
  return data;
}

std::vector<loss::LossBlock> blocks() {
  std::vector<loss::LossBlock> list;
  for (const core::Info* info : losses()) {
    const bool is_multiple = core::flag(*info, "multi_output");
    list.push_back(find_loss_block(info->name, {}, is_multiple ? 3 : 1));
    if (!is_multiple) continue;
    // Enough blocks of the Hessian to be made at once; more outputs than its diagonal takes at
    // once.
    for (const Index outputs : {5, 18}) list.push_back(find_loss_block(info->name, {}, outputs));
  }
  return list;
}

class SmoothGlmTest : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Intercept, SmoothGlmTest, ::testing::Bool());

struct Model {
  Data data;
  design::AnyDesign x;
  objective::SmoothGlm<> glm;
  Vector point;

  Model(const loss::LossBlock& loss, bool intercept, bool has_offset = true)
      : data(make_data(loss)),
        x(design::ColumnMajor<double>(data.x.data(), rows, cols, rows)),
        glm(x,
            {.y = data.y.data(),
             .weights = data.weights.data(),
             .offset = has_offset ? data.offset.data() : nullptr,
             .fit_intercept = intercept,
             .standardize = true},
            loss, {}) {
    glm.set_terms({{0.0, 0.3}, nullptr, nullptr, nullptr});
    std::mt19937_64 generator(11);
    std::normal_distribution<double> normal;
    for (Index k = 0; k < glm.size(); ++k) point.push_back(0.3 * normal(generator));
  }
};

TEST_P(SmoothGlmTest, GradientIsTheDerivative) {
  for (const loss::LossBlock& loss : blocks()) {
    if (!core::flag(loss.info(), "smooth")) continue;
    Model model(loss, GetParam());
    const auto size = static_cast<std::size_t>(model.glm.size());
    Vector gradient(size), ignored(size);
    model.glm.evaluate(model.point.data(), gradient.data());
    for (std::size_t j = 0; j < size; ++j) {
      const double h = 1e-6;
      Vector at = model.point;
      at[j] += h;
      const double above = model.glm.evaluate(at.data(), ignored.data());
      at[j] -= 2 * h;
      const double below = model.glm.evaluate(at.data(), ignored.data());
      EXPECT_NEAR(gradient[j], (above - below) / (2 * h), 1e-7 * (1 + std::fabs(gradient[j])))
          << loss.info().name << ", " << j;
    }
  }
}

TEST_P(SmoothGlmTest, LinesAreTheFunctionAlongThem) {
  for (const loss::LossBlock& loss : blocks()) {
    if (!core::flag(loss.info(), "smooth")) continue;
    Model model(loss, GetParam());
    const auto size = static_cast<std::size_t>(model.glm.size());
    Vector gradient(size), moved(size), there(size);
    Vector direction(size);
    model.glm.evaluate(model.point.data(), gradient.data());
    for (std::size_t j = 0; j < size; ++j) direction[j] = -gradient[j];
    model.glm.begin_line(direction.data());
    const objective::LinePoint at = model.glm.along(0.3);
    Vector x(size);
    const double value = model.glm.move(0.3, x.data(), moved.data());
    EXPECT_NEAR(at.value, value, 1e-12 * (1 + std::fabs(value)));
    double slope = 0;
    for (std::size_t j = 0; j < size; ++j) slope += moved[j] * direction[j];
    EXPECT_NEAR(at.slope, slope, 1e-11 * (1 + std::fabs(slope))) << loss.info().name;
    EXPECT_NEAR(model.glm.evaluate(x.data(), there.data()), value, 1e-12 * (1 + std::fabs(value)));
    for (std::size_t j = 0; j < size; ++j) EXPECT_NEAR(moved[j], there[j], 1e-11);
  }
}

TEST_P(SmoothGlmTest, HessianIsTheDerivativeOfTheGradient) {
  for (const loss::LossBlock& loss : blocks()) {
    if (!core::flag(loss.info(), "twice_differentiable")) continue;
    Model model(loss, GetParam());
    const auto size = static_cast<std::size_t>(model.glm.size());
    Vector above(size), below(size), product(size), matrix(size * size), diagonal(size);
    const objective::Refinements refinements = model.glm.refinements();
    for (std::size_t j = 0; j < size; ++j) {
      const double h = 1e-5;
      Vector at = model.point, unit(size, 0.0);
      unit[j] = 1;
      at[j] += h;
      model.glm.evaluate(at.data(), above.data());
      at[j] -= 2 * h;
      model.glm.evaluate(at.data(), below.data());
      model.glm.evaluate(model.point.data(), at.data());
      refinements.product->multiply(unit.data(), product.data());
      refinements.matrix->assemble(matrix.data());
      refinements.diagonal->diagonal(diagonal.data());
      EXPECT_NEAR(diagonal[j], product[j], 1e-10 * (1 + product[j])) << loss.info().name;
      for (std::size_t i = 0; i < size; ++i) {
        EXPECT_NEAR(product[i], (above[i] - below[i]) / (2 * h), 1e-6) << loss.info().name;
        // Intercepts of several outputs have a curvature of their own, see OutputBlocks.
        const bool common =
            loss.outputs() > 1 && j >= static_cast<std::size_t>(cols * loss.outputs());
        if (i >= j && !common) {
          EXPECT_NEAR(matrix[i + j * size], product[i], 1e-10) << loss.info().name;
        }
      }
    }
  }
}

// Where all rows have the same curvature, the diagonal is known without X.
TEST_P(SmoothGlmTest, DiagonalOfTheModelWithoutColumns) {
  for (const loss::LossBlock& loss : blocks()) {
    if (!core::flag(loss.info(), "twice_differentiable")) continue;
    Model model(loss, GetParam(), false);
    const auto size = static_cast<std::size_t>(model.glm.size());
    Vector at(size, 0.0), product(size), diagonal(size);
    const Vector& intercepts = model.glm.null_model().intercept;
    if (GetParam()) std::copy(intercepts.rbegin(), intercepts.rend(), at.rbegin());
    const objective::Refinements refinements = model.glm.refinements();
    model.glm.evaluate(at.data(), product.data());
    refinements.diagonal->diagonal(diagonal.data());
    for (std::size_t j = 0; j < size; ++j) {
      Vector unit(size, 0.0);
      unit[j] = 1;
      refinements.product->multiply(unit.data(), product.data());
      EXPECT_NEAR(diagonal[j], product[j], 1e-10 * (1 + product[j])) << loss.info().name;
    }
  }
}

// Of a row and an intercept a slope is left that is rounding; certificates must not be relative to
// it.
TEST(NullModel, IsExactOnOneRow) {
  for (const core::Info* info : losses()) {
    if (core::flag(*info, "multi_output") || core::flag(*info, "falls_for_ever")) continue;
    const loss::LossBlock loss = find_loss_block(info->name);
    if (!core::flag(*info, "twice_differentiable") || !core::flag(*info, "convex")) continue;
    for (int draw = 1; draw <= 40; ++draw) {
      const double x = 1, y = 0.37 * draw, weight = 2, offset = 0.61 * draw - 3;
      if (!loss.validate(y)) continue;
      const design::AnyDesign design = design::ColumnMajor<double>(&x, 1, 1, 1);
      const objective::SmoothGlm<> glm(
          design, {.y = &y, .weights = &weight, .offset = &offset, .fit_intercept = true}, loss,
          {});
      EXPECT_EQ(glm.null_model().slope_norm, 0.0) << info->name << ' ' << y;
    }
  }
}

// sum_i s_i information(eta_i) x_i x_i' / sum s + l2, written out for one output.
TEST_P(SmoothGlmTest, InformationIsTheExpectedHessian) {
  for (const loss::LossBlock& loss : blocks()) {
    if (!core::flag(loss.info(), "likelihood")) {
      EXPECT_EQ(Model(loss, GetParam()).glm.refinements().information, nullptr);
      continue;
    }
    Model model(loss, GetParam());
    const auto size = static_cast<std::size_t>(model.glm.size());
    Vector gradient(size), matrix(size * size), hessian(size * size);
    model.glm.evaluate(model.point.data(), gradient.data());
    const objective::Refinements refinements = model.glm.refinements();
    refinements.matrix->assemble(hessian.data());
    refinements.information->assemble(matrix.data());
    if (loss.outputs() > 1) {  // the link is canonical
      EXPECT_EQ(matrix, hessian) << loss.info().name;
      continue;
    }
    Vector coef, intercept, row(size), sum(size * size, 0.0);
    model.glm.coordinates().to_raw(model.point, coef, intercept);
    for (Index i = 0; i < rows; ++i) {
      const auto k = static_cast<std::size_t>(i);
      double eta = intercept[0] + model.data.offset[k], h = 0;
      for (Index j = 0; j < cols; ++j) {
        const double x = model.data.x[static_cast<std::size_t>(i + j * rows)];
        eta += coef[static_cast<std::size_t>(j)] * x;
        row[static_cast<std::size_t>(j)] =
            (x - model.glm.columns().mean(j)) * model.glm.columns().inverse_scale(j);
      }
      if (GetParam()) row.back() = 1;
      loss.information({&model.data.y[k], &model.data.weights[k], 1}, &eta, &h);
      for (std::size_t a = 0; a < size; ++a) {
        for (std::size_t b = 0; b < size; ++b) sum[a + b * size] += h * row[a] * row[b];
      }
    }
    for (std::size_t b = 0; b < size; ++b) {
      for (std::size_t a = b; a < size; ++a) {
        const double l2 = a == b && a < static_cast<std::size_t>(cols) ? 0.3 : 0.0;
        EXPECT_NEAR(matrix[a + b * size], sum[a + b * size] / model.glm.total_weight() + l2, 1e-11)
            << loss.info().name;
      }
    }
    // The Hessian is made anew after it.
    Vector again(size * size);
    refinements.matrix->assemble(again.data());
    EXPECT_EQ(again, hessian) << loss.info().name;
  }
}

// The dual value is below the objective everywhere, and close to it at the minimum.
TEST_P(SmoothGlmTest, DualPointsBoundTheObjective) {
  for (const loss::LossBlock& loss : blocks()) {
    if (!loss.is_convex() || !core::flag(loss.info(), "smooth")) continue;
    Model model(loss, GetParam());
    const auto size = static_cast<std::size_t>(model.glm.size());
    Vector x = model.point, gradient(size);
    double value = model.glm.evaluate(x.data(), gradient.data()), lowest = value;
    const auto is_small = [](double slope) { return std::fabs(slope) < 1e-6; };
    for (int i = 0; i < 2000 && !std::all_of(gradient.begin(), gradient.end(), is_small); ++i) {
      Vector direction(size);
      for (std::size_t j = 0; j < size; ++j) direction[j] = -gradient[j];
      model.glm.begin_line(direction.data());
      double step = 1;
      while (!(model.glm.value_along(step) <= value) && step > 1e-12) step /= 2;
      value = model.glm.move(step, x.data(), gradient.data());
      lowest = std::min(lowest, value);
    }
    const auto at_start = model.glm.dual_point(model.point, false);
    const auto at_end = model.glm.dual_point(x, true);
    EXPECT_LE(at_start.value, lowest + 1e-12) << loss.info().name;
    EXPECT_LE(at_end.value, lowest + 1e-12) << loss.info().name;
    EXPECT_NEAR(at_end.value, lowest, 1e-5 * (1 + lowest)) << loss.info().name;
    EXPECT_NEAR(at_end.primal, value, 1e-12 * (1 + value)) << loss.info().name;
  }
}

}  // namespace
}  // namespace thalweg::test
