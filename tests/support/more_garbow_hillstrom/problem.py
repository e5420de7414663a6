"""A sum of squares with its derivatives."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Problem:
    """min f(x) = sum of squared residuals, from a standard start.

    Attributes
    ----------
    number : int
        Of the paper.
    name : str
        Name and dimension.
    start : ndarray
        Standard start.
    residuals, jacobian : callable
        Of a point, real or complex: every formula is analytic.
    minima : tuple of float
        Known values of local minima, to six digits; the first is the global one.
    """

    number: int
    name: str
    start: np.ndarray
    residuals: Callable
    jacobian: Callable
    minima: tuple

    @property
    def size(self):
        return self.start.size

    def fun(self, x):
        with np.errstate(all="ignore"):
            r = self.residuals(x)
            return float(r @ r)

    def gradient(self, x):
        with np.errstate(all="ignore"):
            return 2.0 * (self.residuals(x) @ self.jacobian(x))

    def fun_and_gradient(self, x):
        with np.errstate(all="ignore"):
            r = self.residuals(x)
            return float(r @ r), 2.0 * (r @ self.jacobian(x))

    def hessian(self, x):
        """Exact but for rounding: the complex step of the gradient."""
        h = 1e-30
        columns = []
        with np.errstate(all="ignore"):
            for j in range(self.size):
                z = np.asarray(x, dtype=complex)
                z[j] += 1j * h
                columns.append((2.0 * (self.residuals(z) @ self.jacobian(z))).imag / h)
        hessian = np.array(columns)
        return 0.5 * (hessian + hessian.T)

    def hessian_product(self, x, v):
        """The complex step along v."""
        h = 1e-30
        with np.errstate(all="ignore"):
            z = x + 1j * h * v
            return (2.0 * (self.residuals(z) @ self.jacobian(z))).imag / h


def quiet(function, part):
    """One of the results of a function of x; what overflows does so without a warning."""

    def call(x):
        with np.errstate(all="ignore"):
            return function(x)[part]

    return call


def columns(*parts):
    """A Jacobian from its columns."""
    return np.stack(np.broadcast_arrays(*parts), axis=1)
