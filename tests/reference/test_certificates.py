"""What a result says of itself: bounds at the start, at the rounding floor and out of time."""

import numpy as np
import pytest

import thalweg as tw
from support import catalogue

SOLVERS = [entry.name for entry in tw.catalog()["solver"].values()]
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


@pytest.mark.parametrize(("solver", "loss", "penalty"), COMBINATIONS)
def test_rounding_floor_ends_a_solve_without_tolerance(solver, loss, penalty):
    X, y = _problem()
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
