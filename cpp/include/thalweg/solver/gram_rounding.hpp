// Whether products for a Gram cache may be rounded to float32, which takes half the time.
//
// A step on a rounded matrix G~ ends where c - G~ w, not c - G w, is optimal, so what it leaves of
// a violation v is (G - G~) (step), and the next step starts from exact correlations: iterative
// refinement, whose rate is the largest |(G - G~) G~^{-1}|. Of n rows the entries of G~ are off by
// some 1e-7 of the norms of their columns, which is a rate of 1e-7 times the condition of the
// support. Every step is judged by the correlations that it foretold, those at its end by G~: where
// they miss by a twentieth of what was violated before, the step is undone and all products are
// made again in float64.
//
// Reference: Wilkinson 1963, chapter 3 (iterative refinement); Higham 2002, section 12.1.
// Not where evaluations come from the Gram matrix itself (objective/second_moments.hpp).
#pragma once

#include <algorithm>

#include "thalweg/core/numerics.hpp"
#include "thalweg/objective/glm.hpp"

namespace thalweg::solver {

class GramRounding final {
 public:
  explicit GramRounding(const objective::Glm& glm) : precision_(first_choice(glm)) {}

  design::GramPrecision precision() const { return precision_; }
  bool is_rounded() const { return precision_ == design::GramPrecision::float32; }
  bool was_refused() const { return was_refused_; }

  // After a step on these columns: the correlations that it ended with, of `violation` before.
  template <class Model>
  void foretell(const Model& model, double violation) {
    foretold_.resize(static_cast<std::size_t>(model.size()));
    for (Index k = 0; k < model.size(); ++k)
      foretold_[static_cast<std::size_t>(k)] = model.correlation(k);
    violation_ = violation;
  }

  // Before the next step: whether the exact ones of the same columns agree. `rounding`: what no
  // step gets below. Where they do not, float64 from now on.
  bool is_right(std::span<const Index> columns, const Vector& correlation, double rounding) {
    constexpr double share = 0.05;
    if (!is_rounded() || foretold_.size() != columns.size()) return true;
    double miss = 0;
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const double apart =
          std::fabs(correlation[static_cast<std::size_t>(columns[k])] - foretold_[k]);
      if (!(apart <= miss)) miss = apart;  // NaN as well
    }
    foretold_.clear();
    was_refused_ = !(miss <= std::max(share * violation_, rounding));
    if (was_refused_) precision_ = design::GramPrecision::float64;
    return !was_refused_;
  }

 private:
  // float32 has room for squares of columns whose rows are of such a size, and for those of a
  // single large row among 1e8. Below so many rows a matrix is made in no time.
  static design::GramPrecision first_choice(const objective::Glm& glm) {
    constexpr Index least_rows = 1000;
    constexpr double least = 1e-20, most = 1e20;  // of mean squares
    if (glm.design().is_sparse() || glm.rows() < least_rows) return design::GramPrecision::float64;
    const double per_row = glm.total_weight() / static_cast<double>(glm.rows());
    const bool has_room =
        std::all_of(glm.all_columns().begin(), glm.all_columns().end(), [&](Index j) {
          const double square = glm.sq_norm(j) * per_row / core::square(glm.inverse_scale(j));
          return square == 0 || (square > least && square < most);
        });
    return has_room ? design::GramPrecision::float32 : design::GramPrecision::float64;
  }

  design::GramPrecision precision_;
  bool was_refused_ = false;
  Vector foretold_;
  double violation_ = 0;
};

}  // namespace thalweg::solver
