"""scikit-learn's own checks, on every estimator, with no expected failure."""

import warnings

import pytest
from sklearn.exceptions import SkipTestWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

import thalweg as tw
from support import estimators

INSTANCES = [cls() for cls in estimators.CLASSES]
# Coefficients compared across refits: tighter than the default tolerance lets them be.
TIGHT = [cls(tol=1e-12) for cls in estimators.CLASSES]


@parametrize_with_checks(INSTANCES)
def test_scikit_learn_checks(estimator, check):
    run(estimator, check)


@parametrize_with_checks(TIGHT)
def test_scikit_learn_checks_at_a_tight_tolerance(estimator, check):
    run(estimator, check)


def run(estimator, check):
    with warnings.catch_warnings():
        # Only what scikit-learn says about its own checks may be a warning.
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", SkipTestWarning)
        check(estimator)


def test_there_are_estimators():
    assert len(INSTANCES) >= 12
    assert all(type(instance).__doc__ for instance in INSTANCES)


@pytest.mark.parametrize("cls", estimators.CLASSES, ids=estimators.name)
def test_parameters_and_defaults_are_those_of_scikit_learn(cls):
    import inspect

    from sklearn import linear_model

    theirs = getattr(linear_model, cls.__name__, None)
    if theirs is None:
        pytest.skip(f"scikit-learn has no {cls.__name__}")
    ours = inspect.signature(cls).parameters
    for name, parameter in inspect.signature(theirs).parameters.items():
        assert name in ours
        if isinstance(parameter.default, str) and parameter.default in ("warn", "deprecated"):
            continue  # a deprecation: the value that it leads to is tested in tests/reference
        if name == "solver":  # ours everywhere; the names of scikit-learn are accepted
            assert ours[name].default == inspect.signature(tw.solve).parameters[name].default
            continue
        assert ours[name].default == parameter.default, name
