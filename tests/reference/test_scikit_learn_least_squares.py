"""Least squares and ridge regression as in scikit-learn, and coefficients of smallest norm."""

import itertools
import types
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model as theirs
from sklearn.exceptions import ConvergenceWarning

from support.scikit_learn import assert_same, both, design, designs, intercepts, weights
from thalweg import linear_model as ours
from thalweg.linear_model import _least_squares, _minimum_norm


@designs
@intercepts
@pytest.mark.parametrize("alpha", [1e-3, 1.0, 100.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_ridge(kind, fit_intercept, alpha, weighted):
    X, y = design(kind)
    options = {"alpha": alpha, "fit_intercept": fit_intercept, "tol": 1e-12}
    sample_weight = weights(len(y)) if weighted else None
    mine, other = both("Ridge", X, y, sample_weight, tight=False, **options)
    assert_same(mine, other)
    assert mine.certificate_.relative <= 1e-10


@pytest.mark.parametrize("solver", ["svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga"])
def test_solver_names_of_ridge(solver):
    X, y = design("tall")
    model = ours.Ridge(solver=solver, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(model.coef_, theirs.Ridge().fit(X, y).coef_, atol=1e-6)
    assert f"solver='{solver}' of scikit-learn" in model.report_.reason


def test_ridge_of_several_targets_with_their_own_strengths():
    X, y = design("tall")
    Y = np.column_stack([y, X[:, 0] - y, X[:, 1]])
    for alpha in (2.0, [0.1, 1.0, 10.0], np.array([0.0, 5.0, 50.0])):
        assert_same(*both("Ridge", X, Y, tight=False, alpha=alpha))
    with pytest.raises(ValueError, match="do not correspond: 3 != 2"):
        ours.Ridge(alpha=[1.0, 2.0]).fit(X, Y)


@pytest.mark.parametrize("number", [float, np.float32, np.array, lambda alpha: [alpha]])
def test_a_strength_of_ridge_is_a_number_in_any_form(number):
    X, y = design("tall")
    expected = ours.Ridge(alpha=2.0).fit(X, y)
    np.testing.assert_array_equal(ours.Ridge(alpha=number(2.0)).fit(X, y).coef_, expected.coef_)
    for wrong in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="alpha"):
            ours.Ridge(alpha=number(wrong)).fit(X, y)


@pytest.mark.parametrize("name", ["Ridge", "LinearRegression"])
@intercepts
def test_non_negative_coefficients(name, fit_intercept):
    X, y = design("tall")
    options = {"positive": True, "fit_intercept": fit_intercept, "tol": 1e-12}
    mine, other = both(name, X, y, tight=False, **options)
    assert (mine.coef_ >= 0).all()
    assert_same(mine, other, atol=1e-5)


def test_solvers_of_ridge_that_scikit_learn_refuses():
    X, y = design("tall")
    for options in ({"solver": "lbfgs"}, {"solver": "svd", "positive": True}):
        for package in (ours, theirs):
            with pytest.raises(ValueError, match="positive"):
                package.Ridge(**options).fit(X, y)


@designs
@intercepts
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("several", [False, True])
def test_linear_regression(kind, fit_intercept, weighted, several):
    X, y = design(kind)
    if several:
        Y = np.column_stack([y, y[::-1]])
    options = {"fit_intercept": fit_intercept, "tol": 1e-12}
    sample_weight = 0.5 + weights(len(y)) if weighted else None
    mine, other = both(
        "LinearRegression", X, Y if several else y, sample_weight, tight=False, **options
    )
    assert_same(mine, other)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("shape", [(60, 8), (8, 60), (30, 30)])
@pytest.mark.parametrize("storage", [np.asarray, np.asfortranarray, sparse.csc_array])
@pytest.mark.parametrize("name", ["LinearRegression", "Ridge"])
def test_minimum_norm(name, shape, storage, fit_intercept):
    rng = np.random.default_rng(3)
    n, p = shape
    X = rng.standard_normal((n, p)) + 1.0
    X[:, -1] = X[:, 0] - 2.0 * X[:, 1]
    X[:, -2] = X[:, 2]
    y = rng.standard_normal(n) + 3.0
    options = {"alpha": 0.0} if name == "Ridge" else {}
    model = getattr(ours, name)(fit_intercept=fit_intercept, **options).fit(storage(X), y)
    centred = X - X.mean(axis=0) if fit_intercept else X
    expected = np.linalg.pinv(centred, rcond=1e-10) @ y
    np.testing.assert_allclose(model.coef_, expected, atol=1e-6)
    intercept = (y - X @ expected).mean() if fit_intercept else 0.0
    np.testing.assert_allclose(model.intercept_, intercept, atol=1e-6)
    assert "minimum norm" in model.report_.reason


@pytest.mark.parametrize("apart", [1e-6, 1e-8, 1e-10, 1e-12])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_nearly_dependent_columns(apart, fit_intercept):
    """The solution uses what tells the columns apart, or the fit does not call itself converged."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((80, 6))
    basis = X.copy()
    X[:, 1] = X[:, 0] + apart * X[:, 1]
    basis[:, 1] = (X[:, 1] - X[:, 0]) / apart  # a difference that is exact
    y = basis @ rng.standard_normal(6) + rng.standard_normal(80)
    if fit_intercept:
        basis = np.column_stack([basis, np.ones(80)])
    optimum = np.square(y - basis @ np.linalg.lstsq(basis, y)[0]).mean()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = ours.LinearRegression(fit_intercept=fit_intercept).fit(X, y)
    reached = np.square(y - X @ model.coef_ - model.intercept_).mean()
    assert reached <= optimum * (1 + 1e-15 / apart)
    if model.report_.status == "converged":
        assert reached <= optimum * (1 + 1e-6)
    assert model.certificate_.relative <= 1e-6 or apart < 1e-9


@pytest.mark.parametrize(("shape", "dtype"), [((60, 8), "f8"), ((8, 60), "f8"), ((8, 60), "f4")])
def test_rank_and_singular_values(shape, dtype):
    rng = np.random.default_rng(3)
    X = rng.standard_normal(shape)
    X[:, -1] = X[:, 0] - 2.0 * X[:, 1]
    y = rng.standard_normal(len(X))
    X = X.astype(dtype)
    mine, other = both("LinearRegression", X, y, tight=False)
    assert mine.rank_ == other.rank_
    tolerance = 1e-5 if dtype == "f4" else 1e-6
    np.testing.assert_allclose(mine.singular_, other.singular_, atol=tolerance * X.max())
    assert mine.singular_.dtype == other.singular_.dtype


def test_rank_and_singular_values_are_those_of_the_last_fit():
    X, y = design("tall")
    model = ours.LinearRegression()
    for other, positive in ((sparse.csr_array(X[:, :2]), False), (X, True)):
        model.set_params(positive=False).fit(X, y)
        assert model.rank_ == len(model.singular_) == X.shape[1]
        model.set_params(positive=positive).fit(other, y)
        assert not {"rank_", "singular_"} & vars(model).keys()


def tell_time(monkeypatch, *modules, step=0.0, late_from=np.inf):
    """Put another clock into modules: `step` seconds a look; an hour later from some look on."""
    looks = itertools.count()
    clock = types.SimpleNamespace(
        perf_counter=lambda: step * (look := next(looks)) + (3600.0 if look >= late_from else 0.0)
    )
    for module in modules:
        monkeypatch.setattr(module, "time", clock)
    return looks


@pytest.mark.parametrize("storage", [np.asarray, sparse.csc_array])
@pytest.mark.parametrize("shape", [(60, 8), (8, 60)])
def test_minimum_norm_is_not_looked_for_after_the_deadline(storage, shape, monkeypatch):
    """Whatever part the deadline comes before, the solver's coefficients stand."""
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal(shape), rng.standard_normal(shape[0])
    X[:, -1] = X[:, 0] - 2.0 * X[:, 1]
    model, modules = ours.LinearRegression(max_time=600.0), (_least_squares, _minimum_norm)
    looks = tell_time(monkeypatch, *modules)
    optimum = model.fit(storage(X), y).predict(X)
    assert "coefficients of minimum norm (" in model.report_.reason
    n_looks = next(looks)
    norm = np.linalg.norm(model.coef_)
    # The first two looks and the last are for the report.
    for late_from in range(2, n_looks - 1):
        tell_time(monkeypatch, *modules, late_from=late_from)
        model.fit(storage(X), y)
        assert model.report_.status == "converged"
        assert "no time was left to look for coefficients of minimum norm" in model.report_.reason
        np.testing.assert_allclose(model.predict(X), optimum, atol=1e-4)
        assert np.linalg.norm(model.coef_) >= norm * (1 - 1e-6)
    assert n_looks > 6


def test_minimum_norm_is_not_looked_for_where_the_solver_took_all_the_time():
    X, y = design("wide")
    model = ours.LinearRegression(max_time=0.0)
    with pytest.warns(ConvergenceWarning, match="time_limit"):
        model.fit(X, y)
    assert "no time was left to look for" in model.report_.reason
    assert not hasattr(model, "rank_")


@pytest.mark.parametrize("storage", [np.asarray, sparse.csc_array])
def test_the_time_of_minimum_norm_is_on_record(storage, monkeypatch):
    X, y = design("wide")
    tell_time(monkeypatch, _least_squares, step=3600.0)
    assert ours.LinearRegression().fit(storage(X), y).report_.time >= 3600.0
    assert ours.LinearRegression(positive=True).fit(storage(X), y).report_.time < 3600.0


def test_one_pass_of_lsmr_where_columns_are_independent(monkeypatch):
    passes = []

    def counted(*arguments, **options):
        passes.append(arguments)
        return lsmr(*arguments, **options)

    lsmr = _minimum_norm.lsmr
    monkeypatch.setattr(_minimum_norm, "lsmr", counted)
    X, y = design("sparse")
    _, other = both("LinearRegression", X.toarray(), y, tight=False)
    np.testing.assert_allclose(ours.LinearRegression().fit(X, y).coef_, other.coef_, atol=1e-6)
    assert len(passes) == 1
