// The only map from C++ exceptions to Python's.
#include "bindings.hpp"
#include "thalweg/core/error.hpp"
#include "thalweg/core/memory.hpp"

namespace thalweg::bindings {

namespace py = pybind11;

void bind_errors(py::module_&) {
  py::register_local_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const core::InvalidArgument& error) {
      py::set_error(PyExc_ValueError, error.what());
    } catch (const core::Unsupported& error) {
      py::set_error(PyExc_ValueError, error.what());
    } catch (const core::OutOfMemory& error) {
      py::set_error(PyExc_MemoryError, error.what());
    }
  });
}

}  // namespace thalweg::bindings
