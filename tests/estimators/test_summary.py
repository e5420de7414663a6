"""`summary`: its form and its errors; the numbers are checked in tests/reference."""

import dataclasses
import pickle

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from support import catalogue, data, estimators
from thalweg import penalties
from thalweg.linear_model import LogisticRegression

every = pytest.mark.parametrize("cls", estimators.SUMMARIZING, ids=estimators.name)


@pytest.fixture
def problem(cls):
    X, y = data.threaded_problem(n_samples=80, n_features=4)
    return X, estimators.target(cls, y + 3.0 * y.std() * np.sin(np.arange(80.0)))


@every
def test_it_is_a_table(cls, problem):
    pytest.importorskip("pandas")
    X, y = problem
    model = estimators.make(cls).fit(X, y)
    summary = model.summary(X, y)
    assert summary.names == ("intercept", "x0", "x1", "x2", "x3")
    assert (summary.std_error > 0).all()
    assert (summary.lower < summary.upper).all()
    frame = summary.to_frame()
    assert frame.shape == (5, 6)
    assert list(frame.index) == list(summary.names)
    lines = str(summary).splitlines()
    assert len(lines) == 7
    assert len({len(line) for line in lines[:6]}) == 1
    assert "0.025" in lines[0]


@every
def test_levels_widen_intervals(cls, problem):
    X, y = problem
    model = estimators.make(cls).fit(X, y)
    narrow, wide = (model.summary(X, y, level=level) for level in (0.5, 0.99))
    assert (wide.lower < narrow.lower).all()
    with pytest.raises(ValueError, match="level"):
        model.summary(X, y, level=1.0)


@every
def test_features_have_names_and_float32_serves(cls, problem):
    pd = pytest.importorskip("pandas")
    X, y = problem
    frame = pd.DataFrame(X.astype(np.float32), columns=list("abcd"))
    model = estimators.make(cls, fit_intercept=False).fit(frame, y)
    assert model.summary(frame, y).names == ("a", "b", "c", "d")


@every
@pytest.mark.parametrize("weight", [1e-22, 1e22])
def test_weights_of_any_size_count(cls, weight, problem):
    X, y = problem
    model = estimators.make(cls).fit(X, y)
    by_number = model.summary(X, y, weight)
    by_sample = model.summary(X, y, np.full(len(y), weight))
    assert by_sample.n_observations == pytest.approx(by_number.n_observations)
    np.testing.assert_allclose(by_sample.covariance, by_number.covariance)


@every
def test_dependent_features_are_refused(cls, problem):
    X, y = problem
    X = np.column_stack([X, X[:, 0]])
    options = {"C": np.inf} if cls in estimators.taking("C") else {}
    options |= {"alpha": 0.0} if cls in estimators.taking("alpha") else {}
    model = estimators.make(cls, **options).fit(X, y)
    with pytest.raises(ValueError, match="do not determine"):
        model.summary(X, y)


@pytest.mark.parametrize("keep", [False, True])
def test_fits_without_a_minimum_are_refused(keep):
    X, y = np.arange(1.0, 5.0)[:, None], [0, 0, 1, 1]
    model = LogisticRegression(C=np.inf)
    with pytest.warns(ConvergenceWarning, match="perfect separation"):
        model.fit(X, y, keep_information=keep)
    with pytest.raises(ValueError, match="status of the fit is 'unbounded'"):
        model.summary(*(() if keep else (X, y)))


@every
def test_unfinished_fits_warn(cls, problem):
    X, y = problem
    model = estimators.make(cls).fit(X, y)
    finished = model.summary(X, y)
    model.report_ = dataclasses.replace(model.report_, status="max_iter")
    with pytest.warns(ConvergenceWarning, match="unfinished fit, of status 'max_iter'") as caught:
        unfinished = model.summary(X, y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(unfinished.std_error, finished.std_error)


@every
def test_other_data_is_refused(cls, problem):
    X, y = problem
    model = estimators.make(cls).fit(X, y)
    with pytest.raises(ValueError, match="features"):
        model.summary(X[:, :2], y)
    with pytest.raises(ValueError, match="samples"):
        model.summary(X, y[:-1])


@every
@pytest.mark.parametrize("storage", data.STORAGES)
def test_kept_information_takes_the_place_of_the_data(cls, storage, problem):
    X, y = problem
    X = data.stored(X, storage)
    weight = np.random.default_rng(0).integers(1, 4, len(y)).astype(float)
    model = estimators.make(cls).fit(X, y, weight, keep_information=True)
    kept, again = pickle.loads(pickle.dumps(model)).summary(), model.summary(X, y, weight)
    assert kept.names == again.names
    assert kept.n_observations == pytest.approx(again.n_observations)
    assert kept.deviance == pytest.approx(again.deviance)
    np.testing.assert_allclose(kept.covariance, again.covariance, rtol=1e-9)
    assert model.summary(level=0.5).level == 0.5


@every
def test_without_data_and_information_both_ways_out_are_named(cls, problem):
    X, y = problem
    model = estimators.make(cls).fit(X, y, keep_information=True)
    model.fit(X, y)  # forgets
    with pytest.raises(ValueError, match=r"pass X and y again.*keep_information=True"):
        model.summary()
    with pytest.raises(ValueError, match="y"):
        model.summary(X)
    with pytest.raises(NotFittedError):
        estimators.make(cls).summary()
    with pytest.raises(ValueError, match="keep_information"):
        estimators.make(cls).fit(X, y, keep_information=1)


composed = pytest.mark.parametrize(
    "cls", [c for c in estimators.SUMMARIZING if c in estimators.taking("loss", "penalty")]
)


def penalties_that(are_smooth):
    """Classes of the penalties that have a second derivative, or have not."""
    return [
        type(penalties.resolve(name))
        for name, entry in catalogue.CATALOG["penalty"].items()
        if entry.flags["smooth_penalty"] == are_smooth
    ]


@composed
@pytest.mark.parametrize("penalty", penalties_that(are_smooth=True), ids=estimators.name)
@pytest.mark.parametrize("what", ["limits", "standardize"])
def test_composed_models_say_what_has_no_summary(cls, penalty, what, problem):
    X, y = problem
    handle = penalty(lower=-1.0) if what == "limits" else penalty()
    model = estimators.make(cls, penalty=handle, standardize=what == "standardize").fit(X, y)
    message = {"limits": "held to limits", "standardize": "features as they are"}[what]
    with pytest.raises(ValueError, match=message):
        model.summary(X, y)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, keep_information=True)


@composed
@pytest.mark.parametrize("penalty", penalties_that(are_smooth=False), ids=estimators.name)
def test_penalties_with_kinks_have_no_summary(cls, penalty, problem):
    X, y = problem
    model = estimators.make(cls, penalty=penalty())
    with pytest.raises(ValueError, match="without a penalty or with"):
        model.fit(X, y, keep_information=True)


@composed
def test_losses_that_are_no_likelihoods_have_no_summary(cls, problem):
    X, y = problem
    names = [
        entry.name
        for entry in catalogue.CATALOG["loss"].values()
        if entry.flags["smooth"]
        and not entry.flags["likelihood"]
        and entry.flags["classification"] == (cls in estimators.CLASSIFIERS)
    ]
    assert names
    for name in names:
        with pytest.raises(ValueError, match="no likelihood"):
            estimators.make(cls, loss=name).fit(X, y, keep_information=True)


@composed
@pytest.mark.parametrize("penalty", penalties_that(are_smooth=True), ids=estimators.name)
def test_weights_of_the_penalty_count(cls, penalty, problem):
    X, y = problem
    weights = np.array([0.0, 1.0, 2.0, 1e6])
    model = estimators.make(cls, penalty=penalty(weights=weights), alpha=0.1).fit(X, y)
    error = model.summary(X, y).std_error
    assert error[-1] < 1e-5 * error[1]


@every
def test_an_interrupt_of_the_extra_work_leaves_a_fitted_model(cls, problem, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    X, y = problem
    model = estimators.make(cls)
    monkeypatch.setattr(cls, "_measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y, keep_information=True)
    assert model.report_.status == "converged"
    assert model.predict(X).shape == y.shape
    with pytest.raises(ValueError, match="keep_information"):
        model.summary()
