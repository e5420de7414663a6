// A loss is a scalar function of a target y and a prediction eta; it knows neither data, weights
// nor n. gradient is +d/d eta, never negated; conjugate(y, theta) = sup_eta theta eta - value, +inf
// outside its domain.
#pragma once

#include <concepts>

#include "thalweg/core/info.hpp"

namespace thalweg::loss {

template <class L>
concept Loss = requires(double y, double eta, double theta) {
  { L::value(y, eta) }
  noexcept->std::same_as<double>;
  { L::gradient(y, eta) }
  noexcept->std::same_as<double>;
  { L::curvature(y, eta) }
  noexcept->std::same_as<double>;
  { L::conjugate(y, theta) }
  noexcept->std::same_as<double>;
  { L::inverse_link(eta) }
  noexcept->std::same_as<double>;
  { L::info } -> std::convertible_to<const core::Info&>;
};

}  // namespace thalweg::loss
