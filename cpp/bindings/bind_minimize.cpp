#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "arrays.hpp"
#include "bindings.hpp"
#include "parameters.hpp"
#include "thalweg/catalog.hpp"
#include "thalweg/core/error.hpp"
#include "thalweg/core/numerics.hpp"
#include "thalweg/objective/hessian.hpp"
#include "thalweg/solver/minimize.hpp"
#include "user_function.hpp"

namespace thalweg::bindings {
namespace {

objective::DifferenceOptions difference_options(const py::object& jac, const solver::Bounds& bounds,
                                                const double* relative_steps,
                                                const double* absolute_steps) {
  objective::DifferenceOptions options{.lower = bounds.lower,
                                       .upper = bounds.upper,
                                       .relative_steps = relative_steps,
                                       .absolute_steps = absolute_steps};
  if (py::isinstance<py::str>(jac) && py::cast<std::string>(jac) == "3-point")
    options.scheme = objective::Scheme::central;
  return options;
}

// The entries of a vector of one number per variable, null where it is None.
const double* optional_vector(const char* name, const py::object& object, Index size) {
  return object.is_none() ? nullptr : data(float64_vector(name, object, size));
}

// Whether the Hessian is to be a matrix by central differences of gradients.
bool is_central(const py::object& hess) {
  return py::isinstance<py::str>(hess) && py::cast<std::string>(hess) == "3-point";
}

// Watches the steps: asks the callback, and stops where values hardly fall.
class Watch final {
 public:
  Watch(const Calls& calls, const py::object& callback, double least_decrease)
      : calls_(calls), callback_(callback), least_decrease_(least_decrease) {}

  bool operator()(const core::IterationInfo& info, const solver::SmoothPoint& at) {
    const double before = std::exchange(value_, at.value);
    if (info.iteration == 0) return false;
    bool stop = false;
    if (!callback_.is_none()) {
      const bool answered = calls_.run([&] {
        const auto n = static_cast<py::ssize_t>(at.x.size());
        stop = py::bool_(callback_(py::array_t<double>(n, at.x.data()), at.value));
      });
      if (!answered) return true;
    }
    const double scale = std::max({std::fabs(before), std::fabs(at.value), 1.0});
    is_flat_ = std::fabs(before - at.value) <= least_decrease_ * scale;
    return stop || is_flat_;
  }

  bool is_flat() const { return is_flat_; }

 private:
  const Calls& calls_;
  const py::object& callback_;
  double least_decrease_;
  double value_ = infinity;
  bool is_flat_ = false;
};

// The functions of one solve, with what had to be derived. The first gradient starts the budget.
objective::UserFunction complete(GivenFunctions given, const Vector& start, const Calls& calls,
                                 const objective::DifferenceOptions& differences,
                                 bool needs_hessian) {
  objective::DifferenceOptions second{.lower = differences.lower, .upper = differences.upper};
  if (is_central(given.hess)) {
    second.scheme = objective::Scheme::central;
    needs_hessian = true;
    given.hess = py::none();
  }
  objective::UserFunction f = user_function(given, start, calls, differences);
  if (f.value && !f.value_gradient) f = with_gradient_differences(std::move(f), differences);
  if (needs_hessian) f = with_hessian_matrix(std::move(f), second);
  if (!f.value_gradient) return f;
  f.value_gradient = [inner = std::move(f.value_gradient), calls](const double* x, double* g) {
    const double value = inner(x, g);
    calls.budget.start_is_known();
    return value;
  };
  return f;
}

core::Status status_of(const solver::MinimizeResult& result, const Budget& budget,
                       const Watch& watch) {
  if (!core::all_finite(result.gradient) && result.status != core::Status::unbounded)
    return core::Status::non_finite;
  if (result.status != core::Status::stopped) return result.status;
  if (budget.exhausted()) return core::Status::max_iter;
  return watch.is_flat() ? core::Status::converged : core::Status::stopped;
}

// One row for each vector, whose memory is freed on the way.
py::array_t<double> to_rows(std::vector<Vector>&& vectors, py::ssize_t size) {
  const auto count = static_cast<py::ssize_t>(vectors.size());
  py::array_t<double> out({count, size});
  for (py::ssize_t k = 0; k < count; ++k) {
    const Vector row = std::move(vectors[static_cast<std::size_t>(k)]);
    std::copy(row.begin(), row.end(), out.mutable_data(k, 0));
  }
  return out;
}

// A matrix, a pair of matrices of steps and changes of the gradient, or None.
py::object to_python(std::optional<solver::InverseHessian>&& inverse, py::ssize_t size) {
  if (!inverse) return py::none();
  if (!inverse->matrix.empty()) return to_numpy(std::move(inverse->matrix)).reshape({size, size});
  return py::make_tuple(to_rows(std::move(inverse->steps), size),
                        to_rows(std::move(inverse->changes), size));
}

py::tuple minimize(const py::object& fun, const py::object& x0, const py::object& jac,
                   const py::object& hess, const py::object& hessp, const py::object& residuals,
                   int rho, double scale, const py::object& lower, const py::object& upper,
                   const std::string& solver_name, const py::dict& parameters, double tol,
                   Index max_iter, const std::optional<Index>& max_functions,
                   const std::optional<double>& max_time, double least_decrease,
                   const py::object& relative_steps, const py::object& absolute_steps,
                   std::uint64_t seed, const py::object& callback, bool trace) {
  const py::array start = checked<double>("x0", x0, 1, "a contiguous float64 vector");
  const Index size = start.shape(0);
  solver::MinimizeRequest request;
  request.solver = solver_name;
  request.tol = tol;
  request.max_iter = max_iter;
  request.start.assign(data(start), data(start) + size);
  request.bounds.lower = optional_vector("lower", lower, size);
  request.bounds.upper = optional_vector("upper", upper, size);
  const core::Info& entry = *find_solver(solver_name).info;
  request.options = {.parameters = parameters_of(entry, parameters), .seed = seed};
  request.keep_trace = trace;

  PendingError pending;
  core::StopToken stop([&pending] { return pending.signal_raised(); }, deadline_in(max_time));
  request.execution = {.threads = core::resolve_threads(0), .stop = &stop};
  Budget budget(stop, max_functions.value_or(std::numeric_limits<Index>::max()));
  const Calls calls{pending, budget};
  objective::UserFunction function =
      complete({fun, jac, hess, hessp, residuals}, request.start, calls,
               difference_options(jac, request.bounds,
                                  optional_vector("relative_steps", relative_steps, size),
                                  optional_vector("absolute_steps", absolute_steps, size)),
               core::flag(entry, "needs_hessian"));
  function.robust = {static_cast<objective::Rho>(rho), scale};
  objective::Callable objective(std::move(function));
  request.objective = &objective;
  Watch watch(calls, callback, least_decrease);
  request.observer = std::ref(watch);

  solver::MinimizeResult result;
  without_gil(pending, [&] { result = solver::minimize(request); });
  result.status = status_of(result, budget, watch);
  py::dict counts;
  const objective::Counts formed = objective.counts();
  counts["nfev"] = budget.functions;
  counts["njev"] = budget.gradients > 0 ? budget.gradients : formed.gradients;
  counts["nhev"] = budget.hessians > 0 ? budget.hessians : formed.hessians;
  counts["functions_exhausted"] = budget.exhausted();
  py::array_t<double> gradient = to_numpy(std::move(result.gradient));
  const py::object inverse = to_python(std::move(result.inverse_hessian), size);
  return py::make_tuple(py::cast(static_cast<core::Result&&>(std::move(result))), gradient, counts,
                        inverse, pending.take());
}

}  // namespace

void bind_minimize(py::module_& m) {
  m.def("minimize", &minimize, py::arg("fun"), py::arg("x0"), py::kw_only(), py::arg("jac"),
        py::arg("hess") = py::none(), py::arg("hessp") = py::none(),
        py::arg("residuals") = py::none(), py::arg("rho") = 0, py::arg("scale") = 1.0,
        py::arg("lower") = py::none(), py::arg("upper") = py::none(), py::arg("solver"),
        py::arg("parameters"), py::arg("tol") = 1e-5, py::arg("max_iter") = 15000,
        py::arg("max_functions") = py::none(), py::arg("max_time") = py::none(),
        py::arg("least_decrease") = -1.0, py::arg("relative_steps") = py::none(),
        py::arg("absolute_steps") = py::none(), py::arg("seed") = 0,
        py::arg("callback") = py::none(), py::arg("trace") = true,
        "Minimise a function; returns (result, gradient, counts, what is known of the inverse "
        "Hessian or None, exception to raise afterwards or None).");
}

}  // namespace thalweg::bindings
