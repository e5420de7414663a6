// Limited-memory BFGS.
//
//   x+ = x - t H grad f(x),   H from the last m pairs s = x+ - x, y = grad f(x+) - grad f(x)
//
// H is applied by the two-loop recursion, from a multiple of the identity, or of the inverse of the
// Hessian's diagonal where the objective knows that, which makes badly scaled linear models easy
// (initial_metric.hpp).
//
// Cost: 4 m n, one gradient in most steps. Stores 2 m + 4 vectors, of many variables as much as
// m + 4 of them take. The method for many variables where there are no products with the Hessian;
// for some hundred, bfgs needs fewer gradients, and Newton's method far fewer. References: Liu &
// Nocedal 1989, algorithm 2.1; Nocedal & Wright 2006, algorithms 7.4 and 7.5.
#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/quasi_newton.hpp"

namespace thalweg::solver {

// The last pairs, and the two-loop recursion over them, which applies
//
//   H = (I - rho s y') ... H0 ... (I - rho y s') + ... + rho s s',   rho = 1 / s'y
//
// Real: of what s and y are kept as. Rounded, they still make a symmetric and positive definite H.
template <class Real>
class Pairs final {
 public:
  explicit Pairs(std::size_t capacity) : entries_(capacity), alpha_(capacity) {}

  void clear() { count_ = 0; }
  bool empty() const { return count_ == 0; }

  // A pair gets its memory when it is first written.
  void push(Vector& s, Vector& y, double sy, int threads) {
    Entry& entry = entries_[next_];
    if constexpr (std::is_same_v<Real, double>) {
      entry.s.swap(s);
      entry.y.swap(y);
      entry.rho = 1 / sy;
    } else {
      // s'y is one, as far from what float32 cannot hold as can be. H is the same.
      entry.unit = std::sqrt(sy);
      round(1 / entry.unit, s, entry.s, threads);
      round(1 / entry.unit, y, entry.y, threads);
      entry.rho = 1;
    }
    next_ = (next_ + 1) % entries_.size();
    count_ = std::min(count_ + 1, entries_.size());
  }

  // v = H v. A vector is subtracted and the next product taken in one pass over v.
  void multiply(Vector& v, const InitialMetric& initial, int threads) {
    if (empty()) return initial.multiply(v);
    double product = dot(newest(1).s, v, threads);
    for (std::size_t back = 1; back <= count_; ++back) {
      const Entry& entry = newest(back);
      double& alpha = alpha_[back - 1];
      alpha = entry.rho * product;
      if (back < count_) product = axpy_dot(-alpha, entry.y, v, newest(back + 1).s, threads);
      else axpy(-alpha, entry.y, v, threads);
    }
    initial.multiply(v);
    product = dot(newest(count_).y, v, threads);
    for (std::size_t back = count_; back > 0; --back) {
      const Entry& entry = newest(back);
      const double beta = alpha_[back - 1] - entry.rho * product;
      if (back > 1) product = axpy_dot(beta, entry.s, v, newest(back - 1).y, threads);
      else axpy(beta, entry.s, v, threads);
    }
  }

  InverseHessian take() {
    InverseHessian out;
    for (std::size_t back = count_; back > 0; --back) {
      Entry& entry = entries_[slot(back)];
      hand_out(entry.s, entry.unit, out.steps);
      hand_out(entry.y, entry.unit, out.changes);
    }
    clear();
    return out;
  }

 private:
  struct Entry {
    VectorOf<Real> s, y;
    double rho = 0;
    double unit = 1;  // of s and y
  };
  // To finite numbers, and none that are subnormal, which take many times as long to read.
  static void round(double scale, const Vector& from, VectorOf<Real>& to, int threads) {
    constexpr double least = std::numeric_limits<Real>::min();
    constexpr double most = std::numeric_limits<Real>::max();
    to.resize(from.size());
    core::for_elements(length_of(from), threads, [&](Index begin, Index end) {
      for (auto j = static_cast<std::size_t>(begin); j < static_cast<std::size_t>(end); ++j) {
        const double x = scale * from[j];
        to[j] = static_cast<Real>(std::fabs(x) < least ? 0.0 : core::clip(x, -most, most));
      }
    });
  }
  static void hand_out(VectorOf<Real>& kept, double unit, std::vector<Vector>& out) {
    if constexpr (std::is_same_v<Real, double>) {
      out.push_back(std::move(kept));
    } else {
      for (double& x : out.emplace_back(kept.begin(), kept.end())) x *= unit;
      VectorOf<Real>().swap(kept);
    }
  }
  std::size_t slot(std::size_t back) const {
    return (next_ + entries_.size() - back) % entries_.size();
  }
  const Entry& newest(std::size_t back) const { return entries_[slot(back)]; }

  std::vector<Entry> entries_;
  Vector alpha_;
  std::size_t next_ = 0, count_ = 0;
};

// The inverse Hessian as pairs. To read those of many variables is what a step takes beside the
// gradient; kept in float32 they take half as long, and half the memory. H is a guess in any case:
// what is lost was not seen in the number of steps, up to conditions of 1e12. Iterates, gradients
// and certificates are float64 as everywhere.
class LimitedMemory final {
 public:
  explicit LimitedMemory(std::size_t capacity)
      : capacity_(capacity), pairs_(Pairs<double>(capacity)) {}

  void begin(objective::Smooth& f) {
    constexpr Index many = 1 << 15;  // of which ten pairs do not fit into the caches of a core
    threads_ = f.threads();
    initial_.begin(f);
    if (is_rounded() == (f.size() > many)) clear();
    else if (is_rounded()) pairs_ = Pairs<double>(capacity_);
    else pairs_ = Pairs<float>(capacity_);
  }
  void clear() {
    std::visit([](auto& pairs) { pairs.clear(); }, pairs_);
  }
  bool is_plain() const {
    const bool is_empty = std::visit([](const auto& pairs) { return pairs.empty(); }, pairs_);
    return is_empty && !initial_.has_diagonal();
  }
  void multiply(Vector& v) {
    std::visit([&](auto& pairs) { pairs.multiply(v, initial_, threads_); }, pairs_);
  }
  void learn(const Pair& pair, Vector& s, Vector& y) {
    initial_.rescale(pair, y);
    std::visit([&](auto& pairs) { pairs.push(s, y, pair.sy, threads_); }, pairs_);
  }
  Index bytes() const { return 0; }
  std::string_view note() const { return is_rounded() ? " Pairs in float32." : ""; }
  InverseHessian take() {
    return std::visit([](auto& pairs) { return pairs.take(); }, pairs_);
  }

 private:
  bool is_rounded() const { return std::holds_alternative<Pairs<float>>(pairs_); }

  std::size_t capacity_;
  std::variant<Pairs<double>, Pairs<float>> pairs_;
  InitialMetric initial_;
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
