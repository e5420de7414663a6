"""`hess_inv` of the quasi-Newton methods, as SciPy's results have it."""

import numpy as np
import pytest
import scipy.optimize

import thalweg as tw

LIMITED = ["L-BFGS", "L-BFGS-B"]
SIZE = 6


@pytest.fixture(scope="module")
def quadratic():
    rng = np.random.default_rng(0)
    factor = rng.standard_normal((SIZE, SIZE))
    hessian = factor @ factor.T + np.eye(SIZE)
    centre = rng.standard_normal(SIZE)
    return hessian, {
        "fun": lambda x: 0.5 * (x - centre) @ hessian @ (x - centre),
        "jac": lambda x: hessian @ (x - centre),
        "x0": np.zeros(SIZE),
    }


def test_bfgs_finds_the_inverse_hessian(quadratic):
    hessian, problem = quadratic
    found = tw.minimize(**problem, method="BFGS", tol=1e-10).hess_inv
    assert found.shape == (SIZE, SIZE)
    np.testing.assert_allclose(found, found.T, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found @ hessian, np.eye(SIZE), atol=0.2)


@pytest.mark.parametrize("method", LIMITED)
def test_pairs_are_those_of_the_last_steps(quadratic, method):
    hessian, problem = quadratic
    found = tw.minimize(**problem, method=method, tol=1e-8, options={"maxcor": 3}).hess_inv
    assert isinstance(found, scipy.optimize.LbfgsInvHessProduct)
    assert found.sk.shape == found.yk.shape == (3, SIZE)
    np.testing.assert_allclose(found.sk @ hessian, found.yk, rtol=1e-5, atol=1e-9)
    # The newest pair comes last: SciPy's product satisfies its secant equation.
    np.testing.assert_allclose(found @ found.yk[-1], found.sk[-1], rtol=1e-8, atol=1e-12)


def test_pairs_of_many_variables_are_of_float32():
    curvatures = np.geomspace(1, 1e4, 50_000)
    found = tw.minimize(
        lambda x: 0.5 * (x - 1) @ (curvatures * (x - 1)),
        np.zeros(len(curvatures)),
        jac=lambda x: curvatures * (x - 1),
        method="L-BFGS",
        options={"maxcor": 3, "maxiter": 12},
    ).hess_inv
    assert found.sk.shape == found.yk.shape == (3, len(curvatures))
    for s, y in zip(found.sk, found.yk, strict=True):
        np.testing.assert_allclose(s * curvatures, y, atol=1e-6 * np.abs(y).max())
    np.testing.assert_allclose(
        found @ found.yk[-1], found.sk[-1], atol=1e-5 * np.abs(found.sk[-1]).max()
    )


@pytest.mark.parametrize("method", ["BFGS", *LIMITED])
def test_nothing_is_known_where_no_step_was_taken(quadratic, method):
    _, problem = quadratic
    result = tw.minimize(**problem, method=method, options={"maxiter": 0})
    inverse = result.hess_inv
    dense = inverse if method == "BFGS" else inverse.todense()
    np.testing.assert_array_equal(dense, np.eye(SIZE))


def test_of_several_starts_the_lowest_has_it():
    # Two valleys of unlike curvature, of which the start's is the higher one.
    def fun(x):
        return float(min(50 * (x[0] - 2) ** 2 + 1, (x[0] + 2) ** 2))

    def jac(x):
        low = (x[0] + 2) ** 2 < 50 * (x[0] - 2) ** 2 + 1
        return np.array([2 * (x[0] + 2) if low else 100 * (x[0] - 2)])

    result = tw.minimize(fun, [2.1], jac=jac, method="BFGS", n_starts=5, bounds=None)
    assert result.fun < 1e-6
    np.testing.assert_allclose(result.hess_inv, [[0.5]], rtol=1e-6)


def test_scipy_hands_it_on(quadratic):
    _, problem = quadratic
    ours = scipy.optimize.minimize(**problem, method=tw.scipy_method("L-BFGS"))
    assert (ours.hess_inv @ np.ones(SIZE)).shape == (SIZE,)


def test_other_methods_have_none(quadratic):
    _, problem = quadratic
    assert "hess_inv" not in tw.minimize(**problem, method="CG")
