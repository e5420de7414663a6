// What tests of losses share: the parameters and samples that the catalogue's losses are tried
// with.
#pragma once

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "catalogue.hpp"
#include "thalweg/loss/concept.hpp"

namespace thalweg::test {

// Is v in an interval as the catalogue writes it: "[0, 1)", "(-inf, 0] or [1, inf)"?
inline bool contains(std::string_view interval, double v) {
  if (const auto cut = interval.find(" or "); cut != std::string_view::npos) {
    return contains(interval.substr(0, cut), v) || contains(interval.substr(cut + 4), v);
  }
  const auto comma = interval.find(',');
  const double low = std::stod(std::string(interval.substr(1, comma - 1)));
  const double high = std::stod(std::string(interval.substr(comma + 1)));
  return (interval.front() == '[' ? v >= low : v > low) &&
         (interval.back() == ']' ? v <= high : v < high);
}

// Every combination of the defaults and of a few values inside the parameters' intervals.
inline std::vector<std::vector<double>> parameter_choices(const core::Info& info) {
  std::vector<std::vector<double>> choices{{}};
  for (const core::Parameter& parameter : info.parameters) {
    std::vector<std::vector<double>> longer;
    for (const double v : {parameter.default_value, -1.5, 0.0, 0.3, 0.9, 1.0, 1.1, 1.7, 2.0, 3.0}) {
      if (!contains(parameter.interval, v)) continue;
      for (std::vector<double> choice : choices) {
        choice.push_back(v);
        longer.push_back(choice);
      }
    }
    choices = longer;
  }
  return choices;
}

template <class L>
std::vector<double> targets(const L& loss) {
  std::vector<double> valid;
  for (const double y : {-2.5, -1.0, 0.0, 0.3, 1.0, 2.0, 4.0}) {
    if (loss.validate(y)) valid.push_back(y);
  }
  return valid;
}

// Away from the kinks of the losses above: derivatives are compared there.
inline const std::vector<double> smooth_points{-8.0137, -3.1571, -1.0373, -0.2191, 0.1193,
                                               0.7127,  1.0531,  2.6183,  9.0273};
// Kinks included.
inline const std::vector<double> all_points{-8.0137, -3.1571, -2.0,   -1.0373, -1.0,
                                            -0.2191, 0.0,     0.1193, 0.7,     1.0,
                                            1.3,     2.0,     2.6,    4.0,     9.0273};

}  // namespace thalweg::test
