// The only outer loop: evaluate, certify, report, decide, screen, step.
//
// The stop test runs before the first step. Whether a point is evaluated from X or from second
// moments is the evaluator's business. Gap-safe screening (Ndiaye et al. 2017, theorem 6): with the
// dual point theta of the current gap G, every optimal correlation is within
// sqrt(2 h_j G), h_j = ||x~_j||^2 / S, of z_j(theta), so a column with |z_j| + sqrt(2 h_j G) < l1_j is
// zero at every optimum and is left out of later passes. The final certificate is of all columns.
#pragma once

#include <algorithm>

#include "thalweg/core/result.hpp"
#include "thalweg/objective/certificate.hpp"
#include "thalweg/objective/dual_extrapolation.hpp"
#include "thalweg/objective/evaluator.hpp"
#include "thalweg/solver/request.hpp"

namespace thalweg::solver {

// What the driver needs of a job besides the problem.
struct DriverContext {
  double tol = 1e-6;
  Index max_iter = 1000;
  core::StopToken::Clock::time_point start;
  core::StopToken* stop = nullptr;
  bool keep_trace = true;
  bool keep_theta = false;
  const std::function<bool(const core::IterationInfo&)>* observer = nullptr;
  double alpha_drop = 0;
  const double* theta = nullptr;  // a dual point to try beside the residual at the start
};

template <class D, class L, class Engine>
  requires SolverFor<Engine, D, L>
class Driver final {
 public:
  Driver(objective::Evaluator<D, L>& evaluator, Engine& engine)
      : evaluator_(evaluator), glm_(evaluator.glm()), engine_(engine) {}

  // Minimises from w, whose evaluation `at` must be; both are at the result on return.
  void minimize(const penalty::Terms& terms, Vector& w, objective::Evaluation& at,
                const DriverContext& context, core::IterationInfo info, core::Result& result) {
    objective::Certifier<D, L> certifier(glm_, terms, context.keep_theta);
    evaluator_.begin();
    best_.reset();
    extrapolation_.reset();
    columns_ = glm_.all_columns();
    result.target = certifier.kind() == core::Certificate::Kind::kkt
                        ? context.tol
                        : context.tol * glm_.tolerance_scale();
    result.certificate = certifier.certify(w, at, columns_, best_);
    if (context.theta != nullptr && result.certificate.value > result.target) {
      glm_.evaluate_residual(Vector(context.theta, context.theta + glm_.rows()), theta_);
      result.certificate = certifier.certify(w, at, columns_, best_, &theta_);
    }
    if (glm_.execution().stop_requested()) recertify(terms, w, at, certifier, result);
    // What no step can get below, so that none tries for ever.
    constexpr double rounding_floor = 8 * epsilon;
    double alpha_drop = context.alpha_drop;
    Progress progress;
    for (;;) {
      describe(w, result, context, info);
      if (context.keep_trace) result.trace.push_back(info);
      const bool asked = context.observer != nullptr && *context.observer && (*context.observer)(info);
      if (asked && context.stop != nullptr) context.stop->request();
      if (const auto status = finished(result, context, progress)) {
        result.status = *status;
        if (columns_.size() == glm_.all_columns().size() && evaluator_.is_confirmed(at)) break;
        recertify(terms, w, at, certifier, result);
        describe(w, result, context, info);
        if (context.keep_trace) result.trace.back() = info;
        if (result.status != core::Status::converged) break;
        if (result.certificate.value <= result.target) break;
        continue;
      }
      screen(terms, w, result);
      const StepOutcome outcome =
          engine_.step(w, at,
                       {.terms = terms,
                        .columns = columns_,
                        .gap = result.certificate.value,
                        .target = std::max(result.target, rounding_floor * glm_.tolerance_scale()),
                        .epochs_left = context.max_iter - result.epochs,
                        .alpha_drop = alpha_drop});
      alpha_drop = 0;
      ++result.iterations;
      result.epochs += std::max<Index>(outcome.epochs, 1);
      info.step = outcome.largest_change;
      evaluator_.evaluate(w, terms, columns_, at);
      result.certificate = certifier.certify(w, at, columns_, best_, extrapolated(at));
      // What is returned must be certified all the same.
      if (glm_.execution().stop_requested()) recertify(terms, w, at, certifier, result);
      else progress.update(result, outcome.largest_change);
    }
    if (context.keep_theta) result.certificate.theta = std::move(best_.theta);
  }

 private:
  // Whether steps still lower the objective or the certificate by more than rounding does, or get
  // shorter, since they last did.
  struct Progress {
    static constexpr int patience = 30;
    double primal = infinity;
    double value = infinity;
    double change = infinity;
    int idle = 0;

    void update(const core::Result& result, double largest_change) {
      const core::Certificate& now = result.certificate;
      const double rounding = 16 * epsilon * std::fabs(now.primal);
      const bool better = now.value < std::max(0.99 * value, value - rounding) ||
                          now.primal < primal - rounding || largest_change < 0.99 * change;
      if (better) {
        value = std::min(value, now.value);
        primal = std::min(primal, now.primal);
        change = std::min(change, largest_change);
      }
      idle = better && largest_change > 0 ? 0 : idle + 1;
    }
  };

  void describe(const Vector& w, const core::Result& result, const DriverContext& context,
                core::IterationInfo& info) const {
    info.iteration = result.iterations;
    info.epochs = result.epochs;
    info.time =
        std::chrono::duration<double>(core::StopToken::Clock::now() - context.start).count();
    info.objective = result.certificate.primal;
    info.certificate = result.certificate.value;
    info.support = static_cast<Index>(std::count_if(w.begin(), w.end(), [](double v) { return v != 0; }));
  }

  std::optional<core::Status> finished(const core::Result& result, const DriverContext& context,
                                       const Progress& progress) const {
    if (!std::isfinite(result.certificate.primal)) return core::Status::non_finite;
    if (result.certificate.value <= result.target) return core::Status::converged;
    if (context.stop != nullptr && context.stop->poll()) {
      return context.stop->expired() ? core::Status::time_limit : core::Status::stopped;
    }
    if (result.epochs >= context.max_iter) return core::Status::max_iter;
    if (progress.idle >= Progress::patience) return core::Status::stalled;
    return std::nullopt;
  }

  // Where the engine's residuals form a sequence that can be: another dual candidate, or null.
  const objective::Evaluation* extrapolated(const objective::Evaluation& at) {
    if constexpr (requires { requires Engine::is_affine; }) {
      if (at.has_residual()) return extrapolation_.push(glm_, at);
    }
    return nullptr;
  }

  void recertify(const penalty::Terms& terms, const Vector& w, objective::Evaluation& at,
                 objective::Certifier<D, L>& certifier, core::Result& result) {
    columns_ = glm_.all_columns();
    extrapolation_.reset();
    for (bool again = true; again;) {
      best_.reset();
      certifier.forget();
      evaluator_.confirm(w, terms, columns_, at);
      result.certificate = certifier.certify(w, at, columns_, best_);
      // Any of their passes may have been cut short.
      again = glm_.execution().stop_requested();
      if (again) glm_.ignore_stop();
    }
  }

  // Drops the columns that are zero at every optimum. Worth a later pass over all columns only if
  // many go and several passes are ahead.
  void screen(const penalty::Terms& terms, const Vector& w, const core::Result& result) {
    constexpr double far_from_target = 100;
    const core::Certificate& certificate = result.certificate;
    if (certificate.kind != core::Certificate::Kind::duality_gap) return;
    if (!std::isfinite(certificate.value) || best_.correlation.empty()) return;
    if (certificate.value <= far_from_target * result.target) return;
    kept_.clear();
    const double radius = std::sqrt(2 * certificate.value);
    for (const Index j : columns_) {
      const auto k = static_cast<std::size_t>(j);
      const penalty::Term term = terms(j);
      const double reach = radius * std::sqrt(glm_.sq_norm(j));
      const double z = best_.correlation[k];
      const bool zero_above = term.upper <= 0 || z + reach < term.l1;
      const bool zero_below = term.lower >= 0 || -z + reach < term.l1;
      const bool zero_allowed = term.lower <= 0 && term.upper >= 0;
      if (!(zero_above && zero_below && zero_allowed && w[k] == 0)) kept_.push_back(j);
    }
    if (2 * kept_.size() <= columns_.size()) columns_.swap(kept_);
  }

  objective::Evaluator<D, L>& evaluator_;
  objective::Glm<D, L>& glm_;
  Engine& engine_;
  objective::BestDual best_;
  objective::DualExtrapolation extrapolation_;
  objective::Evaluation theta_;
  std::vector<Index> columns_, kept_;
};

}  // namespace thalweg::solver
