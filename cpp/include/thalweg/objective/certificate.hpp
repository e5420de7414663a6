// How far a point is from optimal, by code that knows no solver.
//
// For min (1/S) sum s_i loss(t_i, (Xw)_i + b) + sum_j term_j(w_j) and any residual u with
// sum s u = 0 (where an intercept is free) and z_j = x~_j' S u / S,
//
//   D(u) = -(1/S) sum s_i conj(t_i, -u_i) - sum_j conj_j(z_j)  <=  optimum,
//
// so primal - D(u) bounds the suboptimality. A candidate u (the residual at w) is made feasible here:
//   1. it is projected, in the weighted inner product, off the columns that nothing penalizes
//      (z_j must be 0 there) by a rank-revealing factorisation of their Gram matrix;
//   2. it is scaled: u -> tau u with |tau z_j| <= l1_j wherever conj_j is infinite beyond; for pure l1
//      tau maximises D on that interval, otherwise tau = 1 if it is feasible.
// The best dual value and point of a problem are kept, so that the bound never gets worse.
// With more than `most_free_columns` unpenalized columns the certificate is the scaled KKT residual.
//
// References: Massias, Gramfort, Salmon 2018, section 2 (scaling, best dual); Boyd & Vandenberghe
// 2004, section 5.
#pragma once

#include <Eigen/Dense>

#include "thalweg/core/result.hpp"
#include "thalweg/objective/glm.hpp"

namespace thalweg::objective {

inline constexpr Index most_free_columns = 1000;

// The best dual point seen of one problem (one alpha).
struct BestDual {
  double value = -infinity;
  Vector theta;    // tau u
  double tau = 0;  // where the point is the last evaluated residual scaled, its factor; else 0

  void reset() { *this = {}; }
};

namespace detail {

// The largest |z_j| / l1_j over the coordinates whose conjugate is infinite beyond; infinity where
// l1_j = 0 and z_j has the forbidden sign. `negligible` bounds the rounding error of z_j.
template <class NegligibleFunction>
double feasibility_ratio(const penalty::Terms& terms, const Vector& z,
                         std::span<const Index> columns, const NegligibleFunction& negligible) {
  double ratio = 0;
  if (terms.is_plain_l1()) {
    for (const Index j : columns) ratio = std::max(ratio, std::fabs(z[static_cast<std::size_t>(j)]));
    return ratio / terms.strengths().l1;
  }
  for (const Index j : columns) {
    const penalty::Term term = terms(j);
    const double value = z[static_cast<std::size_t>(j)];
    const bool bounded = value > 0 ? term.needs_upper_slope() : term.needs_lower_slope();
    if (!bounded) continue;
    if (term.l1 > 0) ratio = std::max(ratio, std::fabs(value) / term.l1);
    else if (std::fabs(value) > negligible(j)) return infinity;
  }
  return ratio;
}

// The conjugate terms at tau z; coordinates whose conjugate is an indicator count as zero.
inline double conjugate_sum(const penalty::Terms& terms, const Vector& z, double tau,
                            std::span<const Index> columns) {
  if (terms.is_plain_l1()) return 0;
  double sum = 0;
  for (const Index j : columns) {
    const penalty::Term term = terms(j);
    const double value = tau * z[static_cast<std::size_t>(j)];
    const bool indicator = value > 0 ? term.needs_upper_slope() : term.needs_lower_slope();
    // Beyond the slope only by rounding: the supremum is that at the slope itself.
    sum += indicator ? term.conjugate(core::clip(value, -term.l1, term.l1)) : term.conjugate(value);
  }
  return sum;
}

inline bool has_finite_conjugate(const penalty::Terms& terms, std::span<const Index> columns) {
  if (terms.is_plain_l1()) return false;
  for (const Index j : columns) {
    const penalty::Term term = terms(j);
    if (!term.needs_lower_slope() || !term.needs_upper_slope()) return true;
  }
  return false;
}

}  // namespace detail

// The smallest alpha at which w = 0 is optimal, from the terms at alpha = 1 and the correlations z
// at w = 0: max_j |z_j| / l1_j over the signs that the limits allow. Infinity where there is none.
inline double smallest_null_alpha(const penalty::Terms& unit, const Vector& z) {
  double alpha = 0;
  for (std::size_t j = 0; j < z.size(); ++j) {
    const penalty::Term term = unit(static_cast<Index>(j));
    if (term.lower > 0 || term.upper < 0) return infinity;
    const bool blocked = z[j] > 0 ? term.upper == 0 : term.lower == 0;
    if (z[j] == 0 || blocked) continue;
    if (term.l1 > 0) alpha = std::max(alpha, std::fabs(z[j]) / term.l1);
    else if (term.l2 > 0) return infinity;
  }
  return alpha;
}

template <design::ColumnAccess D, class L>
class Certifier final {
 public:
  Certifier(const Glm<D, L>& glm, const penalty::Terms& terms) : glm_(glm), terms_(terms) {
    for (Index j = 0; j < glm.cols(); ++j) {
      const penalty::Term term = terms(j);
      if (term.l1 == 0 && term.l2 == 0 && std::isinf(term.lower) && std::isinf(term.upper)) {
        ++unpenalized_;
      }
    }
  }

  core::Certificate::Kind kind() const {
    return unpenalized_ > most_free_columns ? core::Certificate::Kind::kkt
                                            : core::Certificate::Kind::duality_gap;
  }

  // Certifies (w, at) on `columns` (all of them, or those that screening has left: the others are
  // zero at every optimum, so the smaller problem has the same optimum). Updates the best dual.
  core::Certificate certify(const Vector& w, const Evaluation& at,
                            std::span<const Index> columns, BestDual& best) {
    core::Certificate result;
    result.primal = at.primal();
    if (kind() == core::Certificate::Kind::kkt) {
      result.kind = core::Certificate::Kind::kkt;
      result.value = result.relative = kkt_residual(w, at, columns);
      return result;
    }
    best.tau = 0;
    offer(at.residual, at.correlation, w, columns, best);
    result.dual = best.value;
    // Rounding can put the dual above the primal at the optimum; more than that is no certificate.
    result.value = std::fabs(result.primal - best.value);
    result.relative = result.value / glm_.tolerance_scale();
    return result;
  }

  // z of the target after the unpenalized columns (and the intercept) have explained what they can:
  // the correlations at the solution with every penalized coefficient at zero.
  Vector null_correlation(std::span<const Index> columns) {
    collect_free(Vector(static_cast<std::size_t>(glm_.cols()), 0.0), columns);
    if (free_.empty()) return glm_.null_correlation();
    projected_ = glm_.target();
    project(glm_.null_correlation());
    correlate_projected(columns);
    for (const Index j : free_) projected_z_[static_cast<std::size_t>(j)] = 0.0;
    return projected_z_;
  }

  // A dual candidate from anywhere: u and its correlations. Keeps it if it is the best so far.
  void offer(const Vector& u, const Vector& z, const Vector& w, std::span<const Index> columns,
             BestDual& best) {
    const double rms = std::sqrt(weighted_square(u) / glm_.total_weight());
    const auto negligible = [&](Index j) {
      return 1e-12 * std::sqrt(glm_.sq_norm(j)) * rms + 1e-300;
    };
    collect_free(w, columns);
    bool needs_projection = false;
    for (const Index j : free_) {
      needs_projection = needs_projection || std::fabs(z[static_cast<std::size_t>(j)]) > negligible(j);
    }
    if (!needs_projection) {
      best.tau = keep_if_better(u, z, detail::feasibility_ratio(terms_, z, columns, negligible),
                                columns, best);
      return;
    }
    projected_ = u;
    project(z);
    correlate_projected(columns);
    keep_if_better(projected_, projected_z_,
                   detail::feasibility_ratio(terms_, projected_z_, columns, negligible), columns,
                   best);
  }

 private:
  // Columns on which z must vanish at w: the term is flat in both directions there.
  void collect_free(const Vector& w, std::span<const Index> columns) {
    const std::vector<Index> before = free_;
    free_.clear();
    if (terms_.is_plain_l1()) return;
    for (const Index j : columns) {
      if (terms_(j).is_free_at(w[static_cast<std::size_t>(j)]) && glm_.sq_norm(j) > 0) {
        free_.push_back(j);
      }
    }
    if (free_ != before) factorize();
  }

  // The Gram matrix of the free columns, scaled to unit diagonal and factorised with pivoting.
  void factorize() {
    const auto size = static_cast<Index>(free_.size());
    if (size == 0) return;
    Eigen::MatrixXd gram(size, size);
    glm_.gram(free_, size, gram.data(), size);
    diagonal_ = gram.diagonal().cwiseSqrt().cwiseInverse();
    gram = (diagonal_.asDiagonal() * gram * diagonal_.asDiagonal()).eval();
    factor_.compute(gram);
  }

  // projected_ -= X~_free G^+ z_free, repeated: the Gram matrix squares the condition number, so one
  // solve alone leaves a residue that the next ones remove.
  void project(const Vector& z) {
    const auto size = static_cast<Index>(free_.size());
    Eigen::VectorXd rest(size);
    for (Index k = 0; k < size; ++k) {
      rest[k] = z[static_cast<std::size_t>(free_[static_cast<std::size_t>(k)])];
    }
    Vector coef(static_cast<std::size_t>(size));
    for (int pass = 0; pass < 3; ++pass) {
      const Eigen::VectorXd step = pseudo_solve(diagonal_.cwiseProduct(rest)).cwiseProduct(diagonal_);
      for (Index k = 0; k < size; ++k) {
        const auto j = free_[static_cast<std::size_t>(k)];
        coef[static_cast<std::size_t>(k)] = -step[k] * glm_.inverse_scale(j);
      }
      glm_.design().gemv_add(free_, coef.data(), projected_.data(), glm_.execution());
      if (glm_.fits_intercept()) {
        const double mean = glm_.weighted_sum(projected_.data()) / glm_.total_weight();
        for (double& u : projected_) u -= mean;
      }
      correlate_projected(free_);
      for (Index k = 0; k < size; ++k) {
        rest[k] = projected_z_[static_cast<std::size_t>(free_[static_cast<std::size_t>(k)])];
      }
    }
  }

  void correlate_projected(std::span<const Index> columns) {
    weighted_ = projected_;
    if (glm_.weights() != nullptr) {
      for (std::size_t i = 0; i < weighted_.size(); ++i) weighted_[i] *= glm_.weights()[i];
    }
    projected_z_.resize(static_cast<std::size_t>(glm_.cols()));
    glm_.correlate(weighted_.data(), std::accumulate(weighted_.begin(), weighted_.end(), 0.0),
                   columns, projected_z_.data());
  }

  // Solves with the pivots that stand above rounding, zero in the others.
  Eigen::VectorXd pseudo_solve(const Eigen::VectorXd& b) const {
    Eigen::VectorXd x = factor_.transpositionsP() * b;
    factor_.matrixL().solveInPlace(x);
    const Eigen::VectorXd pivots = factor_.vectorD();
    const double threshold = pivots.cwiseAbs().maxCoeff() * epsilon * 16 * static_cast<double>(b.size());
    for (Index k = 0; k < b.size(); ++k) x[k] = pivots[k] > threshold ? x[k] / pivots[k] : 0.0;
    factor_.matrixU().solveInPlace(x);
    return factor_.transpositionsP().transpose() * x;
  }

  double weighted_square(const Vector& u) const {
    const double* s = glm_.weights();
    double sum = 0;
    for (std::size_t i = 0; i < u.size(); ++i) sum += (s != nullptr ? s[i] : 1.0) * u[i] * u[i];
    return sum;
  }

  double dual_value(const Vector& u, const Vector& z, double tau,
                    std::span<const Index> columns) const {
    const double* s = glm_.weights();
    const Vector& target = glm_.target();
    double sum = 0;
    for (std::size_t i = 0; i < u.size(); ++i) {
      sum += (s != nullptr ? s[i] : 1.0) * L::conjugate(target[i], -tau * u[i]);
    }
    return -sum / glm_.total_weight() - detail::conjugate_sum(terms_, z, tau, columns);
  }

  // Scales the candidate and keeps it if its dual value is the best; returns the factor, 0 if not.
  double keep_if_better(const Vector& u, const Vector& z, double ratio,
                        std::span<const Index> columns, BestDual& best) const {
    if (std::isinf(ratio)) return 0;
    const double largest = ratio > 0 ? 1.0 / ratio : infinity;
    double tau = std::min(1.0, largest);
    if (!detail::has_finite_conjugate(terms_, columns)) {
      // D(tau u) = tau A - tau^2 B / 2 on the feasible interval.
      const double* s = glm_.weights();
      double a = 0;
      for (std::size_t i = 0; i < u.size(); ++i) {
        a += (s != nullptr ? s[i] : 1.0) * glm_.target()[i] * u[i];
      }
      const double b = weighted_square(u);
      // Columns that nothing penalizes have z_j = 0 to the rounding of u itself, not of a multiple.
      const double most = free_.empty() ? largest : std::min(largest, 1.0);
      if (b > 0) tau = core::clip(a / b, -most, most);
    }
    const double value = dual_value(u, z, tau, columns);
    if (!(value > best.value)) return 0;
    best.value = value;
    best.theta = u;
    for (double& t : best.theta) t *= tau;
    return tau;
  }

  // max_j |violation_j| / (||x~_j|| ||loss gradient at zero||), in the weighted mean norm.
  double kkt_residual(const Vector& w, const Evaluation& at, std::span<const Index> columns) const {
    const double scale = std::sqrt(weighted_square(glm_.target()) / glm_.total_weight());
    double worst = 0;
    for (const Index j : columns) {
      const double norm = std::sqrt(glm_.sq_norm(j)) * scale;
      if (!(norm > 0)) continue;
      const auto k = static_cast<std::size_t>(j);
      worst = std::max(worst, terms_(j).subdiff_distance(w[k], at.correlation[k]) / norm);
    }
    return worst;
  }

  const Glm<D, L>& glm_;
  penalty::Terms terms_;
  Index unpenalized_ = 0;
  std::vector<Index> free_;
  Eigen::VectorXd diagonal_;
  Eigen::LDLT<Eigen::MatrixXd> factor_;
  Vector projected_, projected_z_, weighted_;
};

}  // namespace thalweg::objective
