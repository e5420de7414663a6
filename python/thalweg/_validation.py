"""From what users pass to what the core reads: the only module that copies arrays.

The core takes views and never converts. Whatever has to be copied or converted is copied here,
at most once, and recorded as a text (what, why, bytes) that ends in ``report_.copies``. Errors
name the argument, what came and what was expected, before any work is done. The values of X are
not looked at: the core checks that they are finite during its first pass over them.
"""

import math
import numbers
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from thalweg import _core

_FLOATS = (np.dtype(np.float64), np.dtype(np.float32))
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
        Sample weights, float64.
    offset : ndarray of shape (n_samples,) or None
        Known part of the predictions, float64.
    copies : list of str
        What was copied on the way in, and why.
    by_rows : _core.Design or None
        View of a sparse X by rows, beside that by columns.
    """

    design: _core.Design
    y: np.ndarray
    is_vector: bool
    sample_weight: np.ndarray | None = None
    offset: np.ndarray | None = None
    copies: list[str] = field(default_factory=list)
    by_rows: _core.Design | None = None

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

    def weight_columns(self):
        """Sample weights as the (n_samples, 1) matrix that the core takes, or None."""
        return None if self.sample_weight is None else self.sample_weight.reshape(-1, 1)


def read_data(
    X, y, sample_weight=None, offset=None, owner="solve", n_threads=None, both_ways=False
):
    """Check X, y, weights and offset and turn them into views for the core.

    Parameters
    ----------
    X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        Design. Dense float arrays with one unit stride and canonical CSC matrices are not copied.
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
    both_ways : bool
        Whether a sparse X is wanted by columns and by rows: products with X and its transpose,
        many of them, are then parallel both.

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
    views = read_design(X, copies, n_threads, both_ways)
    design = views[0]
    targets = read_floats("y", y, copies, dimensions=(1, 2), order="F")
    n = design.shape[0]
    _check_length("y", targets, n)
    data = Data(
        design=design,
        y=targets if targets.ndim == 2 else targets.reshape(-1, 1),
        is_vector=targets.ndim == 1,
        sample_weight=read_sample_weight(sample_weight, n, copies),
        copies=copies,
        by_rows=views[1],
    )
    if data.y.shape[1] == 0:
        raise ValueError(f"y must have at least one target, got shape {targets.shape}.")
    if offset is not None:
        data.offset = read_offset(offset, n, copies)
    return data


def read_design(X, copies, n_threads=None, both_ways=False):
    """Return the core's views of X.

    Parameters
    ----------
    X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        Design.
    copies : list of str
        Record that conversions are appended to.
    n_threads : int, optional
        Threads that a conversion may take.
    both_ways : bool
        Whether a sparse X is wanted by rows as well.

    Returns
    -------
    by_columns : _core.Design
        Dense or CSC view.
    by_rows : _core.Design or None
        CSR view of the same entries, where it was asked for and X is sparse.
    """
    if hasattr(X, "iloc") and hasattr(X, "sparse"):  # a pandas frame of sparse columns
        with naming("X"):
            X = X.sparse.to_coo()
    if sparse.issparse(X):
        return _read_sparse(X, copies, n_threads, both_ways)
    array = X if type(X) is np.ndarray else _to_array("X", X, copies)
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
    _check_not_empty(array.shape)
    if array.dtype not in _FLOATS:
        array = _to_float("X", array, copies, order="F")
    elif not _has_unit_stride(array):
        why = f"its strides {array.strides} fit neither row-major nor column-major order"
        array = np.array(array, order="F")
        _record(copies, "X", why, array)
    return _core.Design.dense(array), None


def _read_sparse(X, copies, n_threads, both_ways):
    given = X.format
    kind, parts = _read_parts(X, copies)
    if given == "csc":
        why = "unsorted or duplicate entries sorted and summed"
    elif given == "csr":
        why = "row-oriented (csr) matrix converted to columns (csc)"
    else:
        way = {"lil": "csr", "dok": "coo", "bsr": "csr"}.get(given)  # SciPy's, of two steps
        why = f"converted from sparse format {given} to csc" + (f" by way of {way}" if way else "")
    with naming("X"):
        rows = _core.Design.csr(*parts, X.shape) if kind == "csr" and both_ways else None
        design = _core.Design.csc(*parts, X.shape) if kind == "csc" else None
        # SciPy's own flags for this can be stale; the core looks at the entries.
        if design is None or not design.canonical:
            parts = _core.to_csc(*parts, X.shape, kind, n_threads=n_threads or 0)
            design = _core.Design.csc(*parts, X.shape)
            if given in ("csr", "coo") and len(parts[0]) < X.nnz:
                why += ", duplicate entries summed"
            _record(copies, "X", why, *parts)
        elif given != "csc":
            _record(copies, "X", why, *parts)
    if both_ways and rows is None:
        # By rows, X is its transpose by columns.
        swapped = _core.to_csc(*parts, X.shape[::-1], "csr", n_threads=n_threads or 0)
        rows = _core.Design.csr(*swapped, X.shape)
        _record(copies, "X", "column-oriented (csc) matrix copied by rows (csr) as well", *swapped)
    return design, rows


def checked_sparse(X):
    """Return a sparse matrix that SciPy's products can be trusted with.

    Parameters
    ----------
    X : sparse matrix of shape (n_samples, n_features)
        What the caller gave, in any of SciPy's formats.

    Returns
    -------
    csr_array or csc_array
        The same entries, of floating-point type; every position is inside of the shape.
    """
    kind, parts = _read_parts(X, [])
    view, make = {
        "csc": (_core.Design.csc, sparse.csc_array),
        "csr": (_core.Design.csr, sparse.csr_array),
    }[kind]
    with naming("X"):
        view(*parts, X.shape)  # looks at every position
    return make(parts, shape=X.shape)


def _read_parts(X, copies):
    """Return "csc" or "csr" and such arrays as the core takes; it has still to check positions.

    SciPy checks a matrix when it is made. Its arrays may have been edited since, and then SciPy's
    products and conversions read and write wherever the positions point to.
    """
    if X.ndim != 2:
        raise ValueError(f"Expected 2D array, got {X.ndim}D array instead: X has shape {X.shape}.")
    _check_not_empty(X.shape)
    if X.format == "lil":
        if [len(row) for row in X.rows] != [len(row) for row in X.data]:
            raise ValueError("X: the lists in rows and in data must have the same lengths.")
        X = X.tocsr()  # takes the positions as they are
    elif X.format == "dok":
        with naming("X"):
            X = X.tocoo()  # checks them
    data = X.data
    if data.dtype not in _FLOATS:
        data = _to_float("X", data, copies, order="C")
    elif not _is_plain(data):
        data = np.require(data, requirements="CA")
        _record(copies, "X", "data copied to contiguous memory", data)
    if X.format not in ("csr", "csc"):
        with naming("X"):
            X = _compress(X, data)
        data = X.data
    return X.format, (data, *_read_indices(X, copies))


def _compress(X, data):
    """Compressed form of a matrix with `data`, made anew so that SciPy checks it again."""
    if X.format == "bsr":
        X = sparse.bsr_array((data, X.indices, X.indptr), shape=X.shape)
        X.check_format(full_check=True)
        return X.tocsr()
    if X.format == "dia":
        return sparse.dia_array((data, X.offsets), shape=X.shape).tocsc()
    return sparse.coo_array((data, X.coords), shape=X.shape).tocsc()


def _read_indices(X, copies):
    given = {"indices": X.indices, "indptr": X.indptr}
    for name, array in given.items():
        if array.dtype.kind not in "iu":
            raise TypeError(f"X: {name} must hold integers, got dtype {array.dtype}.")
    # The core takes two arrays of one type, int32 or int64.
    fits = all(np.can_cast(array.dtype, np.int32) for array in given.values())
    dtype = np.dtype(np.int32 if fits else np.int64)
    for name, array in given.items():
        if array.dtype != dtype or not _is_plain(array):
            given[name] = np.require(array, dtype, requirements="CA")
            why = f"{name} converted from {array.dtype} to contiguous {dtype}"
            _record(copies, "X", why, given[name])
    return given.values()


def read_floats(name, value, copies, dimensions, order="C"):
    """Return finite float64 values, contiguous in `order`, without a copy where possible.

    Parameters
    ----------
    name : str
        Argument that messages and the record name.
    value : array-like
        What the caller gave.
    copies : list of str
        Record that conversions are appended to.
    dimensions : tuple of int
        Allowed numbers of dimensions.
    order : {"C", "F"}
        Memory order of the result.

    Returns
    -------
    ndarray
        Contiguous float64 array.
    """
    if sparse.issparse(value):
        raise TypeError(f"Sparse data was passed for {name!r}, but dense data is required.")
    array = value if type(value) is np.ndarray else _to_array(name, value, copies)
    if array.ndim not in dimensions:
        got = f"an array of shape {array.shape}" if array.ndim else show(value)
        raise ValueError(
            f"{name} should be a {' or '.join(f'{d}d' for d in dimensions)} array, "
            f"got {got} instead."
        )
    if array.dtype != np.float64:
        array = _to_float(name, array, copies, order=order, dtype=np.float64)
    elif not _is_plain(array, order):
        why = "column-major order" if array.ndim == 2 else "contiguous memory"
        array = np.array(array, order=order)
        _record(copies, name, f"copied to {why}", array)
    if not np.isfinite(array).all():
        what = "NaN" if np.isnan(array).any() else "infinity or a value too large for float64"
        at = np.unravel_index(np.isfinite(array).argmin(), array.shape)
        where = ", ".join(map(str, at))
        raise ValueError(f"Input {name} contains {what} (at {where}); expected finite values.")
    return array


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
    ndarray of shape (n_samples,) or None
        Weights, float64.
    """
    if sample_weight is None:
        return None
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
        return None
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
    # Only ratios matter, and sums of weighted squares must stay within float64.
    exponent = math.frexp(weights.max())[1]
    if abs(exponent) > _MOST_WEIGHT_EXPONENT:
        weights = np.ldexp(weights, -exponent)
        _record(copies, "sample_weight", f"multiplied by 2**{-exponent}", weights)
    return weights


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
        Sum of the weights.
    """
    if data.sample_weight is not None:
        return float(data.sample_weight.sum())
    return float(data.n_samples) * (1.0 if sample_weight is None else float(sample_weight))


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


def _to_array(name, value, copies):
    """Return `value` as an array; data frames keep their memory where they can."""
    if value is None:
        raise ValueError(f"Expected array-like for {name}, got None.")
    if isinstance(value, np.matrix):
        raise TypeError(
            f"np.matrix is not supported for {name}. Please convert to a numpy array with "
            "np.asarray."
        )
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise TypeError(f"{name} has masked entries; fill or drop them first.")
    if isinstance(value, np.ndarray):  # a memory map or another subclass: the same memory
        return np.asarray(value)
    why = f"converted from {type(value).__name__}"
    if hasattr(value, "to_numpy"):
        check_columns(name, value)
        try:
            return np.asarray(value, copy=False)
        except (ValueError, RuntimeError):  # what pandas and polars raise where they must copy
            array = np.asarray(value)
            if array.dtype == object and hasattr(value, "iloc"):  # nullable columns of pandas
                with naming(name):
                    array = value.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise ValueError(f"{name} does not convert to an array of numbers: {error}") from error
    if array.dtype in _FLOATS:
        _record(copies, name, why, array)  # other types are recorded when they become floats
    return array


def check_columns(name, table):
    """Refuse columns of a data frame, or a series, that are not numbers.

    Dates, categories and texts would convert to some number or other on the way to an array.
    Objects are left to the conversion.

    Parameters
    ----------
    name : str
        Argument that messages name.
    table : data frame or series
        What the caller gave.

    Raises
    ------
    ValueError
        If a column is of another type; the message names it.
    """
    if hasattr(table, "columns"):
        columns = zip(table.columns, getattr(table, "dtypes", ()), strict=False)
    else:
        columns = [(None, getattr(table, "dtype", np.dtype(object)))]
    for column, dtype in columns:
        if hasattr(dtype, "is_numeric"):  # polars
            number = dtype.is_numeric() or str(dtype) in ("Boolean", "Null", "Object")
        else:
            number = dtype == np.dtype(object) or getattr(dtype, "kind", "O") in "fiubc"
        if not number:
            which = "" if column is None else f"column {column!r} of "
            raise ValueError(
                f"{name} must hold numbers, got {which}dtype {dtype}; convert it to numeric values "
                "explicitly."
            )


def _to_float(name, array, copies, order="K", dtype=None):
    """Return `array` as floats, recorded; refuse what is not a real number."""
    if dtype is None:  # that of the array where only its byte order is foreign
        native = array.dtype.newbyteorder("=")
        dtype = native if native in _FLOATS else np.dtype(np.float64)
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {array.dtype}.")
    if array.dtype.kind not in "fiubO":
        raise ValueError(
            f"{name} must hold numbers, got dtype {array.dtype}; convert it to numeric values "
            "explicitly."
        )
    with naming(f"{name} has objects that do not convert to float"):
        converted = array.astype(dtype, order=order)
    _record(copies, name, f"converted from {array.dtype} to {converted.dtype}", converted)
    return converted


def _has_unit_stride(array):
    """Whether the core can read `array` (2-D) in place, by columns or by rows."""
    (down, odd_down), (right, odd_right) = (divmod(s, array.itemsize) for s in array.strides)
    if odd_down or odd_right or not array.flags.aligned:
        return False
    rows, cols = array.shape
    by_column = (down == 1 or rows == 1) and (right >= rows or cols == 1)
    by_row = (right == 1 or cols == 1) and (down >= cols or rows == 1)
    return by_column or by_row


def _is_plain(array, order="C"):
    """Whether `array` is aligned and contiguous in memory in this order."""
    flags = array.flags
    return flags.aligned and (flags.f_contiguous if order == "F" else flags.c_contiguous)


def show(value):
    """Return the text of what came, for a message, or its type where that is long.

    Parameters
    ----------
    value : object
        What the caller gave.

    Returns
    -------
    str
        Text.
    """
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python converts to text
        return f"an object of type {type(value).__name__}"
    return text if len(text) < 40 else f"an object of type {type(value).__name__}"


@contextmanager
def naming(name):
    """Put an argument's name before what another library says is wrong with it.

    Parameters
    ----------
    name : str
        Name of the argument, or a longer beginning of the message.

    Raises
    ------
    ValueError, TypeError
        In place of whatever kind of error says that a value is wrong.
    """
    try:
        yield
    except (TypeError, ValueError, OverflowError, LookupError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name}: {error}") from error


def _check_not_empty(shape):
    for count, what in zip(shape, ("sample", "feature"), strict=True):
        if count == 0:
            raise ValueError(
                f"Found array with 0 {what}(s) (shape={tuple(shape)}) while a minimum of 1 is "
                "required."
            )


def _check_length(name, array, expected, what="sample"):
    if len(array) != expected:
        raise ValueError(
            f"{name} has inconsistent numbers of {what}s: X has {expected} {what}s, "
            f"{name} has shape {array.shape}."
        )


def _record(copies, name, why, *arrays):
    n_bytes = sum(array.nbytes for array in arrays)
    copies.append(f"{name}: {why} ({n_bytes:,} bytes)")
