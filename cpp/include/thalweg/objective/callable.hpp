// A function that the caller supplies, point by point, as a smooth objective.
//
// A trial of a line search is an evaluation at base + t d. The gradient of the last trial is kept,
// so that a move to it costs none. Calls are counted.
//
// What the caller has not got is derived from what there is, where that is exact or of known error:
// f and its gradient from residuals; products with the Hessian from the matrix, made once per base
// point, else from a difference of gradients (error of the order of sqrt(eps); a gradient each).
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "thalweg/core/numerics.hpp"
#include "thalweg/kernels/kernels.hpp"
#include "thalweg/objective/residual_function.hpp"
#include "thalweg/objective/smooth.hpp"

namespace thalweg::objective {

// Empty where the caller has not got it. `value_gradient` and `value` must be there, or
// `residuals`, of which f = 1/2 sum rho(r^2) is then derived.
struct UserFunction {
  Index size = 0;
  std::function<double(const double* x)> value{};
  std::function<double(const double* x, double* gradient)> value_gradient{};
  // The gradient alone, where that costs less.
  std::function<void(const double* x, double* gradient)> gradient{};
  // out = H(x) v
  std::function<void(const double* x, const double* v, double* out)> hessian_product{};
  // Column major, size x size.
  std::function<void(const double* x, double* out)> hessian{};
  // The same from the gradient at x too; instead of `hessian` (objective/hessian.hpp).
  std::function<void(const double* x, const double* gradient, double* out)> hessian_by_gradients{};
  // r(x) and its Jacobian, column major of leading dimension residual_count; either is null where
  // it is not wanted.
  ResidualFunction::Function residuals{};
  Index residual_count = 0;
  Robust robust{};  // of the residuals
  // Whether calls are not made any more and answered by NaN: then they are not counted.
  std::function<bool()> has_ended{};
};

class Callable final : public Smooth,
                       private HessianProduct,
                       private HessianMatrix,
                       private Residuals {
 public:
  explicit Callable(UserFunction function)
      : function_(std::move(function)),
        base_(length()),
        trial_(length()),
        trial_gradient_(length()) {
    if (function_.residuals) {
      residual_function_.emplace(function_.residuals, function_.size, function_.residual_count,
                                 function_.robust, function_.has_ended, counts_);
    }
    has_hessian_ = function_.hessian || function_.hessian_by_gradients;
    uses_differences_ = !function_.hessian_product && !function_.hessian;
  }
  // The parts refer to each other.
  Callable(const Callable&) = delete;
  Callable& operator=(const Callable&) = delete;

  Index size() const override { return function_.size; }

  double evaluate(const double* x, double* gradient) override {
    base_.assign(x, x + length());
    if (!core::all_finite(base_)) {
      std::fill_n(gradient, length(), nan);
      return nan;
    }
    const double value = value_gradient(x, gradient);
    new_base(gradient);
    return value;
  }

  void begin_line(const double* direction) override {
    direction_ = direction;
    has_trial_ = false;
  }

  double value_along(double step) override {
    has_trial_ = false;
    if (!go_to(step)) return infinity;
    if (!function_.value) return residual_function_->value(trial_.data());
    count(counts_.values);
    return function_.value(trial_.data());
  }

  LinePoint along(double step) override {
    LinePoint at{.step = step, .value = infinity, .slope = infinity};
    has_trial_ = go_to(step);
    if (!has_trial_) return at;
    at.slope = 0;
    at.value = trial_value_ = value_gradient(trial_.data(), trial_gradient_.data());
    for (std::size_t j = 0; j < length(); ++j) at.slope += trial_gradient_[j] * direction_[j];
    trial_step_ = step;
    return at;
  }

  double move(double step, double* x, double* gradient) override {
    if (!has_trial_ || trial_step_ != step) along(step);
    base_.swap(trial_);
    std::copy(base_.begin(), base_.end(), x);
    std::copy(trial_gradient_.begin(), trial_gradient_.end(), gradient);
    new_base(gradient);
    return trial_value_;
  }

  Refinements refinements() override {
    return {.product = this,
            .matrix = has_hessian_ ? this : nullptr,
            .diagonal = nullptr,
            .residuals = function_.residuals ? this : nullptr,
            .product_origin = function_.hessian_product ? ProductOrigin::function
                              : has_hessian_            ? ProductOrigin::matrix
                                                        : ProductOrigin::differences};
  }

  Counts counts() const override { return counts_; }
  Costs costs() const override { return {}; }

 private:
  std::size_t length() const { return static_cast<std::size_t>(function_.size); }

  double value_gradient(const double* x, double* gradient) {
    if (!function_.value_gradient) return residual_function_->value_gradient(x, gradient);
    count(counts_.values);
    count(counts_.gradients);
    return function_.value_gradient(x, gradient);
  }

  void gradient(const double* x, double* out) {
    if (!function_.gradient) {
      value_gradient(x, out);
      return;
    }
    count(counts_.gradients);
    function_.gradient(x, out);
  }

  void count(Index& calls) {
    if (!function_.has_ended || !function_.has_ended()) ++calls;
  }

  void new_base(const double* gradient) {
    has_trial_ = false;
    has_matrix_ = false;
    if (uses_differences_) base_gradient_.assign(gradient, gradient + length());
  }

  // False where numbers end: functions, which may well be finite at infinity, are not asked there.
  bool go_to(double step) {
    for (std::size_t j = 0; j < length(); ++j) trial_[j] = base_[j] + step * direction_[j];
    return core::all_finite(trial_);
  }

  void multiply(const double* v, double* out) override {
    if (function_.hessian_product) {
      count(counts_.hessian_products);
      function_.hessian_product(base_.data(), v, out);
    } else if (has_hessian_) {
      multiply_by_matrix(v, out);
    } else {
      multiply_by_difference(v, out);
    }
  }

  void multiply_by_matrix(const double* v, double* out) {
    if (!has_matrix_) {
      matrix_.resize(length() * length());
      assemble(matrix_.data());
      has_matrix_ = true;
    }
    const auto& dot = kernels::table().dense_f64.dot;
    for (std::size_t j = 0; j < length(); ++j)
      out[j] = dot(matrix_.data() + j * length(), v, function_.size);
  }

  // (grad f(x + h v) - grad f(x)) / h with h |v| = 2 sqrt(eps) (1 + |x|), Nocedal & Wright 2006,
  // section 8.1.
  void multiply_by_difference(const double* v, double* out) {
    const auto& dot = kernels::table().dense_f64.dot;
    const auto norm_of = [&](const double* x) { return std::sqrt(dot(x, x, function_.size)); };
    const double norm = norm_of(v);
    if (norm == 0) {
      std::fill_n(out, length(), 0.0);
      return;
    }
    const double h = 2 * std::sqrt(epsilon) * (1 + norm_of(base_.data())) / norm;
    shifted_.resize(length());
    for (std::size_t j = 0; j < length(); ++j) shifted_[j] = base_[j] + h * v[j];
    if (core::all_finite(shifted_)) gradient(shifted_.data(), out);
    else std::fill_n(out, length(), nan);
    for (std::size_t j = 0; j < length(); ++j) out[j] = (out[j] - base_gradient_[j]) / h;
  }

  void assemble(double* out) override {
    count(counts_.hessians);
    if (function_.hessian) function_.hessian(base_.data(), out);
    else function_.hessian_by_gradients(base_.data(), base_gradient_.data(), out);
  }
  Index residual_count() const override { return function_.residual_count; }
  void linearize(double* r, double* jacobian) override {
    residual_function_->linearize(base_.data(), r, jacobian);
  }

  UserFunction function_;
  Vector base_, trial_, trial_gradient_;
  const double* direction_ = nullptr;
  double trial_value_ = infinity, trial_step_ = 0;
  bool has_trial_ = false;
  std::optional<ResidualFunction> residual_function_;
  bool has_hessian_ = false, uses_differences_ = false;
  Vector base_gradient_, shifted_;
  bool has_matrix_ = false;
  Vector matrix_;
  Counts counts_;
};

}  // namespace thalweg::objective
