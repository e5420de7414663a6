"""Counts so large that the rounding of a slope exceeds what `tol` asks of the gradient."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import thalweg as tw
from thalweg import linear_model


@pytest.fixture
def exact(request):
    """A design and coefficients, and counts that are their means."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 5))
    coef = 0.3 * rng.standard_normal(5)
    return X, coef, request.param * np.exp(X @ coef)


@pytest.mark.parametrize("exact", [1.0, 1e4, 1e8, 1e12], indirect=True)
def test_the_exact_solution_is_converged(exact):
    X, coef, y = exact
    model = linear_model.PoissonRegressor(alpha=0.0, tol=1e-13, warm_start=True)
    model.coef_, model.intercept_ = coef, np.log(y[0]) - X[0] @ coef
    model.fit(X, y)
    assert model.report_.status == "converged"
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-12)


@pytest.mark.parametrize("exact", [1e8], indirect=True)
def test_a_gradient_that_is_too_large_is_told_from_a_gap(exact):
    X, _, y = exact
    model = linear_model.PoissonRegressor(alpha=1.0, tol=1e-9, max_iter=4, solver="newton-cholesky")
    with pytest.warns(ConvergenceWarning, match="wanted, but an entry of the gradient exceeds tol"):
        model.fit(X, y)
    assert model.certificate_.relative <= 1e-9


@pytest.mark.parametrize("offset", [-1e4, -700.0, -300.0, 115.0, 200.0, 650.0, 709.0, 1e4])
@pytest.mark.parametrize("loss", ["poisson", "gamma", tw.losses.Tweedie(power=1.5)], ids=str)
def test_a_constant_offset_moves_the_intercept_only(loss, offset):
    """However far: slopes grow exponentially, and Newton's steps to an intercept do not."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 3))
    y = 1.0 + rng.poisson(1.0, 200)
    plain, moved = (
        tw.solve(X, y, loss=loss, penalty="l2", alpha=0.1, offset=shift, tol=1e-8)
        for shift in (None, np.full(200, offset))
    )
    assert moved.report.status == "converged"
    assert moved.intercept + offset == pytest.approx(plain.intercept, abs=1e-4)
    assert moved.certificate.primal == pytest.approx(plain.certificate.primal, rel=1e-7)
    np.testing.assert_allclose(moved.coef, plain.coef, atol=1e-4)


@pytest.mark.parametrize("unit", [1e-12, 1e9, 1e15])
def test_units_of_a_gamma_target_do_not_loosen_tol(unit):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 20))
    y = np.exp(0.3 * X[:, 0]) * rng.gamma(2.0, size=300)
    model = linear_model.GammaRegressor(alpha=1e-3, tol=1e-11, solver="lbfgs", max_iter=1000)
    coef = model.fit(X, y).coef_
    model.fit(X, unit * y)
    assert model.certificate_.relative <= 1e-11
    np.testing.assert_allclose(model.coef_, coef, atol=1e-5)


@pytest.mark.parametrize("solver", ["l_bfgs", "trust_ncg"])
def test_rows_without_weight_say_nothing_of_the_size_of_terms(solver):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 5))
    y = np.exp(0.3 * X @ rng.standard_normal(5) + 20)
    weights = np.where(np.arange(2000) % 2 == 0, 0.0, 1.0)
    model = linear_model.PoissonRegressor(alpha=1e-8, tol=1e-6, solver=solver, max_iter=300)
    assert model.fit(X, y, sample_weight=weights).report_.status == "converged"
