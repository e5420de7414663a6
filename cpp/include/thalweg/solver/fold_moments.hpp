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

// How the folds of a request, all of which its tasks use, lie to each other.
struct FoldLayout {
  Index folds = 0;
  bool complementary = false;  // training + held-out weights are the same for all folds
  bool partition = false;      // and the held-out weights of all folds add up to them
  Index heldout_rows = 0;      // with a weight, in all held-out parts
  Index all_rows = 0;          // with a weight
};

inline FoldLayout fold_layout(const Request& request, Index rows) {
  FoldLayout out;
  if (request.folds.size() < 2) return out;
  std::vector<bool> used(request.folds.all.size());
  for (const Task& task : request.tasks) {
    if (task.fold < 0 || task.target != request.tasks.front().target) return out;
    used[static_cast<std::size_t>(task.fold)] = true;
  }
  if (std::find(used.begin(), used.end(), false) != used.end()) return out;
  out.folds = request.folds.size();
  constexpr Index block = 1 << 12;
  std::atomic<bool> differs{false}, overlaps{false};
  std::atomic<Index> heldout_rows{0}, all_rows{0};
  core::parallel_for((rows + block - 1) / block, request.execution, [&](Index b) {
    const Index begin = b * block, end = std::min(rows, begin + block);
    const auto fill = [&](Index fold, FoldWeights::Side side, Vector& weights) {
      weights.resize(static_cast<std::size_t>(end - begin));
      fold_weights(request, fold, side).fill(begin, end, weights.data());
    };
    Vector total, both, heldout, sum(static_cast<std::size_t>(end - begin), 0.0);
    fill(0, FoldWeights::Side::both, total);
    Index held = 0;
    bool same = true;
    for (Index fold = 0; fold < out.folds; ++fold) {
      fill(fold, FoldWeights::Side::both, both);
      fill(fold, FoldWeights::Side::heldout, heldout);
      same = same && both == total;
      for (std::size_t i = 0; i < sum.size(); ++i) {
        sum[i] += heldout[i];
        held += heldout[i] != 0 ? 1 : 0;
      }
    }
    if (!same) differs.store(true, std::memory_order_relaxed);
    if (sum != total) overlaps.store(true, std::memory_order_relaxed);
    heldout_rows.fetch_add(held, std::memory_order_relaxed);
    all_rows.fetch_add(static_cast<Index>(total.size()) -
                           static_cast<Index>(std::count(total.begin(), total.end(), 0.0)),
                       std::memory_order_relaxed);
  });
  out.complementary = !differs && !request.execution.stop_requested();
  out.partition = out.complementary && !overlaps;
  out.heldout_rows = heldout_rows;
  out.all_rows = all_rows;
  return out;
}

// Target less offset and, where an intercept is fitted, less its mean by these weights.
inline design::RowTarget centred_target(const Request& request, const Task& task,
                                        const design::RowWeights& weights, Index rows) {
  design::RowTarget target{.y = request.y + task.target * rows, .offset = request.offset};
  if (!request.fit_intercept) return target;
  double sum = 0, total = 0;
  design::for_each_row(weights, rows, [&](Index i, double weight) {
    sum += weight * target(i);
    total += weight;
  });
  target.shift[0] = sum / total;
  return target;
}

// The weighted means of the columns: a mean that is large beside the spread would cancel in
// moments about zero. Near them is enough. Of designs that have slices of rows.
inline Vector column_means(const design::Erased& x, const design::RowWeights& weights,
                           const core::Execution& execution) {
  std::vector<Index> columns(static_cast<std::size_t>(x.cols()));
  std::iota(columns.begin(), columns.end(), Index{0});
  const Index blocks = std::clamp<Index>(x.rows() / design::row_block, 1, design::most_row_blocks);
  std::vector<Vector> sums(static_cast<std::size_t>(blocks));
  Vector weight(sums.size(), 0.0);
  core::parallel_for(blocks, execution, [&](Index b) {
    Vector& sum = sums[static_cast<std::size_t>(b)];
    sum.assign(columns.size(), 0.0);
    Vector part(columns.size()), chosen(design::row_block);
    const Index end = (b + 1) * x.rows() / blocks;
    for (Index row = b * x.rows() / blocks; row < end; row += design::row_block) {
      const Index next = std::min(end, row + design::row_block);
      weights.fill(row, next, chosen.data());
      const auto total = std::accumulate(chosen.begin(), chosen.begin() + (next - row), 0.0);
      if (total == 0) continue;
      weight[static_cast<std::size_t>(b)] += total;
      x.row_slice(row, next).gemv_t(chosen.data(), columns, part.data(), {});
      for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += part[j];
    }
  });
  Vector means(columns.size(), 0.0);
  const double total = std::accumulate(weight.begin(), weight.end(), 0.0);
  if (!(total > 0)) return means;
  for (const Vector& sum : sums) {
    for (std::size_t j = 0; j < sum.size(); ++j) means[j] += sum[j] / total;
  }
  return means;
}

class FoldMoments final {
 public:
  // Complementary folds. `keeps_folds`: whether the moments of their held-out rows are kept.
  FoldMoments(const design::Erased& x, const Request& request, const FoldLayout& layout,
              bool keeps_folds = true)
      : x_(x),
        request_(request),
        keeps_folds_(keeps_folds),
        target_(centred_target(request, request.tasks.front(), all_rows(), x.rows())) {
    const FoldWeights all = all_rows();
    if (x.has_row_moments() && x.has_row_slices() && request.fit_intercept)
      center_ = column_means(x, all, request.execution);
    std::vector<FoldWeights> heldout;
    for (Index fold = 0; keeps_folds && fold < layout.folds; ++fold)
      heldout.push_back(heldout_rows(fold));
    std::vector<const design::RowWeights*> weightings;
    for (const FoldWeights& each : heldout) weightings.push_back(&each);
    const bool adds_up = keeps_folds && layout.partition;
    if (!adds_up) weightings.push_back(&all);
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
    const FoldWeights weights = heldout_rows(fold);
    const design::RowWeights* const one = &weights;
    return moments({&one, 1});
  }
  // Of the rows that a fold does not hold out.
  objective::RemainingRows training(const objective::RowMoments& heldout) const {
    return {parts_.back(), &heldout, center(), request_.fit_intercept};
  }
  // Why a fold cannot be taken from the whole; empty where it can.
  std::string refusal(const objective::RemainingRows& training,
                      const objective::ColumnSummary& columns) const {
    const auto loss = training.loss(columns, request_.fit_intercept || request_.standardize);
    if (loss.is_tolerable()) return {};
    const std::string what =
        loss.column < training.cols() ? "column " + std::to_string(loss.column) : "the target";
    return what + " varies too little in the training rows compared with all rows";
  }

 private:
  const double* center() const { return center_.empty() ? nullptr : center_.data(); }

  FoldWeights all_rows() const { return fold_weights(request_, 0, FoldWeights::Side::both); }
  FoldWeights heldout_rows(Index fold) const {
    return fold_weights(request_, fold, FoldWeights::Side::heldout);
  }

  std::vector<objective::RowMoments> moments(
      std::span<const design::RowWeights* const> weightings) const {
    return objective::row_moments(x_, weightings, center(), target_, request_.execution);
  }

  const design::Erased& x_;
  const Request& request_;
  bool keeps_folds_;
  Vector center_;
  design::RowTarget target_;
  std::vector<objective::RowMoments> parts_;  // the held-out rows of every fold kept; all rows
};

}  // namespace thalweg::solver
