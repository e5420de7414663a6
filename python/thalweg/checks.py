r"""Independent checks of solutions: float64 NumPy code that shares nothing with the native core.

For squared loss with penalties of elastic-net form,

.. math::

    P(w, b) = \frac{1}{2 S} \sum_i s_i (y_i - o_i - x_i^\top w - b)^2
    + \alpha \sum_j v_j \left( \rho |w_j| + \frac{1 - \rho}{2} w_j^2 \right),
    \qquad l_j \le w_j \le u_j, \quad S = \sum_i s_i

with sample weights s, offset o, feature weights v, `l1_ratio` :math:`\rho` and limits l, u. With
`standardize`, :math:`w_j` in the penalty is multiplied by the (weighted) standard deviation of
feature j, by one where the feature is constant but for rounding, as the engine does. X becomes a
dense float64 copy: these are checks, not fast code.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import minimize_scalar

__all__ = ["Gap", "duality_gap", "kkt_residual", "objective"]


class Gap(NamedTuple):
    """Duality gap and its two sides: ``gap = primal - dual``.

    Parameters
    ----------
    gap : float
        ``primal - dual``, at least the distance of the primal from the optimum.
    primal : float
        The objective at the point.
    dual : float
        The dual objective at the dual point made feasible; ``-inf`` where it cannot be.
    """

    gap: float
    primal: float
    dual: float


class _Problem(NamedTuple):
    X: np.ndarray
    y: np.ndarray  # less the offset
    s: np.ndarray  # sample weights of sum one
    l1: np.ndarray  # strength of |w_j|
    l2: np.ndarray  # strength of w_j^2 / 2
    lower: np.ndarray
    upper: np.ndarray

    def residual(self, coef, intercept):
        return self.y - self.X @ coef - intercept

    def primal(self, coef, residual):
        if (coef < self.lower).any() or (coef > self.upper).any():
            return np.inf
        penalty = self.l1 @ np.abs(coef) + 0.5 * self.l2 @ coef**2
        return float(0.5 * self.s @ residual**2 + penalty)

    def conjugate(self, z):
        """Supremum of z w - term(w) over the limits, per feature."""
        shrunk = np.sign(z) * np.maximum(np.abs(z) - self.l1, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            w = np.where(shrunk == 0.0, 0.0, shrunk / self.l2)
        w = np.clip(w, self.lower, self.upper)
        with np.errstate(invalid="ignore"):
            return np.where(np.isinf(w), np.inf, z * w - self.l1 * np.abs(w) - self.l2 * w**2 / 2)


def _spread(X, s):
    """Weighted standard deviations; zero where a feature is constant but for rounding."""
    mean = s @ X
    spread = np.sqrt(s @ (X - mean) ** 2)
    return np.where(spread > 16 * np.finfo(np.float64).eps * np.abs(mean), spread, 0.0)


def _problem(X, y, *, alpha, l1_ratio, sample_weight, offset, weights, lower, upper, standardize):
    X = np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=np.float64)
    n, p = X.shape
    y = np.asarray(y, dtype=np.float64) - (0.0 if offset is None else np.asarray(offset))
    s = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    s = s / s.sum()
    v = np.ones(p) if weights is None else np.asarray(weights, dtype=np.float64)
    spread = _spread(X, s) if standardize else np.ones(p)
    scale = np.where(spread > 0, spread, 1.0)
    return _Problem(
        X,
        y,
        s,
        alpha * l1_ratio * v * scale,
        alpha * (1.0 - l1_ratio) * v * scale**2,
        np.broadcast_to(-np.inf if lower is None else lower, (p,)).astype(np.float64),
        np.broadcast_to(np.inf if upper is None else upper, (p,)).astype(np.float64),
    )


def objective(
    X,
    y,
    coef,
    intercept=0.0,
    *,
    alpha,
    l1_ratio=1.0,
    sample_weight=None,
    offset=None,
    weights=None,
    lower=None,
    upper=None,
    standardize=False,
):
    """Evaluate the objective of this module's problem.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Design.
    y : array-like of shape (n_samples,)
        Target.
    coef : array-like of shape (n_features,)
        Coefficients.
    intercept : float, default=0.0
        Intercept.
    alpha : float
        Strength of the penalty.
    l1_ratio : float, default=1.0
        Share of the l1 term.
    sample_weight, offset : array-like of shape (n_samples,), optional
        Weights of the samples, known part of the predictions.
    weights : array-like of shape (n_features,), optional
        Factors of the features' penalties.
    lower, upper : float or array-like of shape (n_features,), optional
        Limits; outside of them the objective is infinite.
    standardize : bool, default=False
        Whether the penalty is that of the scaled features; a constant feature has the scale one.

    Returns
    -------
    float
        Objective, float64.

    Examples
    --------
    >>> from thalweg.checks import objective
    >>> objective([[1.0], [2.0]], [1.0, 2.0], [0.0], alpha=1.0)
    1.25
    """
    problem = _problem(
        X,
        y,
        alpha=alpha,
        l1_ratio=l1_ratio,
        sample_weight=sample_weight,
        offset=offset,
        weights=weights,
        lower=lower,
        upper=upper,
        standardize=standardize,
    )
    coef = np.asarray(coef, dtype=np.float64)
    return problem.primal(coef, problem.residual(coef, intercept))


def duality_gap(
    X,
    y,
    coef,
    intercept=0.0,
    *,
    alpha,
    l1_ratio=1.0,
    sample_weight=None,
    offset=None,
    weights=None,
    lower=None,
    upper=None,
    fit_intercept=True,
    standardize=False,
    theta=None,
):
    r"""Bound the suboptimality of coefficients from first principles.

    A dual point is a vector :math:`\theta` with :math:`\sum_i s_i \theta_i = 0` (with an
    intercept) and

    .. math::

        D(\theta) = \frac{1}{S} \sum_i s_i \left( \theta_i (y_i - o_i) - \theta_i^2 / 2 \right)
        - \sum_j g_j^*\!\left(\frac{1}{S} \sum_i s_i \theta_i x_{ij}\right)

    where :math:`g_j^*` is the conjugate of feature j's penalty with its limits. The candidate is
    projected off the intercept and the columns that nothing penalizes, then scaled to the best
    feasible multiple, so any candidate gives a true bound.

    Parameters
    ----------
    X, y, coef, intercept, alpha, l1_ratio, sample_weight, offset, weights, lower, upper
        As in `objective`.
    standardize
        As in `objective`.
    fit_intercept : bool, default=True
        Whether the problem has a free intercept.
    theta : array-like of shape (n_samples,), optional
        Candidate dual point, in the units of a residual, as ``certificate.theta``. None: the
        residual at `coef`.

    Returns
    -------
    Gap
        Named tuple (gap, primal, dual).

    Examples
    --------
    >>> import thalweg as tw
    >>> X, y, _ = tw.problems.regression(50, 20, seed=0)
    >>> solution = tw.solve(X, y, loss="squared", penalty="l1", alpha=0.1, tol=1e-10)
    >>> check = tw.checks.duality_gap(X, y, solution.coef, solution.intercept, alpha=0.1)
    >>> bool(0 <= check.gap <= 1e-6 * check.primal)
    True
    """
    problem = _problem(
        X,
        y,
        alpha=alpha,
        l1_ratio=l1_ratio,
        sample_weight=sample_weight,
        offset=offset,
        weights=weights,
        lower=lower,
        upper=upper,
        standardize=standardize,
    )
    coef = np.asarray(coef, dtype=np.float64)
    residual = problem.residual(coef, intercept)
    primal = problem.primal(coef, residual)
    s, l1, l2 = problem.s, problem.l1, problem.l2
    theta = residual if theta is None else np.asarray(theta, dtype=np.float64)

    # Directions along which the penalty is flat at the solution: there the gradient is zero.
    no_upper, no_lower = np.isinf(problem.upper), np.isinf(problem.lower)
    inside = (coef > problem.lower) & (coef < problem.upper)
    flat = (l1 == 0) & (l2 == 0) & inside & (no_upper | no_lower)
    directions = [problem.X[:, flat]] + ([np.ones((len(s), 1))] if fit_intercept else [])
    basis = np.sqrt(s)[:, None] * np.hstack(directions)
    if basis.shape[1]:
        fitted = np.linalg.lstsq(basis, np.sqrt(s) * theta, rcond=None)[0]
        theta = theta - np.hstack(directions) @ fitted
    z = problem.X.T @ (s * theta)
    # What is zero but for rounding, as after the projection, must not count as infeasible.
    z[np.abs(z) <= 1e-13 * np.sqrt((s @ problem.X**2) * (s @ theta**2))] = 0.0

    # Without a quadratic term, the conjugate is finite only for slopes up to l1.
    steepest = np.where((l2 == 0) & no_upper, l1, np.inf)
    lowest = np.where((l2 == 0) & no_lower, -l1, -np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        multiples = np.where(z > 0, steepest / z, np.where(z < 0, lowest / z, np.inf))
    largest = multiples.min(initial=2.0)

    def dual(t):
        value = s @ (t * theta * problem.y - 0.5 * (t * theta) ** 2)
        # The largest multiple is feasible by construction; rounding must not say otherwise.
        return float(value - problem.conjugate(np.clip(t * z, lowest, steepest)).sum())

    interior = minimize_scalar(
        lambda t: -dual(t), bounds=(0.0, largest), options={"xatol": 1e-12}
    ).x
    best = max(dual(t) for t in (0.0, interior, min(largest, 1.0), largest))
    return Gap(primal - best, primal, best)


def kkt_residual(
    X,
    y,
    coef,
    intercept=0.0,
    *,
    alpha,
    l1_ratio=1.0,
    sample_weight=None,
    offset=None,
    weights=None,
    lower=None,
    upper=None,
    fit_intercept=True,
    standardize=False,
):
    r"""Measure by how much the optimality conditions are violated, scaled.

    .. math::

        \max_j \frac{\mathrm{dist}(z_j, \partial g_j(w_j))}{\|x_j\|_s \, \|r_0\|_s}, \qquad
        z_j = \frac{1}{S} \sum_i s_i r_i x_{ij}

    with the residual r, the residual :math:`r_0` of the intercept-only model and
    :math:`\|v\|_s^2 = \sum_i s_i v_i^2 / S`. With an intercept, features are centred, and the
    intercept itself counts as an unpenalized feature of ones.

    Parameters
    ----------
    X, y, coef, intercept, alpha, l1_ratio, sample_weight, offset, weights, lower, upper
        As in `duality_gap`.
    fit_intercept, standardize
        As in `duality_gap`.

    Returns
    -------
    float
        Largest scaled violation; infinite where a coefficient is outside its limits.

    Examples
    --------
    >>> import thalweg as tw
    >>> X, y, _ = tw.problems.regression(50, 20, seed=0)
    >>> solution = tw.solve(X, y, loss="squared", penalty="l2", alpha=0.1, tol=1e-12)
    >>> tw.checks.kkt_residual(
    ...     X, y, solution.coef, solution.intercept, alpha=0.1, l1_ratio=0.0) < 1e-4
    True
    """
    problem = _problem(
        X,
        y,
        alpha=alpha,
        l1_ratio=l1_ratio,
        sample_weight=sample_weight,
        offset=offset,
        weights=weights,
        lower=lower,
        upper=upper,
        standardize=standardize,
    )
    coef = np.asarray(coef, dtype=np.float64)
    if (coef < problem.lower).any() or (coef > problem.upper).any():
        return float("inf")
    s, residual = problem.s, problem.residual(coef, intercept)
    slope = problem.X.T @ (s * residual) - problem.l2 * coef
    # The subdifferential of l1 |w| is [low, high]; at a limit it reaches to infinity.
    low = np.where(coef > 0, problem.l1, -problem.l1)
    high = np.where(coef < 0, -problem.l1, problem.l1)
    low = np.where(coef <= problem.lower, -np.inf, low)
    high = np.where(coef >= problem.upper, np.inf, high)
    distance = np.maximum(np.maximum(slope - high, low - slope), 0.0)
    null = problem.y - (s @ problem.y if fit_intercept else 0.0)
    null_norm = np.sqrt(s @ null**2)
    norms = _spread(problem.X, s) if fit_intercept else np.sqrt(s @ problem.X**2)
    violations = [distance[norms > 0] / norms[norms > 0]]
    if fit_intercept:
        violations.append(np.abs([s @ residual]))
    worst = np.concatenate(violations).max(initial=0.0)
    return float(worst / null_norm if null_norm > 0 else worst)
