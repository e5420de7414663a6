// The folds of a cross-validation share second moments.
//
// A fold trains on some rows and is judged by the others. Where both together are the same rows in
// every fold, s_train + s_test = s, the moments of its training rows are those of all less those of
// its held-out rows. Held-out rows that no two folds share even add up to all, so that one Gram
// matrix's worth of products, n p^2 / 2, made once for the request, serves every fold and every
// penalty; a task then costs O(p^2) and no pass over X. Else they cost that per fold, twice.
//
// Where there is no memory for the matrices of all folds, only that of all rows is kept, and every
// task makes that of its held-out rows again.
//
// A difference loses the digits that its terms share. Where a column (or the target) varies little
// in the training rows of a fold compared with all rows, that fold's model is built from its rows
// as if there were no others; its held-out moments, which are no difference, still serve.
#pragma once

#include <algorithm>
#include <atomic>
#include <numeric>
#include <string>

#include "thalweg/objective/row_moments.hpp"
#include "thalweg/solver/gram_cost.hpp"
#include "thalweg/solver/request.hpp"

namespace thalweg::solver {

// How the weightings of a request, all of which its tasks use, lie to each other.
struct FoldLayout {
  Index folds = 0;
  bool complementary = false;  // training + held-out weights are the same for all folds
  bool partition = false;      // and the held-out weights of all folds add up to them
  Index heldout_rows = 0;      // with a weight, in all held-out parts
  Index all_rows = 0;          // with a weight
  Vector total;                // the weights of all rows
};

inline FoldLayout fold_layout(const Request& request, Index rows) {
  FoldLayout out;
  if (request.weights == nullptr || request.heldout == nullptr) return out;
  std::vector<bool> used;
  for (const Task& task : request.tasks) {
    if (task.weighting < 0 || task.target != request.tasks.front().target) return out;
    const auto fold = static_cast<std::size_t>(task.weighting);
    if (fold >= used.size()) used.resize(fold + 1);
    used[fold] = true;
  }
  if (std::find(used.begin(), used.end(), false) != used.end()) return out;
  out.folds = static_cast<Index>(used.size());
  out.total.resize(static_cast<std::size_t>(rows));
  constexpr Index block = 1 << 14;
  std::atomic<bool> differs{false}, overlaps{false};
  std::atomic<Index> heldout_rows{0}, all_rows{0};
  core::parallel_for((rows + block - 1) / block, request.execution, [&](Index b) {
    Index held = 0, all = 0;
    for (Index i = b * block; i < std::min(rows, (b + 1) * block); ++i) {
      const double total = request.weights[i] + request.heldout[i];
      double heldout = 0;
      bool same = true;
      for (Index fold = 0; fold < out.folds; ++fold) {
        const double h = request.heldout[i + fold * rows];
        same = same && request.weights[i + fold * rows] + h == total;
        heldout += h;
        held += h != 0 ? 1 : 0;
      }
      all += total != 0 ? 1 : 0;
      out.total[static_cast<std::size_t>(i)] = total;
      if (!same) differs.store(true, std::memory_order_relaxed);
      if (heldout != total) overlaps.store(true, std::memory_order_relaxed);
    }
    heldout_rows.fetch_add(held, std::memory_order_relaxed);
    all_rows.fetch_add(all, std::memory_order_relaxed);
  });
  out.complementary = out.folds > 1 && !differs && !request.execution.stop_requested();
  out.partition = out.complementary && !overlaps;
  out.heldout_rows = heldout_rows;
  out.all_rows = all_rows;
  return out;
}

// Target less offset and, where an intercept is fitted, less its mean by these weights.
inline Vector centred_target(const Request& request, const Task& task, const double* weights,
                             Index rows) {
  const double* const y = request.y + task.target * rows;
  Vector target(y, y + rows);
  double sum = 0, total = 0;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (request.offset != nullptr) target[i] -= request.offset[i];
    sum += weights[i] * target[i];
    total += weights[i];
  }
  for (double& value : target) value -= request.fit_intercept ? sum / total : 0.0;
  return target;
}

class FoldMoments final {
 public:
  // Complementary folds. `keeps_folds`: whether the moments of their held-out rows are kept.
  FoldMoments(const design::Erased& x, const Request& request, const FoldLayout& layout,
              bool keeps_folds = true)
      : x_(x),
        heldout_(request.heldout),
        execution_(request.execution),
        fit_intercept_(request.fit_intercept),
        standardize_(request.standardize),
        keeps_folds_(keeps_folds) {
    if (x.has_row_moments() && fit_intercept_) centre(layout.total);
    target_ = centred_target(request, request.tasks.front(), layout.total.data(), x.rows());
    std::vector<const double*> weightings;
    for (Index fold = 0; keeps_folds && fold < layout.folds; ++fold) {
      weightings.push_back(request.heldout + fold * x.rows());
    }
    const bool adds_up = keeps_folds && layout.partition;
    if (!adds_up) weightings.push_back(layout.total.data());
    parts_ = moments(weightings);
    if (adds_up) parts_.push_back(objective::RowMoments::sum(parts_));
  }

  // Matrices held for so many folds.
  static Index matrices(const FoldLayout& layout, bool keeps_folds) {
    return keeps_folds ? layout.folds + 1 : 1;
  }
  bool keeps_folds() const { return keeps_folds_; }
  Index bytes() const { return static_cast<Index>(parts_.size()) * parts_.front().bytes(); }

  // Where folds are kept.
  const objective::RowMoments& heldout(Index fold) const {
    return parts_[static_cast<std::size_t>(fold)];
  }
  // Made again, where they are not. After a stop request they are incomplete.
  std::vector<objective::RowMoments> make_heldout(Index fold) const {
    const double* const weights = heldout_ + fold * x_.rows();
    return moments({&weights, 1});
  }
  // Of the rows that a fold does not hold out.
  objective::RemainingRows training(const objective::RowMoments& heldout) const {
    return {parts_.back(), heldout, center(), fit_intercept_};
  }
  // Why a fold cannot be taken from the whole; empty where it can.
  std::string refusal(const objective::RemainingRows& training,
                      const objective::ColumnSummary& columns) const {
    const auto loss = training.loss(columns, fit_intercept_ || standardize_);
    if (loss.is_tolerable()) return {};
    const std::string what =
        loss.column < training.cols() ? "column " + std::to_string(loss.column) : "the target";
    return what + " varies too little in the training rows compared with all rows";
  }

 private:
  const double* center() const { return center_.empty() ? nullptr : center_.data(); }

  // The weighted mean of all rows: a mean that is large beside the spread would cancel otherwise.
  void centre(const Vector& weights) {
    std::vector<Index> columns(static_cast<std::size_t>(x_.cols()));
    std::iota(columns.begin(), columns.end(), Index{0});
    center_.resize(columns.size());
    x_.gemv_t(weights.data(), columns, center_.data(), execution_);
    const double inverse = 1.0 / std::accumulate(weights.begin(), weights.end(), 0.0);
    for (double& c : center_) c *= inverse;
  }

  std::vector<objective::RowMoments> moments(std::span<const double* const> weightings) const {
    return objective::row_moments(x_, weightings, center(), target_.data(), execution_);
  }

  const design::Erased& x_;
  const double* heldout_;  // weights, as the request has them
  core::Execution execution_;
  bool fit_intercept_, standardize_, keeps_folds_;
  Vector center_, target_;
  std::vector<objective::RowMoments> parts_;  // the held-out rows of every fold kept; all rows
};

}  // namespace thalweg::solver
