#include "thalweg/objective/row_preconditioner.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "thalweg/core/elements.hpp"
#include "thalweg/core/numerics.hpp"

namespace thalweg::objective {
namespace {

std::size_t length(Index n) { return static_cast<std::size_t>(n); }

}  // namespace

void RowPreconditioner::begin() {
  inverse_.resize(length(coefficients() + (fit_intercept_ ? outputs_ : 0)));
  rows_.clear();
  parts_.clear();
}

Index RowPreconditioner::most_rows() const {
  constexpr double vectors = 2;
  const double memory = vectors * static_cast<double>(coefficients());
  return std::min(static_cast<Index>(std::sqrt(memory)), x_.rows() / 2);
}

// Of x~, as the diagonal is. False: means are so far from zero that they are rounding.
bool RowPreconditioner::find_shares(const double* h, const core::Execution& execution) {
  constexpr double noise = 1e3 * epsilon;
  Vector weights(length(x_.cols()));
  double square = 0;  // of x~_i in units of the diagonal, on average
  for (Index j = 0; j < x_.cols(); ++j) {
    double sum = 0;
    for (Index k = 0; k < outputs_; ++k) sum += inverse_[place(j, k)];
    weights[length(j)] =
        static_cast<double>(outputs_) * core::square(x_.columns().inverse_scale(j)) / sum;
    square += static_cast<double>(outputs_) * x_.columns().sq_norm(j) / sum;
  }
  shares_.resize(length(x_.rows()));
  x_.raw().row_squares(weights.data(), shares_.data(), execution);
  if (is_centred()) {
    Vector along(shares_.size(), 0.0);
    double common = 0;
    for (Index j = 0; j < x_.cols(); ++j) {
      weights[length(j)] *= mean(j);
      common += weights[length(j)] * mean(j);
    }
    if (noise * common > square) return false;
    x_.raw().gemv_add(x_.columns().all(), weights.data(), along.data(), execution);
    for (std::size_t i = 0; i < shares_.size(); ++i)
      shares_[i] = std::max(shares_[i] - 2 * along[i] + common, 0.0);
  }
  for (Index i = 0; i < x_.rows(); ++i) {
    double curvature = 0;
    for (Index k = 0; k < outputs_; ++k) curvature += h[k * x_.rows() + i];
    shares_[length(i)] *= std::max(curvature, 0.0) / total_;
  }
  return true;
}

bool RowPreconditioner::choose(const double* h, const core::Execution& execution) {
  constexpr double least = 0.1;  // share
  if (!x_.raw().is_by_rows() || !find_shares(h, execution)) return false;
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    if (shares_[i] > least) rows_.push_back(static_cast<design::RowNumber>(i));
  }
  std::sort(rows_.begin(), rows_.end(), [&](design::RowNumber a, design::RowNumber b) {
    return shares_[a] != shares_[b] ? shares_[a] > shares_[b] : a < b;
  });
  rows_.resize(std::min(rows_.size(), length(most_rows())));
  return !rows_.empty();
}

bool RowPreconditioner::take(const WeightedLoss::Bends& bends, double* h) {
  constexpr double least = 0.02;  // of a vector of length one
  constexpr double most_of_all = 0.6, products = 10;
  // So much stays in D, too: of a variable that only these rows bend it would be rounding.
  constexpr double left = 1e-3;
  const std::size_t count = rows_.size();
  const double most_work =
      2 * products * static_cast<double>(x_.rows()) * static_cast<double>(outputs_);
  parts_.resize(length(outputs_));
  double covered = 0, work = 0;  // products of rows
  std::size_t taken = 0;
  for (; taken < count && work < most_work; ++taken) {
    const design::RowNumber i = rows_[taken];
    double trace = 0, own = 0;
    for (Index k = 0; k < outputs_; ++k) {
      const double along = bends.direction[length(k) * count + taken];
      double& curvature = h[k * x_.rows() + static_cast<Index>(i)];
      trace += curvature;
      if (!(std::fabs(along) >= least)) continue;
      Part& part = parts_[length(k)];
      part.rows.push_back(i);
      part.at.push_back(taken);
      part.factors.push_back(along * std::sqrt(bends.size[taken] / total_));
      work += static_cast<double>(part.rows.size());
      own += bends.size[taken] * along * along;
      curvature = std::max(curvature - (1 - left) * bends.size[taken] * along * along, 0.0);
    }
    if (trace > 0) covered += shares_[i] * std::min(own / trace, 1.0);
  }
  rows_.resize(taken);
  const bool is_most =
      covered >= most_of_all * std::accumulate(shares_.begin(), shares_.end(), 0.0);
  if (!is_most) begin();
  return is_most;
}

bool RowPreconditioner::finish(const core::Execution& execution) {
  if (!invert()) return false;
  return parts_.empty() || factorise(execution);
}

// Entries are kept away from zero, so that a variable of no curvature is not followed for ever.
bool RowPreconditioner::invert() {
  constexpr double least = 1e-10;
  double most = 0;
  for (const double d : inverse_) {
    if (!std::isfinite(d)) return false;
    most = std::max(most, d);
  }
  if (!(most > 0)) return false;
  for (double& d : inverse_) d = 1 / std::max(d, least * most);
  for (Index k = 0; x_.columns().is_scaled() && k < outputs_; ++k) {
    for (Index j = 0; j < x_.cols(); ++j)
      inverse_[place(j, k)] *= core::square(x_.columns().inverse_scale(j));
  }
  return true;
}

bool RowPreconditioner::factorise(const core::Execution& execution) {
  constexpr double dependent = 1e-14;
  const std::size_t count = rows_.size();
  gram_.assign(count * count, 0.0);
  for (std::size_t t = 0; t < count; ++t) gram_[t * (count + 1)] = 1;
  for (Index k = 0; k < outputs_; ++k) add_gram(k, execution);
  const auto n = static_cast<Index>(count);
  factor_.factorize(gram_.data(), n, n, dependent, execution);
  // No eigenvalue of I + B' D^-1 B is below one.
  for (Index t = 0; t < n; ++t) {
    if (factor_.is_skipped(t)) return false;
  }
  return true;
}

// What output k adds to B' D^-1 B: of rows i and l the product of x_i - m with D^-1 (x_l - m), m
// the means of the columns.
void RowPreconditioner::add_gram(Index k, const core::Execution& execution) {
  const Part& part = parts_[length(k)];
  const double* const inverse = inverse_.data() + place(0, k);
  const std::size_t size = part.rows.size();
  constexpr Index shares = 16;
  const double work = 0.5 * static_cast<double>(size) * static_cast<double>(size) *
                      static_cast<double>(x_.stored()) / static_cast<double>(x_.rows());
  const auto share_out = [&](Index share) {
    Vector row(length(x_.cols()), 0.0);
    for (std::size_t l = length(share); l < size; l += length(shares)) {
      if (execution.stop_requested()) return;
      double common = inverse_intercept(k);
      const auto add = [&](double a) {
        x_.raw().relax_rows(design::RowList(&part.rows[l], 1), inverse, row.data(),
                            [a](Index, double) { return a; });
      };
      add(1.0);
      for (Index j = 0; is_centred() && j < x_.cols(); ++j) {
        row[length(j)] -= inverse[j] * mean(j);
        common -= row[length(j)] * mean(j);
      }
      double* const out = gram_.data() + part.at[l] * rows_.size();
      std::size_t c = l;
      x_.raw().relax_rows(
          design::RowList(part.rows).subspan(l), nullptr, row.data(), [&](Index, double product) {
            out[part.at[c]] += part.factors[c] * part.factors[l] * (product + common);
            ++c;
            return 0.0;
          });
      // Taken back, but for rounding, which of a sparse row takes less than to clear all columns.
      if (is_centred()) std::fill(row.begin(), row.end(), 0.0);
      else add(-1.0);
    }
  };
  core::parallel_for(shares, design::serial_if_small(static_cast<Index>(work), execution),
                     share_out);
}

double RowPreconditioner::centre_product(Index k, const double* u) const {
  double product = 0;
  for (Index j = 0; is_centred() && j < x_.cols(); ++j) product += mean(j) * u[place(j, k)];
  return product;
}

// In the raw columns of X, for which a coefficient is its own times the column's inverse scale.
void RowPreconditioner::divide(const double* v, double* out,
                               const core::Execution& execution) const {
  const bool is_scaled = x_.columns().is_scaled();
  const auto unscale = [&](const double* from, double* to) {
    for (Index k = 0; k < outputs_; ++k) {
      for (Index j = 0; j < x_.cols(); ++j)
        to[place(j, k)] = from[place(j, k)] / x_.columns().inverse_scale(j);
    }
  };
  if (is_scaled) {
    std::copy_n(v + coefficients(), inverse_.size() - length(coefficients()), out + coefficients());
    unscale(v, out);
  }
  const double* const from = is_scaled ? out : v;
  core::for_elements(static_cast<Index>(inverse_.size()), execution.threads,
                     [&](Index begin, Index end) {
                       for (Index i = begin; i < end; ++i) out[i] = inverse_[length(i)] * from[i];
                     });
  if (!parts_.empty()) {
    along_.assign(rows_.size(), 0.0);
    for (Index k = 0; k < outputs_; ++k) {
      const Part& part = parts_[length(k)];
      const double shift =
          (fit_intercept_ ? out[coefficients() + k] : 0.0) - centre_product(k, out);
      std::size_t c = 0;
      x_.raw().relax_rows(part.rows, nullptr, out + place(0, k), [&](Index, double product) {
        along_[part.at[c]] += part.factors[c] * (product + shift);
        ++c;
        return 0.0;
      });
    }
    factor_.solve(along_.data());
    for (Index k = 0; k < outputs_; ++k) subtract_rows(k, along_, out);
  }
  if (is_scaled) unscale(out, out);
}

// out_k -= D^-1 B_k w
void RowPreconditioner::subtract_rows(Index k, const Vector& w, double* out) const {
  const Part& part = parts_[length(k)];
  const double* const inverse = inverse_.data() + place(0, k);
  double sum = 0;
  std::size_t c = 0;
  x_.raw().relax_rows(part.rows, inverse, out + place(0, k), [&](Index, double) {
    const double along = part.factors[c] * w[part.at[c]];
    ++c;
    sum += along;
    return -along;
  });
  for (Index j = 0; is_centred() && j < x_.cols(); ++j)
    out[place(j, k)] += sum * inverse[j] * mean(j);
  if (fit_intercept_) out[coefficients() + k] -= sum * inverse_intercept(k);
}

void RowPreconditioner::release() {
  for (Vector* const each : {&inverse_, &shares_, &gram_, &along_}) Vector().swap(*each);
  rows_ = {};
  parts_ = {};
}

}  // namespace thalweg::objective
