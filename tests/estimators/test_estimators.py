"""What every estimator does, whatever it fits."""

import os
import pickle
import sys

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import thalweg as tw
from support import catalogue, data, estimators

every = pytest.mark.parametrize("cls", estimators.CLASSES, ids=estimators.name)
TOL = 1e-10
# scikit-learn's strengths of these are relative to the sum of the weights, not to their mean.
SUMMED = [
    *estimators.taking("C"),
    *estimators.taking("epsilon"),
    *(c for c in estimators.SEVERAL_TARGETS if hasattr(c, "summary")),
]


def those(classes):
    return pytest.mark.parametrize("cls", classes, ids=estimators.name)


@pytest.fixture
def problem(cls):
    X, y = data.threaded_problem(n_samples=60, n_features=30)
    return X, estimators.target(cls, y)


def attributes(model):
    """Fitted attributes that are numbers or arrays of them."""
    names = [name for name in vars(model) if name.endswith("_") and not name.startswith("_")]
    values = {name: getattr(model, name) for name in names}
    return {k: v for k, v in values.items() if isinstance(v, (np.ndarray, float, int, list))}


def check_equal_fits(first, second):
    assert attributes(first).keys() == attributes(second).keys()
    for name, value in attributes(first).items():
        np.testing.assert_array_equal(value, getattr(second, name), err_msg=name)


@every
def test_fitted_attributes(cls, problem):
    X, y = problem
    model = estimators.make(cls).fit(X, y)
    coef, intercept = estimators.rows(model)
    assert coef.shape == (1, X.shape[1])
    assert model.coef_.ndim == (2 if cls in estimators.CLASSIFIERS else 1)
    assert intercept.shape == (1,)
    assert isinstance(model.intercept_, np.ndarray if cls in estimators.CLASSIFIERS else float)
    assert model.n_features_in_ == X.shape[1]
    assert model.certificate_.kind == "duality_gap"
    assert model.certificate_.value >= 0.0
    assert model.certificate_.relative <= model.tol
    assert getattr(model, "dual_gap_", model.certificate_.value) == model.certificate_.value
    report = model.report_
    assert report.status == "converged"
    assert report.solver in tw.catalog()["solver"]
    assert report.n_iter >= 0
    if getattr(model, "n_iter_", None) is not None:
        assert report.n_epochs <= model.n_iter_
    assert report.time >= 0.0
    assert report.copies == ()
    assert "converged" in str(report)
    assert list(report.to_frame()) == list(report.trace)
    eta = X @ coef[0] + intercept[0]
    if cls in estimators.CLASSIFIERS:
        np.testing.assert_allclose(model.decision_function(X), eta, rtol=1e-12)
        np.testing.assert_array_equal(model.predict(X), model.classes_[(eta > 0).astype(int)])
        return
    expected = np.exp(eta) if cls in estimators.POSITIVE else eta
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-12)


@those([cls for cls in estimators.CLASSES if hasattr(cls, "sparse_coef_")])
def test_sparse_coefficients(cls, problem):
    model = estimators.make(cls).fit(*problem)
    assert sparse.issparse(model.sparse_coef_)
    np.testing.assert_array_equal(model.sparse_coef_.toarray()[0], model.coef_)


@every
def test_repeated_fits_and_threads_agree_to_the_bit(cls, problem):
    X, y = problem
    first = estimators.make(cls, n_threads=1).fit(X, y)
    check_equal_fits(first, estimators.make(cls, n_threads=2).fit(X, y))
    check_equal_fits(first, first.fit(X, y))


@every
def test_pickle_and_clone(cls, problem):
    X, y = problem
    model = estimators.make(cls).fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    check_equal_fits(model, copy)
    assert copy.report_.status == "converged"
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    fresh = clone(model)
    assert fresh.get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        fresh.predict(X)


@every
@pytest.mark.parametrize("kind", [sparse.csc_array, sparse.csr_matrix, sparse.coo_array])
def test_sparse_equals_dense(cls, problem, kind):
    X, y = problem
    X = X * (np.abs(X) > 0.8)
    dense = estimators.make(cls, tol=TOL).fit(X, y)
    other = estimators.make(cls, tol=TOL).fit(kind(X), y)
    np.testing.assert_allclose(other.coef_, dense.coef_, atol=1e-6)
    np.testing.assert_allclose(other.intercept_, dense.intercept_, atol=1e-6)
    if cls in estimators.CLASSIFIERS:
        decisions = [dense.decision_function(X), other.decision_function(kind(X))]
    else:
        decisions = [dense.predict(X), other.predict(kind(X))]
    np.testing.assert_allclose(*decisions, atol=1e-5)
    assert all("csr" in copy or "csc" in copy for copy in other.report_.copies)


@every
def test_read_only_memory_map(cls, problem, tmp_path):
    X, y = problem
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model = estimators.make(cls).fit(mapped, y)
    check_equal_fits(estimators.make(cls).fit(X, y), model)
    assert model.report_.copies == ()


@every
def test_float32_gives_float32(cls, problem):
    X, y = problem
    single = y if cls in estimators.CLASSIFIERS else y.astype(np.float32)
    model = estimators.make(cls, tol=1e-8).fit(X.astype(np.float32), single)
    assert model.coef_.dtype == np.float32
    if cls in estimators.CHOOSING:
        assert model.mse_path_.dtype == np.float64  # as scikit-learn has it
    assert model.certificate_.relative <= 1e-8
    assert isinstance(model.certificate_.value, float)
    exact = estimators.make(cls, tol=1e-8).fit(X, y)
    np.testing.assert_allclose(model.coef_, exact.coef_, atol=1e-3)


@every
def test_no_intercept(cls, problem):
    X, y = problem
    model = estimators.make(cls, fit_intercept=False).fit(X, y)
    assert np.all(model.intercept_ == 0.0)


@those(estimators.taking("positive"))
def test_positive(cls, problem):
    X, _ = problem
    model = estimators.make(cls, positive=True).fit(X, X[:, 0] + X[:, 4] - X[:, 9])
    assert (model.coef_ >= 0.0).all()
    assert model.coef_.any()


@every
def test_sample_weight_ratios_and_zeros(cls, problem):
    X, y = problem
    weight = np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
    cv = [(np.arange(30), np.arange(30, 60)), (np.arange(30, 60), np.arange(30))]
    options = {"tol": TOL} | ({"cv": cv} if cls in estimators.CHOOSING else {})
    model = estimators.make(cls, **options).fit(X, y, sample_weight=weight)
    if cls not in SUMMED:
        scaled = estimators.make(cls, **options).fit(X, y, sample_weight=64.0 * weight)
        np.testing.assert_allclose(scaled.coef_, model.coef_, atol=1e-8)
    changed = X.copy()
    changed[weight == 0] = 1e3
    again = estimators.make(cls, **options).fit(changed, y, sample_weight=weight)
    np.testing.assert_allclose(again.coef_, model.coef_, atol=1e-6)


@every
def test_feature_names(cls, problem):
    pd = pytest.importorskip("pandas")
    X, y = problem
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    model = estimators.make(cls).fit(frame, y)
    assert list(model.feature_names_in_) == list(frame.columns)
    model.predict(frame)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[frame.columns[::-1]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)


@every
def test_polars_frames(cls, problem):
    pl = pytest.importorskip("polars")
    X, y = problem
    names = [f"x{j}" for j in range(X.shape[1])]
    frame = pl.DataFrame(dict(zip(names, X.T, strict=True)))
    model = estimators.make(cls).fit(frame, pl.Series(y))
    assert list(model.feature_names_in_) == names
    expected = estimators.make(cls).fit(X, y)
    np.testing.assert_allclose(model.coef_, expected.coef_, atol=1e-6)
    predictions = model.predict(frame), expected.predict(X)
    if cls in estimators.CLASSIFIERS:
        np.testing.assert_array_equal(*predictions)
    else:
        np.testing.assert_allclose(*predictions, rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.select(names[::-1]))


@every
def test_unfitted(cls, problem):
    X, _ = problem
    with pytest.raises(NotFittedError):
        estimators.make(cls).predict(X)


@those(estimators.taking("selection"))
def test_random_selection_follows_the_seed(cls, problem):
    X, y = problem
    models = [
        estimators.make(cls, selection="random", random_state=seed).fit(X, y) for seed in (0, 0, 1)
    ]
    check_equal_fits(models[0], models[1])
    np.testing.assert_allclose(models[2].coef_, models[0].coef_, atol=0.05)


@those(estimators.taking("precompute"))
def test_precompute_is_accepted(cls, problem):
    X, y = problem
    X = X - X.mean(axis=0)
    for precompute in (True, False, X.T @ X):
        model = estimators.make(cls, precompute=precompute, tol=TOL).fit(X, y)
        assert model.report_.status == "converged"
    with pytest.raises(ValueError, match="precompute"):
        estimators.make(cls, precompute=np.eye(X.shape[1])).fit(X, y)


# A solver that does without a Gram matrix: one with an order of coordinates to choose.
RANDOM = next(
    name
    for name, entry in catalogue.CATALOG["solver"].items()
    if any(parameter.name == "selection" for parameter in entry.parameters)
)


@those(estimators.taking("precompute"))
@pytest.mark.parametrize(
    ("options", "kind", "why"),
    [
        ({"selection": "random"}, np.asarray, "selection='random'"),
        ({"solver": RANDOM}, np.asarray, f"solver='{RANDOM}'"),
        ({}, sparse.csc_array, "for sparse X"),
    ],
    ids=["random", "named", "sparse"],
)
def test_a_gram_matrix_that_is_left_aside_is_on_record(cls, options, kind, why, problem):
    X, y = problem
    X = X - X.mean(axis=0)
    for precompute in (True, X.T @ X):
        model = estimators.make(cls, precompute=precompute, **options).fit(kind(X), y)
        assert f"precompute: left aside, {why}" in model.report_.reason
        assert "no Gram" not in model.report_.reason
        for function in estimators.FUNCTIONS:
            with pytest.warns(UserWarning, match="precompute: left aside, .*" + why):
                function(kind(X), y, alphas=2, precompute=precompute, **options)
    model = estimators.make(cls, precompute=True).fit(X, y)
    assert "left aside" not in model.report_.reason


@every
def test_verbose_writes_a_progress_bar_to_standard_error(cls, problem, capsys):
    X, y = problem
    estimators.make(cls, verbose=1).fit(X, y)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "solve" in captured.err
    estimators.make(cls).fit(X, y)
    assert capsys.readouterr() == ("", "")


@every
@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudoterminal")
def test_the_progress_bar_shows_on_a_terminal_without_a_size(cls, problem, monkeypatch):
    X, y = problem
    reader, writer = os.openpty()  # of 0 rows and columns
    with os.fdopen(writer, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        estimators.make(cls, verbose=1).fit(X, y)
        terminal.flush()
    assert b"solve" in os.read(reader, 1000)
    os.close(reader)
