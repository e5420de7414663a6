"""Columns that once broke a solver or the certificate: for every combination, several draws."""

import inspect
from dataclasses import replace

import numpy as np
import pytest

import thalweg as tw
from support import catalogue, data
from support.certificate import Problem
from support.checkers import check_solution, solve

DRAWS = range(12)
# Of quadratic problems: what is rounding, and what may be a bound, is known of them only.
ROWS = [row for row in catalogue.SUITED if catalogue.flag("loss", row.loss, "quadratic")]
pytestmark = pytest.mark.parametrize(
    ("solver", "loss", "penalty"),
    catalogue.combination_cases("solver", "loss", "penalty", rows=ROWS),
)


def problems(loss, penalty, shape, columns, features, ratio):
    for draw in DRAWS:
        X, y = data.numbers(shape, columns, draw)
        rng = np.random.default_rng(draw)
        options = catalogue.feature_options(features, X.shape[1], rng)
        problem = Problem(
            X,
            y,
            catalogue.loss_handle(loss),
            catalogue.penalty_handle(penalty, **options),
            0.0,
            sample_weight=rng.integers(0, 3, len(y)) if draw % 2 else None,
            standardize=draw % 3 == 0,
        )
        yield replace(problem, alpha=ratio * problem.null_slope())


def check_all(solver, cases, tol):
    for problem in cases:
        if not catalogue.keeps_limits(solver, vars(problem.penalty)):
            pytest.skip("keeps to no limits")
        solution = solve(problem, solver=solver, tol=1e-6, max_iter=3000)
        # Whatever a solver does, it never gets worse than where it started.
        lower, upper = problem.limits
        start = problem.objective(np.clip(np.zeros(len(lower)), lower, upper), 0.0)
        assert solution.certificate.primal <= start * (1 + 1e-9)
        check_solution(problem, solution, tol)


@pytest.mark.parametrize("features", ["positive", "weights and positive", "box", "plain"])
@pytest.mark.parametrize("shape", ["tall", "wide"])
@pytest.mark.parametrize("ratio", [0.0, 1e-6])
def test_dependent_columns_without_strength(solver, loss, penalty, shape, features, ratio):
    default = inspect.signature(tw.solve).parameters["solver"].default
    tol = 1e-6 if solver == default else None
    check_all(solver, problems(loss, penalty, shape, "collinear", features, ratio), tol)


@pytest.mark.parametrize("ratio", [0.0, 0.1])
def test_large_means_with_unpenalized_columns(solver, loss, penalty, ratio):
    check_all(solver, problems(loss, penalty, "tall", "large mean", "weights", ratio), 1e-6)


@pytest.mark.parametrize("mean", [1e4, 1e6])
@pytest.mark.parametrize("shape", ["tall", "wide"])
@pytest.mark.parametrize("storage", data.STORAGES)
def test_means_far_above_the_spread(solver, loss, penalty, shape, storage, mean):
    # What float32 leaves of the spread at such a mean is the data.
    X, y = data.numbers(shape, "plain", 0)
    X = data.stored(X + mean, storage)
    problem = Problem(
        X,
        y,
        catalogue.loss_handle(loss),
        catalogue.penalty_handle(penalty),
        0.0,
    )
    check_all(solver, [replace(problem, alpha=0.1 * problem.null_slope())], 1e-6)


def test_constant_columns_that_nothing_penalizes(solver, loss, penalty):
    check_all(solver, problems(loss, penalty, "tall", "constant", "weights", 0.1), 1e-6)
