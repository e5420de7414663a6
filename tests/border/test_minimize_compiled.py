"""Compiled objectives: function pointers that run without the interpreter."""

import ctypes
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from scipy import LowLevelCallable

import thalweg as tw
from support import catalogue

# Every method gets a Hessian, also those that say that they do not use it.
pytestmark = pytest.mark.filterwarnings("ignore:Method .* does not use second:RuntimeWarning")

SOURCE = """
#include <math.h>
#include <unistd.h>

/* sum (x_j - c)^2 + 0.1 (x_j - c)^4; c is *data, or 1 */
double quartic(int n, const double *x, double *gradient, void *data) {
  const double c = data ? *(const double *)data : 1.0;
  double sum = 0;
  for (int j = 0; j < n; ++j) {
    const double d = x[j] - c;
    sum += d * d + 0.1 * d * d * d * d;
    if (gradient) gradient[j] = 2 * d + 0.4 * d * d * d;
  }
  return sum;
}
double with_data(int n, const double *x, void *data) { return quartic(n, x, 0, data); }
double plain(int n, const double *x) { return quartic(n, x, 0, 0); }
double slow(int n, const double *x, double *gradient, void *data) {
  usleep(20000);
  return quartic(n, x, gradient, data);
}
/* 1 ms a call. */
double flat(int n, const double *x, double *gradient, void *data) {
  usleep(1000);
  double sum = 0;
  for (int j = 0; j < n; ++j) {
    sum += x[j] * x[j] * x[j] * x[j];
    if (gradient) gradient[j] = 4 * x[j] * x[j] * x[j];
  }
  return sum;
}
double not_a_number(int n, const double *x, double *gradient, void *data) {
  for (int j = 0; gradient && j < n; ++j) gradient[j] = NAN;
  return NAN;
}
double forgetful(int n, const double *x, double *gradient, void *data) {
  return quartic(n, x, 0, data);
}
"""
DOUBLES = ctypes.POINTER(ctypes.c_double)
WITH_GRADIENT = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, DOUBLES, DOUBLES, ctypes.c_void_p)
WITH_DATA = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, DOUBLES, ctypes.c_void_p)
PLAIN = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, DOUBLES)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("compiled")
    (folder / "functions.c").write_text(SOURCE)
    target = folder / "functions.so"
    command = [compiler, "-O2", "-shared", "-fPIC", folder / "functions.c", "-o", target, "-lm"]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(target))


@pytest.fixture
def function(library):
    def get(name, prototype=WITH_GRADIENT):
        return prototype((name, library))

    return get


@pytest.mark.parametrize(
    ("name", "prototype"),
    [("quartic", WITH_GRADIENT), ("with_data", WITH_DATA), ("plain", PLAIN)],
)
@pytest.mark.parametrize(
    "wrap", [lambda f: f, LowLevelCallable], ids=["ctypes", "LowLevelCallable"]
)
def test_function_pointers(function, name, prototype, wrap):
    result = tw.minimize(wrap(function(name, prototype)), np.linspace(-3, 3, 20))
    assert result.success
    np.testing.assert_allclose(result.x, 1.0, atol=1e-4)
    values_a_gradient = 1 if prototype is WITH_GRADIENT else 21
    assert result.nfev >= values_a_gradient * result.njev


def test_cffi_pointers(library):
    ffi = pytest.importorskip("cffi").FFI()
    ffi.cdef("double quartic(int n, double *x, double *gradient, void *data);")
    ffi.cdef("double plain(int n, double *x);")
    opened = ffi.dlopen(library._name)
    for name in ("quartic", "plain"):
        function = ffi.addressof(opened, name)
        for wrapped in (function, LowLevelCallable(function)):
            result = tw.minimize(wrapped, np.linspace(-3, 3, 8))
            assert result.success
            np.testing.assert_allclose(result.x, 1.0, atol=1e-4)


def test_numba_pointers():
    numba = pytest.importorskip("numba")
    types = numba.types
    doubles = types.CPointer(types.float64)

    @numba.cfunc(types.float64(types.intc, doubles, doubles, types.voidptr))
    def quadratic(n, x, gradient, data):
        total = 0.0
        for j in range(n):
            total += (x[j] - 1.0) ** 2
            gradient[j] = 2.0 * (x[j] - 1.0)
        return total

    for wrapped in (quadratic, LowLevelCallable(quadratic.ctypes)):
        result = tw.minimize(wrapped, np.linspace(-3, 3, 8))
        assert result.success
        np.testing.assert_allclose(result.x, 1.0, atol=1e-6)


def test_user_data(function):
    centre = ctypes.c_double(3.5)
    data = ctypes.cast(ctypes.pointer(centre), ctypes.c_void_p)
    result = tw.minimize(LowLevelCallable(function("quartic"), data), np.zeros(5))
    np.testing.assert_allclose(result.x, 3.5, atol=1e-4)


@pytest.mark.parametrize("method", catalogue.GENERAL)
def test_they_give_what_the_same_python_function_gives(function, method):
    compiled = function("quartic")
    start = np.linspace(-2, 2, 7)

    def fun(x):
        x, gradient = np.ascontiguousarray(x), np.empty(x.size)
        value = compiled(x.size, x.ctypes.data_as(DOUBLES), gradient.ctypes.data_as(DOUBLES), None)
        return value, gradient

    def hess(x):
        return np.diag(2 + 1.2 * (x - 1) ** 2)

    mine = tw.minimize(compiled, start, hess=hess, method=method, options={"maxiter": 20})
    python = tw.minimize(fun, start, jac=True, hess=hess, method=method, options={"maxiter": 20})
    np.testing.assert_array_equal(mine.x, python.x)
    assert mine.nit == python.nit
    assert mine.nfev >= python.nfev  # values of Python functions are kept for the gradient


def test_differences_and_bounds(function):
    bounds = [(-1, 0.5)] * 3
    for jac in ("2-point", "3-point"):
        result = tw.minimize(function("plain", PLAIN), np.zeros(3), jac=jac, bounds=bounds)
        np.testing.assert_allclose(result.x, 0.5)
        forced = tw.minimize(function("quartic"), np.zeros(3), jac=jac, bounds=bounds)
        np.testing.assert_allclose(forced.x, 0.5)
        assert forced.nfev > 3 * forced.njev


def test_nan_is_a_status(function):
    assert tw.minimize(function("not_a_number"), np.zeros(3)).report.status == "non_finite"


def test_a_gradient_that_is_not_written_is_none(function):
    result = tw.minimize(function("forgetful"), np.zeros(3))
    assert result.report.status == "non_finite"


def test_the_interpreter_is_free_meanwhile(function):
    ticks = []

    def tick():
        while not done:
            ticks.append(time.perf_counter())
            time.sleep(0.005)

    done = []
    thread = threading.Thread(target=tick)
    thread.start()
    result = tw.minimize(function("slow"), np.zeros(2), tol=1e-9)
    done.append(True)
    thread.join()
    assert len(ticks) > result.nfev  # 20 ms a call against 5 ms a tick


@pytest.mark.parametrize("what", ["signature", "args", "jac", "cs"])
def test_wrong_use_is_refused(function, what):
    f = function("quartic")
    if what == "signature":
        f = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(abs)
    options = {"args": {"args": (1.0,)}, "jac": {"jac": True}, "cs": {"jac": "cs"}}.get(what, {})
    names = {"signature": "fun"}.get(what, what if what != "cs" else "jac")
    with pytest.raises(ValueError, match=names):
        tw.minimize(f, np.zeros(3), **options)


def test_functions_without_argument_types_are_named(library):
    with pytest.raises(TypeError, match=r"fun must have a signature, .*argtypes"):
        tw.minimize(library["plain"], np.zeros(3))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("kind", ["compiled", "python"])
def test_ctrl_c_leaves_the_last_certified_point(function, kind):
    """How long it takes is not asserted: a loaded machine has its own idea of that."""
    flat = function("flat")

    def python(x):
        time.sleep(1e-3)
        return (x**4).sum(), 4 * x**3

    def interrupt(*_):
        raise KeyboardInterrupt

    fun, jac = (flat, None) if kind == "compiled" else (python, True)

    def run():
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        while True:  # solves may end before
            tw.minimize(fun, np.full(5, 3.0), jac=jac, tol=0, n_starts=10**6)

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            run()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    result = caught.value.result
    assert result.report.status in ("stopped", "converged", "stalled", "line_search_failed")
    assert np.isfinite(result.x).all()
    assert np.isfinite(result.certificate.value)
