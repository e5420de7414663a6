"""Fit a lasso with many more features than samples, and recheck its certificate in NumPy.

python examples/certified_lasso.py
"""

import numpy as np

import thalweg as tw

ALPHA = 0.05


def duality_gap(X, y, coef, intercept, theta):
    """Bound the distance of an objective from its minimum, from first principles.

    Any theta of sum zero (the intercept is free) with |x_j' theta| <= n alpha for every feature j
    has a dual objective that no coefficients can go below.
    """
    n = len(y)
    residual = y - X @ coef - intercept
    primal = residual @ residual / (2 * n) + ALPHA * np.abs(coef).sum()
    theta = theta - theta.mean()
    theta = theta / max(1.0, np.abs(X.T @ theta).max() / (n * ALPHA))
    dual = (theta @ y - theta @ theta / 2) / n
    return primal - dual


X, y, true_coef = tw.problems.regression(200, 5_000, n_nonzero=10, correlation=0.7, seed=0)
solution = tw.solve(X, y, loss="squared", penalty="l1", alpha=ALPHA, tol=1e-10, return_theta=True)
certificate = solution.certificate
print(f"{certificate}; {np.count_nonzero(solution.coef)} of {X.shape[1]} coefficients")

# 1. With the dual point of the fit, NumPy arrives at the certificate, up to rounding.
rechecked = duality_gap(X, y, solution.coef, solution.intercept, certificate.theta)
rounding = 1e-13 * certificate.primal
print(f"rechecked in NumPy: {rechecked:.3g}")
assert abs(rechecked - certificate.value) <= rounding

# 2. The bound is true: no fit, however exact, gets below primal - value.
exact = tw.solve(X, y, loss="squared", penalty="l1", alpha=ALPHA, tol=1e-14)
assert exact.certificate.primal >= certificate.dual - rounding

# 3. It also bounds predictions: their root mean square distance from those of any minimizer is at
#    most sqrt(2 gap), because squared loss grows at least quadratically away from its minimum.
rough = tw.solve(X, y, loss="squared", penalty="l1", alpha=ALPHA, tol=1e-2)
distance = X @ (rough.coef - exact.coef) + rough.intercept - exact.intercept
rms, bound = np.sqrt(np.mean(distance**2)), np.sqrt(2 * rough.certificate.value)
print(f"at tol=1e-2, predictions are off by {rms:.3g} (bound: {bound:.3g})")
assert rms <= bound
