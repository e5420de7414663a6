"""Sparse X whose values are all one: the core does not read them; the rest differs by rounding.

Only int32 positions are looked at so, which gives every problem a twin that is read.
"""

import numpy as np
import pytest
from scipy import sparse

import thalweg as tw
from support import catalogue

NAMES = catalogue.any_combination()
SPARSE = [row for row in catalogue.SUITED if row.design in ("csc", "csr")]


def twins(layout, n=60, p=25):
    rng = np.random.default_rng(0)
    dense = (rng.random((n, p)) < 0.3).astype(float)
    dense[:, 0] = 1.0  # a column without gaps
    dense[:, 1] = 0.0
    X = sparse.csr_array(dense).asformat(layout)
    assert X.indices.dtype == np.int32
    twin = X.copy()
    twin.indices, twin.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return dense, X, twin


@pytest.mark.parametrize("layout", ["csr", "csc"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("solver", "loss", "penalty"),
    catalogue.combination_cases("solver", "loss", "penalty", rows=SPARSE),
)
def test_solutions_are_the_same(solver, loss, penalty, weighted, layout):
    dense, X, twin = twins(layout)
    rng = np.random.default_rng(1)
    signal = dense[:, 2:6].sum(axis=1) + 0.3 * rng.standard_normal(len(dense))
    y = catalogue.targets(catalogue.loss_handle(loss), signal)
    options = {
        "sample_weight": rng.uniform(0.5, 2.0, len(y)) if weighted else None,
        "standardize": weighted,
    }
    one, other, full = (
        tw.solve(
            A, y, loss=loss, penalty=penalty, alpha=0.05, solver=solver, max_iter=2000, **options
        )
        for A in (X, twin, dense)
    )
    np.testing.assert_allclose(one.coef, other.coef, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(one.intercept, other.intercept, rtol=1e-9, atol=1e-12)
    assert one.report.n_iter == other.report.n_iter
    np.testing.assert_allclose(one.certificate.primal, full.certificate.primal, rtol=1e-3)


@pytest.mark.parametrize("layout", ["csr", "csc"])
def test_a_value_that_differs_is_read(layout):
    dense, X, _ = twins(layout)
    y = dense[:, 3] - dense[:, 4]
    for at in (0, X.nnz - 1):
        changed = X.copy()
        changed.data[at] = 3.0
        a = tw.solve(changed, y, **NAMES, alpha=0.01)
        b = tw.solve(changed.toarray(), y, **NAMES, alpha=0.01)
        np.testing.assert_allclose(a.coef, b.coef, atol=1e-4)


def test_duplicates_are_summed_and_no_longer_ones():
    rows, columns = np.array([0, 0, 1, 2, 3]), np.array([0, 0, 1, 0, 1])
    pointers = np.searchsorted(rows, np.arange(5)).astype(np.int32)
    X = sparse.csr_array((np.ones(5), columns.astype(np.int32), pointers), shape=(4, 2))
    y = np.array([2.0, 1.0, 0.5, 3.0])
    a = tw.solve(X, y, **NAMES, alpha=0.1)
    b = tw.solve(X.toarray(), y, **NAMES, alpha=0.1)
    np.testing.assert_allclose(a.coef, b.coef, atol=1e-6)


def test_a_conversion_leaves_the_values_where_they_are():
    dense, X, _ = twins("csr")
    y = dense[:, 3] - dense[:, 4]
    solution = tw.solve(X, y, **NAMES, alpha=0.01)
    (copy,) = solution.report.copies
    expected = X.indices.nbytes + 4 * (X.shape[1] + 1)
    assert copy.endswith(f"({expected:,} bytes)")


@pytest.mark.parametrize("layout", ["coo", "lil", "bsr"])
def test_values_that_scipy_made_are_reported(layout):
    dense, X, _ = twins("csr")
    solution = tw.solve(X.asformat(layout), dense[:, 3] - dense[:, 4], alpha=0.01, **NAMES)
    reported = sum(
        int(c.split("(")[-1].split(" bytes")[0].replace(",", "")) for c in solution.report.copies
    )
    assert reported >= X.data.nbytes + X.indices.nbytes
