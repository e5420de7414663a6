// A loss over all rows of a data set, at given predictions:
//
//   sum_i s_i loss(y_i, eta_i)
//
// with its derivatives, its conjugate, and its values along a line. Of a loss with K outputs every
// vector has K planes of n.
//
// Losses are evaluated in blocks of rows of fixed boundaries, in parallel where there are many;
// sums of blocks are added in order, so that threads do not change a bit of them.
//
// Cost: one pass over its vectors for each call.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "thalweg/core/parallel.hpp"
#include "thalweg/design/concept.hpp"
#include "thalweg/loss/blocks.hpp"

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
        execution_(execution) {}

  const loss::LossBlock& loss() const { return loss_; }
  const core::Execution& execution() const { return execution_; }
  void ignore_stop() { execution_.stop = nullptr; }
  double weight(Index i) const { return weights_ != nullptr ? weights_[i] : 1.0; }

  double value(const double* eta) const { return value(eta, weights_); }
  // With other weights.
  double value(const double* eta, const double* weights) const {
    return sum_over_rows<1>([&](Index begin, Index count, auto& sums) {
      sums[0] = loss_.value(block(begin, count, weights), eta + begin);
    })[0];
  }
  // The value as well; g_i = s_i loss'(eta_i).
  double gradient(const double* eta, double* g) const {
    return sum_over_rows<1>([&](Index begin, Index count, auto& sums) {
      sums[0] = loss_.gradient(block(begin, count), eta + begin, g + begin);
    })[0];
  }
  // Value, first and second derivative of sum_i s_i loss(y_i, eta_i + t d_i) at t = step.
  std::array<double, 3> line(const double* eta, const double* d, double step) const {
    return sum_over_rows<3>([&](Index begin, Index count, auto& sums) {
      loss_.line(block(begin, count), eta + begin, d + begin, step, sums.data());
    });
  }
  // sum_i s_i (loss*(y_i, -u_i) + u_i offset_i) of g = -s u; leaves -u, zero in rows of weight
  // zero.
  double conjugate(const double* g, const double* offset, double* minus_u) const {
    return sum_over_rows<1>([&](Index begin, Index count, auto& sums) {
      for (Index k = 0; k < outputs_; ++k) {
        const double* const from = g + k * rows_;
        double* const to = minus_u + k * rows_;
        for (Index i = begin; i < begin + count; ++i)
          to[i] = weight(i) > 0 ? from[i] / weight(i) : 0.0;
      }
      sums[0] = loss_.conjugate(block(begin, count), minus_u + begin);
      for (Index k = 0; offset != nullptr && k < outputs_; ++k) {
        for (Index i = begin; i < begin + count; ++i) sums[0] -= g[k * rows_ + i] * offset[i];
      }
    })[0];
  }
  // h as `product` and `curvature_block` take it: s_i loss''(eta_i) of one output, probabilities of
  // several. `scratch` is as long.
  void curvature(const double* eta, double* scratch, double* h) const {
    over_rows([&](Index begin, Index count) {
      loss_.curvature(block(begin, count), eta + begin, scratch + begin, h + begin);
    });
  }
  // The expectation of h under the model of a likelihood.
  void information(const double* eta, double* h) const {
    over_rows([&](Index begin, Index count) {
      loss_.information(block(begin, count), eta + begin, h + begin);
    });
  }
  // v <- (the second derivative) v
  void product(const double* h, double* v) const {
    over_rows([&](Index begin, Index count) {
      loss_.product(block(begin, count), h + begin, v + begin, v + begin);
    });
  }
  // s_i d2 loss / d eta_k d eta_l: h itself, or made in `scratch` of n.
  const double* curvature_block(const double* h, Index k, Index l, double* scratch) const {
    if (outputs_ == 1) return h;
    const double* const p = h + k * rows_;
    const double* const q = h + l * rows_;
    over_rows([&](Index begin, Index count) {
      for (Index i = begin; i < begin + count; ++i)
        scratch[i] = weight(i) * p[i] * ((k == l ? 1.0 : 0.0) - q[i]);
    });
    return scratch;
  }

  // eta += step d
  void advance(double step, const double* d, double* eta) const {
    over_rows([&](Index begin, Index count) {
      for (Index k = 0; k < outputs_; ++k) {
        const double* const from = d + k * rows_;
        double* const to = eta + k * rows_;
        for (Index i = begin; i < begin + count; ++i) to[i] += step * from[i];
      }
    });
  }
  // Of one plane.
  double sum(const double* v) const {
    return sum_over_rows<1>([&](Index begin, Index count, auto& sums) {
      for (Index i = begin; i < begin + count; ++i) sums[0] += v[i];
    })[0];
  }

  // Whether the prediction of each label is ahead of those of all others, in rows that count.
  bool is_separated(const double* eta) const {
    for (Index i = 0; i < rows_; ++i) {
      if (weight(i) != 0 && !(margin(eta, i) > 0)) return false;
    }
    return true;
  }

 private:
  static constexpr Index row_block = 2048;

  // f(begin, count) for blocks of rows.
  template <class F>
  void over_rows(F&& f) const {
    core::parallel_for((rows_ + row_block - 1) / row_block,
                       design::serial_if_small(8 * rows_ * outputs_, execution_), [&](Index block) {
                         const Index begin = block * row_block;
                         f(begin, std::min(row_block, rows_ - begin));
                       });
  }
  // Sums of `count` numbers that f(begin, count, sums) adds to, blocks in order.
  template <std::size_t count, class F>
  std::array<double, count> sum_over_rows(F&& f) const {
    const Index blocks = (rows_ + row_block - 1) / row_block;
    std::vector<std::array<double, count>> partial(static_cast<std::size_t>(blocks),
                                                   std::array<double, count>{});
    over_rows([&](Index begin, Index rows) {
      f(begin, rows, partial[static_cast<std::size_t>(begin / row_block)]);
    });
    std::array<double, count> sums{};
    for (const auto& part : partial) {
      for (std::size_t c = 0; c < count; ++c) sums[c] += part[c];
    }
    return sums;
  }

  loss::Rows block(Index begin, Index count, const double* weights) const {
    return {.y = y_ + begin,
            .s = weights != nullptr ? weights + begin : nullptr,
            .n = count,
            .stride = rows_};
  }
  loss::Rows block(Index begin, Index count) const { return block(begin, count, weights_); }

  // How far the prediction of a label is ahead of that of any other.
  double margin(const double* eta, Index i) const {
    if (outputs_ == 1) return y_[i] * eta[i];
    const auto label = static_cast<Index>(y_[i]);
    double other = -infinity;
    for (Index k = 0; k < outputs_; ++k) {
      if (k != label) other = std::max(other, eta[k * rows_ + i]);
    }
    return eta[label * rows_ + i] - other;
  }

  const loss::LossBlock& loss_;
  const double* y_;
  const double* weights_;
  Index rows_, outputs_;
  core::Execution execution_;
};

}  // namespace thalweg::objective
