"""Thalweg itself, through its estimators."""

from __future__ import annotations

import importlib.util

from rivals import INTERCEPT_TABLES, LASSO_TABLES, SMOOTH_TABLES

MAX_ITER = 10_000_000


class Solver:
    name = "thalweg"
    tables = LASSO_TABLES + INTERCEPT_TABLES + SMOOTH_TABLES
    absolute_tol = False

    @staticmethod
    def skip() -> str | None:
        return None if importlib.util.find_spec("thalweg") else "not installed"

    def __init__(self, threads: int):
        import thalweg
        from thalweg.linear_model import Lasso, LassoCV, lasso_path

        self._package = thalweg
        self._lasso, self._lasso_cv, self._lasso_path = Lasso, LassoCV, lasso_path
        self._threads = threads
        self.model = None  # the last fit, for its report

    def version(self) -> str:
        return self._package.__version__

    def configs(self, _table: str, _n: int, _p: int) -> list[str]:
        return ["default"]

    def fit(self, X, y, alpha, tol, _config, fit_intercept):
        model = self._lasso(alpha=alpha, tol=tol, max_iter=MAX_ITER, fit_intercept=fit_intercept)
        self.model = model.fit(X, y)
        return model.coef_, model.intercept_

    def glm(self, loss, X, y, sample_weight, alpha, tol, _config):
        common = {"fit_intercept": False, "tol": tol, "max_iter": MAX_ITER}
        if loss == "poisson":
            from thalweg.linear_model import PoissonRegressor

            model = PoissonRegressor(alpha=alpha, **common)
            self.model = model.fit(X, y, sample_weight=sample_weight)
        else:
            from thalweg.linear_model import LogisticRegression

            self.model = LogisticRegression(C=1 / (alpha * X.shape[0]), **common).fit(X, y)
        return self.model.coef_.T

    def path(self, X, y, alphas, tol, _config):
        return self._lasso_path(X, y, alphas=alphas, tol=tol, max_iter=MAX_ITER)[1]

    def cv(self, X, y, alphas, folds, tol, _config):
        model = self._lasso_cv(
            alphas=alphas,
            cv=folds,
            tol=tol,
            max_iter=MAX_ITER,
            fit_intercept=False,
            n_jobs=self._threads,
        )
        self.model = model.fit(X, y)
        return self.model.mse_path_
