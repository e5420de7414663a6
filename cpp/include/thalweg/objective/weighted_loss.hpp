// A loss over all rows of a data set, at given predictions:
//
//   sum_i s_i loss(y_i, eta_i)
//
// with its derivatives, its conjugate, and its values along a line. Of a loss with K outputs every
// vector has K planes of n.
//
// Cost: one pass over its vectors for each call.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "thalweg/loss/blocks.hpp"
#include "thalweg/objective/row_blocks.hpp"

namespace thalweg::objective {

class WeightedLoss final {
 public:
  // `weights` may be null: ones.
  WeightedLoss(const loss::LossBlock& loss, const double* y, const double* weights, Index rows,
               const core::Execution& execution)
      : loss_(loss),
        y_(y),
        weights_(weights),
        rows_(rows),
        outputs_(loss.outputs()),
        blocks_(rows, outputs_, execution) {}

  const loss::LossBlock& loss() const { return loss_; }
  const core::Execution& execution() const { return blocks_.execution(); }
  void ignore_stop() { blocks_.ignore_stop(); }
  double weight(Index i) const { return weights_ != nullptr ? weights_[i] : 1.0; }

  double value(const double* eta) const { return value(eta, weights_); }
  // With other weights.
  double value(const double* eta, const double* weights) const {
    return blocks_.sum<1>([&](Index begin, Index end, auto& sums) {
      sums[0] = loss_.value(block(begin, end, weights), eta + begin);
    })[0];
  }
  // The value as well; g_i = s_i loss'(eta_i).
  double gradient(const double* eta, double* g) const {
    return blocks_.sum<1>([&](Index begin, Index end, auto& sums) {
      sums[0] = loss_.gradient(block(begin, end), eta + begin, g + begin);
    })[0];
  }
  // Of some rows.
  double gradient(Index begin, Index end, const double* eta, double* g) const {
    return loss_.gradient(block(begin, end), eta + begin, g + begin);
  }
  // Value, first and second derivative of sum_i s_i loss(y_i, eta_i + t d_i) at t = step.
  std::array<double, 3> line(const double* eta, const double* d, double step) const {
    return blocks_.sum<3>([&](Index begin, Index end, auto& sums) {
      loss_.line(block(begin, end), eta + begin, d + begin, step, sums.data());
    });
  }
  // sum_i s_i (loss*(y_i, -u_i) + u_i offset_i) of g = -s u; leaves -u, zero in rows of weight
  // zero.
  double conjugate(const double* g, const double* offset, double* minus_u) const {
    return blocks_.sum<1>([&](Index begin, Index end, auto& sums) {
      for (Index k = 0; k < outputs_; ++k) {
        const double* const from = g + k * rows_;
        double* const to = minus_u + k * rows_;
        for (Index i = begin; i < end; ++i) to[i] = weight(i) > 0 ? from[i] / weight(i) : 0.0;
      }
      sums[0] = loss_.conjugate(block(begin, end), minus_u + begin);
      for (Index k = 0; offset != nullptr && k < outputs_; ++k) {
        for (Index i = begin; i < end; ++i) sums[0] -= g[k * rows_ + i] * offset[i];
      }
    })[0];
  }
  // h as `product` and `curvature_block` take it: s_i loss''(eta_i) of one output, probabilities of
  // several. `scratch` is as long.
  void curvature(const double* eta, double* scratch, double* h) const {
    blocks_.for_each([&](Index begin, Index end) {
      loss_.curvature(block(begin, end), eta + begin, scratch + begin, h + begin);
    });
  }
  // The expectation of h under the model of a likelihood.
  void information(const double* eta, double* h) const {
    blocks_.for_each([&](Index begin, Index end) {
      loss_.information(block(begin, end), eta + begin, h + begin);
    });
  }
  // v <- (the second derivative) v
  void product(const double* h, double* v) const {
    blocks_.for_each([&](Index begin, Index end) { product(begin, end, h, v); });
  }
  // On some rows.
  void product(Index begin, Index end, const double* h, double* v) const {
    loss_.product(block(begin, end), h + begin, v + begin, v + begin);
  }
  // s_i d2 loss / d eta_k d eta_l: h itself, or made in `scratch` of n.
  const double* curvature_block(const double* h, Index k, Index l, double* scratch) const {
    if (outputs_ == 1) return h;
    blocks_.for_each(
        [&](Index begin, Index end) { curvature_block(h, k, l, begin, end, scratch + begin); });
    return scratch;
  }
  // The same on some rows, of several outputs.
  void curvature_block(const double* h, Index k, Index l, Index begin, Index end,
                       double* out) const {
    const double* const p = h + k * rows_;
    const double* const q = h + l * rows_;
    const double one = k == l ? 1.0 : 0.0;
    if (weights_ == nullptr) {
      for (Index i = begin; i < end; ++i) out[i - begin] = p[i] * (one - q[i]);
    } else {
      for (Index i = begin; i < end; ++i) out[i - begin] = weights_[i] * p[i] * (one - q[i]);
    }
  }

  // eta += step d
  void advance(double step, const double* d, double* eta) const { blocks_.advance(step, d, eta); }
  // Of one plane.
  double sum(const double* v) const { return blocks_.sum(v); }

 private:
  loss::Rows block(Index begin, Index end, const double* weights) const {
    return {.y = y_ + begin,
            .s = weights != nullptr ? weights + begin : nullptr,
            .n = end - begin,
            .stride = rows_};
  }
  loss::Rows block(Index begin, Index end) const { return block(begin, end, weights_); }

  const loss::LossBlock& loss_;
  const double* y_;
  const double* weights_;
  Index rows_, outputs_;
  RowBlocks blocks_;
};

}  // namespace thalweg::objective
