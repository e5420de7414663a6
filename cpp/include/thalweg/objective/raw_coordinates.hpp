// Between the coordinates of a model, of centred and scaled columns (columns.hpp), and those of the
// raw columns, output by output, intercepts last:
//
//   coef_j = w_j / c_j,   intercept = b - sum_j m_j coef_j
#pragma once

#include "thalweg/objective/columns.hpp"

namespace thalweg::objective {

class RawCoordinates final {
 public:
  // All of which must outlive it. `null_intercept`: of the model without columns.
  RawCoordinates(const Columns& columns, Index outputs, bool fit_intercept,
                 const Vector& null_intercept)
      : columns_(columns),
        cols_(static_cast<Index>(columns.all().size())),
        outputs_(outputs),
        fit_intercept_(fit_intercept),
        null_intercept_(null_intercept) {}

  void to_raw(const Vector& x, Vector& coef, Vector& intercept) const {
    coef.assign(x.begin(), x.begin() + cols_ * outputs_);
    intercept.assign(length(outputs_), 0.0);
    for (Index k = 0; k < outputs_; ++k) {
      double shift = 0;
      for (Index j = 0; j < cols_; ++j) {
        double& value = coef[length(k * cols_ + j)];
        value *= columns_.inverse_scale(j);
        shift += columns_.mean(j) * value;
      }
      if (fit_intercept_) intercept[length(k)] = x[length(cols_ * outputs_ + k)] - shift;
    }
  }

  // Null: coefficients of zero, intercepts of the model without columns.
  Vector from_raw(const double* coef, const double* intercept) const {
    Vector x(length((cols_ + (fit_intercept_ ? 1 : 0)) * outputs_), 0.0);
    for (Index k = 0; k < outputs_; ++k) {
      double shift = 0;
      for (Index j = 0; coef != nullptr && j < cols_; ++j) {
        shift += columns_.mean(j) * coef[k * cols_ + j];
        x[length(k * cols_ + j)] = coef[k * cols_ + j] / columns_.inverse_scale(j);
      }
      if (!fit_intercept_) continue;
      x[length(cols_ * outputs_ + k)] = coef != nullptr && intercept != nullptr
                                            ? intercept[k] + shift
                                            : null_intercept_[length(k)];
    }
    return x;
  }

  // The largest entry of the gradient with respect to raw coefficients and intercepts.
  double gradient_norm(const Vector& gradient) const {
    double largest = 0;
    for (Index k = 0; k < outputs_; ++k) {
      const double slope = fit_intercept_ ? gradient[length(cols_ * outputs_ + k)] : 0.0;
      largest = std::max(largest, std::fabs(slope));
      for (Index j = 0; j < cols_; ++j) {
        const double entry = gradient[length(k * cols_ + j)] / columns_.inverse_scale(j);
        largest = std::max(largest, std::fabs(entry + columns_.mean(j) * slope));
      }
    }
    return largest;
  }

 private:
  static std::size_t length(Index n) { return static_cast<std::size_t>(n); }

  const Columns& columns_;
  Index cols_, outputs_;
  bool fit_intercept_;
  const Vector& null_intercept_;
};

}  // namespace thalweg::objective
