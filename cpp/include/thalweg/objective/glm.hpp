// The problem of a linear model with squared loss, the only place that knows its scaling:
//
//   minimize over (w, b)   (1 / sum s) sum_i s_i (y_i - eta_i)^2 / 2 + alpha P(w),
//   eta = X w + b + offset
//
// Coefficients live in solver coordinates, those of the centred and scaled columns x~_j of
// columns.hpp. Centring eliminates the intercept: for centred columns the best b does not depend on
// w.
//
// Vectors v that columns are multiplied with are weighted residuals; (x_j - m_j)' v is computed as
// x_j' v - m_j sum(v), so a caller carries sum(v) along. An update v -= d s x_j without the centre
// changes no such product, since the weighted mean of x~ is zero; `evaluate` restores the rest.
// Only where |m_j| is a hundred standard deviations or more (`is_far`) does v need it: products
// would be small differences of multiples of m_j.
//
// Cost: one pass over X to build (moments, X'y and the search for non-finite entries at once), none
// where these are known; an evaluation is one pass over the support and one over the columns asked
// for.
//
// Memory: none of the length of a column, but for evaluations that have a residual and, of weights
// that are made as they are needed (rows.hpp), an array of them from the first product on that
// takes one.
#pragma once

#include <optional>
#include <utility>

#include "thalweg/objective/columns.hpp"
#include "thalweg/penalty/separable.hpp"

namespace thalweg::objective {

// Targets and weights as the caller has them; null: no weights, no offset.
struct GlmData {
  const double* y = nullptr;
  const double* weights = nullptr;
  // In place of that array; of quadratic problems.
  const design::RowWeights* row_weights = nullptr;
  const double* offset = nullptr;
  bool fit_intercept = true;
  bool standardize = false;
};

// The model at one w: everything that the certificate and the solvers need to know. The vectors
// over the rows are empty where it was made from second moments (second_moments.hpp) or by slices.
struct Evaluation {
  Vector residual;          // u_i = y_i - eta_i, every row, also those of weight zero
  Vector weighted;          // s_i u_i; empty where the weights are one
  double sum_weighted = 0;  // sum of the vector that v() points to
  double intercept = 0;     // in solver coordinates
  double loss = 0;
  double penalty = 0;
  double target_product = 0;  // t' S u / sum s
  double square = 0;          // u' S u / sum s
  Vector correlation;         // z_j = x~_j' S u / sum s, minus the gradient of the smooth part
  // Bounds on the rounding of the products and the square, and of each z_j, where they are not from
  // X; there they count as exact.
  double rounding = 0;
  Vector correlation_rounding;

  double* v() { return weighted.empty() ? residual.data() : weighted.data(); }
  const double* v() const { return weighted.empty() ? residual.data() : weighted.data(); }
  bool has_residual() const { return !residual.empty(); }
  bool is_from_x() const { return correlation_rounding.empty(); }
  double primal() const { return loss + penalty; }
};

class Glm final {
 public:
  // `known`, where it is known before, saves the pass over X.
  Glm(const design::Erased& x, const GlmData& data, const core::Execution& execution,
      const ColumnSummary* known = nullptr);
  Glm(const Glm&) = delete;  // its columns refer to its design
  Glm& operator=(const Glm&) = delete;

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  const design::Erased& design() const { return x_; }
  // An array, or null where they are ones.
  const double* weights() const;
  double total_weight() const { return total_; }
  const core::Execution& execution() const { return execution_; }
  // After a stop request, so that the last iterate can still be evaluated.
  void ignore_stop() { execution_.stop = nullptr; }
  // y - offset - null_intercept: what X w has to explain.
  const design::RowTarget& target() const { return target_; }
  bool fits_intercept() const { return data_.fit_intercept; }
  double sq_norm(Index j) const { return columns_->sq_norm(j); }
  const Vector& sq_norms() const { return columns_->sq_norms(); }
  const double* center() const { return columns_->center(); }
  double mean(Index j) const { return columns_->mean(j); }
  double inverse_scale(Index j) const { return columns_->inverse_scale(j); }
  double raw_norm(Index j) const { return columns_->raw_norm(j); }
  bool is_far(Index j) const { return columns_->is_far(j); }
  const std::vector<Index>& all_columns() const { return columns_->all(); }
  bool is_scaled() const { return columns_->is_scaled(); }
  // z at w = 0.
  const Vector& null_correlation() const { return columns_->null_product(); }
  // The intercept of the model without columns.
  double null_intercept() const { return null_intercept_; }
  // The objective of the intercept-only model, and the scale that `tol` multiplies: that, or where
  // it is rounding the loss of a residual of a thousand roundings of y. Both grow as y squared.
  double null_objective() const { return null_.loss; }
  double tolerance_scale() const { return std::max(null_.loss, rounding_objective_); }
  // A gap over that scale; of a target of zeros the gap and the scale are zero.
  double relative(double gap) const { return gap == 0 ? 0.0 : gap / tolerance_scale(); }

  // Gram block of x~ over sum s: see design::ColumnAccess::gram.
  void gram(std::span<const Index> columns, Index fresh, double* out, Index ld) const;
  // The same from the raw products about center().
  void finish_gram(std::span<const Index> columns, Index fresh, double* out, Index ld) const;

  // out[j] = x~_j' v / sum s for j in columns.
  void correlate(const double* v, double sum_v, std::span<const Index> columns, double* out) const;
  // x~_j' S u / sum s for j in columns, of a residual u.
  void correlate_residual(const Vector& u, std::span<const Index> columns, Vector& out) const;

  // The same from the raw products x_j' v.
  void finish_correlation(double sum_v, std::span<const Index> columns, double* out) const;

  // Everything at w from scratch, the correlation of `columns` only (of none: the support is read
  // only).
  void evaluate(const Vector& w, const penalty::Terms& terms, std::span<const Index> columns,
                Evaluation& out) const;

  // The same without the vectors over the rows, in one pass over slices of X: of a residual that is
  // nowhere as a whole its sums are all that a certificate and Gram updates need. For designs that
  // have slices.
  void evaluate_in_slices(const Vector& w, const penalty::Terms& terms,
                          std::span<const Index> columns, Evaluation& out) const;

  // The weighted mean of squared residuals at w, over rows of any weights. For designs that have
  // slices.
  double mean_square(const Vector& w, double intercept, const design::RowWeights& weights) const;

  // What a certificate needs of any residual, centred where an intercept is fitted.
  void evaluate_residual(const Vector& residual, Evaluation& out) const;

  // The parts of an evaluation that follow from `out.residual`, target - X w or any other.
  void finish_residual(Evaluation& out) const;

  // Solver coordinates to coefficients of the raw columns.
  void to_raw(const Vector& w, Vector& coef) const;
  double raw_intercept(const Evaluation& at) const {
    return data_.fit_intercept ? null_intercept_ + at.intercept : 0.0;
  }

  double weighted_sum(const double* v) const;
  // Of a dual point, what rounding has left of its weighted mean, where an intercept is fitted:
  // residuals of predictions that are far from zero are rounded as these are.
  void centre(Vector& u) const;

 private:
  // Over the rows, of a residual u.
  struct Sums {
    double loss = 0, total = 0, weighted = 0, product = 0;

    void add(double weight, double u, double target);
    void add(const Sums& other);
  };

  // Calls f(i, weight) for all rows in their order.
  template <class F>
  void for_each_row(F&& f) const;
  void fill_target(Vector& out) const;
  void take(const Sums& sums, Evaluation& out) const;
  // The columns that take part, and minus their raw coefficients.
  std::pair<std::vector<Index>, Vector> raw_support(const Vector& w) const;
  Sums add_slices(const std::vector<Index>& support, const Vector& coef, double intercept,
                  const design::RowWeights& weights, std::span<const Index> columns,
                  double* out) const;
  bool evaluate_in_one_pass(const std::vector<Index>& support, const Vector& coef,
                            std::span<const Index> columns, Evaluation& out) const;
  void centre_far(std::span<const Index> columns, Index fresh, double* out, Index ld) const;
  void centre_target();
  void finish_null();
  void reject_extremes() const;

  design::Erased x_;
  GlmData data_;
  Index rows_, cols_;
  core::Execution execution_;
  double total_ = 0;
  double null_intercept_ = 0;
  double rounding_objective_ = 0;
  design::RowTarget target_;
  Evaluation null_;              // at w = 0, without its vectors
  mutable Vector made_weights_;  // where they are no array of the caller's
  std::optional<Columns> columns_;
};

}  // namespace thalweg::objective
