#include "thalweg/objective/columns.hpp"

#include <numeric>

#include "thalweg/core/error.hpp"

namespace thalweg::objective {

Columns::Columns(const design::Erased& x, const ColumnOptions& options, const double* v,
                 double sum_v, const core::Execution& execution, const ColumnSummary* known)
    : x_(x), options_(options), all_(static_cast<std::size_t>(x.cols())) {
  std::iota(all_.begin(), all_.end(), Index{0});
  build(known != nullptr ? *known : summarize(v, sum_v, execution));
}

ColumnSummary Columns::summarize(const double* v, double sum_v, const core::Execution& execution) {
  design::ColumnMoments moments;
  x_.moments(options_.weights, v, moments, execution);
  if (x_.is_sparse()) {
    rare_.reserve(moments.stored.size());
    for (const double weight : moments.stored) rare_.push_back(weight < 0.5 * options_.total);
  }
  const bool centred = options_.centre || options_.standardize;
  ColumnSummary out;
  out.resize(all_.size());
  if (execution.stop_requested()) return out;
  // Any of them may need another pass over its column.
  const auto between_polls =
      static_cast<std::size_t>(std::clamp<Index>((1 << 20) / x_.rows(), 1, 16));
  bool finite = true, underflows = false;
  for (std::size_t j = 0; j < out.mean.size(); ++j) {
    if (j % between_polls == 0 && execution.stop_requested()) return out;
    const double m = out.mean[j] = moments.sum[j] / options_.total;
    const double second = out.second[j] = moments.sum_sq[j] / options_.total;
    finite = finite && std::isfinite(second) && std::isfinite(moments.sum[j]);
    underflows = underflows || (moments.sum_sq[j] < smallest_normal &&
                                (moments.sum[j] != 0 || moments.dot[j] != 0));
    out.variance[j] = centred && finite ? variance(static_cast<Index>(j), m, second) : second;
    const double product = moments.dot[j] - (options_.centre ? m * sum_v : 0.0);
    out.product[j] = product / options_.total;
  }
  if (!finite) reject_nonfinite();
  if (underflows) {
    throw core::InvalidArgument(
        "X contains a column so small that its squares underflow float64; rescale the features");
  }
  return out;
}

void Columns::build(const ColumnSummary& columns) {
  const auto size = all_.size();
  sq_norm_.resize(size);
  null_product_.resize(size);
  if (options_.centre) center_ = columns.mean;
  if (options_.standardize) inverse_scale_.assign(size, 1.0);
  for (std::size_t j = 0; j < size; ++j) {
    const double spread = columns.variance[j];
    const double scale = options_.standardize && spread > 0 ? 1.0 / std::sqrt(spread) : 1.0;
    if (options_.standardize) inverse_scale_[j] = scale;
    sq_norm_[j] = (options_.centre ? spread : columns.second[j]) * scale * scale;
    null_product_[j] = sq_norm_[j] > 0 ? columns.product[j] * scale : 0.0;
    constexpr double far = 100;
    if (options_.centre && spread > 0 && std::fabs(columns.mean[j]) > far * std::sqrt(spread)) {
      far_.resize(size, 0);
      far_[j] = 1;
    }
  }
}

// second - m^2, recomputed from centred values where the difference cancels (|mean| >> spread);
// zero for a column that is constant but for the rounding of its mean.
double Columns::variance(Index j, double m, double second) const {
  double spread = second - m * m;
  if (spread > 1e-6 * second) return spread;
  double rounding = 16 * epsilon * second;
  if (const auto around = x_.sum_sq_around(j, m, options_.weights)) {
    spread = *around / options_.total;
    rounding = core::square(16 * epsilon * m);
  }
  return spread > rounding ? spread : 0.0;
}

void Columns::reject_nonfinite() const {
  const auto bad = x_.find_nonfinite();
  if (!bad) {
    throw core::InvalidArgument(
        "X contains values so large that their squares overflow float64; rescale the features");
  }
  throw core::InvalidArgument("X contains " +
                              std::string(std::isnan(bad->value) ? "NaN" : "infinity") + " (row " +
                              std::to_string(bad->row) + ", column " + std::to_string(bad->column) +
                              "); expected finite values");
}

}  // namespace thalweg::objective
