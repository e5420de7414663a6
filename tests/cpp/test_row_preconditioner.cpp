// The preconditioner of a linear model: every loss of labels with second derivatives, where few
// rows bend it, against products with the Hessian.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <random>

#include "thalweg/catalog.hpp"
#include "thalweg/objective/smooth_certificate.hpp"
#include "thalweg/solver/truncated_cg.hpp"

namespace thalweg::test {
namespace {

constexpr Index rows = 80, cols = 300, uncertain = 8;
constexpr double l2 = 0.05;

enum class Layout { column_major, row_major, sparse_rows, sparse_columns };

struct Case {
  Layout layout;
  bool intercept;
  double far = 0;  // added to all that is stored
};

std::vector<loss::LossBlock> losses_of_labels() {
  std::vector<loss::LossBlock> list;
  for (const core::Info* info : losses()) {
    if (!core::flag(*info, "classification") || !core::flag(*info, "twice_differentiable") ||
        !core::flag(*info, "convex"))
      continue;
    list.push_back(find_loss_block(info->name, {}, core::flag(*info, "multi_output") ? 4 : 1));
  }
  return list;
}

// Columns of which a third are zeros, in every layout.
struct Data {
  Eigen::MatrixXd x = Eigen::MatrixXd::Zero(rows, cols);
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> by_rows;
  std::vector<double> values;
  std::vector<std::int32_t> index, pointers{0};
  Vector y, weights;

  Data(const loss::LossBlock& loss, Layout layout, double far) {
    const bool is_sparse = layout == Layout::sparse_rows || layout == Layout::sparse_columns;
    std::mt19937_64 generator(5);
    std::normal_distribution<double> normal;
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < cols; ++j) {
        const double value = 0.4 + (1 + 0.01 * static_cast<double>(j)) * normal(generator);
        if (!is_sparse || (i + j) % 3 > 0) x(i, j) = far + ((i + j) % 3 > 0 ? value : 0);
      }
      const Index label = loss.outputs() > 1 ? i % loss.outputs() : 2 * (i % 2) - 1;
      y.push_back(static_cast<double>(label));
      weights.push_back(i % 9 == 0 ? 0.0 : 0.5 + std::fabs(normal(generator)));
    }
    by_rows = x;
    const bool is_sparse_rows = layout == Layout::sparse_rows;
    const Eigen::MatrixXd major = is_sparse_rows ? Eigen::MatrixXd(x.transpose()) : x;
    for (Index k = 0; k < major.cols(); ++k) {
      for (Index e = 0; e < major.rows(); ++e) {
        if (major(e, k) == 0) continue;
        values.push_back(major(e, k));
        index.push_back(static_cast<std::int32_t>(e));
      }
      pointers.push_back(static_cast<std::int32_t>(values.size()));
    }
  }

  design::AnyDesign view(Layout layout) const {
    switch (layout) {
      case Layout::column_major:
        return design::ColumnMajor<double>(x.data(), rows, cols, rows);
      case Layout::row_major:
        return design::RowMajor<double>(by_rows.data(), rows, cols, cols);
      case Layout::sparse_rows:
        return design::Csr<double, std::int32_t>(values.data(), index.data(), pointers.data(), rows,
                                                 cols);
      default:
        return design::Csc<double, std::int32_t>(values.data(), index.data(), pointers.data(), rows,
                                                 cols);
    }
  }
};

struct Model {
  Data data;
  design::AnyDesign x;
  objective::SmoothGlm<> glm;
  Vector point, gradient;

  Model(const loss::LossBlock& loss, const Case& which)
      : data(loss, which.layout, which.far),
        x(data.view(which.layout)),
        glm(x,
            {.y = data.y.data(),
             .weights = data.weights.data(),
             .offset = nullptr,
             .fit_intercept = which.intercept,
             .standardize = true},
            loss, {}),
        point(static_cast<std::size_t>(glm.size()), 0.0),
        gradient(point.size()) {
    glm.set_terms({{0.0, l2}, nullptr, nullptr, nullptr});
  }

  // To coefficients that are sure of the labels of all rows but a few, which have `ties` that are
  // as likely.
  void go_to_certainty(Index ties = 2) {
    Eigen::MatrixXd centred = data.x;
    Eigen::MatrixXd eta = Eigen::MatrixXd::Zero(rows, glm.outputs());
    for (Index i = 0; i < rows; ++i) {
      const double y = data.y[static_cast<std::size_t>(i)];
      const bool is_open = i > 0 && i <= uncertain;
      if (glm.outputs() == 1) eta(i, 0) = is_open ? 0.0 : 40 * y;
      else eta(i, static_cast<Index>(y)) = 40;
      for (Index tie = 1; glm.outputs() > 1 && is_open && tie < ties; ++tie)
        eta(i, (static_cast<Index>(y) + tie) % glm.outputs()) = 40;
    }
    const Eigen::Map<const Eigen::VectorXd> s(data.weights.data(), rows);
    for (Index j = 0; j < cols; ++j) centred.col(j).array() -= glm.columns().mean(j);
    const auto solver = centred.completeOrthogonalDecomposition();
    for (Index k = 0; k < glm.outputs(); ++k) {
      const double shift = glm.fits_intercept() ? s.dot(eta.col(k)) / s.sum() : 0;
      const Eigen::VectorXd w = solver.solve(Eigen::VectorXd(eta.col(k).array() - shift));
      for (Index j = 0; j < cols; ++j)
        point[static_cast<std::size_t>(k * cols + j)] = w[j] / glm.columns().inverse_scale(j);
      if (glm.fits_intercept()) point[static_cast<std::size_t>(cols * glm.outputs() + k)] = shift;
    }
    glm.evaluate(point.data(), gradient.data());
  }

  // A vector without the common part of several intercepts, which has no curvature.
  Vector direction() const {
    std::mt19937_64 generator(8);
    std::normal_distribution<double> normal;
    Vector v(point.size());
    for (double& entry : v) entry = normal(generator);
    const std::span<double> shifts =
        std::span(v).subspan(static_cast<std::size_t>(cols * glm.outputs()));
    if (shifts.size() > 1) {
      const double mean =
          std::accumulate(shifts.begin(), shifts.end(), 0.0) / static_cast<double>(shifts.size());
      for (double& shift : shifts) shift -= mean;
    }
    return v;
  }
};

double distance(const Vector& a, const Vector& b) {
  const Eigen::Map<const Eigen::VectorXd> p(a.data(), std::ssize(a)), q(b.data(), std::ssize(b));
  return (p - q).norm() / q.norm();
}

class RowPreconditionerTest : public ::testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(
    Designs, RowPreconditionerTest,
    ::testing::Values(Case{Layout::row_major, false}, Case{Layout::row_major, true},
                      Case{Layout::sparse_rows, false}, Case{Layout::sparse_rows, true},
                      Case{Layout::row_major, true, 1e6}, Case{Layout::sparse_rows, true, 1e6}));

TEST_P(RowPreconditionerTest, IsTheHessianWhereFewRowsBend) {
  for (const loss::LossBlock& loss : losses_of_labels()) {
    Model model(loss, GetParam());
    model.go_to_certainty();
    const objective::Refinements have = model.glm.refinements();
    ASSERT_TRUE(have.preconditioner->is_close() && have.preconditioner->update())
        << loss.info().name;
    const Vector v = model.direction();
    Vector product(v.size()), back(v.size()), diagonal(v.size());
    have.product->multiply(v.data(), product.data());
    have.preconditioner->divide(product.data(), back.data());
    EXPECT_LE(distance(back, v), 0.02) << loss.info().name;
    have.diagonal->diagonal(diagonal.data());
    for (std::size_t j = 0; j < v.size(); ++j) back[j] = product[j] / diagonal[j];
    EXPECT_GE(distance(back, v), 0.1) << loss.info().name;
  }
}

TEST_P(RowPreconditionerTest, LeavesConjugateGradientsLittleToLearn) {
  for (const loss::LossBlock& loss : losses_of_labels()) {
    Model model(loss, GetParam());
    model.go_to_certainty();
    const objective::Refinements have = model.glm.refinements();
    solver::TruncatedCg cg;
    cg.begin(model.glm.size());
    Vector step(model.gradient.size());
    const auto products = [&](objective::Preconditioner* preconditioner) {
      return cg
          .solve(*have.product, model.gradient,
                 {.reduction = 1e-4, .preconditioner = preconditioner}, {}, step)
          .products;
    };
    ASSERT_TRUE(have.preconditioner->update());
    EXPECT_LE(products(have.preconditioner), 3) << loss.info().name;
    if (GetParam().far == 0) {
      EXPECT_GE(products(nullptr), 6) << loss.info().name;
    }
  }
}

// Of which a row's largest eigenvalue is a third.
TEST_P(RowPreconditionerTest, IsTheDiagonalWhereRowsHaveManyLargeEigenvalues) {
  for (const loss::LossBlock& loss : losses_of_labels()) {
    if (loss.outputs() == 1) continue;
    Model model(loss, GetParam());
    model.go_to_certainty(loss.outputs());
    EXPECT_FALSE(model.glm.refinements().preconditioner->is_close()) << loss.info().name;
  }
}

// Where all rows bend alike, and where rows cannot be read, or only at a stride.
TEST_P(RowPreconditionerTest, IsTheDiagonalElsewhere) {
  for (const loss::LossBlock& loss : losses_of_labels()) {
    for (const Layout layout : {GetParam().layout, Layout::column_major, Layout::sparse_columns}) {
      Model model(loss, {layout, GetParam().intercept, GetParam().far});
      if (layout == GetParam().layout)
        model.glm.evaluate(model.point.data(), model.gradient.data());
      else model.go_to_certainty();
      const objective::Refinements have = model.glm.refinements();
      EXPECT_FALSE(have.preconditioner->is_close());
      ASSERT_TRUE(have.preconditioner->update());
      Vector v = model.direction(), out(v.size()), diagonal(v.size());
      have.preconditioner->divide(v.data(), out.data());
      have.diagonal->diagonal(diagonal.data());
      for (std::size_t j = 0; j < v.size(); ++j) {
        EXPECT_NEAR(out[j] * diagonal[j], v[j], 1e-9 * std::fabs(v[j]))
            << loss.info().name << ", " << j;
      }
    }
  }
}

}  // namespace
}  // namespace thalweg::test
