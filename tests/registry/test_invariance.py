"""What must not change a solution, and what must not change a single bit of it."""

from dataclasses import replace

import numpy as np
import pytest

import thalweg as tw
from support import catalogue, data
from support.certificate import Problem
from support.checkers import check_equivalent, check_optimal, check_same, check_solution, solve

TOL = 1e-10
COMBINATIONS = catalogue.combination_cases("solver", "loss", "penalty")
pytestmark = pytest.mark.parametrize(("solver", "loss", "penalty"), COMBINATIONS)


def make(loss, penalty, seed=3, *, shape="tall", storage="dense F float64", ratio=0.05, **options):
    X, y = data.numbers(shape, "plain", seed)
    problem = Problem(
        data.stored(X, storage),
        y,
        catalogue.loss_handle(loss),
        catalogue.penalty_handle(penalty),
        0.0,
        **options,
    )
    return replace(problem, alpha=ratio * problem.null_slope())


def fit(problem, solver, **options):
    solution = solve(problem, solver=solver, tol=TOL, max_iter=100_000, **options)
    check_solution(problem, solution, TOL)
    return solution


def require_quadratic(loss):
    if not catalogue.CATALOG["loss"][loss].flags["quadratic"]:
        pytest.skip("not quadratic")


@pytest.mark.parametrize("storage", ["dense F float64", "dense C float64", "csc float64 int32"])
def test_integer_weights_are_repeated_rows(solver, loss, penalty, storage, seed):
    weights = np.random.default_rng(seed).integers(0, 4, 60)
    weighted = make(loss, penalty, seed, storage=storage, sample_weight=weights.astype(float))
    repeated = replace(
        weighted,
        X=data.stored(np.repeat(weighted.dense, weights, axis=0), storage),
        y=np.repeat(weighted.y, weights),
        sample_weight=None,
    )
    check_equivalent(repeated, fit(weighted, solver), fit(repeated, solver), TOL)


@pytest.mark.parametrize("standardize", [False, True])
def test_zero_weights_are_removed_rows(solver, loss, penalty, standardize, seed):
    keep = np.random.default_rng(seed).random(60) < 0.7
    weighted = make(loss, penalty, seed, sample_weight=1.0 * keep, standardize=standardize)
    X = weighted.X.copy()
    X[~keep] = 1e8  # must not be seen
    weighted = replace(weighted, X=X)
    removed = replace(weighted, X=X[keep], y=weighted.y[keep], sample_weight=None)
    check_equivalent(removed, fit(weighted, solver), fit(removed, solver), TOL)


def test_only_ratios_of_weights_matter(solver, loss, penalty):
    weights = np.random.default_rng(0).uniform(0.5, 2.0, 60)
    problem = make(loss, penalty, sample_weight=weights)
    scaled = replace(problem, sample_weight=1e3 * weights)
    check_equivalent(problem, fit(problem, solver), fit(scaled, solver), TOL)


@pytest.mark.parametrize("factor", [1e-18, 1e-9, 1e18])
def test_units_of_the_data_do_not_change_coefficients(solver, loss, penalty, factor):
    require_quadratic(loss)  # others have units of their own
    problem = make(loss, penalty)
    scaled = replace(
        problem, X=factor * problem.X, y=factor * problem.y, alpha=factor**2 * problem.alpha
    )
    solution = fit(scaled, solver)
    check_optimal(problem, solution.state.coef, solution.state.intercept / factor, TOL)


@pytest.mark.parametrize("factor", [1e-18, 1e-9, 1e18])
def test_units_of_the_target_are_those_of_coefficients(solver, loss, penalty, factor):
    require_quadratic(loss)
    problem = make(loss, penalty, ratio=0.0)
    scaled = fit(replace(problem, y=factor * problem.y), solver)
    plain = fit(problem, solver)
    atol = 1e-4 * np.abs(plain.coef).max()
    np.testing.assert_allclose(scaled.coef / factor, plain.coef, atol=atol)


def test_intercept_absorbs_a_shift_of_the_target(solver, loss, penalty):
    require_quadratic(loss)
    problem = make(loss, penalty)
    # As small as 1e-9 of its mean, and exactly so.
    y = 1.0 + np.ldexp(np.round(np.ldexp(problem.y, 20)), -50)
    shifted, plain = replace(problem, y=y), replace(problem, y=y - 1.0)
    shifted, plain = (replace(each, alpha=2.0**-30 * problem.alpha) for each in (shifted, plain))
    solution = fit(shifted, solver)
    assert solution.certificate.relative <= TOL
    check_optimal(plain, solution.coef, solution.intercept - 1.0, 1e-5)


@pytest.mark.parametrize("shape", ["tall", "wide"])
def test_columns_in_another_order(solver, loss, penalty, shape, seed):
    problem = make(loss, penalty, seed, shape=shape)
    order = np.random.default_rng(seed).permutation(problem.X.shape[1])
    permuted = replace(problem, X=np.asfortranarray(problem.X[:, order]))
    coef = np.empty(len(order))
    solution = fit(permuted, solver)
    coef[order] = solution.coef
    check_optimal(problem, coef, solution.intercept, TOL, solution.certificate.theta)


def test_offset_is_part_of_the_prediction(solver, loss, penalty):
    require_quadratic(loss)  # of others the target does not tell from the prediction
    problem = make(loss, penalty)
    known = problem.X[:, 2] * 0.7
    shifted = replace(problem, offset=known)
    plain = replace(problem, y=problem.y - known)
    check_equivalent(plain, fit(shifted, solver), fit(plain, solver), TOL)


def test_intercept_absorbs_a_shift_of_the_columns(solver, loss, penalty):
    problem = make(loss, penalty)
    shifted = replace(problem, X=problem.X + 5.0)
    first, second = fit(problem, solver), fit(shifted, solver)
    moved = second.intercept + 5.0 * second.coef.sum()
    check_optimal(problem, second.coef, moved, TOL, second.certificate.theta)
    moved = first.intercept - 5.0 * first.coef.sum()
    check_optimal(shifted, first.coef, moved, TOL, first.certificate.theta)


def test_standardize_ignores_units(solver, loss, penalty):
    problem = make(loss, penalty, standardize=True)
    units = 10.0 ** np.random.default_rng(0).integers(-4, 5, problem.X.shape[1])
    scaled = replace(problem, X=problem.X * units)
    solution = fit(scaled, solver)
    theta = solution.certificate.theta
    check_optimal(problem, solution.coef * units, solution.intercept, TOL, theta)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_dense_equals_sparse(solver, loss, penalty, dtype):
    problem = make(loss, penalty, storage=f"dense F {dtype}")
    reference = fit(problem, solver)
    for storage in (f"dense C {dtype}", f"csc {dtype} int32", f"csr {dtype} int64"):
        other = replace(problem, X=data.stored(problem.dense, storage))
        check_equivalent(problem, reference, fit(other, solver), TOL)


@pytest.mark.parametrize("kind", ["dense F", "dense C", "csc"])
def test_bits_do_not_depend_on_threads_or_repetition(solver, loss, penalty, kind):
    X, y = data.threaded_problem(n_samples=700, n_features=500)
    storage = f"{kind} float64" + (" int32" if kind == "csc" else "")
    weights = np.random.default_rng(1).uniform(0.5, 1.5, len(y))
    problem = Problem(
        data.stored(X, storage),
        y,
        catalogue.loss_handle(loss),
        catalogue.penalty_handle(penalty),
        0.0,
        sample_weight=weights,
    )
    problem = replace(problem, alpha=0.05 * problem.null_slope())
    solutions = [
        solve(problem, solver=solver, tol=1e-7, max_iter=300, n_threads=n) for n in (1, 2, 2)
    ]
    check_solution(problem, solutions[0])
    for other in solutions[1:]:
        check_same(solutions[0], other)


@pytest.mark.parametrize(("n_targets", "weighted"), [(1, False), (8, True)])
def test_bits_of_a_far_solution_do_not_depend_on_threads(
    solver, loss, penalty, weighted, n_targets
):
    # On p <= n < 4 p all columns are swept at once; several targets share the memory for copies of
    # C-ordered columns, so that most of them are staged.
    require_quadratic(loss)
    X, y = data.threaded_problem(n_samples=1300, n_features=1100)
    rng = np.random.default_rng(2)
    targets = y[:, np.newaxis] + rng.standard_normal((len(y), n_targets))
    arguments = {
        "loss": catalogue.loss_handle(loss),
        "penalty": catalogue.penalty_handle(penalty),
        "alpha": 1e-4,
        "sample_weight": rng.uniform(0.5, 1.5, len(y)) if weighted else None,
        "solver": solver,
        "tol": 1e-3,
        "max_iter": 20,
    }
    solutions = [tw.solve(X, targets, **arguments, n_threads=n) for n in (1, 2)]
    check_same(*solutions)
