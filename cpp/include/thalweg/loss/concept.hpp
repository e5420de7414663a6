// A loss is a scalar function of a target y and a prediction eta; it knows neither data, weights
// nor n. It is an aggregate of its parameters, in the order of info.parameters, and is written
// once, for a number type V that is double or a pack of SIMD lanes (kernels/pack.inl):
//
//   evaluate(y, eta)     {value, gradient, curvature}, of which unused ones cost nothing
//   conjugate(y, theta)  sup_eta theta eta - value, +inf outside its domain
//   inverse_link(eta)    the prediction on the scale of y
//   validate(y)          is y in the loss's domain, which domain() puts into words
//   third(y, at)         of some, for which it is at most the curvature: the derivative of that
//                        where evaluate is `at`; see SelfConcordant
//   terms(y)             of deviances: the size of the terms that cancel in the value at mean y
//   information(eta)     of likelihoods: E[curvature(y, eta)] over the y that the model has at eta
//
// gradient is +d/d eta, never negated; at a kink it is a subgradient. curvature is the second
// derivative where it is positive and exists, else 0. A loss that is not convex has the conjugate
// +inf, which is an upper bound, but no certificate.
//
// Flags, the same set for all; what depends on parameters is said of the defaults:
//   convex                in eta; is_convex(loss) speaks for a loss with its parameters
//   smooth                differentiable everywhere on its domain
//   twice_differentiable  so that Newton's method sees the second derivative
//   quadratic             value = (y - eta)^2 / 2
//   classification        y is a label: -1 or 1, or the index of a class
//   falls_for_ever        of a label: towards an infimum that no margin reaches
//   multi_output          a function of one prediction for each class, see MultiLoss
//   single_output         the others, for what needs them
//   likelihood            minus a log-likelihood or a quasi-likelihood of y, up to a factor and a
//                         term of y, of mean or probability inverse_link(eta); see Likelihood
#pragma once

#include <array>
#include <concepts>
#include <span>
#include <string_view>
#include <utility>

#include "thalweg/core/info.hpp"
#include "thalweg/core/numerics.hpp"
#include "thalweg/core/types.hpp"

namespace thalweg::loss {

// What losses call on a V that is double; the functions of packs are found by their namespace.
using core::abs;
using core::any;
using core::exp;
using core::log;
using core::log1p;
using core::max;
using core::min;
using core::select;
using core::sqrt;

template <class V>
struct Derivatives {
  V value, gradient, curvature;
};

template <class L>
concept Loss = requires(const L& loss, double y, double eta, double theta) {
  { loss.evaluate(y, eta) }
  noexcept->std::same_as<Derivatives<double>>;
  { loss.conjugate(y, theta) }
  noexcept->std::same_as<double>;
  { loss.inverse_link(eta) }
  noexcept->std::same_as<double>;
  { loss.validate(y) }
  noexcept->std::same_as<bool>;
  { loss.domain() }
  noexcept->std::same_as<std::string_view>;
  { L::info } -> std::convertible_to<const core::Info&>;
};

// A loss that is a likelihood: its Fisher information is that of one sample, in the prediction.
template <class L>
concept Likelihood = Loss<L> && requires(const L& loss, double eta) {
  { loss.information(eta) }
  noexcept->std::same_as<double>;
};

// A loss whose curvature changes by a factor of at most exp(d) over a distance d (Bach 2010,
// self-concordance of logistic regression), so that it is known around a point from there.
template <class L>
concept SelfConcordant = Loss<L> && requires(double y, const Derivatives<double>& at) {
  { L::third(y, at) }
  noexcept->std::same_as<double>;
};

// A loss of `outputs` predictions eta_k and a label y: with the weights e_k = exp(eta_k - max_l
// eta_l), softmax(y, eta, keep) calls keep(k, e_k) and returns what the value and the gradient
// follow from. The second derivative does not depend on y, so that it is its own expectation.
template <class L>
concept MultiLoss = requires(const L& loss, double y) {
  { L{Index{2}}.outputs } -> std::convertible_to<Index>;
  { loss.validate(y) }
  noexcept->std::same_as<bool>;
  { loss.domain() }
  noexcept->std::same_as<std::string_view>;
  { L::info } -> std::convertible_to<const core::Info&>;
}
&&core::flag(L::info, "multi_output");

template <Loss L>
double value(const L& loss, double y, double eta) noexcept {
  return loss.evaluate(y, eta).value;
}

template <Loss L>
double gradient(const L& loss, double y, double eta) noexcept {
  return loss.evaluate(y, eta).gradient;
}

template <Loss L>
double curvature(const L& loss, double y, double eta) noexcept {
  return loss.evaluate(y, eta).curvature;
}

template <class L>
bool is_convex(const L& loss) noexcept {
  if constexpr (requires { loss.is_convex(); }) return loss.is_convex();
  else return core::flag(L::info, "convex");
}

// Square residuals and the losses of labels have no terms but their value.
inline bool has_terms(const core::Info& info) {
  return !core::flag(info, "quadratic") && !core::flag(info, "classification");
}

// The size of the terms that cancel in the value where eta predicts y well, which its rounding is
// relative to.
template <class L, class V>
V terms(const L& loss, V y) noexcept {
  if constexpr (requires { loss.terms(y); }) return loss.terms(y);
  else return has_terms(L::info) ? abs(y) : V(0.0);
}

// The loss with these parameters, in the order of info.parameters. An empty base of an aggregate
// takes braces of its own.
template <Loss L>
constexpr L with_parameters(std::span<const double> parameters) {
  return [&]<std::size_t... k>(std::index_sequence<k...>) {
    if constexpr (requires { L{parameters[k]...}; }) return L{parameters[k]...};
    else return L{{}, parameters[k]...};
  }
  (std::make_index_sequence<L::info.parameters.size()>{});
}

// The flags of a loss, of which all have the same names.
struct Flags {
  bool convex = false;
  bool smooth = false;
  bool bounded_curvature = false;  // of predictions anywhere
  bool twice_differentiable = false;
  bool quadratic = false;
  bool classification = false;
  bool falls_for_ever = false;
  bool multi_output = false;
  bool likelihood = false;
  bool dispersed = false;  // a likelihood but for a scale, which is to be estimated
};

constexpr std::array<core::Flag, 11> flags_of(Flags f) {
  return {{{"convex", f.convex},
           {"smooth", f.smooth},
           {"bounded_curvature", f.bounded_curvature},
           {"twice_differentiable", f.twice_differentiable},
           {"quadratic", f.quadratic},
           {"classification", f.classification},
           {"falls_for_ever", f.falls_for_ever},
           {"multi_output", f.multi_output},
           {"single_output", !f.multi_output},
           {"likelihood", f.likelihood},
           {"dispersed", f.dispersed}}};
}

// What losses of a real target share.
struct Regression {
  template <class V>
  static V inverse_link(V eta) noexcept {
    return eta;
  }
  static bool validate(double y) noexcept { return std::isfinite(y); }
  static std::string_view domain() noexcept { return "y finite"; }
};

// t log t, 0 at 0.
template <class V>
V x_log_x(V t) noexcept {
  return select(t == 0.0, V(0.0), t * log(t));
}

}  // namespace thalweg::loss
