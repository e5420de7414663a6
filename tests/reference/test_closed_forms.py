"""Solutions that are known in closed form, or that SciPy finds by other means."""

import numpy as np
import pytest
from scipy import linalg, optimize

import thalweg as tw

SOLVERS = [row.solver for row in tw.compatible("squared", "l1", "dense") if row.compatible]
solver_cases = pytest.mark.parametrize("solver", SOLVERS)
TOL = 1e-14


def solve(X, y, penalty, alpha, solver="auto", **options):
    options = {"tol": TOL, "max_iter": 100_000, **options}
    return tw.solve(X, y, loss="squared", penalty=penalty, alpha=alpha, solver=solver, **options)


@pytest.fixture
def problem(rng):
    X = rng.standard_normal((50, 8)) @ np.diag(np.geomspace(1, 5, 8)) + rng.standard_normal(8)
    return X, X @ rng.standard_normal(8) + rng.standard_normal(50) + 3.0


@solver_cases
@pytest.mark.parametrize("l1_ratio", [1.0, 0.4, 0.0])
def test_orthogonal_design_is_soft_thresholding(rng, solver, l1_ratio):
    n, p, alpha = 40, 10, 0.3
    X = np.sqrt(n) * np.linalg.qr(rng.standard_normal((n, p)))[0]
    y = X @ rng.standard_normal(p)
    z = X.T @ y / n
    expected = np.sign(z) * np.maximum(np.abs(z) - alpha * l1_ratio, 0)
    expected /= 1 + alpha * (1 - l1_ratio)
    penalty = tw.penalties.ElasticNet(l1_ratio=l1_ratio)
    solution = solve(X, y, penalty, alpha, solver, fit_intercept=False)
    np.testing.assert_allclose(solution.coef, expected, atol=1e-12)
    support = expected != 0
    assert (solution.coef[~support] == 0).all()


@solver_cases
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_ridge_is_the_normal_equations(problem, rng, solver, weighted, fit_intercept):
    X, y = problem
    s = rng.uniform(0.5, 2.0, len(y)) if weighted else np.ones(len(y))
    v = rng.uniform(0.0, 2.0, X.shape[1])
    alpha = 0.7
    solution = solve(
        X,
        y,
        tw.penalties.L2(weights=v),
        alpha,
        solver,
        sample_weight=s,
        fit_intercept=fit_intercept,
    )
    weights = s / s.sum()
    centre = weights @ X if fit_intercept else 0.0
    mean = weights @ y if fit_intercept else 0.0
    centred = X - centre
    normal = centred.T @ (weights[:, None] * centred) + alpha * np.diag(v)
    expected = linalg.solve(normal, centred.T @ (weights * (y - mean)), assume_a="pos")
    np.testing.assert_allclose(solution.coef, expected, atol=1e-6)
    assert solution.intercept == pytest.approx(mean - np.sum(centre * expected), abs=1e-6)


@solver_cases
@pytest.mark.parametrize("shape", [(50, 8), (8, 20), (20, 20)])
def test_no_penalty_is_least_squares(rng, solver, shape):
    X, y = rng.standard_normal(shape) + 3.0 * np.eye(*shape), rng.standard_normal(shape[0])
    solution = tw.solve(
        X, y, loss="squared", solver=solver, fit_intercept=False, tol=1e-12, max_iter=100_000
    )
    best = np.linalg.lstsq(X, y)[0]
    objective = 0.5 * np.mean((y - X @ best) ** 2)
    assert solution.certificate.primal == pytest.approx(objective, abs=1e-12 * (y**2).mean())


@solver_cases
def test_non_negative_least_squares(problem, solver):
    X, y = problem
    expected, _ = optimize.nnls(X, y)
    for penalty in (tw.penalties.L1(positive=True), tw.penalties.L2(lower=0.0)):
        solution = solve(X, y, penalty, 0.0, solver, fit_intercept=False)
        np.testing.assert_allclose(solution.coef, expected, atol=1e-5)


@solver_cases
def test_bounded_least_squares(problem, rng, solver):
    X, y = problem
    lower, upper = -rng.uniform(0.0, 0.4, 8), rng.uniform(0.0, 0.4, 8)
    expected = optimize.lsq_linear(X, y, (lower, upper), tol=1e-14).x
    penalty = tw.penalties.L1(lower=lower, upper=upper)
    solution = solve(X, y, penalty, 0.0, solver, fit_intercept=False)
    np.testing.assert_allclose(solution.coef, expected, atol=1e-6)


@solver_cases
def test_one_feature(rng, solver):
    x, y = rng.standard_normal(30), rng.standard_normal(30)
    z, h = x @ y / 30, x @ x / 30
    for alpha in (0.0, 0.01, 10.0):
        expected = np.sign(z) * max(abs(z) - alpha, 0.0) / h
        solution = solve(x[:, None], y, tw.penalties.L1(), alpha, solver, fit_intercept=False)
        assert solution.coef[0] == pytest.approx(expected, abs=1e-14)


@solver_cases
def test_separate_problems_are_solved_as_one_quadratic_program(rng, solver):
    """A general-purpose optimizer on the split variables w = u - v agrees on the lasso."""
    X, y, alpha = rng.standard_normal((30, 6)), rng.standard_normal(30), 0.1

    def objective(uv):
        r = X @ (uv[:6] - uv[6:]) - y
        slope = X.T @ r / 30
        return 0.5 * np.mean(r**2) + alpha * uv.sum(), np.concatenate([slope, -slope]) + alpha

    best = optimize.minimize(
        objective,
        np.zeros(12),
        jac=True,
        bounds=[(0, None)] * 12,
        options={"ftol": 1e-15, "gtol": 1e-12},
    )
    solution = solve(X, y, tw.penalties.L1(), alpha, solver, fit_intercept=False)
    np.testing.assert_allclose(solution.coef, best.x[:6] - best.x[6:], atol=1e-5)
    assert solution.certificate.primal <= best.fun + 1e-14


def test_the_intercept_alone_is_the_weighted_mean(rng):
    y, s = rng.standard_normal(20), rng.uniform(0, 1, 20)
    solution = solve(np.zeros((20, 3)), y, "l1", 1.0, sample_weight=s)
    assert solution.intercept == pytest.approx(s @ y / s.sum(), rel=1e-14)
    assert not solution.coef.any()
