"""Second derivatives and steps that `minimize` is given: differences, NaN, too large, too long."""

import numpy as np
import psutil
import pytest
import scipy.sparse
from scipy.optimize import rosen, rosen_der, rosen_hess

import thalweg as tw
from support import catalogue

X0 = np.array([-1.2, 1.0, 0.5])


def flag(method, name):
    return catalogue.CATALOG["solver"][method].flags[name]


CURVED = [m for m in catalogue.GENERAL if flag(m, "needs_hessian") or flag(m, "uses_products")]
UNCURVED = [m for m in catalogue.GENERAL if m not in CURVED and m != "auto"]
DENSE = [m for m in catalogue.GENERAL if m == "bfgs" or flag(m, "needs_hessian")]
STEPPED = [
    m
    for m in catalogue.GENERAL
    if "step" in {p.name for p in catalogue.CATALOG["solver"][m].parameters}
]


@pytest.mark.parametrize("method", CURVED)
@pytest.mark.parametrize("hess", ["2-point", "3-point", "cs"])
def test_hessians_by_differences(method, hess):
    result = tw.minimize(rosen, X0, jac=rosen_der, hess=hess, method=method)
    exact = tw.minimize(rosen, X0, jac=rosen_der, hess=rosen_hess, method=method)
    assert result.success
    np.testing.assert_allclose(result.x, exact.x, atol=1e-5)
    pair = tw.minimize(
        lambda x, a: (a * rosen(x), a * rosen_der(x)), X0, 2.0, jac=True, hess=hess, method=method
    )
    assert pair.success
    if hess == "cs":  # as exact as the Hessian itself
        assert result.nit == exact.nit


def test_central_differences_are_more_exact():
    steep = {"jac": lambda x: np.exp(30 * x), "x0": [1.0], "method": "newton"}

    def error(hess):
        result = tw.minimize(lambda x: np.exp(30 * x[0]) / 30, hess=hess, tol=0, **steep)
        return result.report.trace["objective"][1]

    exact = error(lambda x: 30 * np.exp(30 * x)[:, None])
    assert abs(error("3-point") - exact) < 0.1 * abs(error("2-point") - exact)


@pytest.mark.parametrize("hess", ["3-point", "cs"])
def test_hessians_by_differences_need_a_gradient(hess):
    with pytest.raises(ValueError, match=f"hess='{hess}' needs jac"):
        tw.minimize(rosen, X0, hess=hess, method=CURVED[0])


def test_a_gradient_that_is_not_complex_is_named():
    with pytest.raises(TypeError, match="jac must return 3 complex numbers"):
        tw.minimize(rosen, X0, jac=lambda x: rosen_der(x.real), hess="cs", method="newton")


@pytest.mark.parametrize("method", UNCURVED)
@pytest.mark.parametrize("given", ["hess", "hessp"])
def test_second_derivatives_without_use_are_said(method, given):
    second = {"hess": rosen_hess, "hessp": lambda x, v: rosen_hess(x) @ v}[given]
    with pytest.warns(RuntimeWarning, match=rf"does not use second derivatives \({given}\)"):
        tw.minimize(
            rosen, X0, jac=rosen_der, method=method, options={"maxiter": 1}, **{given: second}
        )


@pytest.mark.parametrize("method", CURVED)
@pytest.mark.parametrize("where", ["everywhere", "far", "one entry"])
def test_hessians_that_are_not_finite_have_a_reason(method, where):
    def hess(x):
        hessian = rosen_hess(x)
        if where == "one entry":
            hessian[0, 1] = hessian[1, 0] = np.inf
        elif where == "everywhere" or x[0] < 0:
            hessian[:] = np.nan
        return hessian

    result = tw.minimize(
        rosen, X0, jac=rosen_der, hess=hess, method=method, options={"maxiter": 50}
    )
    assert np.isfinite(result.x).all()
    assert result.fun <= rosen(X0)
    assert "Hessian not finite in" in result.report.reason
    if not result.success:
        assert result.report.status in ("max_iter", "non_finite", "line_search_failed")


@pytest.mark.parametrize("name", ["eps", "finite_diff_rel_step"])
def test_steps_of_differences_may_differ(name):
    seen = []

    def fun(x):
        seen.append(x - X0)
        return rosen(x)

    steps = np.array([1e-3, 1e-4, 1e-5])
    tw.minimize(fun, X0, options={name: steps, "maxiter": 0})
    size = steps * (np.maximum(1, abs(X0)) if name == "finite_diff_rel_step" else 1)
    np.testing.assert_allclose(abs(np.array(seen[1:4]).diagonal()), size, rtol=1e-9)
    for wrong in (np.ones(2), [1e-3, -1.0, 1e-3], [np.nan] * 3, "1e-3"):
        with pytest.raises((ValueError, TypeError), match=rf"options\['{name}'\] must be in"):
            tw.minimize(rosen, X0, options={name: wrong})


def too_many():
    """Variables whose matrix is larger than the memory of this machine."""
    return int(np.sqrt(1.1 * psutil.virtual_memory().total / 8)) + 1


@pytest.mark.parametrize("method", DENSE)
def test_matrices_larger_than_the_memory_are_refused_with_their_size(method):
    p = too_many()
    with pytest.raises(MemoryError, match=rf"p = {p} variables, {8 * p * p} bytes"):
        tw.minimize(
            lambda x: (x @ x, 2 * x),
            np.ones(p),
            jac=True,
            hess=np.diag if flag(method, "needs_hessian") else None,
            method=method,
        )


@pytest.mark.parametrize("solver", DENSE)
def test_so_are_those_of_linear_models(solver):
    p = too_many()
    X = scipy.sparse.random_array((20, p), density=1e-3, format="csr", rng=0)
    with pytest.raises(MemoryError, match=rf"p = {p}|p = {p + 1}"):
        tw.solve(
            X,
            np.where(np.arange(20) % 2, 1.0, -1.0),
            loss="logistic",
            penalty="l2",
            alpha=1.0,
            solver=solver,
        )


@pytest.mark.parametrize("method", STEPPED)
@pytest.mark.parametrize("step", [0.0201, 0.05, 1e9])
def test_constant_steps_that_are_too_long_say_so(method, step):
    curvatures, start = np.array([1.0, 100.0]), np.array([3.0, 0.1])
    options = {"maxiter": 100_000}
    names = {p.name for p in catalogue.CATALOG["solver"][method].parameters}
    if "step_rule" not in names and step < 0.05:
        pytest.skip("grows more slowly than momentum may for a while")

    def run(length):
        with np.errstate(all="ignore"):
            return tw.minimize(
                lambda x: 0.5 * curvatures @ x**2,
                start,
                jac=lambda x: curvatures * x,
                method=method,
                options=options | {"step": length},
            )

    result = run(step)
    assert result.report.status == "line_search_failed"
    assert "step is too long" in result.report.reason
    assert result.fun <= 0.5 * curvatures @ start**2
    assert run(0.009).success


@pytest.mark.parametrize("method", catalogue.GENERAL)
@pytest.mark.filterwarnings("ignore:Method .* does not use second:RuntimeWarning")
def test_a_constant_that_drowns_the_values_does_not_end_a_run(method):
    if flag(method, "handles_kinks"):
        pytest.skip("sublinear")
    result = tw.minimize(
        lambda x: rosen(x) + 1e3,
        np.tile([-1.2, 1.0], 2),
        jac=rosen_der,
        hess=rosen_hess,
        method=method,
        tol=1e-10,
        options={"maxiter": 100_000},
    )
    assert result.success, (result.report.status, result.certificate.value)


def test_bounds_do_not_hide_that_a_step_is_too_long():
    """Of a constant of 1e12 the slope is rounding, but not what a whole step does to the value."""
    start = np.array([1 + 1e-5])

    def fun(x):
        return 1e12 + 1e3 * (x[0] - 1) ** 2, 2e3 * (x - 1)

    result = tw.minimize(
        fun, start, jac=True, method="L-BFGS-B", bounds=[(-10, 10)], options={"maxiter": 1}
    )
    assert abs(result.x[0] - 1) <= abs(start[0] - 1)


def test_bounds_do_not_lead_out_of_the_domain():
    def fun(x):
        with np.errstate(invalid="ignore"):
            return 1e12 + 0.02 * x[0] - 1e-6 * np.log(x[0]), 0.02 - 1e-6 / x

    result = tw.minimize(fun, [0.01], jac=True, method="L-BFGS-B", bounds=[(None, 10)])
    assert result.x[0] > 0
    assert np.isfinite(result.fun)


# Bounds cut projected gradients of a large unit, so that any point would do.
@pytest.mark.parametrize(
    ("method", "bounds", "unit"),
    [
        (method, None, unit)
        for method in ("BFGS", "L-BFGS", "L-BFGS-B", "CG")
        for unit in (1e-20, 1e20)
    ]
    + [("L-BFGS-B", bounds, 1e-20) for bounds in [(-100, 100), (None, 1)]],
)
def test_the_unit_of_the_function_changes_nothing(method, bounds, unit):
    result = tw.minimize(
        lambda x: unit * rosen(x),
        np.tile([-1.2, 1.0], 5),
        jac=lambda x: unit * rosen_der(x),
        method=method,
        bounds=None if bounds is None else 10 * [bounds],
        options={"gtol": 1e-8 * unit, "maxiter": 2000},
    )
    assert result.success, result.message
    np.testing.assert_allclose(result.x, 1, atol=1e-6)


def test_schemes_of_the_hessian_count_as_one():
    for hess in ("3-point", "cs"):
        result = tw.minimize(rosen, X0, jac=rosen_der, hess=hess)
        assert catalogue.flag("solver", result.report.solver, "needs_hessian")
    assert tw.minimize(rosen, X0, jac="cs", hess="3-point").success


def test_newton_cg_solves_its_systems_the_more_exactly_the_nearer_it_is():
    curvatures = np.geomspace(1, 1e3, 60)
    result = tw.minimize(
        lambda x: 0.5 * (x - 1) @ (curvatures * (x - 1)),
        np.zeros(60),
        jac=lambda x: curvatures * (x - 1),
        hessp=lambda _, v: curvatures * v,
        method="Newton-CG",
        tol=1e-10,
    )
    assert result.success
    assert result.nit <= 7
