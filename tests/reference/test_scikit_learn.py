"""The same numbers as scikit-learn at tight tolerances."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn import linear_model as theirs
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold, ShuffleSplit

from thalweg import linear_model as ours
from thalweg import problems

TOL = 1e-13
SINGLE = [("Lasso", {}), ("ElasticNet", {"l1_ratio": 0.3}), ("ElasticNet", {"l1_ratio": 0.9})]
single = pytest.mark.parametrize(("name", "options"), SINGLE)


@pytest.fixture(params=["tall", "wide", "sparse"])
def problem(request):
    if request.param == "sparse":
        X, y, _ = problems.sparse_regression(120, 60, density=0.2, seed=1)
        return sparse.csc_matrix(X), y
    shape = (100, 20) if request.param == "tall" else (50, 120)
    X, y, _ = problems.regression(*shape, n_nonzero=8, seed=1)
    return X, y


def both(name, X, y, sample_weight=None, **options):
    mine, other = (
        getattr(package, name)(**{"tol": TOL, "max_iter": 200_000, **options})
        for package in (ours, theirs)
    )
    mine.fit(X, y, sample_weight=sample_weight)
    with warnings.catch_warnings():  # scikit-learn does not always reach such a tolerance
        warnings.simplefilter("ignore", ConvergenceWarning)
        other.fit(X, y, sample_weight=sample_weight)
    return mine, other


def assert_same(mine, other, atol=1e-6):
    scale = 1.0 + np.abs(other.coef_).max()
    np.testing.assert_allclose(mine.coef_, other.coef_, atol=atol * scale)
    np.testing.assert_allclose(mine.intercept_, other.intercept_, atol=atol * scale)
    assert mine.coef_.shape == np.shape(other.coef_)
    assert np.shape(mine.intercept_) == np.shape(other.intercept_)
    assert mine.coef_.dtype == other.coef_.dtype


@single
@pytest.mark.parametrize("alpha", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("positive", [True, False])
def test_coefficients(problem, name, options, alpha, fit_intercept, positive):
    options = {**options, "alpha": alpha, "fit_intercept": fit_intercept, "positive": positive}
    assert_same(*both(name, *problem, **options))


@single
def test_sample_weights(problem, name, options):
    X, y = problem
    weight = np.random.default_rng(0).integers(0, 4, len(y)).astype(float)
    assert_same(*both(name, X, y, weight, alpha=0.05, **options))


@single
def test_several_targets(name, options):
    X, y, _ = problems.regression(80, 15, n_nonzero=5, seed=2)
    Y = np.column_stack([y, X[:, 0] - 2.0 * y])
    assert_same(*both(name, X, Y, alpha=0.05, **options))


@single
def test_dual_gaps_bound_those_of_scikit_learn(name, options):
    X, y, _ = problems.regression(80, 15, n_nonzero=5, seed=2)
    mine, other = both(name, X, y, alpha=0.05, **options)
    assert 0 <= mine.dual_gap_ <= TOL * (y**2).mean()
    assert mine.score(X, y) == pytest.approx(other.score(X, y), abs=1e-12)


CV = [("LassoCV", {}), ("ElasticNetCV", {}), ("ElasticNetCV", {"l1_ratio": [0.2, 0.7, 1.0]})]


@pytest.mark.parametrize(("name", "options"), CV)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_validation(problem, name, options, fit_intercept, weighted):
    X, y = problem
    weight = np.random.default_rng(0).uniform(0.2, 2.0, len(y)) if weighted else None
    options = {**options, "fit_intercept": fit_intercept, "alphas": 12, "eps": 0.1, "tol": 1e-10}
    mine, other = both(name, X, y, weight, cv=4, **options)
    np.testing.assert_allclose(mine.alphas_, other.alphas_, rtol=1e-9)
    assert mine.mse_path_.shape == other.mse_path_.shape
    np.testing.assert_allclose(mine.mse_path_, other.mse_path_, rtol=1e-4)
    assert mine.alpha_ == pytest.approx(other.alpha_)
    assert mine.l1_ratio_ == other.l1_ratio_ if "l1_ratio" in options else True
    assert_same(mine, other, atol=1e-4)


@pytest.mark.parametrize("name", ["LassoCV", "ElasticNetCV"])
@pytest.mark.parametrize(
    "options",
    [
        {"alphas": [0.5, 0.05, 0.1]},
        {"positive": True, "alphas": 8},
        {"cv": ShuffleSplit(3, random_state=0), "alphas": 8},
        {"cv": list(GroupKFold(3).split(np.zeros((100, 1)), groups=np.arange(100) % 7))},
        {"selection": "random", "random_state": 0, "alphas": 8},
        {"n_jobs": 2, "alphas": 8},
        {"precompute": True, "alphas": 8},
    ],
    ids="-".join,
)
def test_options_of_cross_validation(name, options):
    X, y, _ = problems.regression(100, 20, n_nonzero=8, seed=1)
    mine, other = both(name, X, y, **{"tol": 1e-10, "alphas": 10, **options})
    np.testing.assert_allclose(mine.mse_path_, other.mse_path_, rtol=1e-4)
    assert mine.alpha_ == pytest.approx(other.alpha_)
    assert_same(mine, other, atol=1e-4)


@pytest.mark.parametrize("name", ["lasso_path", "enet_path"])
@pytest.mark.parametrize("options", [{}, {"positive": True}, {"alphas": [0.3, 0.01]}, {"eps": 0.1}])
def test_paths(problem, name, options):
    X, y = problem
    results = [
        getattr(package, name)(
            X, y, **{"alphas": 8, "tol": 1e-12, "max_iter": 100_000, **options}, return_n_iter=True
        )
        for package in (ours, theirs)
    ]
    (alphas, coefs, gaps, n_iters), (their_alphas, their_coefs, their_gaps, _) = results
    np.testing.assert_allclose(alphas, their_alphas, rtol=1e-9)
    assert coefs.shape == their_coefs.shape
    np.testing.assert_allclose(coefs, their_coefs, atol=1e-4 * (1 + np.abs(their_coefs).max()))
    assert gaps.shape == their_gaps.shape
    assert len(n_iters) == len(alphas)


@pytest.mark.parametrize("name", ["lasso_path", "enet_path"])
@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_products_with_the_target_are_taken_where_they_are_those(problem, name, precision):
    X, y = problem
    y = y + 1.0
    Xy = (X.T @ y).astype(precision)
    options = {"alphas": range(1, 4), "precompute": "auto", "do_screening": False}
    ours_are, theirs_are = (
        getattr(package, name)(X, y, Xy=Xy, tol=1e-12, **options)[1] for package in (ours, theirs)
    )
    np.testing.assert_allclose(ours_are, theirs_are, atol=1e-6 * np.abs(theirs_are).max())


def test_products_with_the_target_are_of_weighted_rows():
    X, y, _ = problems.regression(40, 8, seed=0)
    weights = 1.0 + np.arange(40) % 3
    scaled = weights * (40 / weights.sum())
    for Xy in (X.T @ (scaled * y), (X.T @ (scaled * y))[:, None]):
        ours.lasso_path(X, y, alphas=3, Xy=Xy, sample_weight=weights)
    with pytest.raises(ValueError, match="Xy"):
        ours.lasso_path(X, y, alphas=3, Xy=X.T @ y, sample_weight=weights)


@pytest.mark.parametrize("name", ["lasso_path", "enet_path"])
def test_deprecated_spellings_lead_to_the_new_ones(name):
    X, y, _ = problems.regression(40, 8, seed=0)
    path = getattr(ours, name)
    expected = path(X, y, alphas=5)
    with pytest.warns(FutureWarning, match="n_alphas"):
        old = path(X, y, n_alphas=5)
    for new, same in zip(expected, old, strict=True):
        np.testing.assert_array_equal(new, same)
    with pytest.warns(FutureWarning, match="alphas"):
        assert len(path(X, y, alphas=None)[0]) == 100
    assert len(path(X, y)[0]) == 100


@pytest.mark.parametrize("name", ["LassoCV", "ElasticNetCV"])
def test_deprecated_spellings_of_estimators(name):
    X, y, _ = problems.regression(40, 8, seed=0)
    with pytest.warns(FutureWarning, match="alphas"):
        model = getattr(ours, name)(alphas=None).fit(X, y)
    assert len(model.alphas_) == 100


NAMES = ["Lasso", "ElasticNet", "LassoCV", "ElasticNetCV"]
DESIGNS = {
    "float64": lambda X: X,
    "float32": lambda X: X.astype(np.float32),
    "integers": lambda X: (10 * X).astype(int),
    "list": lambda X: X.tolist(),
    "csc": sparse.csc_matrix,
    "csr float32": lambda X: sparse.csr_array(X.astype(np.float32)),
}
TARGETS = {
    "vector": lambda y: y,
    "column": lambda y: y[:, None],
    "two": lambda y: np.column_stack([y, -y]),
    "integers": lambda y: (10 * y).astype(int),
    "booleans": lambda y: y > 0,
}


def looks(value):
    return type(value), np.shape(value), getattr(value, "dtype", None)


@pytest.mark.parametrize("interface", ["spmatrix", "sparray"])
@pytest.mark.parametrize("name", ["Lasso", "ElasticNet"])
def test_sparse_coefficients_are_of_the_configured_interface(name, interface):
    X, y, _ = problems.regression(40, 8, seed=0)
    mine, other = (getattr(package, name)().fit(X, y) for package in (ours, theirs))
    with config_context(sparse_interface=interface):
        assert looks(mine.sparse_coef_) == looks(other.sparse_coef_)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("y_kind", TARGETS)
@pytest.mark.parametrize("X_kind", DESIGNS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
def test_types_shapes_and_precisions_of_attributes(name, X_kind, y_kind, fit_intercept):
    X, y, _ = problems.regression(40, 8, seed=0)
    X, y = DESIGNS[X_kind](X), TARGETS[y_kind](y)
    options = {"fit_intercept": fit_intercept}
    options |= {"alphas": 4, "cv": 3} if name.endswith("CV") else {"alpha": 0.05}
    mine, other = (getattr(package, name)(**options) for package in (ours, theirs))
    if name.endswith("CV") and y_kind == "two":
        for model in (mine, other):
            with pytest.raises(ValueError, match=r"[Mm]ulti-task"):
                model.fit(X, y)
        return
    mine.fit(X, y), other.fit(X, y)
    attributes = [a for a in vars(other) if a.endswith("_") and not a.startswith("_")]
    assert len(attributes) >= 5
    for attribute in attributes:
        theirs_is, mine_is = (looks(getattr(model, attribute)) for model in (other, mine))
        assert mine_is == theirs_is, attribute
    assert looks(mine.predict(X)) == looks(other.predict(X))
    if not name.endswith("CV"):
        assert looks(mine.sparse_coef_) == looks(other.sparse_coef_)


@pytest.mark.parametrize("name", ["lasso_path", "enet_path"])
@pytest.mark.parametrize("y_kind", ["vector", "column"])
@pytest.mark.parametrize("X_kind", ["float64", "float32", "csc"])
@pytest.mark.parametrize("given", [{"alphas": 5}, {"alphas": [0.5, 0.1]}, {"coef_init": 1.0}])
def test_types_shapes_and_precisions_of_paths(name, X_kind, y_kind, given):
    X, y, _ = problems.regression(40, 8, seed=0)
    X, y = DESIGNS[X_kind](X), TARGETS[y_kind](y)
    if "coef_init" in given:
        given = {"coef_init": np.ones((8,) if y_kind == "vector" else (1, 8)), "alphas": 5}
    results = [
        getattr(package, name)(X, y, return_n_iter=True, tol=1e-6, **given)
        for package in (ours, theirs)
    ]
    for mine, other in zip(*results, strict=True):
        assert looks(mine) == looks(other)
    np.testing.assert_allclose(results[0][1], results[1][1], atol=1e-2)


@pytest.mark.parametrize("name", NAMES)
def test_tags_and_metadata_requests(name):
    from sklearn.utils import get_tags

    mine, other = (getattr(package, name)() for package in (ours, theirs))
    assert get_tags(mine) == get_tags(other)
    assert str(mine.get_metadata_routing()) == str(other.get_metadata_routing())
    assert {m for m in dir(other) if not m.startswith("_")} <= set(dir(mine))
