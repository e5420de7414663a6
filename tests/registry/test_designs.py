"""Every operation of every design against dense NumPy, and its memory against the caller's."""

import itertools

import numpy as np
import pytest
from scipy import sparse

from support import data
from thalweg import _core

CASES = list(
    itertools.product(
        data.STORAGES,
        ["plain", "zero", "empty rows", "single", "one row", "one column", "large"],
    )
)


def numbers(content, rng):
    if content in ("single", "one row", "one column"):
        return data.numbers(content, "plain", 3)[0]
    n, p = (900, 320) if content == "large" else (23, 11)
    X = rng.standard_normal((n, p)) * (rng.random((n, p)) < 0.5)
    if content == "zero":
        X[:, [0, p // 2, -1]] = 0.0
    elif content == "empty rows":
        X[[0, 5, -1]] = 0.0
    return X


def view(X):
    if not sparse.issparse(X):
        return _core.Design.dense(X)
    return getattr(_core.Design, X.format)(X.data, X.indices, X.indptr, X.shape)


@pytest.fixture(params=CASES, ids="-".join)
def case(request, rng):
    storage, content = request.param
    X = data.stored(numbers(content, rng), storage)
    dense = np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=np.float64)
    return X, view(X), dense


def close(got, expected, sizes):
    """Equal up to the rounding of a sum whose terms have absolute values that sum to `sizes`."""
    assert got.dtype == np.float64
    assert got.shape == expected.shape
    assert (np.abs(got - expected) <= 64 * np.finfo(float).eps * sizes).all()


@pytest.mark.parametrize("n_threads", [1, 2])
def test_products(case, rng, n_threads):
    _, design, dense = case
    w, v = (rng.standard_normal(size) for size in dense.shape[::-1])
    size = np.abs(dense)
    close(design.gemv(w, n_threads=n_threads), dense @ w, size @ np.abs(w))
    close(design.gemv_t(v, n_threads=n_threads), dense.T @ v, size.T @ np.abs(v))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_moments(case, rng, weighted, n_threads):
    _, design, dense = case
    v = rng.standard_normal(len(dense))
    s = rng.integers(0, 3, len(dense)) * rng.random(len(dense)) if weighted else None
    total, squares, dot = design.moments(s, v, n_threads=n_threads)
    s = np.ones(len(dense)) if s is None else s
    size = np.abs(dense)
    close(total, s @ dense, s @ size)
    close(squares, s @ dense**2, s @ dense**2)
    close(dot, v @ dense, np.abs(v) @ size)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_gram(case, rng, weighted, n_threads):
    _, design, dense = case
    columns = rng.permutation(dense.shape[1])[: max(1, dense.shape[1] // 2)].astype(np.int64)
    s = rng.random(len(dense)) if weighted else None
    if design.kind == "csr":
        if dense.shape[1] > 1:
            with pytest.raises(ValueError, match="column access"):
                design.gram(columns, s, n_threads=n_threads)
        columns = np.arange(dense.shape[1])
    gram = design.gram(columns, s, n_threads=n_threads)
    weight = (np.ones(len(dense)) if s is None else s)[:, None]
    chosen = dense[:, columns]
    close(gram, chosen.T @ (weight * chosen), np.abs(chosen).T @ (weight * np.abs(chosen)))


def test_threads_do_not_change_bits(case, rng):
    _, design, dense = case
    w, v = (rng.standard_normal(size) for size in dense.shape[::-1])
    s = rng.random(len(dense))
    calls = [
        lambda n: design.gemv(w, n_threads=n),
        lambda n: design.gemv_t(v, n_threads=n),
        lambda n: np.concatenate(design.moments(s, v, n_threads=n)),
    ]
    for call in calls:
        assert call(1).tobytes() == call(2).tobytes() == call(3).tobytes()


def test_memory_is_shared(case, rng):
    """The view sees later changes of the caller's array: it has no copy of its own."""
    X, design, dense = case
    parts = [X.data] if sparse.issparse(X) else [X]
    w = rng.standard_normal(dense.shape[1])
    before = design.gemv(w)
    for part in parts:
        (part if part.base is None or part.flags.writeable else part.base)[...] *= 2.0
    np.testing.assert_array_equal(design.gemv(w), 2.0 * before)


def test_description(case):
    X, design, dense = case
    assert design.shape == dense.shape
    assert design.dtype == X.dtype.name
    assert design.canonical
    if sparse.issparse(X):
        assert design.kind == X.format
        assert design.nnz == X.nnz
    else:
        assert design.kind == "dense"
        assert design.nnz == dense.size
        assert design.nbytes == X.nbytes


def test_the_view_keeps_its_arrays_alive():
    import gc
    import weakref

    class Array(np.ndarray):
        """An array that can be referred to weakly."""

    X = np.arange(12.0).reshape(3, 4).view(Array)
    alive = weakref.ref(X)
    design = _core.Design.dense(X)
    del X
    gc.collect()
    assert alive() is not None
    np.testing.assert_array_equal(design.gemv(np.ones(4)), [6.0, 22.0, 38.0])
    del design
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("kind", ["csc", "csr"])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_unsorted_and_duplicate_entries_are_told_and_summed(kind, index, rng):
    rows, columns = rng.integers(0, 6, 40), rng.integers(0, 5, 40)
    values = rng.standard_normal(40)
    expected = np.zeros((6, 5))
    np.add.at(expected, (rows, columns), values)
    major, minor = (columns, rows) if kind == "csc" else (rows, columns)
    order = np.argsort(major, kind="stable")
    length = 5 if kind == "csc" else 6
    pointers = np.searchsorted(major[order], np.arange(length + 1)).astype(index)
    parts = values[order], minor[order].astype(index), pointers
    copies = [part.copy() for part in parts]
    design = getattr(_core.Design, kind)(*parts, (6, 5))
    assert not design.canonical
    out = _core.to_csc(*parts, (6, 5), kind)
    assert all(part.dtype == copy.dtype for part, copy in zip(out, copies, strict=True))
    matrix = sparse.csc_array(out, shape=(6, 5))
    assert matrix.has_canonical_format
    np.testing.assert_allclose(matrix.toarray(), expected, rtol=0, atol=1e-14)
    for part, copy in zip(parts, copies, strict=True):
        np.testing.assert_array_equal(part, copy)


BAD_SPARSE = {
    "short indptr": (([1.0], [0], [0, 1]), "indptr must have length 3; got 2"),
    "indptr start": (([1.0], [0], [1, 1, 1]), "indptr must start at 0; got 1"),
    "indptr falls": (([1.0, 2.0], [0, 1], [0, 2, 1]), "indptr must not decrease; got 1 after 2"),
    "indptr end": (([1.0], [0], [0, 1, 2]), "indptr must end within .* got 2"),
    "index too large": (([1.0], [2], [0, 1, 1]), r"indices must be in \[0, 2\); got 2"),
    "negative index": (([1.0], [-1], [0, 1, 1]), r"indices must be in \[0, 2\); got -1"),
    "lengths": (([1.0, 2.0], [0], [0, 1, 1]), "data and indices must have one length; got 2 and 1"),
}


@pytest.mark.parametrize("kind", ["csc", "csr"])
@pytest.mark.parametrize("bad", BAD_SPARSE)
def test_broken_sparse_formats_are_refused(kind, bad):
    (values, indices, pointers), message = BAD_SPARSE[bad]
    parts = np.array(values), np.array(indices, np.int32), np.array(pointers, np.int32)
    with pytest.raises(ValueError, match=message):
        getattr(_core.Design, kind)(*parts, (2, 2))
    with pytest.raises(ValueError, match=message):
        _core.to_csc(*parts, (2, 2), kind)


BAD_DENSE = {
    "list": [[1.0]],
    "integers": np.ones((2, 2), int),
    "complex": np.ones((2, 2), complex),
    "one dimension": np.ones(3),
    "three dimensions": np.ones((2, 2, 2)),
    "byte order": np.ones((2, 2)).astype(">f8"),
    "no unit stride": np.ones((8, 8))[::2, ::2],
    "negative stride": np.ones((4, 4))[::-1],
}


@pytest.mark.parametrize("bad", BAD_DENSE)
def test_the_core_never_converts(bad):
    with pytest.raises(TypeError, match=r"^X must"):
        _core.Design.dense(BAD_DENSE[bad])
