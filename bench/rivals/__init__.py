"""Solvers to compare: one file each, each with one final class `Solver`.

A `Solver` runs in a worker process of its own, under the interpreter given for it. It has

    name            str, as shown in tables (the file's name is the key on the command line)
    tables          the tables that it takes part in; they say which methods it needs
    absolute_tol    bool; True if `tol` has the units of the gradient. The tolerance sweep of the
                    Lasso is then multiplied by alpha_max, so that the target's units do not matter
    skip()          static; the reason why it cannot run here, or None. Must not import the library
    __init__(threads)         imports the library
    version()       str
    configs(table, n, p)      names of the settings worth trying; the best one counts. p is the
                              number of coefficients: features times classes

and, for the tables of the Lasso,

    fit(X, y, alpha, tol, config, fit_intercept)         -> coef (p,), intercept
    path(X, y, alphas, tol, config)                      -> coefs (p, k), alphas decreasing
    cv(X, y, alphas, folds, tol, config)                 -> squared errors (k, n_folds)

and, for those of `SMOOTH_TABLES`, whose names are their losses (`objective.py` has the formulas),

    glm(loss, X, y, sample_weight, alpha, tol, config)   -> coef (p,) or (p, n_classes)

X arrives in C order or CSR, float64; conversions belong to the timed call. Classes arrive as
integers 0, 1, ...; `sample_weight` is None except for counts with an exposure. Only `tol`,
`max_iter`, the seed and the number of threads may differ from the library's defaults within a
configuration.
`folds` are `(train, test)` index arrays from `KFold(5, shuffle=True, random_state=0)`; `cv` also
refits on all rows at the best alpha, as the estimators do.
"""

from __future__ import annotations

import importlib

KEYS = (
    "thalweg",
    "scikit_learn",
    "celer",
    "skglm",
    "adelie",
    "cyanure",
    "glum",
    "snapml",
    "liblinear",
)
LASSO_TABLES = ("lasso", "path", "cv", "cold")
INTERCEPT_TABLES = ("intercept",)
SMOOTH_TABLES = ("logistic", "multinomial", "poisson")
# Who supplies the reference coefficients of cross-validation: the first of these that runs.
REFERENCE_ORDER = ("thalweg", "celer", "skglm", "scikit_learn")
# A setting with a dense matrix of p x p (Gram, Hessian) is tried up to this many coefficients:
# beyond it the matrix alone is over 200 MB.
GRAM_MAX_FEATURES = 5_000


def solver_class(key: str):
    """Return the `Solver` class of the file `key`.py in this folder."""
    return importlib.import_module(f"{__name__}.{key}").Solver
