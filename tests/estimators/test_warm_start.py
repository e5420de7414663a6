"""`warm_start` and several targets: for the classes that have them."""

import numpy as np
import pytest

from support import data, estimators

WARM = estimators.taking("warm_start")


@pytest.mark.parametrize("cls", WARM, ids=estimators.name)
def test_a_second_fit_starts_from_the_first(cls):
    X, y = data.threaded_problem(n_samples=60, n_features=30)
    y = estimators.target(cls, y)
    model = estimators.make(cls, warm_start=True, tol=1e-8).fit(X, y)
    coef = model.coef_
    again = model.set_params(tol=1.1e-8).fit(X, y)
    assert again.report_.n_iter == 0
    np.testing.assert_array_equal(again.coef_, coef)
    cold = estimators.make(cls, tol=1e-8).fit(X, y).fit(X, y)
    assert cold.report_.n_iter > 0


@pytest.mark.parametrize("cls", WARM, ids=estimators.name)
def test_coefficients_alone_are_a_start(cls):
    X, y = data.threaded_problem(n_samples=60, n_features=30)
    y = estimators.target(cls, y)
    cold = estimators.make(cls, tol=1e-8).fit(X, y)
    warm = estimators.make(cls, warm_start=True, tol=1.1e-8)
    warm.coef_ = cold.coef_
    warm.fit(X, y)
    assert warm.report_.n_iter < cold.report_.n_iter
    np.testing.assert_allclose(warm.coef_, cold.coef_, atol=1e-3 * np.abs(cold.coef_).max())


@pytest.mark.parametrize("cls", WARM, ids=estimators.name)
def test_a_start_of_the_wrong_shape_is_refused(cls):
    X, y = data.threaded_problem(n_samples=40, n_features=10)
    y = estimators.target(cls, y)
    model = estimators.make(cls, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"coef_.*shape \((1, )?9,?\), got \((1, )?10,?\)"):
        model.fit(X[:, :9], y)
    for intercept, message in ((np.zeros(7), r"shape .*got \(7,\)"), (np.nan, "contains NaN")):
        model.intercept_ = intercept
        with pytest.raises(ValueError, match="intercept_.*" + message):
            model.fit(X, y)


@pytest.mark.parametrize("cls", estimators.SEVERAL_TARGETS, ids=estimators.name)
def test_several_targets_are_fitted_separately(cls):
    X, y = data.threaded_problem(n_samples=60, n_features=30)
    Y = np.column_stack([y, -2.0 * y + X[:, 0], X[:, 5]])
    model = estimators.make(cls, tol=1e-10).fit(X, Y)
    assert model.coef_.shape == (3, 30)
    assert model.intercept_.shape == (3,)
    assert model.certificate_.value.shape == (3,)
    if getattr(model, "n_iter_", None) is not None:
        assert len(model.n_iter_) == 3
    assert model.predict(X).shape == Y.shape
    for k in range(3):
        single = estimators.make(cls, tol=1e-10).fit(X, Y[:, k])
        np.testing.assert_array_equal(model.coef_[k], single.coef_)
        assert model.intercept_[k] == single.intercept_
        assert model.certificate_.value[k] == single.certificate_.value
