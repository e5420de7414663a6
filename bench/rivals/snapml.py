"""Snap ML: parallel stochastic coordinate descent, in the dual or in the primal.

Its objective is the sum of the losses plus regularizer / 2 ||w||^2. It trains on X in float32,
which may keep it from the finest accuracies. More than two classes are fitted one against the rest,
which is another problem than the multinomial one.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util

MAX_ITER = 10_000_000


class Solver:
    name = "snapml"
    tables = ("logistic",)
    absolute_tol = False  # the largest relative change of a coefficient

    @staticmethod
    def skip() -> str | None:
        return None if importlib.util.find_spec("snapml") else "not installed"

    def __init__(self, threads: int):
        import snapml

        self._package = snapml
        self._threads = threads

    def version(self) -> str:
        return importlib.metadata.version("snapml")

    def configs(self, _table: str, _n: int, _p: int) -> list[str]:
        return ["dual", "primal"]

    def glm(self, _loss, X, y, _sample_weight, alpha, tol, config):
        model = self._package.LogisticRegression(
            regularizer=alpha * X.shape[0],
            dual=config == "dual",
            tol=tol,
            max_iter=MAX_ITER,
            n_jobs=self._threads,
            random_state=0,
        )
        return model.fit(X, y).coef_
