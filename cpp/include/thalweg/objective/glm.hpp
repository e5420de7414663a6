// The problem of a generalized linear model, the only place that knows its scaling:
//
//   minimize over (w, b)   (1 / sum s) sum_i s_i loss(y_i, eta_i) + alpha P(w),
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

#include <cmath>
#include <numeric>
#include <optional>

#include "thalweg/loss/concept.hpp"
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
  Vector residual;  // u_i = -loss'(y_i, eta_i), every row, also those of weight zero
  Vector weighted;  // s_i u_i; empty where the weights are one
  bool is_from_x = false;
  double sum_weighted = 0;  // sum of the vector that v() points to
  double intercept = 0;     // in solver coordinates
  double loss = 0;
  double penalty = 0;
  double target_product = 0;  // t' S u / sum s
  double square = 0;          // u' S u / sum s
  Vector correlation;         // z_j = x~_j' S u / sum s, minus the gradient of the smooth part

  double* v() { return weighted.empty() ? residual.data() : weighted.data(); }
  const double* v() const { return weighted.empty() ? residual.data() : weighted.data(); }
  bool has_residual() const { return !residual.empty(); }
  double primal() const { return loss + penalty; }
};

template <design::Design D, loss::Loss L>
requires(core::flag(L::info, "quadratic")) class Glm final {
 public:
  // `known`, where it is known before, saves the pass over X.
  Glm(const D& x, const GlmData& data, const core::Execution& execution,
      const ColumnSummary* known = nullptr)
      : x_(x), data_(data), rows_(x.rows()), cols_(x.cols()), execution_(execution) {
    centre_target();
    if (known == nullptr) {
      fill_target(null_.residual);
      finish_residual(null_);
    } else {
      finish_null();
    }
    reject_underflow();
    columns_.emplace(x,
                     ColumnOptions{.weights = known == nullptr ? weights() : nullptr,
                                   .total = total_,
                                   .centre = data.fit_intercept,
                                   .standardize = data.standardize},
                     null_.v(), null_.sum_weighted, execution, known);
    null_.residual = {};
    null_.weighted = {};
  }

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  const D& design() const { return x_; }
  // An array, or null where they are ones.
  const double* weights() const {
    if (data_.row_weights == nullptr) return data_.weights;
    if (made_weights_.empty()) made_weights_ = design::to_vector(*data_.row_weights, rows_);
    return made_weights_.data();
  }
  double total_weight() const { return total_; }
  const core::Execution& execution() const { return execution_; }
  // After a stop request, so that the last iterate can still be evaluated.
  void ignore_stop() { execution_.stop = nullptr; }
  // y - offset - null_intercept: what X w has to explain.
  const design::RowTarget& target() const { return target_; }
  void fill_target(Vector& out) const {
    out.resize(static_cast<std::size_t>(rows_));
    for (Index i = 0; i < rows_; ++i) out[static_cast<std::size_t>(i)] = target_(i);
  }
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
  void gram(std::span<const Index> columns, Index fresh, double* out, Index ld) const {
    gram(x_, columns, fresh, out, ld);
  }
  // The same from a source that holds the raw columns: the design, or copies of some of them.
  template <class Source>
  void gram(const Source& source, std::span<const Index> columns, Index fresh, double* out,
            Index ld) const {
    source.gram(columns, fresh, center(), weights(), total_, out, ld, execution_);
    if constexpr (core::flag(D::Entry::info, "sparse")) centre_far(columns, fresh, out, ld);
    const double inverse_total = 1.0 / total_;
    const auto first = columns.size() - static_cast<std::size_t>(fresh);
    for (Index k = 0; k < fresh && !execution_.stop_requested(); ++k) {
      const double scale =
          inverse_scale(columns[first + static_cast<std::size_t>(k)]) * inverse_total;
      for (std::size_t i = 0; i < columns.size(); ++i) {
        out[static_cast<Index>(i) + k * ld] *= scale * inverse_scale(columns[i]);
      }
    }
  }

  // out[j] = x~_j' v / sum s for j in columns.
  void correlate(const double* v, double sum_v, std::span<const Index> columns, double* out) const {
    x_.gemv_t(v, columns, out, execution_);
    finish_correlation(sum_v, columns, out);
  }

  // The same from the raw products x_j' v.
  void finish_correlation(double sum_v, std::span<const Index> columns, double* out) const {
    const double inverse_total = 1.0 / total_;
    for (const Index j : columns) {
      // A column without variation explains nothing; its product is rounding.
      const double product = (out[j] - mean(j) * sum_v) * inverse_scale(j) * inverse_total;
      out[j] = sq_norm(j) > 0 ? product : 0.0;
    }
  }

  // Everything at w from scratch, the correlation of `columns` only (of none: the support is read
  // only).
  void evaluate(const Vector& w, const penalty::Terms& terms, std::span<const Index> columns,
                Evaluation& out) const {
    const auto [support, coef] = raw_support(w);
    out.penalty = terms.value(w);
    out.is_from_x = true;
    fill_target(out.residual);
    out.correlation.resize(static_cast<std::size_t>(cols_));
    if (columns.empty()) {
      x_.gemv_add(support, coef.data(), out.residual.data(), execution_);
      finish_residual(out);
      return;
    }
    if (evaluate_in_one_pass(support, coef, columns, out)) return;
    x_.gemv_add(support, coef.data(), out.residual.data(), execution_);
    finish_residual(out);
    if (support.empty()) {
      out.correlation = null_correlation();
      return;
    }
    correlate(out.v(), out.sum_weighted, columns, out.correlation.data());
  }

  // The same without the vectors over the rows, in one pass over slices of X: of a residual that is
  // nowhere as a whole its sums are all that a certificate and Gram updates need. As in
  // `evaluate_in_one_pass` the intercept follows from the means of the columns, and what rounding
  // makes it differ by is corrected in the sums.
  void evaluate_in_slices(const Vector& w, const penalty::Terms& terms,
                          std::span<const Index> columns,
                          Evaluation& out) const requires design::RowSlices<D> {
    const auto [support, coef] = raw_support(w);
    if (support.empty()) {
      out = null_;
      out.is_from_x = true;
      out.penalty = terms.value(w);
      out.correlation = null_correlation();
      return;
    }
    out = {};
    out.is_from_x = true;
    out.penalty = terms.value(w);
    double intercept = 0;
    for (std::size_t k = 0; k < support.size(); ++k) intercept += coef[k] * mean(support[k]);
    out.correlation.assign(static_cast<std::size_t>(cols_), 0.0);
    Sums sums = add_slices(support, coef, intercept, columns, out.correlation.data());
    const double rest = data_.fit_intercept ? sums.weighted / total_ : 0.0;
    out.intercept = intercept + rest;
    // Of u - rest; the target sums to zero.
    sums.loss -= rest * (sums.weighted - 0.5 * total_ * rest);
    sums.weighted -= total_ * rest;
    take(sums, out);
    for (const Index j : columns)
      out.correlation[static_cast<std::size_t>(j)] -= rest * total_ * mean(j);
    finish_correlation(out.sum_weighted, columns, out.correlation.data());
  }

  // What a certificate needs of any residual, centred where an intercept is fitted.
  void evaluate_residual(const Vector& residual, Evaluation& out) const {
    out.residual = residual;
    finish_residual(out);
    out.correlation.resize(static_cast<std::size_t>(cols_));
    correlate(out.v(), out.sum_weighted, all_columns(), out.correlation.data());
  }

  // The parts of an evaluation that follow from `out.residual`, target - X w or any other.
  void finish_residual(Evaluation& out) const {
    const double* s = weights();
    out.intercept = data_.fit_intercept ? weighted_sum(out.residual.data()) / total_ : 0.0;
    Sums sums;
    if (s != nullptr) out.weighted.resize(static_cast<std::size_t>(rows_));
    else out.weighted.clear();
    for (Index i = 0; i < rows_; ++i) {
      double& u = out.residual[static_cast<std::size_t>(i)];
      u = -L::gradient(u, out.intercept);
      const double weight = s != nullptr ? s[i] : 1.0;
      sums.add(weight, u, target_(i));
      if (s != nullptr) out.weighted[static_cast<std::size_t>(i)] = weight * u;
    }
    take(sums, out);
  }

  // Solver coordinates to coefficients of the raw columns.
  void to_raw(const Vector& w, Vector& coef) const {
    coef = w;
    for (Index j = 0; is_scaled() && j < cols_; ++j) {
      coef[static_cast<std::size_t>(j)] *= inverse_scale(j);
    }
  }
  double raw_intercept(const Evaluation& at) const {
    return data_.fit_intercept ? null_intercept_ + at.intercept : 0.0;
  }

  double weighted_sum(const double* v) const {
    const double* s = weights();
    double sum = 0;
    for (Index i = 0; i < rows_; ++i) sum += s != nullptr ? s[i] * v[i] : v[i];
    return sum;
  }

 private:
  // Over the rows, of a residual u.
  struct Sums {
    double loss = 0, weighted = 0, product = 0;

    void add(double weight, double u, double target) {
      loss += weight * L::value(u, 0.0);
      weighted += weight * u;
      product += weight * u * target;
    }
    void add(const Sums& other) {
      loss += other.loss;
      weighted += other.weighted;
      product += other.product;
    }
  };
  void take(const Sums& sums, Evaluation& out) const {
    out.loss = sums.loss / total_;
    out.square = 2 * out.loss;
    out.target_product = sums.product / total_;
    out.sum_weighted = sums.weighted;
  }

  // Calls f(i, weight) for all rows in their order.
  template <class F>
  void for_each_row(F&& f) const {
    if (data_.row_weights != nullptr) design::for_each_row(*data_.row_weights, rows_, f);
    else
      for (Index i = 0; i < rows_; ++i) f(i, data_.weights != nullptr ? data_.weights[i] : 1.0);
  }

  // The columns that take part, and minus their raw coefficients.
  std::pair<std::vector<Index>, Vector> raw_support(const Vector& w) const {
    std::pair<std::vector<Index>, Vector> found;
    for (Index j = 0; j < cols_; ++j) {
      const double value = w[static_cast<std::size_t>(j)];
      if (value == 0) continue;
      found.first.push_back(j);
      found.second.push_back(-value * inverse_scale(j));
    }
    return found;
  }

  // The residual at coefficients less an intercept, slice by slice: its sums, and out[j] += x_j' S
  // u for columns.
  Sums add_slices(const std::vector<Index>& support, const Vector& coef, double intercept,
                  std::span<const Index> columns, double* out) const {
    constexpr Index strip_entries = 1 << 15, least_strip = 1 << 10;
    const Index strip = std::clamp(strip_entries / cols_, least_strip, design::row_block);
    const Index blocks = std::clamp<Index>(rows_ / strip, 1, design::most_row_blocks);
    const auto cols = static_cast<std::size_t>(cols_);
    std::vector<Sums> sums(static_cast<std::size_t>(blocks));
    Vector products(static_cast<std::size_t>(blocks) * cols, 0.0);
    core::parallel_for(blocks, execution_, [&](Index b) {
      Vector u(static_cast<std::size_t>(strip)), s(u.size()), part(cols);
      const Index end = (b + 1) * rows_ / blocks;
      for (Index row = b * rows_ / blocks; row < end; row += strip) {
        if (execution_.stop_requested()) return;
        const Index next = std::min(end, row + strip);
        const D slice = x_.row_slice(row, next);
        for (Index i = row; i < next; ++i) u[static_cast<std::size_t>(i - row)] = target_(i);
        slice.gemv_add(support, coef.data(), u.data(), {});
        fill_weights(row, next, s.data());
        for (Index i = row; i < next; ++i) {
          const auto k = static_cast<std::size_t>(i - row);
          u[k] = -L::gradient(u[k], intercept);
          sums[static_cast<std::size_t>(b)].add(s[k], u[k], target_(i));
          u[k] *= s[k];
        }
        slice.gemv_t(u.data(), columns, part.data(), {});
        for (const Index j : columns) {
          const auto k = static_cast<std::size_t>(j);
          products[static_cast<std::size_t>(b) * cols + k] += part[k];
        }
      }
    });
    Sums total;
    for (std::size_t b = 0; b < sums.size(); ++b) {
      total.add(sums[b]);
      for (std::size_t k = 0; k < cols; ++k) out[k] += products[b * cols + k];
    }
    return total;
  }
  void fill_weights(Index begin, Index end, double* out) const {
    if (data_.row_weights != nullptr) data_.row_weights->fill(begin, end, out);
    else design::ArrayWeights(data_.weights).fill(begin, end, out);
  }

  // Reads X once where the design can. The intercept has to be known before the residual is: it is
  // that of the means of the columns, and what rounding makes it differ by is corrected afterwards.
  bool evaluate_in_one_pass(const std::vector<Index>& support, const Vector& coef,
                            std::span<const Index> columns, Evaluation& out) const {
    if constexpr (design::FusedProducts<D>) {
      if (support.empty()) return false;
      double intercept = 0;
      for (std::size_t k = 0; k < support.size(); ++k) intercept += coef[k] * mean(support[k]);
      const double* s = weights();
      if (s != nullptr) out.weighted.resize(static_cast<std::size_t>(rows_));
      const auto centre = [&](const design::RowRange& rows) -> const double* {
        double* const u = out.residual.data();
        for (Index i = rows.begin; i < rows.end; ++i) u[i] -= intercept;
        if (s == nullptr) return u + rows.begin;
        for (Index i = rows.begin; i < rows.end; ++i)
          out.weighted[static_cast<std::size_t>(i)] = s[i] * u[i];
        return out.weighted.data() + rows.begin;
      };
      if (!x_.gemv_add_then_t(1, support, coef.data(), out.residual.data(), centre, columns,
                              out.correlation.data(), execution_)) {
        return false;
      }
      finish_residual(out);
      for (const Index j : columns) {
        out.correlation[static_cast<std::size_t>(j)] -= out.intercept * total_ * mean(j);
      }
      finish_correlation(out.sum_weighted, columns, out.correlation.data());
      out.intercept += intercept;
      return true;
    } else {
      return false;
    }
  }

  // The Gram matrix of sparse columns is X'X less a term of rank one, which loses the digits of far
  // ones. Their products are made again from centred values; dense ones are centred already.
  void centre_far(std::span<const Index> columns, Index fresh, double* out, Index ld) const {
    const auto first = static_cast<Index>(columns.size()) - fresh;
    Vector centred, products;
    for (Index k = 0; k < fresh && !execution_.stop_requested(); ++k) {
      const Index j = columns[static_cast<std::size_t>(first + k)];
      if (!is_far(j)) continue;
      centred.assign(static_cast<std::size_t>(rows_), 0.0);
      x_.axpy(1.0, j, centred.data());
      for (double& value : centred) value -= mean(j);
      const double* const s = weights();
      for (std::size_t i = 0; s != nullptr && i < centred.size(); ++i) centred[i] *= s[i];
      const double sum = std::accumulate(centred.begin(), centred.end(), 0.0);
      products.resize(static_cast<std::size_t>(cols_));
      x_.gemv_t(centred.data(), columns, products.data(), execution_);
      for (Index i = 0; i < first + fresh; ++i) {
        const Index other = columns[static_cast<std::size_t>(i)];
        const double product = products[static_cast<std::size_t>(other)] - mean(other) * sum;
        out[i + k * ld] = product;
        if (i >= first) out[first + k + (i - first) * ld] = product;
      }
    }
  }

  void centre_target() {
    target_ = {.y = data_.y, .offset = data_.offset};
    double mean_abs = 0;
    for_each_row([&](Index i, double weight) {
      total_ += weight;
      mean_abs += weight * std::fabs(data_.y[i]);
    });
    rounding_objective_ = L::value(1e3 * epsilon * mean_abs / total_, 0.0);
    if (!data_.fit_intercept) return;
    // Twice, so that the mean of the centred target is zero to rounding also for |mean| >> sd.
    for (double& shift : target_.shift) {
      double sum = 0;
      for_each_row([&](Index i, double weight) { sum += weight * target_(i); });
      shift = sum / total_;
      null_intercept_ += shift;
    }
  }

  // finish_residual of the target itself, without its vectors.
  void finish_null() {
    double sum = 0;
    for_each_row([&](Index i, double weight) { sum += weight * target_(i); });
    null_.intercept = data_.fit_intercept ? sum / total_ : 0.0;
    Sums sums;
    for_each_row([&](Index i, double weight) {
      const double target = target_(i);
      sums.add(weight, -L::gradient(target, null_.intercept), target);
    });
    take(sums, null_);
  }

  // A gap would be zero at once.
  void reject_underflow() const {
    if (tolerance_scale() >= smallest_normal) return;
    for_each_row([&](Index i, double weight) {
      if (target_(i) == 0 || weight == 0) return;
      throw core::InvalidArgument(
          "y contains values so small that their squares underflow float64; rescale the target");
    });
  }

  const D& x_;
  GlmData data_;
  Index rows_, cols_;
  core::Execution execution_;
  double total_ = 0;
  double null_intercept_ = 0;
  double rounding_objective_ = 0;
  design::RowTarget target_;
  Evaluation null_;              // at w = 0, without its vectors
  mutable Vector made_weights_;  // where they are no array of the caller's
  std::optional<Columns<D>> columns_;
};

}  // namespace thalweg::objective
