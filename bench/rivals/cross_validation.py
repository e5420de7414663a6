"""LassoCV's loop for libraries whose own class does not run here, or takes no given folds."""

from __future__ import annotations

import numpy as np


def cross_validate(path, refit, X, y, alphas, folds, n_jobs):
    """Fit every fold's path in threads, then refit on all rows at the best alpha.

    Parameters
    ----------
    path : callable (X, y) -> coefs (p, k)
    refit : callable (alpha) -> object
    n_jobs : int
        Threads, as in scikit-learn's LassoCV.

    Returns
    -------
    errors : (k, n_folds) array
        Mean squared errors of the held-out rows.
    """
    from joblib import Parallel, delayed

    def one_fold(train, test):
        coefs = path(X[train], y[train])
        return np.mean((y[test][:, None] - X[test] @ coefs) ** 2, axis=0)

    columns = Parallel(n_jobs=n_jobs, prefer="threads")(
        delayed(one_fold)(train, test) for train, test in folds
    )
    errors = np.stack(columns, axis=1)
    refit(float(alphas[np.argmin(errors.mean(axis=1))]))
    return errors
