"""Delay from Ctrl-C to KeyboardInterrupt, in every phase of many fits.

python bench/interrupts.py [--only SUBSTRING ...] [--at 5,20,50,...] [--limit 100] [--repeat 3]

Each case runs in a child process, which builds the data and then fits once per interrupt; this
process sends SIGINT so many milliseconds after the fit began. A row shows the delay to
KeyboardInterrupt for each time, the worst and where it was raised ("-": the fit ended
first). Delays above --limit are measured again, --repeat times in all, and the least counts: other
load only adds to them.
`!` marks a fit that had begun to iterate but left no attributes behind.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

TIMES = "5,20,50,100,200,400,800"
DENSE = {"deep": (6000, 3000), "tall": (200_000, 100), "wide": (300, 50_000)}
SPARSE = (50_000, 50_000)
PER_ROW = 200  # stored entries of a sparse row
UNPENALIZED = 950

# what / solver / storage / shape / extras
CASES = (
    *(
        f"solve/{solver}/{order}/{shape}/"
        for shape in DENSE
        for solver in ("auto", "working_set", "gram", "coordinate_descent")
        for order in ("C", "F")
    ),
    *(
        f"solve/{solver}/{storage}/sparse/"
        for solver in ("auto", "gram", "coordinate_descent")
        for storage in ("csr", "csc")
    ),
    "solve/auto/unsorted/sparse/",
    *(f"solve_path/{s}/{o}/{shape}/" for s in ("auto", "gram") for o in "CF" for shape in DENSE),
    "solve_path/auto/csr/sparse/",
    *(f"LassoCV/{s}/{o}/{shape}/" for s in ("auto", "gram") for o in "CF" for shape in DENSE),
    *(f"{what}/auto/csr/sparse/" for what in ("Lasso", "LassoCV", "ElasticNetCV")),
    *(f"{what}/auto/{o}/deep/" for what in ("Lasso", "ElasticNet", "ElasticNetCV") for o in "CF"),
    *(f"{what}/auto/C/{shape}/weights" for what in ("solve", "LassoCV") for shape in DENSE),
    *(f"{what}/auto/{o}/deep/float32" for what in ("solve", "LassoCV") for o in "CF"),
    *(
        f"{what}/auto/{o}/{shape}/unpenalized"
        for what in ("solve", "solve_path")
        for o in "CF"
        for shape in ("deep", "wide")
    ),
    "solve/auto/csr/sparse/unpenalized",
    "solve_path/auto/C/deep/unpenalized,weights,float32",
    "solve/auto/C/deep/alpha0",
    "solve/auto/F/wide/alpha0",
    "solve/auto/C/deep/alpha0,positive",
)


def problem(storage, shape, extras):
    """X, y and sample weights of a case."""
    import numpy as np
    import scipy.sparse as sp

    rng = np.random.default_rng(0)
    if shape == "sparse":
        n, p = SPARSE
        # One entry in each block of columns: sorted and without duplicates.
        block = p // PER_ROW
        index = (np.arange(PER_ROW) * block)[None, :] + rng.integers(0, block, (n, PER_ROW))
        data = rng.standard_normal(n * PER_ROW)
        X = sp.csr_matrix((data, index.ravel(), np.arange(n + 1) * PER_ROW), shape=(n, p))
        y = X[:, :500] @ rng.standard_normal(500) + rng.standard_normal(n)
        if storage != "csr":
            X = X.tocsc()
        if storage == "unsorted":
            X.indices[:2], X.data[:2] = X.indices[1::-1].copy(), X.data[1::-1].copy()
    else:
        n, p = DENSE[shape]
        X = rng.standard_normal((n, p), dtype="f" if "float32" in extras else "d")
        X += 2 * rng.standard_normal((n, 1), dtype=X.dtype)
        k = min(p, 800)
        y = X[:, :k] @ rng.standard_normal(k) + 3 * rng.standard_normal(n)
        X = np.asarray(X, order=storage)
    return X, y, rng.uniform(0.5, 2, n) if "weights" in extras else None


def fit_of(case):
    """A function that fits the case, and one that returns what it left behind."""
    import numpy as np

    import thalweg as tw

    what, solver, storage, shape, extras = case.split("/")
    X, y, weights = problem(storage, shape, extras.split(","))
    options = {"solver": solver, "tol": 0, "max_iter": 10**8}
    alpha = 1e-3 * np.abs(X.T @ (y - y.mean())).max() / len(y)
    if "alpha0" in extras:
        alpha = 0.0
    if what.startswith("solve"):
        unpenalized = np.ones(X.shape[1])
        unpenalized[:UNPENALIZED] = 0
        penalty = tw.penalties.L1(
            weights=unpenalized if "unpenalized" in extras else None, positive="positive" in extras
        )
        options |= {"loss": "squared", "penalty": penalty, "sample_weight": weights}
        if what == "solve":
            options["alpha"] = alpha

        def fit():
            getattr(tw, what)(X, y, **options)

        return fit, lambda error: hasattr(error, "solution")

    def fit_model():
        nonlocal model
        model = getattr(tw.linear_model, what)(**options)
        if hasattr(model, "alpha"):
            model.alpha = alpha
        model.fit(X, y, weights)

    model = None
    return fit_model, lambda _: hasattr(model, "coef_")


def child(case):
    """Fit again and again, with a report after each interrupt."""
    import thalweg as tw

    fit, has_result = fit_of(case)
    X, y = [[0.0], [1.0], [3.0]] * 4, [0.0, 1.0, 2.0] * 4  # imports come before
    tw.solve_path(X, y, loss="squared", penalty="l1")
    tw.linear_model.LassoCV().fit(X, y)
    while True:
        try:
            print(json.dumps(time.monotonic()), flush=True)
            fit()
            where = "finished"
            time.sleep(3600)
        except KeyboardInterrupt as error:
            caught = time.monotonic()
            frames = traceback.extract_tb(error.__traceback__)
            names = [f.name for f in frames if "thalweg" in f.filename]
            solving = names and names[-1] in ("_finish", "_deliver")
            where = names[-1] if names and not solving else "solve" if names else "finished"
            has_attributes = not solving or has_result(error)
            print(json.dumps([caught, where, has_attributes]), flush=True)
            error.__traceback__ = None
        if not sys.stdin.readline():
            return


class Child:
    """A child process that fits one case."""

    def __init__(self, case):
        command = [sys.executable, __file__, "--child", case]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen(command, **pipes)
        self._began = json.loads(self._process.stdout.readline())

    def interrupt(self, milliseconds):
        """Delay, place and whether attributes were left, of one interrupted fit."""
        time.sleep(max(0.0, self._began + milliseconds / 1e3 - time.monotonic()))
        sent = time.monotonic()
        os.kill(self._process.pid, signal.SIGINT)
        caught, where, has_attributes = json.loads(self._process.stdout.readline())
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._began = json.loads(self._process.stdout.readline())
        return 1e3 * (caught - sent), where, has_attributes

    def close(self):
        """End it; a fit may be running."""
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


def measure(case, times, limit, repeat):
    """[(delay, where, has_attributes)] of a case, one for each time."""
    running = Child(case)
    try:
        rows = []
        for at in times:
            row = running.interrupt(at)
            for _ in range(repeat - 1):
                if row[0] <= limit:
                    break
                row = min(row, running.interrupt(at))
            rows.append(row)
        return rows
    finally:
        running.close()


def main():
    """Print a row per case and the worst of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[""], help="cases that contain any of these")
    parser.add_argument("--at", default=TIMES, help="milliseconds after the fit began")
    parser.add_argument("--limit", type=float, default=100.0)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child)
        return
    times = [float(text) for text in arguments.at.split(",")]
    print(f"{'case':44}" + "".join(f"{at:>6g}" for at in times) + "   worst ms, where")
    slow = []
    chosen = [case for case in CASES if any(text in case for text in arguments.only)]
    for case in chosen:
        rows = measure(case, times, arguments.limit, arguments.repeat)
        cells = [
            "     -" if where == "finished" else f"{delay:5.0f}{' ' if good else '!'}"
            for delay, where, good in rows
        ]
        worst, where, _ = max(rows, key=lambda row: row[0] if row[1] != "finished" else -1)
        print(f"{case:44}" + "".join(cells) + f"   {worst:5.0f} {where}", flush=True)
        if worst > arguments.limit and where != "finished":
            slow.append(case)
    print(f"{len(slow)} of {len(chosen)} cases over {arguments.limit:g} ms", *slow, sep="\n  ")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
