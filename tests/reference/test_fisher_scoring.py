"""Fisher scoring under its three names: information, iterates, and statsmodels' fits."""

import itertools

import numpy as np
import pytest
from scipy import integrate, special, stats

import thalweg as tw
from thalweg import linear_model, losses
from thalweg.solution import State

NAMES = ["fisher_scoring", "irls", "natural_gradient"]
ETA = np.array([-2.3, -0.4, 0.0, 0.7, 1.9])


def discrete(distribution, f):
    y = np.arange(2000.0)
    return (distribution.pmf(y) * f(y)).sum()


def continuous(distribution, f):
    low, high = distribution.ppf([0.0, 1.0])
    middle = distribution.ppf([0.01, 0.5, 0.99])
    ends = [low, *middle, high]
    return sum(
        integrate.quad(lambda y: distribution.pdf(y) * f(y), *piece)[0]
        for piece in itertools.pairwise(ends)
    )


# Deviances of these distributions; the dispersion is free where it is not that of the family.
DISTRIBUTIONS = [
    (losses.Squared(), lambda mu: stats.norm(mu, 1.3), continuous),
    (losses.Poisson(), stats.poisson, discrete),
    (losses.Gamma(), lambda mu: stats.gamma(2.5, scale=mu / 2.5), continuous),
    (losses.Tweedie(power=0.0), lambda mu: stats.norm(mu, 0.2), continuous),
    (losses.Tweedie(power=1.0), stats.poisson, discrete),
    (losses.Tweedie(power=2.0), lambda mu: stats.gamma(4.0, scale=mu / 4.0), continuous),
    (losses.Tweedie(power=3.0), lambda mu: stats.invgauss(0.4, scale=mu / 0.4), continuous),
    (losses.TweedieIdentity(power=1.0), stats.poisson, discrete),
    (losses.TweedieIdentity(power=3.0), lambda mu: stats.invgauss(0.4, scale=mu / 0.4), continuous),
]


def bend(loss, y, eta, h=1e-5):
    """Second derivatives, negative ones too, which the curvature cuts off."""
    y = np.atleast_1d(y)
    up, down = (loss.derivatives(y, np.full(len(y), eta + step))[0] for step in (h, -h))
    return np.squeeze((up - down) / (2 * h))


@pytest.mark.parametrize(("loss", "distribution", "expect"), DISTRIBUTIONS)
def test_information_is_the_expectation_of_the_curvature(loss, distribution, expect):
    etas = ETA[ETA > 0] if isinstance(loss, losses.TweedieIdentity) else ETA

    for eta in etas:
        mean = float(loss.inverse_link([eta])[0])
        drawn = distribution(mean)
        assert drawn.mean() == pytest.approx(mean)
        expected = expect(drawn, lambda y: bend(loss, y, eta))  # noqa: B023
        assert loss.information([eta])[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("loss", [losses.Logistic(), losses.Probit()], ids=str)
def test_information_of_labels(loss):
    eta = np.linspace(-30, 30, 121)
    p = loss.inverse_link(eta)
    q = loss.inverse_link(-eta)
    curvature = [loss.derivatives(np.full(len(eta), label), eta)[1] for label in (1.0, -1.0)]
    expected = p * curvature[0] + q * curvature[1]
    np.testing.assert_allclose(loss.information(eta), expected, rtol=1e-12)
    # The same from the derivative of the mean: p'^2 / (p q), far out too.
    slope = {"logistic": p * q, "probit": stats.norm.pdf(eta)}[loss.entry.name]
    np.testing.assert_allclose(loss.information(eta), slope * (slope / (p * q)), rtol=1e-11)


def test_information_of_classes_is_that_of_their_probabilities():
    eta = np.random.default_rng(0).standard_normal((7, 4))
    np.testing.assert_allclose(
        losses.Multinomial().information(eta), special.softmax(eta, axis=1), rtol=1e-14
    )


def test_other_losses_have_no_information():
    with pytest.raises(ValueError, match="'huber' is no likelihood"):
        losses.Huber().information([0.0])


@pytest.mark.parametrize("method", ["fisher-scoring", "IRLS", "natural_gradient"])
def test_functions_have_no_information(method):
    with pytest.raises(ValueError, match=r"needs the information of a likelihood"):
        tw.minimize(lambda x: (x**2).sum(), [1.0], method=method)


def test_compatibility_names_what_is_missing():
    for row in tw.compatible(loss="huber", penalty="l2", design="dense"):
        if row.solver in NAMES:
            needs = f"solver '{row.solver}' needs 'likelihood'"
            assert row.reason == f"{needs}, which 'huber' does not have"


@pytest.fixture
def problem():
    X, y, _ = tw.problems.regression(300, 4, n_nonzero=3, snr=1.0, seed=0)
    return 0.5 * X, 0.5 * y / y.std()


def targets(loss, y):
    """Targets that a model of the loss could have made."""
    rng = np.random.default_rng(0)
    name = loss.entry.name
    if name == "squared":
        return y
    if name in ("logistic", "probit"):
        return np.where(y + rng.standard_normal(len(y)) > 0, 1.0, -1.0)
    if name == "multinomial":
        return np.searchsorted([-0.5, 0.5], y + rng.standard_normal(len(y))).astype(float)
    if name == "poisson":
        return rng.poisson(np.exp(0.3 + y)).astype(float)
    mean = 3.0 + y if name == "tweedie_identity" else np.exp(0.3 + y)
    return rng.gamma(2.0, mean / 2.0) + 0.01


def fit(loss, X, y, solver, **options):
    return tw.solve(X, y, loss=loss, solver=solver, tol=1e-10, **options)


CANONICAL = [losses.Squared(), losses.Poisson(), losses.Logistic(), losses.Multinomial()]
OTHERS = [losses.Gamma(), losses.Tweedie(power=1.5), losses.Tweedie(power=2.5), losses.Probit()]


@pytest.mark.parametrize("loss", CANONICAL, ids=str)
@pytest.mark.parametrize("options", [{}, {"penalty": "l2", "alpha": 0.1}], ids=["free", "ridge"])
def test_canonical_links_have_the_iterates_of_newton(problem, loss, options):
    X, y = problem
    y = targets(loss, y)
    whole = fit(loss, X, y, "newton", **options)
    for steps in range(1, whole.report.n_iter + 1):
        newton = fit(loss, X, y, "newton", max_iter=steps, **options)
        scoring = fit(loss, X, y, "fisher_scoring", max_iter=steps, **options)
        np.testing.assert_allclose(scoring.coef, newton.coef, rtol=1e-12)


@pytest.mark.parametrize("loss", OTHERS, ids=str)
def test_other_links_have_iterates_of_their_own_and_the_same_solution(problem, loss):
    X, y = problem
    y = targets(loss, y)
    newton, scoring = (fit(loss, X, y, name, max_iter=2) for name in ("newton", "fisher_scoring"))
    assert not np.allclose(scoring.coef, newton.coef, rtol=1e-6)
    newton, scoring = (fit(loss, X, y, name) for name in ("newton", "fisher_scoring"))
    np.testing.assert_allclose(scoring.coef, newton.coef, rtol=1e-6)


@pytest.mark.parametrize("loss", [*CANONICAL, *OTHERS], ids=str)
def test_the_three_names_are_one_iteration(problem, loss):
    X, y = problem
    y = targets(loss, y)
    solutions = [fit(loss, X, y, name) for name in NAMES]
    for name, solution in zip(NAMES, solutions, strict=True):
        assert solution.status == "converged"
        assert solution.report.solver == name
        np.testing.assert_array_equal(solution.coef, solutions[0].coef)


def families(sm):
    family = sm.families
    return [
        (losses.Squared(), family.Gaussian()),
        (losses.Poisson(), family.Poisson()),
        (losses.Gamma(), family.Gamma(family.links.Log())),
        (losses.Tweedie(power=1.5), family.Tweedie(family.links.Log(), var_power=1.5)),
        (losses.Tweedie(power=3.0), family.InverseGaussian(family.links.Log())),
        (losses.TweedieIdentity(power=2.0), family.Gamma(family.links.Identity())),
        (losses.Logistic(), family.Binomial()),
        (losses.Probit(), family.Binomial(family.links.Probit())),
    ]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.filterwarnings("ignore:The Identity link function does not respect")
def test_fits_are_those_of_statsmodels(problem, weighted):
    sm = pytest.importorskip("statsmodels.api")
    X, base = problem
    weights = np.random.default_rng(1).integers(1, 4, len(base)).astype(float)
    for loss, family in families(sm):
        y = targets(loss, base)
        start = {}
        if isinstance(loss, losses.TweedieIdentity):  # infinite where the mean is not positive
            start["state"] = State(coef=np.zeros(X.shape[1]), intercept=y.mean())
        solution = fit(loss, X, y, "irls", sample_weight=weights if weighted else None, **start)
        assert solution.status == "converged"
        counted = (y + 1) / 2 if loss.entry.flags["classification"] else y
        options = {"freq_weights": weights} if weighted else {}
        model = sm.GLM(counted, sm.add_constant(X), family=family, **options)
        params = model.fit(method="IRLS", tol=1e-13, maxiter=500).params
        ours = np.r_[solution.intercept, solution.coef]
        np.testing.assert_allclose(ours, params, rtol=1e-6, atol=1e-7, err_msg=str(loss))


def test_several_classes_are_those_of_statsmodels(problem):
    sm = pytest.importorskip("statsmodels.api")
    X, y = problem
    loss = losses.Multinomial()
    y = targets(loss, y)
    solution = fit(loss, X, y, "irls")
    theirs = sm.MNLogit(y, sm.add_constant(X)).fit(disp=False, tol=1e-12, maxiter=100).params
    ours = np.vstack([np.ravel(solution.intercept), np.reshape(solution.coef, (3, -1)).T])
    np.testing.assert_allclose(ours[:, 1:] - ours[:, :1], theirs, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("solver", NAMES)
def test_estimators_take_the_names(problem, solver):
    X, y = problem
    positive = targets(losses.Gamma(), y)
    for model, target in [
        (linear_model.PoissonRegressor(solver=solver), positive),
        (linear_model.GammaRegressor(solver=solver), positive),
        (linear_model.TweedieRegressor(power=1.5, solver=solver), positive),
        (linear_model.TweedieRegressor(power=1, link="identity", solver=solver), positive),
        (linear_model.LogisticRegression(solver=solver), y > 0),
        (linear_model.GeneralizedLinearRegressor("gamma", solver=solver), positive),
        (linear_model.GeneralizedLinearClassifier("probit", solver=solver), y > 0),
    ]:
        model.fit(X, target)
        assert model.report_.status == "converged"
        assert model.report_.solver == solver
