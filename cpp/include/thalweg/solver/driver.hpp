// The only outer loop: certify, report, decide, step.
//
// What is minimised, and by whom, is a process: a problem at a point together with the engine that
// moves it. The loop knows neither; it counts, keeps the trace, asks observers and decides when to
// end. The stop test runs before the first step.
//
// A process may certify cheaply while it is under way (on the columns that screening has left, from
// second moments, from a gradient norm). A result that is not a stop's rests on a final
// certificate, which `confirm` makes before the point is reported. After a stop there is no time
// for that: the process settles on a point that it knows already.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <functional>
#include <optional>

#include "thalweg/core/result.hpp"
#include "thalweg/core/stop.hpp"
#include "thalweg/solver/concept.hpp"

namespace thalweg::solver {

// What the driver needs of a job besides the process.
struct DriverContext {
  double tol = 1e-6;
  Index max_iter = 1000;
  core::StopToken::Clock::time_point start;
  core::StopToken* stop = nullptr;
  bool keep_trace = true;
  bool keep_theta = false;
  const std::function<bool(const core::IterationInfo&)>* observer = nullptr;
};

template <class P>
concept Process = requires(P& process, const DriverContext& context, core::Result& result,
                           const core::Result& so_far) {
  // Certifies the start and sets the target.
  {process.begin(context, result)};
  // Whether the certificate may be returned; makes it so, false where a stop came first.
  { process.is_final() } -> std::same_as<bool>;
  { process.confirm(result) } -> std::same_as<bool>;
  // Moves the point, `epochs_left` passes over the data at most, and evaluates it.
  { process.step(so_far, Index{}) } -> std::same_as<StepOutcome>;
  {process.certify(result)};
  // A stop came during a step: true where the point that it left is kept, false where the last
  // certified one is.
  { process.settle(result) } -> std::same_as<bool>;
  { process.stop_requested() } -> std::same_as<bool>;
  {process.ignore_stop()};
  // What is known of the problem at the point, such as that it has no minimum; ends the solve.
  { process.diagnosis() } -> std::same_as<std::optional<core::Status>>;
  // Of the point: how many coordinates are not zero.
  { process.support() } -> std::same_as<Index>;
  // The last changes to what is returned.
  {process.finish(context, result)};
};

namespace detail {

// Whether steps still lower the objective or the certificate by more than rounding does, or get
// shorter, since they last did.
//
// Where a large constant drowns what is left of the objective, only the certificate tells, and that
// of a first-order method rests and rises for as long as the conditioning asks, which is what all
// the steps before took as well. So patience grows with them: as many idle steps as half of all.
class Progress final {
 public:
  void update(const core::Result& result, double largest_change) {
    const core::Certificate& now = result.certificate;
    const double rounding = 16 * epsilon * std::fabs(now.primal);
    const bool better = now.value < std::max(0.99 * value_, value_ - rounding) ||
                        now.primal < primal_ - rounding || largest_change < 0.99 * change_;
    if (better) {
      value_ = std::min(value_, now.value);
      primal_ = std::min(primal_, now.primal);
      change_ = std::min(change_, largest_change);
    }
    idle_ = better && largest_change > 0 ? 0 : idle_ + 1;
    ++steps_;
  }
  bool has_stalled() const { return idle_ >= std::max(patience, steps_ / 2); }

 private:
  static constexpr Index patience = 30;
  double primal_ = infinity;
  double value_ = infinity;
  double change_ = infinity;
  Index idle_ = 0, steps_ = 0;
};

inline bool is_stop(core::Status status) {
  return status == core::Status::stopped || status == core::Status::time_limit;
}
inline core::Status stop_status(const DriverContext& context) {
  return context.stop->expired() ? core::Status::time_limit : core::Status::stopped;
}

// The status that ends the loop, if one does; `failure` is that of the last step.
template <class P>
std::optional<core::Status> finished(const P& process, const core::Result& result,
                                     const DriverContext& context, const Progress& progress,
                                     std::optional<core::Status> failure) {
  if (!std::isfinite(result.certificate.primal)) {
    return result.certificate.primal == -infinity ? core::Status::unbounded
                                                  : core::Status::non_finite;
  }
  if (const std::optional<core::Status> diagnosis = process.diagnosis()) return diagnosis;
  if (result.certificate.value <= result.target && result.side_conditions_hold) {
    return core::Status::converged;
  }
  if (context.stop != nullptr && context.stop->poll()) return stop_status(context);
  if (failure) return failure;
  if (result.epochs >= context.max_iter) return core::Status::max_iter;
  if (progress.has_stalled()) return core::Status::stalled;
  return std::nullopt;
}

inline bool observer_stops(const DriverContext& context, const core::IterationInfo& info) {
  if (context.observer == nullptr || !*context.observer || !(*context.observer)(info)) return false;
  if (context.stop != nullptr) context.stop->request();
  return context.stop != nullptr;
}

template <class P>
void describe(const P& process, const core::Result& result, const DriverContext& context,
              core::IterationInfo& info) {
  info.iteration = result.iterations;
  info.epochs = result.epochs;
  info.time = std::chrono::duration<double>(core::StopToken::Clock::now() - context.start).count();
  info.objective = result.certificate.primal;
  info.certificate = result.certificate.value;
  info.support = process.support();
}

inline void count(const StepOutcome& outcome, core::IterationInfo& info, core::Result& result) {
  ++result.iterations;
  result.epochs += std::max<Index>(outcome.epochs, 1);
  info.step = outcome.largest_change;
}

}  // namespace detail

// Runs the process until a stop criterion holds. `info` names the task.
template <Process P>
void drive(P& process, const DriverContext& context, core::IterationInfo info,
           core::Result& result) {
  process.begin(context, result);
  detail::Progress progress;
  std::optional<core::Status> failure;
  for (;;) {
    std::optional<core::Status> status =
        detail::finished(process, result, context, progress, failure);
    if (status && !detail::is_stop(*status) && !process.is_final()) {
      status = process.confirm(result)
                   ? detail::finished(process, result, context, progress, failure)
                   : detail::stop_status(context);
    }
    detail::describe(process, result, context, info);
    if (context.keep_trace) result.trace.push_back(info);
    if (detail::observer_stops(context, info) && !status) {
      status = detail::stop_status(context);
      // Nobody waits at the keyboard: the point gets its final certificate.
      process.ignore_stop();
      if (!process.is_final()) process.confirm(result);
    }
    if (status) {
      result.status = *status;
      break;
    }
    const StepOutcome outcome = process.step(result, context.max_iter - result.epochs);
    if (process.stop_requested()) {
      result.status = detail::stop_status(context);
      if (process.settle(result)) {
        detail::count(outcome, info, result);
        if (context.keep_trace) result.trace.push_back(info);
      }
      break;
    }
    detail::count(outcome, info, result);
    process.certify(result);
    progress.update(result, outcome.largest_change);
    failure = outcome.failure;
  }
  process.finish(context, result);
  detail::describe(process, result, context, info);
  if (context.keep_trace) result.trace.back() = info;
}

}  // namespace thalweg::solver
