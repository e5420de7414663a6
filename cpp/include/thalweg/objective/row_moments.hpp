// Second moments of weighted rows, raw, and what follows from them without another pass over X.
//
//   A = sum_i h_i a_i a_i',   a_i = (x_i - c, t_i, 1)      (X, a target, the intercept's column)
//
// A belongs to the rows: moments of disjoint rows add up, and those of some rows taken from all
// leave those of the others. A model with an intercept follows by eliminating the last column,
// A_ij - A_i1 A_1j / A_11. The centre c is that of all rows, so that |mean| >> spread does not
// cancel; sparse columns, which cannot be shifted, have c = 0.
//
// Cost: rows * p^2 / 2 for dense designs, the sparse Gram product for others.
#pragma once

#include <memory>
#include <optional>

#include "thalweg/objective/glm.hpp"

namespace thalweg::objective {

class RowMoments final {
 public:
  explicit RowMoments(Index cols)
      : cols_(cols),
        values_(
            std::make_unique_for_overwrite<double[]>(static_cast<std::size_t>(size() * size()))) {}

  Index cols() const { return cols_; }
  Index size() const { return cols_ + 2; }
  Index bytes() const { return size() * size() * static_cast<Index>(sizeof(double)); }
  Index target() const { return cols_; }
  Index one() const { return cols_ + 1; }
  double weight() const { return (*this)(one(), one()); }
  double operator()(Index i, Index j) const { return column(j)[i]; }
  const double* column(Index j) const { return values_.get() + j * size(); }
  double* data() { return values_.get(); }

  static RowMoments sum(std::span<const RowMoments> parts) {
    RowMoments out(parts.front().cols());
    const Index entries = out.size() * out.size();
    std::copy_n(parts.front().column(0), entries, out.data());
    for (const RowMoments& part : parts.subspan(1)) {
      for (Index k = 0; k < entries; ++k) out.data()[k] += part.column(0)[k];
    }
    return out;
  }

 private:
  Index cols_;
  std::unique_ptr<double[]> values_;
};

// By the products that every design has, about zero.
inline void raw_row_moments(const design::Erased& x, const design::RowWeights& weights,
                            const design::RowTarget& t, const core::Execution& execution,
                            RowMoments& out) {
  std::vector<Index> columns(static_cast<std::size_t>(x.cols()));
  std::iota(columns.begin(), columns.end(), Index{0});
  const Index size = out.size();
  double* const a = out.data();
  const Vector h = design::to_vector(weights, x.rows());
  x.gram(columns, x.cols(), nullptr, h.data(), 0.0, a, size, execution);
  Vector weighted = h;
  double square = 0, sum = 0, weight = 0;
  for (std::size_t i = 0; i < weighted.size(); ++i) {
    weight += h[i];
    const double target = t(static_cast<Index>(i));
    weighted[i] *= target;
    sum += weighted[i];
    square += weighted[i] * target;
  }
  design::ColumnMoments moments;
  x.moments(h.data(), weighted.data(), moments, execution);
  std::copy(moments.dot.begin(), moments.dot.end(), a + out.target() * size);
  std::copy(moments.sum.begin(), moments.sum.end(), a + out.one() * size);
  a[out.target() + out.target() * size] = square;
  a[out.target() + out.one() * size] = sum;
  a[out.one() + out.one() * size] = weight;
  for (Index j = 0; j < size; ++j) {
    a[out.target() + j * size] = a[j + out.target() * size];
    a[out.one() + j * size] = a[j + out.one() * size];
  }
}

// Those of several weightings of the rows, about a centre (null: zero; sparse designs need that).
// After a stop request they are incomplete.
inline std::vector<RowMoments> row_moments(const design::Erased& x,
                                           std::span<const design::RowWeights* const> weightings,
                                           const double* center, const design::RowTarget& t,
                                           const core::Execution& execution) {
  std::vector<RowMoments> moments;
  for (std::size_t k = 0; k < weightings.size(); ++k) moments.emplace_back(x.cols());
  if (x.has_row_moments()) {
    std::vector<design::RowPart> parts(weightings.size());
    core::parallel_for(static_cast<Index>(parts.size()), execution, [&](Index k) {
      const auto part = static_cast<std::size_t>(k);
      parts[part] = design::RowPart(*weightings[part], x.rows());
    });
    std::vector<double*> out;
    for (RowMoments& each : moments) out.push_back(each.data());
    x.row_moments(parts, center, t, out, execution);
  } else {
    for (std::size_t k = 0; k < weightings.size(); ++k) {
      if (execution.stop_requested()) break;
      raw_row_moments(x, *weightings[k], t, execution, moments[k]);
    }
  }
  return moments;
}

// The mean squared error of a model on the rows of some moments: v' A v / h'1 with
// v = (-coef, 1, -intercept), the intercept about the centres of the moments, mean(t) - mean(x)'
// coef on the rows that the model was fitted to.
class HeldoutError final {
 public:
  // `mean`: of columns and target in the fit, from the centres of the moments, zero without an
  // intercept.
  HeldoutError(const RowMoments& rows, Vector mean, double target_mean)
      : rows_(rows), mean_(std::move(mean)), target_mean_(target_mean) {}

  // Of raw coefficients; nothing where rounding would show in it.
  std::optional<double> operator()(const Vector& coef) {
    constexpr double accuracy = 1e-10;
    const Index size = rows_.size();
    point_.assign(static_cast<std::size_t>(size), 0.0);
    double intercept = target_mean_;
    for (std::size_t j = 0; j < coef.size(); ++j) {
      point_[j] = -coef[j];
      intercept -= coef[j] * mean_[j];
    }
    point_[static_cast<std::size_t>(rows_.target())] = 1.0;
    point_[static_cast<std::size_t>(rows_.one())] = -intercept;
    product_.assign(static_cast<std::size_t>(size), 0.0);
    double length = 0;
    for (Index j = 0; j < size; ++j) {
      const double v = point_[static_cast<std::size_t>(j)];
      if (v == 0) continue;
      kernels_.axpy(v, rows_.column(j), product_.data(), size);
      length += std::fabs(v) * std::sqrt(rows_(j, j) / rows_.weight());
    }
    const double error = kernels_.dot(point_.data(), product_.data(), size) / rows_.weight();
    if (!(16 * epsilon * core::square(length) <= accuracy * error)) return std::nullopt;
    return error;
  }

 private:
  const RowMoments& rows_;
  Vector mean_;
  double target_mean_;
  Vector point_, product_;
  const kernels::DenseKernels<double>& kernels_ = kernels::table().dense<double>();
};

// The rows that some moments are taken from leave: a model of the others, complete but for what
// glm.hpp knows of the rows themselves.
class RemainingRows final {
 public:
  // With `centred` an intercept is fitted: it is eliminated. `taken` may be null: no rows.
  RemainingRows(const RowMoments& all, const RowMoments* taken, const double* center, bool centred)
      : all_(all),
        taken_(taken),
        center_(center),
        centred_(centred),
        mean_(static_cast<std::size_t>(all.cols()), 0.0) {
    const Index one = all.one();
    weight_ = raw(one, one);
    for (std::size_t j = 0; j < mean_.size(); ++j)
      mean_[j] = raw(static_cast<Index>(j), one) / weight_;
    target_mean_ = raw(all.target(), one) / weight_;
  }

  Index cols() const { return all_.cols(); }
  // Of columns and target, from the centres; zero where no intercept is fitted.
  Vector shifts() const { return centred_ ? mean_ : Vector(mean_.size(), 0.0); }
  double target_shift() const { return centred_ ? target_mean_ : 0.0; }

  // What a difference of moments loses of digits: the largest ratio of what it was taken from to
  // what is left, over columns and target. `column` is where.
  struct Loss {
    double ratio = 1;
    Index column = 0;

    bool is_tolerable() const {
      constexpr double most = 100;  // two of sixteen digits
      return ratio <= most;
    }
  };
  Loss loss(const ColumnSummary& columns, bool needs_variance) const {
    Loss worst;
    for (Index j = 0; j <= cols(); ++j) {
      double left = covariance(j, j, centred_);
      if (j < cols()) {
        const auto k = static_cast<std::size_t>(j);
        left = needs_variance ? columns.variance[k] : columns.second[k];
        if (underflows(j)) return {.ratio = infinity, .column = j};
        if (left == 0 && is_constant(j)) continue;
      }
      const double ratio = left > 0 ? all_(j, j) / weight_ / left : infinity;
      if (!(ratio <= worst.ratio)) worst = {.ratio = ratio, .column = j};
    }
    return worst;
  }

  ColumnSummary summary() const {
    ColumnSummary out;
    for (Index j = 0; j < cols(); ++j) {
      const double c = center_ != nullptr ? center_[j] : 0.0;
      const double variance = covariance(j, j, true);
      const double mean = c + mean_[static_cast<std::size_t>(j)];
      out.mean.push_back(mean);
      out.variance.push_back(is_constant(j) ? 0.0 : std::max(variance, 0.0));
      out.second.push_back(raw(j, j) / weight_ + c * (2 * mean - c));
      out.product.push_back(covariance(j, all_.target(), centred_));
    }
    return out;
  }

  // sqrt(A_jj / weight) of all rows: what bounds the rounding of a column's part in products.
  double size(Index j) const { return std::sqrt(all_(j, j) / weight_); }
  double target_size() const { return size(all_.target()); }

  // Gram matrix over the weight, of columns times their inverse scale.
  void gram(const Glm& glm, std::span<const Index> columns, Index fresh, double* out,
            Index ld) const {
    const auto count = static_cast<Index>(columns.size());
    for (Index k = 0; k < fresh; ++k) {
      const Index j = columns[static_cast<std::size_t>(count - fresh + k)];
      for (Index i = 0; i < count; ++i) {
        const Index row = columns[static_cast<std::size_t>(i)];
        out[i + k * ld] =
            covariance(row, j, centred_) * (glm.inverse_scale(row) * glm.inverse_scale(j));
      }
    }
  }

 private:
  double raw(Index i, Index j) const {
    return taken_ != nullptr ? all_(i, j) - (*taken_)(i, j) : all_(i, j);
  }
  double covariance(Index i, Index j, bool centred) const {
    if (!centred) return raw(i, j) / weight_;
    const double a = i < cols() ? mean_[static_cast<std::size_t>(i)] : target_mean_;
    const double b = j < cols() ? mean_[static_cast<std::size_t>(j)] : target_mean_;
    return raw(i, j) / weight_ - a * b;
  }
  // Whether the squares of a column that is not zero are: what is known of it is to come from X.
  bool underflows(Index j) const {
    const double c = center_ != nullptr ? center_[j] : 0.0;
    return all_(j, j) + all_.weight() * c * c < smallest_normal &&
           (c != 0 || all_(j, all_.one()) != 0 || all_(j, all_.target()) != 0);
  }
  // In all rows, but for the rounding of its mean.
  bool is_constant(Index j) const {
    const double c = center_ != nullptr ? center_[j] : 0.0;
    return all_(j, j) <= all_.weight() * core::square(16 * epsilon * c);
  }

  const RowMoments& all_;
  const RowMoments* taken_;
  const double* center_;
  bool centred_;
  double weight_ = 0;
  Vector mean_;
  double target_mean_ = 0;
};

}  // namespace thalweg::objective
