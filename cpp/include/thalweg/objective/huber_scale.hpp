// Huber's loss with a scale that is estimated with the coefficients (Huber's concomitant scale), as
// a loss over all rows at given predictions; the interface is that of WeightedLoss:
//
//   F(eta) = min over sigma >= 10 eps of  sum_i s_i sigma (1/2 + rho(r_i / sigma)),   r = y - eta,
//   rho(z) = z^2 / 2 for |z| <= e,  e |z| - e^2 / 2 beyond
//
// which is convex, as rho's perspective is. Half of scikit-learn's objective for HuberRegressor.
// Not a sum over rows: sigma couples them. With u_i = clip(r_i / sigma, -e, e) and a sum "in" over
// the rows with |z| <= e:
//
//   sigma      sum_i s_i u_i^2 = sum_i s_i, or the bound where that has no solution: where more
//              than about 1 - 1 / e^2 of the weight is fitted exactly. Newton's method in
//              1 / sigma^2, in which the left side is concave and piecewise linear: from any start
//              monotone after one step, exact once the rows inside stay
//   gradient   -s_i u_i, by the envelope theorem
//   Hessian    (S_in - c c' / sum_in s z^2) / sigma,  c_i = s_i z_i inside: the second term is that
//              of the scale, and absent at the bound
//   conjugate  F*(-s u) = -sum_i s_i u_i y_i - 5 eps sum_i s_i (1 - u_i^2)
//              where |u_i| <= e and sum_i s_i u_i^2 <= sum_i s_i, infinite elsewhere
//
// Newton steps from afar would go wild: rows outside have no curvature, and F is nearly linear on
// the way to a far better fit. `curvature` therefore mixes the Hessian with that of the quadratic
// above F that touches it (rows outside weigh e / |z|, sigma fixed), by how much the rows inside
// and sigma have changed since it was called last: the latter at first, the former at the end.
//
// At the bound F is as good as a least absolute deviation, which has kinks. What is minimised then
// is F for a higher bound, `floor`, and what it lacks is made up by `sharpen`: the method of
// multipliers, whose multipliers u move the targets by floor * u. `value`, `slack`, `scale` and
// `conjugate` speak of F, `gradient`, `line` and what follows of the function that is minimised;
// both are the same unless sigma is at the floor.
//
// Cost: a few passes over its vectors for each call. References: Huber & Ronchetti 2009, section
// 7.7; Owen 2007, A robust hybrid of lasso and ridge regression; Rockafellar 1976 (multipliers).
#pragma once

#include <cmath>
#include <utility>

#include "thalweg/core/numerics.hpp"
#include "thalweg/loss/huber.hpp"
#include "thalweg/objective/row_blocks.hpp"

namespace thalweg::objective {

class HuberScale final {
 public:
  // e is the loss's delta, at least 1: below, no residuals have a scale. `weights` may be null.
  HuberScale(const loss::Huber& huber, const double* y, const double* weights, Index rows,
             const core::Execution& execution)
      : limit_(huber.delta), y_(y), weights_(weights), target_(y), blocks_(rows, 1, execution) {}
  HuberScale(const HuberScale&) = delete;
  HuberScale& operator=(const HuberScale&) = delete;

  const HuberScale& loss() const { return *this; }
  static const core::Info& info() { return loss::Huber::info; }
  static Index outputs() { return 1; }
  static bool is_convex() { return true; }

  const core::Execution& execution() const { return blocks_.execution(); }
  void ignore_stop() { blocks_.ignore_stop(); }
  double weight(Index i) const { return weights_ != nullptr ? weights_[i] : 1.0; }
  double terms() const {
    return blocks_.sum<1>([&](Index begin, Index end, auto& sums) {
      for (Index i = begin; i < end; ++i) sums[0] += weight(i) * std::fabs(y_[i]);
    })[0];
  }

  // F, also with other weights.
  double value(const double* eta) const { return value(eta, weights_); }
  double value(const double* eta, const double* weights) const {
    return value(best_scale([&](Index i) { return y_[i] - eta[i]; }, weights, lowest, 0));
  }
  // The best sigma.
  double scale(const double* eta) const {
    return best_scale([&](Index i) { return y_[i] - eta[i]; }, weights_, lowest, 0).sigma;
  }

  // g_i = -s_i u_i; returns what is minimised.
  double gradient(const double* eta, double* g) {
    base_ = best_scale([&](Index i) { return target_[i] - eta[i]; }, weights_, floor_, base_.sigma);
    blocks_.for_each([&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) g[i] = -weight(i) * slope(target_[i] - eta[i]);
    });
    find_slack(eta, g);
    return value(base_);
  }
  // At the point of the last gradient: F, and by how much F exceeds the bound that the slopes u of
  // what is minimised make, which is zero where they are those of F.
  double true_value() const { return true_value_; }
  double slack() const { return slack_; }
  // There, the second derivative of a common shift of the predictions.
  double shift_curvature() const { return base_.inside / base_.sigma; }
  // There, what rounding in a number of the size of `size` makes of a slope.
  double rounding(double size) const { return 8 * epsilon * (1 + size / base_.sigma); }

  // Value, first and second derivative along a line, of what is minimised.
  std::array<double, 3> line(const double* eta, const double* d, double step) const {
    const auto residual = [&](Index i) { return target_[i] - eta[i] - step * d[i]; };
    // Before the first gradient, from that of the last call: an intercept is sought.
    const bool is_known = base_.sigma > 0;
    const Fit fit = best_scale(residual, weights_, floor_, is_known ? base_.sigma : near_);
    near_ = fit.sigma;
    const double inverse = 1 / fit.sigma;
    const auto [slope, cross, square] = blocks_.sum<3>([&](Index begin, Index end, auto& sums) {
      for (Index i = begin; i < end; ++i) {
        const double z = residual(i) * inverse, v = weight(i) * d[i];
        if (weight(i) == 0) continue;
        const bool inside = std::fabs(z) <= limit_;
        sums[0] += inside ? 0.0 : std::copysign(limit_, z) * v;
        sums[1] += inside ? z * v : 0.0;
        sums[2] += inside ? v * d[i] : 0.0;
      }
    });
    return {value(fit), -slope - cross,
            (square - (is_free(fit) ? cross * cross / fit.square : 0.0)) * inverse};
  }

  // F*(g) + sum_i s_i u_i offset_i of g = -s u; leaves -u, zero in rows of weight zero.
  double conjugate(const double* g, const double* offset, double* minus_u) const {
    const Reach reach = reach_of(g);
    if (reach.largest > limit_ || reach.square > reach.total) return infinity;
    const double product = blocks_.sum<1>([&](Index begin, Index end, auto& sums) {
      for (Index i = begin; i < end; ++i) {
        minus_u[i] = weight(i) > 0 ? g[i] / weight(i) : 0.0;
        sums[0] += g[i] * (offset != nullptr ? y_[i] - offset[i] : y_[i]);
      }
    })[0];
    return product - 0.5 * lowest * (reach.total - reach.square);
  }
  // Scales g = -s u so that the conjugate is finite.
  void make_feasible(double* g) const {
    const Reach reach = reach_of(g);
    const double excess = std::max(reach.largest / limit_, std::sqrt(reach.square / reach.total));
    // The sums are of n rounded numbers.
    constexpr double margin = 32 * epsilon;
    if (!(excess > 1 - margin)) return;
    const double factor = (1 - margin) / excess;
    blocks_.for_each([&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) g[i] *= factor;
    });
  }

  // h and the coupling of the rows: the second derivative is diag(h) - factor c c', or the mixture
  // that the head of this file describes.
  void curvature(const double* eta, double*, double* h) {
    const auto residual = [&](Index i) { return target_[i] - eta[i]; };
    const Fit fit = best_scale(residual, weights_, floor_, base_.sigma);
    const double unsettled = settle(residual, fit);
    const double inverse = 1 / fit.sigma;
    blocks_.for_each([&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const double z = std::fabs(residual(i) * inverse);
        h[i] = weight(i) * inverse * (z <= limit_ ? 1.0 : unsettled * limit_ / z);
      }
    });
    factor_ = is_free(fit) ? (1 - unsettled) * inverse / fit.square : 0.0;
  }
  // At the predictions of the last `curvature`: c; returns its factor.
  double coupling(const double* eta, double* c) const {
    blocks_.for_each([&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) c[i] = coupling_of(eta, i);
    });
    return factor_;
  }
  // v <- (the second derivative there) v
  void product(const double* eta, const double* h, double* v) const {
    const double along = factor_ * blocks_.sum<1>([&](Index begin, Index end, auto& sums) {
      for (Index i = begin; i < end; ++i) sums[0] += coupling_of(eta, i) * v[i];
    })[0];
    blocks_.for_each([&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) v[i] = h[i] * v[i] - along * coupling_of(eta, i);
    });
  }
  static const double* curvature_block(const double* h, Index, Index, const double*) { return h; }

  // eta += step d
  void advance(double step, const double* d, double* eta) const { blocks_.advance(step, d, eta); }
  double sum(const double* v) const { return blocks_.sum(v); }

  // Sets the floor to a small part of the scale at the last gradient, that of a poor fit, or of the
  // fit's mean loss where that has no scale. `size` is that of the numbers that residuals are
  // differences of, whose rounding a scale has to exceed.
  void set_floor(double mean_loss, double size) {
    constexpr double small = 1e-4;
    resolution_ = std::max(lowest, 1e3 * epsilon * size);
    floor_ = std::max(small * (base_.at_floor ? mean_loss : base_.sigma), resolution_);
  }
  // Whether `sharpen` can bring what is minimised closer to F.
  bool can_sharpen() const { return slack_ > 0 && (!is_slow() || floor_ > resolution_); }
  // Moves the targets by the multipliers at these predictions, those of the last gradient. The
  // floor is lowered where that has not helped much.
  void sharpen(const double* eta) {
    const double floor = is_slow() ? std::max(0.1 * floor_, resolution_) : floor_;
    Vector moved(static_cast<std::size_t>(blocks_.rows()));
    blocks_.for_each([&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i)
        moved[static_cast<std::size_t>(i)] = y_[i] + floor * slope(target_[i] - eta[i]);
    });
    shifted_ = std::move(moved);
    target_ = shifted_.data();
    floor_ = floor;
    slack_before_ = slack_;
  }

 private:
  // scikit-learn's bound on sigma.
  static constexpr double lowest = 10 * epsilon;

  // Residuals at a scale: weights inside and outside, sum_in s z^2 and sum_out s |z|.
  struct Fit {
    double sigma = 0;
    double inside = 0, outside = 0, square = 0, absolute = 0;
    bool at_floor = false;
  };
  double value(const Fit& fit) const {
    return fit.sigma * (0.5 * (fit.inside + fit.outside + fit.square) + limit_ * fit.absolute -
                        0.5 * limit_ * limit_ * fit.outside);
  }
  bool is_slow() const { return slack_ > 0.1 * slack_before_; }
  static bool is_free(const Fit& fit) { return !fit.at_floor && fit.square > 0; }
  // u of a residual at the base point.
  double slope(double residual) const {
    return core::clip(residual / base_.sigma, -limit_, limit_);
  }

  template <class R>
  Fit fit_at(const R& residual, const double* weights, double sigma) const {
    const double inverse = 1 / sigma;
    const auto sums = blocks_.sum<4>([&](Index begin, Index end, auto& out) {
      for (Index i = begin; i < end; ++i) {
        const double s = weights != nullptr ? weights[i] : 1.0;
        if (s == 0) continue;
        const double z = std::fabs(residual(i) * inverse);
        const bool outside = z > limit_;
        out[0] += outside ? 0.0 : s;
        out[1] += outside ? s : 0.0;
        out[2] += outside ? 0.0 : s * z * z;
        out[3] += outside ? s * z : 0.0;
      }
    });
    return {sigma, sums[0], sums[1], sums[2], sums[3]};
  }

  // At the best scale above `floor`, sought from `start`; zero: the largest residual.
  template <class R>
  Fit best_scale(const R& residual, const double* weights, double floor, double start) const {
    constexpr int most_steps = 100;
    double sigma = start > 0 ? std::max(start, floor) : largest(residual, weights, floor);
    Fit fit;
    for (int step = 0; step < most_steps; ++step) {
      fit = fit_at(residual, weights, sigma);
      const double room = fit.inside + (1 - limit_ * limit_) * fit.outside;
      double next = sigma;  // e = 1, no row inside: any such scale is as good
      if (fit.square > 0 && room > 0) {
        next = std::max(sigma * std::sqrt(fit.square / room), floor);
      } else if (room < 0) {
        next = largest(residual, weights, floor);  // from so low a scale no step leads back
      } else if (room > 0) {
        next = floor;
      }
      if (!(std::fabs(next - sigma) > 2 * epsilon * sigma)) break;
      sigma = next;
    }
    fit.at_floor = fit.sigma <= floor;
    return fit;
  }

  template <class R>
  double largest(const R& residual, const double* weights, double floor) const {
    double sigma = floor;
    for (Index i = 0; i < blocks_.rows(); ++i) {
      if (weights == nullptr || weights[i] > 0) sigma = core::max(sigma, std::fabs(residual(i)));
    }
    return sigma;
  }

  // c of a row, at the predictions and the scale of the last `curvature`.
  double coupling_of(const double* eta, Index i) const {
    const double z = (target_[i] - eta[i]) / settled_scale_;
    return std::fabs(z) <= limit_ && weight(i) > 0 ? weight(i) * z : 0.0;
  }

  // How far the rows inside and the scale have changed since the last call: 1 much, 0 not at all.
  template <class R>
  double settle(const R& residual, const Fit& fit) {
    const bool is_first = is_outside_.empty();
    is_outside_.resize(static_cast<std::size_t>(blocks_.rows()));
    const double changed = blocks_.sum<1>([&](Index begin, Index end, auto& sums) {
      for (Index i = begin; i < end; ++i) {
        char& was = is_outside_[static_cast<std::size_t>(i)];
        const char is = std::fabs(residual(i)) > limit_ * fit.sigma ? 1 : 0;
        if (is != was) sums[0] += weight(i);
        was = is;
      }
    })[0];
    const double before = std::exchange(settled_scale_, fit.sigma);
    if (is_first) return 1;
    const double drift = std::fabs(fit.sigma - before) / fit.sigma;
    return std::min(1.0, 4 * changed / (fit.inside + fit.outside) + drift);
  }

  void find_slack(const double* eta, const double* g) {
    true_value_ = value(base_);
    slack_ = 0;
    if (shifted_.empty() && (!base_.at_floor || floor_ == lowest)) return;
    true_value_ = value(eta);
    const Reach reach = reach_of(g);
    const double product = blocks_.sum<1>([&](Index begin, Index end, auto& sums) {
      for (Index i = begin; i < end; ++i) sums[0] -= g[i] * (y_[i] - eta[i]);
    })[0];
    const double bound = product + 0.5 * lowest * (reach.total - reach.square);
    slack_ = std::max(true_value_ - bound, 0.0);
  }

  // Of g = -s u: the largest |u|, sum s u^2 and sum s.
  struct Reach {
    double largest = 0, square = 0, total = 0;
  };
  Reach reach_of(const double* g) const {
    const auto sums = blocks_.sum<2>([&](Index begin, Index end, auto& out) {
      for (Index i = begin; i < end; ++i) {
        if (weight(i) > 0) out[0] += core::square(g[i]) / weight(i);
        out[1] += weight(i);
      }
    });
    double most = 0;
    for (Index i = 0; i < blocks_.rows(); ++i) {
      if (weight(i) > 0) most = std::max(most, std::fabs(g[i]) / weight(i));
    }
    return {most, sums[0], sums[1]};
  }

  double limit_;  // e
  const double* y_;
  const double* weights_;
  const double* target_;  // y, moved by multipliers where there are any
  Vector shifted_;        // what it then points to
  RowBlocks blocks_;
  double floor_ = lowest, resolution_ = lowest;
  Fit base_;                 // of the last gradient
  mutable double near_ = 0;  // of the last call of `line`
  double true_value_ = 0, slack_ = 0;
  double slack_before_ = infinity;  // at the last call of sharpen
  double factor_ = 0;
  std::vector<char> is_outside_;  // at the last curvature
  double settled_scale_ = 0;      // then
};

}  // namespace thalweg::objective
