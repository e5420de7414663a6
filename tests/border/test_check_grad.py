"""`check_grad` accepts right gradients, and finds wrong ones and kinks."""

import ctypes

import numpy as np
import pytest
from scipy import LowLevelCallable
from scipy.optimize import rosen, rosen_der

import thalweg as tw
from support.more_garbow_hillstrom import PROBLEMS

X = np.array([-1.2, 1.0, 0.5, 2.0])


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_right_gradients_pass(problem):
    x = problem.start + 0.01 * np.cos(np.arange(problem.size))
    check = tw.check_grad(problem.fun, x, problem.gradient)
    assert float(check) < 1e-5
    assert not check.kinks.size


def test_jac_true_and_args():
    def fun(x, scale):
        return scale * rosen(x), scale * rosen_der(x)

    assert float(tw.check_grad(fun, X, True, args=(3.0,))) < 1e-8
    wrong = tw.check_grad(lambda x, s: s * rosen(x), X, lambda x, s: rosen_der(x), args=3.0)
    assert float(wrong) == pytest.approx(0.5)


WRONG = {
    "a sign": lambda g: g * [1, -1, 1, 1],
    "a factor": lambda g: g * [1, 1.001, 1, 1],
    "an entry": lambda g: g + np.array([0, 1e-2, 0, 0]),
    "zero": lambda g: g * [1, 0, 1, 1],
    "not a number": lambda g: g * [1, np.nan, 1, 1],
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_wrong_gradients_are_found_where_they_are(wrong):
    check = tw.check_grad(rosen, X, lambda x: wrong(rosen_der(x)))
    assert not float(check) < 1e-6
    assert check.worst == 1
    assert check.errors.argmax() == 1
    assert f"largest difference at coordinate {check.worst}" in str(check)
    right = np.delete(check.errors, 1)
    assert right.max() < 1e-7


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_kinks_are_found_and_left_out(scale):
    def fun(x):
        return scale * (abs(x[0]) + max(0.0, x[1] - 2.0) + x[2] ** 2 + np.exp(x[3]))

    def jac(x):
        return scale * np.array([np.sign(x[0]), x[1] > 2.0, 2 * x[2], np.exp(x[3])])

    at_kinks = tw.check_grad(fun, [0.0, 2.0, 0.0, 1.0], jac)
    np.testing.assert_array_equal(at_kinks.kinks, [0, 1])
    assert float(at_kinks) < 1e-8
    assert str(at_kinks).count("kink") == 2
    away = tw.check_grad(fun, [0.1, 2.1, 0.0, 1.0], jac)
    assert not away.kinks.size
    assert float(away) < 1e-8


@pytest.mark.parametrize("scale", [1e-170, 1e-300, 1e200, 1e300])
def test_gradients_of_any_size_are_compared(scale):
    def check(factor):
        return float(tw.check_grad(lambda x: scale * (x @ x), X, lambda x: factor * scale * x))

    assert check(2) < 1e-8
    assert check(50) == pytest.approx(48 / 52)
    assert check(-2) == pytest.approx(1.0)


def test_where_every_coordinate_is_a_kink_nothing_was_compared():
    check = tw.check_grad(lambda x: abs(x).sum(), np.zeros(2), lambda x: x + 77)
    np.testing.assert_array_equal(check.kinks, [0, 1])
    assert np.isnan(float(check))


def test_flat_functions_have_no_error():
    check = tw.check_grad(lambda x: 5.0, X, np.zeros_like)
    assert float(check) == 0.0
    assert not check.errors.any()


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match="fun must be callable"):
        tw.check_grad(3, X, rosen_der)
    compiled = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double))
    for fun in (compiled(lambda n, x: 0.0), LowLevelCallable(compiled(lambda n, x: 0.0))):
        with pytest.raises(TypeError, match="fun must be a Python function"):
            tw.check_grad(fun, X, rosen_der)
    with pytest.raises(TypeError, match="jac must be callable"):
        tw.check_grad(rosen, X, None)
    with pytest.raises(ValueError, match="jac must return 4 numbers"):
        tw.check_grad(rosen, X, lambda x: x[:2])
    with pytest.raises(ValueError, match="x0 must be finite"):
        tw.check_grad(rosen, [np.nan], rosen_der)


@pytest.mark.parametrize("answer", ["text", None, 1j, X, {}], ids=repr)
def test_functions_that_return_no_number_are_named(answer):
    with pytest.raises(TypeError, match=r"fun must return a real number; got"):
        tw.check_grad(lambda x: answer, X, rosen_der)
    with pytest.raises(TypeError, match=r"fun must return a real number; got"):
        tw.check_grad(lambda x: (answer, rosen_der(x)), X, True)
    with pytest.raises(TypeError, match=r"fun must return \(f, gradient\) where jac is True; got"):
        tw.check_grad(lambda x: 1.0, X, True)
