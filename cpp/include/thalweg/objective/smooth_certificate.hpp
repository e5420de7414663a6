// How far a point of a smooth generalized linear model is from optimal, by code that knows no
// solver.
//
// Where every coordinate's term has a finite conjugate and the loss is convex, by a duality gap
// (Fenchel-Rockafellar). The dual point is u = -loss'(eta) at the coefficients and the intercept
// that is best for them; SmoothGlm::dual_point evaluates it from X. While a solver is under way the
// same gap is known from the gradient: with z = x~' S u / sum s, Fenchel-Young equality of the
// losses leaves
//
//   gap = sum_j (term_j(w_j) + term_j*(z_j) - z_j w_j),
//
// and what the intercept is off adds about b_grad^2 / (2 b_curvature). Otherwise, and for losses
// that are not convex, by the scaled KKT residual: the largest of |g_j| / (||x~_j||_s
// ||loss'_0||_s) over coordinates, an intercept being a column of ones. Terms whose strength is
// lost in rounding count as none.
//
// A solver of the dual (RowDual) brings a u of its own, which is the better one where the penalty
// is weak: there z of the gradient is far from l2 w long before u is far from optimal.
//
// A loss whose slopes are not those of the objective (see SmoothGlm::slack) adds its slack to the
// gap, and to the KKT residual as a share of what `tol` multiplies.
//
// References: Boyd & Vandenberghe 2004, section 5; Mairal 2010, appendix D.2 (duality gaps of
// generalized linear models).
#pragma once

#include "thalweg/core/result.hpp"
#include "thalweg/kernels/kernels.hpp"
#include "thalweg/objective/separation.hpp"
#include "thalweg/objective/smooth_glm.hpp"

namespace thalweg::objective {

template <class Loss = WeightedLoss>
class SmoothGlmCertifier final {
 public:
  static constexpr bool keeps_gradient = false;

  // `gradient_tol`: what the largest entry of the gradient in raw coordinates must not exceed, but
  // by rounding.
  SmoothGlmCertifier(SmoothGlm<Loss>& glm, double gradient_tol, bool keep_theta)
      : glm_(glm), gradient_tol_(gradient_tol), keep_theta_(keep_theta) {}

  // For the terms that the model has now.
  void begin() {
    has_gap_ = glm_.loss().is_convex();
    is_unpenalized_ = true;
    is_separated_ = false;
    best_ = Source::gradient;
    offered_.clear();
    offered_bound_ = -infinity;
    const double least = least_strength();
    for (Index j = 0; j < glm_.cols(); ++j) {
      const penalty::Term term = glm_.terms()(j);
      const bool finite = !term.needs_lower_slope() && !term.needs_upper_slope();
      const bool is_lost = term.l2 > 0 && term.l2 < least * glm_.columns().sq_norm(j);
      has_gap_ = has_gap_ && finite && !is_lost;
      is_unpenalized_ = is_unpenalized_ && term.l1 == 0 && (term.l2 == 0 || is_lost);
    }
  }

  // A dual point that a solve of this problem ended at, for every certificate to come: its bound
  // holds for any w. The model is to be evaluated anew.
  void offer(const Vector& u, const Vector& x) {
    if (!has_gap_) return;
    offered_ = u;
    offered_bound_ = glm_.dual_point(x, false, u).value;
  }

  // Not below the rounding of the objective, which is what is left where the model fits y exactly.
  double target(double tol) const {
    constexpr double rounding = 4 * epsilon;
    if (!has_gap_) return tol;
    return std::max(tol * glm_.tolerance_scale(), tol > 0 ? rounding * glm_.rounding_scale() : 0.0);
  }
  // Predictions drift as steps add to them: what is returned is evaluated anew.
  bool is_final_always() const { return false; }

  template <class Point>
  double excess(const Point& at) const {
    if (std::isinf(gradient_tol_)) return 0;
    const double largest = glm_.coordinates().gradient_norm(at.gradient);
    const bool holds = largest <= gradient_tol_ || largest <= glm_.gradient_rounding();
    return holds ? 1 : largest / gradient_tol_;
  }

  template <class Point>
  core::Certificate provisional(const Point& at) {
    core::Certificate certificate;
    certificate.primal = glm_.primal(at.value);
    if (has_gap_) {
      double dual = certificate.primal - gap(at) - glm_.slack();
      best_ = Source::gradient;
      const auto consider = [&](Source source, double other) {
        if (!(other > dual)) return;
        dual = other;
        best_ = source;
      };
      if (!at.dual.empty()) consider(Source::solver, glm_.dual_value(at.dual));
      consider(Source::offer, offered_bound_);
      set_gap(certificate, dual);
    } else {
      certificate.kind = core::Certificate::Kind::kkt;
      certificate.value = certificate.relative =
          std::max(kkt_residual(at), glm_.slack() / glm_.tolerance_scale());
    }
    return certificate;
  }

  // Whether what is left of the certificate is nearly all what the function that is minimised
  // differs from the objective by.
  template <class Point>
  bool is_slack(const Point& at) const {
    constexpr double nearly_all = 10;
    const double rest = has_gap_ ? gap(at) : kkt_residual(at) * glm_.tolerance_scale();
    return glm_.slack() > nearly_all * rest;
  }

  template <class Point>
  core::Certificate final(const Point& at) {
    if (can_fall_for_ever()) {
      const Vector direction = Separation<SmoothGlm<Loss>>(glm_).find(at.x);
      is_separated_ = !direction.empty() && has_no_end(direction);
    }
    if (!has_gap_) {
      Point fresh = at;
      fresh.value = glm_.evaluate(fresh.x.data(), fresh.gradient.data());
      return provisional(fresh);
    }
    typename SmoothGlm<Loss>::DualPoint point =
        glm_.dual_point(at.x, keep_theta_,
                        best_ == Source::offer    ? std::span<const double>(offered_)
                        : best_ == Source::solver ? at.dual
                                                  : std::span<const double>());
    core::Certificate certificate;
    certificate.primal = point.primal;
    certificate.theta = std::move(point.theta);
    set_gap(certificate, point.value);
    return certificate;
  }

  void ignore_stop() { glm_.ignore_stop(); }
  template <class Point>
  Index coefficients(const Point&) const {
    return glm_.cols() * glm_.outputs();
  }

  // Labels that are separated leave the loss without a minimum where nothing holds the
  // coefficients. Complete separation shows at a point on the way, the rest once the point is
  // certified.
  template <class Point>
  std::optional<core::Status> diagnosis(const Point& at) const {
    const bool is_complete =
        can_fall_for_ever() && has_no_end(at.x) && Separation<SmoothGlm<Loss>>(glm_).is_complete();
    if (is_separated_ || is_complete) return core::Status::unbounded;
    return std::nullopt;
  }

 private:
  // Whose dual point is the best.
  enum class Source { gradient, solver, offer };

  // Of a column of unit norm. A strength below it makes a gap of the rounding of the gradient
  // alone, rounding^2 / (2 l2), that no tolerance in use allows: it is as good as none.
  double least_strength() const {
    constexpr double least_tol = 1e-10;
    const double rounding = epsilon * glm_.null_model().slope_norm;
    return core::square(rounding) / (2 * least_tol * glm_.tolerance_scale());
  }
  bool can_fall_for_ever() const {
    return is_unpenalized_ && core::flag(glm_.loss().info(), "falls_for_ever");
  }
  // Whether limits let the coefficients go along the direction for ever.
  bool has_no_end(const Vector& direction) const {
    for (Index i = 0; i < glm_.cols() * glm_.outputs(); ++i) {
      const penalty::Term term = glm_.terms()(i % glm_.cols());
      const double d = direction[static_cast<std::size_t>(i)];
      if (d > 0 ? term.upper < infinity : d < 0 && term.lower > -infinity) return false;
    }
    return true;
  }

  void set_gap(core::Certificate& certificate, double dual) const {
    certificate.dual = dual;
    // Rounding can put the dual above the primal at the optimum; more than that is no certificate.
    certificate.value = std::fabs(certificate.primal - dual);
    certificate.relative = certificate.value / glm_.tolerance_scale();
  }

  // What the gradient implies, were its loss's slopes those of a dual point.
  template <class Point>
  double gap(const Point& at) const {
    double sum = gap_of_coefficients(at);
    for (Index k = 0; glm_.fits_intercept() && k < glm_.outputs(); ++k) {
      const auto b = static_cast<std::size_t>(glm_.cols() * glm_.outputs() + k);
      sum += glm_.intercept_gain(at.gradient[b]);
    }
    return sum;
  }

  template <class Point>
  double gap_of_coefficients(const Point& at) const {
    // (l2 x - z)^2 / (2 l2) in all, and many columns.
    if (glm_.terms().is_plain_l2()) {
      const double* const g = at.gradient.data();
      const double square =
          kernels::table().dense<double>().dot(g, g, glm_.cols() * glm_.outputs());
      return square / (2 * glm_.terms().strengths().l2);
    }
    return glm_.sum_coefficients([&](std::size_t i, Index j) {
      const penalty::Term term = glm_.terms()(j);
      const double z = term.l2 * at.x[i] - at.gradient[i];
      return term.value(at.x[i]) + term.conjugate(z) - z * at.x[i];
    });
  }

  template <class Point>
  double kkt_residual(const Point& at) const {
    double worst = 0;
    const double scale = glm_.null_model().slope_norm > 0 ? glm_.null_model().slope_norm : 1.0;
    for (Index k = 0; k < glm_.outputs(); ++k) {
      for (Index j = 0; j < glm_.cols(); ++j) {
        const auto i = static_cast<std::size_t>(k * glm_.cols() + j);
        const penalty::Term term = glm_.terms()(j);
        const double norm = std::sqrt(glm_.columns().sq_norm(j));
        if (!(norm > 0)) continue;
        const double violation = term.subdiff_distance(at.x[i], term.l2 * at.x[i] - at.gradient[i]);
        worst = std::max(worst, violation / (norm * scale));
      }
      if (!glm_.fits_intercept()) continue;
      const auto b = static_cast<std::size_t>(glm_.cols() * glm_.outputs() + k);
      worst = std::max(worst, std::fabs(at.gradient[b]) / scale);
    }
    return worst;
  }

  SmoothGlm<Loss>& glm_;
  double gradient_tol_;
  bool keep_theta_;
  bool has_gap_ = false;
  bool is_unpenalized_ = false;
  Source best_ = Source::gradient;
  Vector offered_;
  double offered_bound_ = -infinity;
  bool is_separated_ = false;  // not complete, or not known before the last certificate
};

}  // namespace thalweg::objective
