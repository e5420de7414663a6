#include "thalweg/objective/glm.hpp"

#include <numeric>

#include "thalweg/core/error.hpp"

namespace thalweg::objective {
namespace {

// Of one sample, by its residual.
double loss_of(double u) { return 0.5 * u * u; }

}  // namespace

Glm::Glm(const design::Erased& x, const GlmData& data, const core::Execution& execution,
         const ColumnSummary* known)
    : x_(x), data_(data), rows_(x.rows()), cols_(x.cols()), execution_(execution) {
  build_target();
  Evaluation null;
  null.residual = target_;
  finish_residual(null);
  null_objective_ = null.loss;
  reject_underflow();
  columns_.emplace(x_,
                   ColumnOptions{.weights = data.weights,
                                 .total = total_,
                                 .centre = data.fit_intercept,
                                 .standardize = data.standardize},
                   null.v(), null.sum_weighted, execution, known);
}

void Glm::gram(std::span<const Index> columns, Index fresh, double* out, Index ld) const {
  x_.gram(columns, fresh, center(), data_.weights, total_, out, ld, execution_);
  finish_gram(columns, fresh, out, ld);
}

void Glm::finish_gram(std::span<const Index> columns, Index fresh, double* out, Index ld) const {
  if (x_.is_sparse()) centre_far(columns, fresh, out, ld);
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

void Glm::correlate(const double* v, double sum_v, std::span<const Index> columns,
                    double* out) const {
  x_.gemv_t(v, columns, out, execution_);
  finish_correlation(sum_v, columns, out);
}

void Glm::finish_correlation(double sum_v, std::span<const Index> columns, double* out) const {
  const double inverse_total = 1.0 / total_;
  for (const Index j : columns) {
    // A column without variation explains nothing; its product is rounding.
    const double product = (out[j] - mean(j) * sum_v) * inverse_scale(j) * inverse_total;
    out[j] = sq_norm(j) > 0 ? product : 0.0;
  }
}

void Glm::evaluate(const Vector& w, const penalty::Terms& terms, std::span<const Index> columns,
                   Evaluation& out) const {
  std::vector<Index> support;
  Vector coef;
  for (Index j = 0; j < cols_; ++j) {
    const double value = w[static_cast<std::size_t>(j)];
    if (value == 0) continue;
    support.push_back(j);
    coef.push_back(-value * inverse_scale(j));
  }
  out.penalty = terms.value(w);
  out.residual = target_;
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

void Glm::evaluate_residual(const Vector& residual, Evaluation& out) const {
  out.residual = residual;
  finish_residual(out);
  out.correlation.resize(static_cast<std::size_t>(cols_));
  correlate(out.v(), out.sum_weighted, all_columns(), out.correlation.data());
}

void Glm::finish_residual(Evaluation& out) const {
  const double* s = data_.weights;
  out.intercept = data_.fit_intercept ? weighted_sum(out.residual.data()) / total_ : 0.0;
  double loss = 0, sum = 0, product = 0;
  if (s != nullptr) out.weighted.resize(static_cast<std::size_t>(rows_));
  else out.weighted.clear();
  for (Index i = 0; i < rows_; ++i) {
    double& u = out.residual[static_cast<std::size_t>(i)];
    u -= out.intercept;
    const double weight = s != nullptr ? s[i] : 1.0;
    loss += weight * loss_of(u);
    sum += weight * u;
    product += weight * u * target_[static_cast<std::size_t>(i)];
    if (s != nullptr) out.weighted[static_cast<std::size_t>(i)] = weight * u;
  }
  out.loss = loss / total_;
  out.square = 2 * out.loss;
  out.target_product = product / total_;
  out.sum_weighted = sum;
}

void Glm::to_raw(const Vector& w, Vector& coef) const {
  coef = w;
  for (Index j = 0; is_scaled() && j < cols_; ++j) {
    coef[static_cast<std::size_t>(j)] *= inverse_scale(j);
  }
}

double Glm::weighted_sum(const double* v) const {
  const double* s = data_.weights;
  double sum = 0;
  for (Index i = 0; i < rows_; ++i) sum += s != nullptr ? s[i] * v[i] : v[i];
  return sum;
}

// Reads X once where the design can. The intercept has to be known before the residual is: it is
// that of the means of the columns, and what rounding makes it differ by is corrected afterwards.
bool Glm::evaluate_in_one_pass(const std::vector<Index>& support, const Vector& coef,
                               std::span<const Index> columns, Evaluation& out) const {
  if (support.empty()) return false;
  double intercept = 0;
  for (std::size_t k = 0; k < support.size(); ++k) intercept += coef[k] * mean(support[k]);
  const double* s = data_.weights;
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
}

// The Gram matrix of sparse columns is X'X less a term of rank one, which loses the digits of far
// ones. Their products are made again from centred values; dense ones are centred already.
void Glm::centre_far(std::span<const Index> columns, Index fresh, double* out, Index ld) const {
  const auto first = static_cast<Index>(columns.size()) - fresh;
  Vector centred, products;
  for (Index k = 0; k < fresh && !execution_.stop_requested(); ++k) {
    const Index j = columns[static_cast<std::size_t>(first + k)];
    if (!is_far(j)) continue;
    centred.assign(static_cast<std::size_t>(rows_), 0.0);
    x_.axpy(1.0, j, centred.data());
    for (double& value : centred) value -= mean(j);
    for (std::size_t i = 0; data_.weights != nullptr && i < centred.size(); ++i)
      centred[i] *= data_.weights[i];
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

void Glm::build_target() {
  const auto n = static_cast<std::size_t>(rows_);
  target_.assign(data_.y, data_.y + n);
  if (data_.offset != nullptr) {
    for (std::size_t i = 0; i < n; ++i) target_[i] -= data_.offset[i];
  }
  total_ = data_.weights != nullptr ? std::accumulate(data_.weights, data_.weights + n, 0.0)
                                    : static_cast<double>(rows_);
  double mean_abs = 0;
  for (std::size_t i = 0; i < n; ++i) {
    mean_abs += (data_.weights != nullptr ? data_.weights[i] : 1.0) * std::fabs(data_.y[i]);
  }
  rounding_objective_ = loss_of(1e3 * epsilon * mean_abs / total_);
  if (data_.fit_intercept) {
    // Twice, so that the mean of the centred target is zero to rounding also for |mean| >> sd.
    for (int pass = 0; pass < 2; ++pass) {
      const double shift = weighted_sum(target_.data()) / total_;
      for (double& t : target_) t -= shift;
      null_intercept_ += shift;
    }
  }
}

// A gap would be zero at once.
void Glm::reject_underflow() const {
  if (tolerance_scale() >= smallest_normal) return;
  for (Index i = 0; i < rows_; ++i) {
    if (target_[static_cast<std::size_t>(i)] == 0) continue;
    if (data_.weights != nullptr && data_.weights[i] == 0) continue;
    throw core::InvalidArgument(
        "y contains values so small that their squares underflow float64; rescale the target");
  }
}

}  // namespace thalweg::objective
