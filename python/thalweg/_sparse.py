"""Sparse matrices of SciPy as the core takes them.

SciPy checks a matrix when it is made. Its arrays may have been edited since, and then SciPy's
products and conversions read and write wherever the positions point to.
"""

import numpy as np
from scipy import sparse

from thalweg import _core
from thalweg._arrays import FLOATS, check_not_empty, is_plain, naming, record, to_float


def read_sparse(X, copies, n_threads, by_rows):
    """Return the core's view of X, by columns or, where `by_rows`, by rows."""
    given = X.format
    kind, parts = _read_parts(X, copies)
    # By rows, X is its transpose by columns.
    wanted, lines = ("csr", "rows") if by_rows else ("csc", "columns")
    shape = X.shape[::-1] if by_rows else X.shape
    make = getattr(_core.Design, wanted)
    if given == wanted:
        why = "unsorted or duplicate entries sorted and summed"
    elif given in ("csr", "csc"):
        oriented = {"csr": "row", "csc": "column"}[given]
        why = f"{oriented}-oriented ({given}) matrix converted to {lines} ({wanted})"
    else:
        way = {"lil": "csr", "dok": "coo", "bsr": "csr"}.get(given)  # SciPy's, of two steps
        by_way = f" by way of {way}" if way not in (None, wanted) else ""
        why = f"converted from sparse format {given} to {wanted}{by_way}"
    with naming("X"):
        # SciPy's own flags for this can be stale; the core looks at the entries.
        design = make(*parts, X.shape) if kind == wanted else None
        is_usable = design is not None and design.canonical
        kept = None  # the caller's values, which the core hands back where all are one
        if not is_usable:
            of_transpose = "csc" if kind == wanted else "csr"
            kept = parts[0] if given in ("csr", "csc") else None
            parts = _core.to_csc(*parts, shape, of_transpose, n_threads=n_threads or 0)
            design = make(*parts, X.shape)
            if given != wanted and len(parts[0]) < X.nnz:
                why += ", duplicate entries summed"
        if given != wanted or not is_usable:
            record(copies, "X", why, *(part for part in parts if part is not kept))
    return design


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
    """Return "csc" or "csr" and such arrays as the core takes; it has still to check positions."""
    if X.ndim != 2:
        raise ValueError(f"Expected 2D array, got {X.ndim}D array instead: X has shape {X.shape}.")
    check_not_empty(X.shape)
    if X.format == "lil":
        if [len(row) for row in X.rows] != [len(row) for row in X.data]:
            raise ValueError("X: the lists in rows and in data must have the same lengths.")
        X = X.tocsr()  # takes the positions as they are
    elif X.format == "dok":
        with naming("X"):
            X = X.tocoo()  # checks them
    data = X.data
    if data.dtype not in FLOATS:
        data = to_float("X", data, copies, order="C")
    elif not is_plain(data):
        data = np.require(data, requirements="CA")
        record(copies, "X", "data copied to contiguous memory", data)
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
    # The core takes two arrays of one type, int32 or int64; the pointers are the short ones.
    fits = np.can_cast(X.indices.dtype, np.int32) and (
        np.can_cast(X.indptr.dtype, np.int32)
        or 0 <= X.indptr.min(initial=0) <= X.indptr.max(initial=0) <= np.iinfo(np.int32).max
    )
    dtype = np.dtype(np.int32 if fits else np.int64)
    for name, array in given.items():
        if array.dtype != dtype or not is_plain(array):
            given[name] = np.require(array, dtype, requirements="CA")
            why = f"{name} converted from {array.dtype} to contiguous {dtype}"
            record(copies, "X", why, given[name])
    return given.values()
