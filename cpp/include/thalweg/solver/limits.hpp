// Limits of coefficients: given for those of the raw columns, needed for those of the scaled ones.
#pragma once

#include "thalweg/solver/request.hpp"

namespace thalweg::solver {

class Limits final {
 public:
  // `columns`: what knows their scales. `spec` must live as long.
  template <class Columns>
  Limits(const PenaltySpec& spec, const Columns& columns)
      : spec_(spec),
        cols_(static_cast<Index>(columns.sq_norms().size())),
        lower_(spec.lower),
        upper_(spec.upper),
        is_scaled_(columns.is_scaled()) {
    if (!is_scaled_) return;
    const auto scaled = [&](const double* limits, Vector& storage) -> const double* {
      if (limits == nullptr) return nullptr;
      storage.assign(limits, limits + cols_);
      for (Index j = 0; j < cols_; ++j)
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
  // `coef`, of the raw columns, output by output, from those of the scaled columns: what is at a
  // limit there is at the limit here, which scaling back may miss by a rounding.
  void clip_raw(const Vector& scaled, Vector& coef) const {
    if (!is_scaled_ || !any()) return;
    const penalty::Terms raw({}, nullptr, spec_.lower, spec_.upper);
    const penalty::Terms limits({}, nullptr, lower_, upper_);
    for (std::size_t i = 0; i < coef.size(); ++i) {
      const Index j = static_cast<Index>(i) % cols_;
      const penalty::Term limit = raw(j), scaled_limit = limits(j);
      coef[i] = core::clip(coef[i], limit.lower, limit.upper);
      if (scaled[i] <= scaled_limit.lower) coef[i] = limit.lower;
      else if (scaled[i] >= scaled_limit.upper) coef[i] = limit.upper;
    }
  }

 private:
  const PenaltySpec& spec_;
  Index cols_;
  const double* lower_;
  const double* upper_;
  bool is_scaled_;
  Vector lower_storage_, upper_storage_;
};

}  // namespace thalweg::solver
