// NumPy arrays to pointers: checks of dtype and layout, and never a conversion or a copy.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>

#include "thalweg/core/types.hpp"

namespace thalweg::bindings {

namespace py = pybind11;

// A TypeError that names the argument, what came and what was expected.
[[noreturn]] inline void reject(const char* name, const py::handle& got,
                                const std::string& expected) {
  std::string description = py::str(py::type::of(got).attr("__name__"));
  if (py::isinstance<py::array>(got)) {
    description = "array of dtype " + std::string(py::str(got.attr("dtype"))) + " and shape " +
                  std::string(py::str(got.attr("shape")));
  }
  throw py::type_error(std::string(name) + " must be " + expected + "; got " + description);
}

// A contiguous array of T, one-dimensional or column-major.
template <class T>
py::array checked(const char* name, const py::handle& object, int dimensions,
                  const std::string& expected) {
  if (!py::isinstance<py::array>(object)) reject(name, object, expected);
  auto array = py::reinterpret_borrow<py::array>(object);
  const bool right = py::isinstance<py::array_t<T>>(array) && array.ndim() == dimensions &&
                     (array.flags() & py::array::f_style) != 0;
  if (!right) reject(name, object, expected);
  return array;
}

inline py::array float64_vector(const char* name, const py::handle& object, Index length) {
  const std::string expected =
      "a contiguous float64 array of shape (" + std::to_string(length) + ",)";
  py::array array = checked<double>(name, object, 1, expected);
  if (array.shape(0) != length) reject(name, object, expected);
  return array;
}

inline py::array float64_columns(const char* name, const py::handle& object, Index rows) {
  const std::string expected =
      "a column-major float64 array of shape (" + std::to_string(rows) + ", k)";
  py::array array = checked<double>(name, object, 2, expected);
  if (array.shape(0) != rows) reject(name, object, expected);
  return array;
}

inline const double* data(const py::array& array) {
  return static_cast<const double*>(array.data());
}

// A NumPy array that owns a moved vector.
template <class T, class Allocator>
py::array_t<T> to_numpy(std::vector<T, Allocator>&& values) {
  using Values = std::vector<T, Allocator>;
  auto* owner = new Values(std::move(values));
  const py::capsule free(owner, [](void* p) { delete static_cast<Values*>(p); });
  return py::array_t<T>(static_cast<py::ssize_t>(owner->size()), owner->data(), free);
}

}  // namespace thalweg::bindings
