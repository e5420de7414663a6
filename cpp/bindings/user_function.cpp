#include "user_function.hpp"

#include <pybind11/complex.h>

#include <algorithm>
#include <cmath>
#include <complex>

#include "thalweg/core/error.hpp"

namespace thalweg::bindings {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// An array of its own for every call: the function may keep it, or write into it.
py::array_t<double> copy_of(const double* x, Index size) {
  return py::array_t<double>(static_cast<py::ssize_t>(size), x);
}

double to_number(const py::handle& object) {
  if (PyFloat_Check(object.ptr())) return PyFloat_AS_DOUBLE(object.ptr());
  py::object number = py::reinterpret_borrow<py::object>(object);
  if (py::isinstance<py::array>(object)) {
    if (py::reinterpret_borrow<py::array>(object).size() != 1) {
      throw py::value_error("fun must return a number; got an array of shape " +
                            std::string(py::str(object.attr("shape"))));
    }
    number = object.attr("item")();
  }
  const double value = PyFloat_AsDouble(number.ptr());
  if (value == -1.0 && PyErr_Occurred() != nullptr) throw py::error_already_set();
  return value;
}

// The entries of what `name` returned, in C order.
void to_numbers(const char* name, const py::object& object, Index size, const std::string& shape,
                double* out) {
  py::object dense = object;
  if (!py::isinstance<py::array>(object) && py::hasattr(object, "toarray"))
    dense = object.attr("toarray")();
  py::array array = py::array::ensure(dense);
  if (!array) throw py::error_already_set();
  if (array.dtype().kind() == 'c') {
    throw py::type_error(std::string(name) + " must return real numbers; got complex ones");
  }
  const auto numbers =
      py::array_t<double, py::array::c_style | py::array::forcecast>::ensure(array);
  if (!numbers) throw py::error_already_set();
  if (numbers.size() != size) {
    throw py::value_error(std::string(name) + " must return an array of shape " + shape +
                          "; got shape " + std::string(py::str(array.attr("shape"))));
  }
  std::copy_n(numbers.data(), size, out);
}

std::string vector_shape(Index size) { return "(" + std::to_string(size) + ",)"; }

double python_value(const py::object& fun, const double* x, Index size) {
  return to_number(fun(copy_of(x, size)));
}

// fun returns (f, g).
double python_pair(const py::object& fun, const double* x, Index size, double* gradient) {
  const py::object result = fun(copy_of(x, size));
  if (!py::isinstance<py::tuple>(result) && !py::isinstance<py::list>(result)) {
    throw py::type_error("fun must return (f, gradient) where jac is True; got an object of type " +
                         std::string(py::str(py::type::of(result).attr("__name__"))));
  }
  const auto pair = py::reinterpret_borrow<py::sequence>(result);
  if (pair.size() != 2) {
    throw py::value_error("fun must return (f, gradient) where jac is True; got " +
                          std::to_string(pair.size()) + " values");
  }
  const double value = to_number(py::object(pair[0]));
  to_numbers("fun", pair[1], size, vector_shape(size), gradient);
  return value;
}

double imaginary_part(const py::object& object) {
  const py::object number = py::isinstance<py::array>(object) ? object.attr("item")() : object;
  if (PyComplex_Check(number.ptr()) == 0) {
    throw py::type_error(
        "fun must return complex numbers for complex points where jac is 'cs'; got an object of "
        "type " +
        std::string(py::str(py::type::of(number).attr("__name__"))));
  }
  return PyComplex_ImagAsDouble(number.ptr());
}

// Im f(x + i h e_j) / h: without cancellation, so that h may be as small as one likes (Squire &
// Trapp 1998). For analytic functions.
double complex_step(const py::object& fun, const double* x, Index size, Index j) {
  const double h = 1e-20 * std::max(1.0, std::fabs(x[j]));
  py::array_t<std::complex<double>> point(static_cast<py::ssize_t>(size));
  std::copy_n(x, size, point.mutable_data());
  point.mutable_at(j) += std::complex<double>(0, h);
  return imaginary_part(fun(point)) / h;
}

objective::UserFunction python_function(const GivenFunctions& given, Index size,
                                        const Calls& calls) {
  objective::UserFunction f{.size = size};
  const py::object fun = given.fun, jac = given.jac;
  const bool is_pair = jac.is(py::bool_(true));
  f.value = [fun, is_pair, size, calls](const double* x) {
    double value = nan;
    if (!calls.budget.spend_function()) return value;
    calls.run([&] {
      const py::object result = fun(copy_of(x, size));
      value = to_number(is_pair ? py::object(result[py::int_(0)]) : result);
    });
    return value;
  };
  if (is_pair) {
    f.value_gradient = [fun, size, calls](const double* x, double* gradient) {
      double value = nan;
      if (!calls.budget.spend_function()) return value;
      ++calls.budget.gradients;
      calls.run([&] { value = python_pair(fun, x, size, gradient); });
      return value;
    };
  } else if (PyCallable_Check(jac.ptr()) != 0) {
    f.value_gradient = [fun, jac, size, calls](const double* x, double* gradient) {
      double value = nan;
      if (!calls.budget.spend_function()) return value;
      ++calls.budget.gradients;
      calls.run([&] {
        value = python_value(fun, x, size);
        to_numbers("jac", jac(copy_of(x, size)), size, vector_shape(size), gradient);
      });
      return value;
    };
  } else if (py::cast<std::string>(jac) == "cs") {
    f.value_gradient = [fun, value = f.value, size, calls](const double* x, double* gradient) {
      const double at = value(x);
      for (Index j = 0; j < size && std::isfinite(at); ++j) {
        gradient[j] = nan;
        if (!calls.budget.spend_function()) break;
        calls.run([&] { gradient[j] = complex_step(fun, x, size, j); });
      }
      return at;
    };
  }
  return f;
}

// What a capsule says of its function: "double (int, double *, ...)", without blanks and const.
std::string signature_of(const py::capsule& capsule) {
  std::string signature = capsule.name() != nullptr ? capsule.name() : "";
  for (std::size_t at; (at = signature.find("const")) != std::string::npos;) signature.erase(at, 5);
  std::erase(signature, ' ');
  return signature;
}

objective::UserFunction compiled_function(const py::capsule& capsule, Index size,
                                          const Calls& calls) {
  using WithGradient = double (*)(int, const double*, double*, void*);
  using WithData = double (*)(int, const double*, void*);
  using Plain = double (*)(int, const double*);
  const std::string signature = signature_of(capsule);
  void* address = PyCapsule_GetPointer(capsule.ptr(), capsule.name());
  if (address == nullptr) throw py::error_already_set();
  void* data = PyCapsule_GetContext(capsule.ptr());
  const int n = static_cast<int>(size);

  objective::UserFunction f{.size = size};
  const auto counted = [calls](auto&& call) {
    return calls.budget.spend_function() ? call() : nan;
  };
  if (signature == "double(int,double*,double*,void*)") {
    const auto function = reinterpret_cast<WithGradient>(address);
    f.value = [=](const double* x) {
      return counted([&] { return function(n, x, nullptr, data); });
    };
    f.value_gradient = [=](const double* x, double* gradient) {
      return counted([&] {
        ++calls.budget.gradients;
        return function(n, x, gradient, data);
      });
    };
  } else if (signature == "double(int,double*,void*)") {
    const auto function = reinterpret_cast<WithData>(address);
    f.value = [=](const double* x) { return counted([&] { return function(n, x, data); }); };
  } else if (signature == "double(int,double*)") {
    const auto function = reinterpret_cast<Plain>(address);
    f.value = [=](const double* x) { return counted([&] { return function(n, x); }); };
  } else {
    throw core::InvalidArgument(
        "a compiled fun must have one of the signatures 'double (int, double *, double *, void *)' "
        "(size, point, gradient to write or NULL, user data), 'double (int, double *, void *)' and "
        "'double (int, double *)'; got '" +
        std::string(capsule.name() != nullptr ? capsule.name() : "") + "'");
  }
  return f;
}

}  // namespace

objective::UserFunction user_function(const GivenFunctions& given, Index size, const Calls& calls) {
  objective::UserFunction f = py::isinstance<py::capsule>(given.fun)
                                  ? compiled_function(given.fun, size, calls)
                                  : python_function(given, size, calls);
  if (!given.hess.is_none()) {
    f.hessian = [hess = given.hess, size, calls](const double* x, double* out) {
      std::fill_n(out, size * size, nan);
      if (!calls.budget.may_go_on()) return;
      const std::string n = std::to_string(size);
      calls.run([&] {
        to_numbers("hess", hess(copy_of(x, size)), size * size, "(" + n + ", " + n + ")", out);
      });
    };
  }
  if (!given.hessp.is_none()) {
    f.hessian_product = [hessp = given.hessp, size, calls](const double* x, const double* v,
                                                           double* out) {
      std::fill_n(out, size, nan);
      if (!calls.budget.may_go_on()) return;
      calls.run([&] {
        to_numbers("hessp", hessp(copy_of(x, size), copy_of(v, size)), size, vector_shape(size),
                   out);
      });
    };
  }
  return f;
}

}  // namespace thalweg::bindings
