"""Combinations that a solver does not serve: an error that names what is missing, and who does."""

import re

import numpy as np
import pytest

import thalweg as tw
from support import catalogue
from thalweg import _core

IDS = "{0.solver}-{0.loss}-{0.penalty}-{0.design}".format


def make_design(kind):
    X = np.eye(3)
    if kind == "dense":
        return _core.Design.dense(X)
    pointers = np.arange(4, dtype=np.int32)
    return getattr(_core.Design, kind)(np.ones(3), pointers[:3].copy(), pointers, (3, 3))


def run(row):
    task = {"target": 0, "penalty": 0, "alphas": np.array([0.1])}
    penalty = {"name": row.penalty, "parameters": {}}
    loss = catalogue.loss_handle(row.loss)
    y = catalogue.targets(loss, [1.0, 2.0, 4.0])
    return _core.solve(
        make_design(row.design),
        np.asfortranarray(y[:, None]),
        [task],
        penalties=[penalty],
        loss=row.loss,
        outputs=loss.n_outputs(y),
        solver=row.solver,
    )


@pytest.mark.parametrize("row", catalogue.UNSERVED, ids=IDS)
def test_unserved_combinations_name_the_requirement(row):
    needs = catalogue.CATALOG["solver"][row.solver].requires
    if catalogue.flag("solver", row.solver, "needs_residuals"):
        needs = ["residuals"]
    assert any(need in row.reason for need in needs)
    with pytest.raises(ValueError, match="needs") as error:
        run(row)
    message = str(error.value)
    assert message.startswith(row.reason)
    others = {
        other.solver
        for other in catalogue.SERVED
        if (other.loss, other.penalty, other.design) == (row.loss, row.penalty, row.design)
    }
    assert set(re.findall("'(.*?)'", message.removeprefix(row.reason))) == others


@pytest.mark.parametrize("row", catalogue.SERVED, ids=IDS)
def test_served_combinations_run(row):
    assert row.reason == ""
    results, pending = run(row)
    assert pending is None
    expected = ["converged"]
    if catalogue.flag("solver", row.solver, "handles_kinks"):
        expected += ["max_iter", "stalled"]  # a subgradient method, whose rate is sublinear
    assert results[0][0].status in expected


def test_every_combination_is_listed_once():
    kinds = ("solver", "loss", "penalty", "design")
    product = {
        tuple(names)
        for names in np.stack(
            np.meshgrid(*[list(catalogue.CATALOG[kind]) for kind in kinds]), axis=-1
        ).reshape(-1, 4)
    }
    listed = [row[:4] for row in catalogue.ROWS]
    assert len(listed) == len(set(listed))
    assert set(listed) == product


@pytest.mark.parametrize("kind", ["loss", "penalty", "design"])
def test_filters(kind):
    for name in catalogue.CATALOG[kind]:
        rows = tw.compatible(**{kind: name})
        assert rows == [row for row in catalogue.ROWS if getattr(row, kind) == name]


@pytest.mark.parametrize("kind", ["loss", "penalty", "design"])
def test_unknown_names_are_refused(kind):
    with pytest.raises(ValueError, match=kind):
        tw.compatible(**{kind: "no such thing"})


@pytest.mark.parametrize(("loss", "penalty"), catalogue.combination_cases("loss", "penalty"))
@pytest.mark.parametrize("kind", ["loss", "penalty", "solver"])
def test_unknown_names_are_refused_by_solve(kind, loss, penalty):
    arguments = {"loss": loss, "penalty": penalty, "alpha": 1.0, kind: "no such thing"}
    with pytest.raises(ValueError, match=f"{kind} must be one of .* got 'no such thing'"):
        tw.solve([[0.0], [1.0]], [0.0, 1.0], **arguments)
