"""Ctrl-C, time limits, exceptions of callbacks and the one warning."""

import sys
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import thalweg as tw
from support import catalogue, data, estimators

NAMES = catalogue.any_combination()

INTERRUPT = """
    import signal, sys, threading, time
    import numpy as np
    import thalweg as tw

    what, loss, penalty = sys.argv[1:]
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.standard_normal((2000, 3000)) + 3.0 * rng.standard_normal((2000, 1)))
    y = X[:, :800] @ rng.standard_normal(800) + rng.standard_normal(2000)
    tw.solve(X[:5, :2], y[:5], loss=loss, penalty=penalty, alpha=1.0)  # imports come before
    sent = []

    def interrupt():
        time.sleep(0.3)
        sent.append(time.perf_counter())
        signal.raise_signal(signal.SIGINT)

    if what == "solve":
        run = lambda: tw.solve(X, y, loss=loss, penalty=penalty, alpha=1e-9, tol=0, max_iter=10**8)
    else:
        model = getattr(tw.linear_model, what)(tol=0, max_iter=10**8)
        model.set_params(**({"alpha": 1e-9} if hasattr(model, "alpha") else {"eps": 1e-9}))
        run = lambda: model.fit(X, y)
    threading.Thread(target=interrupt, daemon=True).start()
    try:
        run()
    except KeyboardInterrupt as error:
        delay = time.perf_counter() - sent[0]
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


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("what", ["solve", *map(estimators.name, estimators.CLASSES)])
def test_ctrl_c_sets_the_attributes_and_raises(run_python, what):
    output = run_python(INTERRUPT, what, *NAMES.values()).stdout.split()
    assert output, "finished before the interrupt"
    delay, status = float(output[0]), output[1]
    assert delay < 1.0
    if what in ("solve", *map(estimators.name, estimators.SINGLE)):
        assert status == "stopped"


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
    with pytest.warns(ConvergenceWarning, match=r"max_time \(now 0.0 s\)"):
        model = estimators.make(cls, max_time=0.0).fit(X, y)
    assert np.isfinite(model.coef_).all()
    assert model.report_.status == "time_limit"


def test_max_time_stops_early():
    X, y = data.threaded_problem(n_samples=1500, n_features=1500)
    solution = tw.solve(X, y, **NAMES, alpha=1e-9, tol=0.0, max_iter=10**8, max_time=0.05)
    assert solution.status in ("time_limit", "stalled")
    assert solution.report.time < 5.0


@pytest.mark.parametrize("cls", estimators.CLASSES, ids=estimators.name)
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
