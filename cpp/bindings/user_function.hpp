// The caller's functions as the core calls them: Python callables, or compiled functions of which
// the interpreter knows nothing.
//
// Native code runs without the GIL; a call of a Python function takes it. What such a call raises
// is kept, and the solve is told to stop: from then on every evaluation returns NaN at once, and
// the driver goes back to the last certified point. The same ends a solve whose budget of
// evaluations or of time is spent. The evaluation of the start is done in any case.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>

#include "interrupts.hpp"
#include "thalweg/core/stop.hpp"
#include "thalweg/objective/differences.hpp"

namespace thalweg::bindings {

namespace py = pybind11;

// Counts calls and says when they must end.
class Budget final {
 public:
  Budget(core::StopToken& stop, Index most_functions) : stop_(stop), most_(most_functions) {}

  // Before a call of the objective function.
  bool spend_function() {
    if (!may_go_on()) return false;
    if (has_started_ && functions >= most_) {
      exhausted_ = true;
      stop_.request();
      return false;
    }
    ++functions;
    return true;
  }
  // Before a call of a derivative.
  bool may_go_on() { return !stop_.poll() || (!has_started_ && stop_.expired()); }
  // The start has its value and its gradient.
  void start_is_known() { has_started_ = true; }
  bool exhausted() const { return exhausted_; }
  // Whether no call is made any more.
  bool has_ended() { return !may_go_on(); }
  void end() { stop_.request(); }

  Index functions = 0;
  Index gradients = 0;
  Index hessians = 0;  // with their products

 private:
  core::StopToken& stop_;
  Index most_;
  bool has_started_ = false;
  bool exhausted_ = false;
};

// What a user's function lives with during one solve.
struct Calls {
  PendingError& pending;
  Budget& budget;

  // f() with the GIL; false where it raised.
  template <class F>
  bool run(F&& f) const {
    const py::gil_scoped_acquire gil;
    try {
      f();
      return true;
    } catch (const py::error_already_set& error) {
      pending.keep(error);
    } catch (const py::builtin_exception& error) {
      error.set_error();
      pending.keep_raised();
    }
    budget.end();
    return false;
  }
};

// The functions as the caller gave them. `fun` is a Python callable or the capsule of a compiled
// function, or None where there are residuals; `jac` a callable, True where `fun` returns (f, g),
// or the name of a difference scheme; `hess` a callable, or "cs" for complex steps of gradients.
struct GivenFunctions {
  py::object fun, jac, hess, hessp, residuals;
};

// Without value_gradient where only values are to be had. Residuals are called at the start, for
// their number.
objective::UserFunction user_function(const GivenFunctions& given, const Vector& start,
                                      const Calls& calls,
                                      const objective::DifferenceOptions& differences);

}  // namespace thalweg::bindings
