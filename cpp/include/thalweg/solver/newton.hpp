// Newton's method.
//
//   (H + E) s = -g,   x+ = x + t s
//
// E is zero where H is positive definite: then the blocked, threaded Cholesky factorisation serves.
// Where H is singular but the system has a solution (collinear columns), that is the step. Else E
// is that of a modified factorisation, which gives directions of negative curvature the curvature's
// size. An Armijo search tries the full step first; near the minimum, where values differ by
// rounding only, slopes accept it.
//
// For: up to some thousand variables and a Hessian matrix. More: newton_cg, trust_ncg. The same
// step with the Fisher information in place of H is fisher_scoring.
//
// Cost: one Hessian and n^3 / 3 multiply-adds a step; n^2 numbers of memory. References: Nocedal &
// Wright 2006, algorithm 3.2; Gill, Murray & Wright 1981, section 4.4.2.2.
#pragma once

#include <array>

#include "thalweg/core/memory.hpp"
#include "thalweg/kernels/cholesky.hpp"
#include "thalweg/kernels/modified_cholesky.hpp"
#include "thalweg/line_search/armijo.hpp"
#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/line_step.hpp"

namespace thalweg::solver {

// What stands for H in the step, and what the method is then called.
struct NewtonKind {
  std::string_view name;   // in the catalogue
  std::string_view title;  // in reports
  objective::HessianMatrix* objective::Refinements::*matrix;
};

class NewtonSolver final : public SmoothSolver {
 public:
  explicit NewtonSolver(const NewtonKind& kind) : kind_(kind) {}

  void begin(objective::Smooth& f, const SmoothPoint& at, const Bounds&) override {
    const auto n = at.x.size();
    core::resize_matrix(hessian_, n, kind_.name);
    diagonal_.resize(n);
    line_.begin(f);
    modified_ = nonfinite_ = 0;
    stretch_ = 1;
  }

  StepOutcome step(objective::Smooth& f, SmoothPoint& at, const SmoothContext& context) override {
    const objective::Refinements have = f.refinements();
    (have.*kind_.matrix)->assemble(hessian_.data());
    if (context.execution.stop_requested()) return {};
    const bool is_modified = !find_step(at.gradient, context.execution);
    if (!line_.is_downhill(at)) line_.point_downhill(at);
    f.begin_line(line_.direction().data());
    const double first = is_modified ? stretch_ : 1.0;
    const line_search::Found found =
        search(f, f.line_start(at.value, line_.slope()),
               {.first_step = first, .largest_step = line_.largest_step(at)});
    if (!found.success()) return line_.failed(found.outcome);
    // Without curvature a step has no length of its own: while it is taken whole it gets longer.
    stretch_ = is_modified && found.at.step >= first ? 2 * first : 1.0;
    StepOutcome outcome = line_.finish(f, at, found.at.step);
    outcome.is_modified = is_modified;
    return outcome;
  }

  std::string reason() const override {
    std::string text = std::string(kind_.title) + ", Cholesky factorisation";
    if (modified_ > 0) {
      text += ", modified in " + std::to_string(modified_) + (modified_ == 1 ? " step" : " steps") +
              " (matrix not positive definite)";
    }
    return text + nonfinite_hessians(nonfinite_);
  }
  std::string_view ran() const override { return kind_.name; }
  Index matrix_bytes() const override { return static_cast<Index>(8 * hessian_.size()); }

 private:
  static line_search::Found search(objective::Smooth& f, const objective::LinePoint& start,
                                   const line_search::Options& options) {
    if (options.largest_step >= 1 && -start.slope <= line_search::margin(start, options)) {
      const objective::LinePoint full = f.along(1.0);
      if (line_search::is_approximate_wolfe(start, full, options))
        return {.outcome = line_search::Outcome::success, .at = full, .trials = 1};
    }
    return line_search::Armijo::search(f, start, options);
  }

  // False where the factor is a modified one.
  bool find_step(const Vector& gradient, const core::Execution& execution) {
    keep();
    Vector& step = line_.direction();
    const auto n = static_cast<Index>(gradient.size());
    cholesky_.factorize(hessian_.data(), n, n, dependent, execution);
    set_to_descent(gradient);
    cholesky_.solve(step.data());
    if (execution.stop_requested() || solves(gradient)) return true;
    restore();
    set_to_descent(gradient);
    // Where entries are not finite there is no better direction than that of steepest descent.
    if (modified_cholesky_.factorize(hessian_.data(), n, execution)) {
      modified_cholesky_.solve(step.data());
      ++modified_;
    } else if (!execution.stop_requested()) {
      line_.point_downhill(gradient);
      ++nonfinite_;
    }
    return false;
  }

  void set_to_descent(const Vector& gradient) {
    for (std::size_t j = 0; j < gradient.size(); ++j) line_.direction()[j] = -gradient[j];
  }

  // The upper triangle keeps the matrix while the lower one is factorised.
  void keep() {
    const std::size_t n = diagonal_.size();
    for (std::size_t j = 0; j < n; ++j) {
      diagonal_[j] = hessian_[j * (n + 1)];
      for (std::size_t i = j + 1; i < n; ++i) hessian_[j + i * n] = hessian_[i + j * n];
    }
  }
  void restore() {
    const std::size_t n = diagonal_.size();
    for (std::size_t j = 0; j < n; ++j) {
      hessian_[j * (n + 1)] = diagonal_[j];
      for (std::size_t i = j + 1; i < n; ++i) hessian_[i + j * n] = hessian_[j + i * n];
    }
  }

  // Whether the factor was that of a positive definite matrix, or the step solves the system all
  // the same and goes down.
  bool solves(const Vector& gradient) {
    const Vector& step = line_.direction();
    const std::size_t n = step.size();
    bool definite = true;
    for (std::size_t j = 0; j < n && definite; ++j)
      definite = !cholesky_.is_skipped(static_cast<Index>(j));
    const double slope = dot(gradient, step);
    if (!(slope < 0)) return false;
    if (definite) return true;
    const double allowed = consistent * largest_entry(gradient);
    for (std::size_t j = 0; j < n; ++j) {
      double rest = gradient[j] + diagonal_[j] * step[j];
      for (std::size_t i = 0; i < j; ++i) rest += hessian_[i + j * n] * step[i];
      for (std::size_t i = j + 1; i < n; ++i) rest += hessian_[j + i * n] * step[i];
      if (!(std::fabs(rest) <= allowed)) return false;
    }
    return true;
  }

  // Relative to its diagonal entry, a pivot that rounding alone can make.
  static constexpr double dependent = 1e-13;
  // Residual, relative to the gradient, that a solved system may have: as good as truncated CG.
  static constexpr double consistent = 1e-3;

  NewtonKind kind_;
  Vector hessian_, diagonal_;
  LineStep line_;
  kernels::Cholesky cholesky_;
  kernels::ModifiedCholesky modified_cholesky_;
  Index modified_ = 0, nonfinite_ = 0;
  double stretch_ = 1;  // the first trial of a modified step
};

struct Newton final {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions&) {
    return std::make_unique<NewtonSolver>(
        NewtonKind{info.name, "Newton", &objective::Refinements::matrix});
  }

  static constexpr auto flags =
      flags_of({.handles_nonconvex = true, .superlinear = true, .needs_hessian = true});
  static constexpr std::array<std::string_view, 2> needs{{"smooth", "smooth_penalty"}};
  static constexpr core::Info info{
      .name = "newton",
      .summary = "Newton's method with a Cholesky factorisation, modified where f is not convex.",
      .formula = "x <- x - t (H + E)^-1 g",
      .reference = "Gill, Murray & Wright 1981; Nocedal & Wright 2006, algorithm 3.2",
      .parameters = {},
      .flags = flags,
      .requires_ = needs};
};

static_assert(SmoothEntry<Newton>);

}  // namespace thalweg::solver
