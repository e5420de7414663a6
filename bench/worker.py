"""One solver in one process: reads requests as JSON lines, times them, answers in JSON lines.

Started by `solver_process.SolverProcess`, possibly under another interpreter, so it needs no more
than NumPy, SciPy and the solver. Numbers travel in .npy files: coefficients never pass a pipe.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
import traceback
import warnings
from pathlib import Path

import numpy as np
import scipy.sparse as sp

import rivals


class Session:
    """The solver and the problem that this process holds."""

    def __init__(self, key: str, threads: int):
        self.key, self.threads = key, threads
        self.solver = None
        self.X = self.y = self.sample_weight = None
        self.folds: list[tuple[np.ndarray, np.ndarray]] = []

    def hello(self, _request: dict) -> dict:
        """Import the solver; say what it is or why it is skipped."""
        reason = rivals.solver_class(self.key).skip()
        if reason:
            return {"skip": reason}
        self.solver = rivals.solver_class(self.key)(self.threads)
        return {
            "name": self.solver.name,
            "version": self.solver.version(),
            "numpy": np.__version__,
            "absolute_tol": self.solver.absolute_tol,
            "tables": self.solver.tables,
        }

    def load(self, request: dict) -> dict:
        """Read a problem and say which configurations are worth running on it."""
        folder = Path(request["folder"])
        sparse = (folder / "X.npz").exists()
        self.X = sp.load_npz(folder / "X.npz") if sparse else np.load(folder / "X.npy")
        self.y = np.load(folder / "y.npy")
        weight = folder / "sample_weight.npy"
        self.sample_weight = np.load(weight) if weight.exists() else None
        self.folds = []
        for k in range(request.get("folds", 0)):
            with np.load(folder / f"fold{k}.npz") as fold:
                self.folds.append((fold["train"], fold["test"]))
        if self.solver is None:
            return {}
        n, p = self.X.shape
        classes = len(np.unique(self.y)) if request["table"] == "multinomial" else 1
        configs = self.solver.configs(request["table"], n, p * classes)
        if request["warm_up"]:
            self._warm_up(request, configs, sparse)
        return {"configs": configs}

    def _warm_up(self, request: dict, configs: list[str], sparse: bool) -> None:
        """Run every configuration on a tiny problem of the same form: compiles, starts pools."""
        rng = np.random.default_rng(0)
        X, y = rng.standard_normal((60, 20)), rng.standard_normal(60)
        small = Session(self.key, self.threads)
        small.solver, small.y = self.solver, y
        small.X = sp.csr_matrix(X) if sparse else X
        if request["table"] in rivals.SMOOTH_TABLES:
            # Every class occurs; of rates the lowest will do.
            small.y = rng.permutation(np.resize(np.unique(self.y)[:30], 60))
            if self.sample_weight is not None:
                small.sample_weight = np.ones(60)
        groups = np.arange(60) % max(request.get("folds", 0), 2)
        if request["table"] == "cv":
            small.folds = [
                (np.flatnonzero(groups != k), np.flatnonzero(groups == k))
                for k in range(len(self.folds))
            ]
        alphas = [0.1, 0.05] if request["table"] in ("path", "cv") else [0.1]
        for config in configs:
            task = {
                "table": request["table"],
                "alphas": alphas,
                "tol": 1e-2,
                "config": config,
                "fit_intercept": request["fit_intercept"],
            }
            small.solve(task)

    def solve(self, request: dict):
        """Run one request and return (coefs, intercepts) or the errors of cross-validation."""
        alphas = np.array(request["alphas"])
        tol, config = request["tol"], request["config"]
        if request["table"] == "cv":
            return self.solver.cv(self.X, self.y, alphas, self.folds, tol, config), None
        if request["table"] == "path":
            return self.solver.path(self.X, self.y, alphas, tol, config), np.zeros(len(alphas))
        if request["table"] in rivals.SMOOTH_TABLES:
            coef = self.solver.glm(
                request["table"], self.X, self.y, self.sample_weight, float(alphas[0]), tol, config
            )
            return np.reshape(coef, (self.X.shape[1], -1)), None
        coef, intercept = self.solver.fit(
            self.X, self.y, float(alphas[0]), tol, config, request["fit_intercept"]
        )
        return np.reshape(coef, (-1, 1)), np.reshape(intercept, (1,))

    def run(self, request: dict) -> dict:
        """Time one whole call; a cold one counts the import of the solver."""
        gc.collect()
        start = time.perf_counter()
        if request.get("cold"):
            self.solver = rivals.solver_class(self.key)(self.threads)
        values, intercepts = self.solve(request)
        seconds = time.perf_counter() - start
        if request.get("out"):
            arrays = {"values": np.asarray(values, dtype=np.float64)}
            if intercepts is not None:
                arrays["intercepts"] = np.asarray(intercepts, dtype=np.float64)
            np.savez(request["out"], **arrays)
        return {"seconds": seconds}


def main() -> None:
    # The reply channel is a private copy of stdout; whatever a library prints goes to stderr.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # A loose or unreachable tolerance is part of the sweep, so its warnings say nothing new.
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    session = Session(sys.argv[1], int(sys.argv[2]))
    operations = {"hello": session.hello, "load": session.load, "run": session.run}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = operations[request["op"]](request)
        except Exception as error:
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
