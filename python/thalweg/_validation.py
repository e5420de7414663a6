"""From what users pass to what the core reads.

The core takes views and never converts. Whatever has to be copied or converted is copied on the
way in, at most once (see ``_arrays.py`` and ``_sparse.py``). Errors come before any work is done.
The values of X are not looked at: the core checks that they are finite during its first pass over
them.
"""

import math
import numbers
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from thalweg import _core
from thalweg._arrays import (
    FLOATS,
    check_not_empty,
    copy_in_blocks,
    has_unit_stride,
    naming,
    read_floats,
    record,
    show,
    to_array,
    to_float,
)
from thalweg._sparse import read_sparse

_MOST_WEIGHT_EXPONENT = 64  # of the largest weight; beyond it the weights are scaled


@dataclass(slots=True)
class Data:
    """Checked inputs of one problem, in the form that the core takes.

    Attributes
    ----------
    design : _core.Design
        View of X.
    y : ndarray of shape (n_samples, n_targets)
        Targets, float64, column-major.
    is_vector : bool
        Whether y came with one dimension, so that the intercept is a number.
    sample_weight : ndarray of shape (n_samples,) or None
        Sample weights, float64, divided by ``2**weight_exponent``.
    offset : ndarray of shape (n_samples,) or None
        Known part of the predictions, float64.
    copies : list of str
        What was copied on the way in, and why.
    weight_exponent : int
        Power of two that was taken out of very large or small sample weights, else 0.
    """

    design: _core.Design
    y: np.ndarray
    is_vector: bool
    sample_weight: np.ndarray | None = None
    offset: np.ndarray | None = None
    copies: list[str] = field(default_factory=list)
    weight_exponent: int = 0

    @property
    def dtype(self):
        """Floating-point type of X, and of the coefficients that users see."""
        return np.dtype(self.design.dtype)

    @property
    def n_samples(self):
        """Number of rows of X."""
        return self.design.shape[0]

    @property
    def n_features(self):
        """Number of columns of X."""
        return self.design.shape[1]


def read_data(X, y, sample_weight=None, offset=None, owner="solve", n_threads=None, by_rows=False):
    """Check X, y, weights and offset and turn them into views for the core.

    Parameters
    ----------
    X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        Design. Dense float arrays with one unit stride and canonical matrices of the orientation
        that is wanted are not copied.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Targets.
    sample_weight : float or array-like of shape (n_samples,), optional
        Non-negative weights with a positive sum; a number means equal weights.
    offset : array-like of shape (n_samples,), optional
        Known part of the predictions.
    owner : str
        Who asks, for error messages.
    n_threads : int, optional
        Threads that a conversion may take.
    by_rows : bool
        Whether a sparse X is wanted by rows: one pass then gives X w and products with what follows
        from it. Else by columns.

    Returns
    -------
    Data
        Views and the record of copies.

    Raises
    ------
    ValueError, TypeError
        If an argument cannot be used; the message names it.
    """
    copies = []
    if y is None:
        raise ValueError(
            f"{owner} requires y to be passed, but the target y is None; "
            "expected numbers of shape (n_samples,) or (n_samples, n_targets)."
        )
    design = read_design(X, copies, n_threads, by_rows)
    targets = read_floats("y", y, copies, dimensions=(1, 2), order="F")
    n = design.shape[0]
    _check_length("y", targets, n)
    weights, exponent = read_sample_weight(sample_weight, n, copies)
    data = Data(
        design=design,
        y=targets if targets.ndim == 2 else targets.reshape(-1, 1),
        is_vector=targets.ndim == 1,
        sample_weight=weights,
        copies=copies,
        weight_exponent=exponent,
    )
    if data.y.shape[1] == 0:
        raise ValueError(f"y must have at least one target, got shape {targets.shape}.")
    if offset is not None:
        data.offset = read_offset(offset, n, copies)
    return data


def read_design(X, copies, n_threads=None, by_rows=False):
    """Return the core's view of X.

    Parameters
    ----------
    X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        Design.
    copies : list of str
        Record that conversions are appended to.
    n_threads : int, optional
        Threads that a conversion may take.
    by_rows : bool
        Whether a sparse X is wanted by rows, else by columns.

    Returns
    -------
    _core.Design
        Dense, CSC or CSR view.
    """
    if hasattr(X, "iloc") and hasattr(X, "sparse"):  # a pandas frame of sparse columns
        with naming("X"):
            X = X.sparse.to_coo()
    if sparse.issparse(X):
        return read_sparse(X, copies, n_threads, by_rows)
    array = X if type(X) is np.ndarray else to_array("X", X, copies)
    if array.ndim == 0:
        raise ValueError(
            "Expected 2D array, got scalar array instead: X must be array-like of shape "
            f"(n_samples, n_features), got {show(X)}."
        )
    if array.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {array.ndim}D array instead: X must have shape "
            f"(n_samples, n_features), got {array.shape}. Reshape your data using "
            "X.reshape(-1, 1) if it has a single feature or X.reshape(1, -1) if it has a single "
            "sample."
        )
    check_not_empty(array.shape)
    if array.dtype not in FLOATS:
        array = to_float("X", array, copies, order="F")
    elif not has_unit_stride(array):
        why = f"its strides {array.strides} fit neither row-major nor column-major order"
        if not array.flags.aligned:
            why = f"its numbers are not aligned to {array.itemsize} bytes"
        array = copy_in_blocks(array, array.dtype, "F")
        record(copies, "X", why, array)
    return _core.Design.dense(array)


def read_sample_weight(sample_weight, n_samples, copies):
    """Return checked sample weights, or None where all rows weigh the same.

    Parameters
    ----------
    sample_weight : None, float or array-like of shape (n_samples,)
        What the caller gave.
    n_samples : int
        Number of rows of X.
    copies : list of str
        Record that conversions are appended to.

    Returns
    -------
    weights : ndarray of shape (n_samples,) or None
        Weights, float64.
    exponent : int
        Power of two that was taken out of them, else 0.
    """
    if sample_weight is None:
        return None, 0
    if isinstance(sample_weight, numbers.Real) and not isinstance(sample_weight, bool):
        try:
            weight = float(sample_weight)  # comparing a float32 with a float64 limit overflows
        except OverflowError:
            weight = math.inf
        if not 0 < weight < math.inf:
            raise ValueError(
                "sample_weight must be positive and finite where it is a number, "
                f"got {show(sample_weight)}."
            )
        return None, 0
    weights = read_floats("sample_weight", sample_weight, copies, dimensions=(1,))
    _check_length("sample_weight", weights, n_samples)
    if weights.min() < 0:
        raise ValueError(
            "Negative values in sample_weight: weights must be at least zero, "
            f"got {weights.min()} in row {weights.argmin()}."
        )
    if not weights.any():
        raise ValueError(
            "sample_weight must have a positive sum, but all weights are zero. "
            "Sample weights must contain at least one non-zero number."
        )
    # To the core only ratios matter, and sums of weighted squares must stay within float64.
    exponent = math.frexp(weights.max())[1]
    if abs(exponent) <= _MOST_WEIGHT_EXPONENT:
        return weights, 0
    weights = np.ldexp(weights, -exponent)
    record(copies, "sample_weight", f"multiplied by 2**{-exponent}", weights)
    return weights, exponent


def read_offset(offset, n_samples, copies=None):
    """Return the known part of the predictions, checked.

    Parameters
    ----------
    offset : array-like of shape (n_samples,)
        What the caller gave.
    n_samples : int
        Number of rows of X.
    copies : list of str, optional
        Record that conversions are appended to.

    Returns
    -------
    ndarray of shape (n_samples,)
        Offset, float64.
    """
    values = read_floats("offset", offset, [] if copies is None else copies, dimensions=(1,))
    _check_length("offset", values, n_samples)
    return values


def total_weight(sample_weight, data):
    """Return the sum of the sample weights, which scikit-learn's strengths are relative to.

    Parameters
    ----------
    sample_weight : None, float or array-like of shape (n_samples,)
        What the caller gave; a number is the weight of every sample.
    data : Data
        Checked problem.

    Returns
    -------
    float
        Sum of the weights, within the range of float64.
    """
    if data.sample_weight is None:
        total = data.n_samples * (1.0 if sample_weight is None else float(sample_weight))
    else:
        with np.errstate(over="ignore", under="ignore"):
            total = np.ldexp(data.sample_weight.sum(), data.weight_exponent)
    limits = np.finfo(np.float64)
    return float(np.clip(total, limits.tiny, limits.max))


def absolute_weights(sample_weight, data):
    """Return the sample weights themselves, which a summary depends on, not on their ratios alone.

    Parameters
    ----------
    sample_weight : None, float or array-like of shape (n_samples,)
        What the caller gave; a number is the weight of every sample.
    data : Data
        Checked problem.

    Returns
    -------
    ndarray of shape (n_samples,)
        Weights.
    """
    if data.sample_weight is not None:
        return np.ldexp(data.sample_weight, data.weight_exponent)
    return np.full(data.n_samples, 1.0 if sample_weight is None else float(sample_weight))


def read_penalty(penalty, n_features, copies):
    """Return the dict that the core takes for a penalty handle.

    Parameters
    ----------
    penalty : penalties.Penalty
        Handle.
    n_features : int
        Number of columns of X.
    copies : list of str
        Record that conversions are appended to.

    Returns
    -------
    dict
        Name, parameters, weights, lower and upper.
    """
    weights = penalty.weights
    if weights is not None:
        weights = read_floats("penalty.weights", weights, copies, dimensions=(1,))
        _check_length("penalty.weights", weights, n_features, "feature")
        if weights.min() < 0:
            raise ValueError(
                "penalty.weights must be at least zero, "
                f"got {weights.min()} for feature {weights.argmin()}."
            )
    lower = 0.0 if penalty.positive else penalty.lower
    lower = _read_limit("penalty.lower", lower, n_features, -math.inf)
    upper = _read_limit("penalty.upper", penalty.upper, n_features, math.inf)
    if lower is not None and upper is not None and (lower > upper).any():
        j = int((lower > upper).argmax())
        raise ValueError(
            "penalty.lower and penalty.upper must leave a value for every feature, "
            f"but feature {j} has lower={lower[j]} and upper={upper[j]}."
        )
    return {
        "name": penalty.entry.name,
        "parameters": penalty.parameters,
        "weights": weights,
        "lower": lower,
        "upper": upper,
    }


def _read_limit(name, value, n_features, absent):
    if value is None:
        return None
    if np.iscomplexobj(value):
        raise ValueError(f"{name} must be real, got complex values {value!r}.")
    try:
        limit = np.array(np.broadcast_to(np.asarray(value, dtype=np.float64), (n_features,)))
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"{name} must be a number or an array of shape ({n_features},), got {value!r}."
        ) from error
    if np.isnan(limit).any() or (limit == -absent).any():
        raise ValueError(f"{name} must leave a value for every feature, got {value!r}.")
    return None if (limit == absent).all() else limit


def read_start(name, value, shape):
    """Return a warm start as float64 of the wanted shape.

    Parameters
    ----------
    name : str
        Argument that messages name.
    value : array-like
        Coefficients to start from.
    shape : tuple of int
        Shape that the problem needs.

    Returns
    -------
    ndarray
        C-ordered float64 array.
    """
    if np.iscomplexobj(value):
        raise ValueError(f"{name} must be real, got complex values.")
    try:
        start = np.asarray(value, dtype=np.float64, order="C")
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} must be numbers of shape {shape}, got {value!r}.") from error
    if start.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {start.shape}.")
    if not np.isfinite(start).all():
        raise ValueError(f"{name} contains NaN or infinity.")
    return start


def read_intercepts(name, value, count):
    """Return the intercepts of a warm start.

    Parameters
    ----------
    name : str
        Argument that messages name.
    value : float or array-like of shape (count,)
        Intercepts to start from; a number holds for all.
    count : int
        How many the problem has.

    Returns
    -------
    ndarray of shape (count,)
        Contiguous float64 array.
    """
    with naming(name):
        shape = np.shape(value)
    if math.prod(shape) != 1:
        shape = () if count == 1 else (count,)
    return np.array(np.broadcast_to(read_start(name, value, shape).ravel(), (count,)))


def read_alphas(alphas, copies):
    """Return a grid of strengths, sorted from strong to weak.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,)
        Strengths in [0, inf).
    copies : list of str
        Record that conversions are appended to.

    Returns
    -------
    ndarray of shape (n_alphas,)
        Descending float64 values.
    """
    array = read_floats("alphas", alphas, copies, dimensions=(1,))
    if array.size == 0:
        raise ValueError("alphas must hold at least one value, got none.")
    if array.min() < 0:
        position = int((array < 0).argmax())
        raise ValueError(f"alphas[{position}] == {array[position]:g}, must be >= 0.0.")
    return np.sort(array)[::-1].copy()


def _check_length(name, array, expected, what="sample"):
    if len(array) != expected:
        raise ValueError(
            f"{name} has inconsistent numbers of {what}s: X has {expected} {what}s, "
            f"{name} has shape {array.shape}."
        )
