"""Labels that are numbers, encoded by the core, against `numpy.unique`."""

import numpy as np
import pytest

from thalweg import _core

DTYPES = [np.dtype(code) for code in "?bBhHiIlLqQfd"]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_labels_are_encoded_as_by_numpy(dtype, rng):
    limits = {"b": (0, 2), "i": (-100, 101), "u": (0, 101), "f": (-100, 101)}[dtype.kind]
    y = rng.integers(*limits, size=1000).astype(dtype)
    if dtype.kind in "iu":
        y[:2] = np.iinfo(dtype).min, np.iinfo(dtype).max
    classes, codes = _core.encode_labels(y)
    expected, positions = np.unique(y, return_inverse=True)
    assert classes.dtype == dtype
    np.testing.assert_array_equal(classes, expected)
    np.testing.assert_array_equal(codes, positions)


def test_many_labels_and_two_zeros(rng):
    y = rng.permutation(5000).astype(np.float64) - 2500.0
    y = np.concatenate([y, [-0.0, 0.0, 1e300, -1e300]])
    classes, codes = _core.encode_labels(y)
    expected, positions = np.unique(y, return_inverse=True)
    np.testing.assert_array_equal(classes, expected)
    np.testing.assert_array_equal(codes, positions)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (np.nan, r"y contains NaN \(at 3\)"),
        (-np.inf, r"y contains infinity \(at 3\)"),
        (0.5, r"Unknown label type: continuous.*got 0\.5 \(at 3\)"),
    ],
    ids=str,
)
def test_what_is_no_label_is_named(label, message):
    with pytest.raises(ValueError, match=message):
        _core.encode_labels(np.array([0.0, 1.0, 2.0, label, np.nan]))


@pytest.mark.parametrize(
    "y",
    [
        np.array(["a", "b"]),
        np.array([0, 1], dtype=object),
        np.array([0, 1], dtype=">i8"),
        np.array([0, 1], dtype=np.float16),
        np.arange(6)[::2],
        np.zeros((2, 1)),
        np.zeros(0),
    ],
    ids=["text", "object", "byte order", "half", "strided", "column", "empty"],
)
def test_other_arrays_are_left_to_numpy(y):
    assert _core.encode_labels(y) is None
