"""Peak resident memory during a fit, less that just before it.

python bench/memory.py [--loss lasso] [--solver thalweg] [--megabytes 220] [--cases tall-c,csr]
python bench/memory.py --cases narrow4-c,narrow10-f [--cv 5-fold]
python bench/memory.py --cases narrow20-c --megabytes 0.8 --cv leave-one-out

Each case runs in a fresh process: build the data, fit a tiny problem so that the library is
loaded, return freed memory to the system, reset the kernel's high-water mark, fit, read the mark.

The allowance printed for the Lasso is 0.2 times the array plus 32 MB plus the Gram block that
Thalweg's report states (at most 0.5 times the array); for CSR, one conversion (1.0 times the array)
on top. For smooth losses, with K coefficients per feature, it is 0.3 times a dense array or 1.2
times a sparse one (a transposed copy), 8 (2 m + 6) K p bytes for vectors of coefficients with
m = 10 pairs of L-BFGS, 24 n K bytes for predictions, and at most 8 (K p)^2 bytes for a Hessian
where the report states one, as it does for Newton's method under any of its names.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

import rivals
from environment import clean_environment, ensure_clean_environment

ASPECTS = {"tall": 10.0, "square": 1.25, "wide": 1 / 25}  # rows to columns
# Columns where a vector over the rows is no longer small beside X.
NARROW = {"narrow4": 4, "narrow10": 10, "narrow20": 20, "narrow40": 40}
DEFAULT_CASES = (*(f"{shape}-{order}" for shape in ASPECTS for order in "cf"), "csr", "csc")
CASES = (*DEFAULT_CASES, *(f"{shape}-{order}" for shape in NARROW for order in "cf"))
MEGABYTE = 1e6
LOSSES = ("lasso", *rivals.SMOOTH_TABLES)
N_CLASSES = 10  # of the multinomial loss
# alpha/alpha_max, C, C, alpha; as in compare.py
LEVELS = {"lasso": 0.1, "logistic": 1.0, "multinomial": 1.0, "poisson": 1e-4}
L_BFGS_PAIRS = 10
FACTORISES = "newton"  # the solver that may hold a Hessian
N_ALPHAS, WEAKEST = 100, 1e-3  # of a cross-validation


def splitters() -> dict:
    """Ways to cross-validate, by name."""
    from sklearn import model_selection as sk

    return {
        "5-fold": sk.KFold(5),
        "shuffled": sk.KFold(5, shuffle=True, random_state=0),
        "leave-one-out": sk.LeaveOneOut(),
        "shuffle-split": sk.ShuffleSplit(10, random_state=0),
        "time-series": sk.TimeSeriesSplit(5),
    }


def _status(field: str) -> int:
    """Read a field of /proc/self/status in bytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise OSError(f"no {field} in /proc/self/status")


class PeakMemory:
    """Context manager: `before` and `peak` resident bytes of this process."""

    def __enter__(self) -> Self:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        self._stop = threading.Event()
        self._sampler = None
        try:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        except OSError:
            # Some containers forbid the reset; then a thread samples the resident size.
            self._sampler = threading.Thread(target=self._sample, daemon=True)
        self.before = self.peak = _status("VmRSS")
        if self._sampler:
            self._sampler.start()
        return self

    def __exit__(self, *_exc) -> None:
        if self._sampler:
            self._stop.set()
            self._sampler.join()
        else:
            self.peak = _status("VmHWM")

    def _sample(self) -> None:
        while not self._stop.wait(0.001):
            self.peak = max(self.peak, _status("VmRSS"))


def build(case: str, loss: str, megabytes: float):
    """Return (X, y) of about `megabytes`: dense of some aspect, or sparse with 100 per row."""
    import numpy as np
    import scipy.sparse as sp

    rng = np.random.default_rng(0)
    values = int(megabytes * MEGABYTE / 8)
    if case in ("csr", "csc"):
        per_row = 100
        n = int(megabytes * MEGABYTE / (12 * per_row))
        p = max(n // 4, 2 * per_row)
        # One entry in each of 100 blocks of columns: sorted and without duplicates.
        block = p // per_row
        starts = np.arange(per_row, dtype=np.int32) * block
        indices = starts + rng.integers(0, block, size=(n, per_row), dtype=np.int32)
        indptr = np.arange(0, n * per_row + 1, per_row, dtype=np.int32)
        data = rng.standard_normal(n * per_row)
        X = sp.csr_matrix((data, indices.ravel(), indptr), shape=(n, p))
        X = X.tocsc() if case == "csc" else X
    else:
        shape, order = case.split("-")
        p = NARROW.get(shape) or int((values / ASPECTS[shape]) ** 0.5)
        n = values // p
        X = rng.standard_normal((p, n)).T if order == "f" else rng.standard_normal((n, p))
    y = X @ (rng.standard_normal(X.shape[1]) * (rng.random(X.shape[1]) < 0.01))
    # A tiny problem may have no signal.
    y = y + rng.standard_normal(X.shape[0]) * (y.std() or 1.0)
    if loss == "poisson":
        y = rng.poisson(np.exp(y / y.std())).astype(np.float64)
    elif loss != "lasso":
        classes = N_CLASSES if loss == "multinomial" else 2
        y = np.digitize(y, np.quantile(y, np.arange(1, classes) / classes))
    return X, y


def size_of(X) -> int:
    """Bytes of the matrix as the caller holds it."""
    return X.nbytes if hasattr(X, "nbytes") else X.data.nbytes + X.indices.nbytes + X.indptr.nbytes


def strength(loss: str, X, y, level: float) -> float:
    """Return alpha from what the command line says in the loss's own terms."""
    from objective import alpha_max

    if loss == "lasso":
        return level * alpha_max(X, y)
    return level if loss == "poisson" else 1.0 / (level * X.shape[0])


def measure(args: argparse.Namespace) -> dict:
    """Measure the case `args.child` in this process."""
    import numpy as np

    case, loss = args.child, args.loss
    solver = rivals.solver_class(args.solver)(args.threads)
    X, y = build(case, loss, args.megabytes)
    small_X, small_y = build(case, loss, 0.2)
    alpha = strength(loss, X, y, args.level)
    n, p = X.shape
    outputs = N_CLASSES if loss == "multinomial" else 1
    config = solver.configs(loss, n, p * outputs)[0]
    unit = alpha / args.level if loss == "lasso" and solver.absolute_tol else 1.0

    splitter = splitters().get(args.cv)
    alphas = alpha / args.level * np.geomspace(1, WEAKEST, N_ALPHAS)

    def fit(X, y):
        if splitter is not None:
            solver.cv(X, y, alphas, splitter, args.tol, config)
        elif loss == "lasso":
            solver.fit(X, y, alpha, unit * args.tol, config, False)
        else:
            solver.glm(loss, X, y, None, alpha, args.tol, config)

    fit(small_X, small_y)
    with PeakMemory() as memory:
        fit(X, y)
    report = getattr(getattr(solver, "model", None), "report_", None)
    return {
        "case": case,
        "shape": list(X.shape),
        "size": size_of(X),
        "extra": memory.peak - memory.before,
        "outputs": outputs,
        "solver": str(getattr(report, "solver", config)),
        "gram": int(getattr(report, "gram_bytes", 0)),
        "copies": str(getattr(report, "copies", "-")),
    }


def allowance(found: dict, loss: str) -> float:
    """Bytes that the fit may use beyond its input."""
    if loss != "lasso":
        n, p = found["shape"]
        coefs = found["outputs"] * p
        vectors = 8 * (2 * L_BFGS_PAIRS + 6) * coefs + 24 * n * found["outputs"]
        hessian = min(found["gram"], 8 * coefs**2) if found["solver"] == FACTORISES else 0
        share = 1.2 if found["case"] in ("csr", "csc") else 0.3
        return share * found["size"] + vectors + hessian
    conversion = found["size"] if found["case"] == "csr" else 0
    gram = min(found["gram"], 0.5 * found["size"])
    return 0.2 * found["size"] + 32 * MEGABYTE + gram + conversion


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loss", choices=LOSSES, default="lasso")
    parser.add_argument("--solver", choices=rivals.KEYS, default="thalweg")
    parser.add_argument("--cv", choices=tuple(splitters()), help="LassoCV with these folds")
    parser.add_argument("--cases", default=",".join(DEFAULT_CASES))
    parser.add_argument("--megabytes", type=float, default=220.0)
    parser.add_argument("--tol", type=float, default=1e-6)
    parser.add_argument("--level", type=float, help="alpha/alpha_max, C or alpha, as in compare.py")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--child", choices=CASES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.cv and args.loss != "lasso":
        parser.error("--cv is of the Lasso")
    if args.loss not in rivals.solver_class(args.solver).tables:
        parser.error(f"{args.solver} does not fit the loss {args.loss}")
    args.level = args.level or LEVELS[args.loss]
    ensure_clean_environment(args.threads)
    reason = rivals.solver_class(args.solver).skip()
    if reason:
        print(f"skipped: {args.solver}: {reason}")
        return 0
    if args.child:
        print(json.dumps(measure(args)))
        return 0
    over = 0
    print(
        "case      shape           array MB  extra MB  extra/array  Gram MB  allowed MB"
        "  solver; copies"
    )
    for case in args.cases.split(","):
        child = subprocess.run(
            [sys.executable, *sys.argv, "--child", case],
            env=clean_environment(args.threads),
            stdout=subprocess.PIPE,
            check=True,
        )
        found = json.loads(child.stdout.splitlines()[-1])
        allowed = allowance(found, args.loss)
        over += found["extra"] > allowed
        size = "x".join(str(k) for k in found["shape"])
        print(
            f"{case:9} {size:15} {found['size'] / MEGABYTE:8.1f}  {found['extra'] / MEGABYTE:8.1f}"
            f"  {found['extra'] / found['size']:11.3f}  {found['gram'] / MEGABYTE:7.1f}"
            f"  {allowed / MEGABYTE:10.1f}  {found['solver']}; {found['copies']}"
            + ("  OVER" if found["extra"] > allowed else ""),
            flush=True,
        )
    return int(over > 0 and args.solver == "thalweg")


if __name__ == "__main__":
    sys.exit(main())
