"""The measurement of one task: tolerance sweeps, then interleaved repeats of what matters.

The sweep runs each tolerance once, from loose to tight, always continuing with the configuration
that has used the least time so far. So the fast ones finish first, and the certified bound they
leave behind ends the sweep of the others as soon as they are good enough. Then only the runs that
could be somebody's fastest for some accuracy are repeated, one after the other in turn.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from solver_process import SolverError, SolverProcess

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from judges import Task

ACCURACIES = (1e-3, 1e-6, 1e-9)
OURS = "thalweg"
SHORT_RUN = 1.0  # seconds; longer runs are not repeated
REPEAT_TIME = 0.1  # seconds spent on repeating a very short run
MAX_REPEATS = 15
WORTH_REPEATING = 2.0  # a run slower than this times its solver's fastest cannot overtake it


@dataclass
class Options:
    """What the command line says about measuring."""

    limit: float = 60.0
    repeats: int = 3
    prune: float = 10.0
    tolerances: tuple[float, ...] = tuple(10.0**-k for k in range(1, 13))


@dataclass
class Trial:
    """One tolerance of one configuration, with the best time so far."""

    solver: str
    config: str
    tol: float
    seconds: float
    evidence: object
    shortfall: float = math.inf


@dataclass
class Sweep:
    """One configuration of one solver on one task."""

    process: SolverProcess
    config: str
    tolerances: list[float]
    trials: list[Trial] = field(default_factory=list)
    spent: float = 0.0
    ended: str = "not reached"

    @property
    def solver(self) -> str:
        return self.process.info["name"]


def _request(task: Task, config: str, tol: float, out: Path | None = None) -> dict:
    return {
        **task.request(),
        "config": config,
        "tol": tol,
        "out": str(out) if out else None,
    }


def _step(task: Task, judge, sweep: Sweep, options: Options, scratch: Path) -> bool:
    """Run the sweep's next tolerance. Returns whether to go on."""
    tol = sweep.tolerances[len(sweep.trials)]
    out = scratch / "answer.npz"
    try:
        seconds = sweep.process.run(_request(task, sweep.config, tol, out), options.limit)
    except SolverError as error:
        sweep.ended = f"error: {error}"
        return False
    if seconds is None:
        sweep.ended = f"over {options.limit:g} s"
        return False
    with np.load(out) as arrays:
        evidence = judge.observe(arrays)
    sweep.spent += seconds
    sweep.trials.append(Trial(sweep.solver, sweep.config, tol, seconds, evidence))
    return len(sweep.trials) < len(sweep.tolerances)


def sweep_all(task: Task, judge, sweeps: list[Sweep], options: Options, scratch: Path) -> None:
    """Run every sweep to its end."""
    finest = ACCURACIES[-1]
    finished = math.inf  # the fastest rival's time to the finest accuracy
    queue = [(0.0, k) for k in range(len(sweeps))]
    heapq.heapify(queue)
    while queue:
        _, k = heapq.heappop(queue)
        sweep = sweeps[k]
        if sweep.trials:
            last = sweep.trials[-1]
            # Bounds improve while a sweep waits, so the question is asked again here.
            if judge.certain(last.evidence, finest):
                sweep.ended = "reached"
                if sweep.solver != OURS:
                    finished = min(finished, last.seconds)
                continue
            # One noisy short run must not end a sweep, hence the floor.
            hopeless = max(options.prune * finished, SHORT_RUN)
            if sweep.solver != OURS and options.prune and last.seconds > hopeless:
                sweep.ended = "pruned"
                continue
        if _step(task, judge, sweep, options, scratch):
            heapq.heappush(queue, (sweep.spent, k))
        elif sweep.trials and judge.certain(sweep.trials[-1].evidence, finest):
            sweep.ended = "reached"
    for sweep in sweeps:
        for trial in sweep.trials:
            trial.shortfall = judge.shortfall(trial.evidence)


def _candidates(sweeps: list[Sweep], slack: float) -> list[tuple[Sweep, Trial]]:
    """Return the trials that could be their solver's fastest for some accuracy.

    Those are the ones within a factor `slack` of its fastest in the sweep.
    """
    chosen: dict[int, tuple[Sweep, Trial]] = {}
    for solver in {sweep.solver for sweep in sweeps}:
        mine = [(s, t) for s in sweeps if s.solver == solver for t in s.trials]
        for accuracy in ACCURACIES:
            good = [(s, t) for s, t in mine if t.shortfall <= accuracy]
            fastest = min((t.seconds for _, t in good), default=0.0)
            for s, t in good:
                if t.seconds <= slack * fastest:
                    chosen[id(t)] = (s, t)
    return list(chosen.values())


def repeat(task: Task, sweeps: list[Sweep], options: Options, cold: bool) -> None:
    """Repeat the candidates in turn and keep each one's minimum.

    In the cold table every run is in a new process and replaces the sweep's warm time; one that
    takes over a second, such as a just-in-time compilation, is run once.
    """
    candidates = _candidates(sweeps, 1.0 if cold else WORTH_REPEATING)
    if cold:
        for sweep in sweeps:
            sweep.trials = [trial for owner, trial in candidates if owner is sweep]
    counts = {}
    for _, trial in candidates:
        if cold:
            counts[id(trial)] = options.repeats
            trial.seconds = math.inf
        elif trial.seconds < SHORT_RUN:
            wanted = math.ceil(REPEAT_TIME / max(trial.seconds, 1e-9))
            # The sweep's run counts as one.
            counts[id(trial)] = max(options.repeats, min(MAX_REPEATS, wanted)) - 1
    for turn in range(max(counts.values(), default=0)):
        for sweep, trial in candidates:
            if turn >= counts.get(id(trial), 0):
                continue
            if cold and SHORT_RUN <= trial.seconds < math.inf:
                continue
            request = _request(task, trial.config, trial.tol)
            run = sweep.process.run_cold if cold else sweep.process.run
            seconds = run(request, options.limit)
            if seconds is not None:
                trial.seconds = min(trial.seconds, seconds)


def make_sweeps(
    task: Task,
    processes: list[SolverProcess],
    load: dict,
    options: Options,
    excluded: Container[tuple[str, str]] = (),
):
    """Hand the problem to every solver. Settings `excluded`, as (solver, config), get no sweep.

    Returns
    -------
    sweeps : list of Sweep
    refused : dict of str to str
        Solvers that could not take the problem, with the reason.
    """
    sweeps, refused = [], {}
    for process in processes:
        try:
            configs = process.load(load)
        except SolverError as error:
            refused[process.info["name"]] = str(error)
            continue
        unit = task.alpha_max if process.info["absolute_tol"] else 1.0
        tolerances = [unit * tol for tol in options.tolerances]
        sweeps += [
            Sweep(process, config, tolerances)
            for config in configs
            if (process.info["name"], config) not in excluded
        ]
    return sweeps, refused


def measure(task: Task, judge, sweeps: list[Sweep], options: Options, scratch: Path) -> None:
    """Sweep, then repeat. The results are in the trials of `sweeps`."""
    sweep_all(task, judge, sweeps, options, scratch)
    repeat(task, sweeps, options, cold=task.table == "cold")
