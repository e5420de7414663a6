// The model without columns: the intercepts that are best by themselves, and the sizes that
// tolerances and certificates are relative to.
//
//   min over b of (1 / sum s) sum_i s_i loss(y_i, b + offset_i)
//
// Cost: a handful of passes over the rows; of K outputs with n K^2 / 2 multiply-adds each. For the
// losses over all rows of smooth_glm.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <type_traits>

#include "thalweg/kernels/cholesky.hpp"
#include "thalweg/objective/best_step.hpp"
#include "thalweg/objective/glm.hpp"
#include "thalweg/objective/weighted_loss.hpp"

namespace thalweg::objective {

// The Newton step of the outputs' intercepts, of sum zero, since a shift of all changes nothing.
// Where probabilities are zero and one there is no curvature: a share of the slopes' sizes, the
// less the better they balance, stands in for it. False where slopes are as good as zero.
inline bool intercept_step(WeightedLoss::ShiftDerivatives at, Vector& step) {
  constexpr double rounding = 16 * epsilon, dependence = 1e-12, share = 0.01;
  const auto outputs = static_cast<Index>(at.slope.size());
  double imbalance = 0;
  for (std::size_t k = 0; k < at.slope.size(); ++k) {
    if (at.size[k] > 0) imbalance = std::max(imbalance, std::fabs(at.slope[k]) / at.size[k]);
  }
  if (imbalance <= rounding) return false;
  for (std::size_t k = 0; k < at.slope.size(); ++k)
    at.curvature[k * (at.slope.size() + 1)] += share * imbalance * at.size[k];
  kernels::Cholesky factor;
  factor.factorize(at.curvature.data(), outputs, outputs, dependence, {});
  step = std::move(at.slope);
  factor.solve(step.data());
  const double mean = std::accumulate(step.begin(), step.end(), 0.0) / static_cast<double>(outputs);
  for (double& each : step) each = mean - each;
  return true;
}

// Adds to the predictions `eta` of each output what minimises the loss; returns the shifts.
// `scratch`: as long as eta. Of several outputs by Newton steps on all of them together, far from
// the minimum with a search along the line.
template <class Loss>
Vector shift_to_best_intercept(const Loss& loss, Index outputs, Vector& eta, double* scratch) {
  constexpr int most_rounds = 100;
  constexpr double far = 0.5, last = 1e-9;  // steps that are not tried, and whose next is rounding
  const auto rows = static_cast<Index>(eta.size()) / outputs;
  Vector shifts(static_cast<std::size_t>(outputs), 0.0);
  const auto move = [&](Index k, double step) {
    double* const own = eta.data() + k * rows;
    for (Index i = 0; i < rows; ++i) own[i] += step;
    shifts[static_cast<std::size_t>(k)] += step;
  };
  if (outputs == 1) {
    std::fill_n(scratch, rows, 1.0);
    move(0, best_step(loss, eta, scratch));
    return shifts;
  }
  if constexpr (std::is_same_v<Loss, WeightedLoss>) {
    Vector step;
    for (int round = 0; round < most_rounds && !loss.execution().stop_requested(); ++round) {
      if (!intercept_step(loss.shift_derivatives(eta.data()), step)) break;
      double length = 1, largest = 0;
      for (const double each : step) largest = std::max(largest, std::fabs(each));
      if (largest > far) {
        for (Index k = 0; k < outputs; ++k)
          std::fill_n(scratch + k * rows, rows, step[static_cast<std::size_t>(k)]);
        length = best_step(loss, eta, scratch);
      }
      for (Index k = 0; k < outputs; ++k) move(k, length * step[static_cast<std::size_t>(k)]);
      if (largest <= last || length == 0) break;
    }
  }
  return shifts;
}

struct NullModel {
  double objective = 0;
  Vector intercept;  // of each output, zero where none is fitted
  // The root mean square of the loss's slopes, zero where it is rounding: then the model is exact.
  double slope_norm = 0;
  double mean_abs_target = 0;
  double term_size = 0;  // the mean size of the terms that cancel in the loss of a good model

  // Leaves predictions in `eta` and s loss' in `slopes`.
  template <class Loss>
  static NullModel find(Loss& loss, const GlmData& data, double total, Index outputs, Vector& eta,
                        Vector& slopes, double* scratch) {
    const auto rows = static_cast<Index>(eta.size()) / outputs;
    const auto at = [&](Index k, Index i) { return static_cast<std::size_t>(k * rows + i); };
    for (Index k = 0; k < outputs; ++k) {
      for (Index i = 0; i < rows; ++i) eta[at(k, i)] = data.offset != nullptr ? data.offset[i] : 0;
    }
    NullModel model;
    model.intercept.assign(static_cast<std::size_t>(outputs), 0.0);
    if (data.fit_intercept) model.intercept = shift_to_best_intercept(loss, outputs, eta, scratch);
    model.objective = loss.gradient(eta.data(), slopes.data()) / total;
    double square = 0, mean_abs = 0;
    for (Index i = 0; i < rows; ++i) {
      const double weight = loss.weight(i);
      mean_abs += weight * std::fabs(data.y[i]);
      for (Index k = 0; weight > 0 && k < outputs; ++k)
        square += core::square(slopes[at(k, i)]) / weight;
    }
    model.mean_abs_target = mean_abs / total;
    const bool has_terms = loss::has_terms(loss.loss().info());
    model.term_size = has_terms ? loss.terms() / total : 0;
    model.slope_norm = std::sqrt(square / total);
    if (model.slope_norm <= slope_rounding(loss, data.offset, total, eta, rows, scratch))
      model.slope_norm = 0;
    return model;
  }

  // What rounding makes of the mean slope of a loss that is a sum over rows: predictions are sums
  // that are rounded, and slopes are off by their second derivative times that; of counts in the
  // millions, much.
  template <class Loss>
  static double slope_rounding(const Loss& loss, const double* offset, double total,
                               const Vector& eta, Index rows, double* scratch) {
    for (std::size_t i = 0; i < eta.size(); ++i) {
      const double shift = offset != nullptr ? std::fabs(offset[static_cast<Index>(i) % rows]) : 0;
      scratch[i] = std::sqrt(1 + std::fabs(eta[i]) + shift);
    }
    return 8 * epsilon * loss.line(eta.data(), scratch, 0)[2] / total;
  }
};

}  // namespace thalweg::objective
