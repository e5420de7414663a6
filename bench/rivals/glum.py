"""glum: iteratively reweighted least squares, or SciPy's L-BFGS, over the matrices of tabmat.

Its objective is half the mean unit deviance plus alpha / 2 ||w||^2, which is this benchmark's.
Threads are those of OpenMP.
"""

from __future__ import annotations

import importlib.util

from rivals import GRAM_MAX_FEATURES

MAX_ITER = 1_000_000
FAMILIES = {"logistic": "binomial", "poisson": "poisson"}


class Solver:
    name = "glum"
    tables = tuple(FAMILIES)
    absolute_tol = False

    @staticmethod
    def skip() -> str | None:
        return None if importlib.util.find_spec("glum") else "not installed"

    def __init__(self, _threads: int):
        import glum

        self._package = glum

    def version(self) -> str:
        return self._package.__version__

    def configs(self, _table: str, _n: int, p: int) -> list[str]:
        return ["irls-ls", "lbfgs"] if p <= GRAM_MAX_FEATURES else ["lbfgs"]

    def glm(self, loss, X, y, sample_weight, alpha, tol, config):
        model = self._package.GeneralizedLinearRegressor(
            family=FAMILIES[loss],
            alpha=alpha,
            fit_intercept=False,
            solver=config,
            gradient_tol=tol,
            max_iter=MAX_ITER,
        )
        return model.fit(X, y, sample_weight=sample_weight).coef_
