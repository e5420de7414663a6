#include "arrays.hpp"
#include "bindings.hpp"
#include "interrupts.hpp"
#include "thalweg/core/labels.hpp"

namespace thalweg::bindings {
namespace {

template <class T>
py::tuple encode(const py::array& y) {
  core::Labels<T> found;
  interruptible(1, [&](const core::Execution& execution) {
    found = core::encode_labels(static_cast<const T*>(y.data()), y.shape(0), execution);
  });
  if (found.bad >= 0) {
    const double value = static_cast<double>(static_cast<const T*>(y.data())[found.bad]);
    const std::string at = " (at " + std::to_string(found.bad) + ")";
    if (!std::isfinite(value)) {
      throw py::value_error("Input y contains " +
                            std::string(std::isnan(value) ? "NaN" : "infinity") + at +
                            "; expected labels.");
    }
    throw py::value_error(
        "Unknown label type: continuous. Maybe you are trying to fit a classifier, which expects "
        "discrete classes on a regression target with continuous values; got " +
        std::string(py::str(py::float_(value))) + at + ".");
  }
  py::array_t<T> classes(static_cast<py::ssize_t>(found.classes.size()));
  std::copy(found.classes.begin(), found.classes.end(), classes.mutable_data());
  return py::make_tuple(classes, to_numpy(std::move(found.codes)));
}

// None for what is no such vector.
py::object encode_labels(const py::array& y) {
  if (y.ndim() != 1 || y.shape(0) == 0 || (y.flags() & py::array::c_style) == 0) return py::none();
  py::object encoded = py::none();
  const auto try_type = [&]<class T>(T) {
    if (encoded.is_none() && py::isinstance<py::array_t<T>>(y)) encoded = encode<T>(y);
  };
  const auto try_types = [&](auto... types) { (try_type(types), ...); };
  try_types(std::int64_t{}, std::int32_t{}, double{}, float{}, bool{}, std::int8_t{},
            std::int16_t{}, std::uint8_t{}, std::uint16_t{}, std::uint32_t{}, std::uint64_t{});
  return encoded;
}

}  // namespace

void bind_labels(py::module_& m) {
  m.def(
      "encode_labels", &encode_labels, py::arg("y").noconvert(),
      "(classes, codes) of labels that are numbers, as numpy.unique has them; None where y is no "
      "contiguous vector of one number at least, in the machine's byte order and of a usual type.");
}

}  // namespace thalweg::bindings
