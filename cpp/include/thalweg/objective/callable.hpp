// A function that the caller supplies, point by point, as a smooth objective.
//
// A trial of a line search is an evaluation at base + t d. The gradient of the last trial is kept,
// so that a move to it costs none. Calls are counted.
#pragma once

#include <functional>

#include "thalweg/objective/smooth.hpp"

namespace thalweg::objective {

// Empty where the caller has not got it; `value_gradient` and `value` must be there.
struct UserFunction {
  Index size = 0;
  std::function<double(const double* x)> value;
  std::function<double(const double* x, double* gradient)> value_gradient;
  // out = H(x) v
  std::function<void(const double* x, const double* v, double* out)> hessian_product;
  // Column major, size x size.
  std::function<void(const double* x, double* out)> hessian;
  // r(x) and its Jacobian, column major of leading dimension residual_count.
  std::function<void(const double* x, double* r, double* jacobian)> residuals;
  Index residual_count = 0;
};

class Callable final : public Smooth,
                       private HessianProduct,
                       private HessianMatrix,
                       private Residuals {
 public:
  explicit Callable(UserFunction function)
      : function_(std::move(function)),
        base_(length()),
        direction_(length()),
        trial_(length()),
        trial_gradient_(length()) {}

  Index size() const override { return function_.size; }

  double evaluate(const double* x, double* gradient) override {
    base_.assign(x, x + length());
    has_trial_ = false;
    count_gradient();
    return function_.value_gradient(x, gradient);
  }

  void begin_line(const double* direction) override {
    direction_.assign(direction, direction + length());
    has_trial_ = false;
  }

  double value_along(double step) override {
    go_to(step);
    has_trial_ = false;
    ++counts_.values;
    return function_.value(trial_.data());
  }

  LinePoint along(double step) override {
    go_to(step);
    count_gradient();
    LinePoint at{.step = step};
    at.value = trial_value_ = function_.value_gradient(trial_.data(), trial_gradient_.data());
    for (std::size_t j = 0; j < length(); ++j) at.slope += trial_gradient_[j] * direction_[j];
    trial_step_ = step;
    has_trial_ = true;
    return at;
  }

  double move(double step, double* x, double* gradient) override {
    if (!has_trial_ || trial_step_ != step) along(step);
    base_.swap(trial_);
    std::copy(base_.begin(), base_.end(), x);
    std::copy(trial_gradient_.begin(), trial_gradient_.end(), gradient);
    has_trial_ = false;
    return trial_value_;
  }

  Refinements refinements() override {
    return {.product = function_.hessian_product ? this : nullptr,
            .matrix = function_.hessian ? this : nullptr,
            .diagonal = nullptr,
            .residuals = function_.residuals ? this : nullptr};
  }

  Counts counts() const override { return counts_; }
  Costs costs() const override { return {}; }

 private:
  std::size_t length() const { return static_cast<std::size_t>(function_.size); }

  void count_gradient() {
    ++counts_.values;
    ++counts_.gradients;
  }

  void go_to(double step) {
    for (std::size_t j = 0; j < length(); ++j) trial_[j] = base_[j] + step * direction_[j];
  }

  void multiply(const double* v, double* out) override {
    ++counts_.hessian_products;
    function_.hessian_product(base_.data(), v, out);
  }
  void assemble(double* out) override {
    ++counts_.hessians;
    function_.hessian(base_.data(), out);
  }
  Index residual_count() const override { return function_.residual_count; }
  void linearize(double* r, double* jacobian) override {
    ++counts_.hessians;
    function_.residuals(base_.data(), r, jacobian);
  }

  UserFunction function_;
  Vector base_, direction_, trial_, trial_gradient_;
  double trial_value_ = infinity, trial_step_ = 0;
  bool has_trial_ = false;
  Counts counts_;
};

}  // namespace thalweg::objective
