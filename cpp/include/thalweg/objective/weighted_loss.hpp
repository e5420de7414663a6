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
#include <cmath>
#include <vector>

#include "thalweg/core/numerics.hpp"
#include "thalweg/design/concept.hpp"
#include "thalweg/kernels/kernels.hpp"
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

  // Where rows bend most: of the second derivative of some, a K x K matrix each, the largest
  // eigenvalue and its vector, in planes of as many.
  struct Bends {
    Vector size, direction;
  };
  Bends bends(design::RowList rows, const double* h) const;

  // Derivatives with respect to a shift of each output's predictions, of several outputs.
  struct ShiftDerivatives {
    Vector slope, size;  // the sum of the rows' slopes, and of their absolute values
    Vector curvature;    // K x K
  };
  ShiftDerivatives shift_derivatives(const double* eta) const;

  // eta += step d
  void advance(double step, const double* d, double* eta) const { blocks_.advance(step, d, eta); }
  // sum_i s_i terms(y_i), of one output.
  double terms() const {
    return blocks_.sum<1>(
        [&](Index begin, Index end, auto& sums) { sums[0] = loss_.terms(block(begin, end)); })[0];
  }
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

// By the power method: what matters is that most of the matrix is found. From a direction that
// parts the likeliest class from the others.
inline WeightedLoss::Bends WeightedLoss::bends(design::RowList rows, const double* h) const {
  constexpr int rounds = 20;
  const std::size_t n = rows.size(), outputs = static_cast<std::size_t>(outputs_);
  Bends found{Vector(n, 0.0), Vector(n * outputs, 1.0)};
  if (outputs_ == 1) {
    for (std::size_t t = 0; t < n; ++t) found.size[t] = h[rows[t]];
    return found;
  }
  Vector p(n * outputs);
  std::vector<std::size_t> likeliest(n, 0);
  for (std::size_t k = 0; k < outputs; ++k) {
    for (std::size_t t = 0; t < n; ++t) {
      p[k * n + t] = h[k * static_cast<std::size_t>(rows_) + rows[t]];
      if (p[k * n + t] > p[likeliest[t] * n + t]) likeliest[t] = k;
    }
  }
  for (std::size_t k = 0; k < outputs; ++k) {
    for (std::size_t t = 0; t < n; ++t)
      found.direction[k * n + t] = likeliest[t] == k ? 1.0 : -p[k * n + t];
  }
  Vector norms(n);
  for (int round = 0; round < rounds; ++round) {
    loss_.product(
        {.y = nullptr, .s = nullptr, .n = static_cast<Index>(n), .stride = static_cast<Index>(n)},
        p.data(), found.direction.data(), found.direction.data());
    std::fill(norms.begin(), norms.end(), 0.0);
    for (std::size_t k = 0; k < outputs; ++k) {
      for (std::size_t t = 0; t < n; ++t) norms[t] += core::square(found.direction[k * n + t]);
    }
    for (std::size_t t = 0; t < n; ++t) {
      found.size[t] = weight(rows[t]) * std::sqrt(norms[t]);
      norms[t] = norms[t] > 0 ? 1 / std::sqrt(norms[t]) : 0.0;
    }
    for (std::size_t k = 0; k < outputs; ++k) {
      for (std::size_t t = 0; t < n; ++t) found.direction[k * n + t] *= norms[t];
    }
  }
  return found;
}

// Probabilities p_k of some rows at a time meet each other while they are in the cache:
// sum_i s_i p_k ([k = l] - p_l). The rows are shared out in a few parts with sums of their own.
inline WeightedLoss::ShiftDerivatives WeightedLoss::shift_derivatives(const double* eta) const {
  constexpr Index height = 256, most_parts = 8;
  const auto k_size = static_cast<std::size_t>(outputs_);
  const Index parts = std::clamp<Index>(rows_ / height, 1, most_parts);
  std::vector<ShiftDerivatives> sums(static_cast<std::size_t>(parts));
  const kernels::DenseKernels<double>& kernel = kernels::table().dense<double>();
  core::Execution whole = execution();
  whole.stop = nullptr;
  core::parallel_for(parts, design::serial_if_small(8 * rows_ * outputs_, whole), [&](Index part) {
    ShiftDerivatives& sum = sums[static_cast<std::size_t>(part)];
    sum = {Vector(k_size, 0.0), Vector(k_size, 0.0), Vector(k_size * k_size, 0.0)};
    Vector at(k_size * height), g(at.size()), p(at.size()), weighted(height);
    const Index end = (part + 1) * rows_ / parts;
    for (Index row = part * rows_ / parts; row < end; row += height) {
      const Index n = std::min(height, end - row);
      for (Index k = 0; k < outputs_; ++k)
        std::copy_n(eta + k * rows_ + row, n, at.data() + k * height);
      loss::Rows some = block(row, row + n);
      some.stride = height;
      loss_.curvature(some, at.data(), g.data(), p.data());
      for (Index k = 0; k < outputs_; ++k) {
        const double* const slope = g.data() + k * height;
        const double* const own = p.data() + k * height;
        const auto out = static_cast<std::size_t>(k);
        for (Index i = 0; i < n; ++i) {
          sum.slope[out] += slope[i];
          sum.size[out] += std::fabs(slope[i]);
          weighted[static_cast<std::size_t>(i)] = weight(row + i) * own[i];
          sum.curvature[out + out * k_size] += weighted[static_cast<std::size_t>(i)];
        }
        for (Index l = 0; l <= k; ++l)
          sum.curvature[out + static_cast<std::size_t>(l) * k_size] -=
              kernel.dot(weighted.data(), p.data() + l * height, n);
      }
    }
  });
  ShiftDerivatives total = std::move(sums.front());
  for (std::size_t part = 1; part < sums.size(); ++part) {
    for (std::size_t k = 0; k < k_size; ++k) {
      total.slope[k] += sums[part].slope[k];
      total.size[k] += sums[part].size[k];
    }
    for (std::size_t k = 0; k < total.curvature.size(); ++k)
      total.curvature[k] += sums[part].curvature[k];
  }
  return total;
}

}  // namespace thalweg::objective
