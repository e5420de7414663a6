// Parameters of a catalogued entry from a Python dict, by name: numbers, or the names of choices.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "thalweg/core/error.hpp"
#include "thalweg/core/info.hpp"
#include "thalweg/core/types.hpp"

namespace thalweg::bindings {

namespace py = pybind11;

// The position of `name` in an interval such as "{cyclic, random}".
inline double choice(const core::Info& entry, const core::Parameter& parameter,
                     const std::string& name) {
  const std::string names(parameter.interval.substr(1, parameter.interval.size() - 2));
  double position = 0;
  for (std::size_t begin = 0; begin < names.size(); ++position) {
    const std::size_t end = std::min(names.find(", ", begin), names.size());
    if (names.compare(begin, end - begin, name) == 0) return position;
    begin = end + 2;
  }
  throw core::InvalidArgument(std::string(parameter.name) + " of " + std::string(entry.name) +
                              " must be one of " + std::string(parameter.interval) + "; got '" +
                              name + "'");
}

// In the order of the entry's Info; those that are not given have their defaults.
inline Vector parameters_of(const core::Info& entry, const py::dict& given) {
  Vector values;
  py::size_t used = 0;
  for (const core::Parameter& parameter : entry.parameters) {
    const py::str name{std::string(parameter.name)};
    values.push_back(parameter.default_value);
    if (!given.contains(name)) continue;
    ++used;
    const py::object value = given[name];
    values.back() = py::isinstance<py::str>(value)
                        ? choice(entry, parameter, py::cast<std::string>(value))
                        : py::cast<double>(value);
  }
  if (used == given.size()) return values;
  for (const auto& item : given) {
    const auto name = py::cast<std::string>(item.first);
    bool known = false;
    for (const core::Parameter& parameter : entry.parameters) known |= parameter.name == name;
    if (!known) {
      throw core::InvalidArgument("'" + std::string(entry.name) + "' has no parameter '" + name +
                                  "'");
    }
  }
  return values;
}

}  // namespace thalweg::bindings
