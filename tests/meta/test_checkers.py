"""Broken specimens: every checker of the tests must reject them, and accept the sound one."""

from dataclasses import replace

import numpy as np
import pytest

import thalweg as tw
from support import catalogue, checkers, data
from support.certificate import Problem, ascend, duality_gap
from support.formula import evaluate, translate

TOL = 1e-8


# What has a duality gap; the last test is for other certificates.
CERTIFIED = [row for row in catalogue.SUITED if catalogue.flag("loss", row.loss, "convex")]


@pytest.fixture(
    params=[c.values for c in catalogue.combination_cases("loss", "penalty", rows=CERTIFIED)]
)
def problem(request):
    loss, penalty = request.param
    X, y = data.threaded_problem(n_samples=60, n_features=25)
    problem = Problem(X, y, catalogue.loss_handle(loss), catalogue.penalty_handle(penalty), 0.0)
    return replace(problem, alpha=0.05 * problem.null_slope())


@pytest.fixture
def solution(problem):
    solution = checkers.solve(problem, tol=TOL)
    checkers.check_solution(problem, solution, TOL)
    return solution


def with_coef(solution, coef):
    state = tw.solution.State(coef, solution.state.intercept)
    return replace(solution, coef=coef, state=state)


BROKEN = {
    "a changed coefficient": lambda s: with_coef(s, s.coef + 1e-5),
    "a wrong threshold": lambda s: with_coef(s, np.sign(s.coef) * (np.abs(s.coef) + 1e-3)),
    "a flipped gradient": lambda s: with_coef(s, -s.coef),
    "no solution at all": lambda s: with_coef(s, 0 * s.coef),
    "not a number": lambda s: with_coef(s, s.coef * np.nan),
    "a shifted intercept": lambda s: replace(
        s, state=tw.solution.State(s.state.coef, s.state.intercept + 1e-3)
    ),
    "a smaller gap": lambda s: certificate(s, value=0.1 * s.certificate.value - 1e-9),
    "a negative gap": lambda s: certificate(s, value=-1.0),
    "another primal": lambda s: certificate(s, primal=s.certificate.primal * (1 + 1e-8)),
    "another dual": lambda s: certificate(s, dual=s.certificate.dual - 1e-6),
    "another dual point": lambda s: certificate(s, theta=0.9 * s.certificate.theta),
    "a flipped dual point": lambda s: certificate(s, theta=-s.certificate.theta),
    "no dual point": lambda s: certificate(s, theta=None),
    "another scale": lambda s: certificate(s, relative=2 * s.certificate.relative + 1e-9),
    "an early stop": lambda s: replace(s, status="max_iter"),
    "another precision": lambda s: replace(s, coef=s.coef.astype(np.float32)),
}


def certificate(solution, **changes):
    return replace(solution, certificate=replace(solution.certificate, **changes))


@pytest.mark.parametrize("how", BROKEN)
def test_broken_solutions_are_rejected(problem, solution, how):
    with pytest.raises(AssertionError):
        checkers.check_solution(problem, BROKEN[how](solution), TOL)


def test_an_early_stop_is_rejected(problem):
    early = checkers.solve(problem, max_iter=0)
    checkers.check_solution(problem, early)
    with pytest.raises(AssertionError):
        checkers.check_solution(problem, replace(early, status="converged"), 1e-14)
    with pytest.raises(AssertionError):
        checkers.check_optimal(problem, early.coef, early.intercept, 1e-14)


@pytest.mark.parametrize("size", [1e-3, -1e-3])
def test_a_wrong_point_is_not_optimal(problem, solution, size):
    checkers.check_optimal(problem, solution.coef, solution.intercept, TOL)
    with pytest.raises(AssertionError):
        checkers.check_optimal(problem, solution.coef + size, solution.intercept, TOL)
    with pytest.raises(AssertionError):
        checkers.check_optimal(problem, solution.coef, solution.intercept + 10 * size, TOL)


def test_limits_are_checked(problem, solution):
    upper = float(np.sort(solution.coef)[-1])
    name = problem.penalty.entry.name
    limited = replace(problem, penalty=catalogue.penalty_handle(name, upper=upper - 1e-12))
    with pytest.raises(AssertionError, match="above"):
        checkers.check_limits(limited, solution.coef)
    limited = replace(problem, penalty=catalogue.penalty_handle(name, upper=upper))
    checkers.check_limits(limited, solution.coef)


def test_different_solutions_are_not_the_same(problem, solution):
    checkers.check_same(solution, solution)
    other = with_coef(solution, np.nextafter(solution.coef, 1.0))
    with pytest.raises(AssertionError):
        checkers.check_same(solution, other)
    with pytest.raises(AssertionError):
        checkers.check_equivalent(problem, solution, with_coef(solution, solution.coef + 0.1), TOL)


@pytest.mark.parametrize("loss", catalogue.SCALAR_LOSSES)
def test_flipped_gradients_are_rejected(loss, rng):
    eta = rng.standard_normal(50)
    problem = Problem(
        np.ones((50, 1)), rng.standard_normal(50), catalogue.loss_handle(loss), None, 0.0
    )
    checkers.check_gradient(problem.loss_at, problem.loss_slope, eta)
    for wrong in (
        lambda eta: -problem.loss_slope(eta),
        lambda eta: problem.loss_slope(eta) * (1 + 1e-4),
        lambda eta: problem.loss_slope(eta) + 1e-4,
    ):
        with pytest.raises(AssertionError):
            checkers.check_gradient(problem.loss_at, wrong, eta)


@pytest.mark.parametrize("loss", catalogue.SCALAR_SMOOTH_LOSSES)
def test_what_rounds_is_of_rows_that_count(loss, rng):
    X, keep = rng.standard_normal((50, 3)), np.arange(50) % 4 > 0
    loss_of = catalogue.loss_handle(loss)
    y = catalogue.targets(loss_of, rng.standard_normal(50))
    far = np.where(keep[:, None], X, 400.0)  # the slope of exp is finite there, its square is not
    penalty = next(row.penalty for row in catalogue.SUITED if row.loss == loss)
    handles = loss_of, catalogue.penalty_handle(penalty), 0.1
    weighted = Problem(far, y, *handles, sample_weight=1.0 * keep)
    kept = Problem(X[keep], y[keep], *handles)
    for coef in (np.full(3, 0.5), np.full(3, -0.5)):
        np.testing.assert_allclose(weighted.rounding(coef, 0.1), kept.rounding(coef, 0.1), rtol=0.5)


def test_two_independent_certificates_agree(problem, solution):
    """The package's own checks, written by others with closed forms, find the same gap."""
    if not problem.loss.entry.flags["quadratic"]:
        pytest.skip("the package's own checks are of squared losses")
    own = duality_gap(problem, solution.coef, solution.intercept)
    terms = problem.terms(np.ones(25))[0], problem.terms(2 * np.ones(25))[0]
    l2 = terms[1] - 2 * terms[0]  # a |w| + b w^2 / 2 at w = 1 and w = 2
    l1 = terms[0] - l2 / 2
    theirs = tw.checks.duality_gap(
        problem.X,
        problem.y,
        solution.coef,
        solution.intercept,
        alpha=l1 + l2,
        l1_ratio=l1 / (l1 + l2),
    )
    rounding = problem.rounding(solution.coef, solution.intercept)
    assert own == pytest.approx(theirs.gap, rel=1e-4, abs=10 * rounding)
    assert problem.objective(solution.coef, solution.intercept) == pytest.approx(theirs.primal)


def test_constant_features_have_the_scale_one(rng):
    X = rng.standard_normal((40, 4))
    X[:, 1] = 0.1
    y, coef = rng.standard_normal(40), np.array([1.0, -2.0, 3.0, 4.0])
    settings = {"standardize": True, "sample_weight": rng.random(40)}
    with_penalty, without = (
        tw.checks.objective(X, y, coef, alpha=alpha, **settings) for alpha in (1.0, 0.0)
    )
    problem = Problem(X, y, None, None, 1.0, **settings)
    assert problem.scale[1] == 1.0
    assert with_penalty - without == pytest.approx(problem.scale @ np.abs(coef))
    root = np.sqrt(problem.weights)[:, None]
    free = np.column_stack([X[:, [0, 2, 3]], np.ones(40)])
    a, _, c, d, intercept = np.insert(np.linalg.lstsq(root * free, root[:, 0] * y)[0], 1, 0.0)
    solution = np.array([a, 0.0, c, d])
    assert tw.checks.kkt_residual(X, y, solution, intercept, alpha=0.0, **settings) < 1e-12
    assert tw.checks.duality_gap(X, y, solution, intercept, alpha=0.0, **settings).gap < 1e-12


def test_the_search_finds_suprema():
    slope = np.array([0.0, 1.0, -3.0, 1e-8, 1e8])
    best = ascend(lambda step: slope * step - step**2 / 2, 5)
    np.testing.assert_allclose(best, slope**2 / 2, rtol=1e-14)
    kink = ascend(lambda step: 0.5 * step - np.abs(step - 1.0) + 1.0, 1)
    np.testing.assert_allclose(kink, [1.5], rtol=1e-12)


def test_formulas_are_read_as_they_are_written():
    assert translate("1/2 (y - eta)^2") == "1 / 2 * ( y - eta ) ** 2"
    assert translate("sum_j weight_j |w_j|") == "weight_j * abs( w_j )"
    value = evaluate("log(1 + exp(-y eta)) + |2 a|", y=1.0, eta=0.0, a=-3.0)
    assert value == pytest.approx(np.log(2.0) + 6.0)


def test_pairs_are_all_covered():
    axes = {"a": [0, 1, 2], "b": [0, 1], "c": [0, 1, 2, 3]}
    rows = catalogue.pairwise(axes)
    for first, second in (("a", "b"), ("a", "c"), ("b", "c")):
        pairs = {(row[first], row[second]) for row in rows}
        assert len(pairs) == len(axes[first]) * len(axes[second])
    assert len(rows) <= 16
    assert rows == catalogue.pairwise(axes)


@pytest.mark.parametrize("loss", catalogue.SCALAR_SMOOTH_LOSSES)
def test_wrong_violations_are_rejected(loss):
    X, y = data.threaded_problem(n_samples=200, n_features=5)
    row = next(row for row in catalogue.SUITED if row.loss == loss)
    problem = Problem(X, y, catalogue.loss_handle(loss), catalogue.penalty_handle(row.penalty), 0.0)
    solution = checkers.solve(problem, max_iter=1, solver=row.solver)
    if solution.certificate.kind != "kkt":  # a quadratic loss has a gap without a penalty
        return
    checkers.check_solution(problem, solution)
    wrong = certificate(solution, value=0.5 * solution.certificate.value - 1e-9)
    with pytest.raises(AssertionError):
        checkers.check_solution(problem, wrong)
