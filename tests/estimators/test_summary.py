"""`summary`: its form and its errors; the numbers are checked in tests/reference."""

import numpy as np
import pytest

from support import data, estimators

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


@every
def test_other_data_is_refused(cls, problem):
    X, y = problem
    model = estimators.make(cls).fit(X, y)
    with pytest.raises(ValueError, match="features"):
        model.summary(X[:, :2], y)
    with pytest.raises(ValueError, match="samples"):
        model.summary(X, y[:-1])
