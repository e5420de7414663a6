"""adelie: pathwise block coordinate descent with pivot screening.

It needs NumPy 1, so it runs under another interpreter: `--python adelie=PATH`. Its Gaussian loss
with the default weights 1/n and groups of one feature is the Lasso of this benchmark. The early
exits (`early_exit`, `adev_tol`) would stop before the alpha asked for, so they are off.
"""

from __future__ import annotations

import importlib.util

import numpy as np
import scipy.sparse as sp

from rivals import GRAM_MAX_FEATURES, LASSO_TABLES
from rivals.cross_validation import cross_validate

PATH_LENGTH = 20  # alphas of the warm path that leads to a single one


class Solver:
    name = "adelie"
    tables = LASSO_TABLES
    absolute_tol = False

    @staticmethod
    def skip() -> str | None:
        if not importlib.util.find_spec("adelie"):
            return "not installed (needs NumPy 1: --python adelie=PATH)"
        if int(np.__version__.split(".")[0]) > 1:
            return "needs NumPy 1: --python adelie=PATH"
        return None

    def __init__(self, threads: int):
        import adelie

        self._package = adelie
        self._threads = threads

    def version(self) -> str:
        return self._package.__version__

    def configs(self, table: str, n: int, p: int) -> list[str]:
        with_cov = p < n and p <= GRAM_MAX_FEATURES
        if table in ("path", "cv"):
            return ["naive", "cov"] if with_cov else ["naive"]
        names = ["naive", "naive, warm path"]
        return [*names, "cov", "cov, warm path"] if with_cov else names

    def fit(self, X, y, alpha, tol, config, fit_intercept):
        if fit_intercept:
            raise NotImplementedError("compared without intercept only")
        alphas = np.array([alpha])
        if config.endswith("warm path"):
            top = max(float(np.max(np.abs(X.T @ y))) / X.shape[0], alpha)
            alphas = np.geomspace(top, alpha, PATH_LENGTH)
        return self.path(X, y, alphas, tol, config)[:, -1], 0.0

    def path(self, X, y, alphas, tol, config):
        solve = self._cov if config.startswith("cov") else self._naive
        state = solve(X, y, alphas, tol)
        betas = state.betas.toarray().T
        if betas.shape[1] != len(alphas):
            raise RuntimeError(f"solved {betas.shape[1]} of {len(alphas)} alphas")
        return betas

    def _naive(self, X, y, alphas, tol):
        if sp.issparse(X):
            design = self._package.matrix.sparse(X.tocsc(), n_threads=self._threads)
        else:
            design = self._package.matrix.dense(np.asfortranarray(X), n_threads=self._threads)
        return self._package.grpnet(
            design,
            self._package.glm.gaussian(y),
            lmda_path=alphas,
            tol=tol,
            intercept=False,
            early_exit=False,
            n_threads=self._threads,
            progress_bar=False,
        )

    def _cov(self, X, y, alphas, tol):
        n = X.shape[0]
        gram = X.T @ X
        gram = gram.toarray() if sp.issparse(gram) else gram
        return self._package.gaussian_cov(
            np.asfortranarray(gram / n),
            np.ascontiguousarray(X.T @ y / n),
            lmda_path=alphas,
            tol=tol,
            early_exit=False,
            n_threads=self._threads,
            progress_bar=False,
        )

    def cv(self, X, y, alphas, folds, tol, config):
        # cv_grpnet draws folds and alphas itself; the threads are inside the solver.
        return cross_validate(
            lambda X, y: self.path(X, y, alphas, tol, config),
            lambda alpha: self.path(X, y, alphas[alphas >= alpha], tol, config),
            X,
            y,
            alphas,
            folds,
            1,
        )
