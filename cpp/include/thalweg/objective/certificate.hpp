// How far a point is from optimal, by code that knows no solver.
//
// For min (1/S) sum s_i loss(t_i, (Xw)_i + b) + sum_j term_j(w_j) and any residual u with
// sum s u = 0 (where an intercept is free) and z_j = x~_j' S u / S,
//
//   D(u) = -(1/S) sum s_i conj(t_i, -u_i) - sum_j conj_j(z_j)  <=  optimum,
//
// so primal - D(u) bounds the suboptimality. For the squared loss, A = t' S u / S, B = u' S u / S,
//
//   D(tau u) = tau A - tau^2 B / 2 - sum_j conj_j(tau z_j):
//
// A, B and z are all that is needed. A candidate u (the residual at w) is made feasible here:
//   1. it is projected, in the weighted inner product, off the columns that nothing penalizes
//      (z_j must be 0 there; free_columns.hpp); this alone needs u itself, or the point whose
//      residual it is;
//   2. it is scaled: u -> tau u with |tau z_j| <= l1_j wherever conj_j is infinite beyond. For pure
//      l1 the best tau is known; otherwise D, concave in tau, is searched below the largest
//      feasible one where its slope promises a better bound.
// The best dual value and point of a problem are kept, so that the bound never gets worse.
// With more than `most_free_columns` columns that may be free in this way (half-bounded ones among
// them) the certificate is the scaled KKT residual.
//
// Where A, B and z are known up to rounding only (second_moments.hpp), the candidate is the worst
// that they may stand for, and the gap counts what B may be off by: it stays a bound.
//
// A stop request may cut any of this short, except for what is known of w itself: then the dual
// point is zero, whose bound needs nothing.
//
// References: Massias, Gramfort, Salmon 2018, section 2 (scaling, best dual); Boyd & Vandenberghe
// 2004, section 5.
#pragma once

#include "thalweg/core/result.hpp"
#include "thalweg/objective/free_columns.hpp"
#include "thalweg/objective/glm.hpp"

namespace thalweg::objective {

inline constexpr Index most_free_columns = 1000;

// The best dual point seen of one problem (one alpha).
struct BestDual {
  double value = -infinity;
  Vector theta;        // tau u, if the certifier keeps it
  Vector correlation;  // tau z; empty where u was projected

  void reset() { *this = {}; }
};

// The smallest alpha at which w = 0 is optimal, from the terms at alpha = 1 and the correlations z
// at w = 0: max_j |z_j| / l1_j over the signs that the limits allow. Infinity where there is none.
double smallest_null_alpha(const penalty::Terms& unit, const Vector& z);

class Certifier final {
 public:
  explicit Certifier(const Glm& glm) : glm_(glm), free_(glm) {}

  // Another problem on the same model; what is known of its free columns stays.
  void begin(const penalty::Terms& terms, bool keep_theta = false);

  core::Certificate::Kind kind() const {
    return can_be_free_ > most_free_columns ? core::Certificate::Kind::kkt
                                            : core::Certificate::Kind::duality_gap;
  }

  // The bound of the dual point zero, at the price of no pass.
  double zero_dual(std::span<const Index> columns) const;

  // Certifies (w, at) on `columns` (all of them, or those that screening has left: the others are
  // zero at every optimum, so the smaller problem has the same optimum). Updates the best dual,
  // also by `extrapolated`, another residual, or null.
  core::Certificate certify(const Vector& w, const Evaluation& at, std::span<const Index> columns,
                            BestDual& best, const Evaluation* extrapolated = nullptr);

  // Of the last point.
  const FreeColumns& free_columns() const { return free_; }

 private:
  // What a dual value needs to know of a residual u.
  struct Candidate {
    double target_product;  // A
    double square;          // B
    const Vector& z;
    const Vector& u;  // read only where theta is kept
  };

  const Vector& outward(const Evaluation& at, std::span<const Index> columns);
  void offer(const Vector& w, const Evaluation& at, std::span<const Index> columns, BestDual& best);
  void offer_feasible(const Evaluation& at, double primal, std::span<const Index> columns,
                      BestDual& best);
  void offer_zero(const Evaluation& at, std::span<const Index> columns, BestDual& best) const;
  // What a projection may leave in z where the free columns are nearly dependent; square = B.
  auto negligible(double square) const {
    return [this, rms = std::sqrt(square)](Index j) {
      return 1e-12 * glm_.raw_norm(j) * rms + 1e-300;
    };
  }
  bool collect_free(const Vector& w, std::span<const Index> columns);
  void project(const Evaluation& at, std::span<const Index> columns);
  void project_point(const Vector& w, const Evaluation& at, std::span<const Index> columns);
  double dual_value(const Candidate& candidate, double tau, std::span<const Index> columns) const;
  double dual_slope(const Candidate& candidate, double tau, std::span<const Index> columns) const;
  bool keep_if_better(const Candidate& candidate, double ratio, double primal,
                      std::span<const Index> columns, BestDual& best) const;
  double best_scale(const Candidate& candidate, double largest, double primal,
                    std::span<const Index> columns) const;
  double kkt_residual(const Vector& w, const Evaluation& at, std::span<const Index> columns) const;

  const Glm& glm_;
  penalty::Terms terms_;
  bool keep_theta_ = false;
  Index can_be_free_ = 0;
  FreeColumns free_;
  Evaluation projected_;  // the residual at w, projected; of its sums A and B only
  Vector outward_;
};

}  // namespace thalweg::objective
