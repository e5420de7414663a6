// A penalty of the separable family says how its parameters and alpha become strengths; everything
// else is written once, in separable.hpp.
#pragma once

#include <concepts>
#include <span>

#include "thalweg/core/info.hpp"
#include "thalweg/penalty/separable.hpp"

namespace thalweg::penalty {

template <class P>
concept SeparablePenalty = requires(double alpha, std::span<const double> parameters) {
  // `parameters` in the order of info.parameters.
  { P::strengths(alpha, parameters) } -> std::same_as<Strengths>;
  { P::info } -> std::convertible_to<const core::Info&>;
};

}  // namespace thalweg::penalty
