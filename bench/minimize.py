"""Minimization of functions beside SciPy's L-BFGS-B.

python bench/minimize.py                both tables
python bench/minimize.py evaluations    the problems of More, Garbow and Hillstrom
python bench/minimize.py overhead       the time of an iteration
"""

from __future__ import annotations

import argparse
import ctypes
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from environment import ensure_clean_environment

TOL = 1e-6
METHODS = ("l-bfgs", "l-bfgs-b")
SCIPY_OPTIONS = {"ftol": 1e-30, "gtol": TOL, "maxcor": 10, "maxiter": 15000, "maxfun": 15000}
SIZE = 100
ITERATIONS = 300

# The extended Rosenbrock function: cheap, and L-BFGS takes hundreds of iterations on it when every
# pair has its own condition.
SOURCE = """
double objective(int n, const double *x, double *g, void *data) {
  double sum = 0;
  (void)data;
  for (int i = 0; i < n; i += 2) {
    const double c = 10.0 + i, a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
    sum += c * a * a + b * b;
    if (g) { g[i] = -4 * c * x[i] * a - 2 * b; g[i + 1] = 2 * c * a; }
  }
  return sum;
}
double loop(int times, int n, const double *x, double *g) {
  double sum = 0;
  for (int k = 0; k < times; ++k) {
    sum += objective(n, x, g, 0);
    ((volatile double *)g)[0] = g[0];
  }
  return sum;
}
"""


def evaluations():
    """Print what each method needs on each problem from the standard start."""
    import numpy as np
    import scipy.optimize

    import thalweg as tw
    from support.more_garbow_hillstrom import PROBLEMS

    print(f"evaluations to a projected gradient of {TOL:g} ('-': not reached)")
    print(f"{'problem':34}{'scipy':>10}" + "".join(f"{method:>10}" for method in METHODS))
    solved = dict.fromkeys(("scipy", *METHODS), 0)
    totals = {method: [0, 0] for method in METHODS}

    def count(problem, result):
        return result.nfev if abs(problem.gradient(result.x)).max() <= TOL else None

    for problem in PROBLEMS:
        with np.errstate(all="ignore"):
            reference = scipy.optimize.minimize(
                problem.fun_and_gradient,
                problem.start,
                jac=True,
                method="L-BFGS-B",
                options=SCIPY_OPTIONS,
            )
        row = {"scipy": count(problem, reference)}
        for method in METHODS:
            result = tw.minimize(
                problem.fun_and_gradient, problem.start, jac=True, method=method, tol=TOL
            )
            row[method] = count(problem, result)
            if row["scipy"] is not None and row[method] is not None:
                totals[method][0] += row["scipy"]
                totals[method][1] += row[method]
        for name, value in row.items():
            solved[name] += value is not None
        cells = "".join(f"{'-' if value is None else value:>10}" for value in row.values())
        print(f"{problem.number:3} {problem.name:30}{cells}")
    print(f"{'solved':34}" + "".join(f"{value:>10}" for value in solved.values()))
    for method, (scipys, own) in totals.items():
        print(f"on problems that both solve: scipy {scipys}, {method} {own} ({own / scipys:.2f})")


def compile_objective(folder):
    """Build the C function; return its library."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        sys.exit("the overhead needs a C compiler")
    source, target = Path(folder) / "objective.c", Path(folder) / "objective.so"
    source.write_text(SOURCE)
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", source, "-o", target], check=True)
    return ctypes.CDLL(str(target))


def best_time(run, repeats=7):
    """Return the shortest time of several runs, and the last result."""
    best, result = float("inf"), None
    for _ in range(repeats):
        began = time.perf_counter()
        result = run()
        best = min(best, time.perf_counter() - began)
    return best, result


def per_iteration(run, seconds_a_call):
    """Return seconds per iteration without those of the objective, and the iterations."""
    seconds, result = best_time(run)
    return (seconds - result.nfev * seconds_a_call) / result.nit, result.nit


def overhead():
    """Print the time per iteration beside SciPy's, without that of the objective."""
    import numpy as np
    import scipy.optimize

    import thalweg as tw

    doubles = ctypes.POINTER(ctypes.c_double)
    arguments = (ctypes.c_int, doubles, doubles, ctypes.c_void_p)
    start = np.tile([-1.2, 1.0], SIZE // 2)
    with tempfile.TemporaryDirectory() as folder:
        library = compile_objective(folder)
        compiled = ctypes.CFUNCTYPE(ctypes.c_double, *arguments)(("objective", library))
        # SciPy's fastest way to a C function: ctypes with addresses, which costs least per call.
        raw = library.objective
        raw.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
        raw.restype = ctypes.c_double
        gradient = np.empty(SIZE)
        address = gradient.ctypes.data

        def wrapped(x):
            return raw(SIZE, x.ctypes.data, address, None), gradient

        def python(x):
            a, b = x[1::2] - x[::2] ** 2, 1 - x[::2]
            g = np.empty_like(x)
            g[::2], g[1::2] = -4 * weights * x[::2] * a - 2 * b, 2 * weights * a
            return weights @ a**2 + b @ b, g

        weights = 10.0 + np.arange(0, SIZE, 2)
        loop = library.loop
        loop.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        times = 20000
        pure = best_time(lambda: loop(times, SIZE, start.ctypes.data, address))[0] / times
        cost = {
            "compiled": {"scipy": pure, "thalweg": pure},
            "python": dict.fromkeys(
                ("scipy", "thalweg"),
                best_time(lambda: [python(start) for _ in range(2000)])[0] / 2000,
            ),
        }
        options = SCIPY_OPTIONS | {"gtol": 0, "ftol": 0, "maxiter": ITERATIONS}
        print(f"\noverhead of an iteration, n = {SIZE}, objective subtracted")
        print(f"{'objective':12}{'scipy us':>10}{'thalweg us':>12}{'ratio':>8}{'wanted':>8}")
        for kind, scipy_fun, own_fun, own_jac, wanted in (
            ("compiled", wrapped, compiled, None, 0.2),
            ("python", python, python, True, 0.5),
        ):
            theirs, n_theirs = per_iteration(
                lambda fun=scipy_fun: scipy.optimize.minimize(
                    fun, start, jac=True, method="L-BFGS-B", options=options
                ),
                cost[kind]["scipy"],
            )
            own, n_own = per_iteration(
                lambda fun=own_fun, jac=own_jac: tw.minimize(
                    fun, start, jac=jac, method="l-bfgs", tol=0, options={"maxiter": ITERATIONS}
                ),
                cost[kind]["thalweg"],
            )
            print(
                f"{kind:12}{1e6 * theirs:>10.2f}{1e6 * own:>12.2f}{own / theirs:>8.2f}{wanted:>8}"
                f"   ({n_theirs} and {n_own} iterations)"
            )


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", nargs="?", choices=("all", "evaluations", "overhead"))
    table = parser.parse_args().table or "all"
    ensure_clean_environment(1)
    if table in ("all", "evaluations"):
        evaluations()
    if table in ("all", "overhead"):
        overhead()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    main()
