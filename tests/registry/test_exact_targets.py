"""Targets that the model predicts nearly exactly: an objective that is nearly all rounding."""

import numpy as np
import pytest

import thalweg as tw
from support import catalogue

LOSSES = [
    name
    for name in catalogue.SCALAR_SMOOTH_LOSSES
    if catalogue.flag("loss", name, "convex") and not catalogue.flag("loss", name, "classification")
]
PENALTY = next(
    row.penalty for row in catalogue.SERVED if not catalogue.flag("penalty", row.penalty, "sparse")
)
CASES = [
    row
    for row in catalogue.SERVED
    if row.loss in LOSSES
    and not catalogue.flag("penalty", row.penalty, "sparse")
    and row.design == "dense"
    and not catalogue.flag("solver", row.solver, "handles_kinks")
]


@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize(
    ("solver", "loss", "penalty"),
    catalogue.combination_cases("solver", "loss", "penalty", rows=CASES),
)
def test_precision_is_no_failure(solver, loss, penalty, scale):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 80)) / np.sqrt(80)
    y = scale * catalogue.loss_handle(loss).inverse_link(X @ rng.standard_normal(80))
    y = catalogue.targets(catalogue.loss_handle(loss), y)
    # Kinks in the curvature of the other losses cost some methods their speed.
    is_fast = catalogue.flag("loss", loss, "likelihood") and catalogue.flag(
        "solver", solver, "superlinear"
    )
    # L-BFGS takes 200 to 3,400 iterations of the Tweedie deviance, by the last bits of its values.
    is_exact = any(catalogue.flag("solver", solver, f) for f in ("needs_hessian", "uses_products"))
    limit = 3000 if is_fast and not is_exact else 500
    for alpha in (1e-5, 1e-8):
        solution = tw.solve(
            X, y, loss=loss, penalty=penalty, alpha=alpha, solver=solver, tol=1e-9, max_iter=limit
        )
        assert solution.status in (("converged",) if is_fast else ("converged", "max_iter"))


@pytest.mark.parametrize("unit", [1e-14, 1e-9, 1e9])
@pytest.mark.parametrize(
    "loss", [name for name in LOSSES if not catalogue.flag("loss", name, "likelihood")]
)
def test_tol_means_the_same_in_all_units(loss, unit):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 8))
    y = unit * (X @ rng.standard_normal(8) + 0.5 * rng.standard_normal(60))
    solution = tw.solve(X, y, loss=loss, penalty=PENALTY, alpha=1e-3, tol=1e-6, max_iter=5000)
    assert solution.status == "converged"
    assert solution.certificate.relative <= 1e-6
