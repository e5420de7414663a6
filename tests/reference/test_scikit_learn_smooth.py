"""Logistic regression and generalized linear models as in scikit-learn."""

import numpy as np
import pytest
from scipy import sparse
from sklearn import _loss
from sklearn import linear_model as theirs
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import thalweg as tw
from support.scikit_learn import (
    TIGHT,
    assert_same,
    both,
    design,
    designs,
    intercepts,
    labels,
    looks,
    weights,
)
from thalweg import linear_model as ours
from thalweg import losses, problems


@designs
@intercepts
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_regression(kind, fit_intercept, C, n_classes):
    X, y = design(kind)
    y = labels(y, n_classes)
    options = {"C": C, "fit_intercept": fit_intercept}
    mine, other = both("LogisticRegression", X, y, exact="newton-cholesky", **options)
    assert_same(mine, other)
    assert mine.classes_.tolist() == other.classes_.tolist()
    for method in ("decision_function", "predict_proba"):
        np.testing.assert_allclose(
            getattr(mine, method)(X), getattr(other, method)(X), rtol=1e-5, atol=1e-5
        )
    log_P = mine.predict_log_proba(X)
    np.testing.assert_allclose(np.exp(log_P), mine.predict_proba(X), atol=1e-12)
    np.testing.assert_array_equal(mine.predict(X), other.predict(X))
    assert mine.score(X, y) == other.score(X, y)


def test_log_probabilities_of_many_classes_take_one_pass(monkeypatch):
    X, y = design("tall")
    model = ours.LogisticRegression(C=1e6, **TIGHT).fit(X, labels(y, 4))
    model.coef_ *= 3.0
    values, asked = losses.Multinomial.values, []

    def counted(self, y, eta):
        asked.append(len(y))
        return values(self, y, eta)

    monkeypatch.setattr(losses.Multinomial, "values", counted)
    log_P = model.predict_log_proba(X)
    assert asked == [len(X)]
    eta = model.decision_function(X)
    every = [-values(losses.Multinomial(), np.full(len(X), k), eta) for k in range(4)]
    np.testing.assert_allclose(log_P, np.column_stack(every), rtol=1e-12, atol=1e-300)
    assert log_P.max() < 0.0  # also where a probability rounds to one
    single = model.predict_log_proba(X.astype(np.float32))
    np.testing.assert_allclose(single, log_P, rtol=1e-3)


def test_a_pipeline_in_a_grid_search():
    X, y = load_breast_cancer(return_X_y=True)
    mine, other = (
        GridSearchCV(
            Pipeline([("scale", StandardScaler()), ("model", package.LogisticRegression())]),
            {"model__C": [0.01, 0.1, 1.0], "model__fit_intercept": [True, False]},
            scoring="neg_log_loss",
            cv=4,
        ).fit(X, y)
        for package in (ours, theirs)
    )
    assert mine.best_params_ == other.best_params_
    assert mine.best_score_ == pytest.approx(other.best_score_, abs=1e-3)
    np.testing.assert_allclose(
        *(search.cv_results_["mean_test_score"] for search in (mine, other)), atol=1e-3
    )
    assert mine.best_estimator_["model"].report_.status == "converged"


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("class_weight", [None, "balanced", {"a": 3.0, "d": 0.5}])
def test_weights_of_samples_and_classes(n_classes, class_weight):
    X, y = design("tall")
    y = labels(y, n_classes)
    options = {"class_weight": class_weight}
    assert_same(
        *both("LogisticRegression", X, y, weights(len(y)), exact="newton-cholesky", **options)
    )
    assert_same(*both("LogisticRegression", X, y, 2.5, exact="newton-cholesky", **options))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_regression_without_a_penalty(n_classes):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 4))
    y = labels(X[:, 0] + 2.0 * rng.standard_normal(300), n_classes)
    mine, other = both("LogisticRegression", X, y, exact="newton-cholesky", C=np.inf)
    assert_same(mine, other)
    assert mine.certificate_.kind == "kkt"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"penalty": "l2"}, {}),
        ({"penalty": None}, {"C": np.inf}),
        ({"l1_ratio": None}, {}),
        ({"n_jobs": 2}, {}),
    ],
    ids=str,
)
def test_old_spellings_of_logistic_regression(old, new):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 4))
    y = X[:, 0] + 2.0 * rng.standard_normal(200) > 0
    with pytest.warns(FutureWarning):
        model = ours.LogisticRegression(**old).fit(X, y)
    expected = ours.LogisticRegression(**new).fit(X, y)
    np.testing.assert_array_equal(model.coef_, expected.coef_)


@pytest.mark.parametrize("options", [{"l1_ratio": 1.0}, {"l1_ratio": 0.5}])
def test_l1_penalties_are_refused(options):
    X, y = design("tall")
    with pytest.raises(ValueError, match=r"not supported .*in this version"):
        ours.LogisticRegression(**options).fit(X, y > 0)


def test_dual_needs_the_solver_that_has_it():
    X, y = design("tall")
    with pytest.raises(ValueError, match="dual=False"):
        ours.LogisticRegression(dual=True).fit(X, y > 0)
    ours.LogisticRegression(dual=True, solver="liblinear").fit(X, y > 0)


@pytest.mark.parametrize(
    "solver", ["lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"]
)
def test_solver_names_of_logistic_regression(solver):
    X, y = design("tall")
    model = ours.LogisticRegression(solver=solver, random_state=0, **TIGHT).fit(X, y > 0)
    expected = ours.LogisticRegression(**TIGHT).fit(X, y > 0)
    np.testing.assert_allclose(model.coef_, expected.coef_, atol=1e-6)
    assert f"solver='{solver}' of scikit-learn" in model.report_.reason
    for fit_intercept in (True, False):  # only one penalizes it, times intercept_scaling
        model.set_params(fit_intercept=fit_intercept).fit(X, y > 0)
        says = "the intercept is free and intercept_scaling has no effect" in model.report_.reason
        assert says == (solver == "liblinear" and fit_intercept)
    assert model.report_.solver in tw.catalog()["solver"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("PoissonRegressor", {}),
        ("GammaRegressor", {}),
        ("TweedieRegressor", {"power": 0}),
        ("TweedieRegressor", {"power": 0.4}),
        ("TweedieRegressor", {"power": 1}),
        ("TweedieRegressor", {"power": 1.5}),
        ("TweedieRegressor", {"power": 2}),
        ("TweedieRegressor", {"power": 3}),
        ("TweedieRegressor", {"power": 0, "link": "log"}),
        ("TweedieRegressor", {"power": -1.5, "link": "log"}),
        ("TweedieRegressor", {"power": 1, "link": "identity"}),
        ("TweedieRegressor", {"power": 0.6, "link": "identity"}),
    ],
    ids=str,
)
@intercepts
@pytest.mark.parametrize("weighted", [False, True])
def test_deviance_regressors(name, options, fit_intercept, weighted):
    X, y = design("tall")
    X = 0.3 * X
    y = np.exp(0.3 * y / y.std())
    if options.get("link") == "identity":
        if not fit_intercept:
            pytest.skip("at zero coefficients the mean is zero, where both start")
        X = np.abs(X)
        y = X.sum(axis=1) + y  # so that the mean is positive
    options = {**options, "fit_intercept": fit_intercept, "alpha": 0.1}
    sample_weight = weights(len(y)) if weighted else None
    mine, other = both(name, X, y, sample_weight, exact="lbfgs", **options)
    assert_same(mine, other, atol=1e-5)
    np.testing.assert_allclose(mine.predict(X), other.predict(X), rtol=1e-4)
    assert mine.score(X, y, sample_weight) == pytest.approx(
        other.score(X, y, sample_weight), abs=1e-6
    )


LINKS = {
    "log": (losses.Tweedie, _loss.HalfTweedieLoss),
    "identity": (losses.TweedieIdentity, _loss.HalfTweedieLossIdentity),
}


@pytest.mark.parametrize("power", [-1.5, 0.0, 0.2, 0.5, 0.9, 1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("link", LINKS)
def test_tweedie_losses_have_the_same_domain_values_and_gradients(power, link):
    mine, other = (cls(power=power) for cls in LINKS[link])
    y = np.array([-1.0, 0.0, 0.3, 2.0])
    taken = mine.accepts(y)
    assert taken.tolist() == [other.in_y_true_range(y[[i]]) for i in range(len(y))]
    eta = np.linspace(0.1, 4.0, 14) if link == "identity" else np.linspace(-3.0, 3.0, 14)
    y, eta = (grid.ravel() for grid in np.meshgrid(y[taken], eta))
    value, gradient = other.loss_gradient(y, eta)
    value += other.constant_to_optimal_zero(y)
    np.testing.assert_allclose(mine.values(y, eta), value, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(mine.derivatives(y, eta)[0], gradient, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("power", "link", "kind"),
    [
        (0.4, "log", "kkt"),
        (0.4, "identity", "duality_gap"),
        (1.5, "log", "duality_gap"),
        (1.5, "identity", "kkt"),
        (2.5, "log", "kkt"),
    ],
)
def test_convex_deviances_have_duality_gaps(power, link, kind):
    X, y = design("tall")
    X, y = abs(0.3 * X), np.exp(0.3 * y / y.std())
    y[0] = 0.0 if power < 2 else y[0]
    model = ours.TweedieRegressor(power=power, link=link, alpha=0.1, **TIGHT).fit(X, y)
    assert model.report_.status == "converged"
    assert model.certificate_.kind == kind


@pytest.mark.parametrize("name", ["PoissonRegressor", "GammaRegressor"])
@pytest.mark.parametrize("alpha", [0.0, 1e-3, 1.0])
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])
def test_strengths_and_solver_names_of_deviance_regressors(name, alpha, solver):
    X, y = design("sparse")
    y = np.exp(0.3 * y / y.std())
    options = {"alpha": alpha, "solver": solver}
    mine, other = both(name, X, y, **options)
    assert_same(mine, other, atol=1e-4 if alpha == 0 else 1e-5)
    assert f"solver='{solver}' of scikit-learn" in mine.report_.reason


@pytest.mark.parametrize("name", ["PoissonRegressor", "GammaRegressor", "TweedieRegressor"])
def test_targets_out_of_range(name):
    options = {"power": 1.5} if name == "TweedieRegressor" else {}
    for package in (ours, theirs):
        with pytest.raises(ValueError, match=r"Some value\(s\) of y are out of the valid range"):
            getattr(package, name)(**options).fit([[0.0], [1.0]], [1.0, -1.0])


def test_offsets_are_logarithms_of_exposures():
    """A rate with weights of exposures has the solution of counts with offsets."""
    X, y = design("tall")
    rng = np.random.default_rng(0)
    exposure = rng.uniform(0.5, 3.0, len(y))
    counts = rng.poisson(exposure * np.exp(0.2 * X[:, 0])).astype(float)
    options = {"alpha": 0.0, **TIGHT}
    with_offset = ours.PoissonRegressor(**options).fit(X, counts, offset=np.log(exposure))
    rates = theirs.PoissonRegressor(**options, solver="newton-cholesky")
    rates.fit(X, counts / exposure, sample_weight=exposure)
    assert_same(with_offset, rates)
    np.testing.assert_allclose(
        with_offset.predict(X, offset=np.log(exposure)), exposure * rates.predict(X), rtol=1e-6
    )
    assert with_offset.score(X, counts, offset=np.log(exposure)) > 0


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("LogisticRegression", {"C": 0.1}),
        ("PoissonRegressor", {}),
        ("GammaRegressor", {}),
        ("TweedieRegressor", {"power": 1.5}),
        ("Ridge", {}),
        ("LinearRegression", {}),
    ],
)
@pytest.mark.parametrize("data", ["belgium_mtpl", "bike_hour"])
def test_real_data(load, name, options, data):
    X, y, _ = load(data)
    rng = np.random.default_rng(0)
    rows = rng.choice(len(y), 2000, replace=False)
    X = X[rows].toarray() if sparse.issparse(X) else X[rows]
    X, y = StandardScaler().fit_transform(X.astype(float)), y[rows].astype(float)
    if name == "LogisticRegression":
        y = y > np.median(y)
    elif name == "GammaRegressor":
        y = y + 1.0
    tight = name not in ("Ridge", "LinearRegression")
    assert_same(*both(name, X, y, tight=tight, **options), atol=1e-4)


NAMES = [
    "Ridge",
    "LinearRegression",
    "LogisticRegression",
    "PoissonRegressor",
    "GammaRegressor",
    "TweedieRegressor",
]
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
    "two": lambda y: np.column_stack([y, y[::-1]]),
    "integers": lambda y: (10 * y).astype(int) + 1,
}


@intercepts
@pytest.mark.parametrize("y_kind", TARGETS)
@pytest.mark.parametrize("X_kind", DESIGNS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
def test_types_shapes_and_precisions_of_attributes(name, X_kind, y_kind, fit_intercept):
    X, y, _ = problems.regression(40, 8, seed=0)
    X, y = DESIGNS[X_kind](0.1 * X), np.exp(0.1 * y)
    y = (y > 1.0) if name == "LogisticRegression" else y
    y = TARGETS[y_kind](y)
    mine, other = (
        getattr(package, name)(fit_intercept=fit_intercept) for package in (ours, theirs)
    )
    if name == "LinearRegression" and X_kind == "csr float32":
        pytest.skip("scikit-learn's coefficients are of float64 here, and only here")
    if y_kind == "two" and name not in ("Ridge", "LinearRegression"):
        for model in (mine, other):
            with pytest.raises(ValueError, match="1d array"):
                model.fit(X, y)
        return
    mine.fit(X, y), other.fit(X, y)
    attributes = [
        a for a in vars(other) if a.endswith("_") and not a.startswith("_") and a != "solver_"
    ]
    if name == "Ridge":
        attributes.remove("n_iter_")  # None there for direct methods
    for attribute in attributes:
        theirs_is, mine_is = (looks(getattr(model, attribute)) for model in (other, mine))
        assert mine_is == theirs_is, attribute
    assert looks(mine.predict(X)) == looks(other.predict(X))


@pytest.mark.parametrize("name", NAMES)
def test_tags_and_methods(name):
    from sklearn.utils import get_tags

    mine, other = (getattr(package, name)() for package in (ours, theirs))
    their_tags = get_tags(other)
    their_tags.array_api_support = False  # arrays of other libraries are not taken
    assert get_tags(mine) == their_tags
    assert {m for m in dir(other) if not m.startswith("_")} <= set(dir(mine))


@pytest.mark.filterwarnings("ignore:.*penalty:FutureWarning")
def test_an_elastic_net_without_l1_is_ridge():
    X = np.random.default_rng(0).standard_normal((50, 3))
    y = X[:, 0] + np.random.default_rng(1).standard_normal(50) > 0
    model = ours.LogisticRegression(penalty="elasticnet", l1_ratio=0, solver="saga").fit(X, y)
    np.testing.assert_array_equal(model.coef_, ours.LogisticRegression().fit(X, y).coef_)
    with pytest.raises(ValueError, match="not supported"):
        ours.LogisticRegression(penalty="elasticnet", l1_ratio=0.5, solver="saga").fit(X, y)
