// A sum of squares, or of a robust loss, of the caller's residuals as a function with gradient:
//
//   f = 1/2 sum_k c^2 rho(r_k^2 / c^2),   grad f = J' (rho' r)
//
// Residuals and Jacobian of the last point are kept, so that a value, then the gradient, then the
// linearisation at the same point call for each of them once. Values sum in the order of the
// residuals.
#pragma once

#include <algorithm>
#include <functional>

#include "thalweg/kernels/kernels.hpp"
#include "thalweg/objective/robust.hpp"
#include "thalweg/objective/smooth.hpp"

namespace thalweg::objective {

class ResidualFunction final {
 public:
  // r(x) and its Jacobian, column major of leading dimension `count`; null where not wanted.
  using Function = std::function<void(const double* x, double* r, double* jacobian)>;

  // Counts its calls in `counts`, where `has_ended` is empty or says that they are made.
  ResidualFunction(const Function& function, Index size, Index count, const Robust& robust,
                   const std::function<bool()>& has_ended, Counts& counts)
      : function_(function),
        size_(size),
        count_(count),
        robust_(robust),
        has_ended_(has_ended),
        counts_(counts) {}

  double value(const double* x) {
    prepare(x, false);
    return robust_value(robust_, r_.data(), count_);
  }

  double value_gradient(const double* x, double* gradient) {
    prepare(x, true);
    weighted_.resize(r_.size());
    for (std::size_t k = 0; k < r_.size(); ++k) {
      const double z = (r_[k] / robust_.scale) * (r_[k] / robust_.scale);
      weighted_[k] = evaluate_rho(robust_.rho, z).first * r_[k];
    }
    const auto& dot = kernels::table().dense_f64.dot;
    for (Index j = 0; j < size_; ++j)
      gradient[j] = dot(jacobian_.data() + j * count_, weighted_.data(), count_);
    return robust_value(robust_, r_.data(), count_);
  }

  void linearize(const double* x, double* r, double* jacobian) {
    prepare(x, true);
    std::copy(r_.begin(), r_.end(), r);
    std::copy(jacobian_.begin(), jacobian_.end(), jacobian);
    rescale(robust_, r, jacobian, count_, size_);
  }

 private:
  void prepare(const double* x, bool with_jacobian) {
    const bool is_here = !x_.empty() && std::equal(x_.begin(), x_.end(), x);
    if (is_here && (has_jacobian_ || !with_jacobian)) return;
    r_.resize(static_cast<std::size_t>(count_));
    if (with_jacobian) jacobian_.resize(static_cast<std::size_t>(count_ * size_));
    if (!has_ended_ || !has_ended_()) {
      counts_.values += is_here ? 0 : 1;
      counts_.gradients += with_jacobian ? 1 : 0;
    }
    // An exception in the call leaves nothing to trust.
    x_.clear();
    function_(x, is_here ? nullptr : r_.data(), with_jacobian ? jacobian_.data() : nullptr);
    x_.assign(x, x + size_);
    has_jacobian_ = with_jacobian;
  }

  const Function& function_;
  Index size_, count_;
  Robust robust_;
  const std::function<bool()>& has_ended_;
  Counts& counts_;
  Vector x_, r_, jacobian_, weighted_;
  bool has_jacobian_ = false;
};

}  // namespace thalweg::objective
