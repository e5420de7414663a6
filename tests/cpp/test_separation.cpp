// Directions that separate labels, wholly or in part, from points on the way there; and labels that
// overlap, though by little.
#include <gtest/gtest.h>

#include "thalweg/catalog.hpp"
#include "thalweg/objective/separation.hpp"

namespace thalweg::test {
namespace {

// A model of labels without a penalty, for points (coefficients, intercepts) of the columns as they
// are, less their means.
struct Labelled {
  Vector x, y, offset;  // columns one after the other
  design::AnyDesign design;
  loss::LossBlock loss;
  objective::SmoothGlm<> glm;

  Labelled(Vector columns, Vector labels, Index outputs = 1, Vector shift = {})
      : x(std::move(columns)),
        y(std::move(labels)),
        offset(std::move(shift)),
        design(design::ColumnMajor<double>(x.data(), rows(), cols(), rows())),
        loss(find_loss_block(outputs == 1 ? "logistic" : "multinomial", {}, outputs)),
        glm(design,
            {.y = y.data(),
             .weights = nullptr,
             .offset = offset.empty() ? nullptr : offset.data(),
             .fit_intercept = true,
             .standardize = false},
            loss, {}) {
    glm.set_terms({{0.0, 0.0}, nullptr, nullptr, nullptr});
  }
  Index rows() const { return static_cast<Index>(y.size()); }
  Index cols() const { return static_cast<Index>(x.size() / y.size()); }

  bool is_complete_at(const Vector& raw_coef, const Vector& intercept) {
    const Vector at = glm.coordinates().from_raw(raw_coef.data(), intercept.data());
    Vector gradient(at.size());
    glm.evaluate(at.data(), gradient.data());
    return objective::Separation<objective::SmoothGlm<>>(glm).is_complete();
  }
  Vector find_from(const Vector& raw_coef, const Vector& intercept) {
    return objective::Separation<objective::SmoothGlm<>>(glm).find(
        glm.coordinates().from_raw(raw_coef.data(), intercept.data()));
  }
  // The same as raw coefficients; empty where there is none.
  Vector raw_from(const Vector& raw_coef, const Vector& start) {
    const Vector direction = find_from(raw_coef, start);
    Vector coef, intercept;
    if (direction.empty()) return {};
    glm.coordinates().to_raw(direction, coef, intercept);
    coef.insert(coef.end(), intercept.begin(), intercept.end());
    return coef;
  }
};

TEST(Separation, IsCompleteWhereEveryRowIsAhead) {
  Labelled data({-2, -1, 1, 3}, {-1, -1, 1, 1});
  EXPECT_TRUE(data.is_complete_at({0.1}, {0.0}));
  EXPECT_FALSE(data.is_complete_at({0.1}, {-0.2}));
  EXPECT_FALSE(data.is_complete_at({0.0}, {0.0}));
}

// The offset does not grow with the coefficients.
TEST(Separation, IsNotThatOfTheOffset) {
  Labelled data({1, -1, 1, -1}, {-1, -1, 1, 1}, 1, {-3, -3, 3, 3});
  EXPECT_FALSE(data.is_complete_at({0.0}, {0.0}));
  EXPECT_FALSE(data.is_complete_at({0.1}, {0.01}));
  EXPECT_TRUE(data.find_from({10.0}, {0.1}).empty());
}

// Both labels at zero, where an intercept fits them.
TEST(Separation, IsFoundWhereRowsOfBothLabelsStay) {
  Labelled data({-1, -1, 0, 0, 0, 1, 1}, {-1, -1, -1, 1, 1, 1, 1});
  EXPECT_FALSE(data.is_complete_at({12.0}, {0.7}));
  const Vector direction = data.raw_from({12.0}, {0.7});
  ASSERT_FALSE(direction.empty());
  EXPECT_GT(direction[0], 1.0);
  EXPECT_NEAR(direction[1], 0.0, 1e-11);
}

// The classes 1 and 2 overlap along the second column, class 0 is apart along the first one.
TEST(Separation, IsFoundOfOneClassOfThree) {
  Labelled data({-3, -2, -2, 1,  2, 1, 3, 2,  1, 2,  //
                 0,  1,  -1, -1, 0, 1, 2, -2, 0, 3},
                {0, 0, 0, 1, 1, 1, 1, 2, 2, 2}, 3);
  // Coefficients of class after class.
  const Vector direction = data.raw_from({-6, 0, 3, -0.1, 3, 0.1}, {0, 0.2, -0.2});
  ASSERT_FALSE(direction.empty());
  EXPECT_LT(direction[0], direction[2] - 1.0);
  EXPECT_NEAR(direction[2], direction[4], 1e-10);
  EXPECT_NEAR(direction[3], direction[5], 1e-10);
}

// One row on the other side, by less and less: there is a minimum, of finite and large
// coefficients.
TEST(Separation, IsNotFoundWhereLabelsOverlapByLittle) {
  for (const double overlap : {1.0, 1e-2, 1e-4, 1e-8}) {
    Labelled data({-3, -2, -1, 1, 2, 3, overlap, -overlap}, {-1, -1, -1, 1, 1, 1, -1, 1});
    for (const double slope : {1.0, 10.0, 100.0})
      EXPECT_TRUE(data.find_from({slope}, {0.01}).empty()) << overlap << " " << slope;
  }
}

// Rows that a far point fits with certainty say nothing where others overlap.
TEST(Separation, IsNotFoundInWellSeparatedTails) {
  Labelled data({-300, -200, 1, 1, -1, -1, 0, 0, 200, 300,  //
                 5,    -4,   1, 1, 1,  1,  3, 3, -2,  1},
                {-1, -1, -1, 1, -1, 1, -1, 1, 1, 1});
  EXPECT_TRUE(data.find_from({5.0, 0.3}, {0.1}).empty());
  EXPECT_TRUE(data.find_from({0.5, -2.0}, {0.1}).empty());
}

}  // namespace
}  // namespace thalweg::test
