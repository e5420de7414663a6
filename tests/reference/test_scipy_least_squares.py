"""`minimize` of residuals: nonlinear least squares, with robust losses."""

import numpy as np
import pytest
from scipy.optimize import least_squares

import thalweg as tw
from support import catalogue
from support.more_garbow_hillstrom import PROBLEMS

T = np.linspace(0, 3, 25)
Y = 2.0 * np.exp(-1.3 * T) + 0.5 + 0.01 * np.cos(40 * T)
Y[[3, 11]] += [2.0, -3.0]  # outliers
X0 = np.array([1.0, -0.5, 0.0])


def residuals(x):
    return x[0] * np.exp(x[1] * T) + x[2] - Y


def jacobian(x):
    e = np.exp(x[1] * T)
    return np.stack([e, x[0] * T * e, np.ones_like(T)], axis=1)


each_method = pytest.mark.parametrize("method", catalogue.LEAST_SQUARES)


@each_method
@pytest.mark.parametrize("loss", ["linear", "soft_l1", "huber", "cauchy", "arctan"])
def test_losses_mean_what_they_mean_in_scipy(method, loss):
    options = {"loss": loss, "f_scale": 0.3}
    start = [1.8, -1.0, 0.4]
    reference = least_squares(residuals, start, jacobian, gtol=1e-12, xtol=1e-15, **options)
    result = tw.minimize(
        residuals=residuals, x0=start, jac=jacobian, method=method, tol=1e-7, **options
    )
    assert result.fun == pytest.approx(reference.cost, rel=1e-6)
    np.testing.assert_allclose(result.x, reference.x, rtol=1e-3)
    assert result.success
    np.testing.assert_allclose(result.jac, reference.grad, atol=1e-3)  # SciPy stops by ftol


@pytest.mark.parametrize("jac", [jacobian, "2-point", "3-point", "cs", None])
def test_jacobians_are_given_or_made_of_differences(jac):
    calls = 0

    def counted(x):
        nonlocal calls
        calls += 1
        return residuals(x)

    result = tw.minimize(residuals=counted, x0=X0, jac=jac)
    assert result.report.solver in catalogue.LEAST_SQUARES
    assert result.success
    assert result.nfev == calls
    np.testing.assert_allclose(result.jac, jacobian(result.x).T @ residuals(result.x), atol=1e-5)


def test_methods_for_functions_take_residuals_too():
    reference = tw.minimize(residuals=residuals, x0=X0, jac=jacobian)
    for method in set(catalogue.MINIMIZERS) - set(catalogue.LEAST_SQUARES):
        flags = catalogue.CATALOG["solver"][method].flags
        if flags["superlinear"] and not flags["needs_hessian"]:
            result = tw.minimize(residuals=residuals, x0=X0, jac=jacobian, method=method)
            assert result.fun == pytest.approx(reference.fun, rel=1e-6), method


@each_method
def test_functions_are_refused(method):
    with pytest.raises(ValueError, match="residuals"):
        tw.minimize(lambda x: x @ x, X0, method=method)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fun": np.sum, "residuals": residuals}, "fun must be None"),
        ({"residuals": 3}, "residuals must be callable"),
        ({"residuals": residuals, "jac": True}, "jac must be"),
        ({"residuals": residuals, "loss": "squared error"}, "loss"),
        ({"residuals": residuals, "f_scale": 0}, "f_scale"),
        ({"residuals": residuals, "jac": lambda x: np.ones((3, 25))[:, :2]}, "jac must return"),
        ({"residuals": lambda x: []}, "residuals must return"),
        ({"fun": np.sum, "loss": "cauchy"}, "loss must be 'linear'"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        tw.minimize(x0=X0, **options)


@each_method
def test_exceptions_and_nan(method):
    trouble = ArithmeticError("here")

    def raising(x):
        if x[0] != X0[0]:
            raise trouble
        return residuals(x)

    with pytest.raises(ArithmeticError) as caught:
        tw.minimize(residuals=raising, x0=X0, jac=jacobian, method=method)
    assert caught.value is trouble
    result = tw.minimize(residuals=lambda x: residuals(x) * np.nan, x0=X0, method=method)
    assert result.report.status == "non_finite"


@each_method
def test_known_minima_of_the_test_set_are_found(method):
    solved = 0
    for problem in PROBLEMS:
        result = tw.minimize(
            residuals=problem.residuals,
            x0=problem.start,
            jac=problem.jacobian,
            method=method,
            tol=1e-8,
            options={"maxiter": 1000},
        )
        solved += any(
            np.isclose(2 * result.fun, value, rtol=1e-4, atol=1e-7) for value in problem.minima
        )
    assert solved >= 25
