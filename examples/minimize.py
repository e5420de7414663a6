"""Minimize functions: with a gradient, within bounds, sums of squares, and in SciPy's place.

python examples/minimize.py
"""

import numpy as np
import scipy.optimize

import thalweg as tw


def rosenbrock(x):
    """Return a curved valley with its minimum at one, and its gradient."""
    steps, falls = x[1:] - x[:-1] ** 2, 1.0 - x[:-1]
    gradient = np.zeros_like(x)
    gradient[1:] += 200.0 * steps
    gradient[:-1] -= 400.0 * x[:-1] * steps + 2.0 * falls
    return 100.0 * steps @ steps + falls @ falls, gradient


start = np.tile([-1.2, 1.0], 10)

# 1. The gradient is right, and leads to the minimum; the report says how.
check = tw.check_grad(lambda x: rosenbrock(x)[0], start, lambda x: rosenbrock(x)[1])
print(f"relative error of the gradient: {check.error:.1e}")
assert check.error < 1e-6
result = tw.minimize(rosenbrock, start, jac=True)
print(result.report)
print(result.certificate)
assert result.success
assert np.allclose(result.x, 1.0, atol=1e-4)

# 2. Bounds: the minimum within them, where the gradient pushes only against them.
bounds = [(None, 0.5)] * len(start)
result = tw.minimize(rosenbrock, start, jac=True, bounds=bounds)
print(f"within bounds: {result.fun:.4f} by {result.report.solver}")
assert result.success
assert result.x.max() <= 0.5
assert (result.jac[result.x == 0.5] <= 0).all()
assert np.abs(result.jac[result.x < 0.5]).max() < 1e-3

# 3. Sums of squares: a decay through points of which some are wrong, by a robust loss.
rng = np.random.default_rng(0)
t, truth = np.linspace(0.0, 4.0, 80), np.array([3.0, 1.2, 0.5])
y = truth[0] * np.exp(-truth[1] * t) + truth[2] + 0.02 * rng.standard_normal(t.size)
y[::9] += 2.0


def residuals(x):
    """Return what a decay to a level misses of the points."""
    return x[0] * np.exp(-x[1] * t) + x[2] - y


for loss in ("linear", "soft_l1"):
    fitted = tw.minimize(residuals=residuals, x0=np.ones(3), loss=loss, f_scale=0.05)
    error = np.abs(fitted.x - truth).max()
    print(f"{loss}: off by {error:.3f} after {fitted.nfev} evaluations")
assert fitted.success
assert error < 0.05

# 4. Where a program calls SciPy, the method alone changes.
method = tw.scipy_method("l-bfgs")
result = scipy.optimize.minimize(rosenbrock, start, jac=True, method=method)
print(f"in scipy.optimize.minimize: {result.fun:.1e} after {result.nfev} evaluations")
assert result.success
assert np.allclose(result.x, 1.0, atol=1e-4)
