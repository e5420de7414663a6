"""The estimators of the package, found by introspection."""

import inspect

import numpy as np
from sklearn.base import BaseEstimator

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
# Classes that fit one strength, given by `alpha`, and classes that choose it.
SINGLE = [cls for cls in CLASSES if "alpha" in inspect.signature(cls).parameters]
CHOOSING = [cls for cls in CLASSES if "alphas" in inspect.signature(cls).parameters]


def name(cls):
    """Test id of a class."""
    return cls.__name__


def make(cls, **options):
    """An estimator that is quick to fit on the tests' data."""
    defaults = {"alpha": 0.05} if cls in SINGLE else {"alphas": 20, "cv": 3}
    return cls(**{**defaults, **options})


def fit_memory_map(cls, X, y):
    """A fitted estimator, and whether X came as a read-only memory map.

    Here because worker processes find `support`, which is on the path, and not the test modules.
    """
    return make(cls).fit(X, y), isinstance(X, np.memmap) and not X.flags.writeable
