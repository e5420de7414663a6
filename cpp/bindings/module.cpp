// The module thalweg._core: one bind_* function per area.
#include <pybind11/pybind11.h>

#include "bindings.hpp"

PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
  using namespace thalweg::bindings;
  m.doc() = "Native core of Thalweg. Private: use the package thalweg.";
  bind_errors(m);
  bind_catalog(m);
  bind_design(m);
  bind_labels(m);
  bind_loss(m);
  bind_solve(m);
  bind_minimize(m);
}
