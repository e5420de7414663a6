"""`minimize` at the border: callbacks, limits, options and restarts."""

import time

import numpy as np
import pytest
from scipy.optimize import OptimizeWarning, rosen, rosen_der, rosen_hess

import thalweg as tw
from support import catalogue
from support.functions import sphere, sphere_der

# Every method gets a Hessian, also those that say that they do not use it.
pytestmark = pytest.mark.filterwarnings("ignore:Method .* does not use second:RuntimeWarning")

X0 = np.array([-1.2, 1.0, 0.5])
each_method = pytest.mark.parametrize("method", catalogue.GENERAL)


@each_method
def test_callbacks_see_each_iteration(method):
    seen = []
    options = {"maxiter": 6}
    problem = {"jac": rosen_der, "hess": rosen_hess, "method": method, "options": options}
    result = tw.minimize(rosen, X0, callback=seen.append, **problem)
    assert len(seen) == result.nit
    np.testing.assert_array_equal(seen[-1], result.x)

    results = []

    def callback(intermediate_result):
        results.append(intermediate_result)

    tw.minimize(rosen, X0, callback=callback, **problem)
    for point, intermediate in zip(seen, results, strict=True):
        np.testing.assert_array_equal(point, intermediate.x)
        assert intermediate.fun == rosen(point)


@pytest.mark.parametrize("stop", ["exception", "answer"])
def test_callbacks_stop(stop):
    seen = []

    def callback(x):
        seen.append(x)
        if len(seen) == 2 and stop == "exception":
            raise StopIteration
        return len(seen) == 2

    result = tw.minimize(rosen, X0, jac=rosen_der, callback=callback)
    assert len(seen) == result.nit == 2
    assert not result.success
    assert result.status == 99
    np.testing.assert_array_equal(result.x, seen[-1])


def test_other_answers_of_callbacks_mean_nothing():
    assert tw.minimize(rosen, X0, jac=rosen_der, callback=lambda x: x).success


@each_method
def test_limits(method):
    problem = {"jac": rosen_der, "hess": rosen_hess, "method": method}
    result = tw.minimize(rosen, X0, options={"maxiter": 1}, **problem)
    assert (result.status, result.success) == (1, False)
    assert "1 iterations" in result.message
    result = tw.minimize(rosen, X0, options={"maxiter": 0}, **problem)
    np.testing.assert_array_equal(result.x, X0)
    result = tw.minimize(rosen, X0, options={"maxfun": 3}, **problem)
    assert result.status == 1
    assert result.nfev <= 3
    assert "3 function evaluations" in result.message
    result = tw.minimize(rosen, X0, max_time=0, **problem)
    assert result.report.status == "time_limit"
    assert result.fun == rosen(X0)


def test_max_time_ends_slow_functions():
    def slow(x):
        time.sleep(0.01)
        return rosen(x)

    began = time.perf_counter()
    result = tw.minimize(slow, X0, max_time=0.2, tol=0)
    assert result.report.status == "time_limit"
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("limit", ["maxfun", "max_time"])
def test_limits_end_complex_steps_between_columns(limit):
    calls = 0

    def fun(x):
        nonlocal calls
        calls += 1
        time.sleep(0.01)
        return (x**4).sum(), 4 * x**3

    limits = {"options": {"maxfun": 10}} if limit == "maxfun" else {"max_time": 0.1}
    result = tw.minimize(fun, np.ones(200), jac=True, hess="cs", **limits)
    assert catalogue.flag("solver", result.report.solver, "needs_hessian")
    assert result.nfev == result.njev == calls <= 20
    np.testing.assert_array_equal(result.x, 1.0)


def test_tolerances():
    loose = tw.minimize(rosen, X0, jac=rosen_der, tol=1e-2)
    tight = tw.minimize(rosen, X0, jac=rosen_der, options={"gtol": 1e-9})
    assert 1e-9 < loose.certificate.value <= 1e-2
    assert tight.certificate.value <= 1e-9
    flat = tw.minimize(rosen, X0, jac=rosen_der, options={"ftol": 1e-2})
    assert flat.success
    assert "ftol" in flat.message
    assert flat.nit < loose.nit + 5


def test_unknown_options_warn_as_in_scipy():
    with pytest.warns(OptimizeWarning, match="Unknown solver options: nonsense"):
        tw.minimize(sphere, X0, jac=sphere_der, options={"nonsense": 1})


def test_disp_shows_the_end(capsys):
    result = tw.minimize(sphere, X0, jac=sphere_der, options={"disp": True})
    assert capsys.readouterr().out == f"{result.message}\n{result.report}\n"
    tw.minimize(sphere, X0, jac=sphere_der)
    assert capsys.readouterr().out == ""


def double_well(x):
    return ((x**2 - 4) ** 2).sum() + x.sum()


def test_restarts_keep_the_best_and_count_all():
    calls = 0

    def fun(x):
        nonlocal calls
        calls += 1
        return double_well(x)

    one = tw.minimize(double_well, [2.0, 2.0])
    many = tw.minimize(fun, [2.0, 2.0], n_starts=20, random_state=0)
    assert many.fun < one.fun - 1
    assert many.nfev == calls > one.nfev
    assert many.report.n_starts == 20
    assert set(many.report.trace["start"]) == set(range(20))
    again = tw.minimize(double_well, [2.0, 2.0], n_starts=20, random_state=0)
    np.testing.assert_array_equal(many.x, again.x)


@pytest.mark.parametrize("first", [True, False])
def test_an_interrupt_of_the_first_residuals_keeps_earlier_starts(first):
    starts = []

    def residuals(x):
        if not starts and first:
            raise KeyboardInterrupt
        if starts and abs(x - starts[0]).max() > 1e-3:
            raise KeyboardInterrupt
        starts.append(x)
        return x - X0

    with pytest.raises(KeyboardInterrupt) as caught:
        tw.minimize(residuals=residuals, x0=X0, jac=lambda x: np.eye(3), n_starts=3)
    result = caught.value.result
    np.testing.assert_array_equal(result.x, X0)
    assert result.success is not first
    assert result.report.n_starts == (1 if first else 2)


def test_restarts_are_within_bounds_and_the_first_is_x0():
    first = []

    def fun(x):
        first.append(x)
        return sphere(x)

    bounds = [(-1.0, 1.0), (5.0, None), (None, None)]
    tw.minimize(
        fun, X0, jac=sphere_der, bounds=bounds, n_starts=10, options={"maxiter": 0}, random_state=1
    )
    np.testing.assert_array_equal(first[0], [-1.0, 5.0, 0.5])
    points = np.array(first)
    assert (abs(points[:, 0]) <= 1).all()
    assert (points[:, 1] >= 5).all()
    assert len(np.unique(points, axis=0)) == 10


@pytest.mark.parametrize("limit", [10, 30])
def test_gradients_that_are_not_formed_are_not_counted(limit):
    """By differences each takes a call for every variable; after the last call there are none."""
    start = np.array([-1.2, 1.0, 0.5, 2.0, -1.0])
    result = tw.minimize(rosen, start, options={"maxfun": limit})
    assert result.nfev == limit
    assert 1 <= result.njev <= 1 + limit // len(start)


@each_method
@pytest.mark.parametrize("scale", [1.0, 1e-8, 1e-200, 1e8])
@pytest.mark.parametrize("norm", [1, np.inf])
def test_kinks_end_every_search(method, scale, norm):
    def fun(x):
        return np.linalg.norm(x, norm)

    def jac(x):
        return np.sign(x) * (1.0 if norm == 1 else abs(x) == abs(x).max())

    result = tw.minimize(fun, scale * X0, jac=jac, hess=lambda x: np.zeros((3, 3)), method=method)
    assert np.isfinite(result.x).all()
    assert result.fun <= fun(scale * X0)
