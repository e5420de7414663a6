"""The methods of `minimize`: their names and options, SciPy's and ours, and what "auto" chooses."""

import functools
import sys
import warnings
from dataclasses import dataclass

import numpy as np
from scipy.optimize import OptimizeWarning

from thalweg import solvers
from thalweg._arrays import show
from thalweg._objective import read_steps
from thalweg._parameters import check
from thalweg.registry import catalog

# SciPy's names where the catalogue has others.
_SCIPY_METHODS = {"cg": "conjugate_gradient"}
_SCIPY_OPTIONS = {"maxcor": "memory"}

_SMALL = 50  # variables up to which a dense quasi-Newton matrix costs less than what it saves


@dataclass(slots=True)
class Settings:
    """What ends a run, in the words of the core."""

    tol: float = 1e-5
    max_iter: int = 15000
    max_functions: int | None = None
    max_time: float | None = None
    least_decrease: float = -1.0
    relative_steps: np.ndarray | None = None
    absolute_steps: np.ndarray | None = None


_COUNT = "int [0, inf) or [inf, inf]"

# SciPy's options: their place in the settings, and what they may be; None leaves the default.
_OPTIONS = {
    "gtol": ("tol", "[0, inf)"),
    "maxiter": ("max_iter", _COUNT),
    "maxfun": ("max_functions", _COUNT),
    "maxfev": ("max_functions", _COUNT),
    "ftol": ("least_decrease", "[0, inf)"),
}
# Those that are a number, or one for each variable.
_STEP_OPTIONS = {"finite_diff_rel_step": "relative_steps", "eps": "absolute_steps"}


def read_options(settings, options, size):
    """Take the options that are settings; return the others."""
    for name, place in _STEP_OPTIONS.items():
        value = options.pop(name, None)
        if value is not None:
            setattr(settings, place, read_steps(f"options[{name!r}]", value, size))
    for name, (place, rule) in _OPTIONS.items():
        value = options.pop(name, None)
        if value is not None:
            value = _read_option(name, value, rule)
            setattr(settings, place, sys.maxsize if value == np.inf else value)
    return options


def _read_option(name, value, rule):
    """Check an option under the name that the caller wrote; 1e4 is an integer, as in SciPy."""
    if rule.startswith("int ") and isinstance(value, float) and value.is_integer():
        value = int(value)
    label = f"options[{name!r}]"
    check("minimize", {label: value}, {label: rule})
    return value


@functools.cache
def _minimizers():
    """Catalogue entries of the solvers that take functions."""
    entries = catalog()["solver"].values()
    return {entry.name: entry for entry in entries if entry.flags["minimizes_functions"]}


def solver_name(method):
    """Return the catalogue's name of a method."""
    known = _minimizers()
    if not isinstance(method, str):
        raise TypeError(
            f"method must be a name or a solver of thalweg.solvers, got {show(method)}."
        )
    name = method.lower().replace("-", "_")
    name = _SCIPY_METHODS.get(name, name)
    if name not in known:
        names = ", ".join(repr(known_name.replace("_", "-")) for known_name in known)
        entry = catalog()["solver"].get(name)
        why = ""
        if entry is not None and entry.flags["needs_information"]:
            why = ", which needs the information of a likelihood (thalweg.solve)"
        elif entry is not None and entry.flags["needs_rows"]:
            why = ", which needs the rows of a linear model (thalweg.solve)"
        raise ValueError(f"method must be one of {names}; got {method!r}{why}.")
    return name


def read_method(method, own, objective, size, is_free):
    """Return the handle of the solver and why it was chosen; `own` holds its parameters."""
    reason = ""
    method = "auto" if method is None else method
    if isinstance(method, solvers.Solver):
        handle = method
        solver_name(handle.entry.name)
    else:
        name = method
        if isinstance(method, str) and method.lower() == "auto":
            name, reason = _choose(objective, size, is_free)
        handle = solvers.resolve(solver_name(name))
    if not is_free and not handle.entry.flags["handles_bounds"]:
        able = [
            e.name.replace("_", "-") for e in _minimizers().values() if e.flags["handles_bounds"]
        ]
        raise ValueError(
            f"bounds must be None with method {handle.entry.name.replace('_', '-')!r}; those that "
            f"handle bounds are {', '.join(map(repr, able))}."
        )
    rules = {p.name: p.interval for p in handle.entry.parameters}
    own = {key: value for key, value in own.items() if key != "disp"}
    unknown = sorted(key for key in own if _SCIPY_OPTIONS.get(key, key) not in rules)
    if unknown:
        warnings.warn(
            f"Unknown solver options: {', '.join(unknown)}", OptimizeWarning, stacklevel=3
        )
    parameters = {}
    for key, value in own.items():
        name = _SCIPY_OPTIONS.get(key, key)
        if name in rules:
            parameters[name] = _read_option(key, value, rules[name])
    if parameters:
        changed = {
            p.name: handle.parameters[p.name]
            for p in handle.entry.parameters
            if handle.parameters[p.name] is not p.default
        }
        handle = type(handle)(**{**changed, **parameters})
    return handle, reason


def _choose(objective, size, is_free):
    """Return the solver for a problem, and why."""
    if objective.residuals is not None and is_free:
        return "levenberg_marquardt", "residuals and no bounds"
    if not is_free:
        return "l_bfgs_b", "bounds"
    if objective.has_exact_gradient and objective.has_matrix:
        return "newton", "a Hessian and no bounds"
    if objective.has_exact_gradient and objective.hessp is not None:
        return "trust_ncg", "products with the Hessian and no bounds"
    lacking = "no jac beside the Hessian" if objective.has_hessian else "no Hessian"
    if size <= _SMALL:
        return "bfgs", f"no bounds, {lacking}, {size} <= {_SMALL} variables"
    return "l_bfgs", f"no bounds, {lacking}, {size} > {_SMALL} variables"


def check_information(solver, objective):
    """Refuse methods that need what is not there; say what a method does not use."""
    method = f"method {solver.entry.name.replace('_', '-')!r}"
    flags = solver.entry.flags
    is_given = objective.hess is not None or objective.hessp is not None
    is_curved = flags["needs_hessian"] or flags["uses_products"]
    if is_given and not is_curved:
        given = "hess" if objective.hess is not None else "hessp"
        warnings.warn(
            f"{method[0].upper()}{method[1:]} does not use second derivatives ({given}).",
            RuntimeWarning,
            stacklevel=3,
        )
    of_fun = objective.residuals is None
    # Matrices are made of gradients of fun only, products also of those of residuals.
    serves = objective.has_exact_gradient and (of_fun or not flags["needs_hessian"])
    if is_curved and not serves and not objective.has_hessian:
        which = " of fun" if flags["needs_hessian"] or of_fun else ""
        raise ValueError(
            f"{method} needs hess or hessp, or jac{which}: differences of gradients that are "
            "differences themselves are too inexact."
        )
    if flags["needs_residuals"] and of_fun:
        raise ValueError(f"{method} needs residuals in place of fun.")
