"""Paths: every strength is certified and agrees with a single cold fit."""

from dataclasses import replace

import numpy as np
import pytest

import thalweg as tw
from support import catalogue, data
from support.certificate import Problem
from support.checkers import check_equivalent, check_same, check_solution, solve

TOL = 1e-8
pytestmark = pytest.mark.parametrize(
    ("solver", "loss", "penalty"), catalogue.combination_cases("solver", "loss", "penalty")
)


def solve_path(problem, alphas, **options):
    return tw.solve_path(
        problem.X,
        problem.y,
        loss=problem.loss,
        penalty=problem.penalty,
        alphas=alphas,
        sample_weight=problem.sample_weight,
        fit_intercept=problem.fit_intercept,
        standardize=problem.standardize,
        return_theta=True,
        **options,
    )


@pytest.mark.parametrize("features", ["plain", "weights", "positive", "box"])
@pytest.mark.parametrize("shape", ["tall", "wide"])
def test_every_strength_is_certified_and_equals_a_cold_fit(solver, loss, penalty, shape, features):
    if features in ("positive", "box") and not catalogue.flag("solver", solver, "handles_bounds"):
        pytest.skip("keeps to no limits")
    X, y = data.numbers(shape, "plain", 11)
    options = catalogue.feature_options(features, X.shape[1], np.random.default_rng(0))
    if catalogue.flag("solver", solver, "needs_rows") and not np.all(options.get("weights", 1.0)):
        pytest.skip("needs a strength for every column")
    problem = Problem(
        X, y, catalogue.loss_handle(loss), catalogue.penalty_handle(penalty, **options), 0.0
    )
    alphas = problem.null_slope() * np.geomspace(1.0, 1e-2, 7)
    path = solve_path(problem, alphas, solver=solver, tol=TOL, max_iter=50_000)
    assert len(path) == len(alphas)
    np.testing.assert_array_equal(path.alphas, alphas)
    for alpha, solution in zip(alphas, path, strict=True):
        single = replace(problem, alpha=alpha)
        check_solution(single, solution, TOL)
        cold = solve(single, solver=solver, tol=TOL, max_iter=50_000)
        check_equivalent(single, solution, cold, TOL)
    np.testing.assert_array_equal(path.coefs[2], path[2].coef)
    assert path.intercepts.shape == (len(alphas),)


def test_strengths_come_out_sorted(solver, loss, penalty):
    X, y = data.numbers("tall", "plain", 1)
    problem = Problem(X, y, catalogue.loss_handle(loss), catalogue.penalty_handle(penalty), 0.0)
    up, down = [0.1, 0.2, 0.4], [0.4, 0.2, 0.1]
    first, second = (solve_path(problem, a, solver=solver, tol=TOL) for a in (up, down))
    np.testing.assert_array_equal(first.alphas, down)
    for a, b in zip(first, second, strict=True):
        check_same(a, b)


def test_automatic_grid_starts_at_zero_coefficients(solver, loss, penalty):
    X, y = data.numbers("tall", "plain", 2)
    problem = Problem(X, y, catalogue.loss_handle(loss), catalogue.penalty_handle(penalty), 0.0)
    if not problem.penalty.entry.flags["has_alpha_max"]:
        with pytest.raises(ValueError, match="Automatic alpha grid"):
            solve_path(problem, 5, solver=solver)
        return
    path = solve_path(problem, 5, eps=1e-2, solver=solver, tol=TOL)
    assert not path[0].coef.any()
    assert path[1].coef.any()
    assert path.alphas[-1] == pytest.approx(1e-2 * path.alphas[0])


def test_bits_do_not_depend_on_threads(solver, loss, penalty):
    X, y = data.threaded_problem(n_samples=500, n_features=700)
    problem = Problem(X, y, catalogue.loss_handle(loss), catalogue.penalty_handle(penalty), 0.0)
    alphas = problem.null_slope() * np.geomspace(1.0, 0.1, 4)
    paths = [
        solve_path(problem, alphas, solver=solver, tol=1e-6, max_iter=200, n_threads=n)
        for n in (1, 2)
    ]
    for one, two in zip(*paths, strict=True):
        check_same(one, two)


def test_a_callback_stops_the_path(solver, loss, penalty):
    X, y = data.numbers("tall", "plain", 2)
    problem = Problem(X, y, catalogue.loss_handle(loss), catalogue.penalty_handle(penalty), 0.0)
    alphas = problem.null_slope() * np.geomspace(0.5, 1e-2, 6)
    path = solve_path(
        problem, alphas, solver=solver, callbacks=[lambda info: info["alpha_index"] >= 2]
    )
    assert len(path) == 3
    assert path[-1].status in ("stopped", "converged")
    check_solution(replace(problem, alpha=alphas[0]), path[0], 1e-6)
    check_solution(replace(problem, alpha=alphas[2]), path[2])
