"""skglm: Anderson-accelerated coordinate descent on working sets; a Gram matrix where n > p."""

from __future__ import annotations

import importlib.util

from rivals import GRAM_MAX_FEATURES

MAX_ITER = 10_000  # working sets (AndersonCD) or epochs (GramCD)


class Solver:
    name = "skglm"
    absolute_tol = True  # the largest violation of the optimality conditions

    @staticmethod
    def skip() -> str | None:
        return None if importlib.util.find_spec("skglm") else "not installed"

    def __init__(self, threads: int):
        import skglm
        from skglm.cv import GeneralizedLinearEstimatorCV
        from skglm.datafits import Quadratic
        from skglm.penalties import L1
        from skglm.solvers import AndersonCD, GramCD

        self._package = skglm
        self._cv, self._quadratic, self._l1 = GeneralizedLinearEstimatorCV, Quadratic, L1
        self._anderson, self._gram = AndersonCD, GramCD
        self._threads = threads

    def version(self) -> str:
        return self._package.__version__

    def configs(self, table: str, n: int, p: int) -> list[str]:
        gram = p < n and p <= GRAM_MAX_FEATURES
        if table == "cv":
            return ["2 jobs", "1 job"] if self._threads > 1 else ["1 job"]
        return ["anderson", "gram"] if gram and table != "path" else ["anderson"]

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

    def path(self, X, y, alphas, tol, config):
        model = self._package.Lasso(tol=tol, max_iter=MAX_ITER, fit_intercept=False)
        return model.path(X, y, alphas)[1]

    def cv(self, X, y, alphas, folds, tol, config):
        # It draws KFold(cv, shuffle=True, random_state) itself: the folds that all solvers get.
        model = self._cv(
            self._quadratic(),
            self._l1(1.0),
            self._anderson(max_iter=MAX_ITER, tol=tol, fit_intercept=False, warm_start=True),
            alphas=alphas,
            cv=len(folds),
            random_state=0,
            n_jobs=self._threads if config == "2 jobs" else 1,
        )
        return -model.fit(X, y).scores_path_
