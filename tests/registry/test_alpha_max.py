"""The smallest strength at which zero solves: at it and not just below it."""

from dataclasses import replace

import numpy as np
import pytest

from support import catalogue, data
from support.certificate import Problem
from support.checkers import check_solution, solve
from thalweg import _core
from thalweg._validation import read_data, read_penalty

CASES = [
    pytest.param(loss, penalty, setting, features, id=f"{loss}-{penalty}-{setting}-{features}")
    for loss in catalogue.SCALAR_LOSSES
    if catalogue.flag("loss", loss, "quadratic")
    for penalty, setting in catalogue.penalty_settings()
    for features in ("plain", "weights", "positive", "box", "weights and positive")
]


def alpha_max(problem):
    read = read_data(problem.X, problem.y, problem.sample_weight, problem.offset)
    (alpha,) = _core.alpha_max(
        read.design,
        read.y,
        weights=read.sample_weight,
        offset=read.offset,
        loss=problem.loss.entry.name,
        penalty=read_penalty(problem.penalty, read.n_features, []),
        fit_intercept=problem.fit_intercept,
        standardize=problem.standardize,
    )
    return alpha


def penalized(problem):
    weights = problem.penalty.weights
    return np.ones(problem.X.shape[1], bool) if weights is None else np.asarray(weights) > 0


@pytest.mark.parametrize("options", [0, 1, 2, 3])
@pytest.mark.parametrize(("loss", "penalty", "setting", "features"), CASES)
def test_zero_solves_at_alpha_max_and_not_below(loss, penalty, setting, features, options):
    rng = np.random.default_rng(5)
    X, y = data.numbers("tall", "plain", 5)
    problem = Problem(
        data.stored(X, data.STORAGES[4 * options % len(data.STORAGES)]),
        y,
        catalogue.loss_handle(loss),
        catalogue.penalty_handle(
            penalty, **setting, **catalogue.feature_options(features, X.shape[1], rng)
        ),
        0.0,
        fit_intercept=options != 1,
        standardize=options == 2,
        sample_weight=rng.uniform(0.5, 2.0, len(y)) if options == 3 else None,
    )
    alpha = alpha_max(problem)
    if np.isinf(alpha):
        flags = problem.penalty.entry.flags
        sparse_at = [value for value in problem.penalty.parameters.values() if value == 0.0]
        assert not flags["has_alpha_max"] or sparse_at
        return
    assert problem.penalty.entry.flags["has_alpha_max"]
    inside = penalized(problem)
    at = replace(problem, alpha=alpha * (1 + 1e-9))
    solution = solve(at, tol=1e-10)
    check_solution(at, solution, 1e-10)
    assert not solution.coef[inside].any()
    below = replace(problem, alpha=0.98 * alpha)
    solution = solve(below, tol=1e-10)
    check_solution(below, solution, 1e-10)
    assert solution.coef[inside].any()


QUADRATIC = [row for row in catalogue.SUITED if catalogue.flag("loss", row.loss, "quadratic")]


@pytest.mark.parametrize(
    ("loss", "penalty"), catalogue.combination_cases("loss", "penalty", rows=QUADRATIC)
)
def test_a_constant_target_needs_no_strength(loss, penalty):
    X, _ = data.numbers("tall", "plain", 0)
    problem = Problem(
        X,
        np.full(len(X), 2.5),
        catalogue.loss_handle(loss),
        catalogue.penalty_handle(penalty),
        alpha=0.1,
    )
    assert alpha_max(problem) <= 1e-14
    solution = solve(problem, tol=1e-10)
    check_solution(problem, solution, 1e-10)
    assert not solution.coef.any()
    assert solution.intercept == pytest.approx(2.5, rel=1e-15)


SMOOTH = [
    loss
    for loss in catalogue.SCALAR_LOSSES
    if catalogue.flag("loss", loss, "smooth")
    and catalogue.flag("loss", loss, "convex")
    and not catalogue.flag("loss", loss, "quadratic")
]
# Nothing but a strength times |w_j|; and a penalty without a corner at zero.
ABSOLUTE = next(
    name
    for name in catalogue.CATALOG["penalty"]
    if catalogue.flag("penalty", name, "has_alpha_max")
    and not catalogue.flag("penalty", name, "strongly_convex")
)
ROUND = next(
    name
    for name in catalogue.CATALOG["penalty"]
    if not catalogue.flag("penalty", name, "has_alpha_max")
)


def largest_slope(problem, eta, columns):
    slope = problem.columns.T @ (problem.weights * problem.loss_slope(eta)) / problem.scale
    return np.abs(slope[columns]).max()


@pytest.mark.parametrize("options", [0, 1, 2, 3])
@pytest.mark.parametrize("loss", SMOOTH)
def test_of_a_smooth_loss_it_is_the_largest_slope_without_columns(loss, options):
    rng = np.random.default_rng(7)
    X, y = data.numbers("tall", "plain", 7)
    problem = Problem(
        data.stored(X, data.STORAGES[4 * options % len(data.STORAGES)]),
        y,
        catalogue.loss_handle(loss),
        catalogue.penalty_handle(ABSOLUTE),
        0.0,
        fit_intercept=options != 1,
        standardize=options == 2,
        sample_weight=rng.uniform(0.5, 2.0, len(y)) if options == 3 else None,
    )
    expected = largest_slope(problem, problem.null_eta, slice(None))
    assert alpha_max(problem) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("loss", SMOOTH)
def test_unpenalized_columns_are_fitted_first(loss):
    X, y = data.numbers("tall", "plain", 7)
    free = [0, 3]
    weights = np.ones(X.shape[1])
    weights[free] = 0.0
    problem = Problem(
        X, y, catalogue.loss_handle(loss), catalogue.penalty_handle(ABSOLUTE, weights=weights), 0.0
    )
    alone = replace(problem, X=X[:, free], penalty=catalogue.penalty_handle(ROUND))
    solution = solve(alone, tol=1e-10)
    expected = largest_slope(problem, alone.eta(solution.coef, solution.intercept), weights > 0)
    assert alpha_max(problem) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "loss",
    [loss for loss in catalogue.SCALAR_LOSSES if not catalogue.flag("loss", loss, "smooth")],
)
def test_a_loss_with_kinks_has_none(loss):
    X, y = data.numbers("tall", "plain", 7)
    problem = Problem(X, y, catalogue.loss_handle(loss), catalogue.penalty_handle(ABSOLUTE), 0.0)
    with pytest.raises(ValueError, match=f"for '{loss}' give the alphas themselves"):
        alpha_max(problem)
