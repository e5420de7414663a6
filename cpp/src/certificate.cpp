#include "thalweg/objective/certificate.hpp"

namespace thalweg::objective {
namespace {

// The largest |z_j| / l1_j over the coordinates whose conjugate is infinite beyond; infinity where
// l1_j = 0 and z_j has the forbidden sign. `negligible` bounds the rounding error of z_j.
template <class NegligibleFunction>
double feasibility_ratio(const penalty::Terms& terms, const Vector& z,
                         std::span<const Index> columns, const NegligibleFunction& negligible) {
  double ratio = 0;
  if (terms.is_plain_l1()) {
    for (const Index j : columns)
      ratio = std::max(ratio, std::fabs(z[static_cast<std::size_t>(j)]));
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
double conjugate_sum(const penalty::Terms& terms, const Vector& z, double tau,
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

// Its derivative with respect to tau.
double conjugate_slope(const penalty::Terms& terms, const Vector& z, double tau,
                       std::span<const Index> columns) {
  double sum = 0;
  for (const Index j : columns) {
    const penalty::Term term = terms(j);
    const double slope = z[static_cast<std::size_t>(j)];
    const bool indicator = slope * tau > 0 ? term.needs_upper_slope() : term.needs_lower_slope();
    if (!indicator) sum += slope * term.conjugate_point(tau * slope);
  }
  return sum;
}

// The Gram matrix squares the condition number, so one solve alone leaves a residue that the next
// ones remove.
constexpr int projections = 3;

bool has_finite_conjugate(const penalty::Terms& terms, std::span<const Index> columns) {
  if (terms.is_plain_l1()) return false;
  for (const Index j : columns) {
    const penalty::Term term = terms(j);
    if (!term.needs_lower_slope() || !term.needs_upper_slope()) return true;
  }
  return false;
}

}  // namespace

double smallest_null_alpha(const penalty::Terms& unit, const Vector& z) {
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

void Certifier::begin(const penalty::Terms& terms, bool keep_theta) {
  terms_ = terms;
  keep_theta_ = keep_theta;
  can_be_free_ = 0;
  for (Index j = 0; j < glm_.cols() && !terms.is_plain_l1(); ++j) {
    can_be_free_ += terms(j).can_be_free() ? 1 : 0;
  }
}

double Certifier::zero_dual(std::span<const Index> columns) const {
  return -conjugate_sum(terms_, glm_.null_correlation(), 0.0, columns);
}

core::Certificate Certifier::certify(const Vector& w, const Evaluation& at,
                                     std::span<const Index> columns, BestDual& best,
                                     const Evaluation* extrapolated) {
  core::Certificate result;
  result.primal = at.primal();
  if (kind() == core::Certificate::Kind::kkt) {
    result.kind = core::Certificate::Kind::kkt;
    result.value = result.relative = kkt_residual(w, at, columns);
    return result;
  }
  offer(w, at, columns, best);
  // With free columns it would have to be projected, at the price of a pass.
  if (extrapolated != nullptr && free_.empty())
    offer_feasible(*extrapolated, at.primal(), columns, best);
  result.dual = best.value;
  // Rounding can put the dual above the primal at the optimum; more than that is no certificate.
  result.value = std::fabs(result.primal - best.value) + 0.5 * at.rounding;
  result.relative = glm_.relative(result.value);
  return result;
}

// Makes the residual at w feasible and keeps it if its bound is the best so far.
void Certifier::offer(const Vector& w, const Evaluation& at, std::span<const Index> columns,
                      BestDual& best) {
  const Vector& z = at.correlation;
  const double rms = std::sqrt(at.square);
  // Of a correlation; a column takes part with its mean.
  const auto rounding = [&](Index j) { return 8 * epsilon * glm_.raw_norm(j) * rms + 1e-300; };
  if (!collect_free(w, columns)) {
    offer_zero(at, columns, best);
    return;
  }
  const bool needs_projection =
      free_.nearly_dependent() ||
      std::any_of(free_.columns().begin(), free_.columns().end(),
                  [&](Index j) { return std::fabs(z[static_cast<std::size_t>(j)]) > rounding(j); });
  if (!needs_projection) {
    offer_feasible(at, at.primal(), columns, best);
    return;
  }
  if (at.has_residual()) project(at, columns);
  else project_point(w, at, columns);
  if (glm_.execution().stop_requested()) {
    offer_zero(at, columns, best);
    return;
  }
  const Candidate candidate{projected_.target_product - free_.unresolved(projected_.correlation),
                            projected_.square, projected_.correlation, projected_.residual};
  const double ratio =
      feasibility_ratio(terms_, projected_.correlation, columns, negligible(at.square));
  if (keep_if_better(candidate, ratio, at.primal(), columns, best)) best.correlation.clear();
}

// z, of what it may be by its rounding that whose conjugates are largest, or violate most.
const Vector& Certifier::outward(const Evaluation& at, std::span<const Index> columns) {
  if (at.is_from_x()) return at.correlation;
  outward_ = at.correlation;
  for (const Index j : columns) {
    const auto k = static_cast<std::size_t>(j);
    const penalty::Term term = terms_(j);
    const double rounding = at.correlation_rounding[k];
    // Conjugates rise away from zero, or where w has one sign only, with it.
    double sign = term.lower >= 0 ? 1.0 : term.upper <= 0 ? -1.0 : outward_[k];
    if (term.lower < 0 && term.upper > 0 && std::fabs(outward_[k]) < rounding) {
      const double above = term.conjugate(outward_[k] + rounding);
      const double below = term.conjugate(outward_[k] - rounding);
      if (above != below) sign = above > below ? 1.0 : -1.0;
    }
    outward_[k] += std::copysign(rounding, sign);
  }
  return outward_;
}

// A residual that needs no projection.
void Certifier::offer_feasible(const Evaluation& at, double primal, std::span<const Index> columns,
                               BestDual& best) {
  const Vector& z = outward(at, columns);
  const double ratio = feasibility_ratio(terms_, z, columns, negligible(at.square));
  double product = at.target_product - free_.unresolved(z) - at.rounding;
  // Less is the worst of multiples above zero, and others are only taken of pure l1.
  if (!at.is_from_x() && !has_finite_conjugate(terms_, columns)) product = std::max(product, 0.0);
  keep_if_better({product, at.square + at.rounding, z, at.residual}, ratio, primal, columns, best);
}

void Certifier::offer_zero(const Evaluation& at, std::span<const Index> columns,
                           BestDual& best) const {
  keep_if_better({at.target_product, at.square, at.correlation, at.residual}, infinity, at.primal(),
                 columns, best);
}

// Columns on which z must vanish at w: the term is flat in both directions there. False where a
// stop came before they were factorised.
bool Certifier::collect_free(const Vector& w, std::span<const Index> columns) {
  std::vector<Index> flat;
  for (const Index j : terms_.is_plain_l1() ? std::span<const Index>() : columns) {
    if (terms_(j).is_free_at(w[static_cast<std::size_t>(j)]) && glm_.sq_norm(j) > 0)
      flat.push_back(j);
  }
  return free_.set(std::move(flat));
}

// The residual less X~_free G^+ z_free, repeated.
void Certifier::project(const Evaluation& at, std::span<const Index> columns) {
  Vector& u = projected_.residual = at.residual;
  projected_.correlation = at.correlation;
  for (int pass = 0; pass < projections; ++pass) {
    free_.add_product(free_.solve(projected_.correlation), -1.0, u);
    glm_.correlate_residual(u, pass + 1 < projections ? free_.columns() : columns,
                            projected_.correlation);
  }
  // A and B.
  const double* s = glm_.weights();
  double product = 0, square = 0;
  for (std::size_t i = 0; i < u.size(); ++i) {
    const double weight = s != nullptr ? s[i] : 1.0;
    product += weight * glm_.target()(static_cast<Index>(i)) * u[i];
    square += weight * u[i] * u[i];
  }
  projected_.target_product = product / glm_.total_weight();
  projected_.square = square / glm_.total_weight();
}

// The same without a vector over the rows: it is the residual of a point with other coefficients of
// the free columns.
void Certifier::project_point(const Vector& w, const Evaluation& at,
                              std::span<const Index> columns) {
  Vector point = w;
  projected_.correlation = at.correlation;
  for (int pass = 0; pass < projections; ++pass) {
    const Vector step = free_.solve(projected_.correlation);
    for (std::size_t k = 0; k < step.size(); ++k)
      point[static_cast<std::size_t>(free_.columns()[k])] += step[k];
    glm_.evaluate_in_slices(point, terms_, pass + 1 < projections ? free_.columns() : columns,
                            projected_);
  }
}

double Certifier::dual_value(const Candidate& candidate, double tau,
                             std::span<const Index> columns) const {
  return tau * candidate.target_product - 0.5 * tau * tau * candidate.square -
         conjugate_sum(terms_, candidate.z, tau, columns);
}

double Certifier::dual_slope(const Candidate& candidate, double tau,
                             std::span<const Index> columns) const {
  return candidate.target_product - tau * candidate.square -
         conjugate_slope(terms_, candidate.z, tau, columns);
}

// Scales the candidate and keeps it if its dual value is the best. A candidate that cannot be
// made feasible still gives u = 0.
bool Certifier::keep_if_better(const Candidate& candidate, double ratio, double primal,
                               std::span<const Index> columns, BestDual& best) const {
  const double largest = std::isinf(ratio) ? 0.0 : ratio > 0 ? 1.0 / ratio : infinity;
  const double tau = best_scale(candidate, largest, primal, columns);
  const double value = dual_value(candidate, tau, columns);
  if (!(value > best.value)) return false;
  best.value = value;
  best.correlation.resize(candidate.z.size());
  for (const Index j : columns) {
    best.correlation[static_cast<std::size_t>(j)] = tau * candidate.z[static_cast<std::size_t>(j)];
  }
  if (keep_theta_) {
    best.theta = candidate.u;
    for (double& t : best.theta) t *= tau;
  }
  return true;
}

double Certifier::best_scale(const Candidate& candidate, double largest, double primal,
                             std::span<const Index> columns) const {
  if (!has_finite_conjugate(terms_, columns)) {
    // Columns that nothing penalizes have z_j = 0 to the rounding of u itself, not of a multiple.
    const double most = free_.empty() ? largest : std::min(largest, 1.0);
    if (!(candidate.square > 0)) return std::min(most, 1.0);
    return core::clip(candidate.target_product / candidate.square, -most, most);
  }
  const double first = std::min(1.0, largest);
  const double value = dual_value(candidate, first, columns);
  // Below `first` a concave D gains at most slope times distance.
  double upper = first;
  double upper_slope = dual_slope(candidate, upper, columns);
  constexpr double worth = 0.1;
  if (-upper_slope * upper <= worth * (primal - value)) return first;
  double lower = 0;
  double lower_slope = dual_slope(candidate, lower, columns);
  // Secant steps on the decreasing slope, kept off the ends of the bracket so that both move.
  constexpr int most_steps = 6;
  for (int i = 0; i < most_steps && lower_slope > 0; ++i) {
    const double width = upper - lower;
    const double root = lower + width * lower_slope / (lower_slope - upper_slope);
    const double tau = core::clip(root, lower + 0.05 * width, upper - 0.05 * width);
    const double slope = dual_slope(candidate, tau, columns);
    (slope > 0 ? lower : upper) = tau;
    (slope > 0 ? lower_slope : upper_slope) = slope;
  }
  // The slope jumps where |tau z_j| passes l1_j, as it does for every active column at the optimum;
  // as the l2 terms vanish, the best tau is the last one before the first jump.
  double inside = first;
  for (const Index j : columns) {
    const penalty::Term term = terms_(j);
    const double z = candidate.z[static_cast<std::size_t>(j)];
    if (z > 0 ? term.upper <= 0 : term.lower >= 0) continue;  // nothing to exceed on this side
    if (term.l1 > 0 && inside * std::fabs(z) > term.l1) inside = term.l1 / std::fabs(z);
  }
  double best = first, best_value = value;
  for (const double tau : {lower_slope < -upper_slope ? lower : upper, inside}) {
    const double at = dual_value(candidate, tau, columns);
    if (at > best_value) best = tau;
    best_value = std::max(best_value, at);
  }
  return best;
}

// max_j |violation_j| / (||x~_j|| ||loss gradient at zero||), in the weighted mean norm.
double Certifier::kkt_residual(const Vector& w, const Evaluation& at,
                               std::span<const Index> columns) const {
  const double scale = std::sqrt(2 * glm_.null_objective());
  double worst = 0;
  for (const Index j : columns) {
    const double norm = std::sqrt(glm_.sq_norm(j)) * scale;
    if (!(norm > 0)) continue;
    const auto k = static_cast<std::size_t>(j);
    const double rounding = at.is_from_x() ? 0.0 : at.correlation_rounding[k];
    worst =
        std::max(worst, (terms_(j).subdiff_distance(w[k], at.correlation[k]) + rounding) / norm);
  }
  return worst;
}

}  // namespace thalweg::objective
