"""Every solver of functions on the problems of More, Garbow and Hillstrom."""

import sys

import numpy as np
import pytest

import thalweg as tw
from support import catalogue
from support.more_garbow_hillstrom import PROBLEMS, scaled

# Every method gets a Hessian, also those that say that they do not use it.
pytestmark = pytest.mark.filterwarnings("ignore:Method .* does not use second:RuntimeWarning")

each_problem = pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
each_scale = pytest.mark.parametrize("scale", [1, 10, 100])


def arguments(problem, method):
    """How to hand a problem to a method."""
    if method in catalogue.LEAST_SQUARES:
        return {"residuals": problem.residuals, "jac": problem.jacobian}
    return {"fun": problem.fun_and_gradient, "jac": True, "hess": problem.hessian}


def projected(x, gradient, low, high):
    return abs(x - np.clip(x - gradient, low, high)).max()


@each_problem
def test_jacobians_are_right(problem):
    x = problem.start + 0.01 * np.cos(np.arange(problem.size))
    jacobian = problem.jacobian(x)
    step = 1e-30
    units = np.eye(problem.size)
    exact = np.array([problem.residuals(x + 1j * step * e).imag / step for e in units]).T
    np.testing.assert_allclose(jacobian, exact, rtol=1e-12, atol=1e-12 * abs(exact).max())
    h = 1e-6 * np.maximum(1, abs(x)) * units
    central = np.array([(problem.residuals(x + d) - problem.residuals(x - d)) for d in h]).T
    central /= 2 * h.sum(axis=0)
    np.testing.assert_allclose(jacobian, central, rtol=1e-4, atol=1e-6 * abs(central).max())


@each_problem
def test_values_at_the_start_and_known_minima_are_those_of_the_paper(problem):
    assert problem.minima
    result = tw.minimize(problem.fun_and_gradient, problem.start, jac=True, tol=1e-9)
    near = [np.isclose(result.fun, value, rtol=1e-5, atol=1e-6) for value in problem.minima]
    assert any(near), result.fun


def test_families_have_the_dimension_that_is_asked_for():
    for number in range(20, 36):
        n = 8
        problem = scaled(number, n)
        assert problem.start.shape == (n,)
        assert problem.jacobian(problem.start).shape == (problem.residuals(problem.start).size, n)


@pytest.mark.parametrize("method", catalogue.MINIMIZERS)
@each_scale
def test_no_method_fails_from_any_start(method, scale):
    for problem in PROBLEMS:
        start = scale * problem.start
        result = tw.minimize(
            **arguments(problem, method), x0=start, method=method, options={"maxiter": 200}
        )
        where = f"{problem.name}: {result.message}"
        assert np.isfinite(result.x).all(), where
        if np.isfinite(problem.fun(start)):
            factor = 0.5 if "residuals" in arguments(problem, method) else 1.0
            assert result.fun <= factor * problem.fun(start) * (1 + 1e-12), where


def box(problem):
    """Bounds around the start that cut the way to most minima off."""
    width = np.maximum(0.5, 0.25 * abs(problem.start))
    low, high = problem.start - width, problem.start + 2 * width
    low[::3], high[1::3] = -np.inf, np.inf
    return low, high


@pytest.mark.parametrize("method", catalogue.GENERAL)
def test_functions_are_not_asked_where_numbers_end(method):
    """1 / x falls all the way to infinity, where it is zero and so is its slope."""

    def fun(x):
        assert np.isfinite(x).all()
        return np.sum(1 / x), -1 / x**2

    for start in (1e-200, 1e-140, 1e-3):
        with np.errstate(all="ignore"):
            result = tw.minimize(fun, np.full(3, start), jac=True, method=method)
        assert np.isfinite(result.x).all()
        assert result.fun <= 3 / start * (1 + 1e-12)


@pytest.mark.parametrize(
    "method",
    [
        name
        for name in catalogue.GENERAL
        if not catalogue.flag("solver", name, "needs_hessian")
        and not catalogue.flag("solver", name, "uses_products")
    ],
)
def test_differences_are_not_taken_where_numbers_end(method):
    def fun(x):
        assert np.isfinite(x).all()
        return np.arctan(-x).sum()

    for start in ([1e307, 2.0], [-1e308, 1e308]):
        tw.minimize(fun, start, method=method, jac="2-point", options={"maxiter": 50})


@pytest.mark.parametrize("name", ["maxiter", "maxfev"])
def test_limits_go_up_to_the_largest_integer(name):
    result = tw.minimize(
        lambda x: (x @ x, 2 * x), np.ones(3), jac=True, options={name: sys.maxsize}
    )
    assert result.success


@pytest.mark.parametrize("method", catalogue.BOUNDED)
@each_problem
def test_bounds_are_kept_and_reached(method, problem):
    low, high = box(problem)
    seen = []

    def fun(x):
        seen.append(((low <= x) & (x <= high)).all())
        return problem.fun_and_gradient(x)

    result = tw.minimize(
        fun,
        problem.start,
        jac=True,
        bounds=list(zip(low, high, strict=True)),
        method=method,
        options={"maxiter": 300},
    )
    assert all(seen)
    assert result.fun <= problem.fun(problem.start)
    gradient = problem.gradient(result.x)
    assert result.certificate.value == pytest.approx(projected(result.x, gradient, low, high))
