// Limited-memory BFGS with bounds.
//
//   min f(x)  subject to  lower <= x <= upper
//
// A step finds the generalised Cauchy point of the quadratic model (cauchy_point.hpp), which says
// which variables are at bounds; minimises the model over the others, projects the result onto the
// bounds (where that is no descent direction, it is cut at the first bound instead), and searches
// along the segment to it for a Wolfe point. Without bounds the minimiser is that of L-BFGS, and
// the two-loop recursion finds it.
//
// For: functions with gradients, any number of variables. Where a product with the Hessian is cheap
// and f ill-conditioned, trust_ncg needs fewer passes.
//
// Cost: one to two gradients a step, and about 8 memory n operations; memory^2 times the number of
// variables at bounds. References: Byrd, Lu, Nocedal & Zhu 1995, section 5.1 (direct primal
// method); Morales & Nocedal 2011 (projection, instead of the first paper's truncation).
#pragma once

#include <array>
#include <cmath>

#include "thalweg/line_search/more_thuente.hpp"
#include "thalweg/solver/box.hpp"
#include "thalweg/solver/cauchy_point.hpp"
#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/line_step.hpp"

namespace thalweg::solver {

class LBfgsBSolver final : public SmoothSolver {
 public:
  explicit LBfgsBSolver(Index memory) : memory_(memory) {}

  void begin(objective::Smooth&, const SmoothPoint& at, const Bounds&) override {
    const auto n = at.x.size();
    matrix_.begin(static_cast<Index>(n), memory_);
    cauchy_.begin(static_cast<Index>(n), memory_);
    reduced_.reserve(memory_);
    small_.assign(static_cast<std::size_t>(2 * memory_), 0.0);
    residual_.resize(n);
    target_.resize(n);
    direction_.resize(n);
    before_ = at;
  }

  StepOutcome step(objective::Smooth& f, SmoothPoint& at, const SmoothContext& context) override {
    line_search::Found found;
    for (;;) {
      if (find_direction(at, context.bounds)) {
        found = search(f, at, context.bounds);
        if (found.outcome == line_search::Outcome::unbounded) {
          return {.failure = core::Status::unbounded};
        }
        // After a failure any lower point will do.
        if (found.success() || found.at.step > 0) break;
      }
      // What the pairs know of the curvature is no longer true: without them the direction is that
      // of steepest descent.
      if (matrix_.count() == 0) return {.failure = failure_of(found.outcome)};
      matrix_.clear();
    }
    StepOutcome outcome{.epochs = 1};
    outcome.largest_change = move_along(f, found.at.step, at, before_);
    matrix_.update(at.x, before_.x, at.gradient, before_.gradient, found.at.step * slope_);
    return outcome;
  }

  std::string reason() const override {
    return "limited-memory BFGS with bounds, " + std::to_string(memory_) + " pairs";
  }
  std::string_view ran() const override { return "l_bfgs_b"; }
  Index matrix_bytes() const override { return matrix_.bytes(); }
  std::optional<InverseHessian> take_inverse_hessian() override { return matrix_.take(); }

 private:
  // False where there is none of descent.
  bool find_direction(const SmoothPoint& at, const Bounds& bounds) {
    if (!bounds.any()) {
      for (std::size_t j = 0; j < direction_.size(); ++j) direction_[j] = -at.gradient[j];
      matrix_.multiply_inverse(direction_);
    } else if (!aim_within(at, bounds)) {
      return false;
    }
    slope_ = dot(at.gradient, direction_);
    return slope_ < 0;
  }

  bool aim_within(const SmoothPoint& at, const Bounds& bounds) {
    if (!matrix_.factorize_middle()) return false;
    cauchy_.find(at, bounds, matrix_);
    target_ = cauchy_.point();
    if (matrix_.count() == 0) stretch(at, bounds);
    if (matrix_.count() > 0 && !cauchy_.free().empty()) {
      if (!minimize_subspace(at)) return false;
      project(at, bounds);
    }
    aim(at.x, target_, bounds, direction_);
    return true;
  }

  // How long a gradient is says nothing of where the minimum is: a target that rounds to the point
  // is moved away from it.
  void stretch(const SmoothPoint& at, const Bounds& bounds) {
    const double step = std::sqrt(epsilon) * norm(at.x) / norm(at.gradient);
    if (!(step > 1 && step < infinity)) return;
    for (std::size_t j = 0; j < target_.size(); ++j)
      target_[j] = bounds.clip(static_cast<Index>(j), at.x[j] - step * at.gradient[j]);
  }

  // direction_ <- the minimiser of the model over the free variables, less the Cauchy point:
  //   -r / theta - W_F v / theta^2,   (M^-1 - W_F'W_F / theta) v = W_F' r,
  // where r is the gradient of the model at the Cauchy point, on the free variables.
  bool minimize_subspace(const SmoothPoint& at) {
    if (!matrix_.factorize_free(cauchy_.free(), cauchy_.fixed(), reduced_)) return false;
    const double theta = matrix_.theta();
    const Vector& from = cauchy_.point();
    for (std::size_t j = 0; j < from.size(); ++j)
      residual_[j] = at.gradient[j] + theta * (from[j] - at.x[j]);
    small_ = cauchy_.shift();
    matrix_.multiply_middle(small_.data());
    matrix_.multiply_add(-1.0, small_.data(), residual_);
    for (const Index j : cauchy_.fixed()) residual_[static_cast<std::size_t>(j)] = 0;
    matrix_.transpose_multiply(residual_, small_.data());
    reduced_.solve(small_.data());
    for (std::size_t j = 0; j < from.size(); ++j) direction_[j] = -residual_[j] / theta;
    matrix_.multiply_add(-1.0 / (theta * theta), small_.data(), direction_);
    for (const Index j : cauchy_.fixed()) direction_[static_cast<std::size_t>(j)] = 0;
    return true;
  }

  // target_ <- P(Cauchy point + direction_), or the point where the segment leaves the bounds.
  void project(const SmoothPoint& at, const Bounds& bounds) {
    const Vector& from = cauchy_.point();
    double slope = 0;
    for (std::size_t j = 0; j < from.size(); ++j) {
      target_[j] = bounds.clip(static_cast<Index>(j), from[j] + direction_[j]);
      slope += at.gradient[j] * (target_[j] - at.x[j]);
    }
    if (slope < 0) return;
    const double share = std::min(1.0, room(from, bounds));
    for (std::size_t j = 0; j < from.size(); ++j)
      target_[j] = bounds.clip(static_cast<Index>(j), from[j] + share * direction_[j]);
  }

  // The largest multiple of direction_ that stays within the bounds.
  double room(const Vector& from, const Bounds& bounds) const {
    double share = infinity;
    for (const Index j : cauchy_.free()) {
      const double d = direction_[static_cast<std::size_t>(j)];
      const double bound = d < 0 ? bounds.lower_at(j) : bounds.upper_at(j);
      if (d != 0) share = std::min(share, (bound - from[static_cast<std::size_t>(j)]) / d);
    }
    return share;
  }

  line_search::Found search(objective::Smooth& f, const SmoothPoint& at, const Bounds& bounds) {
    const double length = norm(direction_);
    const objective::LinePoint start = f.line_start(at.value, slope_);
    const double room = room_along(at.x, direction_, bounds);
    // A bound that is off by rounding only, of the point or of the way to it: values do not tell,
    // and the target is right unless they say that it is wrong, or nothing is known of it.
    const bool is_known = matrix_.count() > 0 || room <= 1;
    const bool is_lost = bounds.any() && -slope_ <= 4 * epsilon * std::fabs(at.value);
    if (is_known && (is_lost || length <= 4 * epsilon * norm(at.x))) {
      f.begin_line(direction_.data());
      const objective::LinePoint target = f.along(1.0);
      if (target.value <= at.value + line_search::margin(start) && std::isfinite(target.slope))
        return {.outcome = line_search::Outcome::success, .at = target, .trials = 1};
    }
    const double first = matrix_.count() > 0 ? 1.0 : first_trial(at.value, slope_, length);
    // A function that falls for so long has no minimum within reach. x stays finite.
    const double reach = std::min(1e20 * std::max(1.0, norm(at.x)), 1e300) / length;
    f.begin_line(direction_.data());
    line_search::Found found = line_search::MoreThuente::search(
        f, start, {.first_step = first, .largest_step = std::min(room, reach), .decrease = 1e-3});
    // At a bound f may still fall.
    if (found.outcome == line_search::Outcome::unbounded && found.at.value > -infinity &&
        room < reach) {
      found.outcome =
          found.at.step >= room ? line_search::Outcome::success : line_search::Outcome::no_decrease;
    }
    return found;
  }

  Index memory_;
  CompactBfgs matrix_;
  CauchyPoint cauchy_;
  QuasiDefinite reduced_;
  Vector small_, residual_, target_, direction_;
  double slope_ = 0;
  SmoothPoint before_;
};

struct LBfgsB final {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions& options) {
    return std::make_unique<LBfgsBSolver>(static_cast<Index>(options.parameters[0]));
  }

  static constexpr std::array<core::Parameter, 1> parameters{
      {{"memory", 10, "int [1, inf)", "Pairs of steps and changes of the gradient to keep."}}};
  static constexpr auto flags =
      flags_of({.handles_bounds = true, .handles_nonconvex = true, .superlinear = true});
  static constexpr std::array<std::string_view, 2> needs{{"smooth", "smooth_penalty"}};
  static constexpr core::Info info{
      .name = "l_bfgs_b",
      .summary = "Limited-memory BFGS with bounds.",
      .formula = "x <- x + t (P(x_c - (Z'BZ)^-1 Z'r) - x)",
      .reference = "Byrd, Lu, Nocedal & Zhu 1995; Morales & Nocedal 2011",
      .parameters = parameters,
      .flags = flags,
      .requires_ = needs};
};

static_assert(SmoothEntry<LBfgsB>);

}  // namespace thalweg::solver
