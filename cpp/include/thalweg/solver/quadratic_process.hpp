// Squared loss and a separable penalty as a process of the driver: evaluate, certify, screen, step.
//
// Whether a point is evaluated from X or from second moments is the evaluator's business. Gap-safe
// screening (Ndiaye et al. 2017, theorem 6): with the dual point theta of the current gap G, every
// optimal correlation is within sqrt(2 h_j G), h_j = ||x~_j||^2 / S, of z_j(theta), so a column
// with |z_j| + sqrt(2 h_j G) < l1_j is zero at every optimum and is left out of later passes. The
// final certificate is of all columns.
//
// Rounding can let a step end above its start, or nowhere. The lowest point that was certified is
// kept, and a solve that does not converge ends there.
//
// After a stop that point is returned as it was certified, or the one that the step left if its
// objective costs little and is lower. Bounds on the optimum hold for every point and for the
// columns that screening has left, so neither needs a pass over all columns.
#pragma once

#include "thalweg/objective/certificate.hpp"
#include "thalweg/objective/dual_extrapolation.hpp"
#include "thalweg/objective/evaluator.hpp"
#include "thalweg/solver/driver.hpp"

namespace thalweg::solver {

class QuadraticProcess final {
 public:
  QuadraticProcess(objective::Evaluator& evaluator, QuadraticSolver& solver)
      : evaluator_(evaluator), glm_(evaluator.glm()), solver_(solver), certifier_(glm_) {}

  // The next problem on the same data: w, whose evaluation `at` must be; both are at the result
  // when it is solved, but after a stop `at` may lack its vectors. `theta`: a dual point to try
  // beside the residual at the start, or null.
  void set_problem(const penalty::Terms& terms, Vector& w, objective::Evaluation& at,
                   double alpha_drop, const double* theta) {
    terms_ = terms;
    w_ = &w;
    at_ = &at;
    alpha_drop_ = alpha_drop;
    theta_ = theta;
  }

  void begin(const DriverContext& context, core::Result& result) {
    certifier_.begin(terms_, context.keep_theta);
    evaluator_.begin();
    best_.reset();
    best_is_confirmed_ = true;
    lowest_ = {};
    extrapolation_.reset();
    extrapolated_ = nullptr;
    columns_ = glm_.all_columns();
    result.target = certifier_.kind() == core::Certificate::Kind::kkt
                        ? context.tol
                        : context.tol * glm_.tolerance_scale();
    certify(result);
    if (theta_ == nullptr || result.certificate.value <= result.target) return;
    glm_.evaluate_residual(Vector(theta_, theta_ + glm_.rows()), scratch_);
    if (glm_.execution().stop_requested()) return;
    extrapolated_ = &scratch_;
    certify(result);
  }

  // Whether the certificate is one of all columns, and from X where it has to be.
  bool is_final() const {
    return best_is_confirmed_ && columns_.size() == glm_.all_columns().size();
  }

  // Makes it so. False, and all is as it was, where a stop came first.
  bool confirm(core::Result& result) {
    evaluator_.confirm(*w_, terms_, glm_.all_columns(), scratch_);
    if (glm_.execution().stop_requested()) return false;
    std::swap(*at_, scratch_);
    columns_ = glm_.all_columns();
    const double before = best_is_confirmed_ ? best_.value : -infinity;
    best_.reset();
    best_is_confirmed_ = true;
    extrapolation_.reset();
    extrapolated_ = nullptr;
    certify(result);
    if (result.certificate.dual < before && glm_.execution().stop_requested()) {
      // Cut short. The bound was one before.
      result.certificate.dual = before;
      update_gap(result.certificate);
      best_.theta.clear();
    }
    return true;
  }

  StepOutcome step(const core::Result& so_far, Index epochs_left) {
    // What no step can get below, so that none tries for ever.
    constexpr double rounding_floor = 8 * epsilon;
    screen(so_far);
    const StepOutcome outcome =
        solver_.step(*w_, *at_,
                     {.terms = terms_,
                      .columns = columns_,
                      .gap = so_far.certificate.value,
                      .target = std::max(so_far.target, rounding_floor * glm_.tolerance_scale()),
                      .epochs_left = epochs_left,
                      .alpha_drop = alpha_drop_});
    alpha_drop_ = 0;
    evaluator_.evaluate(*w_, terms_, columns_, *at_);
    if (certifier_.free_columns().nearly_dependent()) move_free_columns();
    extrapolated_ = extrapolate();
    return outcome;
  }

  // Along directions of unpenalized columns that are nearly dependent, which a Gram matrix does not
  // show and a sweep does not get along.
  void move_free_columns() {
    const objective::FreeColumns& free = certifier_.free_columns();
    const Vector step = free.solve(at_->correlation);
    Vector w = *w_;
    for (std::size_t k = 0; k < step.size(); ++k) {
      const Index j = free.columns()[k];
      double& value = w[static_cast<std::size_t>(j)];
      value += step[k];
      if (!terms_(j).is_free_at(value)) return;  // a limit is on the way
    }
    evaluator_.evaluate(w, terms_, columns_, scratch_);
    if (!(scratch_.primal() < at_->primal())) return;
    w_->swap(w);
    std::swap(*at_, scratch_);
  }

  // The point becomes the one to fall back on, if none was lower.
  void certify(core::Result& result) {
    best_is_confirmed_ = best_is_confirmed_ && evaluator_.is_confirmed(*at_);
    result.certificate = certifier_.certify(*w_, *at_, columns_, best_, extrapolated_);
    extrapolated_ = nullptr;
    const double primal = at_->primal();
    if (lowest_.w.empty() || primal < lowest_.primal) {
      lowest_ = {*w_, std::isfinite(primal) ? primal : infinity, result.certificate.value,
                 at_->intercept, at_->rounding};
    }
  }

  // Keeps w, which a step left, with its objective and the best bound so far, if the objective
  // costs some ten milliseconds and is lower; else goes back to the lowest certified point.
  bool settle(core::Result& result) {
    constexpr Index most_entries = 1 << 26;
    Index entries = 0;
    for (Index j = 0; j < glm_.cols(); ++j) {
      if ((*w_)[static_cast<std::size_t>(j)] != 0) entries += glm_.design().stored(j);
    }
    core::Certificate& certificate = result.certificate;
    glm_.ignore_stop();
    if (certificate.kind == core::Certificate::Kind::duality_gap && entries <= most_entries) {
      evaluator_.evaluate_from_x(*w_, terms_, {}, *at_);
      if (at_->primal() < lowest_.primal) {
        certificate.primal = at_->primal();
        update_gap(certificate);
        return true;
      }
    }
    fall_back(certificate);
    return false;
  }

  bool stop_requested() const { return glm_.execution().stop_requested(); }
  void ignore_stop() { glm_.ignore_stop(); }

  std::optional<core::Status> diagnosis() const { return std::nullopt; }

  Index support() const {
    return static_cast<Index>(
        std::count_if(w_->begin(), w_->end(), [](double v) { return v != 0; }));
  }

  void finish(const DriverContext& context, core::Result& result) {
    core::Certificate& certificate = result.certificate;
    if (result.status != core::Status::converged && is_above_lowest(certificate.primal)) {
      *w_ = lowest_.w;
      if (stop_requested() || !confirm(result)) fall_back(certificate);
    }
    if (!best_is_confirmed_ && certificate.kind == core::Certificate::Kind::duality_gap) {
      // Of a bound from second moments nothing is known but that X was to confirm it.
      certificate.dual = certifier_.zero_dual(columns_);
      update_gap(certificate);
    }
    if (!is_final() || !context.keep_theta || best_.theta.empty()) return;
    certificate.theta = std::move(best_.theta);
    glm_.centre(certificate.theta);
  }

 private:
  // A point that was certified. `value` is that of its certificate, which speaks of the point alone
  // where it is a KKT residual.
  struct Known {
    Vector w;
    double primal = infinity;
    double value = infinity;
    double intercept = 0;
    double rounding = 0;
  };

  // By more than evaluations of one point may differ.
  bool is_above_lowest(double primal) const {
    const double rounding = std::max(evaluator_.accuracy(), 1e-10 * lowest_.primal);
    return !(primal <= lowest_.primal + rounding);
  }

  // To the lowest point as it is known, without a pass over X.
  void fall_back(core::Certificate& certificate) {
    *w_ = lowest_.w;
    *at_ = {};
    at_->intercept = lowest_.intercept;
    at_->rounding = lowest_.rounding;
    certificate.primal = lowest_.primal;
    if (certificate.kind == core::Certificate::Kind::duality_gap) update_gap(certificate);
    else certificate.value = certificate.relative = lowest_.value;
  }

  void update_gap(core::Certificate& certificate) const {
    certificate.value = std::fabs(certificate.primal - certificate.dual) + 0.5 * at_->rounding;
    certificate.relative = glm_.relative(certificate.value);
  }

  // Where the solver's residuals form a sequence that can be: another dual candidate, or null.
  const objective::Evaluation* extrapolate() {
    const bool may = solver_.is_affine() && at_->has_residual();
    return may ? extrapolation_.push(glm_, *at_) : nullptr;
  }

  // Drops the columns that are zero at every optimum. Worth a later pass over all columns only if
  // many go and several passes are ahead.
  void screen(const core::Result& so_far) {
    constexpr double far_from_target = 100;
    const core::Certificate& certificate = so_far.certificate;
    if (certificate.kind != core::Certificate::Kind::duality_gap) return;
    if (!std::isfinite(certificate.value) || best_.correlation.empty()) return;
    if (certificate.value <= far_from_target * so_far.target) return;
    kept_.clear();
    const double radius = std::sqrt(2 * certificate.value);
    for (const Index j : columns_) {
      const auto k = static_cast<std::size_t>(j);
      const penalty::Term term = terms_(j);
      const double reach = radius * std::sqrt(glm_.sq_norm(j));
      const double z = best_.correlation[k];
      const bool zero_above = term.upper <= 0 || z + reach < term.l1;
      const bool zero_below = term.lower >= 0 || -z + reach < term.l1;
      const bool zero_allowed = term.lower <= 0 && term.upper >= 0;
      if (!(zero_above && zero_below && zero_allowed && (*w_)[k] == 0)) kept_.push_back(j);
    }
    if (2 * kept_.size() <= columns_.size()) columns_.swap(kept_);
  }

  objective::Evaluator& evaluator_;
  objective::Glm& glm_;
  QuadraticSolver& solver_;
  objective::Certifier certifier_;
  penalty::Terms terms_;
  Vector* w_ = nullptr;
  objective::Evaluation* at_ = nullptr;
  double alpha_drop_ = 0;
  const double* theta_ = nullptr;
  objective::BestDual best_;
  bool best_is_confirmed_ = true;
  objective::DualExtrapolation extrapolation_;
  const objective::Evaluation* extrapolated_ = nullptr;
  objective::Evaluation scratch_;
  Known lowest_;
  std::vector<Index> columns_, kept_;
};

}  // namespace thalweg::solver
