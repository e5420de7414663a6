"""What `auto` does on smooth losses when its first solver turns out to be slow."""

import numpy as np
import pytest
from scipy import sparse

import thalweg as tw


def _short_rows(n_samples, n_features, n_entries):
    """Return rows of few entries in columns as frequent as words, and labels that they decide."""
    rng = np.random.default_rng(0)
    frequency = (1.0 + np.arange(n_features)) ** -0.8
    X = sparse.csr_array(
        (
            rng.uniform(0.5, 1.0, n_samples * n_entries),
            rng.choice(n_features, (n_samples, n_entries), p=frequency / frequency.sum()).ravel(),
            np.arange(0, n_samples * n_entries + 1, n_entries),
        ),
        shape=(n_samples, n_features),
    )
    X.sum_duplicates()
    eta = 0.5 * X @ rng.standard_normal(n_features) + rng.logistic(size=n_samples)
    return X, np.where(eta > 0, 1.0, -1.0)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_the_dual_is_left_where_it_leads_nowhere(n_threads):
    X, y = _short_rows(6000, 2000, 12)
    options = {
        "loss": "logistic",
        "penalty": "l2",
        "alpha": 1e-3 / len(y),
        "tol": 1e-6,
        "fit_intercept": False,
        "n_threads": n_threads,
    }
    result = tw.solve(X, y, **options)
    assert result.report.status == "converged"
    assert result.report.reason.startswith("the dual first, a truncated Newton method")
    # Where the dual was when it was left is no better than zero: the fit began there again.
    objective = result.report.trace["objective"]
    start = objective[0]
    assert objective[2] > start
    assert (objective[3:] < start).all()
    alone = tw.solve(
        X, y, solver="dual_coordinate_descent", max_iter=result.report.n_iter, **options
    )
    assert alone.certificate.value > 1e3 * result.certificate.value


def _solve_classes(X, scores, **options):
    labels = (scores + np.random.default_rng(1).gumbel(size=scores.shape)).argmax(axis=1)
    return tw.solve(
        X,
        labels.astype(float),
        loss="multinomial",
        penalty="l2",
        tol=1e-6,
        **{"fit_intercept": False, **options},
    )


def _few_entries():
    X, _ = _short_rows(6000, 2000, 12)
    return X, 0.5 * X @ np.random.default_rng(0).standard_normal((2000, 4))


def _few_factors(n_samples, n_features):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, 10)) @ rng.standard_normal((10, n_features))
    X += 0.01 * rng.standard_normal(X.shape)
    return X, X @ rng.standard_normal((n_features, 3))


@pytest.mark.parametrize(
    ("data", "strength"),
    [(_few_entries, 0.01), (lambda: _few_factors(3000, 400), 0.1)],
    ids=["few entries", "few factors"],
)
def test_newton_cg_takes_over_where_its_trial_is_fast(data, strength):
    X, scores = data()
    options = {"alpha": strength / len(scores)}
    result = _solve_classes(X, scores, **options)
    assert result.report.status == "converged"
    assert result.report.solver == "newton_cg"
    alone = _solve_classes(X, scores, solver="l_bfgs", **options)
    assert result.report.n_iter < 0.1 * alone.report.n_iter


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_newton_cg_takes_over_where_few_rows_bend_the_objective(fit_intercept):
    X, scores = _few_factors(600, 2100)
    options = {"alpha": 1e-5 / len(scores), "fit_intercept": fit_intercept}
    result = _solve_classes(X, scores, **options)
    assert result.report.status == "converged"
    assert result.report.solver == "newton_cg"
    alone = _solve_classes(X, scores, solver="l_bfgs", **options)
    assert 2 * result.report.n_iter < alone.report.n_iter
    difference = abs(result.certificate.primal - alone.certificate.primal)
    assert difference <= max(result.certificate.value, alone.certificate.value)


def test_l_bfgs_goes_on_where_it_is_nearly_done():
    X, scores = _few_factors(300, 2100)
    result = _solve_classes(X, scores, alpha=1e-5 / len(scores))
    assert result.report.status == "converged"
    assert result.report.solver == "l_bfgs"


def test_l_bfgs_of_many_coefficients_has_the_same_bits_for_any_number_of_threads():
    X, y = _short_rows(2000, 40_000, 12)
    options = {"loss": "logistic", "penalty": "l2", "alpha": 1e-4, "tol": 1e-8, "solver": "l_bfgs"}
    one = tw.solve(X, y, n_threads=1, **options)
    two = tw.solve(X, y, n_threads=2, **options)
    assert one.report.status == "converged"
    assert "float32" in one.report.reason
    np.testing.assert_array_equal(one.coef, two.coef)


def _many_classes():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 150))
    scores = X @ (rng.standard_normal((150, 26)) * (rng.random((150, 26)) < 0.1))
    return X, scores * (2 / scores.std())


def test_l_bfgs_goes_on_where_the_trial_of_newton_cg_is_slow():
    X, scores = _many_classes()
    options = {"alpha": 0.003 / len(scores)}
    result = _solve_classes(X, scores, **options)
    assert result.report.status == "converged"
    assert result.report.solver == "l_bfgs"
    assert result.report.reason.startswith("L-BFGS, a truncated Newton method having been tried")
    # What it had learnt before is not lost.
    alone = _solve_classes(X, scores, solver="l_bfgs", **options)
    assert result.report.n_iter < 1.2 * alone.report.n_iter
    difference = abs(result.certificate.primal - alone.certificate.primal)
    assert difference <= max(result.certificate.value, alone.certificate.value)


@pytest.mark.parametrize("data", [_few_entries, _many_classes])
def test_trials_have_the_same_bits_for_any_number_of_threads(data):
    X, scores = data()
    one, two = (
        _solve_classes(X, scores, alpha=0.003 / len(scores), n_threads=n_threads)
        for n_threads in (1, 2)
    )
    assert "truncated Newton" in one.report.reason
    np.testing.assert_array_equal(one.coef, two.coef)


@pytest.mark.parametrize("data", [_few_entries, _many_classes])
def test_a_path_goes_through_trials(data):
    X, scores = data()
    labels = (scores + np.random.default_rng(1).gumbel(size=scores.shape)).argmax(axis=1)
    labels = labels.astype(float)
    options = {"loss": "multinomial", "penalty": "l2", "tol": 1e-6, "fit_intercept": False}
    alphas = np.array([1.0, 0.05, 0.003]) / len(labels)
    for alpha, one in zip(alphas, tw.solve_path(X, labels, alphas=alphas, **options), strict=True):
        alone = tw.solve(X, labels, alpha=alpha, solver="l_bfgs", max_iter=10_000, **options)
        assert one.report.status == alone.report.status == "converged"
        difference = abs(one.certificate.primal - alone.certificate.primal)
        assert difference <= max(one.certificate.value, alone.certificate.value)


def test_the_dual_is_not_left_for_a_hessian_that_costs_more_than_products():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((100, 1500)) * np.exp(rng.normal(0, 2, 1500))
    y = np.where(X[:, :5].sum(axis=1) + rng.standard_normal(100) > 0, 1.0, -1.0)
    result = tw.solve(X, y, loss="logistic", penalty="l2", alpha=1e-4, tol=1e-6)
    assert result.report.status == "converged"
    assert result.report.solver == "trust_ncg"


@pytest.mark.parametrize("loss", ["squared_hinge", "modified_huber", "smoothed_hinge"])
def test_no_trust_region_where_curvature_jumps(loss):
    # It crawls from piece to piece: a thousand steps where others take a score.
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((150, 200)) * (rng.random((150, 200)) < 0.2)
        y = np.sign(X @ rng.normal(size=200) + 0.3 * rng.normal(size=150))
        solution = tw.solve(
            sparse.csr_array(X), y, loss=loss, penalty="l2", alpha=1e-4, tol=1e-8, max_iter=200
        )
        assert solution.status == "converged", solution.report
