"""What is copied on the way in: nothing where the core can read it, else once and on record."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from sklearn.model_selection import (
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)

import thalweg as tw
from support import catalogue, data, estimators
from thalweg import _arrays
from thalweg._validation import read_data, read_design
from thalweg.linear_model._folds import named_splits, read_folds

NAMES = catalogue.any_combination()


@pytest.fixture
def problem():
    return data.threaded_problem(n_samples=60, n_features=20)


def solve(X, y, **options):
    return tw.solve(X, y, **NAMES, alpha=0.05, tol=1e-10, **options)


def frozen(array):
    array.flags.writeable = False
    return array


IN_PLACE = {
    "F": np.asfortranarray,
    "C": np.ascontiguousarray,
    "float32": lambda X: np.asfortranarray(X, dtype=np.float32),
    "read-only": lambda X: frozen(X.copy()),
    "rows of a C array": lambda X: np.ascontiguousarray(np.vstack([X, X]))[: len(X)],
    "columns of a C array": lambda X: np.ascontiguousarray(np.hstack([X, X]))[:, : X.shape[1]],
    "rows of an F array": lambda X: np.asfortranarray(np.vstack([X, X]))[: len(X)],
    "columns of an F array": lambda X: np.asfortranarray(np.hstack([X, X]))[:, : X.shape[1]],
    "subclass": lambda X: X.view(type("Subclass", (np.ndarray,), {})),
    "masked without a mask": np.ma.array,
}


@pytest.mark.parametrize("how", IN_PLACE)
def test_dense_arrays_are_read_in_place(problem, how):
    X, y = IN_PLACE[how](problem[0]), problem[1]
    solution = solve(X, y)
    assert solution.report.copies == ()
    # The view must see a change of the memory: a copy would not.
    copies = []
    design = read_design(X, copies)
    assert copies == []
    ones = np.ones(X.shape[1])
    before = design.gemv(ones)
    base = np.asarray(X)
    base.flags.writeable = True
    base *= 2.0
    np.testing.assert_allclose(design.gemv(ones), 2.0 * before, rtol=1e-12)


SPLITTERS = {
    "blocks": (KFold(8), 1),
    "shuffled": (KFold(8, shuffle=True, random_state=0), 1),
    "repeated": (RepeatedKFold(n_splits=4, n_repeats=3, random_state=0), 3),
    "overlapping": (ShuffleSplit(10, random_state=0), 2),
    "left over": (ShuffleSplit(6, train_size=0.5, test_size=0.2, random_state=0), 2),
}


@pytest.mark.parametrize("weight", [None, np.ones(100_000)], ids=["equal", "weighted"])
@pytest.mark.parametrize("kind", SPLITTERS)
def test_folds_share_few_bytes_per_row(kind, weight):
    n = 100_000
    splitter, columns = SPLITTERS[kind]
    splits = list(splitter.split(np.empty((n, 1))))
    tracemalloc.start()
    try:
        folds = read_folds(splits, n, weight)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(codes.nbytes for codes in folds["codes"]) == columns * n
    assert peak < (columns + 8) * n  # no vector of numbers


@pytest.mark.parametrize("weight", [None, np.ones(601)], ids=["equal", "weighted"])
@pytest.mark.parametrize("n_folds", [2, 7, 300])  # 300 do not fit in a byte
def test_runs_of_rows_are_the_folds_of_k_fold(n_folds, weight):
    n = 601
    runs = list(named_splits("", KFold(n_folds), n, None, None, {}))
    assert all(isinstance(run, slice) for run in runs)
    found, expected = (
        read_folds(splits, n, weight) for splits in (runs, KFold(n_folds).split(np.empty(n)))
    )
    assert found["folds"] == expected["folds"]
    for codes, others in zip(found["codes"], expected["codes"], strict=True):
        np.testing.assert_array_equal(codes, others, strict=True)


@pytest.mark.parametrize(("weighed", "side"), [(slice(0, 3), "train"), (slice(3, 9), "test")])
def test_runs_of_rows_without_weight_are_refused(weighed, side):
    weight = np.zeros(9)
    weight[weighed] = 1.0
    splits = named_splits("", KFold(3), 9, None, None, {})
    with pytest.raises(ValueError, match=f"{side} side of fold 0 has no row with a positive"):
        read_folds(splits, 9, weight)


@pytest.mark.parametrize(
    "splits",
    [
        lambda n: KFold(3).split(np.empty(n)),
        lambda n: LeaveOneOut().split(np.empty(n)),
        lambda n: RepeatedKFold(n_splits=3, n_repeats=2, random_state=0).split(np.empty(n)),
        lambda n: ShuffleSplit(4, random_state=0).split(np.empty(n)),
        lambda n: TimeSeriesSplit(4).split(np.empty(n)),
        lambda n: [
            *KFold(3).split(np.empty(n)),
            *ShuffleSplit(9, random_state=1).split(np.empty(n)),
        ],
        lambda n: [(np.r_[0:n, 0:3], [1, 1, 2]), (np.arange(5, n), np.arange(5))],
        lambda n: [(np.repeat(np.arange(n), np.arange(n)), np.repeat([0, 1], [40, 2]))],
        lambda n: [(np.arange(n) > 5, np.arange(n) < 4), ([-1, 2], [-2])],
    ],
)
def test_folds_mean_what_the_splits_say(splits):
    n = 300
    folds = read_folds(splits(n), n, None)
    splits = list(splits(n))
    assert len(folds["folds"]) == len(splits)
    for fold, split in zip(folds["folds"], splits, strict=True):
        codes = folds["codes"][fold["column"]].astype(int) - fold["first"]
        known = (codes >= 0) & (codes < len(fold["times"]))
        times = np.where(known[:, None], np.array(fold["times"])[np.where(known, codes, 0)], (1, 0))
        for side, chosen in zip(times.T, split, strict=True):
            expected = np.bincount(np.arange(n)[chosen], minlength=n)
            np.testing.assert_array_equal(side, expected)


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [sparse.csc_array, sparse.csc_matrix])
def test_canonical_csc_is_read_in_place(problem, kind, dtype, index):
    X = kind(problem[0] * (problem[0] > 0.5)).astype(dtype)
    X.indices, X.indptr = X.indices.astype(index), X.indptr.astype(index)
    for part in (X.data, X.indices, X.indptr):
        part.flags.writeable = False
    assert solve(X, problem[1]).report.copies == ()


@pytest.mark.parametrize("kind", [sparse.csc_array, sparse.csc_matrix])
def test_only_the_pointers_are_converted_where_types_differ(problem, kind):
    X = kind(problem[0] * (problem[0] > 0.5))
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int64)
    (copied,) = solve(X, problem[1]).report.copies
    assert "indptr converted from int64" in copied


def misaligned(X):
    copy = np.ndarray(X.shape, X.dtype, bytearray(1 + X.nbytes), offset=1)
    copy[...] = X
    return copy


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (misaligned, "aligned to 8 bytes"),
        (lambda X: X[::2, ::2], "strides"),
        (lambda X: X[::-1], "strides"),
        (lambda X: X[:, ::-1], "strides"),
        (lambda X: np.broadcast_to(X[:1], X.shape), "strides"),
        (lambda X: (100 * X).astype(int), "int64 to float64"),
        (lambda X: X > 0, "bool to float64"),
        (lambda X: X.astype(np.float16), "float16 to float64"),
        (lambda X: X.astype(np.longdouble), "longdouble|float128 to float64"),
        (lambda X: X.astype(">f8"), ">f8 to float64"),
        (lambda X: X.astype(object), "object to float64"),
        (lambda X: X.tolist(), "list"),
        (sparse.csr_array, "row-oriented"),
        (sparse.coo_array, "coo to csc"),
        (sparse.lil_matrix, "lil to csc by way of csr"),
        (lambda X: sparse.csc_array((10 * X).astype(int)), "int64 to float64"),
    ],
)
def test_conversions_are_recorded_once(problem, make, why):
    X = make(problem[0])
    y = problem[1][: np.shape(X)[0]]
    solution = solve(X, y)
    (copy,) = solution.report.copies
    assert copy.startswith("X: ")
    assert copy.endswith(" bytes)")
    import re

    assert re.search(why, copy)
    dense = np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=np.float64)
    np.testing.assert_allclose(solution.coef, solve(dense.copy(order="F"), y).coef, atol=1e-7)


def test_targets_and_weights_are_read_in_place(problem):
    X, y = problem
    weight, offset = np.ones(len(y)), np.zeros(len(y))
    read = read_data(X, frozen(y), weight, offset)
    assert np.shares_memory(read.y, y)
    assert np.shares_memory(read.sample_weight, weight)
    assert np.shares_memory(read.offset, offset)
    assert read.copies == []


@pytest.mark.parametrize("argument", ["y", "sample_weight", "offset"])
def test_conversions_of_vectors_are_recorded(problem, argument):
    X, y = problem
    arguments = {"y": y, "sample_weight": np.ones(len(y)), "offset": np.zeros(len(y))}
    arguments[argument] = arguments[argument].astype(np.float32)
    (copy,) = solve(X, **arguments).report.copies
    assert copy.startswith(f"{argument}: converted from float32 to float64")


@pytest.mark.parametrize("kind", ["csr", "csc"])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_unsorted_duplicates_are_summed_in_one_copy(problem, kind, index):
    y = problem[1]
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(0, 60, 400), rng.integers(0, 20, 400)
    values = rng.standard_normal(400)
    major, minor, size = (rows, columns, 60) if kind == "csr" else (columns, rows, 20)
    order = np.argsort(major, kind="stable")
    pointers = np.searchsorted(major[order], np.arange(size + 1)).astype(index)
    parts = values[order], minor[order].astype(index), pointers
    X = getattr(sparse, f"{kind}_array")(parts, shape=(60, 20))
    before = [part.copy() for part in (X.data, X.indices, X.indptr)]
    solution = solve(X, y)
    for part, old in zip((X.data, X.indices, X.indptr), before, strict=True):
        np.testing.assert_array_equal(part, old)
    (copy,) = solution.report.copies
    assert "summed" in copy
    np.testing.assert_allclose(solution.coef, solve(X.toarray(), y).coef, atol=1e-7)


def test_the_callers_arrays_are_untouched(problem):
    X, y = problem
    weight = np.linspace(0.5, 1.5, len(y))
    before = [array.copy() for array in (X, y, weight)]
    solve(X, y, sample_weight=weight, standardize=True)
    for array, old in zip((X, y, weight), before, strict=True):
        np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize("mode", ["r", "c"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_maps_are_read_in_place(problem, tmp_path, mode, order):
    X, y = problem
    np.save(tmp_path / "X.npy", np.array(X, order=order))
    np.save(tmp_path / "y.npy", y)
    mapped, target = (np.load(tmp_path / f"{name}.npy", mmap_mode=mode) for name in "Xy")
    solution = solve(mapped, target)
    assert solution.report.copies == ()
    np.testing.assert_array_equal(solution.coef, solve(np.array(X, order=order), y).coef)


def test_pandas_frames(problem):
    pd = pytest.importorskip("pandas")
    X, y = problem
    expected = solve(X, y).coef
    frame = pd.DataFrame(X)
    for table, target in [
        (frame, pd.Series(y)),
        (frame.astype("Float64"), y),
        (frame.astype({0: "float32"}), y),
        (frame.astype(pd.SparseDtype("float64", 0.0)), y),
    ]:
        np.testing.assert_allclose(solve(table, target).coef, expected, atol=1e-5)
    assert solve(frame, pd.Series(y)).report.copies == ()
    with pytest.raises(ValueError, match="X contains NaN"):
        solve(frame.astype("Float64").replace(frame.iloc[3, 2], pd.NA), y)


def test_polars_frames(problem):
    pl = pytest.importorskip("polars")
    X, y = problem
    frame = pl.DataFrame(dict(zip(map(str, range(X.shape[1])), X.T, strict=True)))
    solution = solve(frame, pl.Series(y))
    np.testing.assert_allclose(solution.coef, solve(X, y).coef, atol=1e-7)
    assert all(copy.startswith("X: converted from DataFrame") for copy in solution.report.copies)
    assert len(solution.report.copies) <= 1


def columns_that_are_not_numbers():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    days = np.arange(60).astype("datetime64[D]")
    return {
        "dates": pd.Series(days),
        "dates with a zone": pd.Series(days).dt.tz_localize("UTC"),
        "durations": pd.Series(days - days[0]),
        "periods": pd.Series(days).dt.to_period("D"),
        "categories": pd.Series(np.arange(60) % 2).astype("category"),
        "texts": pd.Series(["1"] * 60, dtype="string"),
        "polars dates": pl.Series(np.arange(60)).cast(pl.Date),
        "polars durations": pl.Series(np.arange(60)).cast(pl.Duration),
        "polars categories": pl.Series(["1"] * 60, dtype=pl.Categorical),
        "polars texts": pl.Series(["1"] * 60),
        "polars lists": pl.Series([[1.0]] * 60),
    }


@pytest.mark.parametrize("mixed", [True, False])
def test_columns_that_are_not_numbers_are_refused(problem, mixed):
    X, y = problem
    for what, column in columns_that_are_not_numbers().items():
        columns = {"number": X[:, 0], "other": column} if mixed else {"other": column}
        module = pytest.importorskip("polars" if what.startswith("polars") else "pandas")
        with pytest.raises(ValueError, match="X must hold numbers, got column 'other' of dtype"):
            solve(module.DataFrame(columns), y)
        model = estimators.make(estimators.CLASSES[0]).fit(X[:, : len(columns)], y)
        with pytest.raises(ValueError, match="X must hold numbers, got column 'other' of dtype"):
            model.predict(module.DataFrame(columns))
        with pytest.raises(ValueError, match="y must hold numbers, got dtype"):
            solve(X, column)


@pytest.mark.parametrize("dtype", ["Int64", "Int8", "boolean", "Float32", "UInt16"])
def test_nullable_columns_are_numbers(problem, dtype):
    pd = pytest.importorskip("pandas")
    X, y = problem
    whole = np.abs(np.round(X)) > 0
    frame = pd.DataFrame(whole).astype(dtype).assign(number=X[:, 0])
    frame.columns = frame.columns.astype(str)
    expected = solve(np.column_stack([whole, X[:, 0]]), y).coef
    np.testing.assert_allclose(solve(frame, y).coef, expected, atol=1e-7)
    frame.iloc[3, 0] = pd.NA
    with pytest.raises(ValueError, match="X contains NaN"):
        solve(frame, y)


def test_a_foreign_byte_order_keeps_the_precision(problem):
    X, y = problem
    solution = solve(X.astype(">f4"), y)
    assert solution.coef.dtype == np.float32
    (copy,) = solution.report.copies
    assert "converted from >f4 to float32" in copy


@pytest.mark.parametrize("place", ["y", "sample_weight", "offset"])
def test_unaligned_vectors_are_copied(problem, place):
    X, y = problem
    vector = np.empty(8 * len(y) + 1, np.uint8)[1:].view(np.float64)
    vector[:] = np.abs(y)
    arguments = {"y": y, place: vector}
    solution = solve(X, **arguments)
    assert len(solution.report.copies) == 1
    expected = solve(X, **{**arguments, place: np.abs(y)})
    np.testing.assert_array_equal(solution.coef, expected.coef)


@pytest.mark.parametrize("order", ["C", "F", "K"])
@pytest.mark.parametrize(
    "layout",
    [np.asarray, np.asfortranarray, lambda X: X[::-1, ::3], lambda X: X.T[5:], np.ravel, np.max],
)
def test_conversions_in_blocks_are_conversions(layout, order, monkeypatch):
    array = np.asarray(layout(np.random.default_rng(0).integers(0, 1000, (61, 45))))
    monkeypatch.setattr(_arrays, "BLOCK", 100)
    converted = _arrays.copy_in_blocks(array, np.dtype(np.float32), order)
    expected = array.astype(np.float32, order=order)
    np.testing.assert_array_equal(converted, expected, strict=True)
    assert converted.strides == expected.strides
