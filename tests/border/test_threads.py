"""The GIL, Python threads, OpenMP's limits, joblib and fork."""

import sys
import threading
import time
from pathlib import Path

import joblib
import numpy as np
import pytest

import thalweg as tw
from support import catalogue, data, estimators

NAMES = catalogue.any_combination()


def solve(X, y, **options):
    return tw.solve(X, y, **NAMES, alpha=0.02, **options)


@pytest.fixture(scope="module")
def problem():
    return data.threaded_problem(n_samples=400, n_features=300)


def test_other_python_threads_progress_during_a_solve(problem):
    """With the GIL held throughout, the counter would not move between two iterations."""
    count, done = [0], threading.Event()

    def counter():
        while not done.is_set():
            count[0] += 1
            time.sleep(0)

    thread = threading.Thread(target=counter)
    thread.start()
    try:
        X, y = data.threaded_problem(n_samples=3000, n_features=600)
        before = count[0]
        began = time.perf_counter()
        while time.perf_counter() - began < 0.3:
            solve(X, y, tol=1e-10)
        moved = count[0] - before
    finally:
        done.set()
        thread.join()
    assert moved > 10


def test_solves_in_several_python_threads_at_once_are_the_same(problem):
    X, y = problem
    expected = solve(X, y, tol=1e-9)
    with joblib.Parallel(n_jobs=4, backend="threading") as parallel:
        solutions = parallel(joblib.delayed(solve)(X, y, tol=1e-9) for _ in range(16))
    for solution in solutions:
        np.testing.assert_array_equal(solution.coef, expected.coef)
        assert solution.certificate.value == expected.certificate.value


@pytest.mark.parametrize("cls", estimators.CLASSES, ids=estimators.name)
def test_joblib_processes_with_read_only_memory_maps(cls, problem):
    X, y = problem
    y = estimators.target(cls, y)
    expected = estimators.make(cls).fit(X, y)
    with joblib.Parallel(n_jobs=2, max_nbytes=1000) as parallel:
        models = parallel(joblib.delayed(estimators.fit_memory_map)(cls, X, y) for _ in range(2))
    for model, was_memory_map in models:
        assert was_memory_map
        assert model.report_.copies == ()
        np.testing.assert_array_equal(model.coef_, expected.coef_)


@pytest.mark.parametrize("cls", estimators.CLASSES, ids=estimators.name)
def test_grid_search_over_processes(cls, problem):
    from sklearn.model_selection import GridSearchCV

    X, y = problem
    y = estimators.target(cls, y)
    search = GridSearchCV(estimators.make(cls), {"fit_intercept": [True, False]}, cv=2, n_jobs=2)
    assert search.fit(X, y).best_score_ > 0.25


THREADS = """
    import sys, threading
    import numpy as np
    import thalweg as tw
    from pathlib import Path

    def threads():
        return len(list(Path("/proc/self/task").iterdir()))

    X, y, _ = tw.problems.regression(1500, 600, seed=0)
    loss, penalty, n_threads = sys.argv[1:]
    before = threads()
    if n_threads.startswith("limit"):
        from threadpoolctl import threadpool_limits
        with threadpool_limits(int(n_threads.split("=")[1]), user_api="openmp"):
            tw.solve(X, y, loss=loss, penalty=penalty, alpha=0.01, max_iter=20)
    else:
        tw.solve(X, y, loss=loss, penalty=penalty, alpha=0.01, max_iter=20,
                 n_threads=eval(n_threads))
    print(threads() - before, tw.info()["max_threads"])
"""
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="counts threads through /proc"
)
needs_openmp = pytest.mark.skipif(not tw.info()["openmp"], reason="built without OpenMP")


@needs_proc
@needs_openmp
@pytest.mark.parametrize(
    ("n_threads", "environment", "extra"),
    [
        ("1", {}, 0),
        ("2", {}, 1),
        ("3", {}, 2),
        ("None", {"OMP_NUM_THREADS": "1"}, 0),
        ("None", {"OMP_NUM_THREADS": "3"}, 2),
        ("2", {"OMP_NUM_THREADS": "1"}, 1),
        ("limit=1", {}, 0),
        ("limit=2", {"OMP_NUM_THREADS": "4"}, 1),
    ],
)
def test_threads_are_as_many_as_asked_for(run_python, n_threads, environment, extra):
    environment = {"OPENBLAS_NUM_THREADS": "1", **environment}
    output = run_python(THREADS, *NAMES.values(), n_threads, **environment).stdout.split()
    assert int(output[0]) == extra
    if "OMP_NUM_THREADS" in environment:
        assert output[1] == environment["OMP_NUM_THREADS"]


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_a_forked_child_solves_and_does_not_hang(run_python):
    script = """
        import os, sys, signal
        import numpy as np
        import thalweg as tw
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # about fork in a process with threads

        X, y, _ = tw.problems.regression(1500, 600, seed=0)
        loss, penalty = sys.argv[1:]
        solve = lambda: tw.solve(X, y, loss=loss, penalty=penalty, alpha=0.01, n_threads=2)
        expected = solve()
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            same = (solve().coef == expected.coef).all()
            os._exit(0 if same else 3)
        _, status = os.waitpid(child, 0)
        assert (solve().coef == expected.coef).all()
        print(status)
    """
    assert run_python(script, *NAMES.values()).stdout.split() == ["0"]
