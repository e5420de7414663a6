"""celer: working sets with dual extrapolation."""

from __future__ import annotations

import importlib.util

MAX_ITER = 10_000  # working sets, not sweeps


class Solver:
    name = "celer"
    absolute_tol = False  # relative to ||y||^2 / n

    @staticmethod
    def skip() -> str | None:
        return None if importlib.util.find_spec("celer") else "not installed"

    def __init__(self, threads: int):
        import celer

        self._package = celer
        self._threads = threads

    def version(self) -> str:
        return self._package.__version__

    def configs(self, table: str, n: int, p: int) -> list[str]:
        if table == "cv":
            return ["2 jobs", "1 job"] if self._threads > 1 else ["1 job"]
        return ["default"]

    def fit(self, X, y, alpha, tol, config, fit_intercept):
        model = self._package.Lasso(
            alpha=alpha, tol=tol, max_iter=MAX_ITER, fit_intercept=fit_intercept
        )
        model.fit(X, y)
        return model.coef_, model.intercept_

    def path(self, X, y, alphas, tol, config):
        return self._package.celer_path(X, y, "lasso", alphas=alphas, tol=tol, max_iter=MAX_ITER)[1]

    def cv(self, X, y, alphas, folds, tol, config):
        model = self._package.LassoCV(
            alphas=alphas,
            cv=folds,
            tol=tol,
            max_iter=MAX_ITER,
            fit_intercept=False,
            n_jobs=self._threads if config == "2 jobs" else 1,
        )
        return model.fit(X, y).mse_path_
