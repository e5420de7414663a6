#include "thalweg/objective/scaled_design.hpp"

#include <algorithm>

#include "thalweg/core/elements.hpp"

namespace thalweg::objective {

void ScaledDesign::scale(const ColumnOptions& options, const double* v, double sum_v,
                         const core::Execution& execution) {
  columns_.emplace(x_, options, v, sum_v, execution);
  inverse_total_ = 1.0 / options.total;
}

const double* ScaledDesign::begin_prediction(Index planes, const double* w, const double* shifts,
                                             const double* offset, double* eta, Vector& scaled,
                                             const core::Execution& execution) const {
  const double* coef = w;
  if (columns_->is_scaled()) {
    scaled.resize(static_cast<std::size_t>(planes * cols()));
    coef = scaled.data();
  }
  for (Index k = 0; k < planes; ++k) {
    const Index first = k * cols();
    double shift = shifts != nullptr ? shifts[k] : 0.0;
    for (Index j = 0; columns_->is_scaled() && j < cols(); ++j)
      scaled[static_cast<std::size_t>(first + j)] = w[first + j] * columns_->inverse_scale(j);
    if (columns_->center() != nullptr) {
      shift -= core::sum_elements(cols(), execution.threads, [&](Index begin, Index end) {
        double sum = 0;
        for (Index j = begin; j < end; ++j) sum += columns_->mean(j) * coef[first + j];
        return sum;
      });
    }
    double* const out = eta + k * rows();
    core::for_elements(rows(), execution.threads, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) out[i] = offset != nullptr ? shift + offset[i] : shift;
    });
  }
  return coef;
}

void ScaledDesign::predict(Index planes, const double* w, const double* shifts,
                           const double* offset, double* eta,
                           const core::Execution& execution) const {
  Vector scaled;
  const double* const coef = begin_prediction(planes, w, shifts, offset, eta, scaled, execution);
  const Index size = planes * cols();
  if (std::all_of(coef, coef + size, [](double value) { return value == 0; })) return;
  if (planes > 1) {
    const auto nothing = [](const design::RowRange&) -> const double* { return nullptr; };
    if (x_.gemv_add_then_t(planes, columns_->all(), coef, eta, nothing, {}, nullptr, execution))
      return;
  }
  for (Index k = 0; k < planes; ++k)
    x_.gemv_add(columns_->all(), coef + k * cols(), eta + k * rows(), execution);
}

bool ScaledDesign::predict_then_multiply(
    Index planes, const double* w, const double* shifts, const double* offset, double* eta,
    const std::function<const double*(const design::RowRange&)>& v, double* out,
    const core::Execution& execution) const {
  Vector scaled;
  const double* const coef = begin_prediction(planes, w, shifts, offset, eta, scaled, execution);
  return x_.gemv_add_then_t(planes, columns_->all(), coef, eta, v, columns_->all(), out, execution);
}

void ScaledDesign::multiply(Index planes, const double* v, double* out,
                            const core::Execution& execution) const {
  const auto given = [v](const design::RowRange& rows) { return v + rows.begin; };
  if (planes > 1 &&
      x_.gemv_add_then_t(planes, {}, nullptr, nullptr, given, columns_->all(), out, execution))
    return;
  for (Index k = 0; k < planes; ++k)
    x_.gemv_t(v + k * rows(), columns_->all(), out + k * cols(), execution);
}

void ScaledDesign::finish_correlation(double sum, double* out,
                                      const core::Execution& execution) const {
  core::for_elements(cols(), execution.threads, [&](Index begin, Index end) {
    for (Index j = begin; j < end; ++j) {
      // A column without variation explains nothing; its product is rounding.
      const double product = (out[j] - columns_->mean(j) * sum) * columns_->inverse_scale(j);
      out[j] = columns_->sq_norm(j) > 0 ? product * inverse_total_ : 0.0;
    }
  });
}

void ScaledDesign::gram(const double* h, double sum, double* out, Index ld, double* cross,
                        const core::Execution& execution) const {
  const Index cols = this->cols();
  const bool sparse = is_sparse();
  Vector raw(static_cast<std::size_t>(cols));
  if (sparse || cross != nullptr) x_.gemv_t(h, columns_->all(), raw.data(), execution);
  // Sparse columns are centred afterwards, dense ones as they are read.
  x_.gram(columns_->all(), cols, sparse ? nullptr : columns_->center(), h, sum, out, ld, execution);
  for (Index j = 0; j < cols; ++j) {
    const double scale = columns_->inverse_scale(j) * inverse_total_;
    const double mean = columns_->mean(j);
    const double rest = raw[static_cast<std::size_t>(j)] - mean * sum;
    for (Index i = 0; i < cols; ++i) {
      double& entry = out[i + j * ld];
      if (sparse) {
        entry -= mean * raw[static_cast<std::size_t>(i)] + columns_->mean(i) * rest;
      }
      entry *= scale * columns_->inverse_scale(i);
    }
    if (cross != nullptr) cross[j] = rest * scale;
  }
}

Vector ScaledDesign::pair_grams(Index count, bool with_ones, const design::FillWeights& weights,
                                const core::Execution& execution) const {
  const design::PairGramRequest request{
      .count = count, .with_ones = with_ones, .center = columns_->center()};
  const auto scale = [&](Index j) { return j < cols() ? columns_->inverse_scale(j) : 1.0; };
  if (is_sparse() || !design::suits_pair_grams(cols(), count)) return {};
  Vector out(static_cast<std::size_t>(count * request.pairs(cols())));
  x_.pair_grams(request, weights, out.data(), execution);
  double* at = out.data();
  for (Index j = 0; j < request.columns(cols()); ++j) {
    for (Index k = 0; k <= j; ++k, at += count) {
      const double factor = scale(j) * scale(k) * inverse_total_;
      for (Index q = 0; q < count; ++q) at[q] *= factor;
    }
  }
  return out;
}

void ScaledDesign::gram_diagonals(Index planes, const double* h, const double* sums, double* out,
                                  const core::Execution& execution) const {
  // Planes at a time, so that their products are small beside what comes out: as many as rows of a
  // sparse X add to in one pass, for each of two threads.
  constexpr Index together = 2 * kernels::side_by_side;
  x_.square_products(planes, h, out, execution);
  const bool is_centred = columns_->center() != nullptr;
  Vector products(static_cast<std::size_t>(is_centred ? std::min(planes, together) * cols() : 0));
  for (Index k = 0; k < planes; ++k) {
    const Index at = k % together;
    if (is_centred && at == 0) {
      multiply(std::min(planes - k, together), h + k * rows(), products.data(), execution);
    }
    for (Index j = 0; j < cols(); ++j) {
      double& entry = out[k * cols() + j];
      const double mean = columns_->mean(j), scale = columns_->inverse_scale(j);
      if (mean != 0)
        entry -= mean * (2 * products[static_cast<std::size_t>(at * cols() + j)] - mean * sums[k]);
      entry = std::max(entry, 0.0) * scale * scale * inverse_total_;
    }
  }
}

}  // namespace thalweg::objective
