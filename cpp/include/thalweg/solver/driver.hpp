// The only outer loop: evaluate, certify, report, decide, screen, step.
//
// The stop test runs before the first step. Whether a point is evaluated from X or from second
// moments is the evaluator's business. Gap-safe screening (Ndiaye et al. 2017, theorem 6): with the
// dual point theta of the current gap G, every optimal correlation is within
// sqrt(2 h_j G), h_j = ||x~_j||^2 / S, of z_j(theta), so a column with |z_j| + sqrt(2 h_j G) < l1_j
// is zero at every optimum and is left out of later passes. The final certificate is of all
// columns, and is there before the point is reported.
//
// After a stop there is no time for that: the last certified point is returned as it was certified,
// or the one that the step left if its objective costs little and is lower. Bounds on the optimum
// hold for every point and for the columns that screening has left, so neither needs a pass over
// all columns.
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
      : evaluator_(evaluator), glm_(evaluator.glm()), engine_(engine), certifier_(glm_) {}

  // Minimises from w, whose evaluation `at` must be; both are at the result on return, but after a
  // stop `at` may lack its vectors.
  void minimize(const penalty::Terms& terms, Vector& w, objective::Evaluation& at,
                const DriverContext& context, core::IterationInfo info, core::Result& result) {
    begin(terms, w, at, context, result);
    // What no step can get below, so that none tries for ever.
    constexpr double rounding_floor = 8 * epsilon;
    double alpha_drop = context.alpha_drop;
    Progress progress;
    for (;;) {
      std::optional<core::Status> status = finished(result, context, progress);
      if (status && !is_stop(*status) && !is_final()) {
        status = confirm(terms, w, at, result) ? finished(result, context, progress)
                                               : stop_status(context);
      }
      describe(w, result, context, info);
      if (context.keep_trace) result.trace.push_back(info);
      const bool asked = observer_stops(context, info);
      if (asked && !status) {
        status = stop_status(context);
        // Nobody waits at the keyboard: the point gets its final certificate.
        glm_.ignore_stop();
        if (!is_final()) confirm(terms, w, at, result);
      }
      if (status) {
        result.status = *status;
        break;
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
      evaluator_.evaluate(w, terms, columns_, at);
      const objective::Evaluation* const extrapolation = extrapolated(at);
      if (glm_.execution().stop_requested()) {
        result.status = stop_status(context);
        if (take_if_lower(terms, w, at, result)) {
          count(outcome, info, result);
          if (context.keep_trace) result.trace.push_back(info);
        }
        break;
      }
      count(outcome, info, result);
      certify(w, at, result, extrapolation);
      progress.update(result, outcome.largest_change);
    }
    finish(w, context, info, result);
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

  static bool is_stop(core::Status status) {
    return status == core::Status::stopped || status == core::Status::time_limit;
  }
  static core::Status stop_status(const DriverContext& context) {
    return context.stop->expired() ? core::Status::time_limit : core::Status::stopped;
  }

  void begin(const penalty::Terms& terms, const Vector& w, const objective::Evaluation& at,
             const DriverContext& context, core::Result& result) {
    certifier_.begin(terms, context.keep_theta);
    evaluator_.begin();
    best_.reset();
    best_is_from_x_ = true;
    extrapolation_.reset();
    columns_ = glm_.all_columns();
    result.target = certifier_.kind() == core::Certificate::Kind::kkt
                        ? context.tol
                        : context.tol * glm_.tolerance_scale();
    certify(w, at, result);
    if (context.theta == nullptr || result.certificate.value <= result.target) return;
    glm_.evaluate_residual(Vector(context.theta, context.theta + glm_.rows()), scratch_);
    if (!glm_.execution().stop_requested()) certify(w, at, result, &scratch_);
  }

  // w becomes the point that a later stop falls back on.
  void certify(const Vector& w, const objective::Evaluation& at, core::Result& result,
               const objective::Evaluation* candidate = nullptr) {
    best_is_from_x_ = best_is_from_x_ && evaluator_.is_confirmed(at);
    result.certificate = certifier_.certify(w, at, columns_, best_, candidate);
    certified_ = w;
    certified_intercept_ = at.intercept;
  }

  static void count(const StepOutcome& outcome, core::IterationInfo& info, core::Result& result) {
    ++result.iterations;
    result.epochs += std::max<Index>(outcome.epochs, 1);
    info.step = outcome.largest_change;
  }

  bool observer_stops(const DriverContext& context, const core::IterationInfo& info) const {
    if (context.observer == nullptr || !*context.observer || !(*context.observer)(info))
      return false;
    if (context.stop != nullptr) context.stop->request();
    return context.stop != nullptr;
  }

  // What is returned, as far as it is not yet.
  void finish(const Vector& w, const DriverContext& context, core::IterationInfo& info,
              core::Result& result) {
    core::Certificate& certificate = result.certificate;
    if (!best_is_from_x_ && certificate.kind == core::Certificate::Kind::duality_gap) {
      // Of a bound from second moments nothing is known but that X was to confirm it.
      certificate.dual = certifier_.zero_dual(columns_);
      update_gap(certificate);
    }
    if (is_final() && context.keep_theta) certificate.theta = std::move(best_.theta);
    describe(w, result, context, info);
    if (context.keep_trace) result.trace.back() = info;
  }

  void update_gap(core::Certificate& certificate) const {
    certificate.value = std::fabs(certificate.primal - certificate.dual);
    certificate.relative = certificate.value / glm_.tolerance_scale();
  }

  void describe(const Vector& w, const core::Result& result, const DriverContext& context,
                core::IterationInfo& info) const {
    info.iteration = result.iterations;
    info.epochs = result.epochs;
    info.time =
        std::chrono::duration<double>(core::StopToken::Clock::now() - context.start).count();
    info.objective = result.certificate.primal;
    info.certificate = result.certificate.value;
    info.support =
        static_cast<Index>(std::count_if(w.begin(), w.end(), [](double v) { return v != 0; }));
  }

  std::optional<core::Status> finished(const core::Result& result, const DriverContext& context,
                                       const Progress& progress) const {
    if (!std::isfinite(result.certificate.primal)) return core::Status::non_finite;
    if (result.certificate.value <= result.target) return core::Status::converged;
    if (context.stop != nullptr && context.stop->poll()) return stop_status(context);
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

  // Whether the certificate is one of all columns, and from X where it has to be.
  bool is_final() const { return best_is_from_x_ && columns_.size() == glm_.all_columns().size(); }

  // Makes it so. False, and all is as it was, where a stop came first.
  bool confirm(const penalty::Terms& terms, const Vector& w, objective::Evaluation& at,
               core::Result& result) {
    evaluator_.confirm(w, terms, glm_.all_columns(), scratch_);
    if (glm_.execution().stop_requested()) return false;
    std::swap(at, scratch_);
    columns_ = glm_.all_columns();
    const double before = best_is_from_x_ ? best_.value : -infinity;
    best_.reset();
    best_is_from_x_ = true;
    extrapolation_.reset();
    certify(w, at, result);
    if (result.certificate.dual < before && glm_.execution().stop_requested()) {
      // Cut short. The bound was one before.
      result.certificate.dual = before;
      update_gap(result.certificate);
      best_.theta.clear();
    }
    return true;
  }

  // After a stop: keeps w, which a step left, with its objective and the best bound so far, if the
  // objective costs little (in C order some ten milliseconds) and is lower; else goes back to the
  // last certified point.
  bool take_if_lower(const penalty::Terms& terms, Vector& w, objective::Evaluation& at,
                     core::Result& result) {
    constexpr Index most_entries = 1 << 22;
    Index entries = 0;
    for (Index j = 0; j < glm_.cols(); ++j) {
      if (w[static_cast<std::size_t>(j)] != 0) entries += glm_.design().stored(j);
    }
    core::Certificate& certificate = result.certificate;
    glm_.ignore_stop();
    if (certificate.kind == core::Certificate::Kind::duality_gap && entries <= most_entries) {
      glm_.evaluate(w, terms, {}, at);
      if (at.primal() < certificate.primal) {
        certificate.primal = at.primal();
        update_gap(certificate);
        return true;
      }
    }
    w = certified_;
    at = {};
    at.intercept = certified_intercept_;
    return false;
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
  bool best_is_from_x_ = true;
  objective::DualExtrapolation extrapolation_;
  objective::Certifier<D, L> certifier_;
  objective::Evaluation scratch_;
  Vector certified_;
  double certified_intercept_ = 0;
  std::vector<Index> columns_, kept_;
};

}  // namespace thalweg::solver
