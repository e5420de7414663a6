"""Arrays as the core takes them, and what errors say of those that are none.

Whatever is copied or converted is recorded as a text (what, why, bytes) that ends in
``report_.copies``. Errors name the argument, what came and what was expected.
"""

from contextlib import contextmanager

import numpy as np
from scipy import sparse

FLOATS = (np.dtype(np.float64), np.dtype(np.float32))
BLOCK = 1 << 22  # entries that are converted in one go: some milliseconds


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
    array = value if type(value) is np.ndarray else to_array(name, value, copies)
    if array.ndim not in dimensions:
        got = f"an array of shape {array.shape}" if array.ndim else show(value)
        raise ValueError(
            f"{name} should be a {' or '.join(f'{d}d' for d in dimensions)} array, "
            f"got {got} instead."
        )
    if array.dtype != np.float64:
        array = to_float(name, array, copies, order=order, dtype=np.float64)
    elif not is_plain(array, order):
        why = "column-major order" if array.ndim == 2 else "contiguous memory"
        array = np.array(array, order=order)
        record(copies, name, f"copied to {why}", array)
    if not np.isfinite(array).all():
        what = "NaN" if np.isnan(array).any() else "infinity or a value too large for float64"
        at = np.unravel_index(np.isfinite(array).argmin(), array.shape)
        where = ", ".join(map(str, at))
        raise ValueError(f"Input {name} contains {what} (at {where}); expected finite values.")
    return array


def to_array(name, value, copies):
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
    if array.dtype in FLOATS:
        record(copies, name, why, array)  # other types are recorded when they become floats
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
            refuse_type(name, f"{which}dtype {dtype}")


def to_float(name, array, copies, order="K", dtype=None):
    """Return `array` as floats, recorded; refuse what is not a real number."""
    if dtype is None:  # that of the array where only its byte order is foreign
        native = array.dtype.newbyteorder("=")
        dtype = native if native in FLOATS else np.dtype(np.float64)
    if array.dtype.kind == "c":
        refuse_complex(name, array.dtype)
    if array.dtype.kind not in "fiubO":
        refuse_type(name, f"dtype {array.dtype}")
    with naming(f"{name} has objects that do not convert to float"):
        converted = copy_in_blocks(array, dtype, order)
    record(copies, name, f"converted from {array.dtype} to {converted.dtype}", converted)
    return converted


def copy_in_blocks(array, dtype, order):
    """Return ``array.astype(dtype, order)``; Ctrl-C is heard between blocks."""
    converted = np.empty_like(array, dtype=dtype, order=order, subok=False)
    if array.size <= BLOCK:
        converted[...] = array
        return converted
    outer = int(np.argmax(np.abs(array.strides)))
    source, target = np.moveaxis(array, outer, 0), np.moveaxis(converted, outer, 0)
    step = max(1, BLOCK * len(source) // array.size)
    for begin in range(0, len(source), step):
        target[begin : begin + step] = source[begin : begin + step]
    return converted


def refuse_complex(name, dtype):
    """Raise the ValueError of complex numbers; it begins like scikit-learn's."""
    raise ValueError(f"Complex data not supported: {name} has dtype {dtype}.")


def refuse_type(name, what):
    """Refuse an array of values that are no numbers.

    Parameters
    ----------
    name : str
        Argument that the message names.
    what : str
        What came.

    Raises
    ------
    ValueError
        Always. Texts of numbers are no numbers either: scikit-learn's `fit` converts them, its
        `predict` does not.
    """
    raise ValueError(
        f"{name} must hold numbers, got {what}; convert it to numeric values explicitly, as "
        "by np.asarray(..., dtype=float)."
    )


def has_unit_stride(array):
    """Whether the core can read `array` (2-D) in place, by columns or by rows."""
    (down, odd_down), (right, odd_right) = (divmod(s, array.itemsize) for s in array.strides)
    if odd_down or odd_right or not array.flags.aligned:
        return False
    rows, cols = array.shape
    by_column = (down == 1 or rows == 1) and (right >= rows or cols == 1)
    by_row = (right == 1 or cols == 1) and (down >= cols or rows == 1)
    return by_column or by_row


def is_plain(array, order="C"):
    """Whether `array` is aligned and contiguous in memory in this order."""
    flags = array.flags
    return flags.aligned and (flags.f_contiguous if order == "F" else flags.c_contiguous)


def check_not_empty(shape):
    for count, what in zip(shape, ("sample", "feature"), strict=True):
        if count == 0:
            raise ValueError(
                f"Found array with 0 {what}(s) (shape={tuple(shape)}) while a minimum of 1 is "
                "required."
            )


def record(copies, name, why, *arrays):
    n_bytes = sum(array.nbytes for array in arrays)
    copies.append(f"{name}: {why} ({n_bytes:,} bytes)")


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
