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

Vector& RowPreconditioner::diagonal() {
  inverse_.resize(length(coefficients() + (fit_intercept_ ? outputs_ : 0)));
  rows_.clear();
  parts_.clear();
  return inverse_;
}

Index RowPreconditioner::most_rows() const {
  constexpr double vectors = 2, products = 10;
  const auto outputs = static_cast<double>(outputs_), rows = static_cast<double>(x_.rows());
  const double memory = vectors * static_cast<double>(x_.cols()) * outputs;
  const double work = 2 * products * rows * outputs;
  return std::min(static_cast<Index>(std::sqrt(std::min(memory, work))), x_.rows() / 2);
}

bool RowPreconditioner::choose(const double* h, const core::Execution& execution) {
  constexpr double least = 0.1, most_of_all = 0.6;  // shares
  const auto most = length(most_rows());
  if (!x_.raw().has_rows() || most == 0) return false;
  Vector weights(length(x_.cols())), shares(length(x_.rows()));
  for (Index j = 0; j < x_.cols(); ++j) {
    double sum = 0;
    for (Index k = 0; k < outputs_; ++k) sum += inverse_[place(j, k)];
    weights[length(j)] =
        static_cast<double>(outputs_) * core::square(x_.columns().inverse_scale(j)) / sum;
  }
  x_.raw().row_squares(weights.data(), shares.data(), execution);
  for (Index i = 0; i < x_.rows(); ++i) {
    double curvature = 0;
    for (Index k = 0; k < outputs_; ++k) curvature += h[k * x_.rows() + i];
    shares[length(i)] *= curvature / total_;
    if (shares[length(i)] > least) rows_.push_back(static_cast<design::RowNumber>(i));
  }
  if (rows_.size() > most) {
    const auto is_larger = [&](design::RowNumber a, design::RowNumber b) {
      return shares[a] != shares[b] ? shares[a] > shares[b] : a < b;
    };
    std::nth_element(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(most), rows_.end(),
                     is_larger);
    rows_.resize(most);
    std::sort(rows_.begin(), rows_.end());
  }
  double covered = 0;
  for (const design::RowNumber i : rows_) covered += shares[i];
  if (!(covered >= most_of_all * std::accumulate(shares.begin(), shares.end(), 0.0))) rows_.clear();
  return !rows_.empty();
}

void RowPreconditioner::take(const WeightedLoss::Bends& bends, double* h) {
  constexpr double least = 0.02;  // of a vector of length one
  // So much stays in D, too: of a variable that only these rows bend it would be rounding.
  constexpr double left = 1e-3;
  parts_.resize(length(outputs_));
  for (Index k = 0; k < outputs_; ++k) {
    Part& part = parts_[length(k)];
    double* const plane = h + k * x_.rows();
    for (std::size_t t = 0; t < rows_.size(); ++t) {
      const double along = bends.direction[length(k) * rows_.size() + t];
      if (!(std::fabs(along) >= least)) continue;
      part.rows.push_back(rows_[t]);
      part.at.push_back(t);
      part.factors.push_back(along * std::sqrt(bends.size[t] / total_));
      plane[rows_[t]] = std::max(plane[rows_[t]] - (1 - left) * bends.size[t] * along * along, 0.0);
    }
  }
}

bool RowPreconditioner::finish(const core::Execution& execution) {
  if (!invert()) return false;
  if (!parts_.empty()) factorise(execution);
  return true;
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

void RowPreconditioner::factorise(const core::Execution& execution) {
  constexpr double dependent = 1e-14;
  const std::size_t count = rows_.size();
  gram_.assign(count * count, 0.0);
  for (std::size_t t = 0; t < count; ++t) gram_[t * (count + 1)] = 1;
  for (Index k = 0; k < outputs_; ++k) add_gram(k, execution);
  const auto n = static_cast<Index>(count);
  factor_.factorize(gram_.data(), n, n, dependent, execution);
}

// What output k adds to B' D^-1 B: of rows i and l, with m the means of the columns,
//   (x_i - m)' D^-1 (x_l - m) = x_i' D^-1 x_l - x_i' D^-1 m - x_l' D^-1 m + m' D^-1 m.
void RowPreconditioner::add_gram(Index k, const core::Execution& execution) {
  const Part& part = parts_[length(k)];
  const double* const inverse = inverse_.data() + place(0, k);
  const std::size_t size = part.rows.size();
  Vector centre_products(size, 0.0);
  double common = inverse_intercept(k);
  if (is_centred()) {
    Vector centre(length(x_.cols()));
    for (Index j = 0; j < x_.cols(); ++j) {
      centre[length(j)] = inverse[j] * mean(j);
      common += mean(j) * centre[length(j)];
    }
    std::size_t c = 0;
    x_.raw().relax_rows(part.rows, nullptr, centre.data(), [&](Index, double product) {
      centre_products[c++] = product;
      return 0.0;
    });
  }
  constexpr Index shares = 16;
  const double work = 0.5 * static_cast<double>(size) * static_cast<double>(size) *
                      static_cast<double>(x_.stored()) / static_cast<double>(x_.rows());
  core::parallel_for(
      shares, design::serial_if_small(static_cast<Index>(work), execution), [&](Index share) {
        Vector row(length(x_.cols()), 0.0);
        for (std::size_t l = length(share); l < size; l += length(shares)) {
          const design::RowList own(&part.rows[l], 1);
          const auto add = [&](double a) {
            x_.raw().relax_rows(own, inverse, row.data(), [&](Index, double) { return a; });
          };
          add(1.0);
          double* const out = gram_.data() + part.at[l] * rows_.size();
          std::size_t c = l;
          x_.raw().relax_rows(design::RowList(part.rows).subspan(l), nullptr, row.data(),
                              [&](Index, double product) {
                                product += common - centre_products[c] - centre_products[l];
                                out[part.at[c]] += part.factors[c] * part.factors[l] * product;
                                ++c;
                                return 0.0;
                              });
          add(-1.0);  // which leaves zeros, or their rounding
        }
      });
}

void RowPreconditioner::divide_by_diagonal(const double* v, double* out,
                                           const core::Execution& execution) const {
  core::for_elements(static_cast<Index>(inverse_.size()), execution.threads,
                     [&](Index begin, Index end) {
                       for (Index i = begin; i < end; ++i) out[i] = inverse_[length(i)] * v[i];
                     });
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
  divide_by_diagonal(is_scaled ? out : v, out, execution);
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
  for (Vector* const each : {&inverse_, &gram_, &along_}) Vector().swap(*each);
  rows_ = {};
  parts_ = {};
}

}  // namespace thalweg::objective
