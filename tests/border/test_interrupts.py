"""Ctrl-C, time limits, exceptions of callbacks and the one warning.

How long a stop takes is measured by ``bench/interrupts.py``; here are a bound that a loaded machine
keeps, and what must be true after a stop in each phase.
"""

import functools
import itertools
import signal
import sys
import time
import warnings
from dataclasses import replace

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import thalweg as tw
from support import catalogue, data, estimators
from support.certificate import Problem
from support.checkers import check_solution, solve
from thalweg import _core, _validation

NAMES = catalogue.any_combination()
needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="signals")

INTERRUPT = """
    import signal, sys, threading, time
    import numpy as np
    import thalweg as tw

    what, when, loss, penalty = sys.argv[1:]
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.standard_normal((2000, 3000)) + 3.0 * rng.standard_normal((2000, 1)))
    y = X[:, :800] @ rng.standard_normal(800) + rng.standard_normal(2000)
    tw.solve(X[:5, :2], y[:5], loss=loss, penalty=penalty, alpha=1.0)  # imports come before
    tw.linear_model.LassoCV().fit(X[:9, :2], y[:9])
    sent = []

    def interrupt():
        time.sleep(float(when))
        sent.append(time.perf_counter())
        signal.raise_signal(signal.SIGINT)

    if what == "solve":
        run = lambda: tw.solve(X, y, loss=loss, penalty=penalty, alpha=1e-9, tol=0, max_iter=10**8)
    else:
        model = getattr(tw.linear_model, what)(tol=0, max_iter=10**8)
        model.set_params(**({"alpha": 1e-9} if hasattr(model, "alpha") else {"eps": 1e-9}))
        run = lambda: model.fit(X, y)
    try:
        threading.Thread(target=interrupt, daemon=True).start()
        run()
    except KeyboardInterrupt as error:
        delay = time.perf_counter() - sent[0]
        started = hasattr(error, "solution") or hasattr(globals().get("model"), "coef_")
        if not started:  # no iterate yet: on the way into the core, or before the grid of strengths
            print(delay, "early")
            sys.exit()
        if what == "solve":
            solution = error.solution
            coef, certificate, status = solution.coef, solution.certificate, solution.status
        else:
            coef, certificate, status = model.coef_, model.certificate_, model.report_.status
            model.predict(X[:5])
        assert np.isfinite(coef).all() and coef.shape == (3000,)
        assert np.isfinite(certificate.primal)
        print(delay, status)
"""


@needs_signals
@pytest.mark.parametrize("when", ["0.02", "0.3"])
@pytest.mark.parametrize("what", ["solve", *map(estimators.name, estimators.taking("selection"))])
def test_ctrl_c_sets_the_attributes_and_raises(run_python, what, when):
    output = run_python(INTERRUPT, what, when, *NAMES.values()).stdout.split()
    assert output, "finished before the interrupt"
    delay, status = float(output[0]), output[1]
    assert delay < 1.0
    if what in ("solve", *map(estimators.name, estimators.SINGLE)):
        assert status == "stopped" or (status == "early" and when == "0.02")


@pytest.fixture
def interrupt_after():
    """A function that raises KeyboardInterrupt so many seconds later, by a signal."""

    def raises(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, raises)
    yield functools.partial(signal.setitimer, signal.ITIMER_REAL)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def hard_problem(n_samples=1500, n_features=1200, names=NAMES, **options):
    """A problem on which no solver comes to an end soon."""
    rng = np.random.default_rng(0)
    common = rng.standard_normal((n_samples, 1))
    X = np.asfortranarray(rng.standard_normal((n_samples, n_features)) + 3.0 * common)
    y = X[:, :600] @ rng.standard_normal(600) + rng.standard_normal(n_samples)
    loss = catalogue.loss_handle(names["loss"])
    penalty = catalogue.penalty_handle(names["penalty"], **options)
    return Problem(X, y, loss, penalty, alpha=1e-6)


@needs_signals
@pytest.mark.parametrize("iteration", [0, 1])
@pytest.mark.parametrize("row", catalogue.ONE_OF_EACH_SOLVER, ids=lambda row: row.solver)
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_interrupted_solution_is_certified(interrupt_after, row, order, iteration):
    solver = row.solver
    problem = hard_problem(names={"loss": row.loss, "penalty": row.penalty})
    problem = replace(problem, X=np.asarray(problem.X, order=order))

    def arm(info):
        if info["iteration"] == iteration:
            interrupt_after(0.01)

    with pytest.raises(KeyboardInterrupt) as caught:
        solve(problem, solver=solver, tol=0.0, max_iter=10**8, callbacks=[arm])
    solution = caught.value.solution
    assert solution.status == "stopped"
    check_solution(problem, solution)
    trace = solution.report.trace
    assert len(trace["objective"]) == solution.report.n_iter + 1
    assert trace["objective"][-1] == solution.certificate.primal
    assert trace["certificate"][-1] == solution.certificate.value


def interrupted_calls(interrupt_after, call):
    """How many calls returned before an interrupt after 10 ms was raised: 0 or 1.

    No Python code runs between the end of the call and the record of it, so that an interrupt which
    waits for the end is told from one that cuts the call short.
    """
    returned = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        interrupt_after(0.01)
        returned.extend(itertools.starmap(call, [()]))
        time.sleep(10)
    return len(returned)


@needs_signals
def test_ctrl_c_ends_the_search_for_the_largest_strength(interrupt_after):
    weights = np.ones(1200)
    weights[:900] = 0.0
    problem = hard_problem(weights=weights)
    read = _validation.read_data(problem.X, problem.y)
    penalty = _validation.read_penalty(problem.penalty, 1200, [])
    call = functools.partial(
        _core.alpha_max, read.design, read.y, loss=NAMES["loss"], penalty=penalty
    )
    assert interrupted_calls(interrupt_after, call) == 0
    interrupt_after(0.03)
    with pytest.raises(KeyboardInterrupt) as caught:
        tw.solve_path(problem.X, problem.y, loss=problem.loss, penalty=problem.penalty)
    assert not hasattr(caught.value, "solution")


@needs_signals
def test_ctrl_c_ends_a_sparse_conversion(interrupt_after):
    per_column, shape = 2000, (100_000, 1000)
    rng = np.random.default_rng(0)
    indices = rng.integers(0, shape[0], per_column * shape[1], dtype=np.int32)
    starts = np.arange(shape[1] + 1, dtype=np.int32) * per_column
    call = functools.partial(
        _core.to_csc, np.ones(indices.size), indices, starts, shape, "csc", n_threads=1
    )
    assert interrupted_calls(interrupt_after, call) == 0


def test_a_path_that_is_interrupted_keeps_what_it_has():
    X, y = data.threaded_problem(n_samples=80, n_features=40)

    def interrupt(info):
        if info["alpha_index"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        tw.solve_path(X, y, **NAMES, alphas=10, callbacks=[interrupt])
    path = caught.value.solution
    assert len(path) == 4
    assert all(np.isfinite(solution.coef).all() for solution in path)


@pytest.mark.parametrize("error", [ValueError("mine"), SystemExit(3), KeyboardInterrupt()])
def test_exceptions_of_callbacks_come_out_unchanged(error):
    X, y = data.threaded_problem(n_samples=80, n_features=40)

    def raises(_):
        raise error

    with pytest.raises(type(error)) as caught:
        tw.solve(X, y, **NAMES, alpha=0.01, callbacks=[raises])
    assert caught.value is error
    assert caught.value.solution.coef.shape == (40,)


@pytest.mark.parametrize("cls", estimators.CLASSES, ids=estimators.name)
def test_max_time_ends_a_fit_with_a_warning(cls):
    X, y = data.threaded_problem(n_samples=300, n_features=200)
    y = estimators.target(cls, y)
    with pytest.warns(ConvergenceWarning, match=r"max_time \(now 0.0 s\)"):
        model = estimators.make(cls, max_time=0.0).fit(X, y)
    assert np.isfinite(model.coef_).all()
    assert model.report_.status == "time_limit"


@pytest.mark.parametrize("function", estimators.FUNCTIONS, ids=estimators.name)
def test_paths_leave_out_strengths_that_time_did_not_reach(function):
    X, y = data.threaded_problem(n_samples=60, n_features=30)
    with pytest.warns(ConvergenceWarning, match=r"max_time \(now 0.0 s\)"):
        alphas, coefs, gaps, n_iters = function(X, y, alphas=5, max_time=0.0, return_n_iter=True)
    assert len(alphas) == coefs.shape[-1] == len(gaps) == len(n_iters) == 1


def test_max_time_stops_early():
    X, y = data.threaded_problem(n_samples=1500, n_features=1500)
    solution = tw.solve(X, y, **NAMES, alpha=1e-9, tol=0.0, max_iter=10**8, max_time=0.05)
    assert solution.status in ("time_limit", "stalled")
    assert solution.report.time < 5.0


@pytest.mark.parametrize("cls", estimators.taking("selection"), ids=estimators.name)
def test_non_convergence_is_one_warning_that_says_what_to_change(cls):
    X, y = data.threaded_problem(n_samples=60, n_features=200)
    options = {"alpha": 1e-4} if cls in estimators.SINGLE else {"eps": 1e-5}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = estimators.make(cls, tol=1e-14, max_iter=1, **options).fit(X, y)
    (warning,) = caught
    assert warning.category is ConvergenceWarning
    assert warning.filename == __file__
    text = str(warning.message)
    for part in ("did not converge", "duality gap", "reached", "wanted", "tol=1e-14", "max_iter"):
        assert part in text
    assert f"{cls.__name__}" in text
    if cls in estimators.SINGLE:
        assert f"{model.certificate_.value:.3e} reached" in text


def test_functions_do_not_warn():
    X, y = data.threaded_problem(n_samples=60, n_features=200)
    assert tw.solve(X, y, **NAMES, alpha=1e-4, tol=1e-14, max_iter=1).status == "max_iter"


@pytest.mark.parametrize("reached", [0, 1, 2])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("mine")], ids=["signal", "own"])
def test_a_stop_between_several_targets_is_delivered(error, reached):
    X, y = data.threaded_problem(n_samples=80, n_features=40)
    targets = np.column_stack([y, -y, 2 * y])

    def raises(info):
        if info["task"] == reached:
            raise error

    with pytest.raises(type(error)) as caught:
        tw.solve(X, targets, **NAMES, alpha=0.01, callbacks=[raises], n_threads=1)
    assert caught.value is error
    solution = caught.value.solution
    assert solution.coef.shape == (3, 40)
    assert np.isfinite(solution.coef).all()
    assert solution.status == "stopped"
