"""When a solve ends: at once at a solution, after max_iter, on demand, or with an error."""

from dataclasses import replace

import numpy as np
import pytest

import thalweg as tw
from support import catalogue, data
from support.certificate import Problem
from support.checkers import check_same, check_solution, solve

TOL = 1e-8
COMBINATIONS = catalogue.combination_cases("solver", "loss", "penalty")
pytestmark = pytest.mark.parametrize(("solver", "loss", "penalty"), COMBINATIONS)


@pytest.fixture
def problem(loss, penalty):
    X, y = data.threaded_problem(n_samples=80, n_features=50)
    problem = Problem(
        X, y, catalogue.loss_handle(loss), catalogue.penalty_handle(penalty), alpha=0.0
    )
    return replace(problem, alpha=0.02 * problem.null_slope())


def require_limits(solver):
    if not catalogue.flag("solver", solver, "handles_bounds"):
        pytest.skip("keeps to no limits")


@pytest.mark.parametrize("tol", [1e-3, 1e-6, 1e-9, 1e-12])
def test_warm_start_at_the_solution_stops_at_once(problem, solver, tol):
    first = solve(problem, solver=solver, tol=tol)
    check_solution(problem, first, tol)
    again = solve(problem, solver=solver, tol=tol * 1.01, state=first.state)
    check_solution(problem, again, tol * 1.01)
    assert again.report.n_iter == 0
    assert again.report.n_epochs == 0
    np.testing.assert_array_equal(again.state.coef, first.state.coef)


def test_warm_start_anywhere_reaches_the_solution(problem, solver, seed):
    rng = np.random.default_rng(seed)
    state = tw.solution.State(rng.standard_normal(problem.X.shape[1]), 3.0)
    solution = solve(problem, solver=solver, tol=TOL, state=state, max_iter=50_000)
    check_solution(problem, solution, TOL)


def test_warm_start_outside_the_limits_is_moved_into_them(problem, solver):
    require_limits(solver)
    name = problem.penalty.entry.name
    positive = replace(problem, penalty=catalogue.penalty_handle(name, positive=True))
    state = tw.solution.State(np.full(problem.X.shape[1], -1.0), 0.0)
    solution = solve(positive, solver=solver, tol=TOL, state=state, max_iter=0)
    check_solution(positive, solution)
    check_solution(positive, solve(positive, solver=solver, tol=TOL, state=state), TOL)


def test_no_iterations_certify_the_start(problem, solver):
    solution = solve(problem, solver=solver, tol=TOL, max_iter=0)
    check_solution(problem, solution)
    assert solution.status == "max_iter"
    assert not solution.coef.any()
    assert solution.report.n_epochs == 0


@pytest.mark.parametrize("max_iter", [1, 2, 7])
def test_max_iter_bounds_the_passes(problem, solver, max_iter):
    solution = solve(problem, solver=solver, tol=0.0, max_iter=max_iter)
    check_solution(problem, solution)
    assert solution.status in ("max_iter", "converged", "stalled")
    assert solution.report.n_epochs <= max_iter


@pytest.mark.parametrize("max_iter", [3, 15, 40])
def test_max_iter_bounds_the_passes_on_a_large_support(loss, penalty, solver, max_iter):
    X, y = data.threaded_problem(n_samples=400, n_features=350)
    loss, penalty = catalogue.loss_handle(loss), catalogue.penalty_handle(penalty)
    problem = Problem(X, y, loss, penalty, alpha=0.0)
    problem = replace(problem, alpha=1e-4 * problem.null_slope())
    solution = solve(problem, solver=solver, tol=0.0, max_iter=max_iter)
    assert solution.report.n_epochs <= max_iter


def test_tolerance_zero_ends(problem, solver):
    solution = solve(problem, solver=solver, tol=0.0, max_iter=5000)
    check_solution(problem, solution)
    rounding = problem.rounding(solution.coef, solution.intercept)
    assert solution.certificate.value <= 10 * rounding


def test_max_time_zero_certifies_the_start(problem, solver):
    solution = solve(problem, solver=solver, tol=0.0, max_time=0.0)
    assert solution.status == "time_limit"
    assert np.isfinite(solution.coef).all()


@pytest.mark.parametrize("last", [0, 1])
def test_callback_observes_and_stops(problem, solver, last):
    seen = []

    def stop(info):
        seen.append(info)
        return info["iteration"] >= last

    solution = solve(problem, solver=solver, tol=1e-14, callbacks=[stop])
    check_solution(problem, solution)
    assert [info["iteration"] for info in seen] == list(range(last + 1))
    assert {info["alpha"] for info in seen} == {problem.alpha}
    assert solution.report.n_iter == last
    if last == 0:
        assert solution.status == "stopped"
        assert not solution.coef.any()


def test_callbacks_do_not_change_the_solution(problem, solver):
    plain = solve(problem, solver=solver, tol=TOL)
    check_same(plain, solve(problem, solver=solver, tol=TOL, callbacks=[lambda _: False]))


def test_trace_is_consistent(problem, solver):
    solution = solve(problem, solver=solver, tol=TOL)
    trace = solution.report.trace
    lengths = {len(values) for values in trace.values()}
    assert lengths == {solution.report.n_iter + 1}
    assert trace["certificate"][-1] == solution.certificate.value
    assert trace["objective"][-1] == solution.certificate.primal
    assert trace["support"][-1] == np.count_nonzero(solution.coef)
    assert (np.diff(trace["time"]) >= 0).all()


@pytest.mark.parametrize("shape", [(900, 60), (60, 900)], ids=["tall", "wide"])
def test_every_iteration_is_reported_once(loss, penalty, solver, shape):
    # Tall: evaluated from second moments. Wide: screened. Both are confirmed at the end.
    n, p = shape
    X, y = data.threaded_problem(n_samples=n, n_features=p)
    seen = []

    def record(info):
        seen.append((info["alpha_index"], info["iteration"], info["objective"]))

    path = tw.solve_path(
        X,
        catalogue.targets(catalogue.loss_handle(loss), y),
        loss=catalogue.loss_handle(loss),
        penalty=catalogue.penalty_handle(penalty),
        alphas=np.geomspace(10, 0.01, 30),
        solver=solver,
        tol=1e-9,
        callbacks=[record],
    )
    traces = [solution.report.trace["objective"] for solution in path]
    expected = [(a, k, value) for a, trace in enumerate(traces) for k, value in enumerate(trace)]
    assert seen == expected


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("storage", data.STORAGES)
def test_non_finite_designs_raise(problem, solver, storage, bad):
    X = np.array(problem.X)
    X[17, 5] = bad
    what = "NaN" if np.isnan(bad) else "infinity"
    with pytest.raises(ValueError, match=rf"X contains {what}.*row 17, column 5"):
        solve(replace(problem, X=data.stored(X, storage)), solver=solver)


def test_random_choices_follow_the_seed(problem, solver):
    options = catalogue.CATALOG["solver"][solver].parameters
    choices = [
        {p.name: value}
        for p in options
        if p.interval.startswith("{")
        for value in catalogue.interval_values(p.interval)
    ]
    for setting in choices or [{}]:
        handle = catalogue.solver_handle(solver, **setting)
        runs = [solve(problem, solver=handle, tol=TOL, random_state=s) for s in (0, 0, 1)]
        check_same(runs[0], runs[1])
        for run in runs:
            check_solution(problem, run, TOL)
