#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include "arrays.hpp"
#include "bindings.hpp"
#include "interrupts.hpp"
#include "parameters.hpp"
#include "thalweg/catalog.hpp"
#include "thalweg/solver/smooth_tasks.hpp"

namespace thalweg::bindings {
namespace {

// A request and the Python arrays that it points into.
struct BoundRequest {
  solver::Request request;
  std::vector<py::object> owners;

  const double* keep(py::array array) {
    owners.push_back(array);
    return data(array);
  }
};

template <class T>
T required(const py::dict& dict, const char* key, const char* where) {
  if (!dict.contains(key)) throw py::key_error(std::string(where) + " lacks '" + key + "'");
  return py::cast<T>(dict[key]);
}

py::object optional(const py::dict& dict, const char* key) {
  return dict.contains(key) ? py::reinterpret_borrow<py::object>(dict[key]) : py::none();
}

solver::PenaltySpec penalty_spec(const py::dict& dict, Index cols, BoundRequest& bound) {
  solver::PenaltySpec spec;
  spec.name = required<std::string>(dict, "name", "penalty");
  const PenaltyEntry& entry = find_penalty(spec.name);
  spec.strengths = entry.strengths;
  spec.parameters = parameters_of(*entry.info, dict.contains("parameters")
                                                   ? py::cast<py::dict>(dict["parameters"])
                                                   : py::dict());
  const auto array = [&](const char* key) -> const double* {
    const py::object value = optional(dict, key);
    return value.is_none() ? nullptr : bound.keep(float64_vector(key, value, cols));
  };
  spec.weights = array("weights");
  spec.lower = array("lower");
  spec.upper = array("upper");
  for (Index j = 0; j < cols; ++j) {
    const double lower = spec.lower != nullptr ? spec.lower[j] : -infinity;
    const double upper = spec.upper != nullptr ? spec.upper[j] : infinity;
    if (!(lower <= upper) || lower == infinity || upper == -infinity) {
      throw core::InvalidArgument("lower <= upper must leave a value for every feature; got [" +
                                  std::to_string(lower) + ", " + std::to_string(upper) +
                                  "] for feature " + std::to_string(j));
    }
  }
  return spec;
}

// `coefs` is the number of coefficients, of all outputs.
solver::Task task_of(const py::dict& dict, Index rows, Index coefs, Index outputs,
                     BoundRequest& bound) {
  solver::Task task;
  task.target = required<Index>(dict, "target", "task");
  const py::object fold = optional(dict, "fold");
  if (!fold.is_none()) task.fold = py::cast<Index>(fold);
  task.penalty = required<Index>(dict, "penalty", "task");
  const auto alphas = py::cast<py::object>(dict["alphas"]);
  const py::array values = checked<double>("alphas", alphas, 1, "a contiguous float64 array");
  if (values.shape(0) == 0) throw core::InvalidArgument("alphas must not be empty");
  task.alphas.assign(data(values), data(values) + values.shape(0));
  const py::object coef = optional(dict, "coef");
  if (!coef.is_none()) task.coef = bound.keep(float64_vector("coef", coef, coefs));
  const py::object intercept = optional(dict, "intercept");
  if (!intercept.is_none())
    task.intercept = bound.keep(float64_vector("intercept", intercept, outputs));
  const py::object theta = optional(dict, "theta");
  if (!theta.is_none()) task.theta = bound.keep(float64_vector("theta", theta, rows));
  return task;
}

// Python's view of a result; arrays are handed out once made.
py::dict certificate_dict(const core::Certificate& certificate) {
  py::dict out;
  out["kind"] = certificate.kind == core::Certificate::Kind::kkt ? "kkt" : "duality_gap";
  out["value"] = certificate.value;
  out["relative"] = certificate.relative;
  out["primal"] = certificate.primal;
  out["dual"] = certificate.dual;
  out["theta"] =
      certificate.theta.empty()
          ? py::object(py::none())
          : py::object(py::array_t<double>(static_cast<py::ssize_t>(certificate.theta.size()),
                                           certificate.theta.data()));
  return out;
}

py::dict trace_dict(const std::vector<core::IterationInfo>& trace) {
  const auto size = static_cast<py::ssize_t>(trace.size());
  py::array_t<double> time(size), objective(size), certificate(size), step(size);
  py::array_t<Index> support(size);
  for (py::ssize_t i = 0; i < size; ++i) {
    const core::IterationInfo& info = trace[static_cast<std::size_t>(i)];
    time.mutable_at(i) = info.time;
    objective.mutable_at(i) = info.objective;
    certificate.mutable_at(i) = info.certificate;
    step.mutable_at(i) = info.step;
    support.mutable_at(i) = info.support;
  }
  py::dict out;
  out["time"] = time;
  out["objective"] = objective;
  out["certificate"] = certificate;
  out["step"] = step;
  out["support"] = support;
  return out;
}

py::dict info_dict(const core::IterationInfo& info) {
  py::dict out;
  out["task"] = info.task;
  out["alpha_index"] = info.alpha_index;
  out["alpha"] = info.alpha;
  out["iteration"] = info.iteration;
  out["epochs"] = info.epochs;
  out["time"] = info.time;
  out["objective"] = info.objective;
  out["certificate"] = info.certificate;
  out["step"] = info.step;
  out["support"] = info.support;
  return out;
}

// A callback's answer; what it raises is kept and stops the solve.
bool call(PendingError& pending, const py::object& callback, const core::IterationInfo& info) {
  const py::gil_scoped_acquire gil;
  try {
    return py::bool_(callback(info_dict(info)));
  } catch (const py::error_already_set& error) {
    pending.keep(error);
    return true;
  }
}

void fill_common(BoundRequest& bound, const BoundDesign& design, const py::object& y,
                 const py::object& offset, bool fit_intercept, bool standardize,
                 const std::string& loss, const py::dict& loss_parameters, int n_threads) {
  if (n_threads < 0) {
    throw core::InvalidArgument("n_threads must be >= 0 (0: as many as OpenMP allows); got " +
                                std::to_string(n_threads));
  }
  if (!design.canonical) {
    throw core::InvalidArgument("X must have sorted indices without duplicates (see to_csc)");
  }
  bound.request.loss_parameters = parameters_of(find_loss(loss), loss_parameters);
  const Index rows = std::visit([](const auto& x) { return x.rows(); }, design.view);
  bound.request.design = &design.view;
  bound.request.y = bound.keep(float64_columns("y", y, rows));
  if (!offset.is_none()) bound.request.offset = bound.keep(float64_vector("offset", offset, rows));
  bound.request.fit_intercept = fit_intercept;
  bound.request.standardize = standardize;
  bound.request.loss = loss;
  bound.request.execution.threads = core::resolve_threads(n_threads);
}

void check_task(const solver::Task& task, Index targets, Index folds, Index penalty_count) {
  if (task.target < 0 || task.target >= targets || task.fold < -1 || task.fold >= folds ||
      task.penalty < 0 || task.penalty >= penalty_count) {
    throw core::InvalidArgument("task refers to a target, fold or penalty that is not there");
  }
}

// One fold: the column of its codes, and what they mean.
solver::Fold fold_of(const py::dict& dict, Index columns) {
  solver::Fold fold;
  fold.column = required<Index>(dict, "column", "fold");
  fold.first = required<Index>(dict, "first", "fold");
  if (fold.column < 0 || fold.column >= columns || fold.first < 0) {
    throw core::InvalidArgument("fold refers to a column or a code that is not there");
  }
  for (const auto& [training, heldout] :
       required<std::vector<std::pair<double, double>>>(dict, "times", "fold")) {
    if (!(training >= 0 && heldout >= 0 && training < infinity && heldout < infinity)) {
      throw core::InvalidArgument("fold has rows that do not count zero times or more");
    }
    fold.times.push_back({training, heldout});
  }
  return fold;
}

solver::Folds folds_of(const py::dict& dict, Index rows, BoundRequest& bound) {
  solver::Folds folds;
  const std::string expected =
      "a contiguous array of uint8, uint16 or uint32 of shape (" + std::to_string(rows) + ",)";
  for (const auto& codes : required<std::vector<py::object>>(dict, "codes", "folds")) {
    const auto read = [&]<class T>(const T*) {
      if (!py::isinstance<py::array_t<T>>(codes)) return false;
      const py::array array = checked<T>("codes", codes, 1, expected);
      if (array.shape(0) != rows) reject("codes", codes, expected);
      folds.columns.push_back(static_cast<const T*>(array.data()));
      return true;
    };
    if (!read(static_cast<const std::uint8_t*>(nullptr)) &&
        !read(static_cast<const std::uint16_t*>(nullptr)) &&
        !read(static_cast<const std::uint32_t*>(nullptr))) {
      reject("codes", codes, expected);
    }
    bound.owners.push_back(codes);
  }
  for (const auto& fold : required<std::vector<py::dict>>(dict, "folds", "folds"))
    folds.all.push_back(fold_of(fold, static_cast<Index>(folds.columns.size())));
  return folds;
}

py::tuple solve(const BoundDesign& design, const py::object& y, const std::vector<py::dict>& tasks,
                const std::vector<py::dict>& penalty_dicts, const std::string& loss,
                const py::dict& loss_parameters, Index outputs, bool estimate_scale,
                const py::object& weights, const py::object& folds, const py::object& offset,
                bool fit_intercept, bool standardize, const std::string& solver_name,
                const py::dict& solver_options, double tol, Index max_iter,
                const std::optional<double>& max_time, double gradient_tol, int n_threads,
                std::uint64_t seed, const py::object& callback, bool keep_coef, bool keep_theta,
                bool trace, bool stopped) {
  BoundRequest bound;
  solver::Request& request = bound.request;
  fill_common(bound, design, y, offset, fit_intercept, standardize, loss, loss_parameters,
              n_threads);
  const Index rows = std::visit([](const auto& x) { return x.rows(); }, design.view);
  const Index cols = std::visit([](const auto& x) { return x.cols(); }, design.view);
  const SolverEntry& entry = find_solver(solver_name);
  if (!weights.is_none()) request.weights = bound.keep(float64_vector("weights", weights, rows));
  if (!folds.is_none()) request.folds = folds_of(py::cast<py::dict>(folds), rows, bound);
  for (const py::dict& dict : penalty_dicts)
    request.penalties.push_back(penalty_spec(dict, cols, bound));
  const Index targets = py::cast<py::array>(y).shape(1);
  request.outputs = outputs;
  request.estimate_scale = estimate_scale;
  solver::require_scale(request);
  find_loss_block(loss, request.loss_parameters, outputs);
  for (const py::dict& dict : tasks) {
    request.tasks.push_back(task_of(dict, rows, cols * outputs, outputs, bound));
    check_task(request.tasks.back(), targets, request.folds.size(),
               static_cast<Index>(request.penalties.size()));
  }
  request.options.parameters = parameters_of(*entry.info, solver_options);
  request.solver = solver_name;
  request.options.seed = seed;
  request.tol = tol;
  request.max_iter = max_iter;
  request.gradient_tol = gradient_tol;
  request.keep_coef = keep_coef;
  request.keep_theta = keep_theta;
  request.keep_trace = trace;

  PendingError pending;
  core::StopToken stop([&pending] { return pending.signal_raised(); }, deadline_in(max_time));
  request.execution.stop = &stop;
  if (stopped) stop.request();
  if (!callback.is_none()) {
    request.observer = [&](const core::IterationInfo& info) {
      return call(pending, callback, info);
    };
  }
  solver::Results results;
  without_gil(pending, [&] { results = entry.run(request); });
  py::list out;
  for (auto& path : results) {
    py::list row;
    for (core::Result& result : path) row.append(py::cast(std::move(result)));
    path = {};  // results of many folds are not held twice
    out.append(row);
  }
  return py::make_tuple(out, pending.take());
}

py::array_t<double> alpha_max_of(const BoundDesign& design, const py::object& y,
                                 const py::object& weights, const py::object& offset,
                                 const std::string& loss, const py::dict& loss_parameters,
                                 const py::dict& penalty, bool fit_intercept, bool standardize,
                                 int n_threads) {
  BoundRequest bound;
  fill_common(bound, design, y, offset, fit_intercept, standardize, loss, loss_parameters,
              n_threads);
  const Index rows = std::visit([](const auto& x) { return x.rows(); }, design.view);
  const Index cols = std::visit([](const auto& x) { return x.cols(); }, design.view);
  if (!weights.is_none())
    bound.request.weights = bound.keep(float64_vector("weights", weights, rows));
  bound.request.penalties.push_back(penalty_spec(penalty, cols, bound));
  const Index targets = py::cast<py::array>(y).shape(1);
  Vector result;
  interruptible(n_threads, [&](const core::Execution& execution) {
    bound.request.execution = execution;
    result = alpha_max(bound.request, targets);
  });
  return to_numpy(std::move(result));
}

// One row for each output, without a copy; a vector where there is one output.
py::array_t<double> by_output(const core::Result& result, const Vector& values,
                              const py::object& owner) {
  const auto size = static_cast<py::ssize_t>(values.size());
  const auto outputs = static_cast<py::ssize_t>(result.intercept.size());
  if (outputs <= 1) return py::array_t<double>(size, values.data(), owner);
  return py::array_t<double>({outputs, size / outputs}, values.data(), owner);
}

void bind_result(py::module_& m) {
  using core::Result;
  py::class_<Result>(m, "Result")
      .def_property_readonly("coef",
                             [](const py::object& self) -> py::object {
                               const auto& result = py::cast<const Result&>(self);
                               if (result.coef.empty()) return py::none();
                               return by_output(result, result.coef, self);
                             })
      .def_property_readonly("intercept",
                             [](const py::object& self) -> py::object {
                               const auto& result = py::cast<const Result&>(self);
                               if (result.intercept.size() == 1)
                                 return py::float_(result.intercept.front());
                               return py::array_t<double>(
                                   static_cast<py::ssize_t>(result.intercept.size()),
                                   result.intercept.data(), self);
                             })
      .def_readonly("alpha", &Result::alpha)
      .def_property_readonly("status",
                             [](const Result& r) { return std::string(to_string(r.status)); })
      .def_readonly("n_iter", &Result::iterations)
      .def_readonly("n_epochs", &Result::epochs)
      .def_readonly("time", &Result::time)
      .def_readonly("solver", &Result::solver)
      .def_readonly("reason", &Result::reason)
      .def_property_readonly("certificate",
                             [](const Result& r) { return certificate_dict(r.certificate); })
      .def_readonly("target_gap", &Result::target)
      .def_readonly("gram_bytes", &Result::gram_bytes)
      .def_readonly("shared_gram_bytes", &Result::shared_gram_bytes)
      .def_readonly("tasks_at_once", &Result::tasks_at_once)
      .def_property_readonly("trace", [](const Result& r) { return trace_dict(r.trace); })
      .def_readonly("heldout", &Result::heldout_error)
      .def_readonly("scale", &Result::scale);
}

}  // namespace

void bind_solve(py::module_& m) {
  bind_result(m);
  m.def("solve", &solve, py::arg("design"), py::arg("y"), py::arg("tasks"), py::kw_only(),
        py::arg("penalties"), py::arg("loss") = "squared", py::arg("loss_parameters") = py::dict(),
        py::arg("outputs") = 1, py::arg("estimate_scale") = false, py::arg("weights") = py::none(),
        py::arg("folds") = py::none(), py::arg("offset") = py::none(),
        py::arg("fit_intercept") = true, py::arg("standardize") = false, py::arg("solver") = "auto",
        py::arg("solver_options") = py::dict(), py::arg("tol") = 1e-6, py::arg("max_iter") = 1000,
        py::arg("max_time") = py::none(), py::arg("gradient_tol") = infinity,
        py::arg("n_threads") = 0, py::arg("seed") = 0, py::arg("callback") = py::none(),
        py::arg("keep_coef") = true, py::arg("keep_theta") = false, py::arg("trace") = true,
        py::arg("stopped") = false,
        "Run every task, or hand out their starts where `stopped` says so; returns "
        "(results[task][alpha], exception to raise afterwards or None).");
  m.def("alpha_max", &alpha_max_of, py::arg("design"), py::arg("y"), py::kw_only(),
        py::arg("weights") = py::none(), py::arg("offset") = py::none(),
        py::arg("loss") = "squared", py::arg("loss_parameters") = py::dict(), py::arg("penalty"),
        py::arg("fit_intercept") = true, py::arg("standardize") = false, py::arg("n_threads") = 0,
        "Smallest alpha at which every penalized coefficient is zero.");
}

}  // namespace thalweg::bindings
