"""cyanure: incremental methods (MISO) under quasi-Newton or Catalyst acceleration.

Its objective is the mean loss plus lambda_1 / 2 ||w||^2, which is this benchmark's.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util

MAX_ITER = 1_000_000


class Solver:
    name = "cyanure"
    tables = ("logistic", "multinomial")
    absolute_tol = False  # a relative duality gap

    @staticmethod
    def skip() -> str | None:
        return None if importlib.util.find_spec("cyanure") else "not installed"

    def __init__(self, threads: int):
        from cyanure.estimators import LogisticRegression

        self._logistic = LogisticRegression
        self._threads = threads

    def version(self) -> str:
        return importlib.metadata.version("cyanure")

    def configs(self, _table: str, _n: int, _p: int) -> list[str]:
        return ["auto", "qning-miso", "catalyst-miso"]

    def glm(self, _loss, X, y, _sample_weight, alpha, tol, config):
        model = self._logistic(
            lambda_1=alpha,
            fit_intercept=False,
            solver=config,
            tol=tol,
            max_iter=MAX_ITER,
            n_threads=self._threads,
        )
        return model.fit(X, y).coef_
