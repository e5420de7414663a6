#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <vector>

#include "thalweg/design/any_design.hpp"

namespace thalweg::bindings {

// A view and the Python arrays that it looks at.
struct BoundDesign {
  design::AnyDesign view;
  std::vector<pybind11::object> owners;
  std::string kind, order, dtype;
  bool canonical = true;
};

void bind_errors(pybind11::module_& m);
void bind_catalog(pybind11::module_& m);
void bind_design(pybind11::module_& m);
void bind_labels(pybind11::module_& m);
void bind_loss(pybind11::module_& m);
void bind_solve(pybind11::module_& m);
void bind_minimize(pybind11::module_& m);

}  // namespace thalweg::bindings
