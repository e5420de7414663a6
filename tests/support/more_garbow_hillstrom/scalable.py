"""Problems 20 to 35, of variable dimension: ``scaled(number, n)`` makes one of n variables."""

import numpy as np

from support.more_garbow_hillstrom.problem import Problem, quiet

_FAMILIES = {}


def family(number, name, start, minima):
    """Register residuals and Jacobian of x; `minima` is a dict by n, or a function of n."""

    def register(function):
        _FAMILIES[number] = (name, start, minima, function)
        return function

    return register


def scaled(number, n):
    """Problem `number` in n variables.

    Parameters
    ----------
    number : int
        Of the paper, 20 to 35.
    n : int
        Variables.

    Returns
    -------
    Problem
        With minima where they are known for this n.
    """
    name, start, minima, function = _FAMILIES[number]
    known = minima(n) if callable(minima) else minima.get(n, ())
    return Problem(
        number,
        f"{name}_{n}",
        np.asarray(start(n), dtype=np.float64),
        quiet(function, 0),
        quiet(function, 1),
        known,
    )


def ones(n):
    return np.ones(n)


def counting(n):
    return np.arange(1.0, n + 1)


def zero(n):
    return (0.0,)


@family(20, "watson", np.zeros, {6: (2.28767005355e-3,), 9: (1.39976013854e-6,)})
def watson(x):
    j = np.arange(x.size)
    t = np.arange(1, 30)[:, None] / 29
    powers = t**j
    slopes = j * t ** np.maximum(j - 1, 0)
    total = powers @ x
    unit = np.eye(2, x.size)
    r = np.concatenate([slopes @ x - total**2 - 1, [x[0], x[1] - x[0] ** 2 - 1]])
    last = unit[1] - 2 * x[0] * unit[0]
    return r, np.vstack([slopes - 2 * total[:, None] * powers, unit[0], last])


@family(21, "extended_rosenbrock", lambda n: np.tile([-1.2, 1.0], n // 2), zero)
def extended_rosenbrock(x):
    odd, even = x[::2], x[1::2]
    jacobian = np.zeros((x.size, x.size), dtype=x.dtype)
    i = np.arange(0, x.size, 2)
    jacobian[i, i], jacobian[i, i + 1], jacobian[i + 1, i] = -20 * odd, 10, -1
    r = np.empty_like(x)
    r[::2], r[1::2] = 10 * (even - odd**2), 1 - odd
    return r, jacobian


@family(22, "extended_powell", lambda n: np.tile([3.0, -1.0, 0.0, 1.0], n // 4), zero)
def extended_powell(x):
    i = np.arange(0, x.size, 4)
    x1, x2, x3, x4 = (x[k::4] for k in range(4))
    a, b = x2 - 2 * x3, x1 - x4
    r = np.empty_like(x)
    r[i], r[i + 1], r[i + 2] = x1 + 10 * x2, np.sqrt(5) * (x3 - x4), a**2
    r[i + 3] = np.sqrt(10) * b**2
    jacobian = np.zeros((x.size, x.size), dtype=x.dtype)
    jacobian[i, i], jacobian[i, i + 1] = 1, 10
    jacobian[i + 1, i + 2], jacobian[i + 1, i + 3] = np.sqrt(5), -np.sqrt(5)
    jacobian[i + 2, i + 1], jacobian[i + 2, i + 2] = 2 * a, -4 * a
    jacobian[i + 3, i], jacobian[i + 3, i + 3] = 2 * np.sqrt(10) * b, -2 * np.sqrt(10) * b
    return r, jacobian


@family(23, "penalty_1", counting, {4: (2.24997750089e-5,), 10: (7.08765146709e-5,)})
def penalty_1(x):
    a = np.sqrt(1e-5)
    r = np.concatenate([a * (x - 1), [x @ x - 0.25]])
    return r, np.vstack([a * np.eye(x.size), 2 * x])


@family(24, "penalty_2", lambda n: np.full(n, 0.5), {4: (9.37629294e-6,), 10: (2.93660537e-4,)})
def penalty_2(x):
    n, a = x.size, np.sqrt(1e-5)
    i = np.arange(2, n + 1)
    y = np.exp(i / 10) + np.exp((i - 1) / 10)
    e = np.exp(x / 10)
    weights = np.arange(n, 0, -1)
    r = [[x[0] - 0.2], a * (e[1:] + e[:-1] - y), a * (e[1:] - np.exp(-0.1)), [weights @ x**2 - 1]]
    slope = a * e / 10
    unit = np.eye(n)
    own = unit[1:] * slope
    jacobian = [unit[:1], own + unit[:-1] * slope, own, [2 * weights * x]]
    return np.concatenate(r), np.vstack(jacobian)


@family(25, "variably_dimensioned", lambda n: 1 - counting(n) / n, zero)
def variably_dimensioned(x):
    j = np.arange(1, x.size + 1)
    total = j @ (x - 1)
    r = np.concatenate([x - 1, [total, total**2]])
    return r, np.vstack([np.eye(x.size), j, 2 * total * j])


@family(26, "trigonometric", lambda n: np.full(n, 1 / n), {10: (0.0, 2.79506122e-5)})
def trigonometric(x):
    i = np.arange(1, x.size + 1)
    r = x.size - np.cos(x).sum() + i * (1 - np.cos(x)) - np.sin(x)
    jacobian = np.sin(x) + np.diag(i * np.sin(x) - np.cos(x))
    return r, jacobian


@family(27, "brown_almost_linear", lambda n: np.full(n, 0.5), lambda n: (0.0, 1.0))
def brown_almost_linear(x):
    n = x.size
    r = x + x.sum() - (n + 1)
    r[-1] = np.prod(x) - 1
    jacobian = np.ones((n, n), dtype=x.dtype) + np.eye(n)
    jacobian[-1] = [np.prod(np.delete(x, j)) for j in range(n)]
    return r, jacobian


def grid(n):
    t = counting(n) / (n + 1)
    return t * (t - 1)


@family(28, "discrete_boundary_value", grid, zero)
def discrete_boundary_value(x):
    n = x.size
    h = 1 / (n + 1)
    s = x + h * np.arange(1, n + 1) + 1
    second = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    return second @ x + h**2 * s**3 / 2, second + np.diag(1.5 * h**2 * s**2)


@family(29, "discrete_integral_equation", grid, zero)
def discrete_integral_equation(x):
    n = x.size
    h = 1 / (n + 1)
    t = h * np.arange(1, n + 1)
    s = x + t + 1
    kernel = np.where(t <= t[:, None], (1 - t[:, None]) * t, t[:, None] * (1 - t)) * h / 2
    return x + kernel @ s**3, np.eye(n) + 3 * kernel * s**2


@family(30, "broyden_tridiagonal", lambda n: -ones(n), zero)
def broyden_tridiagonal(x):
    off = np.eye(x.size, k=-1) + 2 * np.eye(x.size, k=1)
    return (3 - 2 * x) * x - off @ x + 1, np.diag(3 - 4 * x) - off


@family(31, "broyden_banded", lambda n: -ones(n), zero)
def broyden_banded(x):
    i = np.arange(x.size)
    back = i[:, None] - i
    near = ((back <= 5) & (back >= -1) & (back != 0)).astype(float)
    return x * (2 + 5 * x**2) + 1 - near @ (x * (1 + x)), np.diag(2 + 15 * x**2) - near * (
        1 + 2 * x
    )


ROWS = 20  # of the three linear problems


@family(32, "linear_full_rank", ones, lambda n: (float(ROWS - n),))
def linear_full_rank(x):
    jacobian = np.eye(ROWS, x.size) - 2 / ROWS
    return jacobian @ x - 1, jacobian


@family(33, "linear_rank_one", ones, lambda n: (ROWS * (ROWS - 1) / (2 * (2 * ROWS + 1)),))
def linear_rank_one(x):
    jacobian = np.outer(np.arange(1.0, ROWS + 1), np.arange(1.0, x.size + 1))
    return jacobian @ x - 1, jacobian


@family(
    34,
    "linear_rank_one_zeros",
    ones,
    lambda n: ((ROWS**2 + 3 * ROWS - 6) / (2 * (2 * ROWS - 3)),),
)
def linear_rank_one_zeros(x):
    row = np.arange(1.0, x.size + 1)
    row[[0, -1]] = 0
    factors = np.arange(0.0, ROWS)
    factors[-1] = 0
    jacobian = np.outer(factors, row)
    return jacobian @ x - 1, jacobian


@family(
    35,
    "chebyquad",
    lambda n: counting(n) / (n + 1),
    {7: (0.0,), 8: (3.51687372568e-3,), 9: (0.0,), 10: (4.77271369637e-3, 6.50395e-3)},
)
def chebyquad(x):
    """Chebyshev polynomials shifted to [0, 1], by their recurrence."""
    n = x.size
    y = 2 * x - 1
    before, at = np.ones_like(y), y
    slope_before, slope = np.zeros_like(y), 2 * np.ones_like(y)
    r, jacobian = [], []
    for i in range(1, n + 1):
        r.append(at.mean() + (1 / (i**2 - 1) if i % 2 == 0 else 0))
        jacobian.append(slope / n)
        before, at, slope_before, slope = (
            at,
            2 * y * at - before,
            slope,
            4 * at + 2 * y * slope - slope_before,
        )
    return np.array(r), np.array(jacobian)


_SIZES = {20: 9, 21: 10, 22: 12, 23: 10, 24: 4, 25: 10, 35: 8}  # as in the paper's tables
SCALABLE = tuple(scaled(number, _SIZES.get(number, 10)) for number in _FAMILIES)
