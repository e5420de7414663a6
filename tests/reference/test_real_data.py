"""Real data sets: every certificate recomputed from the raw numbers."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

import thalweg as tw
from support.certificate import Problem, duality_gap
from support.checkers import check_solution, solve

DENSE = ["golub_leukemia", "riboflavin", "eyedata", "bglr_wheat", "california", "bike_hour"]
SPARSE = ["dorothea", "farm_ads"]
PENALTIES = [tw.penalties.L1(), tw.penalties.ElasticNet(l1_ratio=0.5), tw.penalties.L2()]


def target(y):
    y = np.asarray(y, dtype=np.float64)
    return y if y.ndim == 1 else y[:, 0]


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
@pytest.mark.parametrize("ratio", [0.5, 0.1, 0.01])
@pytest.mark.parametrize("name", DENSE)
def test_dense(load, name, penalty, ratio):
    X, y, _ = load(name)
    problem = Problem(
        np.asfortranarray(X, dtype=np.float64),
        target(y),
        tw.losses.resolve("squared"),
        penalty,
        0.0,
        standardize=True,
    )
    problem = replace(problem, alpha=ratio * problem.null_slope())
    check_solution(problem, solve(problem, tol=1e-8, max_iter=2000, max_time=10.0), 1e-8)


@pytest.mark.parametrize("ratio", [0.5, 0.1])
@pytest.mark.parametrize("name", SPARSE)
def test_sparse(load, name, ratio):
    """The dense recomputation would not fit here: checked on the columns that can matter."""
    X, y, _ = load(name)
    X, y = sparse.csc_array(X, dtype=np.float64), target(y)
    y = np.where(y > 0, 1.0, -1.0)
    alpha = ratio * np.abs(X.T @ (y - y.mean())).max() / len(y)
    solution = tw.solve(
        X, y, loss="squared", penalty="l1", alpha=alpha, tol=1e-7, return_theta=True
    )
    assert solution.status == "converged"
    residual = y - X @ solution.coef - solution.intercept
    primal = 0.5 * np.mean(residual**2) + alpha * np.abs(solution.coef).sum()
    theta = solution.certificate.theta
    assert abs(theta.mean()) < 1e-12
    assert np.abs(X.T @ theta).max() / len(y) <= alpha * (1 + 1e-10)
    dual = np.mean(theta * y) - 0.5 * np.mean(theta**2)
    assert solution.certificate.primal == pytest.approx(primal, rel=1e-10)
    assert solution.certificate.value == pytest.approx(primal - dual, rel=1e-4, abs=1e-12)
    assert primal - dual <= 1e-7 * 0.5 * y.var() * (1 + 1e-6)


@pytest.mark.parametrize("name", ["golub_leukemia", "eyedata"])
def test_path(load, name):
    X, y, _ = load(name)
    X, y = np.asfortranarray(X, dtype=np.float64), target(y)
    path = tw.solve_path(X, y, loss="squared", penalty="l1", alphas=20, tol=1e-6)
    scale = 0.5 * y.var()
    for alpha, solution in zip(path.alphas, path, strict=True):
        problem = Problem(X, y, tw.losses.resolve("squared"), PENALTIES[0], alpha)
        assert solution.status == "converged"
        assert duality_gap(problem, solution.coef, solution.intercept) <= 1e-4 * scale


def test_polynomial_features(load):
    from sklearn.preprocessing import PolynomialFeatures

    X, y, _ = load("california")
    X = PolynomialFeatures(2, include_bias=False).fit_transform(np.asarray(X, dtype=np.float64))
    problem = Problem(
        np.asfortranarray(X),
        target(y),
        tw.losses.resolve("squared"),
        PENALTIES[0],
        0.0,
        standardize=True,
    )
    problem = replace(problem, alpha=0.01 * problem.null_slope())
    check_solution(problem, solve(problem, tol=1e-7, max_iter=2000, max_time=10.0), 1e-7)
