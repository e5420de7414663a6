"""Robust regression as in scikit-learn, and its certificate from NumPy alone."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model as theirs

from support.scikit_learn import assert_same, both, design, designs, intercepts, looks, weights
from thalweg import linear_model as ours
from thalweg import losses, penalties, problems, solvers
from thalweg._engine import Options, run, target_tasks
from thalweg._validation import read_data, read_penalty

NAME = "HuberRegressor"
BOUND = 10 * np.finfo(np.float64).eps


def spoiled(kind="tall", share=0.1, seed=1):
    """A problem with outliers."""
    X, y = design(kind, seed)
    rng = np.random.default_rng(seed)
    wrong = rng.random(len(y)) < share
    return X, y + wrong * rng.normal(0.0, 20.0 * y.std(), len(y))


def total(s, y):
    return np.ones(len(y)) if s is None else np.broadcast_to(s, len(y)).astype(float)


def at_scale(r, sigma, s, epsilon):
    """scikit-learn's loss."""
    z = np.abs(r) / sigma
    return s @ (sigma + sigma * np.where(z <= epsilon, z**2, 2 * epsilon * z - epsilon**2))


def objective(model, X, y, s=None, sigma=None):
    """scikit-learn's objective at a model, by default at its own scale."""
    s, sigma = total(s, y), model.scale_ if sigma is None else sigma
    r = y - X @ model.coef_.astype(float) - model.intercept_
    return (
        at_scale(r, sigma, s, model.epsilon) + model.alpha * (model.coef_.astype(float) ** 2).sum()
    )


def bound(X, y, u, s, epsilon, alpha, fit_intercept):
    """A value that scikit-learn's objective is nowhere below, for dual points u made feasible.

    For |u| <= 2 epsilon, sum s u^2 <= 4 sum s and sum s u = 0 with an intercept, for every r and
    sigma >= BOUND, s'(sigma + sigma H(r / sigma)) >= s'(u r) + BOUND s'(1 - u^2 / 4), since
    H(z) >= u z - u^2 / 4; and -u'S X w + alpha w'w has its minimum at w = X'S u / (2 alpha).
    """
    if fit_intercept:
        up, down = s @ np.maximum(u, 0.0), s @ np.maximum(-u, 0.0)
        if not (up > 0 and down > 0):
            return 0.0
        u = np.where(u > 0, min(1.0, down / up), min(1.0, up / down)) * u
    reach = max(np.abs(u).max() / (2 * epsilon), np.sqrt(s @ u**2 / (4 * s.sum())))
    u = u / max(1.0, reach * (1 + 1e-14))
    z = X.T @ (s * u)
    return (s * u) @ y - z @ z / (4 * alpha) + BOUND * (s @ (1 - u**2 / 4))


@designs
@intercepts
@pytest.mark.parametrize("alpha", [1e-4, 1.0, 100.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_the_same_minimum(kind, fit_intercept, alpha, weighted):
    X, y = spoiled(kind)
    if kind == "wide" and alpha == 1e-4:
        pytest.skip("nothing is left to be robust against: see the exact fits below")
    s = weights(len(y)) if weighted else None
    mine, other = both(NAME, X, y, s, alpha=alpha, fit_intercept=fit_intercept)
    assert mine.report_.status == "converged"
    assert mine.certificate_.kind == "duality_gap"
    value, reference = (objective(model, X, y, s) for model in (mine, other))
    assert value <= reference * (1 + 1e-12)
    if value < reference * (1 - 1e-9):
        return  # scikit-learn has not reached it
    assert_same(mine, other, atol=1e-4)
    assert mine.scale_ == pytest.approx(other.scale_, rel=1e-4)
    at_the_limit = np.abs(np.abs(y - other.predict(X)) / other.scale_ - 1.35) < 1e-3
    assert np.all((mine.outliers_ == other.outliers_) | at_the_limit)
    assert mine.score(X, y, s) == pytest.approx(other.score(X, y, s), abs=1e-5)


@pytest.mark.parametrize("epsilon", [1.0, 1.05, 1.35, 2.0, 50.0])
def test_epsilon(epsilon):
    X, y = spoiled()
    mine, other = both(NAME, X, y, epsilon=epsilon, alpha=0.1)
    value, reference = objective(mine, X, y), objective(other, X, y)
    assert value <= reference * (1 + 1e-12)
    assert mine.report_.status == "converged"
    if value >= reference * (1 - 1e-10):  # else scikit-learn has not reached it
        np.testing.assert_allclose(mine.coef_, other.coef_, atol=1e-3)


@pytest.mark.parametrize("scale", [1e-8, 1e-3, 1e6])
def test_scaling_the_target_scales_everything(scale):
    X, y = spoiled()
    plain = ours.HuberRegressor(alpha=0.0, tol=1e-9).fit(X, y)
    scaled = ours.HuberRegressor(alpha=0.0, tol=1e-9).fit(X, scale * y)
    np.testing.assert_allclose(scaled.coef_, scale * plain.coef_, rtol=1e-6, atol=1e-7 * scale)
    assert scaled.scale_ == pytest.approx(scale * plain.scale_, rel=1e-7)
    np.testing.assert_array_equal(scaled.outliers_, plain.outliers_)


@designs
@intercepts
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [1e-4, 1.0])
@pytest.mark.parametrize("tol", [1e-3, 1e-5, 1e-9])
def test_the_certificate_holds_in_numpy(kind, fit_intercept, weighted, alpha, tol):
    X, y = spoiled(kind)
    s = weights(len(y)) if weighted else None
    model = ours.HuberRegressor(alpha=alpha, fit_intercept=fit_intercept, tol=tol)
    model.fit(X, y, sample_weight=s, return_theta=True)
    s = total(s, y)
    size = 2 * s.sum()
    certificate = model.certificate_
    value = objective(model, X, y, s)
    assert value == pytest.approx(size * certificate.primal, rel=1e-10)
    below = bound(X, y, 2 * certificate.theta, s, model.epsilon, alpha, fit_intercept)
    assert below <= value * (1 + 1e-13)
    assert size * certificate.dual == pytest.approx(below, abs=1e-8 * value)
    assert certificate.value == pytest.approx(certificate.primal - certificate.dual, abs=1e-15)
    center = np.median(y[s > 0]) if fit_intercept else 0.0
    null = min(
        at_scale(y - center, sigma, s, model.epsilon) for sigma in np.geomspace(0.01, 100, 200)
    )
    assert model.report_.status == "converged"
    assert certificate.value <= tol * null / size
    gradient = gradient_of(model, X, y, s, certificate.theta)
    assert np.abs(gradient).max() <= max(1.1 * tol, 1e-10 * size)


def gradient_of(model, X, y, s, theta):
    """scikit-learn's gradient with respect to the coefficients, with the slopes theta."""
    return 2 * model.alpha * model.coef_ - X.T @ (s * 2 * theta)


@pytest.mark.parametrize("alpha", [1e-6, 1e-3, 1.0])
@pytest.mark.parametrize("n_outliers", [0, 12])
@pytest.mark.parametrize("tol", [1e-5, 1e-12])
def test_exact_fits(alpha, n_outliers, tol):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 5))
    w = rng.standard_normal(5)
    y = X @ w + 3.0
    y[:n_outliers] += 10.0 * rng.standard_normal(n_outliers)
    model = ours.HuberRegressor(alpha=alpha, tol=tol).fit(X, y)
    assert model.report_.status == "converged"
    assert model.outliers_[:n_outliers].all()
    exact = np.abs(y - model.predict(X))[n_outliers:]
    assert exact.max() <= (1e-3 if tol == 1e-5 else 1e-11)
    np.testing.assert_allclose(model.coef_, w, atol=1e-3 if tol == 1e-5 else 1e-11)
    assert model.scale_ <= (1e-3 if tol == 1e-5 else 1e-11)
    assert model.certificate_.relative <= tol


@designs
@intercepts
@pytest.mark.parametrize("alpha", [1e-4, 1e-2])
@pytest.mark.parametrize("tol", [1e-5, 1e-12])
def test_more_features_than_a_scale_survives(kind, fit_intercept, alpha, tol):
    """At a scale of zero it is least absolute deviations with a ridge penalty: a kinked problem."""
    X, y = design(kind)
    X, y = X[:20, :12], y[:20]
    X = X.toarray() if sparse.issparse(X) else X
    X = X + 0.01 * np.random.default_rng(0).standard_normal(X.shape)
    model = ours.HuberRegressor(alpha=alpha, tol=tol, fit_intercept=fit_intercept).fit(X, y)
    assert model.report_.status == "converged"
    assert model.certificate_.relative <= tol
    other = theirs.HuberRegressor(alpha=alpha, max_iter=2000, fit_intercept=fit_intercept)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other.fit(X, y)
    assert objective(model, X, y) <= objective(other, X, y) * (1 + 2 * tol)


def test_outliers_that_dominate():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 3))
    w = np.array([1.0, -2.0, 0.5])
    y = X @ w + 0.1 * rng.standard_normal(300)
    models = []
    for size in (1e2, 1e5, 1e8):
        y[:60] = size
        models.append(ours.HuberRegressor(alpha=0.0).fit(X, y))
        assert models[-1].report_.status == "converged"
        assert models[-1].outliers_[:60].all()
        np.testing.assert_allclose(models[-1].coef_, w, atol=0.1)
    for model in models[1:]:  # how wrong they are does not matter
        np.testing.assert_allclose(model.coef_, models[0].coef_, atol=1e-5)
        assert model.scale_ == pytest.approx(models[0].scale_, rel=1e-4)


@pytest.mark.parametrize("mean", [1e3, 1e6, 1e9])
def test_targets_far_from_zero(mean):
    X, y = spoiled()
    near = ours.HuberRegressor(alpha=0.1).fit(X, y)
    far = ours.HuberRegressor(alpha=0.1).fit(X, y + mean)
    np.testing.assert_allclose(far.coef_, near.coef_, atol=1e-4 + 1e-12 * mean)
    assert far.intercept_ - mean == pytest.approx(near.intercept_, abs=1e-4 + 1e-12 * mean)
    assert far.report_.status == "converged"


@pytest.mark.parametrize("value", [0.0, 1.0, -1e9, 1e-9])
@intercepts
def test_a_constant_target(value, fit_intercept):
    X, _ = design("tall")
    model = ours.HuberRegressor(fit_intercept=fit_intercept).fit(X, np.full(len(X), value))
    assert model.report_.status == "converged"
    if fit_intercept or value == 0.0:
        np.testing.assert_allclose(model.predict(X), value, rtol=1e-12, atol=1e-14)
        assert not model.outliers_.any()


def test_weights_of_zero_are_absent_rows():
    X, y = spoiled()
    s = weights(len(y))
    X[s == 0], y[s == 0] = 1e6, -1e9
    model = ours.HuberRegressor(tol=1e-9).fit(X, y, s)
    other = ours.HuberRegressor(tol=1e-9).fit(X[s > 0], y[s > 0], s[s > 0])
    np.testing.assert_allclose(model.coef_, other.coef_, rtol=1e-8)
    assert model.scale_ == pytest.approx(other.scale_, rel=1e-9)
    assert model.outliers_[s == 0].all()
    repeated = ours.HuberRegressor(tol=1e-9).fit(
        np.repeat(X, s.astype(int), axis=0), np.repeat(y, s.astype(int))
    )
    np.testing.assert_allclose(model.coef_, repeated.coef_, rtol=1e-8)


def test_warm_starts_and_old_parameters():
    X, y = spoiled()
    mine, other = (
        package.HuberRegressor(alpha=1.0, max_iter=1000, warm_start=True, tol=1e-3).fit(X, y)
        for package in (ours, theirs)
    )
    coef = mine.coef_
    assert mine.fit(X, y).report_.n_iter == 0
    np.testing.assert_array_equal(mine.coef_, coef)
    mine.set_params(epsilon=1.1, tol=1e-9).fit(X, y)
    other.set_params(epsilon=1.1, tol=1e-9).fit(X, y)
    assert objective(mine, X, y) <= objective(other, X, y) * (1 + 1e-9)


SECOND_ORDER = ["newton", "trust_ncg", "newton_cg"]


@pytest.mark.parametrize(
    ("solver", "kind"),
    [
        *((solver, kind) for solver in SECOND_ORDER for kind in ("tall", "sparse", "wide")),
        # The wide problem has a scale of zero and with it kinks, which are no place for these.
        *((solver, kind) for solver in ("l_bfgs", "bfgs") for kind in ("tall", "sparse")),
    ],
)
def test_solvers_agree(solver, kind):
    X, y = spoiled(kind)
    options = {"alpha": 10.0, "tol": 1e-7, "max_iter": 5000}
    expected = ours.HuberRegressor(**options).fit(X, y)
    model = ours.HuberRegressor(solver=solver, **options).fit(X, y)
    assert model.report_.status == "converged"
    assert model.report_.solver == solver
    np.testing.assert_allclose(model.coef_, expected.coef_, atol=1e-5)
    assert model.scale_ == pytest.approx(expected.scale_, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "named"),
    [({"epsilon": 0.9}, "epsilon"), ({"alpha": -1.0}, "alpha"), ({"tol": -1.0}, "tol")],
)
def test_parameters_out_of_range(options, named):
    X, y = spoiled()
    for package in (ours, theirs):
        with pytest.raises(ValueError, match=named):
            package.HuberRegressor(**options).fit(X, y)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite(bad):
    X, y = spoiled()
    for at in ("X", "y"):
        given = {"X": X.copy(), "y": y.copy()}
        given[at].flat[3] = bad
        with pytest.raises(ValueError, match=at):
            ours.HuberRegressor().fit(**given)


@intercepts
@pytest.mark.parametrize("X_kind", [np.asarray, sparse.csr_array, np.ndarray.tolist])
def test_types_and_shapes_of_attributes(X_kind, fit_intercept):
    X, y, _ = problems.regression(40, 8, seed=0)
    mine, other = (
        package.HuberRegressor(fit_intercept=fit_intercept, max_iter=1000).fit(X_kind(X), y)
        for package in (ours, theirs)
    )
    names = [a for a in vars(other) if a.endswith("_") and not a.startswith("_")]
    assert {"coef_", "intercept_", "scale_", "outliers_", "n_iter_", "n_features_in_"} <= set(names)
    for name in names:
        assert looks(getattr(mine, name)) == looks(getattr(other, name)), name
    with pytest.raises(ValueError, match="1d array"):
        mine.fit(X, np.column_stack([y, y]))


@pytest.mark.parametrize(
    ("loss", "named"),
    [(losses.Huber(delta=0.5), "delta"), ("squared", "only"), ("logistic", "only")],
    ids=str,
)
def test_a_scale_needs_a_loss_that_has_one(loss, named):
    X, y = design("tall")
    data = read_data(X, np.sign(y), owner="test")
    penalty = read_penalty(penalties.resolve("l2"), data.n_features, [])
    options = Options(solvers.resolve("auto"))
    with pytest.raises(ValueError, match=named):
        run(
            data,
            target_tasks(data, 1.0),
            [penalty],
            options,
            loss=losses.resolve(loss),
            estimate_scale=True,
        )
