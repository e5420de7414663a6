// Limited-memory BFGS.
//
//   x+ = x - t H grad f(x),   H from the last m pairs s = x+ - x, y = grad f(x+) - grad f(x)
//
// H is applied by the two-loop recursion, from a multiple of the identity, or of the inverse of the
// Hessian's diagonal where the objective knows that, which makes badly scaled linear models easy
// (initial_metric.hpp).
//
// Cost: 4 m n, one gradient in most steps. Stores (2 m + 6) n. The method for many variables where
// there are no products with the Hessian; for some hundred, bfgs needs fewer gradients, and
// Newton's method far fewer. References: Liu & Nocedal 1989, algorithm 2.1; Nocedal & Wright 2006,
// algorithms 7.4 and 7.5.
#pragma once

#include <array>

#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/quasi_newton.hpp"

namespace thalweg::solver {

// The inverse Hessian as pairs.
class LimitedMemory final {
 public:
  explicit LimitedMemory(std::size_t capacity) : pairs_(capacity), alpha_(capacity) {}

  // Pairs get their memory when they are first written.
  void begin(objective::Smooth& f) {
    threads_ = f.threads();
    initial_.begin(f);
    clear();
  }
  void clear() { count_ = 0; }
  // Whether nothing is known of the Hessian.
  bool is_plain() const { return count_ == 0 && !initial_.has_diagonal(); }

  // A vector is subtracted and the next product taken in one pass over v.
  void multiply(Vector& v) {
    if (count_ == 0) return initial_.multiply(v);
    double product = dot(newest(1).s, v, threads_);
    for (std::size_t back = 1; back <= count_; ++back) {
      const Entry& entry = newest(back);
      double& alpha = alpha_[back - 1];
      alpha = entry.rho * product;
      if (back < count_) product = axpy_dot(-alpha, entry.y, v, newest(back + 1).s, threads_);
      else axpy(-alpha, entry.y, v, threads_);
    }
    initial_.multiply(v);
    product = dot(newest(count_).y, v, threads_);
    for (std::size_t back = count_; back > 0; --back) {
      const Entry& entry = newest(back);
      const double beta = alpha_[back - 1] - entry.rho * product;
      if (back > 1) product = axpy_dot(beta, entry.s, v, newest(back - 1).y, threads_);
      else axpy(beta, entry.s, v, threads_);
    }
  }

  Vector& next_s() { return pairs_[next_].s; }
  Vector& next_y() { return pairs_[next_].y; }
  void learn(const Pair& pair) {
    Entry& entry = pairs_[next_];
    entry.rho = 1 / pair.sy;
    initial_.rescale(pair, entry.y);
    next_ = (next_ + 1) % pairs_.size();
    count_ = std::min(count_ + 1, pairs_.size());
  }

  Index bytes() const { return 0; }
  InverseHessian take() {
    InverseHessian out;
    for (std::size_t back = count_; back > 0; --back) {
      Entry& entry = pairs_[slot(back)];
      out.steps.push_back(std::move(entry.s));
      out.changes.push_back(std::move(entry.y));
    }
    clear();
    return out;
  }

 private:
  struct Entry {
    Vector s, y;
    double rho = 0;
  };
  std::size_t slot(std::size_t back) const {
    return (next_ + pairs_.size() - back) % pairs_.size();
  }
  const Entry& newest(std::size_t back) const { return pairs_[slot(back)]; }

  std::vector<Entry> pairs_;
  Vector alpha_;
  InitialMetric initial_;
  std::size_t next_ = 0, count_ = 0;
  int threads_ = 1;
};

struct LBfgs final {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions& options) {
    return std::make_unique<QuasiNewtonSolver<LimitedMemory>>(
        info, LimitedMemory(static_cast<std::size_t>(options.parameters[0])),
        line_search::searches[static_cast<std::size_t>(options.parameters[1])]);
  }

  static constexpr std::array<core::Parameter, 2> parameters{
      {{"memory", 10, "int [1, inf)",
        "How many pairs of steps and changes of the gradient are kept."},
       {"line_search", line_search::choice("more_thuente"), line_search::choices,
        "How a step is found."}}};
  static constexpr auto flags = flags_of({.handles_nonconvex = true, .superlinear = true});
  static constexpr std::array<std::string_view, 2> needs{{"smooth", "smooth_penalty"}};
  static constexpr core::Info info{
      .name = "l_bfgs",
      .summary = "Limited-memory BFGS: curvature from the last few changes of the gradient.",
      .formula = "x <- x - t H grad f(x), H from the last m pairs (s, y)",
      .reference = "Liu & Nocedal 1989; Nocedal & Wright 2006, algorithms 7.4 and 7.5",
      .parameters = parameters,
      .flags = flags,
      .requires_ = needs};
};

static_assert(SmoothEntry<LBfgs>);

}  // namespace thalweg::solver
