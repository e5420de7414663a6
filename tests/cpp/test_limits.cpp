// Limits of coefficients, to scaled columns and back.
#include <gtest/gtest.h>

#include "thalweg/solver/limits.hpp"

namespace thalweg::test {
namespace {

struct ScaledColumns {
  Vector norms, inverse_scales;

  bool is_scaled() const { return true; }
  const Vector& sq_norms() const { return norms; }
  double inverse_scale(Index j) const { return inverse_scales[static_cast<std::size_t>(j)]; }
};

ScaledColumns columns(Index count) {
  ScaledColumns made{Vector(static_cast<std::size_t>(count), 1.0), {}};
  for (Index j = 0; j < count; ++j) made.inverse_scales.push_back(1.0 / (3.0 + 0.7 * double(j)));
  return made;
}

// Of two outputs, which have the same limits.
TEST(Limits, AreMetExactlyByWhatIsAtAScaledLimit) {
  const Index cols = 50;
  const ScaledColumns scaled_columns = columns(cols);
  const Vector lower(cols, -1.1), upper(cols, 2.0);
  penalty::Strengths (*const none)(double, std::span<const double>) =
      [](double, std::span<const double>) { return penalty::Strengths{}; };
  solver::PenaltySpec spec;
  spec.strengths = none;
  spec.lower = lower.data();
  spec.upper = upper.data();
  const solver::Limits limits(spec, scaled_columns);
  const penalty::Terms terms = limits.terms(0.0);
  for (const int at : {-1, 0, 1}) {
    Vector scaled, coef;
    for (Index i = 0; i < 2 * cols; ++i) {
      const penalty::Term term = terms(i % cols);
      scaled.push_back(at < 0 ? term.lower : at > 0 ? term.upper : 0.5 * term.upper);
      coef.push_back(scaled.back() * scaled_columns.inverse_scale(i % cols));
    }
    const Vector before = coef;
    limits.clip_raw(scaled, coef);
    for (std::size_t i = 0; i < coef.size(); ++i)
      EXPECT_EQ(coef[i], at < 0 ? -1.1 : at > 0 ? 2.0 : before[i]);
  }
}

}  // namespace
}  // namespace thalweg::test
