// The line search of Hager & Zhang: a Wolfe step, or an approximate Wolfe step whose slopes stand
// for its decrease.
//
//   (2 decrease - 1) phi'(0) >= phi'(t) >= curvature phi'(0),   phi(t) <= phi(0) + doubt |phi(0)|
//
// Keeps an interval [a, b] with phi'(a) < 0 <= phi'(b) and phi(a) no higher than that. Secant steps
// from both ends shrink it, to the full accuracy of slopes, where values have half the digits. For
// conjugate gradients, which want accurate steps.
//
// Cost: one value and slope a trial. Reference: Hager & Zhang 2005, SIAM J. Optim. 16(1),
// section 4.
#pragma once

#include <array>
#include <cmath>

#include "thalweg/line_search/interpolation.hpp"
#include "thalweg/line_search/trials.hpp"

namespace thalweg::line_search {

struct HagerZhang final {
  static Found search(objective::Line& phi, const objective::LinePoint& start,
                      const Options& options) {
    if (!(start.slope < 0)) return not_a_descent_direction(start);
    Run run(phi, start, options);
    if (run.bracket()) return run.found();
    while (!run.shrink()) {
    }
    return run.found();
  }

  static constexpr std::array<core::Flag, 3> flags{
      {{"needs_slopes", true}, {"wolfe", true}, {"strong_wolfe", false}}};
  static constexpr core::Info info{
      .name = "hager_zhang",
      .summary = "Wolfe or approximate Wolfe steps by secants, to the accuracy of slopes.",
      .formula = "(2 decrease - 1) phi'(0) >= phi'(t) >= curvature phi'(0)",
      .reference = "Hager & Zhang 2005, SIAM J. Optim. 16(1), section 4",
      .parameters = {},
      .flags = flags,
      .requires_ = {}};

 private:
  static constexpr double theta = 0.5;   // where U3 divides an interval
  static constexpr double gamma = 0.66;  // by how much the secants must shrink it
  static constexpr double rho = 5.0;     // growth of steps while there is no interval

  // Steps of the algorithm return true where the search has ended.
  class Run final {
   public:
    Run(objective::Line& phi, const objective::LinePoint& start, const Options& options)
        : start_(start),
          options_(options),
          trials_(phi, start, options),
          // Differs from the paper, where it is 1e-6 |phi(0)|: values hardly ever rise.
          ceiling_(start.value + margin(start, options)),
          a_(start) {}

    const Found& found() const { return found_; }

    // B1 to B3. Differs from B2: the interval begins at the last step that was low, not at zero.
    bool bracket() {
      double step = std::min(options_.first_step, options_.largest_step);
      for (;;) {
        if (try_at(step, b_)) return true;
        if (b_.slope >= 0) return false;
        if (b_.value > ceiling_) return bisect();
        if (trials_.falls_for_ever(b_)) {
          found_ = trials_.unbounded();
          return true;
        }
        step = std::min(rho * b_.step, options_.largest_step);
        a_ = b_;
      }
    }

    // L1 and L2.
    bool shrink() {
      if (is_closed()) return fail();
      const double width = b_.step - a_.step;
      if (secant_twice()) return true;
      return b_.step - a_.step > gamma * width && update(0.5 * (a_.step + b_.step));
    }

   private:
    // Whether nothing is left between the ends. Of steps below the smallest normal number their
    // relative distance does not tell.
    bool is_closed() const {
      const double middle = 0.5 * (a_.step + b_.step);
      const bool is_inside = a_.step < middle && middle < b_.step;
      return !is_inside || b_.step - a_.step <= 2 * epsilon * b_.step;
    }

    bool fail() {
      found_ = trials_.failure();
      return true;
    }

    bool try_at(double step, objective::LinePoint& at) {
      if (!trials_.run(step, a_.step, at)) return fail();
      if (!is_wolfe(start_, at, options_) && !is_approximate_wolfe(start_, at, options_)) {
        return false;
      }
      found_ = trials_.success(at);
      return true;
    }

    // U0 to U2; c outside the interval (or not a number) leaves it.
    bool update(double c) {
      if (!(a_.step < c && c < b_.step)) return false;
      objective::LinePoint at;
      if (try_at(c, at)) return true;
      if (at.slope < 0 && at.value <= ceiling_) {
        a_ = at;
        return false;
      }
      b_ = at;
      return b_.slope < 0 && bisect();
    }

    // U3: phi'(b) < 0 but phi(b) is high; somewhere before b it turns.
    bool bisect() {
      objective::LinePoint at;
      while (b_.slope < 0) {
        if (is_closed()) return fail();
        if (try_at((1 - theta) * a_.step + theta * b_.step, at)) return true;
        (at.slope < 0 && at.value <= ceiling_ ? a_ : b_) = at;
      }
      return false;
    }

    // S1 to S4.
    bool secant_twice() {
      const objective::LinePoint a = a_, b = b_;
      const double c = secant_minimizer(a, b);
      if (update(c)) return true;
      if (b_.step != b.step && c == b_.step) return update(secant_minimizer(b, b_));
      if (a_.step != a.step && c == a_.step) return update(secant_minimizer(a, a_));
      return false;
    }

    const objective::LinePoint& start_;
    const Options& options_;
    Trials trials_;
    double ceiling_;
    objective::LinePoint a_, b_;
    Found found_;
  };
};

static_assert(LineSearch<HagerZhang>);

}  // namespace thalweg::line_search
