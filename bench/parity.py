"""Does every setting of every solver solve the benchmark's problem?

Libraries differ in the scale of the loss (sum or mean), of the penalty (C or alpha, with or without
a half), in the labels and in what happens to the intercept. On a small problem where each of these
matters, every setting is swept to its end, which must be close to the optimum of the objective that
NumPy computes. On large problems such a mistake would look like slowness.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness import Options, make_sweeps, sweep_all
from judges import ObjectiveJudge, Task
from problems import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from solver_process import SolverProcess

# On these problems twice or half the penalty, an intercept, or no weights cost 1e-3 or more.
NEAR = 1e-5
LIMIT = 10.0  # seconds of one run


def problem(loss: str) -> Problem:
    """Return columns of mean 1/2, and classes or rates that ask for an intercept."""
    rng = np.random.default_rng(7)
    n, p = 300, 8
    X = rng.standard_normal((n, p)) + 0.5
    eta = 0.5 * X @ rng.standard_normal((p, 3)) + [1.0, 0.0, -1.0]
    if loss == "poisson":
        exposure = rng.uniform(0.1, 2.0, n)
        y = rng.poisson(exposure * np.exp(eta[:, 0])) / exposure
        return Problem("parity", X, y, sample_weight=exposure)
    if loss == "multinomial":
        return Problem("parity", X, np.argmax(eta + rng.gumbel(size=eta.shape), axis=1))
    return Problem("parity", X, (eta[:, 0] + rng.logistic(size=n) > 0).astype(np.int64))


def strangers(
    loss: str, processes: list[SolverProcess], options: Options, scratch: Path
) -> dict[tuple[str, str], str]:
    """Return the settings, as (solver, config), that solve another problem, with the evidence."""
    small = problem(loss)
    folder = scratch / f"parity-{loss}"
    small.save(folder)
    # Strong enough a penalty for its scale to show.
    task = Task(loss, small, 0.1, np.array([0.1]), None)
    load = {"folder": str(folder), "table": loss, "warm_up": True, "fit_intercept": False}
    patient = replace(options, prune=0.0, limit=LIMIT)
    judge = ObjectiveJudge(task)
    sweeps, _ = make_sweeps(task, processes, load, patient)
    sweep_all(task, judge, sweeps, patient, scratch)
    found = {}
    for sweep in sweeps:
        # The last, not the nearest: on its way to another optimum it may pass this one.
        # By the lower bound, not the best seen: all may be wrong.
        if not sweep.trials or not judge.certain(sweep.trials[-1].evidence, NEAR):
            reason = f"does not end within {NEAR:g} of the optimum ({sweep.ended})"
            found[sweep.solver, sweep.config] = f"solves another problem: {reason}"
    return found
