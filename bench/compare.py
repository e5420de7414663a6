"""Compare Thalweg with other solvers of the Lasso and of smooth GLMs: time to a given accuracy.

python bench/compare.py --table lasso --python adelie=PATH --out results.jsonl
python bench/compare.py --table logistic,multinomial,poisson --prune 3 --out results.jsonl

See bench/README.md for what is measured and how to read the tables.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import rivals
from environment import ensure_clean_environment, machine

TABLES = ("lasso", "path", "cv", "intercept", "cold", *rivals.SMOOTH_TABLES)
DEFAULT_PROBLEMS = {
    "path": ("golub_leukemia",),
    "cv": ("golub_leukemia", "california"),
    "cold": ("sim_500x20000",),
}
# A path is named by its smallest alpha.
TABLE_LEVELS = {"path": (0.01,), "cv": (0.01,), "cold": (0.05,)}
QUICK_PROBLEMS = {
    "logistic": ("phishing", "sms_spam"),
    "multinomial": ("letter",),
    "poisson": ("bike_hour",),
}
QUICK_LEVELS = {"logistic": (1.0,), "multinomial": (1.0,), "poisson": (1e-4,)}
N_ALPHAS = 100
N_FOLDS = 5
REFERENCE_TOL = 1e-12
REFERENCE_LIMIT = 900.0


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _levels(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in _names(text))


def _tables(text: str) -> list[str]:
    chosen = list(TABLES) if text == "all" else _names(text)
    unknown = [name for name in chosen if name not in TABLES]
    if unknown:
        raise argparse.ArgumentTypeError(f"no {unknown[0]!r} among {', '.join(TABLES)}, all")
    return chosen


def parse_arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--table", type=_tables, default=["lasso"], help=f"{', '.join(TABLES)}, all"
    )
    parser.add_argument("--problems", type=_names, help="default: all that suit the table")
    parser.add_argument(
        "--levels",
        type=_levels,
        help="alpha/alpha_max of the Lasso, C of classifiers, alpha of counts, e.g. 0.5,0.1,0.01",
    )
    parser.add_argument("--solvers", type=_names, default=list(rivals.KEYS))
    parser.add_argument("--repeats", type=int, default=3, help="runs of at least this many")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds that one run may take")
    parser.add_argument(
        "--prune",
        type=float,
        default=10.0,
        help="give up a rival this many times slower than the fastest rival; 0: never",
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", help="folder of the data sets (else THALWEG_DATA)")
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="SOLVER=PATH",
        help="run a solver under another interpreter",
    )
    parser.add_argument("--out", type=Path, help="append JSON lines to this file")
    parser.add_argument("--quick", action="store_true", help="few problems, short time limit")
    arguments = parser.parse_args(argv)
    for key in arguments.solvers:
        if key not in rivals.KEYS:
            parser.error(f"unknown solver {key!r}; known: {', '.join(rivals.KEYS)}")
    pairs = [pair.partition("=") for pair in arguments.python]
    for key, _, path in pairs:
        if key not in rivals.KEYS or not path:
            parser.error(f"--python expects SOLVER=PATH, got {key!r}")
    arguments.python = {key: path for key, _, path in pairs}
    if arguments.quick:
        arguments.limit = min(arguments.limit, 10.0)
    return arguments


class Recorder:
    """Appends JSON lines to a file as they come, so that an interrupted run keeps its rows."""

    def __init__(self, path: Path | None):
        self._path = path

    def write(self, record: dict) -> None:
        """Append one record."""
        if self._path:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")


def selection(table: str, arguments) -> tuple[list[str], tuple[float, ...] | None]:
    """Return the problems of a table, and its levels unless each problem has its own."""
    from problems import catalog

    names = DEFAULT_PROBLEMS.get(table) or tuple(catalog(table))
    levels = arguments.levels or TABLE_LEVELS.get(table)
    if arguments.quick:
        names = QUICK_PROBLEMS.get(table, ("golub_leukemia", "eyedata"))
        levels = arguments.levels or QUICK_LEVELS.get(table, (0.1, 0.01))
    if arguments.problems:
        # They may belong to several tables.
        names = [name for name in arguments.problems if name in catalog(table)]
    return list(names), levels


def make_task(table: str, problem, level: float):
    """Lay out the alphas of one row."""
    import numpy as np

    from judges import Task
    from objective import alpha_max

    if table in rivals.SMOOTH_TABLES:
        # C is scikit-learn's, per sample; counts have alpha itself.
        alpha = level if table == "poisson" else 1.0 / (level * problem.shape[0])
        return Task(table, problem, level, np.array([alpha]), None)
    intercept = table == "intercept"
    top = alpha_max(problem.X, problem.y, intercept)
    if table in ("path", "cv"):
        alphas = np.geomspace(top, level * top, N_ALPHAS)
    else:
        alphas = np.array([level * top])
    return Task(table, problem, level, alphas, top, intercept)


def cross_validation_judge(task, folds, processes: list, folder: Path):
    """Compute reference errors from fold paths whose duality gaps are certified here.

    The solvers are tried in a fixed order, Thalweg first; the one that is used only supplies
    coefficients, which NumPy then checks.
    """
    import numpy as np

    from judges import ErrorJudge, Task
    from objective import primal_dual
    from problems import Problem

    order = {key: k for k, key in enumerate(rivals.REFERENCE_ORDER)}
    usable = [process for process in processes if process.key in order]
    process = min(usable, key=lambda process: order[process.key])
    unit = task.alpha_max if process.info["absolute_tol"] else 1.0
    X, y = task.problem.X, task.problem.y
    errors, worst = np.empty((len(task.alphas), len(folds))), 0.0
    for k, (train, test) in enumerate(folds):
        fold = Problem(f"fold{k}", X[train], y[train])
        fold.save(folder / fold.name)
        configs = process.load(
            {
                "folder": str(folder / fold.name),
                "table": "path",
                "warm_up": True,
                "fit_intercept": False,
            }
        )
        out = folder / "reference.npz"
        request = Task("path", fold, task.level, task.alphas, task.alpha_max).request()
        request |= {"config": configs[0], "tol": unit * REFERENCE_TOL, "out": str(out)}
        if process.run(request, REFERENCE_LIMIT) is None:
            raise RuntimeError(f"{process.info['name']} found no reference in time")
        with np.load(out) as arrays:
            coefs, intercepts = arrays["values"], arrays["intercepts"]
        primal, dual = primal_dual(X[train], y[train], task.alphas, coefs, intercepts, False)
        worst = max(worst, float(np.max((primal - dual) / primal)))
        errors[:, k] = np.mean((y[test][:, None] - X[test] @ coefs) ** 2, axis=0)
    return ErrorJudge(errors, worst)


def run_task(
    task, processes: list, excluded, options, folder: Path, scratch: Path, recorder: Recorder
):
    """Measure one task without the excluded settings.

    Returns
    -------
    rows : list of Row
    refused : dict of str to str
        Solvers that could not take the problem, with the reason.
    """
    import numpy as np

    from harness import make_sweeps, measure
    from judges import ObjectiveJudge
    from tables import make_rows

    load = {
        "folder": str(folder),
        "table": task.table,
        "warm_up": True,
        "fit_intercept": task.fit_intercept,
    }
    if task.table == "cv":
        from sklearn.model_selection import KFold

        folds = list(KFold(N_FOLDS, shuffle=True, random_state=0).split(task.problem.X))
        for k, (train, test) in enumerate(folds):
            np.savez(folder / f"fold{k}.npz", train=train, test=test)
        load["folds"] = N_FOLDS
        judge = cross_validation_judge(task, folds, processes, scratch)
    else:
        judge = ObjectiveJudge(task)
    sweeps, refused = make_sweeps(task, processes, load, options, excluded)
    where = {"table": task.table, "problem": task.problem.name, "level": task.level}
    for name, reason in refused.items():
        recorder.write({"kind": "refused", **where, "solver": name, "reason": reason})
        print(f"  {name}: {reason}", file=sys.stderr)
    if not sweeps:
        return [], refused
    measure(task, judge, sweeps, options, scratch)
    for sweep in sweeps:
        if sweep.ended.startswith("error"):
            print(f"  {sweep.solver} ({sweep.config}): {sweep.ended}", file=sys.stderr)
        trials = [[t.tol, t.seconds, t.shortfall] for t in sweep.trials]
        recorder.write(
            {
                "kind": "sweep",
                **where,
                "solver": sweep.solver,
                "config": sweep.config,
                "ended": sweep.ended,
                "tol_seconds_shortfall": trials,
            }
        )
    summary = judge.summary()
    recorder.write({"kind": "task", **where, "alpha_max": task.alpha_max, **summary})
    return make_rows(task, sweeps, options, summary["certified_gap"]), refused


def run_table(table: str, arguments, processes: list, options, folder: Path, recorder: Recorder):
    """Measure all rows of one table. Returns them and the problems skipped."""
    from problems import UnavailableError, prepare

    rows, skipped = [], {}
    processes = [process for process in processes if table in process.info["tables"]]
    excluded = {}
    if table in rivals.SMOOTH_TABLES:
        from parity import strangers

        excluded = strangers(table, processes, options, folder)
        for (solver, config), reason in excluded.items():
            record = {"table": table, "solver": solver, "config": config}
            recorder.write({"kind": "excluded", **record, "reason": reason})
            print(f"  {solver} ({config}): {reason}", file=sys.stderr)
            skipped[f"{solver} ({config}) in {table}"] = reason
    names, levels = selection(table, arguments)
    for name in names:
        try:
            problem = prepare(table, name, arguments.data)
        except UnavailableError as reason:
            skipped[name] = str(reason)
            continue
        where = folder / f"{table}-{name}"
        problem.save(where)
        wanted = levels or problem.levels
        if table in ("lasso", "intercept") and not arguments.problems:
            # Some problems are in the table for one regime only.
            wanted = [level for level in wanted if level in problem.levels]
        for level in wanted:
            print(f"{table} {name} {problem.shape} {level:g}", file=sys.stderr, flush=True)
            task = make_task(table, problem, level)
            new, refused = run_task(task, processes, excluded, options, where, folder, recorder)
            for row in new:
                recorder.write(row.record())
            rows += new
            skipped |= {f"{solver} in {table}": reason for solver, reason in refused.items()}
    return rows, skipped


def main() -> None:
    arguments = parse_arguments()
    ensure_clean_environment(arguments.threads)
    import numpy as np

    from harness import Options
    from problems import catalog
    from solver_process import SolverProcess
    from tables import render

    options = Options(arguments.limit, arguments.repeats, arguments.prune)
    recorder = Recorder(arguments.out)
    about = machine(arguments.threads)
    processes, skipped, versions = [], {}, {}
    for key in arguments.solvers:
        if not set(rivals.solver_class(key).tables) & set(arguments.table):
            continue
        process = SolverProcess(key, arguments.threads, arguments.python.get(key))
        info = process.start()
        if "skip" in info:
            skipped[key] = info["skip"]
            continue
        processes.append(process)
        versions[info["name"]] = {k: info[k] for k in ("version", "numpy")}
    print(
        f"{about['cpu']}, {about['cpus']} cpus, {about['threads']} threads, "
        f"copy {about['copy_gb_per_s']} GB/s, load {about['load_average']:.1f}; "
        + ", ".join(f"{name} {found['version']}" for name, found in versions.items())
    )
    recorder.write(
        {
            "kind": "run",
            "machine": about,
            "versions": versions,
            "numpy": np.__version__,
            "skipped": skipped,
            "limit": options.limit,
            "repeats": options.repeats,
            "prune": options.prune,
            "arguments": sys.argv[1:],
        }
    )
    for name in arguments.problems or ():
        if not any(name in catalog(table) for table in arguments.table):
            skipped[name] = f"not a problem of {', '.join(arguments.table)}"
    rows = []
    names = [process.info["name"] for process in processes]
    try:
        with tempfile.TemporaryDirectory(prefix="thalweg-bench-") as scratch:
            for table in arguments.table:
                new, missing = run_table(
                    table, arguments, processes, options, Path(scratch), recorder
                )
                rows += new
                skipped |= missing
    finally:
        for process in processes:
            process.stop()
        # Also after Ctrl-C: the rows measured so far are worth having.
        print("\n" + render(rows, names, skipped))


if __name__ == "__main__":
    main()
