// Coordinate descent on the dual of a model with an l2 penalty: one variable for every row.
//
//   u_i <- -loss'(y_i, eta),  eta = x_i'w + q_i (-loss'(y_i, eta) - u_i),  q_i = |x_i|^2 / (S l2),
//   w = X' S u / (S l2)
//
// Each visit of a row is exact, or off by a hundredth of its change (objective/row_dual.hpp). A
// step visits all rows in random order (many: in runs of eight), and then those again that gained
// the mean or more when they were last visited, as often as its work allows: most of what is to be
// had is in few rows, and a row whose gain is not up to date comes back as soon as others have
// fallen below it. How much work a step does follows from the rate of the steps before: about what
// is left, but no more than some passes over X, since the certificate that ends the solve costs
// one, too.
//
// For: rows that are few, short or nearly orthogonal, such as text; a handful of visits of each.
// Not for losses whose curvature grows without bound (counts): where the dual is good, predictions
// can still be so large that the objective overflows.
// Converges linearly, the slower the weaker the penalty. The steps' objective need not fall
// monotonously; the dual rises. Where rows are many and dense, newton; for weak penalties,
// trust_ncg.
//
// Cost: two passes over X for a visit of all rows, on one thread; an evaluation. Memory, that of
// the dual included: three and a half vectors over the rows, three over the columns.
// References: Hsieh, Chang, Lin, Keerthi & Sundararajan 2008, algorithm 1; Yu, Huang & Lin 2011;
// Shalev-Shwartz & Zhang 2013; Glasmachers & Dogan 2013 (frequencies that follow gains).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "thalweg/core/error.hpp"
#include "thalweg/core/rng.hpp"
#include "thalweg/solver/flags.hpp"
#include "thalweg/solver/smooth.hpp"

namespace thalweg::solver {

class DualCoordinateDescentSolver final : public SmoothSolver {
 public:
  explicit DualCoordinateDescentSolver(std::uint64_t seed) : seed_(seed), rng_(seed) {}

  void begin(objective::Smooth& f, const SmoothPoint& at, const Bounds&) override {
    const objective::RowDual* const dual = f.refinements().dual;
    if (dual == nullptr) {
      throw core::Unsupported("solver '" + std::string(ran()) +
                              "' needs rows and a convex loss of each, with an l2 penalty on every "
                              "coefficient (alpha and penalty weights above zero)");
    }
    rng_ = core::Rng(seed_);
    before_.resize(at.x.size());
    has_started_ = false;
    coupling_ = dual->coupling();
  }

  StepOutcome step(objective::Smooth& f, SmoothPoint& at, const SmoothContext& context) override {
    objective::RowDual& dual = *f.refinements().dual;
    if (!std::exchange(has_started_, true)) {
      dual.start(at.gradient.data());
      visits_ = first_visits(context.left);
    } else {
      dual.settle_intercept();
      plan(context);
    }
    const double most = std::min(visits_, static_cast<double>(context.epochs_left));
    choose_all(dual);
    bool is_finite = visit(dual, context.execution);
    double visits = 1;
    while (is_finite && choose(dual.gains()) && !context.execution.stop_requested()) {
      visits += static_cast<double>(chosen_.size()) / static_cast<double>(dual.row_count());
      if (visits > most) break;
      is_finite = visit(dual, context.execution);
    }
    certificate_before_ = context.certificate;
    visits_ = std::min(visits, most);
    return finish(dual, f, at, is_finite);
  }

  std::string reason() const override { return "dual coordinate descent, rows by their gains"; }
  std::string_view ran() const override { return "dual_coordinate_descent"; }
  Index matrix_bytes() const override { return 0; }

 private:
  static constexpr double most_visits = 6;  // of all rows, in a step

  // The stronger the penalty, the less rows depend on each other, and the fewer visits do. Where
  // they depend more, longer first steps are no gain (sms_spam, npm_tfidf at C = 1: coupling 1).
  double first_visits(double left) const {
    constexpr double weak = 0.1, weakest = 0.03;
    if (coupling_ >= weak) return 2;
    const double rate = coupling_ < weakest ? 8 : 4;  // of the certificate's logarithm, in a visit
    return core::clip(std::log(left) / rate, 1.3, most_visits);
  }

  // How many visits of all rows it takes at the rate of the last step. The certificate can be zero,
  // where all that is left is rounding.
  void plan(const SmoothContext& context) {
    const double rate = std::log(certificate_before_ / context.certificate) / visits_;
    const double needed = rate > 0 ? std::log(context.left) / rate : most_visits;
    visits_ = std::isnan(needed) ? 1 : core::clip(needed, 1.0, most_visits);
  }

  // The chosen rows.
  bool visit(objective::RowDual& dual, const core::Execution& execution) {
    constexpr Index entries_between_polls = 1 << 17;
    const std::size_t block = static_cast<std::size_t>(std::max<Index>(
        1, entries_between_polls * dual.row_count() / std::max<Index>(dual.stored(), 1)));
    for (std::size_t k = 0; k < chosen_.size() && !execution.stop_requested(); k += block) {
      const design::RowList some =
          std::span(chosen_).subspan(k, std::min(block, chosen_.size() - k));
      if (!dual.relax(some)) return false;
    }
    return true;
  }

  void choose_all(const objective::RowDual& dual) {
    chosen_.resize(static_cast<std::size_t>(dual.row_count()));
    std::iota(chosen_.begin(), chosen_.end(), design::RowNumber{0});
    shuffle();
  }

  // Of many rows a few that follow one another stay together: a cache line of each of the dual's
  // vectors, and of a sparse X what its prefetcher expects.
  void shuffle() {
    constexpr std::size_t many = 1024, together = 8;
    if (chosen_.size() < many) return rng_.shuffle(chosen_);
    const auto run = [&](Index r) { return chosen_.begin() + r * static_cast<Index>(together); };
    for (auto last = static_cast<Index>(chosen_.size() / together) - 1; last > 0; --last) {
      const Index other = rng_.below(last + 1);
      if (other != last) std::swap_ranges(run(last), run(last + 1), run(other));
    }
  }

  // The rows whose last gain was the mean or more, shuffled. False where nothing was gained.
  bool choose(std::span<const double> gains) {
    const double sum = std::accumulate(gains.begin(), gains.end(), 0.0);
    const double mean = sum / static_cast<double>(gains.size());
    if (!(mean > 0)) return false;
    chosen_.resize(gains.size());
    std::size_t count = 0;
    for (std::size_t i = 0; i < gains.size(); ++i) {  // no branch, which nobody could foresee
      chosen_[count] = static_cast<design::RowNumber>(i);
      count += gains[i] >= mean ? 1 : 0;
    }
    chosen_.resize(count);
    shuffle();
    return !chosen_.empty();
  }

  // The point that belongs to the dual variables. Where f is infinite there, which says nothing of
  // them, the last one stays.
  StepOutcome finish(const objective::RowDual& dual, objective::Smooth& f, SmoothPoint& at,
                     bool is_finite) {
    before_ = at.x;
    const double value_before = at.value;
    dual.read(at.x.data());
    at.dual = dual.variables();
    at.value = f.evaluate(at.x.data(), at.gradient.data());
    double largest = 0;
    for (std::size_t j = 0; j < before_.size(); ++j)
      largest = std::max(largest, std::fabs(at.x[j] - before_[j]));
    StepOutcome outcome{.epochs = static_cast<Index>(std::ceil(visits_)),
                        .largest_change = largest,
                        .failure = std::nullopt};
    if (!is_finite) outcome.failure = core::Status::non_finite;
    else if (largest == 0) outcome.failure = core::Status::stalled;
    if (!std::isfinite(at.value) && std::isfinite(value_before)) {
      at.x = before_;
      at.dual = {};
      at.value = f.evaluate(at.x.data(), at.gradient.data());
    }
    return outcome;
  }

  std::uint64_t seed_;
  core::Rng rng_;
  std::vector<design::RowNumber> chosen_;
  Vector before_;
  bool has_started_ = false;
  double coupling_ = 0;
  double visits_ = 1, certificate_before_ = infinity;
};

struct DualCoordinateDescent final {
  static std::unique_ptr<SmoothSolver> make(const SmoothOptions& options) {
    return std::make_unique<DualCoordinateDescentSolver>(options.seed);
  }

  static constexpr auto flags = flags_of({.needs_rows = true});
  static constexpr std::array<std::string_view, 6> needs{{"row_access", "bounded_curvature",
                                                          "convex", "single_output",
                                                          "smooth_penalty", "strongly_convex"}};
  static constexpr core::Info info{
      .name = "dual_coordinate_descent",
      .summary = "Coordinate descent on the dual, one variable for every row; exact steps.",
      .formula = "u_i <- argmax of the dual over u_i, w = X' S u / (sum s l2)",
      .reference = "Hsieh et al. 2008; Yu, Huang & Lin 2011; Shalev-Shwartz & Zhang 2013",
      .parameters = {},
      .flags = flags,
      .requires_ = needs};
};

static_assert(SmoothEntry<DualCoordinateDescent>);

}  // namespace thalweg::solver
