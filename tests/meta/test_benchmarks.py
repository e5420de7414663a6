"""The benchmarks' judges reject what they must: solvers of other problems, infinite objectives."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
# What libraries do differently, as (strengths, target, weights) -> the same.
FLAWS = {
    "sum for mean": lambda alphas, y, weight: ([a / len(y) for a in alphas], y, weight),
    "no half": lambda alphas, y, weight: ([2 * a for a in alphas], y, weight),
    "other labels": lambda alphas, y, weight: (alphas, y.max() - y, weight),
    "no weights": lambda alphas, y, _weight: (alphas, y, None),
}


@pytest.fixture
def bench(monkeypatch):
    """The folder of the benchmarks is on the path; its modules go when the test ends."""
    monkeypatch.syspath_prepend(str(BENCH))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if BENCH in Path(getattr(sys.modules[name], "__file__", None) or "/").parents:
            del sys.modules[name]


class InThisProcess:
    """A solver's process without a process, and with a flaw."""

    def __init__(self, session, flaw):
        self._session, self._flaw = session, flaw
        self.info = session.hello({})

    def load(self, request):
        """Load the problem; its weights and target are spoilt in `run`."""
        configs = self._session.load(request)["configs"]
        self._target, self._weight = self._session.y, self._session.sample_weight
        return configs

    def run(self, request, _limit):
        """Answer another request than the one that was made."""
        alphas, self._session.y, self._session.sample_weight = self._flaw(
            request["alphas"], self._target, self._weight
        )
        with warnings.catch_warnings(action="ignore"):
            return self._session.run({**request, "alphas": alphas})["seconds"]


def _strangers(loss, flaw, scratch):
    """Return how many settings of a solver with a flaw there are, and those found to be wrong."""
    from harness import Options
    from parity import strangers
    from worker import Session

    process = InThisProcess(Session("scikit_learn", 1), flaw)
    found = strangers(loss, [process], Options(tolerances=(1e-6,)), scratch)
    return len(process._session.solver.configs(loss, 300, 8)), found


@pytest.mark.usefixtures("bench")
def test_parity_accepts_solvers_of_the_same_problem(tmp_path):
    """Every setting of an independent library ends at the optimum."""
    from objective import LOSSES

    for loss in LOSSES:
        _, found = _strangers(loss, lambda *problem: problem, tmp_path)
        assert not found


@pytest.mark.usefixtures("bench")
@pytest.mark.parametrize("flaw", FLAWS)
def test_parity_rejects_solvers_of_other_problems(flaw, tmp_path):
    """None of its settings passes when it is given another problem."""
    from objective import LOSSES
    from parity import problem

    for loss in LOSSES:
        if flaw == "no weights" and problem(loss).sample_weight is None:
            continue
        count, found = _strangers(loss, FLAWS[flaw], tmp_path)
        assert len(found) == count


@pytest.mark.usefixtures("bench")
def test_an_infinite_objective_is_never_certain(tmp_path):
    """A bound from elsewhere does not make a diverged answer good."""
    from judges import ObjectiveJudge, Task
    from objective import LOSSES
    from parity import problem

    for loss in LOSSES:
        small = problem(loss)
        judge = ObjectiveJudge(Task(loss, small, 0.1, np.array([0.1]), None))
        judge.observe({"values": np.zeros((small.shape[1], len(set(small.y))))[:, :3]})
        diverged = judge.observe({"values": np.full((small.shape[1], 3), np.inf)})
        assert not judge.certain(diverged, 1e-3)


@pytest.mark.usefixtures("bench")
def test_memory_allows_for_one_matrix_where_the_report_states_it():
    import memory

    def allowed(gram, solver=memory.FACTORISES):
        shape = {"case": "tall-c", "shape": [100, 5], "size": 4000, "outputs": 2}
        return memory.allowance(dict(shape, gram=gram, solver=solver), memory.LOSSES[-1])

    matrix = 8 * 10**2
    assert allowed(matrix) == allowed(0) + matrix
    assert allowed(10 * matrix) == allowed(matrix)
    assert allowed(matrix, "another") == allowed(0)


@pytest.mark.usefixtures("bench")
@pytest.mark.parametrize(("gap", "ratio"), [(1e-12, "3.00"), (0.5, "(3.00?)")])
def test_answers_that_nobody_certified_do_not_count(gap, ratio):
    from types import SimpleNamespace

    from harness import Options, Trial
    from tables import geometric_mean, make_rows, render

    def sweep(solver, seconds):
        trial = Trial(solver, "default", 0.1, seconds, None)
        trial.shortfall = 0.0
        return SimpleNamespace(solver=solver, trials=[trial], ended="reached")

    task = SimpleNamespace(
        table="cold", level=1.0, problem=SimpleNamespace(name="text", shape=(9, 5))
    )
    rows = make_rows(task, [sweep("thalweg", 1.0), sweep("liblinear", 3.0)], Options(), gap)
    assert (geometric_mean(rows) is None) == (ratio != "3.00")
    assert ratio in render(rows, ["thalweg", "liblinear"], {})
