"""scikit-learn: coordinate descent with gap-safe screening, and all its solvers of smooth losses.

Coordinate descent has a Gram matrix where n > p; Newton-Cholesky has the Hessian.
"""

from __future__ import annotations

import importlib.util

from rivals import GRAM_MAX_FEATURES, INTERCEPT_TABLES, LASSO_TABLES, SMOOTH_TABLES

MAX_ITER = 10_000_000
SMOOTH_SOLVERS = {
    "logistic": ("lbfgs", "newton-cg", "newton-cholesky", "liblinear", "sag", "saga"),
    "multinomial": ("lbfgs", "newton-cg", "newton-cholesky", "sag", "saga"),
    "poisson": ("lbfgs", "newton-cholesky"),
}


class Solver:
    name = "scikit-learn"
    tables = LASSO_TABLES + INTERCEPT_TABLES + SMOOTH_TABLES
    absolute_tol = False

    @staticmethod
    def skip() -> str | None:
        return None if importlib.util.find_spec("sklearn") else "not installed"

    def __init__(self, threads: int):
        import sklearn
        from sklearn.linear_model import (
            Lasso,
            LassoCV,
            LogisticRegression,
            PoissonRegressor,
            lasso_path,
        )

        self._package = sklearn
        self._lasso, self._lasso_cv, self._lasso_path = Lasso, LassoCV, lasso_path
        self._logistic, self._poisson = LogisticRegression, PoissonRegressor
        self._threads = threads

    def version(self) -> str:
        return self._package.__version__

    def configs(self, table: str, n: int, p: int) -> list[str]:
        gram = p < n and p <= GRAM_MAX_FEATURES
        if table in SMOOTH_SOLVERS:
            solvers = SMOOTH_SOLVERS[table]
            small = p <= GRAM_MAX_FEATURES
            return [name for name in solvers if small or name != "newton-cholesky"]
        if table == "cv":
            # Its jobs are threads; on small folds one thread can win.
            return ["2 jobs", "1 job"] if self._threads > 1 else ["1 job"]
        # Paths use precompute="auto": a Gram matrix where n > p.
        return ["plain", "gram"] if gram and table != "path" else ["plain"]

    def fit(self, X, y, alpha, tol, config, fit_intercept):
        model = self._lasso(
            alpha=alpha,
            tol=tol,
            max_iter=MAX_ITER,
            fit_intercept=fit_intercept,
            precompute=config == "gram",
        )
        model.fit(X, y)
        return model.coef_, model.intercept_

    def glm(self, loss, X, y, sample_weight, alpha, tol, config):
        common = {"fit_intercept": False, "solver": config, "tol": tol, "max_iter": MAX_ITER}
        if loss == "poisson":
            model = self._poisson(alpha=alpha, **common)
            return model.fit(X, y, sample_weight=sample_weight).coef_
        # C multiplies the sum of the losses.
        model = self._logistic(C=1 / (alpha * X.shape[0]), random_state=0, **common)
        return model.fit(X, y).coef_.T

    def path(self, X, y, alphas, tol, _config):
        return self._lasso_path(X, y, alphas=alphas, tol=tol, max_iter=MAX_ITER)[1]

    def cv(self, X, y, alphas, folds, tol, config):
        model = self._lasso_cv(
            alphas=alphas,
            cv=folds,
            tol=tol,
            max_iter=MAX_ITER,
            fit_intercept=False,
            n_jobs=self._threads if config == "2 jobs" else 1,
        )
        return model.fit(X, y).mse_path_
