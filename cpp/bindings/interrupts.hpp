// Ctrl-C during native work: the signal is noticed between blocks of work, the work ends early, and
// what the signal's handler raised is raised where the caller finds a consistent state.
#pragma once

#include <pybind11/pybind11.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

#include "thalweg/core/parallel.hpp"

namespace thalweg::bindings {

namespace py = pybind11;

// Keeps the first Python exception raised while native code runs without the GIL.
class PendingError final {
 public:
  // With its traceback, which belongs to the error indicator until Python 3.12.
  void keep(const py::error_already_set& error) {
    py::object exception = error.value();
    if (error.trace()) PyException_SetTraceback(exception.ptr(), error.trace().ptr());
    const std::scoped_lock lock(mutex_);
    if (exception_.is_none()) exception_ = std::move(exception);
  }
  // True if a signal handler raised (Ctrl-C). Called with the GIL released.
  bool signal_raised() {
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() == 0) return false;
    keep_raised();
    return true;
  }
  // Keeps what Python has just raised. Called with the GIL.
  void keep_raised() { keep(py::error_already_set()); }
  py::object take() { return std::move(exception_); }
  // Raises it, if there is one.
  void raise() {
    if (exception_.is_none()) return;
    const py::object exception = take();
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
    throw py::error_already_set();
  }

 private:
  std::mutex mutex_;  // for builds of Python without the GIL
  py::object exception_ = py::none();
};

// So many seconds from now; never for none.
inline core::StopToken::Clock::time_point deadline_in(const std::optional<double>& seconds) {
  using Clock = core::StopToken::Clock;
  if (!seconds) return Clock::time_point::max();
  // The clock's integers end after some hundred years.
  const std::chrono::duration<double> wait(std::min(*seconds, 1e9));
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(wait);
}

// f() without the GIL. An interrupt goes before what f throws.
template <class F>
void without_gil(PendingError& pending, F&& f) {
  try {
    const py::gil_scoped_release release;
    f();
  } catch (...) {
    pending.raise();
    throw;
  }
}

// f(execution) without the GIL, for work whose results are worth nothing when it is cut short.
template <class F>
void interruptible(int n_threads, F&& f) {
  PendingError pending;
  core::StopToken stop([&pending] { return pending.signal_raised(); });
  without_gil(pending, [&] {
    f(core::Execution{.threads = core::resolve_threads(n_threads), .stop = &stop});
  });
  pending.raise();
}

}  // namespace thalweg::bindings
