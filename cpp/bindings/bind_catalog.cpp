#include <pybind11/stl.h>

#include <Eigen/Core>

#include "bindings.hpp"
#include "thalweg/catalog.hpp"
#include "thalweg/version.hpp"

namespace thalweg::bindings {

namespace py = pybind11;

namespace {

py::dict describe(const core::Info& info) {
  py::list parameters;
  for (const core::Parameter& parameter : info.parameters) {
    py::dict entry;
    entry["name"] = py::str(std::string(parameter.name));
    entry["default"] = parameter.default_value;
    entry["interval"] = py::str(std::string(parameter.interval));
    entry["doc"] = py::str(std::string(parameter.doc));
    parameters.append(entry);
  }
  py::dict flags;
  for (const core::Flag& flag : info.flags) flags[py::str(std::string(flag.name))] = flag.value;
  py::list needs;
  for (const std::string_view need : info.requires_) needs.append(std::string(need));
  for (const core::Info* choice : info.any_of) {
    for (const std::string_view need : choice->requires_) {
      if (!needs.contains(std::string(need))) needs.append(std::string(need));
    }
  }
  py::dict result;
  result["name"] = std::string(info.name);
  result["summary"] = std::string(info.summary);
  result["formula"] = std::string(info.formula);
  result["reference"] = std::string(info.reference);
  result["parameters"] = parameters;
  result["flags"] = flags;
  result["requires"] = needs;
  return result;
}

py::dict catalog() {
  py::list design_list, loss_list, penalty_list, line_search_list, solver_list;
  for (const core::Info* info : designs()) design_list.append(describe(*info));
  for (const core::Info* info : losses()) loss_list.append(describe(*info));
  for (const PenaltyEntry& entry : penalties()) penalty_list.append(describe(*entry.info));
  for (const LineSearchEntry& entry : line_searches())
    line_search_list.append(describe(*entry.info));
  for (const SolverEntry& entry : solvers()) {
    py::dict description = describe(*entry.info);
    description["flags"]["minimizes_functions"] = minimizes_functions(entry);
    solver_list.append(description);
  }
  py::dict result;
  result["design"] = design_list;
  result["loss"] = loss_list;
  result["penalty"] = penalty_list;
  result["line_search"] = line_search_list;
  result["solver"] = solver_list;
  return result;
}

// Rows for every solver and every combination that the arguments leave open.
py::list compatible(const std::optional<std::string>& loss,
                    const std::optional<std::string>& penalty,
                    const std::optional<std::string>& design) {
  if (loss) find_loss(*loss);
  if (penalty) find_penalty(*penalty);
  if (design && std::none_of(designs().begin(), designs().end(),
                             [&](const core::Info* info) { return info->name == *design; })) {
    throw py::value_error("unknown design '" + *design + "'");
  }
  const auto wanted = [](const std::optional<std::string>& name, const core::Info& info) {
    return !name || *name == info.name;
  };
  py::list rows;
  for (const SolverEntry& solver : solvers()) {
    for (const core::Info* d : designs()) {
      for (const core::Info* l : losses()) {
        for (const PenaltyEntry& p : penalties()) {
          if (!wanted(design, *d) || !wanted(loss, *l) || !wanted(penalty, *p.info)) continue;
          const std::string reason = incompatibility(*solver.info, *d, *l, *p.info);
          py::dict row;
          row["solver"] = std::string(solver.info->name);
          row["loss"] = std::string(l->name);
          row["penalty"] = std::string(p.info->name);
          row["design"] = std::string(d->name);
          row["compatible"] = reason.empty();
          row["reason"] = reason;
          rows.append(row);
        }
      }
    }
  }
  return rows;
}

py::dict info() {
  py::list available;
  for (const char* name : kernels::available()) available.append(name);
  py::dict result;
  result["version"] = version;
  result["isa"] = kernels::table().name;
  result["isa_available"] = available;
  result["openmp"] = core::has_openmp();
  result["max_threads"] = core::resolve_threads(0);
  result["compiler"] = __VERSION__;
#ifdef NDEBUG
  result["build_type"] = "release";
#else
  result["build_type"] = "debug";
#endif
  result["eigen"] = std::to_string(EIGEN_WORLD_VERSION) + "." +
                    std::to_string(EIGEN_MAJOR_VERSION) + "." + std::to_string(EIGEN_MINOR_VERSION);
  return result;
}

}  // namespace

void bind_catalog(py::module_& m) {
  m.attr("__version__") = version;
  m.def("catalog", &catalog,
        "Every design, loss, penalty, line search and solver: what it says of itself.");
  m.def("compatible", &compatible, py::arg("loss") = py::none(), py::arg("penalty") = py::none(),
        py::arg("design") = py::none(),
        "Which solvers serve a combination, with the reason where none.");
  m.def("info", &info, "Version, instruction set in use, threads, build options.");
}

}  // namespace thalweg::bindings
