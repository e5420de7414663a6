// The model without columns: the intercepts that are best by themselves, and the sizes that
// tolerances and certificates are relative to.
//
//   min over b of (1 / sum s) sum_i s_i loss(y_i, b + offset_i)
//
// Cost: a handful of passes over the rows for each output and round. For the losses over all rows
// of smooth_glm.hpp.
#pragma once

#include <algorithm>
#include <cmath>

#include "thalweg/objective/best_step.hpp"
#include "thalweg/objective/glm.hpp"

namespace thalweg::objective {

// Adds to the predictions `eta` of each output what minimises the loss, one output after the other
// until none changes (at once for a single one); returns the shifts. `scratch`: as long as eta.
template <class Loss>
Vector shift_to_best_intercept(const Loss& loss, Index outputs, Vector& eta, double* scratch) {
  constexpr int most_rounds = 200;
  const auto rows = static_cast<Index>(eta.size()) / outputs;
  Vector shifts(static_cast<std::size_t>(outputs), 0.0);
  for (int round = 0; round < most_rounds; ++round) {
    double largest = 0;
    for (Index k = 0; k < outputs; ++k) {
      std::fill_n(scratch, rows * outputs, 0.0);
      std::fill_n(scratch + k * rows, rows, 1.0);
      const double step = best_step(loss, eta, scratch);
      double* const own = eta.data() + k * rows;
      for (Index i = 0; i < rows; ++i) own[i] += step;
      double& shift = shifts[static_cast<std::size_t>(k)];
      shift += step;
      largest = std::max(largest, std::fabs(step) / (1 + std::fabs(shift)));
    }
    if (outputs == 1 || largest <= 4 * epsilon || loss.execution().stop_requested()) break;
  }
  return shifts;
}

struct NullModel {
  double objective = 0;
  Vector intercept;  // of each output, zero where none is fitted
  // The root mean square of the loss's slopes, zero where it is rounding: then the model is exact.
  double slope_norm = 0;
  double mean_abs_target = 0;

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
