"""Peak resident memory during a fit, less that just before it.

python bench/memory.py [--solver thalweg] [--megabytes 220] [--cases tall-c,wide-f,csr] [--tol 1e-6]

Each case runs in a fresh process: build the data, fit a tiny problem so that the library is
loaded, return freed memory to the system, reset the kernel's high-water mark, fit, read the mark.
The allowance printed is 0.2 times the array plus 32 MB plus the Gram block that Thalweg's report
states (at most 0.5 times the array); for CSR, one conversion (1.0 times the array) on top.
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

CASES = ("tall-c", "tall-f", "square-c", "square-f", "wide-c", "wide-f", "csr", "csc")
ASPECTS = {"tall": 10.0, "square": 1.25, "wide": 1 / 25}  # rows to columns
MEGABYTE = 1e6


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


def build(case: str, megabytes: float):
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
        p = int((values / ASPECTS[shape]) ** 0.5)
        n = values // p
        X = rng.standard_normal((p, n)).T if order == "f" else rng.standard_normal((n, p))
    y = X @ (rng.standard_normal(X.shape[1]) * (rng.random(X.shape[1]) < 0.01))
    return X, y + rng.standard_normal(X.shape[0]) * y.std()


def size_of(X) -> int:
    """Bytes of the matrix as the caller holds it."""
    return X.nbytes if hasattr(X, "nbytes") else X.data.nbytes + X.indices.nbytes + X.indptr.nbytes


def measure(case: str, key: str, megabytes: float, tol: float, ratio: float, threads: int) -> dict:
    """Measure one case in this process."""
    from objective import alpha_max

    solver = rivals.solver_class(key)(threads)
    X, y = build(case, megabytes)
    alpha = ratio * alpha_max(X, y)
    config = solver.configs("lasso", *X.shape)[0]
    unit = alpha / ratio if solver.absolute_tol else 1.0
    small_X, small_y = build(case, 0.2)
    solver.fit(small_X, small_y, alpha, unit * tol, config, False)
    with PeakMemory() as memory:
        solver.fit(X, y, alpha, unit * tol, config, False)
    report = getattr(getattr(solver, "model", None), "report_", None)
    return {
        "case": case,
        "shape": list(X.shape),
        "size": size_of(X),
        "extra": memory.peak - memory.before,
        "gram": int(getattr(report, "gram_bytes", 0)),
        "copies": str(getattr(report, "copies", "-")),
    }


def allowance(found: dict) -> float:
    """Bytes that the fit may use beyond its input."""
    conversion = found["size"] if found["case"] == "csr" else 0
    gram = min(found["gram"], 0.5 * found["size"])
    return 0.2 * found["size"] + 32 * MEGABYTE + gram + conversion


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--solver", choices=rivals.KEYS, default="thalweg")
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--megabytes", type=float, default=220.0)
    parser.add_argument("--tol", type=float, default=1e-6)
    parser.add_argument("--ratio", type=float, default=0.1, help="alpha/alpha_max")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--child", choices=CASES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    ensure_clean_environment(args.threads)
    reason = rivals.solver_class(args.solver).skip()
    if reason:
        print(f"skipped: {args.solver}: {reason}")
        return 0
    if args.child:
        found = measure(args.child, args.solver, args.megabytes, args.tol, args.ratio, args.threads)
        print(json.dumps(found))
        return 0
    over = 0
    print("case    shape            array MB  extra MB  extra/array  Gram MB  allowed MB  copies")
    for case in args.cases.split(","):
        child = subprocess.run(
            [sys.executable, *sys.argv, "--child", case],
            env=clean_environment(args.threads),
            stdout=subprocess.PIPE,
            check=True,
        )
        found = json.loads(child.stdout.splitlines()[-1])
        allowed = allowance(found)
        over += found["extra"] > allowed
        size = "x".join(str(k) for k in found["shape"])
        print(
            f"{case:7} {size:16} {found['size'] / MEGABYTE:8.1f}  {found['extra'] / MEGABYTE:8.1f}"
            f"  {found['extra'] / found['size']:11.3f}  {found['gram'] / MEGABYTE:7.1f}"
            f"  {allowed / MEGABYTE:10.1f}  {found['copies']}"
            + ("  OVER" if found["extra"] > allowed else ""),
            flush=True,
        )
    return int(over > 0 and args.solver == "thalweg")


if __name__ == "__main__":
    sys.exit(main())
