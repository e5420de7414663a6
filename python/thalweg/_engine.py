"""The only caller of the native solve: options in, results and reports out.

`solve`, the paths and the estimators all come through `run`; what differs between them is which
tasks they ask for and what they do with the results.
"""

import os
import sys
import threading
import time
import warnings
from dataclasses import dataclass

import numpy as np

from thalweg import _core, losses, solvers
from thalweg._parameters import check
from thalweg._validation import Data
from thalweg.report import Certificate, Report

OPTION_RULES = {
    "tol": "[0, inf)",
    "max_iter": "int [0, inf)",
    "max_time": "[0, inf] or None",
    "n_threads": "int [1, 1024] or None",
    "verbose": "int [0, inf) or bool",
}


@dataclass(slots=True)
class Options:
    """How to solve; the same for functions and estimators.

    Attributes
    ----------
    solver : solvers.Solver
        Handle of the solver.
    tol : float
        Certificate wanted, relative to the objective of the intercept-only model.
    max_iter : int
        Passes over the data, at most.
    max_time : float or None
        Seconds, at most.
    n_threads : int or None
        Threads; None leaves the choice to the core.
    verbose : int
        Positive: a progress bar on standard error.
    seed : int
        Seed of random choices.
    callbacks : tuple of callable
        Observers; a truthy answer stops the solve.
    """

    solver: solvers.Solver
    tol: float = 1e-6
    max_iter: int = 1000
    max_time: float | None = None
    n_threads: int | None = None
    verbose: int = 0
    seed: int = 0
    callbacks: tuple = ()

    def check(self, owner):
        """Raise `ParameterError` for a value that an option cannot take."""
        check(owner, {name: getattr(self, name) for name in OPTION_RULES}, OPTION_RULES)


@dataclass(slots=True)
class Run:
    """What one call of the core returned.

    Attributes
    ----------
    results : list of list
        ``results[t][a]``: core results of task t at its a-th alpha.
    pending : BaseException or None
        KeyboardInterrupt, or what a callback raised: to be raised again once the results are
        stored where the caller finds them.
    seconds : float
        Wall-clock time in the core; callers add that of what follows a solve.
    gram_bytes : int
        Memory of the Gram blocks and factors that tasks held at once, at most.
    """

    results: list
    pending: BaseException | None
    seconds: float
    gram_bytes: int


def task(alphas, *, target=0, fold=None, penalty=0, coef=None, intercept=None, theta=None):
    """Return the dict that the core takes for one warm-started path."""
    return {
        "target": target,
        "fold": fold,
        "penalty": penalty,
        "alphas": np.asarray(alphas, dtype=np.float64),
        "coef": coef,
        "intercept": intercept,
        "theta": theta,
    }


def target_tasks(data: Data, alpha, coefs=None, intercepts=None, thetas=None):
    """Return one task per target at a single strength.

    Parameters
    ----------
    data : Data
        Problem.
    alpha : float or ndarray of shape (n_targets,)
        Strength, or one for each target.
    coefs : ndarray of shape (n_targets, n_coefficients), optional
        Coefficients to start from, those of several outputs one after the other.
    intercepts : ndarray of shape (n_targets, n_outputs), optional
        Intercepts to start from; where the loss is quadratic they follow from the coefficients.
    thetas : ndarray of shape (n_targets, n_samples), optional
        Dual points to try at the start.

    Returns
    -------
    list of dict
        Tasks of the core.
    """
    n_targets = data.y.shape[1]
    alphas = np.broadcast_to(np.asarray(alpha, dtype=np.float64), (n_targets,))
    return [
        task(
            alphas[k : k + 1],
            target=k,
            coef=None if coefs is None else coefs[k],
            intercept=None if intercepts is None else intercepts[k],
            theta=None if thetas is None else thetas[k],
        )
        for k in range(n_targets)
    ]


def wants_rows(loss, solver):
    """Tell whether a solve uses X a pass at a time, so that it wants a sparse one by rows.

    Parameters
    ----------
    loss : losses.Loss
        Handle.
    solver : solvers.Solver
        Handle.

    Returns
    -------
    bool
        False where a solver of quadratic problems takes the job.
    """
    return not (loss.entry.flags["quadratic"] and "quadratic" in solver.entry.requires)


def run(data: Data, tasks, penalties, options: Options, *, loss=None, **settings):
    """Solve `tasks` on `data`.

    Parameters
    ----------
    data : Data
        Checked problem.
    tasks : list of dict
        As `task` makes them.
    penalties : list of dict
        As `_validation.read_penalty` makes them.
    options : Options
        How to solve.
    loss : losses.Loss, optional
        Handle; None is the squared loss.
    **settings
        Passed on to the core: fit_intercept, standardize, folds, keep_coef,
        keep_theta, trace.

    Returns
    -------
    Run
        Results, pending exception and time.
    """
    loss = losses.resolve("squared") if loss is None else loss
    observers = list(options.callbacks)
    bar = None
    if options.verbose:
        bar = _ProgressBar(sum(len(t["alphas"]) for t in tasks))
        observers.append(bar)
    began = time.perf_counter()
    try:
        results, pending = _core.solve(
            data.design,
            data.y,
            tasks,
            penalties=penalties,
            loss=loss.entry.name,
            loss_parameters=loss.parameters,
            outputs=loss.n_outputs(data.y),
            weights=data.sample_weight,
            offset=data.offset,
            solver=options.solver.entry.name,
            solver_options=options.solver.parameters,
            tol=options.tol,
            max_iter=options.max_iter,
            max_time=options.max_time,
            n_threads=options.n_threads or 0,
            seed=options.seed,
            callback=_combine(observers),
            **settings,
        )
    finally:
        if bar is not None:
            bar.close()
    seconds = time.perf_counter() - began
    return Run(results, pending, seconds, _gram_bytes(results, options))


def _gram_bytes(results, options):
    """Memory of the tasks that hold most, as many as run in parallel, and what all share."""
    held = sorted(max(result.gram_bytes for result in rows) for rows in results)
    threads = options.n_threads or _core.info()["max_threads"]
    at_once = min(threads, max(result.tasks_at_once for rows in results for result in rows))
    shared = max(result.shared_gram_bytes for rows in results for result in rows)
    return shared + sum(held[-at_once:])


def _combine(observers):
    if not observers:
        return None
    lock = threading.Lock()  # tasks run in parallel; observers see one step at a time

    def callback(info):
        with lock:
            answers = [bool(observer(info)) for observer in observers]
        return any(answers)

    return callback


def bar_size():
    """Give tqdm a size where the terminal says that it has none, and nothing would show."""
    try:
        size = os.get_terminal_size(sys.stderr.fileno())
    except (AttributeError, OSError, ValueError):
        return {}
    return {} if min(size) > 0 else {"ncols": 80, "nrows": 24}


class _ProgressBar:
    """Progress on standard error: problems reached, where there are several, else iterations."""

    def __init__(self, n_problems):
        from tqdm.auto import tqdm

        self._single = n_problems == 1
        self._reached = {}
        if self._single:
            self._bar = tqdm(desc="solve", unit=" iterations", **bar_size())
        else:
            self._bar = tqdm(desc="solve", unit=" problems", total=n_problems, **bar_size())

    def __call__(self, info):
        reached = self._reached
        before = sum(reached.values())
        reached[info["task"]] = info["iteration"] if self._single else info["alpha_index"] + 1
        self._bar.set_postfix(
            certificate=f"{info['certificate']:.1e}", nonzero=info["support"], refresh=False
        )
        self._bar.update(sum(reached.values()) - before)

    def close(self):
        self._bar.close()


def coefficients(data: Data, results):
    """Return coefficients and intercept of one result per target, as users see them.

    Parameters
    ----------
    data : Data
        Problem.
    results : list
        One core result per target.

    Returns
    -------
    coef : ndarray of shape (n_features,) or (n_targets, n_features)
        In the precision of X.
    intercept : float or ndarray of shape (n_targets,)
        A number where y came as a vector.
    """
    dtype = data.dtype
    if len(results) == 1:
        coef = results[0].coef.astype(dtype, copy=False)
    else:
        coef = np.array([result.coef for result in results], dtype=dtype)
    if data.is_vector:
        return coef, results[0].intercept
    return coef, np.array([result.intercept for result in results], dtype=dtype)


def summarize(data: Data, results, seconds, gram_bytes, notes=()):
    """Return the certificate and the report of one result per target."""
    report = Report.from_results(results, seconds, gram_bytes, data.copies, notes)
    return Certificate.from_results(results), report


_ADVICE = {
    "max_iter": "You might want to increase the number of iterations (max_iter, now {max_iter} "
    "passes over the data), increase tol, scale the features to comparable size, or penalize more",
    "time_limit": "You might want to increase max_time (now {max_time} s) or tol",
    "stalled": "Floating-point precision is exhausted: increase tol, scale the features to "
    "comparable size, or drop features that nearly depend on others",
    "unbounded": "It has no minimum: penalize every feature or set limits",
    "line_search_failed": "Scale the features to comparable size",
    "non_finite": "Values overflowed: scale X and y",
}
_ADVICE_ON_GRADIENT = (
    "Values of the objective differ by rounding only, before the gradient is as small as tol asks: "
    "increase tol, or scale y where it is large"
)


def warn_unconverged(owner, results, options: Options, stacklevel, advice=None):
    """Issue one ConvergenceWarning if any of `results` stopped before its tolerance.

    Parameters
    ----------
    owner : str
        Who fitted.
    results : iterable
        Core results; those that a callback stopped are left out, the caller knows.
    options : Options
        How they were solved.
    stacklevel : int
        As of `warnings.warn` in the caller.
    advice : dict of str to str, optional
        What to say, by status, in place of the general advice.
    """
    results = list(results)
    failed = [r for r in results if r.status not in ("converged", "stopped")]
    if not failed:
        return
    from sklearn.exceptions import ConvergenceWarning

    # Fits that ended before their first certificate have none to show.
    certified = [r for r in failed if np.isfinite(r.certificate["value"])] or failed
    worst = max(certified, key=lambda r: r.certificate["value"] / max(r.target_gap, 1e-300))
    what = {"duality_gap": "duality gap", "kkt": "KKT violation"}[worst.certificate["kind"]]
    share = f" ({len(failed)} of {len(results)} fits), at worst" if len(results) > 1 else ":"
    texts = {**_ADVICE, **(advice or {})}
    wanted = f"{what} {worst.certificate['value']:.3e} reached, {worst.target_gap:.3e} wanted"
    if worst.certificate["value"] <= worst.target_gap:
        wanted += ", but an entry of the gradient exceeds tol"
        texts |= dict.fromkeys(("stalled", "line_search_failed"), _ADVICE_ON_GRADIENT)
    text = texts[worst.status].format(max_iter=options.max_iter, max_time=options.max_time)
    warnings.warn(
        f"Objective did not converge. {text}. {owner}{share} {wanted} "
        f"(tol={options.tol:g}, alpha={worst.alpha:g}, status {worst.status}).",
        ConvergenceWarning,
        stacklevel=stacklevel + 1,
    )
