// A step along a direction by a line search, and the pair
//
//   s = x+ - x,   y = grad f(x+) - grad f(x)
//
// that quasi-Newton, conjugate gradient and Barzilai-Borwein methods learn from.
#pragma once

#include "thalweg/solver/line_step.hpp"

namespace thalweg::solver {

// The products of a pair.
struct Pair {
  double ss = 0, sy = 0, yy = 0;

  // Curvature along s that is positive by more than rounding, so that an update by the pair stays
  // positive definite. By the cosine between s and y, which no unit of x or f changes.
  bool is_curved() const {
    return sy > epsilon * std::sqrt(ss) * std::sqrt(yy) && yy < infinity && std::isfinite(ss / sy);
  }
};

class SearchStep final {
 public:
  SearchStep(line_search::Search search, const line_search::Options& options)
      : search_(search), options_(options) {}

  // Moves the point along the line's direction; true if it moved. After a failure of the search
  // that is still to a lower point, where there is one. first_step() may try f's line. Methods that
  // are not monotone pass what decreases are `from`, a value that is not below at.value.
  template <class F>
  bool run(LineStep& line, objective::Smooth& f, SmoothPoint& at, double from, F&& first_step,
           Vector& s, Vector& y) {
    f.begin_line(line.direction().data());
    options_.first_step = first_step();
    options_.largest_step = line.largest_step(at);
    found_ = search_(f, f.line_start(from, line.slope()), options_);
    if (found_.outcome == line_search::Outcome::unbounded) return false;
    if (!found_.success() && !(found_.at.value < at.value)) return false;
    const int threads = f.threads();
    s.resize(at.x.size());
    y.resize(at.x.size());
    core::copy_elements(at.x.data(), length_of(s), s.data(), threads);
    core::copy_elements(at.gradient.data(), length_of(y), y.data(), threads);
    outcome_ = line.finish(f, at, found_.at.step);
    core::for_elements(length_of(s), threads, [&](Index begin, Index end) {
      subtract_from(at.x.data() + begin, end - begin, s.data() + begin);
      subtract_from(at.gradient.data() + begin, end - begin, y.data() + begin);
    });
    pair_ = {.ss = dot(s, s, threads), .sy = dot(s, y, threads), .yy = dot(y, y, threads)};
    return true;
  }

  const line_search::Found& found() const { return found_; }
  bool is_unbounded() const { return found_.outcome == line_search::Outcome::unbounded; }
  const Pair& pair() const { return pair_; }
  // What the driver is told of a run that moved the point.
  const StepOutcome& outcome() const { return outcome_; }

 private:
  // v <- x - v
  static void subtract_from(const double* x, Index n, double* v) {
    for (Index j = 0; j < n; ++j) v[j] = x[j] - v[j];
  }

  line_search::Search search_;
  line_search::Options options_;
  line_search::Found found_;
  Pair pair_;
  StepOutcome outcome_;
};

}  // namespace thalweg::solver
