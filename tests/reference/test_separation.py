"""Separable labels without a penalty, with every smooth loss of labels."""

import numpy as np
import pytest

import thalweg as tw
from support import catalogue

LOSSES = [
    name
    for name, entry in catalogue.CATALOG["loss"].items()
    if entry.flags["classification"] and entry.flags["smooth"] and not entry.flags["multi_output"]
]
FALLING = [name for name in LOSSES if catalogue.CATALOG["loss"][name].flags["falls_for_ever"]]


def data(seed=0, n=100, p=3):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, p)), rng


def solve(X, y, loss, **options):
    return tw.solve(X, y, loss=loss, penalty="l2", alpha=0.0, max_iter=10_000, **options)


@pytest.mark.parametrize("loss", LOSSES)
def test_only_losses_that_fall_for_ever_have_no_minimum(loss):
    X, _ = data()
    result = solve(X, np.where(X[:, 0] > 0, 1.0, -1.0), loss)
    expected = "unbounded" if loss in FALLING else "converged"
    assert result.report.status == expected


@pytest.mark.parametrize("loss", FALLING)
def test_an_offset_separates_nothing(loss):
    X, rng = data()
    y = np.where(rng.random(len(X)) > 0.5, 1.0, -1.0)
    assert solve(X, y, loss, offset=3 * y).report.status == "converged"


@pytest.mark.parametrize("loss", FALLING)
@pytest.mark.parametrize(("limit", "expected"), [(-np.inf, "unbounded"), (0.5, "unbounded")])
def test_limits_that_let_coefficients_grow(loss, limit, expected):
    X = np.linspace(-1.0, 1.0, 20)[:, None]
    y = np.sign(X[:, 0])
    penalty = tw.penalties.L2(lower=limit)
    result = tw.solve(X, y, loss=loss, penalty=penalty, alpha=0.0, max_iter=10_000)
    assert result.report.status == expected


@pytest.mark.parametrize("loss", FALLING)
def test_limits_that_hold_coefficients(loss):
    X = np.linspace(-1.0, 1.0, 20)[:, None]
    penalty = tw.penalties.L2(lower=-1.0)
    result = tw.solve(X, -np.sign(X[:, 0]), loss=loss, penalty=penalty, alpha=0.0)
    assert result.report.status == "converged"
    np.testing.assert_allclose(result.coef, [-1.0], rtol=1e-6)


def test_one_class_that_is_separated_beside_others_that_are_not():
    left, right = [-2.7, -1.0, -0.9, -0.5, -0.4, -0.3], [0.35, 0.4, 0.5, 0.7, 1.0, 1.2, 2.2]
    X = np.array([*left, 0.15, 0.16, *right])[:, None]
    labels = np.array([*(0 for _ in left), 2, 1, *(2 for _ in right)], dtype=float)
    assert solve(X, labels, "multinomial", tol=1e-8).report.status == "unbounded"
