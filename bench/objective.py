"""Objectives and lower bounds in float64 NumPy, independent of every solver.

The Lasso,

    P(w, b) = ||y - X w - b||^2 / (2 n) + alpha ||w||_1

has as its lower bound the dual objective at the residual scaled into the dual feasible set
{theta : ||X' theta||_inf <= n alpha, and sum(theta) = 0 when there is an intercept}.

Smooth losses with a ridge penalty (w is a matrix with a column per class for the multinomial),

    P(w) = sum_i s_i loss(y_i, x_i' w) / sum_i s_i + alpha / 2 ||w||^2

have P - ||grad P||^2 / (2 alpha), since P is alpha-strongly convex. It is the Fenchel dual at
theta_i = -loss'(y_i, x_i' w), without the cancellation of writing that out.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logsumexp, softmax, xlogy


def primal_dual(X, y, alphas, coefs, intercepts, fit_intercept: bool):
    """Evaluate every column of `coefs` at its `alpha` for the Lasso.

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
    """Return the smallest alpha at which zero coefficients solve the Lasso."""
    target = y - y.mean() if fit_intercept else y
    return float(np.max(np.abs(X.T @ target)) / X.shape[0])


def _logistic(y, eta):
    """log(1 + exp(-+eta)) for classes 1 and 0."""
    sign = np.where(y == 1, 1.0, -1.0)[:, None]
    return np.logaddexp(0.0, -sign * eta)[:, 0], -sign * expit(-sign * eta)


def _multinomial(y, eta):
    """log(sum_k exp(eta_k)) - eta_y."""
    rows = np.arange(len(y))
    slope = softmax(eta, axis=1)
    slope[rows, y] -= 1.0
    return logsumexp(eta, axis=1) - eta[rows, y], slope


def _poisson(y, eta):
    """Half the unit deviance, y log(y / mu) - y + mu at mu = exp(eta): zero where mu = y."""
    eta = eta[:, 0]
    mu = np.exp(eta)
    return xlogy(y, y) - y * eta - y + mu, (mu - y)[:, None]


# name -> (y (n,), eta (n, k)) -> losses (n,), their derivatives by eta (n, k)
LOSSES = {"logistic": _logistic, "multinomial": _multinomial, "poisson": _poisson}


def ridge_primal_lower(loss: str, X, y, sample_weight, alpha: float, coef):
    """Evaluate coefficients of a smooth loss with a ridge penalty.

    Parameters
    ----------
    loss : str
        A key of `LOSSES`.
    X : (n, p) array or sparse matrix, float64
    y : (n,) array
        Classes 0, 1, ... or rates.
    sample_weight : (n,) array or None
    alpha : float
    coef : (p, k) array
        k is the number of classes for the multinomial loss, else 1.

    Returns
    -------
    primal, lower : float
        `lower <= min P <= primal`, up to rounding; not finite where the losses overflow.
    """
    share = np.ones(X.shape[0]) if sample_weight is None else sample_weight
    share = share / share.sum()
    # An overflow is an answer: that the objective is infinite there.
    with np.errstate(over="ignore", invalid="ignore"):
        value, slope = LOSSES[loss](y, X @ coef)
        primal = share @ value + 0.5 * alpha * np.sum(coef**2)
        gradient = X.T @ (share[:, None] * slope) + alpha * coef
        return float(primal), float(primal - np.sum(gradient**2) / (2.0 * alpha))
