"""`minimize` with arguments that it cannot use: each error names the argument, before any work."""

import ctypes

import numpy as np
import pytest
from scipy import LowLevelCallable
from scipy.optimize import LinearConstraint, OptimizeWarning, rosen, rosen_der, rosen_hess

import thalweg as tw
from support import catalogue

# Every method gets a Hessian, also those that say that they do not use it.
pytestmark = pytest.mark.filterwarnings("ignore:Method .* does not use second:RuntimeWarning")

X0 = np.array([-1.2, 1.0])
COMPILED = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double))(
    lambda n, x: 0.0
)
WRONG = {
    "fun": [None, 3, "rosen", LowLevelCallable(COMPILED, signature="double (double)")],
    "x0": [[], "text", [np.nan], [1.0, np.inf], [1j], [None], [[1, 2], [3]]],
    "jac": ["4-point", 3, np.ones(2)],
    "hess": ["4-point", 3, np.eye(2)],
    "hessp": [3, "2-point"],
    "method": ["no such method", 3, b"name"],
    "bounds": [
        [(0, 1)],
        [(1, 0), (0, 1)],
        [(np.nan, 1)] * 2,
        3,
        [(np.inf, None)] * 2,
        [(0,), (1,)],
    ],
    "prox": [abs],
    "constraints": [
        {"type": "eq", "fun": rosen},
        [LinearConstraint([1, 1], 0, 1)],
        LinearConstraint([1, 1], 0, 1),
        3,
    ],
    "tol": [-1, np.nan, "1e-3", True],
    "callback": [3, "callback"],
    "n_starts": [0, -1, 1.5, None],
    "random_state": [-1, 1.5, "seed"],
    "max_time": [-1, np.nan, "1"],
    "options": [
        {"maxiter": -1},
        {"maxiter": -np.inf},
        {"maxfun": 1.5},
        {"maxfun": np.nan},
        {"gtol": "no"},
        {"gtol": np.inf},
        {"ftol": -1},
        {"eps": 0},
        {"eps": [1e-8, 1e-8, 1e-8]},
    ],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_errors_name_the_argument(name, value):
    calls = []

    def fun(x):
        calls.append(x)
        return rosen(x)

    arguments = {"fun": fun, "x0": X0, "jac": rosen_der, name: value}
    with pytest.raises((ValueError, TypeError), match=rf"\b{name}\b"):
        tw.minimize(arguments.pop("fun"), arguments.pop("x0"), **arguments)
    assert not calls


@pytest.mark.parametrize("nothing", [None, (), [], {}])
def test_no_constraints(nothing):
    assert tw.minimize(rosen, X0, jac=rosen_der, constraints=nothing).success


def test_methods_without_bounds_refuse_them():
    for method in set(catalogue.MINIMIZERS) - set(catalogue.BOUNDED):
        with pytest.raises(ValueError, match="bounds must be None with method"):
            tw.minimize(rosen, X0, jac=rosen_der, bounds=[(0, 1)] * 2, method=method)


@pytest.mark.parametrize("name", catalogue.GENERAL)
def test_spellings_and_handles_of_methods(name):
    problem = {"jac": rosen_der, "hess": lambda x: np.eye(2), "options": {"maxiter": 1}}
    handle = catalogue.solver_handle(name)
    for method in (name, name.upper(), name.replace("_", "-"), handle):
        ran = tw.minimize(rosen, X0, method=method, **problem).report.solver
        assert ran == name or name == catalogue.DEFAULT_SOLVER  # which says what it chose


def solve(**options):
    return tw.minimize(rosen, X0, jac=rosen_der, **options)


@pytest.mark.filterwarnings("error")
def test_options_as_scipy_takes_them():
    usual = solve()
    for options in (
        dict.fromkeys(("maxiter", "maxfun", "maxfev", "gtol", "ftol", "eps"), None),
        {"maxiter": np.inf, "maxfun": np.inf},
        {"maxiter": 1e4, "maxfev": np.float64(1e4)},
    ):
        np.testing.assert_array_equal(solve(options=options).x, usual.x)
    assert solve(options={"maxiter": 2.0}).nit == 2
    assert solve(method=None).report.reason == usual.report.reason


REMEMBERING = [
    name
    for name in catalogue.GENERAL
    if "memory" in {p.name for p in catalogue.CATALOG["solver"][name].parameters}
]


@pytest.mark.parametrize("name", catalogue.GENERAL)
def test_options_keep_the_name_that_the_caller_wrote(name):
    if name not in REMEMBERING:
        with pytest.warns(OptimizeWarning, match="Unknown solver options: maxcor$"):
            solve(method=name, options={"maxcor": 5})
        return
    solve(method=name, options={"maxcor": 5.0})
    for wrong in (0, 1.5, "5"):
        with pytest.raises((ValueError, TypeError), match=r"options\['maxcor'\]"):
            solve(method=name, options={"maxcor": wrong})


@pytest.mark.parametrize("name", [n for n in catalogue.CATALOG["solver"] if n[0] != "a"])
def test_solvers_of_linear_models_are_refused(name):
    if name not in catalogue.MINIMIZERS:
        for method in (name, catalogue.solver_handle(name)):
            with pytest.raises(ValueError, match="method must be"):
                tw.minimize(rosen, X0, method=method)


def test_parameters_of_methods_are_options():
    for name in catalogue.GENERAL:
        entry = catalogue.CATALOG["solver"][name]
        for setting in catalogue.parameter_values(entry)[1:]:
            options = {"maxiter": 2, **setting}
            problem = {"jac": rosen_der, "hess": lambda x: np.eye(2), "method": name}
            assert np.isfinite(tw.minimize(rosen, X0, options=options, **problem).fun)


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in catalogue.GENERAL
        if catalogue.flag("solver", n, "needs_hessian")
        or catalogue.flag("solver", n, "uses_products")
    ],
)
def test_second_derivatives_are_not_differences_of_differences(name):
    pair = {"residuals": lambda x: np.array([x[0] - 1, 10 * (x[1] - x[0] ** 2)]), "x0": X0}
    for jac in (None, "2-point", "3-point"):
        for problem in ({"fun": rosen, "x0": X0}, pair):
            with pytest.raises(ValueError, match="needs hess or hessp, or jac"):
                tw.minimize(jac=jac, method=name, **problem)
        assert tw.minimize(rosen, X0, jac=jac, hess=rosen_hess, method=name, tol=1e-4).success
    assert tw.minimize(rosen, X0, jac="cs", method=name).success
    if not catalogue.flag("solver", name, "needs_hessian"):
        assert tw.minimize(jac="cs", method=name, **pair).success


def test_the_choice_says_that_a_hessian_needs_a_gradient_beside_it():
    result = tw.minimize(rosen, X0, hess=rosen_hess, options={"maxiter": 1})
    assert "no jac beside the Hessian" in result.report.reason
    assert "a Hessian" in solve(hess=rosen_hess).report.reason
