"""Sparse matrices as users make them: edited after construction, oddly stored, in any format."""

import numpy as np
import pytest
from scipy import sparse

import thalweg as tw
from support import catalogue, data, estimators

NAMES = catalogue.any_combination()
FORMATS = ("csr", "csc", "bsr", "coo", "dia", "lil", "dok")
COMPRESSED = ("csr", "csc", "bsr")


@pytest.fixture(scope="module")
def problem():
    return data.numbers("tall", "plain", 3)


def make(X, kind):
    return getattr(sparse, f"{kind}_array")(X)


def solve(X, y):
    return tw.solve(X, y, **NAMES, alpha=0.05, tol=1e-10)


def edit(X, array, at, value):
    getattr(X, array)[at] = value
    return X


def shorten(X, array):
    setattr(X, array, getattr(X, array)[:-1])
    return X


def edit_list(X, value):
    X.rows[0][-1] = value
    return X


def lengthen_list(X):
    X.rows[0].append(X.shape[1] - 1)
    return X


def edit_key(X, key):
    X._dict[key] = 1.0
    return X


FAR = (-1, 10**6, 2**31 - 1, -(2**31))
BROKEN = {
    **{
        f"{kind} {array}[{at}] = {value}": (kind, lambda X, e=(array, at, value): edit(X, *e))
        for kind in COMPRESSED
        for array, at in (("indices", 0), ("indptr", 0), ("indptr", 2), ("indptr", -1))
        for value in FAR
    },
    **{
        f"coo {array} = {value}": ("coo", lambda X, e=(array, 0, value): edit(X, *e))
        for array in ("row", "col")
        for value in FAR
    },
    **{f"lil {value}": ("lil", lambda X, value=value: edit_list(X, value)) for value in FAR},
    **{
        f"dok {key}": ("dok", lambda X, key=key: edit_key(X, key))
        for key in ((-1, 0), (60, 0), (0, 12), (0, -1), (2**40, 0))
    },
    **{
        f"{kind} short {array}": (kind, lambda X, array=array: shorten(X, array))
        for kind, arrays in {
            "csr": ("data", "indices", "indptr"),
            "csc": ("data", "indices", "indptr"),
            "bsr": ("data", "indices", "indptr"),
            "coo": ("data",),
            "dia": ("offsets",),
        }.items()
        for array in arrays
    },
    "lil lengths": ("lil", lengthen_list),
}


@pytest.mark.parametrize("what", BROKEN)
def test_positions_outside_of_the_shape_are_refused(problem, what):
    X, y = problem
    kind, breaks = BROKEN[what]
    broken = breaks(make(X, kind))
    with pytest.raises(ValueError, match=r"^X"):
        solve(broken, y)
    model = estimators.make(estimators.CLASSES[0]).fit(X, y)
    with pytest.raises(ValueError, match=r"^X"):
        model.predict(broken)


def strided(array):
    return np.repeat(array, 2, axis=0)[::2]


def frozen(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def unaligned(array):
    buffer = np.empty(array.nbytes + 1, np.uint8)[1:]
    out = buffer.view(array.dtype).reshape(array.shape)
    out[...] = array
    return out


STORED = {
    "strided": strided,
    "unaligned": unaligned,
    "read-only": frozen,
    "other byte order": lambda array: array.astype(array.dtype.newbyteorder("S")),
    "int16": lambda array: array.astype(np.int16),
    "uint32": lambda array: array.astype(np.uint32),
    "uint64": lambda array: array.astype(np.uint64),
    "int64": lambda array: array.astype(np.int64),
}
IN_PLACE = ("read-only",)


@pytest.mark.parametrize("kind", ["csr", "csc"])
@pytest.mark.parametrize("arrays", ["data", "indices", "indptr", "indices indptr"])
@pytest.mark.parametrize("how", STORED)
def test_odd_storage_is_converted_once_and_on_record(problem, kind, arrays, how):
    X, y = problem
    expected = solve(X, y).coef
    if "data" in arrays and "int" in how:
        X = np.abs(np.round(X))
        expected = solve(X, y).coef
    matrix = make(X, kind)
    for name in arrays.split():
        setattr(matrix, name, STORED[how](getattr(matrix, name)))
    before = {name: getattr(matrix, name) for name in ("data", "indices", "indptr")}
    values = {name: array.copy() for name, array in before.items()}
    solution = solve(matrix, y)
    np.testing.assert_allclose(solution.coef, expected, atol=1e-8)
    copies = [copy for copy in solution.report.copies if "row-oriented" not in copy]
    assert len(solution.report.copies) - len(copies) == (kind == "csr")
    if how in IN_PLACE or (how == "int64" and arrays == "indices indptr"):
        assert copies == []
    elif arrays == "data":
        assert len(copies) == 1
    else:
        # Two index arrays of different types become int64; the one that is has no copy.
        assert 1 <= len(copies) <= 2
        assert all("indices" in copy or "indptr" in copy for copy in copies)
    for name, array in before.items():
        assert getattr(matrix, name) is array
        np.testing.assert_array_equal(array, values[name])


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_every_format_is_one_recorded_conversion(problem, kind, dtype):
    X, y = problem
    X = np.round(4 * X).astype(dtype)
    matrix = make(X, kind)
    flags = dict(vars(matrix))
    solution = solve(matrix, y)
    np.testing.assert_allclose(solution.coef, solve(X, y).coef, atol=1e-6)
    assert solution.coef.dtype == (np.float32 if dtype is np.float32 else np.float64)
    # The core has no integer columns: the values are converted first, and are on record too.
    wanted = (kind != "csc") + (dtype is np.int64)
    assert len(solution.report.copies) == wanted
    assert all(vars(matrix)[name] is value for name, value in flags.items())
    model = estimators.make(estimators.CLASSES[0]).fit(matrix, y)
    np.testing.assert_allclose(model.predict(matrix), model.predict(X), rtol=1e-4, atol=1e-4)


def test_stale_flags_are_not_believed(problem):
    X, y = problem
    matrix = make(X, "coo")
    assert matrix.has_canonical_format
    matrix.col[0] = matrix.col[1]
    solution = solve(matrix, y)
    assert len(solution.report.copies) == 1
    np.testing.assert_allclose(solution.coef, solve(matrix.toarray(), y).coef, atol=1e-8)


@pytest.mark.parametrize("array", ["indices", "indptr"])
def test_positions_that_are_not_integers_are_refused(problem, array):
    X, y = problem
    matrix = make(X, "csr")
    setattr(matrix, array, getattr(matrix, array).astype(float))
    with pytest.raises(TypeError, match=f"X: {array} must hold integers, got dtype float64"):
        solve(matrix, y)
