"""celer: working sets with dual extrapolation."""

from __future__ import annotations

import importlib.util

from rivals import LASSO_TABLES
from rivals.cross_validation import cross_validate

MAX_ITER = 10_000  # working sets, not sweeps


class Solver:
    name = "celer"
    tables = LASSO_TABLES
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

    def configs(self, table: str, _n: int, _p: int) -> list[str]:
        if table == "cv":
            return ["2 jobs", "1 job"] if self._threads > 1 else ["1 job"]
        return ["default"]

    def fit(self, X, y, alpha, tol, _config, fit_intercept):
        model = self._package.Lasso(
            alpha=alpha, tol=tol, max_iter=MAX_ITER, fit_intercept=fit_intercept
        )
        model.fit(X, y)
        return model.coef_, model.intercept_

    def path(self, X, y, alphas, tol, _config):
        return self._package.celer_path(X, y, "lasso", alphas=alphas, tol=tol, max_iter=MAX_ITER)[1]

    def cv(self, X, y, alphas, folds, tol, config):
        # celer 0.7's LassoCV passes arguments that scikit-learn 1.9 removed; this is its loop.
        return cross_validate(
            lambda X, y: self.path(X, y, alphas, tol, config),
            lambda alpha: self.fit(X, y, alpha, tol, config, False),
            X,
            y,
            alphas,
            folds,
            self._threads if config == "2 jobs" else 1,
        )
