// The columns of a design as a linear model sees them: x~_j = (x_j - m_j) / c_j, with m_j the
// weighted mean where an intercept is fitted (0 otherwise) and c_j the weighted standard deviation
// where the design is standardised (1 otherwise). Both are implicit, X is never touched: a product
// with x~_j is one with x_j and a correction.
//
// Cost: one pass over X, which also looks for non-finite entries; none where the moments are known.
#pragma once

#include <cmath>

#include "thalweg/core/numerics.hpp"
#include "thalweg/design/erased.hpp"

namespace thalweg::objective {

// What a model has to know of its columns, by weighted means. `variance` is zero for a column that
// is constant but for rounding; `product` is that with the target, centred where an intercept is
// fitted.
struct ColumnSummary {
  Vector mean, variance, second, product;

  void resize(std::size_t columns) {
    for (Vector* each : {&mean, &variance, &second, &product}) each->resize(columns);
  }
};

// How rows weigh and columns are shifted and scaled; null weights are ones.
struct ColumnOptions {
  const double* weights = nullptr;
  double total = 0;  // of the weights
  bool centre = true;
  bool standardize = false;
};

class Columns final {
 public:
  // `v` is a vector over the rows, of sum `sum_v` (null_product: its products with the columns).
  // `known`, where it is known before, saves the pass over X. After a stop request incomplete.
  Columns(const design::Erased& x, const ColumnOptions& options, const double* v, double sum_v,
          const core::Execution& execution, const ColumnSummary* known = nullptr);

  const std::vector<Index>& all() const { return all_; }
  // x~_j' S x~_j / sum s
  double sq_norm(Index j) const { return sq_norm_[static_cast<std::size_t>(j)]; }
  const Vector& sq_norms() const { return sq_norm_; }
  // Null where nothing is centred.
  const double* center() const { return center_.empty() ? nullptr : center_.data(); }
  double mean(Index j) const {
    return center_.empty() ? 0.0 : center_[static_cast<std::size_t>(j)];
  }
  bool is_scaled() const { return !inverse_scale_.empty(); }
  double inverse_scale(Index j) const {
    return inverse_scale_.empty() ? 1.0 : inverse_scale_[static_cast<std::size_t>(j)];
  }
  // The norm of column j as it is stored, before centring, in the scaled coordinates.
  double raw_norm(Index j) const {
    return std::sqrt(sq_norm(j) + core::square(mean(j) * inverse_scale(j)));
  }
  // Whether the mean is so many times the spread that products with the column as it is stored, of
  // anything that is not centred, lose the digits that matter: (mean / spread)^2 epsilon.
  bool is_far(Index j) const { return !far_.empty() && far_[static_cast<std::size_t>(j)] != 0; }
  // x~_j' v / sum s of the vector given; zero for a column without variation.
  const Vector& null_product() const { return null_product_; }
  // Whether column j is stored on less than half of the rows, by their weights.
  bool is_rare(Index j) const { return !rare_.empty() && rare_[static_cast<std::size_t>(j)] != 0; }

 private:
  ColumnSummary summarize(const double* v, double sum_v, const core::Execution& execution);
  void build(const ColumnSummary& columns);
  double variance(Index j, double m, double second) const;
  [[noreturn]] void reject_nonfinite() const;

  const design::Erased& x_;
  ColumnOptions options_;
  std::vector<Index> all_;
  Vector center_;         // empty where nothing is centred
  Vector inverse_scale_;  // empty where not standardised
  Vector sq_norm_;
  Vector null_product_;
  std::vector<char> rare_;  // empty where X is dense, or was not looked at
  std::vector<char> far_;   // empty where no column is
};

}  // namespace thalweg::objective
