"""`minimize` at the border: what users pass, and what their functions do."""

import pickle
import threading
import traceback
import warnings

import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import OptimizeResult, OptimizeWarning, rosen, rosen_der, rosen_hess

import thalweg as tw
from support import catalogue
from support.functions import TroubleError, sphere, sphere_der

# Every method gets a Hessian, also those that say that they do not use it.
pytestmark = pytest.mark.filterwarnings("ignore:Method .* does not use second:RuntimeWarning")

X0 = np.array([-1.2, 1.0, 0.5])
each_method = pytest.mark.parametrize("method", catalogue.GENERAL)


def test_the_result_is_scipys_with_a_certificate_and_a_report():
    result = tw.minimize(rosen, X0, jac=rosen_der)
    assert isinstance(result, OptimizeResult)
    assert result.success
    assert result.status == 0
    assert result.fun == rosen(result.x)
    np.testing.assert_array_equal(result.jac, rosen_der(result.x))
    assert result.certificate.kind == "kkt"
    assert result.certificate.value == abs(result.jac).max() <= 1e-5
    assert result.certificate.primal == result.fun
    report = result.report
    assert (report.nit, report.nfev, report.njev) == (result.nit, result.nfev, result.njev)
    assert report.solver in catalogue.MINIMIZERS
    assert report.status == "converged"
    assert report.reason
    assert len(report.to_frame()) == result.nit + 1
    assert str(report).startswith("status    converged\nsolver    ")
    assert report.trace["objective"][-1] == result.fun


def test_results_can_be_pickled():
    result = tw.minimize(rosen, X0, jac=rosen_der)
    copy = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(copy.x, result.x)
    assert copy.certificate == result.certificate
    assert str(copy.report) == str(result.report)


@each_method
@pytest.mark.parametrize("second", ["hess", "hessp", "2-point", "3-point", "cs"])
@pytest.mark.parametrize("is_pair", [False, True])
def test_calls_are_counted(method, second, is_pair):
    calls = {"fun": 0, "jac": 0, "hess": 0, "hessp": 0}

    def counted(name, function):
        def call(*args):
            calls[name] += 1
            return function(*args)

        return call

    given = {
        "hess": {"hess": counted("hess", rosen_hess)},
        "hessp": {"hessp": counted("hessp", lambda x, v: rosen_hess(x) @ v)},
    }.get(second, {"hess": second})
    result = tw.minimize(
        counted("fun", (lambda x: (rosen(x), rosen_der(x))) if is_pair else rosen),
        X0,
        jac=True if is_pair else counted("jac", rosen_der),
        method=method,
        options={"maxiter": 5},
        **given,
    )
    assert result.nfev == calls["fun"]
    assert result.njev == calls["fun" if is_pair else "jac"]
    if calls["hess"] + calls["hessp"] or second in given:
        assert result.nhev == calls["hess"] + calls["hessp"]


@pytest.mark.parametrize("hess", ["2-point", "3-point"])
@pytest.mark.parametrize(
    "method",
    [name for name in catalogue.GENERAL if catalogue.flag("solver", name, "needs_hessian")],
)
def test_differences_of_gradients_ask_for_gradients_only(method, hess):
    result = tw.minimize(rosen, X0, jac=rosen_der, hess=hess, method=method, options={"maxiter": 1})
    assert result.nfev == result.njev - (3 if hess == "2-point" else 6) * result.nhev
    products = tw.minimize(rosen, X0, jac=rosen_der, method="Newton-CG", options={"maxiter": 1})
    assert products.njev > products.nfev


@pytest.mark.parametrize("jac", [None, "2-point", "3-point", "cs"])
def test_differences_find_the_minimum_and_are_counted(jac):
    calls = 0

    def fun(x):
        nonlocal calls
        calls += 1
        return (x - 1) @ (x - 1) + 0.1 * ((x - 2) ** 4).sum()

    result = tw.minimize(fun, np.zeros(4), jac=jac)
    assert result.success
    assert result.nfev == calls
    per_gradient = 9 if jac == "3-point" else 5
    assert result.nfev >= per_gradient * result.njev
    exact = 2 * (result.x - 1) + 0.4 * (result.x - 2) ** 3
    accuracy = {"3-point": 1e-8, "cs": 1e-13}.get(jac, 1e-6)
    assert abs(result.jac - exact).max() <= accuracy


@pytest.mark.parametrize("jac", ["2-point", "3-point"])
def test_differences_stay_within_bounds(jac):
    bounds = [(0.0, 2.0), (1.0, 1.0), (-1.0, 1e-7), (None, None)]
    low, high = np.array([0, 1, -1, -np.inf]), np.array([2, 1, 1e-7, np.inf])

    def fun(x):
        assert (low <= x).all()
        assert (x <= high).all()
        return sphere(x, 3.0)

    result = tw.minimize(fun, [0.0, 1.0, 1e-7, 2.0], jac=jac, bounds=bounds)
    np.testing.assert_allclose(result.x, [2, 1, 1e-7, 3], atol=1e-4)


def test_differences_step_away_from_the_edge_of_the_domain():
    def fun(x):
        return -np.log(1 - x[0]) + 3 * x[0] if x[0] < 1 else np.nan

    start = [np.nextafter(1.0, 0.0)]
    result = tw.minimize(fun, start, jac="2-point", options={"maxiter": 0})
    assert np.isfinite(result.jac).all()
    for jac in ("2-point", "3-point"):
        near = {"x0": [1 - 1e-6], "bounds": [(1 - 2e-6, None)], "options": {"maxiter": 0}}
        slope = tw.minimize(fun, jac=jac, **near).jac
        np.testing.assert_allclose(slope, 1e6, rtol=0.5)


def test_differences_warn_once_from_100_variables_on():
    with pytest.warns(OptimizeWarning, match="fun has no gradient") as caught:
        tw.minimize(sphere, np.ones(100))
    assert len(caught) == 1
    assert caught[0].filename == __file__
    tw.minimize(sphere, np.ones(99))
    tw.minimize(sphere, np.ones(100), jac=sphere_der)


def test_args_and_jac_true():
    plain = tw.minimize(sphere, X0, args=(2.0, 3.0), jac=sphere_der)
    pair = tw.minimize(lambda *a: (sphere(*a), sphere_der(*a)), X0, args=(2.0, 3.0), jac=True)
    np.testing.assert_array_equal(plain.x, pair.x)
    assert pair.nfev == pair.njev == plain.nfev
    single = tw.minimize(sphere, X0, args=2.0, jac=sphere_der)
    np.testing.assert_allclose(single.x, 2.0, atol=1e-5)


@pytest.mark.parametrize(
    "x0",
    [3, 3.0, [1, 2], np.float32([1, 2]), np.ones((2, 3), order="F"), np.arange(6)[::2], [[1], [2]]],
    ids=str,
)
def test_starts_of_any_shape_and_type(x0):
    before = np.array(x0)
    result = tw.minimize(sphere, x0, jac=sphere_der)
    assert result.x.shape == (before.size,)
    assert result.x.dtype == np.float64
    np.testing.assert_allclose(result.x, 0.0, atol=1e-5)
    np.testing.assert_array_equal(x0, before)


def test_functions_may_keep_and_change_their_argument():
    kept = []

    def fun(x):
        kept.append((x, x.copy()))
        return sphere(x)

    def jac(x):
        gradient = sphere_der(x)
        x[:] = np.nan
        return gradient

    assert tw.minimize(fun, X0, jac=jac).success
    for x, copy in kept:
        np.testing.assert_array_equal(x, copy)


@each_method
@pytest.mark.parametrize("where", ["fun", "jac", "hess", "callback"])
@pytest.mark.parametrize("call", [1, 4])
def test_exceptions_come_out_unchanged(method, where, call):
    trouble = TroubleError("here")
    calls = 0

    def raising(name, function):
        def innermost(*args):
            nonlocal calls
            if name == where:
                calls += 1
                if calls >= call:
                    raise trouble
            return function(*args)

        return innermost

    def run():
        tw.minimize(
            raising("fun", rosen),
            X0,
            jac=raising("jac", rosen_der),
            hess=raising("hess", rosen_hess),
            callback=raising("callback", lambda x: None),
            method=method,
        )

    try:
        run()
    except TroubleError as raised:
        error = raised
    else:
        error = None
    if calls < call:
        assert error is None
        return
    assert error is trouble
    assert calls == call
    assert traceback.extract_tb(error.__traceback__)[-1].name == "innermost"
    assert error.__cause__ is error.__context__ is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@each_method
def test_values_that_are_not_finite_are_a_status(method, value):
    calls = 0

    def fun(x):
        nonlocal calls
        calls += 1
        return value if calls > 3 else rosen(x)

    at_once = tw.minimize(lambda x: value, X0, jac=rosen_der, hess=rosen_hess, method=method)
    assert at_once.report.status == ("unbounded" if value == -np.inf else "non_finite")
    np.testing.assert_array_equal(at_once.x, X0)
    later = tw.minimize(fun, X0, jac=rosen_der, hess=rosen_hess, method=method)
    assert not later.success
    assert np.isfinite(later.x).all()


@each_method
def test_gradients_that_are_not_finite_are_a_status(method):
    result = tw.minimize(rosen, X0, jac=lambda x: x * np.nan, hess=rosen_hess, method=method)
    assert result.report.status == "non_finite"
    np.testing.assert_array_equal(result.x, X0)


def test_threads_minimize_at_the_same_time():
    results = {}

    def work(k):
        results[k] = tw.minimize(rosen, np.full(10, 0.1 * k), jac=rosen_der)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, result in results.items():
        alone = tw.minimize(rosen, np.full(10, 0.1 * k), jac=rosen_der)
        np.testing.assert_array_equal(result.x, alone.x)


def test_minimize_within_minimize():
    def outer(y):
        return tw.minimize(sphere, X0, args=(y[0],), jac=sphere_der, tol=1e-9).fun + (y[0] - 1) ** 2

    assert tw.minimize(outer, [0.0], tol=1e-4).x == pytest.approx(1.0, abs=1e-3)


def test_methods_for_scipy():
    method = tw.scipy_method()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for jac in (rosen_der, None):
            result = scipy.optimize.minimize(
                rosen, X0, jac=jac, method=method, tol=1e-4, options={"maxiter": 500}
            )
            assert result.success
            assert result.certificate.value <= 1e-4
        pair = scipy.optimize.minimize(
            lambda x: (rosen(x), rosen_der(x)), X0, jac=True, method=method
        )
        assert pair.success
        bounded = scipy.optimize.minimize(sphere, X0, bounds=[(1, 2)] * 3, method=method)
    np.testing.assert_allclose(bounded.x, 1.0)
    with pytest.warns(OptimizeWarning, match="Unknown solver options: nonsense$"):
        limited = scipy.optimize.minimize(
            rosen,
            X0,
            method=method,
            options={"max_time": 0, "n_starts": 3, "random_state": 1, "nonsense": 1},
        )
    assert limited.report.status == "time_limit"
    started = scipy.optimize.minimize(rosen, X0, method=method, options={"n_starts": 3})
    assert started.report.n_starts == 3
    assert pickle.loads(pickle.dumps(method)) == method
    with pytest.raises(ValueError, match="method must be"):
        tw.scipy_method("no such method")
