"""Objective and lower bound of the Lasso in float64 NumPy, independent of every solver.

    P(w, b) = ||y - X w - b||^2 / (2 n) + alpha ||w||_1

The lower bound is the dual objective at the residual scaled into the dual feasible set
{theta : ||X' theta||_inf <= n alpha, and sum(theta) = 0 when there is an intercept}.
"""

from __future__ import annotations

import numpy as np


def primal_dual(X, y, alphas, coefs, intercepts, fit_intercept: bool):
    """Evaluate every column of `coefs` at its `alpha`.

    Parameters
    ----------
    X : (n, p) array or sparse matrix, float64
    y : (n,) array
    alphas : (k,) array
    coefs : (p, k) array
    intercepts : (k,) array
    fit_intercept : bool
        Whether the problem has a free intercept.

    Returns
    -------
    primal, dual : (k,) arrays
        `dual <= min P <= primal` holds for each alpha.
    """
    n = X.shape[0]
    coefs = np.asarray(coefs, dtype=np.float64)
    residual = y[:, None] - X @ coefs - intercepts
    primal = 0.5 / n * np.sum(residual**2, axis=0) + alphas * np.sum(np.abs(coefs), axis=0)
    theta = residual - residual.mean(axis=0) if fit_intercept else residual
    limit = n * alphas / np.maximum(np.max(np.abs(X.T @ theta), axis=0), np.finfo(float).tiny)
    square = np.sum(theta**2, axis=0)
    linear = y @ theta
    # The best multiple of theta, clipped into the feasible interval.
    scale = np.clip(linear / np.maximum(square, np.finfo(float).tiny), -limit, limit)
    return primal, scale * linear / n - 0.5 * scale**2 * square / n


def alpha_max(X, y, fit_intercept: bool = False) -> float:
    """Return the smallest alpha at which zero coefficients are optimal."""
    target = y - y.mean() if fit_intercept else y
    return float(np.max(np.abs(X.T @ target)) / X.shape[0])
