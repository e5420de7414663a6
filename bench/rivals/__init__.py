"""Solvers to compare: one file each, each with one final class `Solver`.

A `Solver` runs in a worker process of its own, under the interpreter given for it. It has

    name            str, as shown in tables (the file's name is the key on the command line)
    absolute_tol    bool; True if `tol` has the units of the gradient. The tolerance sweep is then
                    multiplied by alpha_max, so that the units of the target do not matter
    skip()          static; the reason why it cannot run here, or None. Must not import the library
    __init__(threads)         imports the library
    version()       str
    configs(table, n, p)      names of the settings worth trying; the best one counts
    fit(X, y, alpha, tol, config, fit_intercept)         -> coef (p,), intercept
    path(X, y, alphas, tol, config)                      -> coefs (p, k), alphas decreasing
    cv(X, y, alphas, folds, tol, config)                 -> squared errors (k, n_folds)

X arrives in C order or CSR, float64; conversions belong to the timed call. Only `tol`, `max_iter`
and the number of threads may differ from the library's defaults within a configuration.
`folds` are `(train, test)` index arrays from `KFold(5, shuffle=True, random_state=0)`; `cv` also
refits on all rows at the best alpha, as the estimators do.
"""

from __future__ import annotations

import importlib

KEYS = ("thalweg", "scikit_learn", "celer", "skglm", "adelie")
# Who supplies the reference coefficients of cross-validation: the first of these that runs.
REFERENCE_ORDER = ("thalweg", "celer", "skglm", "scikit_learn")
# A rival's Gram setting is tried up to this many features: beyond it X'X alone is over 200 MB.
GRAM_MAX_FEATURES = 5_000


def solver_class(key: str):
    """Return the `Solver` class of the file `key`.py in this folder."""
    return importlib.import_module(f"{__name__}.{key}").Solver
