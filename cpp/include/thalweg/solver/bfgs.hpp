// BFGS with a dense inverse.
//
//   x+ = x - t H grad f(x),   H+ = (I - rho s y') H (I - rho y s') + rho s s',   rho = 1 / s'y
//
// with s = x+ - x and y = grad f(x+) - grad f(x). The first pair scales the first H
// (initial_metric.hpp).
//
// Cost: 3 n^2 and one gradient in most steps; superlinear. Stores n^2: up to some thousand
// variables. Reference: Nocedal & Wright 2006, algorithm 6.1 and equations 6.17 and 6.20.
#pragma once

#include <array>
#include <utility>

#include "thalweg/core/memory.hpp"
#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/quasi_newton.hpp"

namespace thalweg::solver {

class DenseInverse final {
 public:
  void begin(objective::Smooth& f) {
    size_ = static_cast<std::size_t>(f.size());
    product_.resize(size_);
    core::resize_matrix(inverse_, size_, "bfgs");
    initial_.begin(f);
    clear();
  }
  void clear() { is_initial_ = true; }
  bool is_plain() const { return is_initial_ && !initial_.has_diagonal(); }

  void multiply(Vector& v) {
    if (is_initial_) {
      initial_.multiply(v);
      return;
    }
    multiply(v, product_);
    v.swap(product_);
  }

  void learn(const Pair& pair, const Vector& s, const Vector& y) {
    if (is_initial_) {
      initial_.rescale(pair, y);
      write_initial();
      is_initial_ = false;
    }
    multiply(y, product_);
    const double rho = 1 / pair.sy;
    const double square = rho * (1 + rho * dot(y, product_));
    const auto axpy = kernels::table().dense<double>().axpy;
    for (std::size_t j = 0; j < size_; ++j) {
      double* const column = inverse_.data() + j * size_;
      axpy(square * s[j] - rho * product_[j], s.data(), column, static_cast<Index>(size_));
      axpy(-rho * s[j], product_.data(), column, static_cast<Index>(size_));
    }
  }

  std::string_view note() const { return {}; }
  Index bytes() const { return static_cast<Index>(sizeof(double) * inverse_.size()); }
  InverseHessian take() {
    if (is_initial_) write_initial();
    clear();
    return {.matrix = std::exchange(inverse_, {}), .steps = {}, .changes = {}};
  }

 private:
  void write_initial() {
    std::fill(inverse_.begin(), inverse_.end(), 0.0);
    for (std::size_t j = 0; j < size_; ++j) inverse_[j * (size_ + 1)] = initial_.entry(j);
  }
  // out = H v; H is symmetric, so that its columns are its rows.
  void multiply(const Vector& v, Vector& out) const {
    const auto dot = kernels::table().dense<double>().dot;
    for (std::size_t j = 0; j < size_; ++j) {
      out[j] = dot(inverse_.data() + j * size_, v.data(), static_cast<Index>(size_));
    }
  }

  std::size_t size_ = 0;
  Vector inverse_, product_;
  InitialMetric initial_;
  bool is_initial_ = true;
};

struct Bfgs final {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions& options) {
    return std::make_unique<QuasiNewtonSolver<DenseInverse>>(
        info, DenseInverse{},
        line_search::searches[static_cast<std::size_t>(options.parameters[0])]);
  }

  static constexpr std::array<core::Parameter, 1> parameters{
      {{"line_search", line_search::choice("more_thuente"), line_search::choices,
        "How a step is found."}}};
  static constexpr auto flags = flags_of({.handles_nonconvex = true, .superlinear = true});
  static constexpr std::array<std::string_view, 2> needs{{"smooth", "smooth_penalty"}};
  static constexpr core::Info info{
      .name = "bfgs",
      .summary = "BFGS: an inverse Hessian from all changes of the gradient, kept as a matrix.",
      .formula = "x <- x - t H grad f(x), H <- (I - rho s y') H (I - rho y s') + rho s s'",
      .reference = "Nocedal & Wright 2006, algorithm 6.1 and equations 6.17 and 6.20",
      .parameters = parameters,
      .flags = flags,
      .requires_ = needs};
};

static_assert(SmoothEntry<Bfgs>);

}  // namespace thalweg::solver
