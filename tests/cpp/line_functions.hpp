// Functions of one variable for tests of line searches.
#pragma once

#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include "thalweg/objective/smooth.hpp"

namespace thalweg::test {

struct LineFunction {
  std::string name;
  std::function<double(double t)> value;
  std::function<double(double t)> slope;
};

class CountedLine final : public objective::Line {
 public:
  explicit CountedLine(LineFunction function) : function_(std::move(function)) {}
  double value_along(double step) override {
    ++calls_;
    const double value = function_.value(step);
    if (value < lowest_) lowest_ = value;
    return value;
  }
  objective::LinePoint along(double step) override {
    return {step, value_along(step), function_.slope(step)};
  }
  objective::LinePoint start() const { return {0, function_.value(0), function_.slope(0)}; }
  Index calls() const { return calls_; }
  double lowest() const { return lowest_; }

 private:
  LineFunction function_;
  Index calls_ = 0;
  double lowest_ = infinity;
};

inline LineFunction parabola(double minimizer) {
  return {.name = "parabola",
          .value = [=](double t) { return (t - minimizer) * (t - minimizer); },
          .slope = [=](double t) { return 2 * (t - minimizer); }};
}

// 1 + (t - m)^2 / 2 for m so small that all values near are 1 up to rounding.
inline LineFunction rounded_parabola(double minimizer) {
  return {.name = "rounded parabola",
          .value = [=](double t) { return 1 + 0.5 * (t - minimizer) * (t - minimizer); },
          .slope = [=](double t) { return t - minimizer; }};
}

// Finite up to some step only, with the minimum before it.
inline std::vector<LineFunction> bounded_domains() {
  const auto inside = [](double t, double value) { return t < 1 ? value : std::nan(""); };
  const auto below = [](double t, double value) { return t < 1 ? value : infinity; };
  return {{.name = "barrier",
           .value = [=](double t) { return inside(t, -std::log(1 - t) - 3 * t); },
           .slope = [=](double t) { return inside(t, 1 / (1 - t) - 3); }},
          {.name = "parabola with a wall",
           .value = [=](double t) { return below(t, (t - 0.9) * (t - 0.9)); },
           .slope = [=](double t) { return inside(t, 2 * (t - 0.9)); }},
          {.name = "slopes that are not finite",
           .value = [=](double t) { return t < 1 ? (t - 0.5) * (t - 0.5) : 0.0; },
           .slope = [=](double t) { return inside(t, 2 * (t - 0.5)); }},
          {.name = "overflow",
           .value = [](double t) { return std::exp(t) - 100 * t; },
           .slope = [](double t) { return std::exp(t) - 100; }}};
}

// Section 5 of More & Thuente 1994: the functions 5.1 to 5.4 with their decrease (mu) and curvature
// (eta), and how many evaluations tables I to VI have from steps of 1e-3, 1e-1, 1e1 and 1e3.
struct PaperProblem {
  LineFunction function;
  double decrease, curvature;
  std::array<Index, 4> evaluations;
};

inline LineFunction paper_function_1() {
  return {.name = "5.1",
          .value = [](double t) { return -t / (t * t + 2); },
          .slope = [](double t) { return (t * t - 2) / ((t * t + 2) * (t * t + 2)); }};
}

inline LineFunction paper_function_2() {
  constexpr double beta = 0.004;
  return {.name = "5.2",
          .value = [](double t) { return std::pow(t + beta, 5) - 2 * std::pow(t + beta, 4); },
          .slope = [](double t) { return 5 * std::pow(t + beta, 4) - 8 * std::pow(t + beta, 3); }};
}

inline LineFunction paper_function_3() {
  constexpr double beta = 0.01;
  constexpr double frequency = 39 * std::numbers::pi / 2;
  constexpr double size = (1 - beta) / frequency;
  const auto base = [](double t) {
    if (t <= 1 - beta) return 1 - t;
    if (t >= 1 + beta) return t - 1;
    return (t - 1) * (t - 1) / (2 * beta) + beta / 2;
  };
  const auto base_slope = [](double t) {
    if (t <= 1 - beta) return -1.0;
    if (t >= 1 + beta) return 1.0;
    return (t - 1) / beta;
  };
  return {.name = "5.3",
          .value = [=](double t) { return base(t) + size * std::sin(frequency * t); },
          .slope = [=](double t) { return base_slope(t) + (1 - beta) * std::cos(frequency * t); }};
}

inline LineFunction paper_function_4(double beta1, double beta2) {
  const auto gamma = [](double beta) { return std::sqrt(1 + beta * beta) - beta; };
  const double g1 = gamma(beta1), g2 = gamma(beta2);
  return {
      .name = "5.4",
      .value = [=](double t) { return g1 * std::hypot(1 - t, beta2) + g2 * std::hypot(t, beta1); },
      .slope =
          [=](double t) {
            return g1 * (t - 1) / std::hypot(1 - t, beta2) + g2 * t / std::hypot(t, beta1);
          }};
}

inline std::vector<PaperProblem> paper_problems() {
  return {{paper_function_1(), 0.001, 0.1, {6, 3, 1, 4}},
          {paper_function_2(), 0.1, 0.1, {12, 8, 8, 11}},
          {paper_function_3(), 0.1, 0.1, {12, 12, 10, 13}},
          {paper_function_4(0.001, 0.001), 0.001, 0.001, {4, 1, 3, 4}},
          {paper_function_4(0.01, 0.001), 0.001, 0.001, {6, 3, 7, 8}},
          {paper_function_4(0.001, 0.01), 0.001, 0.001, {13, 11, 8, 11}}};
}

}  // namespace thalweg::test
