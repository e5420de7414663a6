// The columns of a design as a linear model sees them: x~_j = (x_j - m_j) / c_j, with m_j the
// weighted mean where an intercept is fitted (0 otherwise) and c_j the weighted standard deviation
// where the design is standardised (1 otherwise). Both are implicit, X is never touched: a product
// with x~_j is one with x_j and a correction.
//
// Cost: one pass over X, which also looks for non-finite entries; none where the moments are known.
#pragma once

#include <cmath>
#include <numeric>

#include "thalweg/core/error.hpp"
#include "thalweg/core/numerics.hpp"
#include "thalweg/design/concept.hpp"

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

template <design::Design D>
class Columns final {
 public:
  // `v` is a vector over the rows, of sum `sum_v` (null_product: its products with the columns).
  // `known`, where it is known before, saves the pass over X. After a stop request incomplete.
  Columns(const D& x, const ColumnOptions& options, const double* v, double sum_v,
          const core::Execution& execution, const ColumnSummary* known = nullptr)
      : x_(x), options_(options), all_(static_cast<std::size_t>(x.cols())) {
    std::iota(all_.begin(), all_.end(), Index{0});
    build(known != nullptr ? *known : summarize(v, sum_v, execution));
  }

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

 private:
  ColumnSummary summarize(const double* v, double sum_v, const core::Execution& execution) const {
    design::ColumnMoments moments;
    x_.moments(options_.weights, v, moments, execution);
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

  void build(const ColumnSummary& columns) {
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
  double variance(Index j, double m, double second) const {
    double spread = second - m * m;
    if (spread > 1e-6 * second) return spread;
    double rounding = 16 * epsilon * second;
    if (const auto around = design::sum_sq_around(x_, j, m, options_.weights)) {
      spread = *around / options_.total;
      rounding = core::square(16 * epsilon * m);
    }
    return spread > rounding ? spread : 0.0;
  }

  [[noreturn]] void reject_nonfinite() const {
    const auto bad = x_.find_nonfinite();
    if (!bad) {
      throw core::InvalidArgument(
          "X contains values so large that their squares overflow float64; rescale the features");
    }
    throw core::InvalidArgument("X contains " +
                                std::string(std::isnan(bad->value) ? "NaN" : "infinity") +
                                " (row " + std::to_string(bad->row) + ", column " +
                                std::to_string(bad->column) + "); expected finite values");
  }

  const D& x_;
  ColumnOptions options_;
  std::vector<Index> all_;
  Vector center_;         // empty where nothing is centred
  Vector inverse_scale_;  // empty where not standardised
  Vector sq_norm_;
  Vector null_product_;
  std::vector<char> far_;  // empty where no column is
};

}  // namespace thalweg::objective
