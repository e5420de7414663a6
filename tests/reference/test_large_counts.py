"""Counts so large that the rounding of a slope exceeds what `tol` asks of the gradient."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

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
    model = linear_model.PoissonRegressor(alpha=1.0, tol=1e-9, max_iter=4)
    with pytest.warns(ConvergenceWarning, match="wanted, but an entry of the gradient exceeds tol"):
        model.fit(X, y)
    assert model.certificate_.relative <= 1e-9
