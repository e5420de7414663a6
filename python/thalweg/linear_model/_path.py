"""`lasso_path` and `enet_path`, and the grids of strengths that estimators share."""

import inspect
import numbers
import warnings

import numpy as np

from thalweg import _core, penalties
from thalweg._arrays import read_floats
from thalweg._engine import OPTION_RULES, Options, run, task, warn_unconverged
from thalweg._parameters import check, seed_from
from thalweg._validation import read_alphas, read_data, read_penalty, read_start
from thalweg.linear_model._elastic_net_model import (
    QUADRATIC_RULES,
    choose_solver,
    relative_weights,
)
from thalweg.optimize import alpha_grid

ALPHAS_RULE = "int [1, inf) or array or None"
_RULES = {
    **OPTION_RULES,
    **{
        name: QUADRATIC_RULES[name] for name in ("precompute", "copy_X", "positive", "random_state")
    },
    "l1_ratio": "[0, 1]",
    "eps": "(0, inf)",
    "selection": QUADRATIC_RULES["selection"],
    "max_iter": "int [1, inf)",
    "return_n_iter": "bool",
    "check_input": "bool",
    "do_screening": "bool",
}


# What both functions say of their parameters and of what they return.
_SHARED_DOC = {
    "data": """\
X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
    Design; never modified.
y : array-like of shape (n_samples,) or (n_samples, 1)
    Target. Several targets are refused: scikit-learn couples them by a multi-task penalty.""",
    "rest": """\
eps : float in (0, inf), default=1e-3
    Ratio of the weakest to the strongest strength of an automatic grid.
n_alphas : int in [1, inf), default="deprecated"
    Old spelling of an integer `alphas`; accepted with a FutureWarning.
alphas : int in [1, inf) or array-like of shape (n_alphas,), default="warn"
    Strengths, or how many to place on an automatic grid. By default 100; None means the
    same, with a FutureWarning.
precompute : bool, "auto" or array-like of shape (n_features, n_features), default="auto"
    True: the Gram solver, for dense X under ``solver="auto"``. An array is checked against X
    and then taken as True.
Xy : array-like of shape (n_features,) or (n_features, 1), default=None
    :math:`X^\\top y`, with `sample_weight` :math:`X^\\top \\mathrm{diag}(s) y` for weights
    scaled to a sum of n_samples. Checked and refused if it is anything else: the solver
    computes its own, and the certificate is that of X and y.
copy_X : bool, default=True
    Accepted for scikit-learn's sake.
coef_init : array-like of shape (n_features,) or (1, n_features), default=None
    Where to start at the first strength.
verbose : bool or int, default=False
    Positive: a progress bar on standard error.
return_n_iter : bool, default=False
    Whether to return the passes over the data.
positive : bool, default=False
    Whether coefficients must not be negative.
check_input : bool, default=True
    Accepted for scikit-learn's sake; inputs are always checked.
do_screening : bool, default=True
    Accepted for scikit-learn's sake; the solver knows when to leave features out.
sample_weight : float or array-like of shape (n_samples,), default=None
    Non-negative weights with a positive sum.
tol : float in [0, inf), default=1e-4
    Stop when the duality gap is at most `tol` times half the (weighted) mean square of y.
max_iter : int in [1, inf), default=1000
    Passes over the data for each strength, at most.
random_state : None, int, RandomState or Generator, default=None
    Seed of ``selection="random"``; None is the seed 0.
selection : {"cyclic", "random"}, default="cyclic"
    "random": coordinate descent in random order.
solver : str or solvers.Solver, default="auto"
    Catalogue name or handle.
max_time : float in [0, inf], default=None
    Seconds for the whole path, at most; strengths that were not reached are left
    out, but for the first.
n_threads : int in [1, 1024], default=None
    Threads.

Returns
-------
alphas : ndarray of shape (n_alphas,)
    Strengths, descending.
coefs : ndarray of shape (n_features, n_alphas) or (1, n_features, n_alphas)
    Coefficients, in the precision of X; the latter for y of shape (n_samples, 1).
dual_gaps : ndarray of shape (n_alphas,)
    Values of the certificates: duality gaps.
n_iters : list of int
    Passes over the data for each strength; only if `return_n_iter`.

Raises
------
ValueError, TypeError
    If an argument cannot be used; the message names it.

Warns
-----
ConvergenceWarning
    Once, if any certificate did not reach `tol`.
UserWarning
    If `precompute` asks for a Gram matrix and another argument prevents it.""",
}


def _documented(function):
    """Put what both functions say into the docstring of one."""
    function.__doc__ = inspect.cleandoc(function.__doc__ or "") % _SHARED_DOC
    return function


@_documented
def enet_path(
    X,
    y,
    *,
    l1_ratio=0.5,
    eps=1e-3,
    n_alphas="deprecated",
    alphas="warn",
    precompute="auto",
    Xy=None,
    copy_X=True,
    coef_init=None,
    verbose=False,
    return_n_iter=False,
    positive=False,
    check_input=True,
    do_screening=True,
    sample_weight=None,
    tol=1e-4,
    max_iter=1000,
    random_state=None,
    selection="cyclic",
    solver="auto",
    max_time=None,
    n_threads=None,
):
    r"""Compute an elastic net path, from strong to weak, without an intercept.

    .. math::

        \min_w \; \frac{1}{2 \sum_i s_i} \sum_i s_i (y_i - x_i^\top w)^2
        + \alpha_k \rho \|w\|_1 + \frac{\alpha_k (1 - \rho)}{2} \|w\|_2^2

    with :math:`\rho` = `l1_ratio` and sample weights :math:`s`.

    Parameters
    ----------
    %(data)s
    l1_ratio : float in [0, 1], default=0.5
        Share of the l1 term.
    %(rest)s

    See Also
    --------
    thalweg.solve_path : Any penalty, with an intercept, certificates and reports.

    Examples
    --------
    >>> import thalweg as tw
    >>> X, y, _ = tw.problems.regression(50, 20, n_nonzero=5, seed=0)
    >>> alphas, coefs, gaps = tw.linear_model.enet_path(X, y, alphas=3)
    >>> coefs.shape
    (20, 3)
    >>> bool((coefs[:, 0] == 0).all())
    True
    """
    return _path("enet_path", X, y, locals())


@_documented
def lasso_path(
    X,
    y,
    *,
    eps=1e-3,
    n_alphas="deprecated",
    alphas="warn",
    precompute="auto",
    Xy=None,
    copy_X=True,
    coef_init=None,
    verbose=False,
    return_n_iter=False,
    positive=False,
    check_input=True,
    do_screening=True,
    sample_weight=None,
    tol=1e-4,
    max_iter=1000,
    random_state=None,
    selection="cyclic",
    solver="auto",
    max_time=None,
    n_threads=None,
):
    r"""Compute a lasso path, from strong to weak, without an intercept.

    .. math::

        \min_w \; \frac{1}{2 \sum_i s_i} \sum_i s_i (y_i - x_i^\top w)^2 + \alpha_k \|w\|_1

    Parameters
    ----------
    %(data)s
    %(rest)s

    See Also
    --------
    thalweg.solve_path : Any penalty, with an intercept, certificates and reports.

    Examples
    --------
    >>> from thalweg.linear_model import lasso_path
    >>> X = [[1.0, 2.3], [2.0, 5.4], [3.1, 4.3]]
    >>> alphas, coefs, gaps = lasso_path(X, [1, 2, 3.1], alphas=[5.0, 1.0, 0.5], tol=1e-10)
    >>> coefs.round(3)
    array([[0.   , 0.   , 0.469],
           [0.216, 0.443, 0.237]])
    """
    return _path("lasso_path", X, y, {**locals(), "l1_ratio": 1.0})


def _path(owner, X, y, arguments):
    alphas = requested_alphas(owner, arguments["alphas"], arguments["n_alphas"])
    check(owner, arguments, _RULES)
    n_threads = arguments["n_threads"]
    data = read_data(X, y, arguments["sample_weight"], owner=owner, n_threads=n_threads)
    if data.y.shape[1] != 1:
        raise ValueError(
            f"{owner} takes one target, y of shape (n_samples,) or (n_samples, 1); got y of shape "
            f"{data.y.shape}. For several targets scikit-learn's function solves the multi-task "
            "problem, which couples them; call this one once for each column of y, which does not."
        )
    l1_ratio, positive = float(arguments["l1_ratio"]), bool(arguments["positive"])
    if positive and not data.is_vector:
        raise ValueError(
            "positive=True is not allowed for y with two dimensions, as in scikit-learn; got y of "
            f"shape {data.y.shape}. Pass y.ravel()."
        )
    if arguments["Xy"] is not None:
        _check_products(arguments["Xy"], data, n_threads)
    solver, _, unmet = choose_solver(
        arguments["solver"], arguments["selection"], arguments["precompute"], data, False
    )
    for text in unmet:  # there is no report to say so
        warnings.warn(f"{owner}: {text}.", UserWarning, stacklevel=3)
    options = Options(
        solver=solver,
        seed=seed_from(arguments["random_state"]) if arguments["selection"] == "random" else 0,
        verbose=int(arguments["verbose"]),
        **{name: arguments[name] for name in ("tol", "max_iter", "max_time", "n_threads")},
    )
    # What scikit-learn has for one strength: y with two dimensions gives one more here too.
    shape = (data.n_features,) if data.is_vector else (1, data.n_features)
    start = arguments["coef_init"]
    if start is not None:
        start = read_start("coef_init", start, shape).reshape(data.n_features)
    grid = strengths(
        data,
        alphas,
        [l1_ratio],
        eps=arguments["eps"],
        positive=positive,
        fit_intercept=False,
        n_threads=options.n_threads,
    )[0]
    penalty = penalties.ElasticNet(l1_ratio=l1_ratio, positive=positive)
    solved = run(
        data,
        [task(grid, coef=start)],
        [read_penalty(penalty, data.n_features, data.copies)],
        options,
        fit_intercept=False,
        trace=False,
    )
    if solved.pending is not None:
        raise solved.pending
    results = solved.results[0]
    warn_unconverged(owner, results, options, stacklevel=3)
    last = results[-1]
    if len(results) > 1 and last.status == "time_limit" and last.n_epochs == 0:
        results = results[:-1]  # where the last one started: the solution before it
    coefs = np.array([result.coef.reshape(shape) for result in results], dtype=data.dtype)
    coefs = np.moveaxis(coefs, 0, -1)
    gaps = np.array([result.certificate["value"] for result in results])
    reached = grid[: len(results)]
    if arguments["return_n_iter"]:
        return reached, coefs, gaps, [result.n_epochs for result in results]
    return reached, coefs, gaps


def requested_alphas(owner, alphas, n_alphas="deprecated"):
    """Check what was passed for the strengths and resolve scikit-learn's deprecated spellings.

    Parameters
    ----------
    owner : str
        Who was called, for messages.
    alphas : int, array-like, None or "warn"
        What the caller gave; None is the old spelling of 100, "warn" the old default.
    n_alphas : int or "deprecated"
        Old spelling of an integer `alphas`.

    Returns
    -------
    int or array-like
        How many strengths, or which.
    """
    count = 100
    if not (isinstance(n_alphas, str) and n_alphas == "deprecated"):
        check(owner, {"n_alphas": n_alphas}, {"n_alphas": "int [1, inf)"})
        old = "'n_alphas' was deprecated in 1.9 and will be removed in 1.11"
        _warn_old_spelling(owner, old, n_alphas)
        count = n_alphas
    if alphas is None:
        old = "'alphas=None' is deprecated and will be removed in 1.11"
        _warn_old_spelling(owner, old, count)
        return count
    if isinstance(alphas, str) and alphas == "warn":
        return count
    check(owner, {"alphas": alphas}, {"alphas": ALPHAS_RULE})
    return alphas


def _warn_old_spelling(owner, old, count):
    message = f"{owner}: {old} of scikit-learn. Pass alphas={count!r} instead."
    warnings.warn(message, FutureWarning, stacklevel=5)


def _check_products(Xy, data, n_threads):
    """Refuse what is not X' y: another linear term would be another problem."""
    single = np.float32 in (data.dtype, getattr(Xy, "dtype", None))
    given = read_floats("Xy", Xy, [], dimensions=(1, 2))
    if given.shape not in ((data.n_features,), (data.n_features, 1)):
        raise ValueError(f"Xy must have shape ({data.n_features},), got {given.shape}.")
    given = given.ravel()
    weights, y = relative_weights(data), data.y[:, 0]
    y = y if weights is None else weights * y
    _, squares, products = data.design.moments(None, y, n_threads or 0)
    sizes = np.sqrt(squares) * np.linalg.norm(y)  # rounding is relative to no less
    errors = np.abs(given - products) - (1e-4 if single else 1e-7) * sizes
    j = int(errors.argmax())
    if errors[j] > 0:
        raise ValueError(
            "Xy must be X' y (of the weighted rows, for weights scaled to a sum of n_samples); for "
            f"feature {j} we computed {products[j]}, got {given[j]}. For another linear term pass "
            "the y that it comes from."
        )


def strengths(data, alphas, l1_ratios, *, eps, positive, fit_intercept, n_threads):
    """Return one descending grid of strengths for each l1_ratio.

    Parameters
    ----------
    data : Data
        Problem with one target.
    alphas : int or array-like of shape (n_alphas,)
        How many, or which.
    l1_ratios : sequence of float
        Shares of the l1 term.
    eps : float
        Ratio of the last to the first strength of an automatic grid.
    positive : bool
        Whether coefficients must not be negative.
    fit_intercept : bool
        Whether an intercept is fitted.
    n_threads : int or None
        Threads.

    Returns
    -------
    ndarray of shape (n_l1_ratios, n_alphas)
        Grids.
    """
    if not isinstance(alphas, numbers.Integral):
        return np.tile(read_alphas(alphas, data.copies), (len(l1_ratios), 1))
    if 0 in l1_ratios:
        raise ValueError(
            "Automatic alpha grid generation is not supported for l1_ratio=0. Please supply a grid "
            "by providing your estimator with the appropriate `alphas=` argument."
        )
    lasso = penalties.ElasticNet(l1_ratio=1.0, positive=positive)
    largest = _core.alpha_max(
        data.design,
        data.y,
        weights=data.sample_weight,
        penalty=read_penalty(lasso, data.n_features, data.copies),
        fit_intercept=fit_intercept,
        n_threads=n_threads or 0,
    )[0]
    # Zero is optimal where alpha * l1_ratio reaches the lasso's bound.
    return np.array([alpha_grid(largest / ratio, int(alphas), eps) for ratio in l1_ratios])
