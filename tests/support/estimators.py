"""The estimators of the package, found by introspection."""

import inspect

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils import get_tags

from thalweg import linear_model

CLASSES = [
    value
    for name in linear_model.__all__
    if inspect.isclass(value := getattr(linear_model, name)) and issubclass(value, BaseEstimator)
]
FUNCTIONS = [
    value
    for name in linear_model.__all__
    if inspect.isfunction(value := getattr(linear_model, name))
]


def taking(*names):
    """Classes with parameters of these names."""
    return [cls for cls in CLASSES if set(names) <= set(inspect.signature(cls).parameters)]


# Classes that choose their strength, and those that have it given or have none.
CHOOSING = taking("alphas")
SINGLE = [cls for cls in CLASSES if cls not in CHOOSING]
CLASSIFIERS = [cls for cls in CLASSES if is_classifier(cls())]
REGRESSORS = [cls for cls in CLASSES if cls not in CLASSIFIERS]
# Regressors of a logarithmic link.
POSITIVE = [cls for cls in CLASSES if get_tags(cls()).target_tags.positive_only]
SEVERAL_TARGETS = [cls for cls in CLASSES if get_tags(cls()).target_tags.multi_output]
SUMMARIZING = [cls for cls in CLASSES if hasattr(cls, "summary")]
WITH_OFFSET = [cls for cls in CLASSES if "offset" in inspect.signature(cls.fit).parameters]


def name(cls):
    """Test id of a class."""
    return cls.__name__


def make(cls, **options):
    """An estimator that is quick to fit on the tests' data."""
    defaults = {"alphas": 20, "cv": 3} if cls in CHOOSING else {}
    if cls in taking("alpha"):
        defaults["alpha"] = 0.05
    if cls in taking("max_iter"):
        defaults["max_iter"] = 10_000
    return cls(**{**defaults, **options})


def target(cls, y):
    """A target that the class takes, from numbers of any sign."""
    if cls in CLASSIFIERS:
        return np.where(y > np.median(y), "above", "below")
    return np.exp(0.3 * y / y.std()) if cls in POSITIVE else y


def rows(model):
    """Coefficients as one row per target or output, and as many intercepts."""
    return np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)


def fit_memory_map(cls, X, y):
    """A fitted estimator, and whether X came as a read-only memory map.

    Here because worker processes find `support`, which is on the path, and not the test modules.
    """
    return make(cls).fit(X, y), isinstance(X, np.memmap) and not X.flags.writeable
