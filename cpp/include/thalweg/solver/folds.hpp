// The folds of a cross-validation: how often each row counts on the training side and on the
// held-out one. They weigh the rows (cpp/README.md, decision 9), times the weights that rows have
// anyway, without a vector for each.
//
// Rows have small codes, in one array for many folds or in one for each, and a fold says what the
// codes of its array mean. Where every row is held out once, its code is the fold that does so:
// one array serves all. Of any other splits a code has a digit for each, as many as a byte holds.
//
// Memory: one byte per row and array (two or four where there are more codes), and a few numbers
// per fold.
#pragma once

#include <cstdint>
#include <variant>

#include "thalweg/design/rows.hpp"

namespace thalweg::solver {

// How often rows count when trained on and when held out.
struct FoldTimes {
  double training = 1, heldout = 0;
};

struct Fold {
  Index column = 0;              // which array of codes
  Index first = 0;               // the code that `times` begins with
  std::vector<FoldTimes> times;  // by code; rows of other codes are trained on once
};

// By row.
using Codes = std::variant<const std::uint8_t*, const std::uint16_t*, const std::uint32_t*>;

struct Folds {
  std::vector<Codes> columns;
  std::vector<Fold> all;

  Index size() const { return static_cast<Index>(all.size()); }
};

// The weights of one side of a fold, or of both together.
class FoldWeights final : public design::RowWeights {
 public:
  enum class Side { training, heldout, both };

  // `weights` of the rows may be null: ones.
  FoldWeights(const double* weights, const Folds& folds, Index fold, Side side)
      : weights_(weights), folds_(&folds), fold_(fold), side_(side) {}

  void fill(Index begin, Index end, double* out) const override {
    const Fold& fold = folds_->all[static_cast<std::size_t>(fold_)];
    std::visit(
        [&](const auto* code) {
          for (Index i = begin; i < end; ++i) {
            const auto at = static_cast<std::size_t>(static_cast<Index>(code[i]) - fold.first);
            out[i - begin] = weigh(at < fold.times.size() ? fold.times[at] : FoldTimes{}, i);
          }
        },
        folds_->columns[static_cast<std::size_t>(fold.column)]);
  }

 private:
  double weigh(const FoldTimes& times, Index row) const {
    const double weight = weights_ != nullptr ? weights_[row] : 1.0;
    switch (side_) {
      case Side::training:
        return times.training * weight;
      case Side::heldout:
        return times.heldout * weight;
      case Side::both:
        return times.training * weight + times.heldout * weight;
    }
    return 0;
  }

  const double* weights_;
  const Folds* folds_;
  Index fold_;
  Side side_;
};

}  // namespace thalweg::solver
