"""`summary` against statsmodels and, for ridge, against its formula."""

import numpy as np
import pytest
from scipy import sparse, special

from thalweg import linear_model, losses, problems

sm = pytest.importorskip("statsmodels.api")
TIGHT = {"tol": 1e-12, "max_iter": 10_000}


@pytest.fixture
def problem():
    X, y, _ = problems.regression(200, 4, n_nonzero=3, snr=1.0, seed=0)
    return 0.5 * X, y / y.std()


def counts(y):
    return np.random.default_rng(0).poisson(np.exp(0.3 + 0.5 * y)).astype(float)


def assert_same(summary, fit, rtol=1e-5, has_t=False):
    for name, theirs in (
        ("coef", fit.params),
        ("std_error", fit.bse),
        ("statistic", fit.tvalues),
        ("p_value", fit.pvalues),
    ):
        np.testing.assert_allclose(getattr(summary, name), theirs, rtol=rtol, atol=1e-9)
    interval = np.column_stack([summary.lower, summary.upper])
    np.testing.assert_allclose(interval, fit.conf_int(0.05), rtol=rtol, atol=1e-7)
    np.testing.assert_allclose(summary.covariance, fit.cov_params(), rtol=rtol, atol=1e-9)
    assert summary.distribution == ("t" if has_t else "z")


@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_linear_regression(problem, storage):
    X, y = problem
    summary = linear_model.LinearRegression().fit(storage(X), y).summary(storage(X), y)
    fit = sm.OLS(y, sm.add_constant(X)).fit()
    assert_same(summary, fit, has_t=True)
    assert summary.df_resid == pytest.approx(fit.df_resid)
    assert summary.dispersion == pytest.approx(fit.scale)
    composed = linear_model.GeneralizedLinearRegressor(alpha=0.0, **TIGHT)
    assert_same(composed.fit(X, y, keep_information=True).summary(), fit, has_t=True)
    no_intercept = linear_model.LinearRegression(fit_intercept=False).fit(X, y)
    assert_same(no_intercept.summary(X, y), sm.OLS(y, X).fit(), has_t=True)


def test_logistic_regression(problem):
    X, y = problem
    labels = y + np.random.default_rng(0).standard_normal(len(y)) > 0
    model = linear_model.LogisticRegression(C=np.inf, **TIGHT).fit(X, labels)
    fit = sm.GLM(labels.astype(float), sm.add_constant(X), family=sm.families.Binomial()).fit()
    composed = linear_model.GeneralizedLinearClassifier(penalty=None, **TIGHT)
    for summary in (
        model.summary(X, labels),
        composed.fit(X, labels, keep_information=True).summary(),
    ):
        assert_same(summary, fit)
        assert summary.deviance == pytest.approx(fit.deviance)


def test_probit_regression(problem):
    X, y = problem
    labels = y + np.random.default_rng(0).standard_normal(len(y)) > 0
    model = linear_model.GeneralizedLinearClassifier("probit", penalty=None, **TIGHT)
    family = sm.families.Binomial(sm.families.links.Probit())
    fit = sm.GLM(labels.astype(float), sm.add_constant(X), family=family).fit(
        tol=1e-12, maxiter=200
    )
    assert_same(model.fit(X, labels).summary(X, labels), fit)


def test_multinomial_regression(problem):
    X, y = problem
    noisy = y + np.random.default_rng(0).standard_normal(len(y))
    labels = np.searchsorted([-0.5, 0.5], noisy)
    summary = linear_model.LogisticRegression(C=np.inf, **TIGHT).fit(X, labels).summary(X, labels)
    fit = sm.MNLogit(labels, sm.add_constant(X)).fit(disp=False, tol=1e-12, maxiter=100)
    # statsmodels has contrasts with the first class.
    size = X.shape[1] + 1
    contrast = np.hstack([-np.ones((2, 1)), np.eye(2)])
    contrast = np.kron(contrast, np.eye(size))
    np.testing.assert_allclose(contrast @ summary.coef, fit.params.ravel("F"), rtol=1e-5)
    covariance = contrast @ summary.covariance @ contrast.T
    np.testing.assert_allclose(covariance, fit.cov_params(), rtol=1e-4, atol=1e-9)
    assert summary.names[0] == "0: intercept"
    assert len(summary.names) == 3 * size


COMPOSED = "GeneralizedLinearRegressor"
FAMILIES = [
    ("PoissonRegressor", {}, lambda f: f.Poisson()),
    ("GammaRegressor", {}, lambda f: f.Gamma(f.links.Log())),
    ("TweedieRegressor", {"power": 1.5}, lambda f: f.Tweedie(f.links.Log(), var_power=1.5)),
    ("TweedieRegressor", {"power": 0.0}, lambda f: f.Gaussian()),
    (COMPOSED, {"loss": "poisson"}, lambda f: f.Poisson()),
    (COMPOSED, {"loss": losses.Tweedie(power=1.5)}, lambda f: f.Tweedie(f.links.Log(), 1.5)),
]


@pytest.mark.parametrize(("name", "options", "family"), FAMILIES)
def test_generalized_linear_models(problem, name, options, family):
    X, y = problem
    y = counts(y) + ("Poisson" not in name)
    has_offset = options.get("power") != 0.0
    offset = np.linspace(-0.5, 0.5, len(y)) if has_offset else None
    model = getattr(linear_model, name)(alpha=0.0, **options, **TIGHT).fit(X, y, offset=offset)
    family = family(sm.families)
    fit = sm.GLM(y, sm.add_constant(X), family=family, offset=offset).fit(tol=1e-12, maxiter=200)
    summary = model.summary(X, y, offset=offset)
    assert_same(summary, fit)
    assert summary.deviance == pytest.approx(fit.deviance)
    assert summary.dispersion == pytest.approx(fit.scale)


def test_weights_count_as_repetitions(problem):
    X, y = problem
    y = counts(y)
    weight = np.random.default_rng(1).integers(0, 4, len(y)).astype(float)
    model = linear_model.PoissonRegressor(alpha=0.0, **TIGHT).fit(X, y, weight)
    fit = sm.GLM(y, sm.add_constant(X), family=sm.families.Poisson(), freq_weights=weight).fit(
        tol=1e-12
    )
    assert_same(model.summary(X, y, weight), fit)
    repeated = np.repeat(np.arange(len(y)), weight.astype(int))
    for summary in (
        linear_model.LinearRegression().fit(X, y, weight).summary(X, y, weight),
        linear_model.LinearRegression().fit(X, y, 3.0 * weight).summary(X, y, weight),
    ):
        fit = sm.OLS(y[repeated], sm.add_constant(X[repeated])).fit()
        assert_same(summary, fit, has_t=True)


def test_ridge_has_the_sampling_covariance(problem):
    X, y = problem
    D = sm.add_constant(X)
    penalty = 7.0 * np.diag([0.0, *np.ones(X.shape[1])])
    model = linear_model.Ridge(alpha=7.0).fit(X, y)
    summary = model.summary(X, y)
    inverse = np.linalg.inv(D.T @ D + penalty)
    df = np.trace(inverse @ D.T @ D)
    scale = ((y - model.predict(X)) ** 2).sum() / (len(y) - df)
    np.testing.assert_allclose(summary.covariance, scale * inverse @ D.T @ D @ inverse, rtol=1e-6)
    assert summary.df_model == pytest.approx(df)

    labels = y > 0
    model = linear_model.LogisticRegression(C=0.5, **TIGHT).fit(X, labels)
    p = special.expit(model.decision_function(X))
    J = D.T @ (D * (p * (1 - p))[:, None])
    inverse = np.linalg.inv(J + penalty / 7.0 * 2.0)
    np.testing.assert_allclose(
        model.summary(X, labels).covariance, inverse @ J @ inverse, rtol=1e-6
    )


def test_intervals_cover():
    """Nine of ten intervals at level 0.9 hold the truth."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 2))
    held = 0
    for _ in range(200):
        y = X @ [1.0, -0.5] + rng.standard_normal(60)
        summary = linear_model.LinearRegression().fit(X, y).summary(X, y, level=0.9)
        held += int(summary.lower[1] <= 1.0 <= summary.upper[1])
    assert abs(held - 180) <= 4 * np.sqrt(200 * 0.9 * 0.1)
