"""Fits by this package and by scikit-learn, and what they are compared by."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from scipy.linalg import LinAlgWarning
from sklearn import linear_model as theirs
from sklearn.exceptions import ConvergenceWarning

from thalweg import linear_model as ours
from thalweg import problems

TIGHT = {"tol": 1e-10, "max_iter": 10_000}


def both(name, X, y, sample_weight=None, exact=None, tight=True, **options):
    """The same fit by both packages; `exact` is scikit-learn's most exact solver."""
    limits = TIGHT if tight else {}
    mine = getattr(ours, name)(**{**limits, **options})
    other = getattr(theirs, name)(**{**limits, **options, **({"solver": exact} if exact else {})})
    mine.fit(X, y, sample_weight=sample_weight)
    with warnings.catch_warnings():  # scikit-learn does not always reach such a tolerance
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", LinAlgWarning)
        other.fit(X, y, sample_weight=sample_weight)
    return mine, other


def assert_same(mine, other, atol=1e-6):
    scale = 1.0 + np.abs(other.coef_).max()
    np.testing.assert_allclose(mine.coef_, other.coef_, atol=atol * scale)
    np.testing.assert_allclose(mine.intercept_, other.intercept_, atol=atol * scale)
    assert mine.coef_.shape == np.shape(other.coef_)
    assert np.shape(mine.intercept_) == np.shape(other.intercept_)
    assert mine.coef_.dtype == other.coef_.dtype
    assert mine.report_.status == "converged"


def design(kind, seed=1):
    if kind == "sparse":
        X, y, _ = problems.sparse_regression(150, 30, density=0.3, seed=seed)
        return sparse.csr_array(X), y
    X, y, _ = problems.regression(*((150, 12) if kind == "tall" else (30, 50)), seed=seed)
    return X, y


def labels(y, n_classes):
    cuts = np.quantile(y, np.linspace(0, 1, n_classes + 1)[1:-1])
    return np.array(["d", "a", "c", "b"])[np.searchsorted(cuts, y)]


def looks(value):
    """What a program sees of an attribute before its numbers."""
    return type(value), np.shape(value), getattr(value, "dtype", None)


def weights(n):
    return np.random.default_rng(0).integers(0, 4, n).astype(float)


designs = pytest.mark.parametrize("kind", ["tall", "wide", "sparse"])
intercepts = pytest.mark.parametrize("fit_intercept", [True, False])
