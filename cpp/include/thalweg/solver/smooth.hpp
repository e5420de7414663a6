// A solver of smooth problems is a step as well: it moves a point of an objective::Smooth, whether
// that is a generalized linear model or a user's function. One virtual interface and no templates:
// a call does the work of at least one evaluation.
//
// A class in the catalogue offers
//   static std::unique_ptr<SmoothSolver> make(const SmoothOptions&);
// and an Info whose flags say what it can do and what the objective must have: `handles_bounds`,
// `needs_hessian` (the matrix), `needs_residuals`, `needs_information`, `needs_rows`.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "thalweg/core/info.hpp"
#include "thalweg/core/parallel.hpp"
#include "thalweg/core/result.hpp"
#include "thalweg/line_search/concept.hpp"
#include "thalweg/objective/smooth.hpp"
#include "thalweg/solver/concept.hpp"
#include "thalweg/solver/vectors.hpp"

namespace thalweg::solver {

// The iterate. The objective's base point is x whenever a step begins or ends.
struct SmoothPoint {
  Vector x;
  Vector gradient;
  double value = infinity;
  // The variables of the RowDual whose point x is, where a solver works with one; else empty.
  std::span<const double> dual = {};
};

// lower_j <= x_j <= upper_j; null where there is none on that side. x is within them throughout.
struct Bounds {
  const double* lower = nullptr;
  const double* upper = nullptr;

  bool any() const { return lower != nullptr || upper != nullptr; }
  double lower_at(Index j) const { return lower != nullptr ? lower[j] : -infinity; }
  double upper_at(Index j) const { return upper != nullptr ? upper[j] : infinity; }
  double clip(Index j, double x) const {
    return x < lower_at(j) ? lower_at(j) : x > upper_at(j) ? upper_at(j) : x;
  }
};

// max_j |x_j - clip(x_j - g_j)|: zero exactly at the stationary points, |g|_max without bounds, NaN
// where an entry is.
inline double projected_gradient_norm(const Vector& x, const Vector& gradient,
                                      const Bounds& bounds) {
  if (!bounds.any()) return largest_entry(gradient);
  double largest = 0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    const auto k = static_cast<Index>(j);
    // Not by x - g, which is x where |x| is large.
    const double entry = gradient[j] > 0 ? std::min(gradient[j], x[j] - bounds.lower_at(k))
                                         : std::max(gradient[j], x[j] - bounds.upper_at(k));
    if (std::isnan(entry)) return entry;
    largest = std::max(largest, std::fabs(entry));
  }
  return largest;
}

// How far from the origin a minimum is sought that starts at a distance of `norm`.
inline double reach_from(double norm) { return 1e20 * std::max(1.0, norm); }

// What a failed line search means for the solve.
inline core::Status failure_of(line_search::Outcome outcome) {
  return outcome == line_search::Outcome::unbounded ? core::Status::unbounded
                                                    : core::Status::line_search_failed;
}

struct SmoothOptions {
  Vector parameters;  // in the order of the entry's Info
  std::uint64_t seed = 0;
};

struct SmoothContext {
  const Bounds& bounds;
  const core::Execution& execution;
  double target = 0;  // of the certificate, which a step need not undercut by much
  double certificate = infinity;
  // How many times less it has to be, for the target and for what must hold besides: a small
  // gradient, whose square it is like.
  double left = infinity;
  // How many times shorter the gradient has to be for that.
  double gradient_left = infinity;
  Index epochs_left = 0;
  Index most_products = std::numeric_limits<Index>::max();  // of a step of newton_cg
};

// What a quasi-Newton method has learned of the inverse Hessian: a symmetric matrix, or pairs of
// steps and changes of the gradient from the oldest on, whose update of the identity it is but for
// what they start from.
struct InverseHessian {
  Vector matrix;
  std::vector<Vector> steps, changes;
};

class SmoothSolver {
 public:
  virtual ~SmoothSolver() = default;
  // A new problem, or a new start: forgets what it learned, allocates what a step needs.
  virtual void begin(objective::Smooth& f, const SmoothPoint& at, const Bounds& bounds) = 0;
  // Moves the point. A step that finds nothing better leaves it and says so by `failure`.
  virtual StepOutcome step(objective::Smooth& f, SmoothPoint& at, const SmoothContext& context) = 0;
  // Another solver takes some steps: lets go of memory that the next step fills anyhow.
  virtual void rest() {}
  virtual std::string reason() const = 0;
  // The catalogue name of what ran last: for `auto`, what it chose.
  virtual std::string_view ran() const = 0;
  // Of matrices that it holds.
  virtual Index matrix_bytes() const = 0;
  // Ends the solve: what was learned is handed out by the methods that do.
  virtual std::optional<InverseHessian> take_inverse_hessian() { return std::nullopt; }
};

template <class S>
concept SmoothEntry = requires(const SmoothOptions& options) {
  { S::make(options) } -> std::same_as<std::unique_ptr<SmoothSolver>>;
  { S::info } -> std::convertible_to<const core::Info&>;
};

}  // namespace thalweg::solver
