"""`check_grad`: a gradient against differences of values, coordinate by coordinate."""

from dataclasses import dataclass

import numpy as np

from thalweg._arrays import show
from thalweg._objective import read_compiled, read_point

__all__ = ["GradientCheck", "check_grad"]

# Central differences balance h^2 with eps / h. The one-sided ones of a kink are those of the half
# step and of the full one: where f is smooth, their disagreement halves with the step.
_STEP = np.cbrt(np.finfo(np.float64).eps)
_NOISE = 64 * np.finfo(np.float64).eps  # of a value, relative: sums of many terms round
_SHOWN = 10  # coordinates in the printed table


@dataclass(frozen=True, slots=True)
class GradientCheck:
    r"""A gradient beside differences of values; ``float(check)`` is the relative error.

    .. math::

        \frac{\|a - n\|}{\|a\| + \|n\|}

    for the gradient a to check and the numerical one n; kinks are left out of both.

    Attributes
    ----------
    error : float
        Relative error, in [0, 1]; 0 where both vanish, NaN where a value is not finite or every
        coordinate has a kink.
    analytic : ndarray of shape (n,)
        The gradient to check.
    numeric : ndarray of shape (n,)
        Central differences.
    errors : ndarray of shape (n,)
        ``|a_j - n_j| / (|a_j| + |n_j|)``, 0 where both are zero but for rounding.
    worst : int
        Coordinate with the largest ``|a_j - n_j|`` among those without a kink.
    kinks : ndarray of int
        Coordinates along which the function has a kink at the point: its one-sided differences
        disagree, whatever the step.
    """

    error: float
    analytic: np.ndarray
    numeric: np.ndarray
    errors: np.ndarray
    worst: int
    kinks: np.ndarray

    def __float__(self):
        return self.error

    def __str__(self):
        lines = [
            f"relative error {self.error:.2e}, largest difference at coordinate {self.worst}",
            f"{'coordinate':>10} {'jac':>16} {'differences':>16} {'error':>9}",
        ]
        for j in np.argsort(-np.nan_to_num(self.errors, nan=np.inf), kind="stable")[:_SHOWN]:
            kink = "  kink" if j in self.kinks else ""
            lines.append(
                f"{j:>10} {self.analytic[j]:>16.8g} {self.numeric[j]:>16.8g} "
                f"{self.errors[j]:>9.1e}{kink}"
            )
        left_out = len(self.errors) - _SHOWN
        if left_out > 0:
            lines.append(f"{left_out} more coordinates with smaller errors")
        return "\n".join(lines)


def check_grad(fun, x0, jac, args=()):
    """Compare a gradient with central differences of the function.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)`` returns a number, or (f, gradient) where `jac` is True.
    x0 : array-like
        Point to check at.
    jac : callable or True
        Gradient, ``jac(x, *args)``.
    args : tuple, default=()
        Further arguments of both.

    Returns
    -------
    GradientCheck
        Relative error, which it is as a float, and both gradients; printing shows the worst
        coordinates and kinks.

    Raises
    ------
    ValueError, TypeError
        If an argument cannot be used; the message names it.

    Examples
    --------
    >>> import thalweg as tw
    >>> check = tw.check_grad(lambda x: x[0] ** 2 + 3 * x[1], [1.0, 2.0], lambda x: [2 * x[0], 3.0])
    >>> float(check) < 1e-8
    True
    >>> wrong = tw.check_grad(lambda x: x[0] ** 2 + 3 * x[1], [1.0, 2.0], lambda x: [x[0], 3.0])
    >>> wrong.worst, round(float(wrong), 2)
    (0, 0.15)
    """
    if read_compiled(fun) is not None:
        raise TypeError(f"fun must be a Python function, got {show(fun)}.")
    if not callable(fun):
        raise TypeError(f"fun must be callable, got {show(fun)}.")
    if not callable(jac) and jac is not True:
        raise TypeError(f"jac must be callable or True, got {show(jac)}.")
    args = args if isinstance(args, tuple) else (args,)
    x = read_point("x0", x0)

    def value(point):
        result = fun(point, *args)
        return _number(_pair(result)[0] if jac is True else result)

    gradient = _pair(fun(x.copy(), *args))[1] if jac is True else jac(x.copy(), *args)
    analytic = np.asarray(gradient, dtype=np.float64).ravel()
    if analytic.size != x.size:
        raise ValueError(f"jac must return {x.size} numbers, got shape {np.shape(gradient)}.")
    numeric, noise, has_kink = _differences(value, x)
    return _compare(analytic, numeric, noise, has_kink)


def _pair(result):
    """Check what `fun` returned where it returns its gradient too."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise TypeError(f"fun must return (f, gradient) where jac is True; got {show(result)}.")
    return result


def _number(result):
    """Read the value in what `fun` returned."""
    try:
        array = np.asarray(result)
        if array.dtype.kind not in "fiubO":
            raise TypeError(f"dtype {array.dtype}")
        return float(array.item())
    except (TypeError, ValueError) as error:
        raise TypeError(f"fun must return a real number; got {show(result)}.") from error


def _differences(value, x):
    """Central differences, their rounding errors and whether there are kinks, per coordinate."""
    numeric, noise, has_kink = np.empty(x.size), np.empty(x.size), np.zeros(x.size, dtype=bool)
    middle = value(x.copy())
    for j in range(x.size):
        h = _STEP * max(1.0, abs(x[j]))
        ahead, behind = _one_sided(value, x, j, h, middle)
        near_ahead, near_behind = _one_sided(value, x, j, 0.5 * h, middle)
        numeric[j] = 0.5 * (ahead + behind)
        noise[j] = _NOISE * max(abs(middle), h * abs(ahead)) / h
        far, near = abs(ahead - behind), abs(near_ahead - near_behind)
        slope = max(abs(near_ahead), abs(near_behind))
        has_kink[j] = near > 0.75 * far and near > 1e-3 * slope + 4 * noise[j]
    return numeric, noise, has_kink


def _one_sided(value, x, j, h, middle):
    """Slopes of the chords to both sides."""
    slopes = []
    for side in (1.0, -1.0):
        point = x.copy()
        point[j] += side * h
        slopes.append((value(point) - middle) / (point[j] - x[j]))
    return slopes


def _compare(analytic, numeric, noise, has_kink):
    difference = np.abs(analytic - numeric)
    size = np.abs(analytic) + np.abs(numeric)
    drowned = size <= noise
    errors = np.divide(difference, size, out=np.zeros_like(size), where=~drowned)
    smooth = ~has_kink
    return GradientCheck(
        error=_relative_error(analytic[smooth], numeric[smooth]),
        analytic=analytic,
        numeric=numeric,
        errors=errors,
        worst=int(np.argmax(np.where(smooth, difference, -1.0))),
        kinks=np.flatnonzero(has_kink),
    )


def _relative_error(analytic, numeric):
    """Return the norm of the difference over the sum of norms, of entries scaled to at most 1."""
    unit = np.abs([analytic, numeric]).max(initial=0.0)
    if not analytic.size or not np.isfinite(unit):
        return np.nan
    if unit == 0:
        return 0.0
    a, n = analytic / unit, numeric / unit
    return float(np.linalg.norm(a - n) / (np.linalg.norm(a) + np.linalg.norm(n)))
