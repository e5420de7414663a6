"""Paths and folds evaluated from second moments equal those evaluated from the design."""

import numpy as np
import pytest
import scipy.sparse as sp

import thalweg as tw
from thalweg import _core

N_SAMPLES, N_FEATURES, N_ALPHAS = 600, 20, 60


def _problem(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N_SAMPLES, N_FEATURES)) @ rng.standard_normal((N_FEATURES, 30))
    X = np.asfortranarray(X[:, :N_FEATURES] * rng.uniform(0.5, 4, N_FEATURES) + rng.normal(size=20))
    y = X[:, :5] @ rng.standard_normal(5) + 3 * rng.standard_normal(N_SAMPLES) + 7
    return X, y, rng.uniform(0, 2, N_SAMPLES)


def _solve(design, y, solver, *, ratio, positive=False, weights=None, held=None, **settings):
    penalty = {"name": "elastic_net", "parameters": {"l1_ratio": ratio}}
    if positive:
        penalty["lower"] = np.zeros(N_FEATURES)
    scale = _core.alpha_max(design, y[:, None], penalty={"name": "l1"}, fit_intercept=True)[0]
    task = {"target": 0, "fold": None if held is None else 0, "penalty": 0}
    task["alphas"] = scale * np.geomspace(1, 1e-3, N_ALPHAS)
    results, pending = _core.solve(
        design,
        np.asfortranarray(y[:, None]),
        [task],
        penalties=[penalty],
        weights=weights,
        folds=None if held is None else _fold(held),
        solver=solver,
        **{"tol": 1e-11, "max_iter": 100_000, **settings},
    )
    assert pending is None
    return results[0]


def _fold(held):
    """The fold that holds these rows out."""
    fold = {"column": 0, "first": 1, "times": [(0.0, 1.0)]}
    return {"codes": [held.astype(np.uint8)], "folds": [fold]}


def _used_moments(results):
    return ["second moments" in result.reason for result in results]


def _designs(X):
    sparse = sp.csc_array(np.where(np.abs(X) > 3, X, 0))
    return {
        "F": _core.Design.dense(X),
        "C": _core.Design.dense(np.ascontiguousarray(X)),
        "csc": _core.Design.csc(sparse.data, sparse.indices, sparse.indptr, sparse.shape),
    }


@pytest.mark.parametrize("storage", ["F", "C", "csc"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize(("ratio", "positive"), [(1.0, False), (0.5, False), (1.0, True)])
def test_path_equals_that_from_the_design(storage, fit_intercept, standardize, ratio, positive):
    X, y, weights = _problem()
    design = _designs(X)[storage]
    settings = {"ratio": ratio, "positive": positive, "weights": weights}
    settings |= {"fit_intercept": fit_intercept, "standardize": standardize}
    fast = _solve(design, y, "gram", **settings)
    slow = _solve(design, y, "working_set", **settings)
    assert all(_used_moments(fast)) or storage == "csc"
    assert not any(_used_moments(slow))
    for a, b in zip(fast, slow, strict=True):
        assert a.status == b.status == "converged"
        np.testing.assert_allclose(a.coef, b.coef, rtol=0, atol=2e-5 * max(1, np.abs(b.coef).max()))
        assert a.certificate["primal"] == pytest.approx(b.certificate["primal"], rel=1e-10)
        # The objective is that of the coefficients.
        eta = _designs(X)[storage].gemv(a.coef) + a.intercept
        loss = np.average((y - eta) ** 2, weights=weights) / 2
        assert a.certificate["primal"] >= loss * (1 - 1e-13)
        if not standardize and ratio == 1:
            value = loss + a.alpha * np.abs(a.coef).sum()
            assert a.certificate["primal"] == pytest.approx(value, rel=1e-13)


@pytest.mark.parametrize("storage", ["F", "C", "csc"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_heldout_errors_equal_those_from_the_design(storage, fit_intercept, ratio):
    X, y, weights = _problem(1)
    held = np.arange(N_SAMPLES) % 5 == 2
    settings = {"ratio": ratio, "fit_intercept": fit_intercept, "keep_coef": False}
    settings |= {"weights": weights, "held": held}
    design = _designs(X)[storage]
    fast = _solve(design, y, "gram", **settings)
    slow = _solve(design, y, "working_set", **settings)
    assert all(_used_moments(fast)) or storage == "csc"
    np.testing.assert_allclose(
        [a.heldout for a in fast], [b.heldout for b in slow], rtol=1e-7, atol=0
    )


def test_heldout_error_is_that_of_the_coefficients():
    X, y, weights = _problem(2)
    held = np.arange(N_SAMPLES) < 100
    settings = {"ratio": 1.0, "weights": weights, "standardize": True}
    results = _solve(_core.Design.dense(X), y, "gram", held=held, **settings)
    for result in results:
        residual = (y - X @ result.coef - result.intercept)[held]
        expected = np.average(residual**2, weights=weights[held])
        assert result.heldout == pytest.approx(expected, rel=1e-11)


def test_bits_do_not_depend_on_threads():
    X, y, _ = _problem(3)
    one = tw.linear_model.LassoCV(n_threads=1).fit(X, y)
    two = tw.linear_model.LassoCV(n_threads=2).fit(X, y)
    assert np.array_equal(one.mse_path_, two.mse_path_)
    assert np.array_equal(one.coef_, two.coef_)


def test_impossible_accuracy_is_left_to_the_design():
    X, y, _ = _problem(4)
    results = _solve(_core.Design.dense(X), y, "gram", ratio=1.0, tol=1e-15, keep_coef=False)
    exact = _solve(_core.Design.dense(X), y, "working_set", ratio=1.0, tol=1e-15)
    for a, b in zip(results, exact, strict=True):
        assert a.certificate["primal"] == pytest.approx(b.certificate["primal"], rel=1e-12)


def test_unpenalized_columns_are_left_to_the_design():
    X, y, _ = _problem(5)
    weights = np.ones(N_FEATURES)
    weights[3] = 0
    penalty = {"name": "l1", "weights": weights}
    task = {"target": 0, "penalty": 0, "alphas": np.geomspace(1, 1e-3, N_ALPHAS)}
    results, _ = _core.solve(
        _core.Design.dense(X), np.asfortranarray(y[:, None]), [task], penalties=[penalty]
    )
    assert not any(_used_moments(results[0]))
    assert all(result.status == "converged" for result in results[0])


@pytest.mark.parametrize(
    ("ratio", "limits", "tol"),
    [
        (1.0, (-np.inf, np.inf), 1e-8),
        (1.0, (-1e5, 1e5), 1e-6),
        (1.0, (-1e5, 1e5), 1e-8),
        (1.0, (-1e9, 1e9), 1e-6),
        (1.0, (-1e9, 1e9), 1e-8),
        (1 - 1e-6, (-np.inf, np.inf), 1e-6),
        (1 - 1e-6, (-np.inf, np.inf), 1e-8),
        # The objective is ten million times that of zero, which these limits exclude.
        (0.5, (1.0, np.inf), 1e-6),
        (1.0, (1.0, 2.0), 1e-6),
    ],
)
def test_rounding_does_not_keep_a_path_from_its_tolerance(ratio, limits, tol):
    """Columns of many sizes, limits far away, and limits that zero does not keep."""
    rng = np.random.default_rng(6)
    X = np.asfortranarray(rng.standard_normal((9_000, 20)) * np.logspace(4, -4, 20))
    y = X @ (rng.standard_normal(20) / np.logspace(4, -4, 20)) + rng.standard_normal(9_000)
    lower, upper = limits
    penalty = tw.penalties.ElasticNet(l1_ratio=ratio, lower=lower, upper=upper)
    alphas = [1e-3, 1e-5, 1e-7]
    settings = {"loss": "squared", "penalty": penalty, "fit_intercept": False}
    path = tw.solve_path(X, y, alphas=alphas, tol=tol, max_iter=100_000, **settings)
    for alpha, solution in zip(alphas, path, strict=True):
        assert solution.report.status == "converged"
        assert "second moments" in solution.report.reason
        w, certificate = solution.coef, solution.certificate
        loss = np.mean((y - X @ w) ** 2) / 2
        value = loss + alpha * (ratio * np.abs(w).sum() + (1 - ratio) / 2 * w @ w)
        assert certificate.primal == pytest.approx(value, rel=1e-7)
        assert certificate.dual <= value * (1 + 1e-13)
