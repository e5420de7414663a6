// Limits of coefficients: given for those of the raw columns, needed for those of the scaled ones.
#pragma once

#include "thalweg/solver/request.hpp"

namespace thalweg::solver {

class Limits final {
 public:
  // `columns`: what knows their scales. `spec` must live as long.
  template <class Columns>
  Limits(const PenaltySpec& spec, const Columns& columns)
      : spec_(spec), lower_(spec.lower), upper_(spec.upper), is_scaled_(columns.is_scaled()) {
    if (!is_scaled_) return;
    const auto scaled = [&](const double* limits, Vector& storage) -> const double* {
      if (limits == nullptr) return nullptr;
      const auto cols = static_cast<Index>(columns.sq_norms().size());
      storage.assign(limits, limits + cols);
      for (Index j = 0; j < cols; ++j)
        storage[static_cast<std::size_t>(j)] /= columns.inverse_scale(j);
      return storage.data();
    };
    lower_ = scaled(spec.lower, lower_storage_);
    upper_ = scaled(spec.upper, upper_storage_);
  }
  Limits(const Limits&) = delete;
  Limits& operator=(const Limits&) = delete;

  bool any() const { return lower_ != nullptr || upper_ != nullptr; }
  // In the coordinates of the scaled columns.
  penalty::Terms terms(double alpha) const {
    return {spec_.strengths(alpha, spec_.parameters), spec_.weights, lower_, upper_};
  }
  // Scaling back and forth may miss a limit by a rounding.
  void clip_raw(Vector& coef) const {
    if (!is_scaled_) return;
    const penalty::Terms limits({}, nullptr, spec_.lower, spec_.upper);
    for (std::size_t j = 0; j < coef.size(); ++j) {
      const penalty::Term limit = limits(static_cast<Index>(j));
      coef[j] = core::clip(coef[j], limit.lower, limit.upper);
    }
  }

 private:
  const PenaltySpec& spec_;
  const double* lower_;
  const double* upper_;
  bool is_scaled_;
  Vector lower_storage_, upper_storage_;
};

}  // namespace thalweg::solver
