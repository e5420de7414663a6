"""Seeded designs of every shape and storage that the tests run through."""

import numpy as np
from scipy import sparse

import thalweg as tw

# shape name -> (rows, columns)
SHAPES = {
    "tall": (60, 12),
    "wide": (25, 70),
    "square": (30, 30),
    "one row": (1, 4),
    "one column": (20, 1),
    "single": (1, 1),
    "two rows": (2, 6),
}

COLUMNS = (
    "plain",
    "duplicates",
    "collinear",
    "constant",
    "zero",
    "huge",
    "tiny",
    "mixed scales",
    "large mean",
)


def numbers(shape, columns, seed):
    """Dense float64 X of a named shape and kind of columns, about half of it zeros; and y."""
    rng = np.random.default_rng(seed)
    n, p = SHAPES[shape]
    X = rng.standard_normal((n, p)) * (rng.random((n, p)) < 0.6)
    X[rng.integers(n), :] += 1.0  # no column without an entry
    y = X @ (rng.standard_normal(p) * (rng.random(p) < 0.5)) + rng.standard_normal(n) + 2.0
    half = max(1, p // 2)
    if columns == "duplicates":
        X[:, -half:] = X[:, :half]
    elif columns == "collinear":
        X[:, -1] = X[:, :half].sum(axis=1)
        X[:, 0] = -2.0 * X[:, p // 2]
    elif columns == "constant":
        X[:, 0] = 3.0
    elif columns == "zero":
        X[:, p // 3] = 0.0
    elif columns == "huge":
        X, y = X * 1e6, y * 1e6
    elif columns == "tiny":
        X, y = X * 1e-6, y * 1e-6
    elif columns == "mixed scales":
        X *= 10.0 ** rng.integers(-3, 4, p)
    elif columns == "large mean":
        X += 1e3 * rng.random(p)
    return X, y


STORAGES = (
    "dense F float64",
    "dense C float64",
    "dense F float32",
    "dense C float32",
    "dense F view",
    "dense C view",
    "csc float64 int32",
    "csc float64 int64",
    "csc float32 int32",
    "csc float32 int64",
    "csr float64 int32",
    "csr float32 int64",
)


def stored(X, storage):
    """X in a named storage; a view has a leading dimension beyond its length, and read-only."""
    kind, *rest = storage.split()
    if kind == "dense":
        order, what = rest
        if what == "view":
            n, p = X.shape
            base = np.full((n + 3, p + 2), np.nan, order=order)
            view = base[1 : n + 1, :p] if order == "F" else base[:n, 1 : p + 1]
            view[:] = X
            view.flags.writeable = False
            return view
        return np.array(X, dtype=what, order=order)
    dtype, index_dtype = rest
    matrix = {"csc": sparse.csc_array, "csr": sparse.csr_array}[kind](X.astype(dtype))
    matrix.indices = matrix.indices.astype(index_dtype)
    matrix.indptr = matrix.indptr.astype(index_dtype)
    return matrix


def threaded_problem(seed=0, *, n_samples=900, n_features=600, **options):
    """A problem that is large enough for the kernels to use several threads."""
    X, y, _ = tw.problems.regression(
        n_samples, n_features, n_nonzero=20, correlation=0.6, seed=seed, **options
    )
    return X, y
