#include "user_function.hpp"

#include <pybind11/complex.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <memory>
#include <optional>

#include "thalweg/core/error.hpp"
#include "thalweg/core/types.hpp"
#include "thalweg/objective/hessian.hpp"

namespace thalweg::bindings {
namespace {

// An array of its own for every call: the function may keep it, or write into it.
py::array_t<double> copy_of(const double* x, Index size) {
  return py::array_t<double>(static_cast<py::ssize_t>(size), x);
}

std::string complaint(const char* name, const std::string& expected, const py::object& got) {
  return std::string(name) + " must return " + expected + "; got an object of type " +
         std::string(py::str(py::type::of(got).attr("__name__")));
}

// convert(), where Python's complaint about what `name` returned becomes one that names it. Other
// exceptions, of the object's own methods, come out unchanged.
template <class Convert>
auto naming(const char* name, const std::string& expected, const py::object& got,
            Convert&& convert) {
  try {
    return convert();
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_TypeError) && !error.matches(PyExc_ValueError)) throw;
    const std::string message =
        complaint(name, expected, got) + " (" + std::string(py::str(error.value())) + ")";
    py::raise_from(error, PyExc_TypeError, message.c_str());
    throw py::error_already_set();
  }
}

// None, which NumPy makes a NaN of, is a forgotten return.
py::array to_array(const char* name, const std::string& expected, const py::object& object) {
  if (object.is_none()) throw py::type_error(complaint(name, expected, object));
  return naming(name, expected, object, [&] { return py::array(object); });
}

bool is_complex(const py::object& number) {
  if (PyComplex_Check(number.ptr()) != 0) return true;
  return py::isinstance(number, py::module_::import("numpy").attr("complexfloating"));
}

// Whether it is a list or a tuple of one entry, which SciPy takes for a number.
bool is_single(const py::object& object) {
  return (py::isinstance<py::list>(object) || py::isinstance<py::tuple>(object)) &&
         py::len(object) == 1;
}

double to_number(const py::object& object) {
  if (PyFloat_Check(object.ptr())) return PyFloat_AS_DOUBLE(object.ptr());
  py::object number = object;
  if (is_single(object)) number = to_array("fun", "a real number", object);
  if (py::isinstance<py::tuple>(object) && py::len(object) == 2) {
    throw py::type_error(
        "fun must return a real number; got a tuple of 2: is it (f, gradient), which jac=True "
        "takes?");
  }
  if (py::isinstance<py::array>(number)) {
    if (py::reinterpret_borrow<py::array>(number).size() != 1) {
      throw py::value_error("fun must return a number; got an array of shape " +
                            std::string(py::str(number.attr("shape"))));
    }
    number = number.attr("item")();
  }
  if (is_complex(number)) {
    throw py::type_error("fun must return a real number; got the complex " +
                         std::string(py::str(number)));
  }
  return naming("fun", "a real number", number, [&] {
    const double value = PyFloat_AsDouble(number.ptr());
    if (value == -1.0 && PyErr_Occurred() != nullptr) throw py::error_already_set();
    return value;
  });
}

// What a function is to return: a vector, or a matrix of two sides.
struct Shape {
  Index rows;
  std::optional<Index> columns = {};

  Index size() const { return rows * columns.value_or(1); }
  std::string text() const {
    return "(" + std::to_string(rows) + "," + (columns ? " " + std::to_string(*columns) : "") + ")";
  }
  // Arrays of the right size are taken for vectors, and for matrices of one row or column: their
  // numbers have one order only.
  bool fits(const py::array& array) const {
    if (array.size() != size()) return false;
    if (rows == 1 || columns.value_or(1) == 1) return true;
    return array.ndim() == 2 && array.shape(0) == rows;
  }
};

// The entries of what `name` returned, in C order.
void to_numbers(const char* name, const py::object& object, const Shape& shape, double* out) {
  const py::object dense = !py::isinstance<py::array>(object) && py::hasattr(object, "toarray")
                               ? object.attr("toarray")()
                               : object;
  const std::string expected = "an array of real numbers of shape " + shape.text();
  const py::array array = to_array(name, expected, dense);
  if (array.dtype().kind() == 'c') {
    throw py::type_error(std::string(name) + " must return real numbers; got complex ones");
  }
  const auto numbers = naming(name, expected, object, [&] {
    return py::array_t<double, py::array::c_style | py::array::forcecast>(array);
  });
  if (!shape.fits(numbers)) {
    throw py::value_error(std::string(name) + " must return an array of shape " + shape.text() +
                          "; got shape " + std::string(py::str(array.attr("shape"))));
  }
  std::copy_n(numbers.data(), shape.size(), out);
}

// (f, gradient), as fun returns it where jac is True.
py::sequence to_pair(const py::object& result) {
  if (!py::isinstance<py::tuple>(result) && !py::isinstance<py::list>(result)) {
    throw py::type_error("fun must return (f, gradient) where jac is True; got an object of type " +
                         std::string(py::str(py::type::of(result).attr("__name__"))));
  }
  const auto pair = py::reinterpret_borrow<py::sequence>(result);
  if (pair.size() != 2) {
    throw py::value_error("fun must return (f, gradient) where jac is True; got " +
                          std::to_string(pair.size()) + " values");
  }
  return pair;
}

// x + i h e_j, with h so small that h^2 is nothing beside 1: the complex step has no cancellation
// (Squire & Trapp 1998). For analytic functions.
double complex_step(double x) { return 1e-20 * std::max(1.0, std::fabs(x)); }

py::array_t<std::complex<double>> complex_point(const double* x, Index size, Index j) {
  py::array_t<std::complex<double>> point(static_cast<py::ssize_t>(size));
  std::copy_n(x, size, point.mutable_data());
  point.mutable_at(j) += std::complex<double>(0, complex_step(x[j]));
  return point;
}

// The imaginary parts of what `name` returned, over the step: a column of the Jacobian. `scheme`
// is the argument that asks for it.
void to_derivatives(const char* name, const char* scheme, const py::object& object, Index count,
                    double step, double* out) {
  const std::string where = std::string(" for a complex point where ") + scheme + " is 'cs'";
  const py::array array = to_array(name, "complex numbers" + where, object);
  if (array.dtype().kind() != 'c' || array.size() != count) {
    throw py::type_error(std::string(name) + " must return " + std::to_string(count) +
                         " complex number" + (count == 1 ? "" : "s") + where + "; got dtype " +
                         std::string(py::str(array.dtype())) + " and shape " +
                         std::string(py::str(array.attr("shape"))));
  }
  const py::array_t<std::complex<double>, py::array::c_style | py::array::forcecast> numbers(array);
  for (Index k = 0; k < count; ++k) out[k] = numbers.data()[k].imag() / step;
}

// A Python function of a point. The last value is kept: line searches that look at values only are
// followed by a gradient at the same point.
class PythonFunction final {
 public:
  PythonFunction(const GivenFunctions& given, Index size, const Calls& calls)
      : fun_(given.fun),
        jac_(given.jac),
        is_pair_(given.jac.is(py::bool_(true))),
        is_complex_(!is_pair_ && py::isinstance<py::str>(given.jac) &&
                    py::cast<std::string>(given.jac) == "cs"),
        size_(size),
        calls_(calls),
        gradient_(is_pair_ ? static_cast<std::size_t>(size) : 0) {}

  bool has_gradient() const { return is_pair_ || is_complex_ || PyCallable_Check(jac_.ptr()) != 0; }

  double value(const double* x) {
    if (is_at(x)) return value_;
    if (!calls_.budget.spend_function()) return nan;
    value_ = nan;
    const bool done = calls_.run([&] {
      const py::object result = fun_(copy_of(x, size_));
      if (is_pair_) {
        const py::sequence pair = to_pair(result);
        value_ = to_number(pair[0]);
        to_numbers("fun", pair[1], {size_}, gradient_.data());
        ++calls_.budget.gradients;
      } else {
        value_ = to_number(result);
      }
    });
    if (done) x_.assign(x, x + size_);
    else x_.clear();
    return value_;
  }

  double value_gradient(const double* x, double* gradient) {
    const double at = value(x);
    this->gradient(x, gradient);
    return at;
  }

  // Without the value, unless both come together.
  void gradient(const double* x, double* out) {
    std::fill_n(out, size_, nan);
    if (is_pair_) {
      value(x);
      if (is_at(x)) std::copy(gradient_.begin(), gradient_.end(), out);
    } else if (is_complex_) {
      for (Index j = 0; j < size_; ++j) out[j] = complex_slope(x, j);
    } else if (calls_.budget.may_go_on()) {
      ++calls_.budget.gradients;
      calls_.run([&] { to_numbers("jac", jac_(copy_of(x, size_)), {size_}, out); });
    }
  }

  // By complex steps of gradients: exact to rounding.
  void complex_hessian(const double* x, double* out) {
    std::fill_n(out, size_ * size_, nan);
    for (Index j = 0; j < size_; ++j) {
      if (!complex_column(x, j, out + j * size_)) return;
    }
    objective::make_symmetric(out, static_cast<std::size_t>(size_));
  }

 private:
  bool is_at(const double* x) const { return !x_.empty() && std::equal(x_.begin(), x_.end(), x); }

  double complex_slope(const double* x, Index j) {
    double slope = nan;
    if (!calls_.budget.spend_function()) return slope;
    calls_.run([&] {
      to_derivatives("fun", "jac", fun_(complex_point(x, size_, j)), 1, complex_step(x[j]), &slope);
    });
    return slope;
  }

  // False where no call was made, or it raised.
  bool complex_column(const double* x, Index j, double* out) {
    if (is_pair_ ? !calls_.budget.spend_function() : !calls_.budget.may_go_on()) return false;
    ++calls_.budget.gradients;
    return calls_.run([&] {
      const auto point = complex_point(x, size_, j);
      const py::object column = is_pair_ ? py::object(to_pair(fun_(point))[1]) : jac_(point);
      to_derivatives(is_pair_ ? "fun" : "jac", "hess", column, size_, complex_step(x[j]), out);
    });
  }

  py::object fun_, jac_;
  bool is_pair_, is_complex_;
  Index size_;
  Calls calls_;
  Vector x_, gradient_;
  double value_ = nan;
};

objective::UserFunction python_function(const GivenFunctions& given, Index size,
                                        const Calls& calls) {
  const auto function = std::make_shared<PythonFunction>(given, size, calls);
  objective::UserFunction f;
  f.size = size;
  f.value = [function](const double* x) { return function->value(x); };
  if (function->has_gradient()) {
    f.value_gradient = [function](const double* x, double* gradient) {
      return function->value_gradient(x, gradient);
    };
    f.gradient = [function](const double* x, double* out) { function->gradient(x, out); };
  }
  if (py::isinstance<py::str>(given.hess)) {
    f.hessian = [function](const double* x, double* out) { function->complex_hessian(x, out); };
  }
  return f;
}

// Python residuals with their Jacobian, column major. Residuals of the last point are kept.
class PythonResiduals final {
 public:
  PythonResiduals(const GivenFunctions& given, const Vector& start, const Calls& calls,
                  const objective::DifferenceOptions& differences)
      : residuals_(given.residuals),
        jac_(given.jac),
        size_(static_cast<Index>(start.size())),
        calls_(calls),
        x_(start),
        r_(first_residuals()),
        count_(static_cast<Index>(r_.size())),
        differences_(size_, count_, differences) {}

  Index count() const { return count_; }

  // Either output may be null.
  void operator()(const double* x, double* r, double* jacobian) {
    evaluate(x);
    if (r != nullptr) std::copy(r_.begin(), r_.end(), r);
    if (jacobian == nullptr) return;
    std::fill_n(jacobian, count_ * size_, nan);
    if (PyCallable_Check(jac_.ptr()) != 0) call_jacobian(x, jacobian);
    else if (py::cast<std::string>(jac_) == "cs") complex_jacobian(x, jacobian);
    else difference_jacobian(x, jacobian);
    calls_.budget.start_is_known();
  }

 private:
  // At x_. One NaN where it raises: no other call is made then.
  Vector first_residuals() const {
    Vector r{nan};
    ++calls_.budget.functions;
    calls_.run([&] {
      const py::array array =
          to_array("residuals", "an array of real numbers", residuals_(copy_of(x_.data(), size_)));
      if (array.size() == 0) throw py::value_error("residuals must return at least one number");
      Vector numbers(static_cast<std::size_t>(array.size()));
      to_numbers("residuals", array, {static_cast<Index>(array.size())}, numbers.data());
      r = std::move(numbers);
    });
    return r;
  }

  void evaluate(const double* x) {
    if (!x_.empty() && std::equal(x_.begin(), x_.end(), x)) return;
    x_.clear();
    std::fill(r_.begin(), r_.end(), nan);
    if (call_residuals(x, r_.data())) x_.assign(x, x + size_);
  }

  bool call_residuals(const double* x, double* out) {
    return calls_.budget.spend_function() && calls_.run([&] {
      to_numbers("residuals", residuals_(copy_of(x, size_)), {count_}, out);
    });
  }

  void call_jacobian(const double* x, double* jacobian) {
    if (!calls_.budget.may_go_on()) return;
    ++calls_.budget.gradients;
    rows_.resize(static_cast<std::size_t>(count_ * size_));
    const bool done = calls_.run([&] {
      to_numbers("jac", jac_(copy_of(x, size_)), {count_, size_}, rows_.data());
    });
    if (!done) return;
    for (Index j = 0; j < size_; ++j) {
      for (Index k = 0; k < count_; ++k)
        jacobian[j * count_ + k] = rows_[static_cast<std::size_t>(k * size_ + j)];
    }
  }

  void complex_jacobian(const double* x, double* jacobian) {
    for (Index j = 0; j < size_ && calls_.budget.spend_function(); ++j) {
      const bool done = calls_.run([&] {
        to_derivatives("residuals", "jac", residuals_(complex_point(x, size_, j)), count_,
                       complex_step(x[j]), jacobian + j * count_);
      });
      if (!done) return;
    }
  }

  void difference_jacobian(const double* x, double* jacobian) {
    const Vector at = r_;
    const auto residuals = [this](const double* point, double* out) {
      if (!call_residuals(point, out)) std::fill_n(out, count_, nan);
    };
    differences_.jacobian(residuals, x, at.data(), jacobian);
  }

  py::object residuals_, jac_;
  Index size_;
  Calls calls_;
  Vector x_, r_;
  Index count_;
  Vector rows_;
  objective::Differences differences_;
};

objective::UserFunction residual_function(const GivenFunctions& given, const Vector& start,
                                          const Calls& calls,
                                          const objective::DifferenceOptions& differences) {
  const auto function = std::make_shared<PythonResiduals>(given, start, calls, differences);
  objective::UserFunction f;
  f.size = static_cast<Index>(start.size());
  f.residual_count = function->count();
  f.residuals = [function](const double* x, double* r, double* jacobian) {
    (*function)(x, r, jacobian);
  };
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

  objective::UserFunction f;
  f.size = size;
  const auto counted = [calls](auto&& call) {
    return calls.budget.spend_function() ? call() : nan;
  };
  if (signature == "double(int,double*,double*,void*)") {
    const auto function = reinterpret_cast<WithGradient>(address);
    f.value = [=](const double* x) {
      return counted([&] { return function(n, x, nullptr, data); });
    };
    f.value_gradient = [=](const double* x, double* gradient) {
      std::fill_n(gradient, n, nan);  // what it forgets to write is no gradient
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

objective::UserFunction user_function(const GivenFunctions& given, const Vector& start,
                                      const Calls& calls,
                                      const objective::DifferenceOptions& differences) {
  const auto size = static_cast<Index>(start.size());
  objective::UserFunction f;
  if (!given.residuals.is_none()) {
    f = residual_function(given, start, calls, differences);
  } else if (py::isinstance<py::capsule>(given.fun)) {
    f = compiled_function(given.fun, size, calls);
    // Differences may be asked for where the function has a gradient.
    if (!given.jac.is(py::bool_(true))) f.value_gradient = nullptr;
  } else {
    f = python_function(given, size, calls);
  }
  f.has_ended = [calls] { return calls.budget.has_ended(); };
  if (PyCallable_Check(given.hess.ptr()) != 0) {
    f.hessian = [hess = given.hess, size, calls](const double* x, double* out) {
      std::fill_n(out, size * size, nan);
      if (!calls.budget.may_go_on()) return;
      ++calls.budget.hessians;
      calls.run([&] { to_numbers("hess", hess(copy_of(x, size)), {size, size}, out); });
    };
  }
  if (!given.hessp.is_none()) {
    f.hessian_product = [hessp = given.hessp, size, calls](const double* x, const double* v,
                                                           double* out) {
      std::fill_n(out, size, nan);
      if (!calls.budget.may_go_on()) return;
      ++calls.budget.hessians;
      calls.run(
          [&] { to_numbers("hessp", hessp(copy_of(x, size), copy_of(v, size)), {size}, out); });
    };
  }
  return f;
}

}  // namespace thalweg::bindings
