"""What a result says of itself: bounds at the start, at the rounding floor and out of time."""

import numpy as np
import pytest

import thalweg as tw
from support import catalogue

SOLVERS = [row.solver for row in tw.compatible("squared", "elastic_net", "dense") if row.compatible]
COMBINATIONS = catalogue.combination_cases("solver", "loss", "penalty")


def _problem():
    X, y, _ = tw.problems.regression(120, 30, n_nonzero=8, correlation=0.5, seed=3)
    return X, y


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("ratio", [0.0, 0.5, 0.95])
@pytest.mark.parametrize("positive", [False, True])
def test_first_bound_is_near_the_best_scaling(solver, ratio, positive):
    X, y = _problem()
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    z = Xc.T @ yc / len(y)
    alpha = 0.05 * np.abs(z).max()
    l1, l2 = alpha * ratio, alpha * (1 - ratio)
    penalty = tw.penalties.ElasticNet(l1_ratio=ratio, positive=positive)
    options = {"loss": "squared", "penalty": penalty, "alpha": alpha, "solver": solver}
    solution = tw.solve(X, y, **options, max_iter=0)
    half_square = yc @ yc / len(y) / 2
    scales = np.linspace(0, 1, 2001)
    excess = np.maximum((scales[:, None] * z if positive else np.abs(scales[:, None] * z)) - l1, 0)
    duals = half_square * (2 * scales - scales**2) - (excess**2).sum(axis=1) / (2 * l2)
    assert solution.certificate.value <= half_square - duals.max() + 0.02 * half_square
    # Never a bound above the best one, but for the spacing of the scales.
    assert solution.certificate.value >= (half_square - duals.max()) * (1 - 1e-4)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("scale", [1.0, 1e-20, 1e-30])
def test_the_bound_survives_an_l2_term_that_vanishes_in_scale(scale, positive):
    """Its share of the objective does not change with y, that of its conjugate beyond l1 does."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 98))
    y = scale * (X[:, :5].sum(axis=1) + rng.standard_normal(100))
    alpha = 0.01 * np.abs((X - X.mean(axis=0)).T @ (y - y.mean())).max() / (100 * 0.9)
    penalty = tw.penalties.ElasticNet(l1_ratio=0.9, positive=positive)
    solution = tw.solve(X, y, loss="squared", penalty=penalty, alpha=alpha, tol=1e-9)
    assert solution.status == "converged"


@pytest.mark.parametrize(("solver", "loss", "penalty"), COMBINATIONS)
def test_rounding_floor_ends_a_solve_without_tolerance(solver, loss, penalty):
    X, y = _problem()
    y = catalogue.targets(catalogue.loss_handle(loss), y)
    solution = tw.solve(
        X, y, loss=loss, penalty=penalty, alpha=0.1, solver=solver, tol=0, max_iter=100_000
    )
    assert solution.status in {"converged", "stalled"}
    assert solution.certificate.relative < 1e-13


@pytest.mark.parametrize("solver", SOLVERS)
def test_solver_that_ran_is_named(solver):
    X, y = _problem()
    for rows in (120, 20):
        Xs, ys = X[:rows], y[:rows]
        ran = tw.solve(Xs, ys, loss="squared", penalty="l1", alpha=0.1, solver=solver).report.solver
        assert ran in SOLVERS
        assert ran == solver or solver == "auto"
        assert ran != "auto"


@pytest.mark.parametrize("solver", SOLVERS)
def test_no_time_certifies_the_start(solver):
    X, y = _problem()
    solution = tw.solve(X, y, loss="squared", penalty="l1", alpha=0.1, solver=solver, max_time=0.0)
    assert solution.status == "time_limit"
    assert not solution.coef.any()
    assert solution.intercept == pytest.approx(y.mean(), abs=1e-12)
    assert np.isfinite(solution.certificate.value)
    assert solution.certificate.primal == pytest.approx(np.var(y) / 2, rel=1e-12)


def _dual_objective(X, y, theta, weight, l1, l2):
    """Dual objective of the elastic net at a feasible point, with an intercept."""
    s = weight / weight.sum()
    assert abs(s @ theta) <= 1e-12 * np.abs(theta).max()
    z = np.abs(X.T @ (s * theta))
    if l2 == 0:
        assert (z <= l1 * (1 + 1e-12)).all()
        conjugate = 0.0
    else:
        conjugate = (np.maximum(z - l1, 0.0) ** 2).sum() / (2 * l2)
    return s @ (theta * y - theta**2 / 2) - conjugate


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["Lasso", "ElasticNet", "LassoCV", "ElasticNetCV"])
def test_theta_proves_the_dual_objective_of_estimators(name, weighted):
    X, y = _problem()
    weight = np.random.default_rng(0).uniform(0.5, 2.0, len(y)) if weighted else np.ones(len(y))
    model = getattr(tw.linear_model, name)()
    model.set_params(**({"alpha": 0.1} if hasattr(model, "alpha") else {"alphas": 10, "cv": 3}))
    model.fit(X, y, sample_weight=weight if weighted else None, return_theta=True)
    alpha = getattr(model, "alpha_", 0.1)
    ratio = getattr(model, "l1_ratio_", model.l1_ratio)
    certificate = model.certificate_
    assert certificate.theta.shape == y.shape
    dual = _dual_objective(X, y, certificate.theta, weight, alpha * ratio, alpha * (1 - ratio))
    assert dual == pytest.approx(certificate.dual, rel=1e-10)
    assert certificate.value == pytest.approx(certificate.primal - dual, abs=1e-10)
    assert model.fit(X, y).certificate_.theta is None


@pytest.mark.parametrize("name", ["Lasso", "ElasticNet"])
def test_theta_has_one_row_for_each_target(name):
    X, y = _problem()
    Y = np.column_stack([y, X[:, 0] - y])
    model = getattr(tw.linear_model, name)(alpha=0.1).fit(X, Y, return_theta=True)
    assert model.certificate_.theta.shape == (2, len(y))
    l1, l2 = 0.1 * model.l1_ratio, 0.1 * (1 - model.l1_ratio)
    for k, theta in enumerate(model.certificate_.theta):
        dual = _dual_objective(X, Y[:, k], theta, np.ones(len(y)), l1, l2)
        assert dual == pytest.approx(model.certificate_.dual[k], rel=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
def test_theta_is_centred_however_far_the_columns_are(weighted):
    rng = np.random.default_rng(1)
    X, y, _ = tw.problems.regression(60, 40, n_nonzero=5, seed=1)
    weights = rng.uniform(0.1, 2.0, len(y)) if weighted else np.ones(len(y))
    options = {"loss": "squared", "penalty": "l2", "alpha": 0.1, "return_theta": True}
    theta = tw.solve(X + 1e5, y, sample_weight=weights, **options).certificate.theta
    assert abs(weights @ theta) <= 1e-14 * (weights @ np.abs(theta))
