// A smooth objective and a smooth solver as a process of the driver.
//
// The certifier says how far a point is from optimal: by the (projected) gradient for a user's
// function, by a duality gap for a generalized linear model (objective/). A provisional certificate
// comes at the price of no evaluation; a final one may cost some.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "thalweg/solver/driver.hpp"
#include "thalweg/solver/smooth.hpp"

namespace thalweg::solver {

template <class C>
concept SmoothCertifier = requires(C& certifier, const SmoothPoint& at, double tol) {
  { certifier.target(tol) } -> std::same_as<double>;
  { certifier.provisional(at) } -> std::same_as<core::Certificate>;
  { certifier.is_final_always() } -> std::same_as<bool>;
  { certifier.final(at) } -> std::same_as<core::Certificate>;
  // How many times what must be small besides the certificate is too large; at most 1 where it
  // holds.
  { certifier.excess(at) } -> std::same_as<double>;
  { certifier.diagnosis(at) } -> std::same_as<std::optional<core::Status>>;
  // How many of the variables, the first, are coefficients and not intercepts.
  { certifier.coefficients(at) } -> std::same_as<Index>;
  // Whether the gradient at the end is part of the answer.
  { C::keeps_gradient } -> std::convertible_to<bool>;
  // After a stop request, so that a last certificate can be made.
  {certifier.ignore_stop()};
};

// Of a user's function: the largest entry of the projected gradient.
class GradientCertifier final {
 public:
  static constexpr bool keeps_gradient = true;

  GradientCertifier(const Bounds& bounds, const SmoothPoint& start)
      : bounds_(bounds), highest_(start.value), reach_(reach_from(norm(start.x))) {}

  double target(double tol) const { return tol; }
  bool is_final_always() const { return true; }
  double excess(const SmoothPoint&) const { return 0; }
  // Beyond reach, where f still falls on the way out, by more than rounding.
  std::optional<core::Status> diagnosis(const SmoothPoint& at) const {
    if (at.value < highest_ && norm(at.x) >= reach_ &&
        -dot(at.gradient, at.x) > epsilon * std::fabs(at.value)) {
      return core::Status::unbounded;
    }
    return std::nullopt;
  }
  void ignore_stop() {}  // what it knows is there
  Index coefficients(const SmoothPoint& at) const { return static_cast<Index>(at.x.size()); }
  core::Certificate provisional(const SmoothPoint& at) const {
    core::Certificate certificate;
    certificate.kind = core::Certificate::Kind::kkt;
    certificate.primal = at.value;
    certificate.value = certificate.relative = projected_gradient_norm(at.x, at.gradient, bounds_);
    return certificate;
  }
  core::Certificate final(const SmoothPoint& at) const { return provisional(at); }

 private:
  const Bounds& bounds_;
  double highest_, reach_;
};

template <SmoothCertifier C>
class SmoothProcess final {
 public:
  // `at` must be evaluated, and x within the bounds.
  SmoothProcess(objective::Smooth& f, SmoothSolver& solver, SmoothPoint& at, const Bounds& bounds,
                C& certifier, const core::Execution& execution)
      : f_(f),
        solver_(solver),
        at_(at),
        bounds_(bounds),
        certifier_(certifier),
        execution_(execution) {}

  void begin(const DriverContext& context, core::Result& result) {
    tol_ = context.tol;
    result.target = certifier_.target(tol_);
    solver_.begin(f_, at_, bounds_);
    certify(result);
  }

  bool is_final() const { return is_final_; }

  bool confirm(core::Result& result) {
    core::Certificate certificate = certifier_.final(at_);
    if (stop_requested()) return false;
    result.certificate = std::move(certificate);
    is_final_ = true;
    return true;
  }

  StepOutcome step(const core::Result& so_far, Index epochs_left) {
    at_.dual = {};  // of the point before, unless the solver makes one
    return solver_.step(f_, at_,
                        {.bounds = bounds_,
                         .execution = execution_,
                         .target = so_far.target,
                         .certificate = so_far.certificate.value,
                         .left = std::max({share(so_far), core::square(excess_), 1.0}),
                         .gradient_left = std::max({gradient_share(so_far), excess_, 1.0}),
                         .epochs_left = epochs_left});
  }

  void certify(core::Result& result) {
    result.certificate = certifier_.provisional(at_);
    excess_ = certifier_.excess(at_);
    result.side_conditions_hold = excess_ <= 1;
    is_final_ = certifier_.is_final_always();
    keep();
  }

  // A step that a stop cut short leaves nothing to trust.
  bool settle(core::Result&) {
    at_.dual = {};
    at_.x = certified_.x;
    at_.value = certified_.value;
    if constexpr (C::keeps_gradient) at_.gradient = certified_.gradient;
    return false;
  }

  bool stop_requested() const { return execution_.stop_requested(); }
  void ignore_stop() {
    execution_.stop = nullptr;
    certifier_.ignore_stop();
  }

  std::optional<core::Status> diagnosis() const { return certifier_.diagnosis(at_); }

  Index support() const {
    const double* const x = at_.x.data();
    return static_cast<Index>(
        core::sum_elements(certifier_.coefficients(at_), f_.threads(), [x](Index begin, Index end) {
          return static_cast<double>(end - begin - std::count(x + begin, x + end, 0.0));
        }));
  }

  void finish(const DriverContext&, core::Result&) {}

 private:
  // Of the certificate over its target.
  static double share(const core::Result& so_far) {
    return so_far.certificate.value / std::max(so_far.target, std::numeric_limits<double>::min());
  }
  // A gap is like the square of a gradient, other certificates are like the gradient.
  static double gradient_share(const core::Result& so_far) {
    const bool is_gap = so_far.certificate.kind == core::Certificate::Kind::duality_gap;
    return is_gap ? std::sqrt(share(so_far)) : share(so_far);
  }

  // What settle() goes back to.
  void keep() {
    const auto copy = [this](const Vector& from, Vector& to) {
      to.resize(from.size());
      core::copy_elements(from.data(), length_of(from), to.data(), f_.threads());
    };
    copy(at_.x, certified_.x);
    if constexpr (C::keeps_gradient) copy(at_.gradient, certified_.gradient);
    certified_.value = at_.value;
  }

  objective::Smooth& f_;
  SmoothSolver& solver_;
  SmoothPoint& at_;
  const Bounds& bounds_;
  C& certifier_;
  core::Execution execution_;
  double tol_ = 0, excess_ = 0;
  bool is_final_ = false;
  SmoothPoint certified_;
};

}  // namespace thalweg::solver
