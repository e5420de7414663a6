// A face of a separable penalty: coordinates that keep their side of zero and stay within limits.
//
// On it every term is a smooth quadratic, so a Newton step is one linear system. A step that would
// leave is clipped, coordinate by coordinate, or cut at the first end: active_set.hpp and
// face_cg.hpp decide which, by whether the model decreases.
#pragma once

#include <algorithm>

#include "thalweg/core/numerics.hpp"
#include "thalweg/core/types.hpp"
#include "thalweg/penalty/separable.hpp"

namespace thalweg::solver {

// One coordinate's part of a face.
struct Ends {
  double slope;  // l1 times the sign of the face
  double lower, upper;

  static Ends of(double side, const penalty::Term& term) {
    Ends ends{side < 0 ? -term.l1 : term.l1, term.lower, term.upper};
    if (term.l1 > 0) {
      if (side < 0) ends.upper = std::min(ends.upper, 0.0);
      else ends.lower = std::max(ends.lower, 0.0);
    }
    return ends;
  }

  bool holds(double value) const { return value >= lower && value <= upper; }
  double clip(double value) const { return core::clip(value, lower, upper); }
  // How many times `step` w may move before its end.
  double room(double w, double step) const {
    if (step > 0) return std::max(0.0, (upper - w) / step);
    if (step < 0) return std::max(0.0, (lower - w) / step);
    return infinity;
  }
};

struct ClippedStep {
  bool crosses = false;  // some coordinate ends before the step does
  double first = 1.0;    // the fraction of the step at which the first one ends
};

// delta = clip(w + step) - w. `ends(i)` and `value(i)` are those of the i-th coordinate of the
// step.
template <class EndsAt, class ValueAt>
ClippedStep clip_step(const Vector& step, EndsAt&& ends, ValueAt&& value, Vector& delta) {
  ClippedStep clipped;
  delta.resize(step.size());
  for (std::size_t i = 0; i < step.size(); ++i) {
    const Ends& end = ends(i);
    const double from = value(i);
    const double target = from + step[i];
    delta[i] = end.clip(target) - from;
    if (end.holds(target)) continue;
    clipped.crosses = true;
    clipped.first = std::min(clipped.first, end.room(from, step[i]));
  }
  return clipped;
}

}  // namespace thalweg::solver
