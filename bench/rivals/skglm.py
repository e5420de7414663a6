"""skglm: Anderson-accelerated coordinate descent on working sets; a Gram matrix where n > p."""

from __future__ import annotations

import importlib.util

from rivals import GRAM_MAX_FEATURES, LASSO_TABLES
from rivals.cross_validation import cross_validate

MAX_ITER = 10_000  # working sets (AndersonCD) or epochs (GramCD)


class Solver:
    name = "skglm"
    tables = LASSO_TABLES
    absolute_tol = True  # the largest violation of the optimality conditions

    @staticmethod
    def skip() -> str | None:
        return None if importlib.util.find_spec("skglm") else "not installed"

    def __init__(self, _threads: int):
        import skglm
        from skglm.penalties import L1
        from skglm.solvers import GramCD

        self._package = skglm
        self._l1, self._gram = L1, GramCD

    def version(self) -> str:
        return self._package.__version__

    def configs(self, table: str, n: int, p: int) -> list[str]:
        gram = p < n and p <= GRAM_MAX_FEATURES
        return ["anderson", "gram"] if gram and table not in ("path", "cv") else ["anderson"]

    def fit(self, X, y, alpha, tol, config, fit_intercept):
        if config == "gram":
            # Its estimators refuse GramCD (they insist on a datafit), so the solver is called.
            if fit_intercept:
                raise NotImplementedError("GramCD fits no intercept")
            solver = self._gram(max_iter=MAX_ITER, tol=tol, fit_intercept=False)
            return solver.solve(X, y, None, self._l1(alpha))[0], 0.0
        model = self._package.Lasso(
            alpha=alpha, tol=tol, max_iter=MAX_ITER, fit_intercept=fit_intercept
        )
        model.fit(X, y)
        return model.coef_, model.intercept_

    def path(self, X, y, alphas, tol, _config):
        model = self._package.Lasso(tol=tol, max_iter=MAX_ITER, fit_intercept=False)
        return model.path(X, y, alphas)[1]

    def cv(self, X, y, alphas, folds, tol, config):
        # Its own CV class solves every alpha from zero, or fails when run in parallel; warm paths
        # are faster. Numba holds the GIL here, so there is nothing to gain from threads.
        return cross_validate(
            lambda X, y: self.path(X, y, alphas, tol, config),
            lambda alpha: self.fit(X, y, alpha, tol, config, False),
            X,
            y,
            alphas,
            folds,
            1,
        )
