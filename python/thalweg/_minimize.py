"""`minimize`: smooth functions of a vector, with SciPy's signature and a certificate."""

import sys
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import LbfgsInvHessProduct, OptimizeResult, OptimizeWarning

from thalweg import _core, solvers
from thalweg._arrays import show
from thalweg._methods import Settings, check_information, read_method, read_options, solver_name
from thalweg._objective import Objective, read_bounds, read_callback, read_objective, read_point
from thalweg._parameters import check, seed_from
from thalweg.report import Certificate, MinimizeReport

# SciPy's codes where it has one, and what they mean.
_STATUSES = {
    "converged": (0, "The largest entry of the projected gradient is at most {tol:g}."),
    "max_iter": (1, "The limit of {max_iter} iterations was reached."),
    "line_search_failed": (
        2,
        "No acceptable step was found: the limit of precision, a wrong jac or too long a step.",
    ),
    "stalled": (2, "Steps do not get lower any more: the limit of floating-point precision."),
    "non_finite": (3, "The function, its gradient or its Hessian is not finite at the point."),
    "unbounded": (4, "The function falls without a bound."),
    "time_limit": (5, "The limit of {max_time} s was reached."),
    "stopped": (99, "The callback stopped the run."),
}
_EXHAUSTED = "The limit of {max_functions} function evaluations was reached."
_FLAT = "The relative decrease of the function is at most ftol={least_decrease:g}."

_DIFFERENCES_WARN_FROM = 100  # variables

_LOSSES = ("linear", "soft_l1", "huber", "cauchy", "arctan")  # in the order of the core
_RULES = {
    "tol": "[0, inf) or None",
    "n_starts": "int [1, inf)",
    "random_state": "seed",
    "max_time": "[0, inf] or None",
    "loss": f"{{{', '.join(_LOSSES)}}}",
    "f_scale": "(0, inf)",
}


def minimize(
    fun=None,
    x0=None,
    args=(),
    jac=None,
    hess=None,
    hessp=None,
    method="auto",
    bounds=None,
    prox=None,
    constraints=(),
    tol=None,
    callback=None,
    options=None,
    *,
    n_starts=1,
    random_state=None,
    max_time=None,
    residuals=None,
    loss="linear",
    f_scale=1.0,
):
    r"""Minimize a smooth function of a vector, with SciPy's signature and a certificate.

    .. math::

        \min_x \; f(x) \qquad \text{subject to} \quad l \le x \le u

    With `residuals` r instead of `fun`, for a robust loss rho and f_scale c,

    .. math::

        f(x) = \frac{1}{2} \sum_k c^2 \rho\!\left(r_k(x)^2 / c^2\right)

    Parameters
    ----------
    fun : callable or compiled function, optional
        ``fun(x, *args)`` returns a number, or (f, gradient) where `jac` is True. Or a
        `scipy.LowLevelCallable` or a ctypes, cffi or numba function pointer with the signature
        ``double f(int n, double *x, double *gradient, void *user_data)``, which writes the
        gradient where that is not NULL, or ``double f(int n, double *x, void *user_data)`` or
        ``double f(int n, double *x)``; the interpreter is then not touched.
    x0 : array-like
        Start; arrays of any shape are flattened, and clipped to the bounds.
    args : tuple, default=()
        Further arguments of `fun`, `jac`, `hess` and `hessp`.
    jac : callable, True, "2-point", "3-point" or "cs", optional
        Gradient, ``jac(x, *args)``, or Jacobian of `residuals`, of shape (m, n). True: `fun`
        returns it. Else by forward, central or complex-step differences, within the bounds; None
        is "2-point".
    hess : callable, "2-point", "3-point" or "cs", optional
        Hessian matrix, ``hess(x, *args)``, or by forward, central or complex-step differences of
        gradients; None: "2-point" where a method needs it, which takes a `jac` that is not by
        differences. A `RuntimeWarning` says where a method
        uses neither `hess` nor `hessp`.
    hessp : callable, optional
        Product of the Hessian with a vector, ``hessp(x, v, *args)``.
    method : str or solvers.Solver, default="auto"
        "gradient-descent", "heavy-ball", "nesterov", "conjugate-gradient" (or "CG"), "BFGS",
        "L-BFGS", "L-BFGS-B", "newton", "Newton-CG", "trust-ncg", "projected-gradient" or
        "subgradient", and for `residuals` also "gauss-newton" and "levenberg-marquardt"; or a
        handle from `thalweg.solvers` with parameters. Bounds are served by "L-BFGS-B" and
        "projected-gradient". "auto", or None, chooses by bounds, derivatives and the number of
        variables; ``report.reason`` says why.
    bounds : sequence of (low, high) or scipy.optimize.Bounds, optional
        Limits of the variables; None in a pair: no limit.
    prox : None
        Not supported in this version.
    constraints : empty or None
        Not supported in this version.
    tol : float in [0, inf), optional
        Largest entry of the projected gradient to stop at, as option gtol; 1e-5 by default.
    callback : callable, optional
        Called after each iteration with the point, or with an `OptimizeResult` where its one
        parameter is called ``intermediate_result``. StopIteration or the answer True stop the run.
    options : dict, optional
        SciPy's: maxiter (15,000), maxfun or maxfev, gtol, ftol (off by default), eps and
        finite_diff_rel_step (a number, or one for each variable), maxcor, disp; and parameters of
        the method by their catalogue names.
        None leaves a default. Others are ignored with an `OptimizeWarning`, as in SciPy.
    n_starts : int in [1, inf), default=1
        Runs: the first from `x0`, the others from random points: uniform between two finite
        bounds, else normal around `x0` with standard deviation max(1, \|x0_j\|), clipped. The
        lowest result is returned; evaluations of all are counted.
    random_state : None, int, RandomState or Generator, optional
        Seed of random starts; None is the seed 0.
    max_time : float in [0, inf], optional
        Seconds for all runs together, looked at between calls. The start is evaluated in any case,
        with its gradient, which by differences takes a call for each variable.
    residuals : callable, optional
        ``residuals(x, *args)`` returns m numbers: nonlinear least squares.
    loss : {"linear", "soft_l1", "huber", "cauchy", "arctan"}, default="linear"
        rho, as in `scipy.optimize.least_squares`.
    f_scale : float in (0, inf), default=1.0
        Residual from which on it counts for less.

    Returns
    -------
    scipy.optimize.OptimizeResult
        x, fun, jac, nfev, njev, nhev, nit, status, success and message as in SciPy, and besides
        `certificate` (kind "kkt": the largest entry of the projected gradient) and `report`
        (solver, reason, status, counts, trace, time). Of "BFGS", "L-BFGS" and "L-BFGS-B" also
        hess_inv, what the gradients have shown of the inverse Hessian: a matrix of shape (n, n),
        or a `scipy.optimize.LbfgsInvHessProduct`, of "L-BFGS" with more than 32,768 variables
        to the precision of float32.

    Raises
    ------
    ValueError, TypeError
        If an argument cannot be used; the message names it.
    MemoryError
        If the method's matrix is larger than the memory; the message has its size.
    KeyboardInterrupt
        On Ctrl-C; its attribute ``result`` holds the last certified point.

    See Also
    --------
    thalweg.check_grad : Whether a gradient is that of the function.
    thalweg.scipy_method : A method of this function for `scipy.optimize.minimize`.
    thalweg.solve : Losses and penalties of linear models.

    Examples
    --------
    >>> import numpy as np
    >>> import thalweg as tw
    >>> from scipy.optimize import rosen, rosen_der
    >>> result = tw.minimize(rosen, np.zeros(5), jac=rosen_der)
    >>> result.success, bool(result.certificate.value <= 1e-5)
    (True, True)
    >>> result = tw.minimize(rosen, np.zeros(5), jac=rosen_der, bounds=[(-0.5, 0.5)] * 5)
    >>> float(result.x.max()), result.report.solver
    (0.5, 'l_bfgs_b')
    """
    began = time.perf_counter()
    check("minimize", locals(), _RULES)
    if prox is not None:
        raise ValueError(f"prox must be None: it is not supported in this version; got {prox!r}.")
    if constraints is not None and not _is_empty(constraints):
        raise ValueError(
            "constraints must be empty: they are not supported in this version (bounds are); "
            f"got {show(constraints)}."
        )
    args = args if isinstance(args, tuple) else (args,)
    if x0 is None:
        raise ValueError("x0 must be given: the point to start from.")
    start = read_point("x0", x0)
    lower, upper = read_bounds(bounds, start.size)
    if bounds is not None:
        start = np.clip(start, lower, upper)
    objective = read_objective(fun, args, jac, hess, hessp, residuals)
    settings = Settings(max_time=max_time)
    if tol is not None:
        settings.tol = float(tol)
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(f"options must be a dict or None, got {show(options)}.")
    own = read_options(settings, dict(options or {}), start.size)
    disp = own.pop("disp", False)
    solver, reason = read_method(method, own, objective, start.size, lower is None is upper)
    check_information(solver, objective)
    if loss != "linear" and residuals is None:
        raise ValueError(f"loss must be 'linear' where fun is given, got {loss!r}.")
    robust = (_LOSSES.index(loss), float(f_scale))
    run = _Run(objective, robust, settings, solver, lower, upper, read_callback(callback))
    if not objective.has_gradient and start.size >= _DIFFERENCES_WARN_FROM:
        which = "fun has no gradient" if residuals is None else "residuals have no Jacobian"
        warnings.warn(
            f"{which}: each one takes {start.size} evaluations or more. Pass jac.",
            OptimizeWarning,
            stacklevel=2,
        )
    starts = _starts(start, lower, upper, n_starts, seed_from(random_state))
    outcomes, pending = run.all(starts)
    result = _result(outcomes, settings, reason, time.perf_counter() - began)
    if pending is not None:
        if isinstance(pending, KeyboardInterrupt):
            pending.result = result
        raise pending
    if disp:
        sys.stdout.write(f"{result.message}\n{result.report}\n")
    return result


def _is_empty(collection):
    return isinstance(collection, (list, tuple, dict)) and len(collection) == 0


_OURS = ("n_starts", "random_state", "max_time")  # SciPy hands them on as options only


@dataclass(frozen=True, slots=True)
class _Method:
    """A method of this package in the shape that SciPy calls; picklable."""

    method: object

    def __call__(
        self,
        fun,
        x0,
        args=(),
        jac=None,
        hess=None,
        hessp=None,
        bounds=None,
        constraints=(),
        callback=None,
        tol=None,
        **options,
    ):
        """Minimize; see `thalweg.minimize`."""
        given = {"jac": jac, "hess": hess, "hessp": hessp, "bounds": bounds, "tol": tol}
        given |= {name: options.pop(name) for name in _OURS if name in options}
        return minimize(
            fun,
            x0,
            args,
            method=self.method,
            constraints=constraints,
            callback=callback,
            options=options,
            **given,
        )


def scipy_method(method="auto"):
    """Return a method for ``scipy.optimize.minimize(..., method=...)``.

    SciPy's ``options`` may have n_starts, random_state and max_time of `minimize` too.

    Parameters
    ----------
    method : str or solvers.Solver, default="auto"
        As in `minimize`.

    Returns
    -------
    callable
        What SciPy calls with the problem; can be pickled.

    Examples
    --------
    >>> import numpy as np
    >>> import scipy.optimize
    >>> import thalweg as tw
    >>> result = scipy.optimize.minimize(
    ...     scipy.optimize.rosen, np.zeros(3), jac=scipy.optimize.rosen_der,
    ...     method=tw.scipy_method())
    >>> bool(np.allclose(result.x, 1.0, atol=1e-4))
    True
    """
    if not isinstance(method, solvers.Solver) and method != "auto":
        solver_name(method)
    return _Method(method)


@dataclass(slots=True, eq=False)
class _Outcome:
    """What the core returned for one start."""

    result: _core.Result
    gradient: np.ndarray
    counts: dict
    inverse: np.ndarray | tuple | None


@dataclass(slots=True)
class _Run:
    """One problem with the solver and the limits that it is solved by."""

    objective: Objective
    robust: tuple
    settings: Settings
    solver: solvers.Solver
    lower: np.ndarray | None
    upper: np.ndarray | None
    callback: object

    def all(self, starts):
        """Run from each start, within the limits for all; stop where the user says so."""
        limits, outcomes, lowest, pending = self.settings, [], None, None
        began, spent = time.perf_counter(), 0
        for x in starts:
            max_time = limits.max_time
            if max_time is not None:
                max_time = max(0.0, max_time - (time.perf_counter() - began))
            max_functions = limits.max_functions
            if max_functions is not None:
                max_functions = max(0, max_functions - spent)
            outcome, pending = self._one(x, max_functions, max_time)
            outcomes.append(outcome)
            if lowest is not None:
                lowest, higher = sorted((lowest, outcome), key=_height)
                higher.inverse = None  # as large as n squared
            else:
                lowest = outcome
            spent += outcome.counts["nfev"]
            ended = outcome.result.status in ("stopped", "time_limit")
            if pending is not None or ended or outcome.counts["functions_exhausted"]:
                break
        return outcomes, pending

    def _one(self, x, max_functions, max_time):
        objective, settings = self.objective, self.settings
        result, gradient, counts, inverse, pending = _core.minimize(
            objective.fun,
            x,
            jac=objective.jac,
            hess=objective.hess,
            hessp=objective.hessp,
            residuals=objective.residuals,
            rho=self.robust[0],
            scale=self.robust[1],
            lower=self.lower,
            upper=self.upper,
            solver=self.solver.entry.name,
            parameters=self.solver.parameters,
            tol=settings.tol,
            max_iter=settings.max_iter,
            max_functions=max_functions,
            max_time=max_time,
            least_decrease=settings.least_decrease,
            relative_steps=settings.relative_steps,
            absolute_steps=settings.absolute_steps,
            callback=self.callback,
        )
        return _Outcome(result, gradient, counts, inverse), pending


def _starts(x0, lower, upper, count, seed):
    """Yield x0 and then random points."""
    yield x0
    generator = np.random.default_rng(seed)
    low = np.full(x0.size, -np.inf) if lower is None else lower
    high = np.full(x0.size, np.inf) if upper is None else upper
    boxed = np.isfinite(low) & np.isfinite(high)
    width = np.subtract(high, low, out=np.zeros(x0.size), where=boxed)
    for _ in range(count - 1):
        around = x0 + np.maximum(1.0, np.abs(x0)) * generator.standard_normal(x0.size)
        inside = low + width * generator.random(x0.size)
        yield np.where(boxed, inside, np.clip(around, low, high))


def _height(outcome):
    value = outcome.result.certificate["primal"]
    return np.inf if np.isnan(value) else value


def _result(outcomes, settings, reason, seconds):
    """Return the lowest outcome as SciPy's result, with the counts of all."""
    chosen = min(outcomes, key=_height)
    raw = chosen.result
    trace = dict(raw.trace)
    del trace["support"]
    if len(outcomes) > 1:
        note = f"start {outcomes.index(chosen)} of {len(outcomes)} is the lowest"
        reason = f"{reason}; {note}" if reason else note
        traces = [outcome.result.trace for outcome in outcomes]
        trace = {name: np.concatenate([t[name] for t in traces]) for name in trace}
        trace["start"] = np.repeat(np.arange(len(traces)), [len(t["time"]) for t in traces])
    counts = {name: sum(o.counts[name] for o in outcomes) for name in ("nfev", "njev", "nhev")}
    counts["nit"] = sum(outcome.result.n_iter for outcome in outcomes)
    status, message = _STATUSES[raw.status]
    certificate = Certificate(**raw.certificate)
    if chosen.counts["functions_exhausted"]:
        message = _EXHAUSTED
    elif raw.status == "converged" and not certificate.value <= settings.tol:
        message = _FLAT
    values = {name: getattr(settings, name) for name in settings.__slots__}
    inverse = chosen.inverse
    if isinstance(inverse, tuple):
        inverse = LbfgsInvHessProduct(*inverse)
    return OptimizeResult(
        {} if inverse is None else {"hess_inv": inverse},
        x=raw.coef.copy(),
        fun=certificate.primal,
        jac=chosen.gradient,
        status=status,
        success=raw.status == "converged",
        message=message.format(**values),
        certificate=certificate,
        report=MinimizeReport(
            solver=raw.solver,
            reason="; ".join(filter(None, [reason, raw.reason])),
            status=raw.status,
            n_starts=len(outcomes),
            time=seconds,
            trace=trace,
            **counts,
        ),
        **counts,
    )
