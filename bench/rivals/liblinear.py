"""liblinear's own package: trust region Newton in the primal, coordinate descent in the dual.

Its objective is C times the sum of the losses plus 1/2 ||w||^2. It takes dense arrays row by row in
Python, so they are handed over as CSR, which is many times faster. It runs on one thread, and
bounds the number of iterations itself.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util

import numpy as np
import scipy.sparse as sp

TYPES = {"primal": 0, "dual": 7}


class Solver:
    name = "liblinear"
    tables = ("logistic",)
    absolute_tol = False

    @staticmethod
    def skip() -> str | None:
        if importlib.util.find_spec("liblinear"):
            return None
        return "not installed (pip install liblinear-official)"

    def __init__(self, _threads: int):
        from liblinear.liblinearutil import train

        self._train = train

    def version(self) -> str:
        return importlib.metadata.version("liblinear-official")

    def configs(self, _table: str, _n: int, _p: int) -> list[str]:
        return list(TYPES)

    def glm(self, _loss, X, y, _sample_weight, alpha, tol, config):
        C = 1 / (alpha * X.shape[0])
        options = f"-s {TYPES[config]} -c {C!r} -e {tol!r} -q"
        model = self._train(y, sp.csr_matrix(X), options)
        # The model's memory goes with it. Its positive class is the one of the first row.
        coef = np.ctypeslib.as_array(model.w, (X.shape[1],)).copy()
        return coef if model.get_labels()[0] == 1 else -coef
