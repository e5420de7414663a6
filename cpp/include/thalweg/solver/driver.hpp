// The only outer loop: evaluate, certify, report, decide, screen, step.
//
// The stop test runs before the first step. Gap-safe screening (Ndiaye et al. 2017, theorem 6): with
// the dual point theta of the current gap G, every optimal correlation is within
// sqrt(2 h_j G), h_j = ||x~_j||^2 / S, of z_j(theta), so a column with |z_j| + sqrt(2 h_j G) < l1_j is
// zero at every optimum and is left out of later passes. The final certificate is of all columns.
#pragma once

#include <numeric>

#include "thalweg/core/result.hpp"
#include "thalweg/solver/request.hpp"

namespace thalweg::solver {

// What the driver needs of a job besides the problem.
struct DriverContext {
  double tol = 1e-6;
  Index max_iter = 1000;
  core::StopToken::Clock::time_point start;
  core::StopToken* stop = nullptr;
  bool keep_trace = true;
  const std::function<bool(const core::IterationInfo&)>* observer = nullptr;
  double alpha_drop = 0;
};

template <class D, class L, class Engine>
class Driver final {
 public:
  Driver(objective::Glm<D, L>& glm, Engine& engine) : glm_(glm), engine_(engine) {
    all_.resize(static_cast<std::size_t>(glm.cols()));
    std::iota(all_.begin(), all_.end(), Index{0});
  }

  // Minimises from w, whose exact evaluation `at` must be; both are at the result on return.
  void minimize(const penalty::Terms& terms, Vector& w, objective::Evaluation& at,
                const DriverContext& context, core::IterationInfo info, core::Result& result) {
    objective::Certifier<D, L> certifier(glm_, terms);
    best_.reset();
    columns_ = all_;
    result.target = certifier.kind() == core::Certificate::Kind::kkt
                        ? context.tol
                        : context.tol * glm_.tolerance_scale();
    result.certificate = certifier.certify(w, at, columns_, best_);
    double alpha_drop = context.alpha_drop;
    Progress progress;
    for (;;) {
      describe(w, result, context, info);
      if (context.keep_trace) result.trace.push_back(info);
      const bool asked = context.observer != nullptr && *context.observer && (*context.observer)(info);
      if (asked && context.stop != nullptr) context.stop->request();
      if (const auto status = finished(result, context, progress)) {
        result.status = *status;
        if (columns_.size() == all_.size()) break;
        recertify(terms, w, at, certifier, result);
        if (result.status != core::Status::converged) break;
        if (result.certificate.value <= result.target) break;
        continue;
      }
      screen(terms, w, at, result);
      const StepOutcome outcome =
          engine_.step(w, at,
                       {.terms = terms,
                        .columns = columns_,
                        .gap = result.certificate.value,
                        .target = result.target,
                        .epochs_left = context.max_iter - result.epochs,
                        .alpha_drop = alpha_drop});
      alpha_drop = 0;
      ++result.iterations;
      result.epochs += std::max<Index>(outcome.epochs, 1);
      info.step = outcome.largest_change;
      glm_.evaluate(w, terms, columns_, at);
      if (context.stop != nullptr && context.stop->poll()) {
        // The pass may have been cut short; what is returned must be certified all the same.
        glm_.ignore_stop();
        recertify(terms, w, at, certifier, result);
        continue;
      }
      result.certificate = certifier.certify(w, at, columns_, best_);
      progress.update(result, outcome.largest_change);
    }
    result.certificate.theta = best_.theta;
  }

 private:
  // Whether steps still lower the objective or the certificate.
  struct Progress {
    static constexpr int patience = 5;
    double primal = infinity;
    double value = infinity;
    int idle = 0;

    void update(const core::Result& result, double largest_change) {
      const bool better =
          result.certificate.value < value ||
          result.certificate.primal < primal - 4 * epsilon * std::fabs(primal);
      idle = better && largest_change > 0 ? 0 : idle + 1;
      value = std::min(value, result.certificate.value);
      primal = std::min(primal, result.certificate.primal);
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

  void recertify(const penalty::Terms& terms, const Vector& w, objective::Evaluation& at,
                 objective::Certifier<D, L>& certifier, core::Result& result) {
    columns_ = all_;
    best_.reset();
    glm_.evaluate(w, terms, columns_, at);
    result.certificate = certifier.certify(w, at, columns_, best_);
  }

  // Drops the columns that are zero at every optimum. Worth a later pass over all columns only if
  // many go and several passes are ahead.
  void screen(const penalty::Terms& terms, const Vector& w, const objective::Evaluation& at,
              const core::Result& result) {
    constexpr double far_from_target = 100;
    const core::Certificate& certificate = result.certificate;
    if (certificate.kind != core::Certificate::Kind::duality_gap) return;
    if (!std::isfinite(certificate.value) || best_.tau == 0) return;
    if (certificate.value <= far_from_target * result.target) return;
    kept_.clear();
    const double radius = std::sqrt(2 * certificate.value);
    for (const Index j : columns_) {
      const auto k = static_cast<std::size_t>(j);
      const penalty::Term term = terms(j);
      const double reach = radius * std::sqrt(glm_.sq_norm(j));
      const double z = best_.tau * at.correlation[k];
      const bool zero_above = term.upper <= 0 || z + reach < term.l1;
      const bool zero_below = term.lower >= 0 || -z + reach < term.l1;
      const bool zero_allowed = term.lower <= 0 && term.upper >= 0;
      if (!(zero_above && zero_below && zero_allowed && w[k] == 0)) kept_.push_back(j);
    }
    if (2 * kept_.size() <= columns_.size()) columns_.swap(kept_);
  }

  objective::Glm<D, L>& glm_;
  Engine& engine_;
  objective::BestDual best_;
  std::vector<Index> all_, columns_, kept_;
};

}  // namespace thalweg::solver
