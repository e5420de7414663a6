"""`solve` and `solve_path`: any catalogued loss and penalty, without an estimator."""

import numbers
from dataclasses import replace

import numpy as np

from thalweg import _core, losses, penalties, solvers
from thalweg._engine import (
    Options,
    coefficients,
    run,
    summarize,
    target_tasks,
    task,
    wants_rows,
)
from thalweg._parameters import ParameterError, check, seed_from
from thalweg._validation import (
    read_alphas,
    read_data,
    read_intercepts,
    read_penalty,
    read_start,
)
from thalweg.solution import Path, Solution, State

__all__ = ["solve", "solve_path"]

# A vector over the rows would be most of the memory then: the core's `is_narrow` holds none.
FEW_COLUMNS = 32


def solve(
    X,
    y,
    *,
    loss,
    penalty=None,
    alpha=None,
    solver="auto",
    sample_weight=None,
    offset=None,
    fit_intercept=True,
    standardize=False,
    tol=1e-6,
    max_iter=1000,
    max_time=None,
    n_threads=None,
    random_state=None,
    callbacks=(),
    state=None,
    return_theta=False,
    verbose=0,
):
    r"""Fit one linear model by minimizing a loss plus a penalty, with a certificate.

    .. math::

        \min_{w, b} \; \frac{1}{\sum_i s_i} \sum_i s_i \, \mathrm{loss}(y_i, \eta_i)
        + \alpha P(w), \qquad \eta = X w + b + \mathrm{offset}

    Parameters
    ----------
    X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        Design. Float32 and float64 arrays in row- or column-major order and canonical
        sparse matrices (CSC for the squared loss, CSR for others) are used in place; other inputs
        are converted once, see ``report.copies``.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Targets; several targets are fitted separately. Labels are -1 and 1, or 0 ... K - 1 for
        the loss "multinomial"; `thalweg.linear_model.GeneralizedLinearClassifier` takes any.
    loss : str or losses.Loss
        Catalogue name or handle, as ``"squared"``, ``"logistic"`` or ``"poisson"``;
        ``thalweg.catalog()["loss"]`` has all.
    penalty : str or penalties.Penalty, optional
        Catalogue name or handle, as ``tw.penalties.ElasticNet(l1_ratio=0.9)``. None: no penalty.
    alpha : float in [0, inf), optional
        Strength of the penalty; required with a penalty, not allowed without.
    solver : str or solvers.Solver, default="auto"
        Catalogue name or handle. "auto" chooses; ``report.reason`` says why.
    sample_weight : float or array-like of shape (n_samples,), optional
        Non-negative weights :math:`s`, with a positive sum.
    offset : array-like of shape (n_samples,), optional
        Known part of the predictions.
    fit_intercept : bool, default=True
        Whether to fit the unpenalized intercept :math:`b`.
    standardize : bool, default=False
        Whether to penalize the coefficients of the features scaled to unit (weighted) variance.
        The data is not touched and coefficients are returned in the units of X.
    tol : float in [0, inf), default=1e-6
        Stop when the certificate's value is at most `tol` times the objective of the
        intercept-only model.
    max_iter : int in [0, inf), default=1000
        Passes over the data, at most.
    max_time : float in [0, inf], optional
        Seconds, at most.
    n_threads : int in [1, 1024], optional
        Threads. The solution does not depend on it, bit for bit.
    random_state : None, int, RandomState or Generator, optional
        Seed of solvers with random choices; None is the seed 0.
    callbacks : sequence of callable, default=()
        Each is called after every iteration with a dict (task, alpha_index, alpha, iteration,
        epochs, time, objective, certificate, step, support); a true answer stops the solve.
    state : State, optional
        ``solution.state`` of an earlier solve, to start from.
    return_theta : bool, default=False
        Whether to keep the dual point in ``certificate.theta``.
    verbose : int, default=0
        Positive: a progress bar on standard error.

    Returns
    -------
    Solution
        coef, intercept, certificate, status, report and state. Non-convergence is a status, not
        an error and not a warning.

    Raises
    ------
    ValueError, TypeError
        If an argument cannot be used; the message names it.
    KeyboardInterrupt
        On Ctrl-C; its attribute ``solution`` holds the best solution until then.

    See Also
    --------
    solve_path : Many strengths, each from the solution before it.
    thalweg.compatible : Which solvers serve a loss and a penalty.
    thalweg.linear_model : Estimators, with scikit-learn's parameters and labels of any type.

    Examples
    --------
    >>> import thalweg as tw
    >>> X, y, _ = tw.problems.regression(50, 200, n_nonzero=5, seed=0)
    >>> solution = tw.solve(X, y, loss="squared", penalty="l1", alpha=0.1)
    >>> solution.status, solution.coef.shape
    ('converged', (200,))
    >>> bool(solution.certificate.relative <= 1e-6)
    True
    """
    options = _options("solve", locals())
    loss = losses.resolve(loss)
    data = read_data(
        X,
        y,
        sample_weight,
        offset,
        n_threads=n_threads,
        by_rows=wants_rows(loss, options.solver),
    )
    if penalty is None:
        if alpha is not None:
            raise ParameterError(f"alpha must be None without a penalty, got alpha={alpha!r}.")
        # Any separable penalty of strength zero: nothing is penalized.
        handle, alpha = penalties.resolve("l2"), 0.0
    else:
        handle = penalties.resolve(penalty)
        check("solve", {"alpha": alpha}, {"alpha": "[0, inf)"})
    penalty_arguments = read_penalty(handle, data.n_features, data.copies)
    n_targets = data.y.shape[1]
    coefs, intercepts, thetas = None, None, None
    if state is not None:
        coefs, intercepts = _read_state(state, data, loss)
        thetas = _read_thetas(state, data)
    solved = run(
        data,
        target_tasks(data, float(alpha), coefs, intercepts, thetas),
        [penalty_arguments],
        options,
        loss=loss,
        fit_intercept=bool(fit_intercept),
        standardize=bool(standardize),
        keep_theta=bool(return_theta) or data.n_features > FEW_COLUMNS,  # for the state
    )
    results = [rows[-1] for rows in solved.results]
    solution = _solution(data, results, solved.seconds, solved.gram_bytes, return_theta)
    return _deliver(solution, solved.pending)


def solve_path(
    X,
    y,
    *,
    loss,
    penalty,
    alphas=100,
    eps=1e-3,
    solver="auto",
    sample_weight=None,
    offset=None,
    fit_intercept=True,
    standardize=False,
    tol=1e-6,
    max_iter=1000,
    max_time=None,
    n_threads=None,
    random_state=None,
    callbacks=(),
    state=None,
    return_theta=False,
    verbose=0,
):
    r"""Fit one linear model for a grid of strengths, from strong to weak, with warm starts.

    .. math::

        \min_{w, b} \; \frac{1}{\sum_i s_i} \sum_i s_i \, \mathrm{loss}(y_i, \eta_i)
        + \alpha_k P(w), \qquad \alpha_1 > \alpha_2 > \dots

    Parameters
    ----------
    X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        Design, as in `solve`.
    y : array-like of shape (n_samples,)
        Target.
    loss : str or losses.Loss
        Catalogue name or handle.
    penalty : str or penalties.Penalty
        Catalogue name or handle.
    alphas : int in [1, inf) or array-like of shape (n_alphas,), default=100
        Strengths in [0, inf), or how many to place geometrically between the smallest strength
        at which all penalized coefficients are zero and `eps` times it.
    eps : float in (0, 1), default=1e-3
        Ratio of the weakest to the strongest strength of an automatic grid.
    solver, sample_weight, offset, fit_intercept, standardize, tol, max_iter, max_time, n_threads
        As in `solve`; `max_iter` holds for each strength, `max_time` for the whole path, `state`
        for the first strength.
    random_state, callbacks, state, return_theta, verbose
        As in `solve`; `max_iter` holds for each strength, `max_time` for the whole path, `state`
        for the first strength.

    Returns
    -------
    Path
        Sequence of `Solution`, with alphas, coefs and intercepts as arrays.

    Raises
    ------
    ValueError, TypeError
        If an argument cannot be used; the message names it.
    KeyboardInterrupt
        On Ctrl-C; its attribute ``solution`` holds the path until then.

    Examples
    --------
    >>> import thalweg as tw
    >>> X, y, _ = tw.problems.regression(50, 200, n_nonzero=5, seed=0)
    >>> path = tw.solve_path(X, y, loss="squared", penalty="l1", alphas=10)
    >>> path.coefs.shape
    (10, 200)
    >>> bool((path.coefs[0] == 0).all())
    True
    """
    options = _options("solve_path", locals())
    check("solve_path", locals(), {"alphas": "int [1, inf) or array", "eps": "(0, 1)"})
    loss = losses.resolve(loss)
    handle = penalties.resolve(penalty)
    data = read_data(
        X,
        y,
        sample_weight,
        offset,
        owner="solve_path",
        n_threads=n_threads,
        by_rows=wants_rows(loss, options.solver),
    )
    if data.y.shape[1] != 1:
        raise ValueError(
            f"solve_path takes one target, y of shape (n_samples,); got {data.y.shape}. Call it "
            "once for each column."
        )
    penalty_arguments = read_penalty(handle, data.n_features, data.copies)
    settings = {"fit_intercept": bool(fit_intercept), "standardize": bool(standardize)}
    if not isinstance(alphas, numbers.Integral):
        grid = read_alphas(alphas, data.copies)
    elif not handle.entry.flags["has_alpha_max"]:
        raise _no_grid(handle)
    else:
        largest = _core.alpha_max(
            data.design,
            data.y,
            weights=data.sample_weight,
            offset=data.offset,
            loss=loss.entry.name,
            loss_parameters=loss.parameters,
            penalty=penalty_arguments,
            n_threads=options.n_threads or 0,
            **settings,
        )
        if not np.isfinite(largest[0]):
            raise _no_grid(handle)
        grid = alpha_grid(largest[0], int(alphas), eps)
    start = {}
    if state is not None:
        coefs, intercepts = _read_state(state, data, loss)
        thetas = _read_thetas(state, data)
        start = {"coef": coefs[0], "intercept": intercepts[0]}
        start["theta"] = None if thetas is None else thetas[0]
    solved = run(
        data,
        [task(grid, **start)],
        [penalty_arguments],
        options,
        loss=loss,
        keep_theta=bool(return_theta),  # and with it the states': one per strength would add up
        **settings,
    )
    solutions = [
        _solution(data, [result], result.time, result.gram_bytes, return_theta)
        for result in solved.results[0]
    ]
    return _deliver(Path(grid[: len(solutions)], solutions), solved.pending)


def _no_grid(penalty):
    return ValueError(
        f"Automatic alpha grid generation is not supported for {penalty!r}: no strength "
        "makes every coefficient zero. Please supply a grid through `alphas`."
    )


def alpha_grid(largest, count, eps):
    """Return `count` strengths from `largest` down to ``eps * largest``, geometrically.

    Parameters
    ----------
    largest : float
        Smallest strength at which all penalized coefficients are zero.
    count : int
        How many.
    eps : float
        Ratio of the last to the first.

    Returns
    -------
    ndarray of shape (count,)
        Descending grid.
    """
    # As scikit-learn: a constant y has alpha_max = 0, which has no geometric grid.
    smallest = np.finfo(np.float64).resolution
    if largest <= smallest:
        return np.full(count, smallest)
    return np.geomspace(largest, largest * eps, num=count)


def _options(owner, arguments):
    flags = ("fit_intercept", "standardize", "return_theta")
    check(owner, arguments, {"random_state": "seed", **dict.fromkeys(flags, "bool")})
    callbacks, state = arguments["callbacks"], arguments["state"]
    if not isinstance(callbacks, (list, tuple)) or not all(map(callable, callbacks)):
        raise TypeError(f"callbacks must be a list or a tuple of callables, got {callbacks!r}.")
    if state is not None and not isinstance(state, State):
        raise TypeError(f"state must be the `state` of a Solution or None, got {state!r}.")
    options = Options(
        solver=solvers.resolve(arguments["solver"]),
        seed=seed_from(arguments["random_state"]),
        callbacks=tuple(callbacks),
        **{name: arguments[name] for name in ("tol", "max_iter", "max_time", "n_threads")},
        verbose=arguments["verbose"],
    )
    options.check(owner)
    return options


def _read_state(state, data, loss):
    """Coefficients and intercepts of a state, one row per target, outputs one after the other."""
    n_targets, p = data.y.shape[1], data.n_features
    rows = n_targets * loss.n_outputs(data.y)
    lead = () if rows == 1 else (rows,)
    coefs = read_start("state.coef", state.coef, (*lead, p))
    intercepts = read_intercepts("state.intercept", state.intercept, rows)
    return coefs.reshape(n_targets, -1), intercepts.reshape(n_targets, -1)


def _read_thetas(state, data):
    """Dual points of a state, one row per target, if they are of these samples."""
    n_samples, n_targets = data.y.shape
    shape = (n_samples,) if n_targets == 1 else (n_targets, n_samples)
    if state.theta is None or np.shape(state.theta) != shape:
        return None
    return read_start("state.theta", state.theta, shape).reshape(n_targets, n_samples)


def _check_precision(data, results, coef, intercept):
    """Refuse coefficients that are finite, but not in the precision of X."""
    fits = np.isfinite(coef).all() and np.isfinite(intercept).all()
    if not fits and all(np.isfinite(r.coef).all() for r in results):
        raise ValueError(
            f"The coefficients are too large for {data.dtype}, the precision of X; pass X in "
            "float64, or scale X or y."
        )


def _solution(data, results, seconds, gram_bytes, return_theta):
    with np.errstate(over="ignore"):
        coef, intercept = coefficients(data, results)
    _check_precision(data, results, coef, intercept)
    certificate, report = summarize(data, results, seconds, gram_bytes)
    exact = np.array([result.coef for result in results])
    state = State(exact[0] if len(results) == 1 else exact, intercept, certificate.theta)
    if not return_theta:
        certificate = replace(certificate, theta=None)
    return Solution(coef, intercept, certificate, report.status, report, state)


def _deliver(solution, pending):
    if pending is not None:
        pending.solution = solution
        raise pending
    return solution
