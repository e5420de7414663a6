// The line search of More & Thuente: a strong Wolfe step in few trials.
//
//   phi(t) <= phi(0) + decrease t phi'(0),   |phi'(t)| <= curvature |phi'(0)|
//
// Keeps an interval with the best step l at one end such that phi (at first the modified function
// psi(t) = phi(t) - phi(0) - decrease t phi'(0)) falls from l into it; the next trial is chosen
// from the minimisers of a cubic and of parabolas in four cases. Until there is such an interval,
// trials grow. The choice for quasi-Newton methods, whose first trial is usually accepted.
//
// Cost: one value and slope a trial. Reference: More & Thuente 1994, sections 2 to 4.
#pragma once

#include <array>
#include <cmath>

#include "thalweg/line_search/interpolation.hpp"
#include "thalweg/line_search/trials.hpp"

namespace thalweg::line_search {

struct MoreThuente final {
  static Found search(objective::Line& phi, const objective::LinePoint& start,
                      const Options& options) {
    if (!(start.slope < 0)) return not_a_descent_direction(start);
    Trials trials(phi, start, options);
    const double sufficient = options.decrease * start.slope;
    Interval interval{.best = start, .other = start, .margin = margin(start, options)};
    bool use_psi = true;
    double step = std::min(options.first_step, options.largest_step);
    objective::LinePoint at;
    while (trials.any_left()) {
      if (!trials.run(step, interval.best.step, at)) return trials.failure();
      if (is_strong_wolfe(start, at, options) || is_wolfe_by_slopes(start, at, options)) {
        return trials.success(at);
      }
      if (trials.falls_for_ever(at)) return trials.unbounded();
      const double psi = at.value - start.value - sufficient * at.step;
      if (psi <= 0 && at.slope >= 0) use_psi = false;
      if (use_psi && psi > 0 && at.value <= interval.best.value) {
        // psi's own values would only shift all by phi(0).
        interval.tilt(-sufficient);
        step = interval.next(tilted(at, -sufficient), options.largest_step);
        interval.tilt(sufficient);
      } else {
        step = interval.next(at, options.largest_step);
      }
      if (interval.has_collapsed()) return trials.failure();
    }
    return trials.failure();
  }

  static constexpr std::array<core::Flag, 3> flags{
      {{"needs_slopes", true}, {"wolfe", true}, {"strong_wolfe", true}}};
  static constexpr core::Info info{
      .name = "more_thuente",
      .summary = "Strong Wolfe steps by safeguarded cubic interpolation, with a modified function.",
      .formula = "phi(t) <= phi(0) + decrease t phi'(0), |phi'(t)| <= curvature |phi'(0)|",
      .reference = "More & Thuente 1994, ACM TOMS 20(3), sections 2 to 4",
      .parameters = {},
      .flags = flags,
      .requires_ = {}};

 private:
  static objective::LinePoint tilted(objective::LinePoint at, double slope) {
    at.value += slope * at.step;
    at.slope += slope;
    return at;
  }

  struct Interval {
    objective::LinePoint best, other;
    double margin = 0;
    bool is_bracket = false;
    double width = infinity, width_before = infinity;

    // Adds slope * t to phi.
    void tilt(double slope) {
      best = tilted(best, slope);
      other = tilted(other, slope);
    }

    bool has_collapsed() const {
      return is_bracket &&
             std::fabs(other.step - best.step) <= 2 * epsilon * std::max(best.step, other.step);
    }

    // Takes the trial in (the updating algorithm of section 2) and chooses the next one (section
    // 4).
    double next(const objective::LinePoint& at, double largest_step) {
      const bool was_bracket = is_bracket;
      const objective::LinePoint l = best, u = other;
      const bool is_higher = at.value > l.value + margin;
      const bool turns = at.slope * (at.step - l.step) > 0;
      if (is_higher) {
        other = at;
      } else {
        if (turns) other = l;
        best = at;
      }
      is_bracket = was_bracket || is_higher || turns;
      if (!is_bracket) return extrapolate(l, at, largest_step);
      double step = is_higher ? below(l, at) : turns ? between(l, at) : beyond(l, u, at);
      return shrink(step);
    }

   private:
    // Case 1: the cubic's minimiser where it is closer to l than the parabola's, else the middle.
    static double below(const objective::LinePoint& l, const objective::LinePoint& at) {
      const double cubic = cubic_minimizer(l, at), quadratic = quadratic_minimizer(l, at);
      return std::fabs(cubic - l.step) < std::fabs(quadratic - l.step) ? cubic
                                                                       : 0.5 * (cubic + quadratic);
    }
    // Case 2: the one that is farther from the trial.
    static double between(const objective::LinePoint& l, const objective::LinePoint& at) {
      const double cubic = cubic_minimizer(l, at), secant = secant_minimizer(l, at);
      return std::fabs(cubic - at.step) >= std::fabs(secant - at.step) ? cubic : secant;
    }
    // Case 3, slopes get flatter: the one that is closer to the trial, short of u. Case 4: the
    // minimiser of the cubic between the trial and u.
    static double beyond(const objective::LinePoint& l, const objective::LinePoint& u,
                         const objective::LinePoint& at) {
      if (std::fabs(at.slope) > std::fabs(l.slope)) return cubic_minimizer(u, at);
      const double direction = at.step - l.step;
      const double cubic = cubic_minimizer(l, at), secant = secant_minimizer(l, at);
      const bool cubic_is_beyond = (cubic - at.step) * direction > 0;
      const double step =
          cubic_is_beyond && std::fabs(cubic - at.step) < std::fabs(secant - at.step) ? cubic
                                                                                      : secant;
      const double limit = at.step + 0.66 * (u.step - at.step);
      return direction > 0 ? std::min(step, limit) : std::max(step, limit);
    }

    // Within the interval; its middle where two trials have not made it a third smaller.
    double shrink(double step) {
      const double now = std::fabs(other.step - best.step);
      const bool is_slow = now > 0.66 * width_before;
      width_before = width;
      width = now;
      const double middle = 0.5 * (best.step + other.step);
      if (is_slow || !std::isfinite(step)) return middle;
      return core::clip(step, std::min(best.step, other.step), std::max(best.step, other.step));
    }
  };
};

static_assert(LineSearch<MoreThuente>);

}  // namespace thalweg::line_search
