"""Data at the edge of what can be fitted."""

import warnings

import numpy as np
import pytest
import scipy.sparse
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import get_tags

from support import catalogue, estimators
from thalweg.linear_model import LogisticRegression

every = pytest.mark.parametrize("cls", estimators.SINGLE, ids=estimators.name)
iterative = pytest.mark.parametrize(
    "cls", [c for c in estimators.taking("max_iter") if c in estimators.SINGLE], ids=estimators.name
)
classifiers = pytest.mark.parametrize("cls", estimators.CLASSIFIERS, ids=estimators.name)


def unpenalized(cls):
    """Options that switch the penalty off, where there is one."""
    if cls in estimators.taking("C"):
        return {"C": np.inf}
    return {"alpha": 0.0} if cls in estimators.taking("alpha") else {}


def sample(n=120, p=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X[:, 0] + rng.standard_normal(n)


@every
def test_texts_of_numbers_are_no_numbers(cls):
    X, y = sample()
    y = estimators.target(cls, y)
    model = estimators.make(cls).fit(X, y)
    for texts in (X.astype(str), X.astype(str).tolist(), X.astype(bytes)):
        for use in (lambda texts: estimators.make(cls).fit(texts, y), model.predict):
            with pytest.raises(ValueError, match="X must hold numbers, got dtype"):
                use(texts)
    model.fit(X.astype(str).astype(object), y)  # objects that convert are converted


@classifiers
@pytest.mark.parametrize("labels", ["text", "object", "half", "swapped", "strided", "list"])
def test_labels_of_any_type_give_the_same_fit(cls, labels):
    X, y = sample()
    numbers = np.where(y > 0, 3, -2)
    given = {
        "text": numbers.astype(str),
        "object": np.array(["yes" if v > 0 else "no" for v in y], dtype=object),
        "half": numbers.astype(np.float16),
        "swapped": numbers.astype(">i4"),
        "strided": np.repeat(numbers, 2)[::2],
        "list": numbers.tolist(),
    }[labels]
    expected = estimators.make(cls).fit(X, numbers)
    model = estimators.make(cls).fit(X, given)
    np.testing.assert_array_equal(model.coef_, expected.coef_)
    np.testing.assert_array_equal(model.classes_, np.unique(given))
    assert model.classes_.dtype == np.asarray(given).dtype


@classifiers
def test_labels_that_are_mostly_different_are_told(cls):
    X, y = sample(n=60)
    model = estimators.make(cls)
    with pytest.raises(ValueError, match=r"Unknown label type: continuous.*at 0"):
        model.fit(X, y)
    if not get_tags(model).classifier_tags.multi_class:
        pytest.skip("takes two classes")
    with pytest.warns(UserWarning, match="number of unique classes") as caught:
        model.fit(X, np.minimum(np.arange(60), 40))
    assert caught[0].filename == __file__


@classifiers
def test_separable_classes_without_a_penalty_are_named(cls):
    X, _ = sample()
    model = estimators.make(cls, **unpenalized(cls))
    with pytest.warns(ConvergenceWarning, match="perfect separation") as caught:
        model.fit(X, X[:, 0] > 0.0)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert model.report_.status == "unbounded"
    assert np.isfinite(model.coef_).all()
    assert model.score(X, X[:, 0] > 0.0) == 1.0


@classifiers
def test_overlapping_classes_without_a_penalty_converge(cls):
    X, y = sample()
    model = estimators.make(cls, **unpenalized(cls)).fit(X, y > 0.0)
    assert model.report_.status == "converged"


@every
@pytest.mark.parametrize("weight", [1e-320, 1e-22, 1e22, 1e306])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_weights_of_any_size_are_relative_to_the_strength(cls, weight):
    X, y = sample()
    y = estimators.target(cls, y)
    by_number = estimators.make(cls).fit(X, y, weight)
    by_sample = estimators.make(cls).fit(X, y, np.full(len(y), weight))
    np.testing.assert_allclose(by_sample.coef_, by_number.coef_, rtol=1e-4, atol=1e-6)


@classifiers
@pytest.mark.parametrize("tol", [1e-4, 1e-9])
def test_classes_of_which_samples_are_separable_are_named(cls, tol):
    X = np.array([-1.0, 0.0, 0.0, 1.0, -1.0, 1.0, 0.0])[:, None]
    y = [0, 0, 1, 1, 0, 1, 1]
    model = estimators.make(cls, **unpenalized(cls), tol=tol)
    with pytest.warns(ConvergenceWarning, match="perfect separation"):
        model.fit(X, y)
    assert model.report_.status == "unbounded"


@classifiers
@pytest.mark.parametrize("overlap", [1.0, 1e-2, 1e-3])
def test_classes_that_overlap_by_little_are_not_separable(cls, overlap):
    rng = np.random.default_rng(0)
    x = np.abs(rng.standard_normal(200)) + 0.1
    X = np.concatenate([x, -x, [-overlap, overlap]])[:, None]
    y = np.repeat([1, 0, 1, 0], [200, 200, 1, 1])
    model = estimators.make(cls, **unpenalized(cls), tol=1e-8).fit(X, y)
    assert model.report_.status == "converged"
    assert model.coef_[0, 0] > 1.0


def test_one_class_of_three_that_is_separable_is_named():
    X, y = load_iris(return_X_y=True)
    model = LogisticRegression(C=np.inf)
    with pytest.warns(ConvergenceWarning, match="perfect separation"):
        model.fit(X, y)
    assert model.report_.status == "unbounded"
    assert model.score(X, y) > 0.95


@classifiers
def test_a_strength_below_rounding_is_none(cls):
    if cls not in estimators.taking("C"):
        pytest.skip("has no C")
    X, y = sample()
    model = estimators.make(cls, C=1e42).fit(X, y > 0.0)
    assert model.report_.status == "converged"
    without = estimators.make(cls, C=np.inf).fit(X, y > 0.0)
    np.testing.assert_allclose(model.coef_, without.coef_, rtol=1e-4)


@classifiers
def test_one_class_is_refused(cls):
    X, y = sample()
    with pytest.raises(ValueError, match=r"at least 2 classes .* only one class"):
        estimators.make(cls).fit(X, np.full(len(y), "same"))


@classifiers
def test_a_rare_class(cls):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20_000, 3))
    y = np.zeros(20_000, dtype=int)
    y[rng.choice(20_000, 2, replace=False)] = 1
    model = estimators.make(cls).fit(X, y)
    assert model.report_.status == "converged"
    assert abs(model.predict_proba(X)[:, 1].mean() - 1e-4) < 2e-5
    balanced = estimators.make(cls, class_weight="balanced").fit(X, y)
    assert balanced.predict_proba(X)[:, 1].mean() > 0.1


@classifiers
def test_labels_of_any_type(cls):
    X, y = sample()
    expected = estimators.make(cls).fit(X, y > 0)
    for labels in (["no", "yes"], [3, 7], [-1.0, 2.0]):
        model = estimators.make(cls).fit(X, np.array(labels)[(y > 0).astype(int)])
        np.testing.assert_array_equal(model.coef_, expected.coef_)
        assert model.classes_.tolist() == labels
        assert set(model.predict(X)) <= set(np.array(labels))
    with pytest.raises(ValueError, match="Unknown label type"):
        estimators.make(cls).fit(X, y)


@classifiers
def test_class_weights_are_sample_weights(cls):
    X, y = sample()
    y = (y > 0.5).astype(int)
    expected = estimators.make(cls, tol=1e-9).fit(X, y, np.where(y == 1, 3.0, 0.5))
    weighted = estimators.make(cls, tol=1e-9, class_weight={0: 0.5, 1: 3.0}).fit(X, y)
    np.testing.assert_allclose(weighted.coef_, expected.coef_, atol=1e-6)
    for wrong in ("even", {0: -1.0, 1: 1.0}, {0: 0.0, 1: 0.0}):
        with pytest.raises(ValueError, match="class_weight"):
            estimators.make(cls, class_weight=wrong).fit(X, y)


@classifiers
def test_probabilities_far_from_the_boundary(cls):
    X, y = sample()
    model = estimators.make(cls).fit(X, y > 0)
    model.coef_, model.intercept_ = np.array([[1e3, 0, 0, 0]]), np.zeros(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        P = model.predict_proba([[1.0, 0, 0, 0], [-1.0, 0, 0, 0], [0.0, 0, 0, 0]])
        log_P = model.predict_log_proba([[1.0, 0, 0, 0], [-1.0, 0, 0, 0], [0.0, 0, 0, 0]])
    np.testing.assert_allclose(P, [[0, 1], [1, 0], [0.5, 0.5]], atol=1e-300)
    np.testing.assert_allclose(log_P[0], [-1e3, 0.0])


@every
def test_one_sample(cls):
    if cls in estimators.CLASSIFIERS:
        with pytest.raises(ValueError, match="class"):
            estimators.make(cls).fit([[1.0, 2.0]], [1])
        return
    model = estimators.make(cls).fit([[1.0, 2.0]], [3.0])
    assert model.predict([[1.0, 2.0]]) == pytest.approx([3.0], rel=1e-3)


@every
def test_equal_targets(cls):
    X, _ = sample()
    if cls in estimators.CLASSIFIERS:
        return  # one class: refused
    model = estimators.make(cls).fit(X, np.full(len(X), 2.5))
    np.testing.assert_allclose(model.predict(X), 2.5, rtol=1e-3)
    assert model.report_.status == "converged"


@every
@pytest.mark.parametrize("penalized", [True, False])
def test_collinear_features(cls, penalized):
    X, y = sample()
    y = estimators.target(cls, y + 3.0 * np.sin(np.arange(len(y))))
    options = {} if penalized else unpenalized(cls)
    doubled = np.column_stack([X, X[:, 0], np.ones(len(X))])
    model = estimators.make(cls, tol=1e-9, **options).fit(doubled, y)
    assert model.report_.status == "converged"
    if penalized:
        return
    once = estimators.make(cls, tol=1e-9, **options).fit(X, y)
    expected, found = (
        m.decision_function(Z) if cls in estimators.CLASSIFIERS else m.predict(Z)
        for m, Z in ((once, X), (model, doubled))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@every
def test_zero_weights_are_absent_rows(cls):
    X, y = sample()
    y = estimators.target(cls, y)
    weight = np.arange(len(y)) % 3.0
    kept = weight > 0
    model = estimators.make(cls, tol=1e-9).fit(X, y, weight)
    other = estimators.make(cls, tol=1e-9).fit(X[kept], y[kept], weight[kept])
    np.testing.assert_allclose(model.coef_, other.coef_, atol=1e-6)
    with pytest.raises(ValueError, match="sample_weight"):
        estimators.make(cls).fit(X, y, np.zeros(len(y)))
    with pytest.raises(ValueError, match="sample_weight"):
        estimators.make(cls).fit(X, y, -weight)


@pytest.mark.parametrize("cls", estimators.WITH_OFFSET, ids=estimators.name)
def test_a_constant_offset_moves_the_intercept(cls):
    X, y = sample()
    y = estimators.target(cls, y)
    plain = estimators.make(cls, tol=1e-9).fit(X, y)
    offset = np.full(len(y), 0.7)
    moved = estimators.make(cls, tol=1e-9).fit(X, y, offset=offset)
    np.testing.assert_allclose(moved.coef_, plain.coef_, atol=1e-6)
    assert moved.intercept_ == pytest.approx(plain.intercept_ - 0.7, abs=1e-6)
    np.testing.assert_allclose(moved.predict(X, offset=offset), plain.predict(X), rtol=1e-5)
    assert moved.score(X, y, offset=offset) == pytest.approx(plain.score(X, y), abs=1e-6)
    for wrong in (offset[:-1], np.full(len(y), np.nan)):
        with pytest.raises(ValueError, match="offset"):
            estimators.make(cls).fit(X, y, offset=wrong)


@iterative
def test_max_iter_warns_once_and_names_the_caller(cls):
    X, y = sample(n=300, p=20)
    model = estimators.make(cls, max_iter=1, tol=1e-13)
    if estimators.make(cls).fit(X, estimators.target(cls, y)).report_.n_epochs <= 1:
        model.fit(X, estimators.target(cls, y))  # silently
        assert model.report_.status == "converged"
        return
    with pytest.warns(ConvergenceWarning, match="did not converge") as caught:
        model.fit(X, estimators.target(cls, y))
    assert len(caught) == 1
    assert caught[0].filename == __file__


@iterative
@pytest.mark.parametrize("solver", [None, *catalogue.CATALOG["solver"]])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_tolerances_at_rounding_end(cls, solver):
    """Certificates can be exactly zero while the gradient is not yet what `tol` asks for."""
    X, y = sample(n=60, p=90)
    X *= np.random.default_rng(1).random(X.shape) < 0.1
    options = {} if solver is None else {"solver": solver}
    if cls in estimators.taking("C"):
        options["C"] = 0.05
    for tol in (1e-9, 1e-11, 1e-13, 1e-15):
        model = estimators.make(cls, tol=tol, max_iter=300, max_time=20.0, **options)
        try:
            model.fit(scipy.sparse.csr_array(X), estimators.target(cls, y))
        except ValueError as error:
            # Not for this estimator, whatever tol is, and not among those that are.
            needs, _, others = str(error).partition("solvers that serve this: ")
            assert needs.startswith(f"solver {solver!r} needs ")
            assert repr(solver) not in others
            assert tol == 1e-9
            return
        assert model.report_.status in {"converged", "stalled", "max_iter"}


@every
def test_unknown_solvers_are_refused_with_those_that_there_are(cls):
    X, y = sample()
    with pytest.raises(ValueError, match="solver must be one of"):
        estimators.make(cls, solver="fastest").fit(X, estimators.target(cls, y))
