// The dual of a generalized linear model whose coefficients all have an l2 term, in the raw columns
// of X, r_j being what the penalty makes of raw coefficients v_j:
//
//   max_u  -(1 / S) sum_i s_i (loss*(y_i, -u_i) + u_i offset_i) - 1/2 sum_j z_j^2 / r_j,
//   z = X' S u / S,   v = z / r
//
// An intercept asks for sum_i s_i u_i = 0. It is taken as a column of ones of strength r_0 about a
// centre, b = centre + sum_i s_i u_i / (S r_0), and the centre moves to b now and then: the
// proximal point method in b, or that of multipliers in u. It converges by r_0 / (r_0 + curvature
// in b), which is small, because r_0 is chosen to be: this column weighs as much as a row's
// others, or more where they are small.
//
// With all others fixed, u_i = -loss'(y_i, eta) is best at the eta that solves
//
//   eta = eta_i + q_i (-loss'(y_i, eta) - u_i),   q_i = s_i (sum_j x_ij^2 / r_j + 1 / r_0) / S,
//
// a proximal point of the loss (loss/proximal.hpp), eta_i being the prediction now. u stays in the
// domain of the conjugate, since it is made of slopes.
//
// Columns are centred where there is an intercept, without filling rows: with V = (X' S u / S) / r
// of the raw columns, m their means and U = sum_i s_i u_i / S,
//
//   (x_i - m)'v = x_i'V - m'V - U a_i + U m'(m / r),   a_i = x_i'(m / r),
//
// of which m'V moves by a multiple of a_i when row i is visited. Cost of a visit of all rows: two
// passes over X, serial.
//
// References: Hsieh, Chang, Lin, Keerthi & Sundararajan 2008; Yu, Huang & Lin 2011; Shalev-Shwartz
// & Zhang 2013, section 6; Rockafellar 1976 (the proximal point method and multipliers).
#pragma once

#include <cmath>
#include <functional>
#include <limits>

#include "thalweg/objective/glm.hpp"
#include "thalweg/objective/scaled_design.hpp"
#include "thalweg/objective/smooth.hpp"
#include "thalweg/objective/weighted_loss.hpp"

namespace thalweg::objective {

class GlmDual final : public RowDual {
 public:
  // All of which must outlive it; `eta` and `point` are those of the base point, `gains` is room
  // for a number of every row that others use, too.
  GlmDual(const ScaledDesign& x, const GlmData& data, const WeightedLoss& loss,
          const penalty::Terms& terms, double total, const Vector& eta, const Vector& point,
          Vector& gains)
      : x_(x),
        data_(data),
        loss_(loss),
        terms_(terms),
        total_(total),
        eta_(eta),
        point_(point),
        gains_(gains) {}

  // Whether there is such a dual.
  bool exists() const {
    const loss::LossBlock& loss = loss_.loss();
    constexpr Index most_rows = std::numeric_limits<design::RowNumber>::max();
    return x_.raw().has_rows() && x_.rows() <= most_rows && loss.outputs() == 1 &&
           loss.is_convex() && core::flag(loss.info(), "bounded_curvature") &&
           terms_.strengths().l1 == 0 && !terms_.has_unpenalized(x_.cols());
  }

  Index row_count() const override { return x_.rows(); }
  Index stored() const override { return x_.stored(); }
  double coupling() const override {
    double sum = 0;
    for (Index j = 0; j < x_.cols(); ++j) sum += x_.columns().sq_norm(j) / terms_(j).l2;
    return sum / total_;
  }

  void start(const double* gradient) override {
    const auto rows = static_cast<std::size_t>(x_.rows());
    weigh_columns();
    u_.resize(rows);
    q_.resize(rows);
    // Until they are made, u and q are where slopes and curvatures are.
    const Vector &slopes = u_, &curvatures = q_;
    {
      Vector scratch(rows);
      loss_.curvature(eta_.data(), scratch.data(), q_.data());
    }
    loss_.gradient(eta_.data(), u_.data());
    weigh_centers();
    v_.resize(inverse_.size());
    const double sum = -loss_.sum(slopes.data()) / total_;
    double square = 0;
    for (std::size_t j = 0; j < v_.size(); ++j) {
      const auto column = static_cast<Index>(j);
      const double z = (terms_(column).l2 * point_[j] - gradient[j]) /
                       x_.columns().inverse_scale(column);  // (x - m)'S u / S
      v_[j] = (z + sum * mean(j)) * inverse_[j];
      square += z * z * inverse_[j];
    }
    const double share = best_multiple(slopes, curvatures, square);
    for (double& v : v_) v *= share;
    for (std::size_t i = 0; i < rows; ++i)
      u_[i] = slopes[i] != 0 ? -share * slopes[i] / weight(i) : 0.0;
    imbalance_ = share * sum;
    center_product_ = 0;
    for (std::size_t j = 0; is_centred_ && j < v_.size(); ++j) center_product_ += mean(j) * v_[j];
    weigh_rows(loss_.sum(curvatures.data()) / total_);
    if (data_.fit_intercept) b_ = point_.back();
  }

  bool relax(design::RowList rows) override {
    bool finite = true;
    const double per_weight = factor() / total_, per_imbalance = inverse_intercept_;
    const auto visit = [&](Index i, double product) {
      const double s = weight(i), q = q_[at(i)];
      gains_[at(i)] = 0;
      if (s == 0) return 0.0;
      const double centred =
          is_centred_ ? product - center_product_ + imbalance_ * (center_square_ - along_[at(i)])
                      : product;
      const double eta = centred + b_ + (data_.offset != nullptr ? data_.offset[i] : 0.0);
      const loss::Proximal best = loss_.loss().proximal(data_.y[i], eta - q * u_[at(i)], q, eta);
      const double change = -best.slope - u_[at(i)];
      finite = finite && std::isfinite(change);
      if (!std::isfinite(change)) return 0.0;
      gains_[at(i)] = s * q * change * change;
      u_[at(i)] = -best.slope;
      imbalance_ += s * change / total_;
      if (is_centred_) center_product_ += s * change / total_ * along_[at(i)];
      if (data_.fit_intercept) b_ += per_imbalance * (s * change / total_);
      return per_weight * s * change;
    };
    x_.raw().relax_rows(rows, scales(), v_.data(), std::ref(visit));
    return finite;
  }

  std::span<const double> gains() const override { return gains_; }

  void settle_intercept() override {
    if (data_.fit_intercept) b_ += inverse_intercept_ * imbalance_;
  }

  std::span<const double> variables() const override { return u_; }

  void read(double* x) const override {
    for (Index j = 0; j < x_.cols(); ++j) {
      const double v = v_[at(j)] - imbalance_ * mean(at(j)) * inverse_[at(j)];
      x[j] = v / x_.columns().inverse_scale(j);
    }
    if (data_.fit_intercept) x[x_.cols()] = b_;
  }

  void release() override {
    for (Vector* const each : {&u_, &q_, &v_, &inverse_, &along_}) Vector().swap(*each);
  }

 private:
  static std::size_t at(Index i) { return static_cast<std::size_t>(i); }
  double weight(Index i) const { return loss_.weight(i); }

  // 1 / r. A column without variation explains nothing.
  void weigh_columns() {
    inverse_.resize(static_cast<std::size_t>(x_.cols()));
    is_uniform_ = true;
    for (Index j = 0; j < x_.cols(); ++j) {
      const double scale = x_.columns().inverse_scale(j);
      const bool varies = x_.columns().sq_norm(j) > 0;
      inverse_[at(j)] = varies ? scale * scale / terms_(j).l2 : 0.0;
      is_uniform_ = is_uniform_ && inverse_[at(j)] == inverse_[0];
    }
  }

  double mean(std::size_t j) const { return x_.columns().mean(static_cast<Index>(j)); }

  // What visits need of m / r.
  void weigh_centers() {
    is_centred_ = x_.columns().center() != nullptr;
    center_square_ = 0;
    if (!is_centred_) return;
    Vector centers(inverse_.size());
    for (std::size_t j = 0; j < centers.size(); ++j) {
      centers[j] = mean(j) * inverse_[j];
      center_square_ += mean(j) * centers[j];
    }
    along_.assign(static_cast<std::size_t>(x_.rows()), 0.0);
    x_.raw().gemv_add(x_.columns().all(), centers.data(), along_.data(), loss_.execution());
  }

  // `curvature`: of the mean loss in the intercept.
  void weigh_rows(double curvature) {
    constexpr double least = 10;  // times the curvature, is 1 / r_0
    x_.raw().row_squares(scales(), q_.data(), loss_.execution());
    double sum = 0;
    for (std::size_t i = 0; i < q_.size(); ++i) {
      q_[i] *= factor();
      if (is_centred_) q_[i] = std::max(q_[i] - 2 * along_[i] + center_square_, 0.0);
      q_[i] *= weight(static_cast<Index>(i)) / total_;
      sum += q_[i];
    }
    const double known = curvature > 0 ? least / curvature : least;
    inverse_intercept_ = data_.fit_intercept ? std::max(sum, known) : 0.0;
    for (std::size_t i = 0; i < q_.size(); ++i)
      q_[i] += inverse_intercept_ * weight(static_cast<Index>(i)) / total_;
  }

  // The slopes at a point are a feasible u, but the best of their multiples can be far from them:
  // a Newton step for it, from one. `square`: z'(z / r) of them.
  double best_multiple(const Vector& slopes, const Vector& curvatures, double square) const {
    double fit = 0, bend = 0;
    for (std::size_t i = 0; i < slopes.size(); ++i) {
      if (slopes[i] == 0 || curvatures[i] == 0) continue;
      const double offset = data_.offset != nullptr ? data_.offset[i] : 0.0;
      fit -= slopes[i] * (eta_[i] - offset);
      bend += slopes[i] * slopes[i] / curvatures[i];
    }
    const double share = 1 - (square - fit / total_) / (square + bend / total_);
    return std::isfinite(share) ? core::clip(share, 0.0, 1.0) : 1.0;
  }

  const double* scales() const { return is_uniform_ ? nullptr : inverse_.data(); }
  double factor() const { return is_uniform_ ? inverse_.front() : 1.0; }

  const ScaledDesign& x_;
  const GlmData& data_;
  const WeightedLoss& loss_;
  const penalty::Terms& terms_;
  double total_;
  const Vector& eta_;
  const Vector& point_;
  Vector& gains_;
  Vector u_, q_, v_;
  Vector inverse_;  // 1 / r, and whether all are the same
  bool is_uniform_ = true;
  bool is_centred_ = false;
  Vector along_;                                   // a
  double center_product_ = 0, center_square_ = 0;  // m'V and m'(m / r)
  double b_ = 0, inverse_intercept_ = 0;           // 1 / r_0
  double imbalance_ = 0;                           // sum_i s_i u_i / S
};

}  // namespace thalweg::objective
