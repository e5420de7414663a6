"""From the functions that users pass to `minimize` to what the core calls.

A Python function stays one; a compiled one becomes the capsule that SciPy makes of it, whose name
is its C signature. Errors name the argument, what came and what was expected, before any work.
"""

import ctypes
import inspect
from dataclasses import dataclass

import numpy as np
from scipy import LowLevelCallable
from scipy.optimize import Bounds, OptimizeResult

from thalweg._arrays import show

SCHEMES = ("2-point", "3-point", "cs")
_POINTER = ctypes.CFUNCTYPE(ctypes.c_void_p).__bases__[0]


@dataclass(frozen=True, slots=True)
class Objective:
    """Functions of one problem, checked, in the form that the core takes.

    Attributes
    ----------
    fun : callable, PyCapsule or None
        Function of a point.
    jac : callable, True or str
        Gradient, or Jacobian of `residuals`; True: `fun` returns it too; a scheme: by differences.
    hess, hessp : callable or None
        Hessian and its product with a vector; `hess` may be "3-point" or "cs", by central
        differences or complex steps of gradients.
    owner : object
        What the capsule belongs to.
    residuals : callable or None
        Residuals of a point, in place of `fun`.
    """

    fun: object
    jac: object
    hess: object = None
    hessp: object = None
    owner: object = None
    residuals: object = None

    @property
    def has_gradient(self):
        """Whether gradients are the caller's own."""
        return not isinstance(self.jac, str)

    @property
    def has_exact_gradient(self):
        """Whether differences of gradients mean something."""
        return self.has_gradient or self.jac == "cs"

    @property
    def has_matrix(self):
        """Whether the caller gave the Hessian, or asked for one by more than two points."""
        return self.hess is not None

    @property
    def has_hessian(self):
        """Whether the caller gave the Hessian or products with it."""
        return callable(self.hess) or self.hessp is not None


def read_objective(fun, args, jac, hess, hessp, residuals=None):
    """Check the functions of a problem.

    Parameters
    ----------
    fun : callable, compiled function or None
        Objective.
    args : tuple
        Further arguments of every function.
    jac, hess, hessp, residuals : object
        As `minimize` takes them.

    Returns
    -------
    Objective
        Functions of the point alone.
    """
    if residuals is not None:
        return _read_residuals(fun, args, jac, hess, hessp, residuals)
    compiled = read_compiled(fun)
    if compiled is not None:
        if args:
            raise ValueError(
                f"args must be empty where fun is a compiled function, got {show(args)}; pass a "
                "pointer as the user data of a scipy.LowLevelCallable instead."
            )
        has_gradient = compiled.signature.count("double") == 3
        if callable(jac) or jac is True:
            raise ValueError(
                "jac must be None or a difference scheme where fun is a compiled function, which "
                f"writes its gradient itself; got {show(jac)}."
            )
        scheme = _scheme(jac)
        if scheme == "cs":
            raise ValueError("jac='cs' needs a Python function, which takes complex arguments.")
        fun = tuple.__getitem__(compiled, 0)
        jac = True if has_gradient and not isinstance(jac, str) else scheme
    else:
        if not callable(fun):
            raise TypeError(
                "fun must be callable, a scipy.LowLevelCallable or a ctypes, cffi or numba "
                f"function pointer; got {show(fun)}."
            )
        fun = _bind(fun, args)
        if jac is not True:
            jac = _bind(jac, args) if callable(jac) else _scheme(jac)
    return Objective(
        fun,
        jac,
        _hessian(hess, args, jac, is_python=compiled is None),
        _product(hessp, args),
        owner=compiled,
    )


def _read_residuals(fun, args, jac, hess, hessp, residuals):
    if fun is not None:
        raise ValueError("fun must be None where residuals are given: it is made of them.")
    if not callable(residuals):
        raise TypeError(f"residuals must be callable, got {show(residuals)}.")
    if jac is True:
        raise ValueError("jac must be callable or a difference scheme where residuals are given.")
    return Objective(
        None,
        _bind(jac, args) if callable(jac) else _scheme(jac),
        _hessian(hess, args, SCHEMES[0]),
        _product(hessp, args),
        residuals=_bind(residuals, args),
    )


def _bind(function, args):
    return (lambda x: function(x, *args)) if args else function


def _scheme(jac):
    if jac is None or jac is False:
        return SCHEMES[0]
    if isinstance(jac, str) and jac in SCHEMES:
        return jac
    raise ValueError(
        f"jac must be callable, True, None or one of {', '.join(map(repr, SCHEMES))}; "
        f"got {show(jac)}."
    )


def _hessian(hess, args, jac, is_python=True):
    """Hessian as a function, None where forward differences do, else the name of a scheme."""
    if callable(hess):
        return (lambda x: hess(x, *args)) if args else hess
    if hess is None or (isinstance(hess, str) and hess == "2-point"):
        return None
    if not isinstance(hess, str) or hess not in SCHEMES:
        raise ValueError(
            f"hess must be callable, None or one of {', '.join(map(repr, SCHEMES))}; "
            f"got {show(hess)}."
        )
    if hess == "cs" and (isinstance(jac, str) or not is_python):
        raise ValueError("hess='cs' needs jac of a Python function, which takes complex arguments.")
    if isinstance(jac, str) and jac != "cs":
        raise ValueError(
            "hess='3-point' needs jac: differences of gradients that are differences themselves "
            "are too inexact."
        )
    return hess


def _product(hessp, args):
    """Product of the Hessian with a vector as a function, or None."""
    if hessp is None:
        return None
    if not callable(hessp):
        raise ValueError(f"hessp must be callable or None; got {show(hessp)}.")
    return (lambda x, v: hessp(x, v, *args)) if args else hessp


def read_compiled(fun):
    """Return SciPy's view of a compiled function, or None for others.

    Parameters
    ----------
    fun : object
        Function.

    Returns
    -------
    scipy.LowLevelCallable or None
        Its pointer with its signature.
    """
    if isinstance(fun, LowLevelCallable):
        return fun
    if isinstance(fun, _POINTER):
        if fun.argtypes is None:
            raise TypeError(
                f"fun must have a signature, got {show(fun)} without one: set its argtypes, and "
                "restype to ctypes.c_double."
            )
        return LowLevelCallable(fun)
    if isinstance(getattr(fun, "ctypes", None), _POINTER):  # what numba.cfunc makes
        return LowLevelCallable(fun.ctypes)
    if type(fun).__module__ == "_cffi_backend":
        return LowLevelCallable(fun)
    return None


def read_point(name, x0):
    """Return a point as a new float64 vector; arrays of any shape are flattened.

    Parameters
    ----------
    name : str
        Argument that messages name.
    x0 : array-like
        Point.

    Returns
    -------
    ndarray of shape (n,)
        Its entries.
    """
    try:
        array = np.asarray(x0)
        if array.dtype.kind not in "fiubO":
            raise TypeError(f"dtype {array.dtype}")
        point = np.array(array, dtype=np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be real numbers, got {show(x0)}.") from error
    if point.size == 0:
        raise ValueError(f"{name} must have at least one entry, got shape {array.shape}.")
    if not np.isfinite(point).all():
        j = int(np.flatnonzero(~np.isfinite(point))[0])
        raise ValueError(f"{name} must be finite, got {point[j]} at position {j}.")
    return point


def read_steps(name, steps, size):
    """Return steps of differences, one for each variable.

    Parameters
    ----------
    name : str
        Argument that messages name.
    steps : float or array-like of shape (size,)
        Positive.
    size : int
        Number of variables.

    Returns
    -------
    ndarray of shape (size,)
        Steps.
    """
    expected = f"{name} must be in (0, inf), one number or {size}, one for each entry of x0"
    try:
        array = np.asarray(steps)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{expected}; got {show(steps)}.")
        vector = np.ascontiguousarray(np.broadcast_to(array.astype(np.float64), (size,)))
    except ValueError as error:
        raise ValueError(f"{expected}; got shape {np.shape(steps)}.") from error
    if not ((vector > 0) & np.isfinite(vector)).all():
        raise ValueError(f"{expected}; got {show(steps)}.")
    return vector


def read_bounds(bounds, size):
    """Return lower and upper bounds as float64 vectors, None where there are none.

    Parameters
    ----------
    bounds : sequence of (low, high), scipy.optimize.Bounds or None
        None or an infinity in a pair: no bound.
    size : int
        Number of variables.

    Returns
    -------
    lower, upper : ndarray of shape (size,) or None
        Bounds.
    """
    if bounds is None:
        return None, None
    try:
        if isinstance(bounds, Bounds):
            lower = np.broadcast_to(np.asarray(bounds.lb, dtype=np.float64), (size,)).copy()
            upper = np.broadcast_to(np.asarray(bounds.ub, dtype=np.float64), (size,)).copy()
        else:
            pairs = [(low, high) for low, high in bounds]
            if len(pairs) != size:
                raise ValueError(f"{len(pairs)} pairs for {size} variables")
            lower = np.array([-np.inf if low is None else low for low, _ in pairs], np.float64)
            upper = np.array([np.inf if high is None else high for _, high in pairs], np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"bounds must be a scipy.optimize.Bounds or {size} pairs (low, high), one for each "
            f"entry of x0; got {show(bounds)}: {error}."
        ) from error
    wrong = ~(lower <= upper) | (lower == np.inf) | (upper == -np.inf)
    if wrong.any():
        j = int(wrong.argmax())
        raise ValueError(
            f"bounds must leave a value for every variable, got ({lower[j]}, {upper[j]}) for "
            f"variable {j}."
        )
    return (
        None if np.isneginf(lower).all() else lower,
        None if np.isposinf(upper).all() else upper,
    )


def read_callback(callback):
    """Return a function (x, value) -> whether to stop, with SciPy's two kinds of callback.

    Parameters
    ----------
    callback : callable or None
        Takes the point, or an `OptimizeResult` by the name ``intermediate_result``.

    Returns
    -------
    callable or None
        What the core calls after each iteration.
    """
    if callback is None:
        return None
    if not callable(callback):
        raise TypeError(f"callback must be callable or None, got {show(callback)}.")
    try:
        names = set(inspect.signature(callback).parameters)
    except ValueError:  # some functions written in C have no signature
        names = set()
    by_name = names == {"intermediate_result"}

    def observe(x, value):
        try:
            if by_name:
                answer = callback(intermediate_result=OptimizeResult(x=x, fun=value))
            else:
                answer = callback(x)
        except StopIteration:
            return True
        # Callbacks written for SciPy, which ignores the answer, may return anything.
        return isinstance(answer, (bool, np.bool_)) and bool(answer)

    return observe
