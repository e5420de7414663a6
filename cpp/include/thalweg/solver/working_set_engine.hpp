// Working sets: solve small problems on the columns that matter, check all columns, grow.
//
//   at w with exact correlations z:  working set = support + the columns that violate
//   |z_j| <= l1_j most (relative to ||x~_j||), as many as cost about one pass over X;
//   solve the problem on it (subproblem.hpp), by residual updates or by Gram updates;
//   where |z_j| is still many times l1_j, at a multiple of l1 on the way (`continuation`), or,
//   where the solution will hold most of p <= n columns, on all of them at once.
//
// One engine, three catalogued solvers: `working_set` always updates the residual, `gram` always
// updates correlations by columns of the Gram matrix, `auto` lets a cost model choose before every
// step and so may switch in the middle of a fit. The model counts multiply-adds and bytes, never
// cores or the clock, so that the choice, and the bits, are the same everywhere.
//
// Ridge problems of few rows have no use for working sets: `auto` solves them by row_system.hpp.
//
// Since z is recomputed from X before every step, rounding in the Gram matrix cannot stop
// convergence: a step only has to reduce the error.
//
// Cost of a step: one visit of the working set per sweep; a pass over X outside.
// References: Johnson & Guestrin 2015; Massias, Gramfort, Salmon 2018; Friedman, Hastie, Tibshirani
// 2010 (covariance updates). Differs from celer: the set is ranked by violation rather than by
// distance to the dual constraint, and the inner problem ends in Newton steps.
#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "thalweg/solver/concept.hpp"
#include "thalweg/solver/gram_cost.hpp"
#include "thalweg/solver/gram_rounding.hpp"
#include "thalweg/solver/row_system.hpp"
#include "thalweg/solver/subproblem.hpp"

namespace thalweg::solver {

class WorkingSetEngine final : public QuadraticSolver {
 public:
  WorkingSetEngine(const objective::Glm& glm, const SolverOptions& options)
      : glm_(glm),
        inner_(options.inner),
        gram_bytes_limit_(options.gram_bytes_limit),
        block_(make_column_block(glm.design(), options.at_once)) {}
  WorkingSetEngine(const WorkingSetEngine&) = delete;  // source_ refers to members
  WorkingSetEngine& operator=(const WorkingSetEngine&) = delete;

  StepOutcome step(Vector& w, objective::Evaluation& at, const StepContext& context) override {
    if (const std::optional<StepOutcome> done = step_by_rows(w, at, context)) return *done;
    if (!rounding_.is_right(working_set_, at.correlation, last_rounding_)) return undo(w);
    const penalty::Terms terms = context.terms.with_l1(continuation(w, at, context));
    select(w, at, terms, context);
    const std::size_t size = working_set_.size();
    w_inner_.resize(size);
    w_before_.resize(size);
    terms_inner_.resize(size);
    double violation = 0;
    double largest_norm = 0;
    for (std::size_t k = 0; k < size; ++k) {
      const auto j = static_cast<std::size_t>(working_set_[k]);
      w_inner_[k] = w_before_[k] = w[j];
      terms_inner_[k] = terms(working_set_[k]);
      violation = std::max(violation, terms_inner_[k].subdiff_distance(w[j], at.correlation[j]));
      largest_norm = std::max(largest_norm, glm_.sq_norm(working_set_[k]));
    }
    // Of a correlation: no step gets below it.
    last_rounding_ = 4 * epsilon * std::sqrt(2 * largest_norm * glm_.null_objective());
    // A set that does not hold the solution yet needs no more accuracy than its gap suggests. One
    // of all columns does, and is looked at often.
    const bool goes_on = takes_all_ && !gram_of_all_;
    const Subproblem::Budget budget{
        .gap = std::max(0.3 * context.target,
                        gram_of_all_ ? 0.0 : 0.1 * std::min(context.gap, at.primal())),
        .violation = (goes_on ? 0.5 : 0.2) * violation,
        .rounding = last_rounding_,
        .epochs = std::min(context.epochs_left, most_epochs),
        .face_size = gram_limit(),
        .small_rank = small_rank(largest_norm, terms),
        .goes_on = goes_on};
    const Subproblem::Outcome outcome = (last_was_gram_ = choose_gram())
                                            ? solve_gram(at, budget, violation)
                                            : solve_residual(at, budget);
    for (std::size_t k = 0; k < size; ++k)
      w[static_cast<std::size_t>(working_set_[k])] = w_inner_[k];
    active_set_steps_ += outcome.used_active_set ? 1 : 0;
    anderson_steps_ += outcome.used_anderson ? 1 : 0;
    cg_steps_ += outcome.used_cg ? 1 : 0;
    return {outcome.epochs, outcome.largest_change};
  }

  Index gram_bytes() const override {
    return gram_.bytes() + groups_.bytes() + subproblem_.factor_bytes() + row_system_.bytes();
  }
  GramCache* gram_cache() override { return &gram_; }
  bool is_affine() const override { return false; }  // outer iterates are not a linear sequence
  std::string_view ran() const override { return last_was_gram_ ? "gram" : "working_set"; }

  std::string reason() const override {
    if (row_steps_ > 0 && gram_steps_ + residual_steps_ == 0)
      return "a ridge problem of fewer rows than columns: the Gram matrix of " +
             std::to_string(glm_.rows()) + " rows, factorised";
    std::string text = "working sets of up to " + std::to_string(largest_set_) + " of " +
                       std::to_string(glm_.cols()) + " columns; ";
    if (gram_steps_ > 0 && residual_steps_ > 0) {
      text += "residual updates first, then Gram updates where the cost model found them cheaper";
    } else {
      text += gram_steps_ > 0 ? "Gram updates" : "residual updates";
    }
    if (estimate_) {
      text += " (the last choice by estimates: " + milliseconds(estimate_->gram) +
              " ms with Gram updates, " + milliseconds(estimate_->residual) +
              " ms with residual updates)";
    }
    if (active_set_steps_ > 0) text += ", finished by an active set";
    if (anderson_steps_ > 0) text += ", Anderson extrapolation";
    if (cg_steps_ > 0) text += ", conjugate gradients on the support";
    if (rounding_.was_refused()) text += ", Gram products in float32 at first, then float64";
    if (refused_) text += ", no Gram matrix where it would take more memory than it may";
    return text;
  }

 private:
  // Ridge problems of few rows; nothing where it is not one, or other steps are cheaper.
  std::optional<StepOutcome> step_by_rows(Vector& w, const objective::Evaluation& at,
                                          const StepContext& context) {
    if (inner_ != Inner::automatic || static_cast<Index>(context.columns.size()) < glm_.cols() ||
        !row_system_.suits(context.terms, gram_bytes_limit_))
      return std::nullopt;
    // One step solves it but for rounding: where the gap stays, rounding has the last word.
    const double l2 = context.terms(0).l2;
    if (l2 == row_l2_ && context.gap > 0.1 * row_gap_) return std::nullopt;
    row_l2_ = l2;
    row_gap_ = context.gap;
    w_before_ = w;
    if (!row_system_.step(context.terms, at, w)) return std::nullopt;
    ++row_steps_;
    last_was_gram_ = true;
    StepOutcome outcome{.epochs = 1};
    for (std::size_t j = 0; j < w.size(); ++j)
      outcome.largest_change = std::max(outcome.largest_change, std::fabs(w[j] - w_before_[j]));
    return outcome;
  }

  // A step on a rounded matrix that led astray.
  StepOutcome undo(Vector& w) {
    for (std::size_t k = 0; k < working_set_.size(); ++k)
      w[static_cast<std::size_t>(working_set_[k])] = w_before_[k];
    return {.epochs = 1, .largest_change = 0};
  }

  // In one step: where rounding is larger than expected, the driver has to see it.
  static constexpr Index most_epochs = 1000;

  // Correlations so many times l1 that most columns are likely to be in the solution.
  static constexpr double far = 500;

  // A small alpha is approached through larger ones: what this step multiplies l1 by. Far from the
  // solution, where correlations are many times l1, a problem of its own strength would be solved
  // on columns that the solution does not have; at a strength that most of them just violate it is
  // cheap and finds those that stay. It never rises within one alpha, so that steps do not undo
  // each other.
  double continuation(const Vector& w, const objective::Evaluation& at,
                      const StepContext& context) {
    constexpr double ratio = 4;
    constexpr double near = 12;  // nearer than this a step on the way costs more than it saves
    if (context.terms.strengths().l1 != continued_l1_) {
      continued_l1_ = context.terms.strengths().l1;
      continuation_ = infinity;
      takes_all_ = gram_of_all_ = false;
      steps_ = 0;
    }
    // The sets of warm starts are nearly right from the first step on.
    constexpr Index most_warm_steps = 3;
    const bool is_far = ++steps_ > most_warm_steps;
    takes_all_ = takes_all_ || (is_far && nears_rank(w, context.columns));
    if (takes_all_) continuation_ = 1;
    if (continuation_ == 1) return 1;
    double excess = 0;
    for (const Index j : context.columns) {
      const auto k = static_cast<std::size_t>(j);
      if (w[k] == 0) excess = std::max(excess, context.terms(j).excess_at_zero(at.correlation[k]));
    }
    takes_all_ = holds_most(excess, context.columns);
    if (takes_all_) return continuation_ = 1;
    const bool starts = continuation_ == infinity;
    continuation_ =
        starts && excess < near ? 1.0 : std::max(1.0, std::min(excess / ratio, continuation_));
    takes_all_ = gram_of_all_ = needs_gram_of_all(w, at, context, excess);
    if (takes_all_) continuation_ = 1;
    return continuation_;
  }

  // Whether the next set would hold so many of n >= 4 p columns that most of the Gram matrix is
  // made anyway, or the solution, being so far away, will: then it is made at once.
  bool needs_gram_of_all(const Vector& w, const objective::Evaluation& at,
                         const StepContext& context, double excess) const {
    if (inner_ == Inner::residual || glm_.rows() < 4 * glm_.cols() || glm_.cols() > gram_limit())
      return false;
    if (excess > far) return true;
    const penalty::Terms terms = context.terms.with_l1(continuation_);
    Index support = 0, violators = 0;
    for (const Index j : context.columns) {
      const auto k = static_cast<std::size_t>(j);
      if (w[k] != 0) ++support;
      else violators += terms(j).subdiff_distance(0.0, at.correlation[k]) > 0 ? 1 : 0;
    }
    // Of few columns the rest costs no more than the passes that later steps would take.
    constexpr Index few = 256;
    const double share = glm_.cols() <= few ? 0.4 : 0.5;
    return static_cast<double>(support + std::min(violators, growth())) >
           share * static_cast<double>(glm_.cols());
  }

  // Whether a solution so far away will hold most columns, and sweeps over all of them, in groups,
  // cost less than the way there or a Gram matrix.
  bool holds_most(double excess, std::span<const Index> columns) const {
    return block_->is_dense() && inner_ != Inner::gram && excess > far &&
           glm_.rows() >= glm_.cols() && glm_.rows() < 4 * glm_.cols() &&
           block_->visit_factor(columns) < strided_visit;
  }

  // Whether the support has come so near the rank, on few more columns than rows, that what enters
  // pushes others out: then sets that leave columns out are wrong about as many as they hold.
  bool nears_rank(const Vector& w, std::span<const Index> columns) const {
    if (!block_->is_dense() || inner_ == Inner::gram || 2 * glm_.cols() > 3 * glm_.rows() ||
        block_->visit_factor(columns) >= strided_visit)
      return false;
    const auto support = std::count_if(columns.begin(), columns.end(), [&](Index j) {
      return w[static_cast<std::size_t>(j)] != 0;
    });
    return 2 * support > std::min(glm_.rows(), glm_.cols());
  }

  // Working set: everything non-zero, and the worst violators.
  void select(const Vector& w, const objective::Evaluation& at, const penalty::Terms& terms,
              const StepContext& context) {
    working_set_.clear();
    violators_.clear();
    for (const Index j : context.columns) {
      const auto k = static_cast<std::size_t>(j);
      const penalty::Term term = terms(j);
      if (w[k] != 0 || term.l1 == 0 || takes_all_) {
        working_set_.push_back(j);
        continue;
      }
      // Against a threshold lowered by the drop of alpha since the last solution.
      penalty::Term nearer = term;
      nearer.l1 *= std::max(0.0, 1.0 - context.alpha_drop);
      const double violation = nearer.subdiff_distance(0.0, at.correlation[k]);
      if (violation > 0 && glm_.sq_norm(j) > 0) {
        violators_.push_back({violation / std::sqrt(glm_.sq_norm(j)), j});
      }
    }
    const auto room =
        static_cast<std::size_t>(std::max(growth(), static_cast<Index>(working_set_.size())));
    if (violators_.size() > room) {
      const auto worse = [](const Violator& a, const Violator& b) {
        return a.score != b.score ? a.score > b.score : a.column < b.column;
      };
      std::nth_element(violators_.begin(), violators_.begin() + static_cast<std::ptrdiff_t>(room),
                       violators_.end(), worse);
      violators_.resize(room);
    }
    for (const Violator& violator : violators_) working_set_.push_back(violator.column);
    // Columns that are no longer visited leave holes in their groups.
    if (groups_.size() > 2 * static_cast<Index>(working_set_.size())) groups_.clear();
    std::sort(working_set_.begin(), working_set_.end(), [&](Index a, Index b) {
      // Those without a place, -1, last.
      const auto first = static_cast<std::size_t>(groups_.place(a));
      const auto second = static_cast<std::size_t>(groups_.place(b));
      return first != second ? first < second : a < b;
    });
    largest_set_ = std::max(largest_set_, static_cast<Index>(working_set_.size()));
  }

  // Columns that may enter per step: as many as cost about one pass over X. A Gram block of m dense
  // columns takes n m^2 / 2 multiply-adds at some 25 per nanosecond, a pass n p reads at about 1;
  // with residual updates some ten visits of m columns cost a pass.
  Index growth() const {
    if (takes_all_) return glm_.cols();
    const auto cols = static_cast<double>(glm_.cols());
    return std::max<Index>(256, static_cast<Index>(std::min(std::sqrt(64.0 * cols), cols / 8)));
  }

  // Columns that the Gram block may have, and the face of an active set: half of the memory each.
  Index gram_limit() const { return static_cast<Index>(std::sqrt(gram_bytes_limit_ / 16.0)); }

  // Where the rank, and with it the support, is small, the active set is best from the start;
  // coordinate descent finds large supports in fewer operations, and those of a strong l2 term,
  // which may pass the rank, in few sweeps.
  bool small_rank(double largest_norm, const penalty::Terms& terms) const {
    constexpr Index small = 256;
    constexpr double strong = 0.03;
    const penalty::Strengths& strengths = terms.strengths();
    if (strengths.l1 > 0 && strengths.l2 > strong * largest_norm) return false;
    return std::min(glm_.rows(), static_cast<Index>(working_set_.size())) <= small;
  }

  // Makes the cache hold these columns, at the price of all others where it is full. False where
  // not even they fit.
  bool ensure_gram(std::span<const Index> columns) {
    const Index missing = gram_.missing(columns);
    if (missing > 0 && gram_.size() + missing > gram_limit()) {
      if (static_cast<Index>(columns.size()) > gram_limit()) return false;
      gram_.retain(columns);
    }
    gram_.ensure(source_, columns, glm_.execution());
    has_rounded_ =
        has_rounded_ || (missing > 0 && source_.precision == design::GramPrecision::float32);
    return true;
  }

  // Of products from now on. Those in float32 are forgotten where they may not be used.
  void use_precision(design::GramPrecision precision) {
    source_.precision = precision;
    if (precision == design::GramPrecision::float32 || !has_rounded_) return;
    gram_.retain({});
    has_rounded_ = false;
  }

  double entries_per_column(std::span<const Index> columns) const {
    double entries = 0;
    for (const Index j : columns) entries += static_cast<double>(glm_.design().stored(j));
    return entries / std::max(static_cast<double>(columns.size()), 1.0);
  }

  // Estimated nanoseconds of making the cache hold these columns.
  double build_cost(std::span<const Index> columns) const {
    const auto fresh = static_cast<double>(gram_.missing(columns));
    const double cached = static_cast<double>(gram_.size()) + fresh;
    return (rounding_.is_rounded() ? 0.5 : 1.0) *
           gram_cost(glm_.design().is_sparse(), static_cast<double>(glm_.rows()),
                     entries_per_column(columns), fresh, cached);
  }

  // Estimated nanoseconds of some rounds of descent on the working set, half of its rank changing
  // in each: with residual updates; and with Gram updates, the missing columns built first.
  bool choose_gram() {
    if (!rounding_.is_rounded()) use_precision(design::GramPrecision::float64);
    if (inner_ == Inner::residual) return false;
    if (gram_.missing(working_set_) > 0 && static_cast<Index>(working_set_.size()) > gram_limit()) {
      refused_ = refused_ || inner_ == Inner::gram;
      return false;
    }
    if (inner_ == Inner::gram || gram_of_all_) return true;
    constexpr double rounds = 20;
    const auto size = static_cast<double>(working_set_.size());
    const auto cached = static_cast<double>(gram_.size() + gram_.missing(working_set_));
    const double support = 0.5 * std::min(size, static_cast<double>(glm_.rows()));
    const double visit = visit_cost(block_->is_dense(), entries_per_column(working_set_), size) *
                         block_->visit_factor(working_set_);
    estimate_ = {.gram = build_cost(working_set_) +
                         rounds * (5 * size + support * GramModel::update_cost(cached)),
                 .residual = rounds * (support + size) * visit};
    return estimate_->gram < estimate_->residual;
  }

  Subproblem::Outcome solve_gram(objective::Evaluation& at, const Subproblem::Budget& budget,
                                 double violation) {
    ++gram_steps_;
    use_precision(rounding_.precision());
    ensure_gram(working_set_);
    if (glm_.execution().stop_requested()) return {};
    GramModel model(gram_, working_set_, at.correlation);
    const Subproblem::Outcome outcome = subproblem_.solve(
        model, w_inner_, terms_inner_, budget, gram_,
        [](const std::vector<Index>&) { return true; },
        [](const std::vector<Index>&) { return 0.0; }, glm_.execution());
    if (has_rounded_) rounding_.foretell(model, violation);
    return outcome;
  }

  Subproblem::Outcome solve_residual(objective::Evaluation& at, const Subproblem::Budget& budget) {
    ++residual_steps_;
    // Where the residual is kept, factors meet exact correlations within the step.
    use_precision(design::GramPrecision::float64);
    block_->load(working_set_, glm_.execution());
    ResidualModel model(glm_, *block_, working_set_, at, group_columns());
    return subproblem_.solve(
        model, w_inner_, terms_inner_, budget, gram_,
        [&](const std::vector<Index>& columns) { return ensure_gram(columns); },
        [&](const std::vector<Index>& columns) { return build_cost(columns); }, glm_.execution());
  }

  // The groups that hold the working set, whose order is theirs (`select`); null where its columns
  // are not dense arrays and cannot be made so.
  const ColumnGroups* group_columns() {
    if (!block_->can_stage(working_set_)) return nullptr;
    groups_.add(source_, working_set_);
    return &groups_;
  }

  // Where Gram columns come from: copies of row-major columns, where there are any.
  struct GramSource {
    const objective::Glm& glm;
    const ColumnBlock& block;
    design::GramPrecision precision = design::GramPrecision::float64;

    Index cols() const { return glm.cols(); }
    void gram(std::span<const Index> columns, Index fresh, double* out, Index ld) const {
      block.gram(columns, fresh, glm.center(), glm.weights(), glm.total_weight(), out, ld,
                 glm.execution(), precision);
      glm.finish_gram(columns, fresh, out, ld);
    }
  };

  // Of one step, in nanoseconds.
  struct Estimate {
    double gram, residual;
  };
  static std::string milliseconds(double nanoseconds) {
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), nanoseconds < 1e7 ? "%.2g" : "%.0f",
                  nanoseconds * 1e-6);
    return text.data();
  }

  struct Violator {
    double score;
    Index column;
  };

  const objective::Glm& glm_;
  Inner inner_;
  double gram_bytes_limit_;
  std::unique_ptr<ColumnBlock> block_;
  GramRounding rounding_{glm_};
  GramSource source_{glm_, *block_};
  GramCache gram_;
  ColumnGroups groups_;
  Subproblem subproblem_;
  RowSystem row_system_{glm_};
  std::vector<Index> working_set_;
  std::vector<Violator> violators_;
  Vector w_inner_, w_before_;  // of the working set, after and before a step
  std::vector<penalty::Term> terms_inner_;
  Index largest_set_ = 0;
  bool last_was_gram_ = false;
  std::optional<Estimate> estimate_;
  bool takes_all_ = false, gram_of_all_ = false;
  bool has_rounded_ = false;  // whether the cache holds products in float32
  double last_rounding_ = 0;
  bool refused_ = false;             // a Gram matrix that was asked for by name
  double row_l2_ = 0, row_gap_ = 0;  // of the last step by rows: its strength, the gap before it
  double continued_l1_ = -1, continuation_ = infinity;
  Index steps_ = 0;  // at this strength
  Index row_steps_ = 0, gram_steps_ = 0, residual_steps_ = 0, active_set_steps_ = 0,
        anderson_steps_ = 0, cg_steps_ = 0;
};

}  // namespace thalweg::solver
