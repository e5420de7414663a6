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
  centre_target();
  if (known == nullptr) {
    fill_target(null_.residual);
    finish_residual(null_);
  } else {
    finish_null();
  }
  reject_extremes();
  columns_.emplace(x_,
                   ColumnOptions{.weights = known == nullptr ? weights() : nullptr,
                                 .total = total_,
                                 .centre = data.fit_intercept,
                                 .standardize = data.standardize},
                   null_.v(), null_.sum_weighted, execution, known);
  null_.residual = {};
  null_.weighted = {};
}

const double* Glm::weights() const {
  if (data_.row_weights == nullptr) return data_.weights;
  if (made_weights_.empty()) made_weights_ = design::to_vector(*data_.row_weights, rows_);
  return made_weights_.data();
}

template <class F>
void Glm::for_each_row(F&& f) const {
  if (data_.row_weights != nullptr) design::for_each_row(*data_.row_weights, rows_, f);
  else
    for (Index i = 0; i < rows_; ++i) f(i, data_.weights != nullptr ? data_.weights[i] : 1.0);
}

void Glm::fill_target(Vector& out) const {
  out.resize(static_cast<std::size_t>(rows_));
  for (Index i = 0; i < rows_; ++i) out[static_cast<std::size_t>(i)] = target_(i);
}

void Glm::gram(std::span<const Index> columns, Index fresh, double* out, Index ld) const {
  x_.gram(columns, fresh, center(), weights(), total_, out, ld, execution_);
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

void Glm::correlate_residual(const Vector& u, std::span<const Index> columns, Vector& out) const {
  const double* s = weights();
  Vector weighted;
  if (s != nullptr) {
    weighted = u;
    for (std::size_t i = 0; i < weighted.size(); ++i) weighted[i] *= s[i];
  }
  const Vector& v = s != nullptr ? weighted : u;
  out.resize(static_cast<std::size_t>(cols_));
  correlate(v.data(), std::accumulate(v.begin(), v.end(), 0.0), columns, out.data());
}

void Glm::finish_correlation(double sum_v, std::span<const Index> columns, double* out) const {
  const double inverse_total = 1.0 / total_;
  for (const Index j : columns) {
    // A column without variation explains nothing; its product is rounding.
    const double product = (out[j] - mean(j) * sum_v) * inverse_scale(j) * inverse_total;
    out[j] = sq_norm(j) > 0 ? product : 0.0;
  }
}

std::pair<std::vector<Index>, Vector> Glm::raw_support(const Vector& w) const {
  std::pair<std::vector<Index>, Vector> found;
  for (Index j = 0; j < cols_; ++j) {
    const double value = w[static_cast<std::size_t>(j)];
    if (value == 0) continue;
    found.first.push_back(j);
    found.second.push_back(-value * inverse_scale(j));
  }
  return found;
}

void Glm::evaluate(const Vector& w, const penalty::Terms& terms, std::span<const Index> columns,
                   Evaluation& out) const {
  const auto [support, coef] = raw_support(w);
  out.penalty = terms.value(w);
  out.rounding = 0;
  out.correlation_rounding.clear();
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

// As in `evaluate_in_one_pass` the intercept follows from the means of the columns, and what
// rounding makes it differ by is corrected in the sums.
void Glm::evaluate_in_slices(const Vector& w, const penalty::Terms& terms,
                             std::span<const Index> columns, Evaluation& out) const {
  const auto [support, coef] = raw_support(w);
  if (support.empty()) {
    out = null_;
    out.penalty = terms.value(w);
    out.correlation = null_correlation();
    return;
  }
  out = {};
  out.penalty = terms.value(w);
  double intercept = 0;
  for (std::size_t k = 0; k < support.size(); ++k) intercept += coef[k] * mean(support[k]);
  out.correlation.assign(static_cast<std::size_t>(cols_), 0.0);
  const design::ArrayWeights given(data_.weights);
  Sums sums = add_slices(support, coef, intercept,
                         data_.row_weights != nullptr ? *data_.row_weights : given, columns,
                         out.correlation.data());
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

double Glm::mean_square(const Vector& w, double intercept,
                        const design::RowWeights& weights) const {
  const auto [support, coef] = raw_support(w);
  const Sums sums = add_slices(support, coef, intercept, weights, {}, nullptr);
  return 2 * sums.loss / sums.total;  // a loss is half a square
}

// The residual at coefficients less an intercept, slice by slice: its sums, and out[j] += x_j' S u
// for columns, of which there may be none.
Glm::Sums Glm::add_slices(const std::vector<Index>& support, const Vector& coef, double intercept,
                          const design::RowWeights& weights, std::span<const Index> columns,
                          double* out) const {
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
      const design::Erased slice = x_.row_slice(row, next);
      for (Index i = row; i < next; ++i) u[static_cast<std::size_t>(i - row)] = target_(i);
      slice.gemv_add(support, coef.data(), u.data(), {});
      weights.fill(row, next, s.data());
      for (Index i = row; i < next; ++i) {
        const auto k = static_cast<std::size_t>(i - row);
        u[k] -= intercept;
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
    for (const Index j : columns) out[j] += products[b * cols + static_cast<std::size_t>(j)];
  }
  return total;
}

void Glm::evaluate_residual(const Vector& residual, Evaluation& out) const {
  out.residual = residual;
  finish_residual(out);
  out.correlation.resize(static_cast<std::size_t>(cols_));
  correlate(out.v(), out.sum_weighted, all_columns(), out.correlation.data());
}

void Glm::finish_residual(Evaluation& out) const {
  const double* s = weights();
  out.intercept = data_.fit_intercept ? weighted_sum(out.residual.data()) / total_ : 0.0;
  Sums sums;
  if (s != nullptr) out.weighted.resize(static_cast<std::size_t>(rows_));
  else out.weighted.clear();
  for (Index i = 0; i < rows_; ++i) {
    double& u = out.residual[static_cast<std::size_t>(i)];
    u -= out.intercept;
    const double weight = s != nullptr ? s[i] : 1.0;
    sums.add(weight, u, target_(i));
    if (s != nullptr) out.weighted[static_cast<std::size_t>(i)] = weight * u;
  }
  take(sums, out);
}

void Glm::Sums::add(double weight, double u, double target) {
  loss += weight * loss_of(u);
  total += weight;
  weighted += weight * u;
  product += weight * u * target;
}

void Glm::Sums::add(const Sums& other) {
  loss += other.loss;
  total += other.total;
  weighted += other.weighted;
  product += other.product;
}

void Glm::take(const Sums& sums, Evaluation& out) const {
  out.loss = sums.loss / total_;
  out.square = 2 * out.loss;
  out.target_product = sums.product / total_;
  out.sum_weighted = sums.weighted;
}

void Glm::to_raw(const Vector& w, Vector& coef) const {
  coef = w;
  for (Index j = 0; is_scaled() && j < cols_; ++j) {
    coef[static_cast<std::size_t>(j)] *= inverse_scale(j);
  }
}

void Glm::centre(Vector& u) const {
  if (!data_.fit_intercept) return;
  const double mean = weighted_sum(u.data()) / total_;
  for (double& value : u) value -= mean;
}

double Glm::weighted_sum(const double* v) const {
  const double* s = weights();
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

void Glm::centre_target() {
  target_ = {.y = data_.y, .offset = data_.offset};
  double mean_abs = 0;
  for_each_row([&](Index i, double weight) {
    total_ += weight;
    mean_abs += weight * std::fabs(data_.y[i]);
  });
  rounding_objective_ = loss_of(1e3 * epsilon * mean_abs / total_);
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
void Glm::finish_null() {
  double sum = 0;
  for_each_row([&](Index i, double weight) { sum += weight * target_(i); });
  null_.intercept = data_.fit_intercept ? sum / total_ : 0.0;
  Sums sums;
  for_each_row([&](Index i, double weight) {
    const double target = target_(i);
    sums.add(weight, target - null_.intercept, target);
  });
  take(sums, null_);
}

// Of a target whose squares underflow a gap would be zero at once; where they are near overflow,
// products with them are not finite.
void Glm::reject_extremes() const {
  constexpr double largest = 1e290;
  if (!(tolerance_scale() <= largest)) {
    throw core::InvalidArgument(
        "y contains values so large that their squares overflow float64; rescale the target");
  }
  if (tolerance_scale() >= smallest_normal) return;
  for_each_row([&](Index i, double weight) {
    if (target_(i) == 0 || weight == 0) return;
    throw core::InvalidArgument(
        "y contains values so small that their squares underflow float64; rescale the target");
  });
}

}  // namespace thalweg::objective
