"""Rows and printed tables: times to each accuracy, ratios, geometric means."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from harness import ACCURACIES, OURS, Options, Sweep
from objective import LOSSES

if TYPE_CHECKING:
    from judges import Task

# What the strength of the penalty is called; alpha/alpha_max in the other tables.
LEVEL_NAMES = {"logistic": "C", "multinomial": "C", "poisson": "alpha"}
COUNTED_FROM = 2e-3  # seconds of the best rival; faster rows are printed, not counted


@dataclass
class Cell:
    """A solver's time to one accuracy, by its best configuration."""

    seconds: float
    text: str
    config: str | None = None
    tol: float | None = None
    lower_bound: bool = False  # pruned: slower than this, and not the best rival


@dataclass
class Row:
    """One problem at one strength of the penalty, for one accuracy."""

    table: str
    problem: str
    shape: tuple[int, int]
    level: float
    accuracy: float
    cells: dict[str, Cell]
    best_rival: str | None
    speedup: float | None
    counted: bool
    certified: bool  # whether a dual point shows that nothing is better than the best answer

    def record(self) -> dict:
        """Return the row as a JSON-ready dict."""
        return {"kind": "row", **asdict(self)}


def _cell(sweeps: list[Sweep], accuracy: float, options: Options) -> Cell:
    """The fastest good trial; failing that, why there is none."""
    good = [t for s in sweeps for t in s.trials if t.shortfall <= accuracy]
    good = [t for t in good if math.isfinite(t.seconds)]
    if good:
        best = min(good, key=lambda trial: trial.seconds)
        return Cell(best.seconds, format_seconds(best.seconds), best.config, best.tol)
    ends = [sweep.ended for sweep in sweeps]
    if "pruned" in ends:
        last = max(s.trials[-1].seconds for s in sweeps if s.ended == "pruned")
        return Cell(last, f"> {format_seconds(last)}", lower_bound=True)
    if any(end.startswith("over") for end in ends):
        return Cell(options.limit, f"> {options.limit:g}")
    if all(end.startswith("error") for end in ends):
        return Cell(options.limit, "error")
    # It ran through all tolerances and never got there.
    return Cell(options.limit, "missed")


def make_rows(task: Task, sweeps: list[Sweep], options: Options, certified_gap: float) -> list[Row]:
    """Turn the trials of one task into one row per accuracy.

    `certified_gap`: by how much, relatively, the best answer may be off the optimum. Where that is
    more than the accuracy, who came close to the best answer need not have come close to the
    optimum, and the row does not count.
    """
    rows = []
    solvers = list(dict.fromkeys(sweep.solver for sweep in sweeps))
    for accuracy in ACCURACIES:
        cells = {
            solver: _cell([s for s in sweeps if s.solver == solver], accuracy, options)
            for solver in solvers
        }
        rivals = {k: c for k, c in cells.items() if k != OURS and not c.lower_bound}
        best = min(rivals, key=lambda k: rivals[k].seconds, default=None)
        speedup = None
        if best and OURS in cells:
            speedup = rivals[best].seconds / cells[OURS].seconds
        certified = certified_gap <= accuracy
        counted = certified and speedup is not None and rivals[best].seconds >= COUNTED_FROM
        rows.append(
            Row(
                task.table,
                task.problem.name,
                tuple(task.problem.shape),
                task.level,
                accuracy,
                cells,
                best,
                speedup,
                counted,
                certified,
            )
        )
    return rows


def format_seconds(seconds: float) -> str:
    """Three significant digits in seconds, without an exponent."""
    if seconds == 0 or not math.isfinite(seconds):
        return str(seconds)
    digits = max(0, 2 - math.floor(math.log10(abs(seconds))))
    return f"{seconds:.{min(digits, 6)}f}"


def geometric_mean(rows: list[Row]) -> float | None:
    """Geometric mean of the ratios of the counted rows."""
    logs = [math.log(row.speedup) for row in rows if row.counted]
    return math.exp(sum(logs) / len(logs)) if logs else None


def render(rows: list[Row], solvers: list[str], skipped: dict[str, str]) -> str:
    """Return one text table per kind and accuracy, times in seconds."""
    parts = []
    for table in dict.fromkeys(row.table for row in rows):
        for accuracy in ACCURACIES:
            chosen = [r for r in rows if r.table == table and r.accuracy == accuracy]
            parts.append(_render_one(table, accuracy, chosen, solvers))
    smooth = [row for row in rows if row.table in LOSSES]
    if len({row.table for row in smooth}) > 1:
        for accuracy in ACCURACIES:
            mean = _mean_line([row for row in smooth if row.accuracy == accuracy])
            if mean:
                parts.append(f"smooth losses to {accuracy:g}: {mean}")
    if skipped:
        parts.append("skipped: " + "; ".join(f"{k}: {why}" for k, why in skipped.items()))
    return "\n\n".join(parts)


def _render_one(table: str, accuracy: float, rows: list[Row], solvers: list[str]) -> str:
    shown = [s for s in solvers if any(s in row.cells for row in rows)]
    lines = [
        ["problem", "n x p", LEVEL_NAMES.get(table, "alpha/max"), *shown, "best rival", "ratio"]
    ]
    for row in rows:
        ratio = "-" if row.speedup is None else f"{row.speedup:.2f}"
        if row.speedup is not None and not row.counted:
            ratio = f"({ratio})" if row.certified else f"({ratio}?)"
        cells = [row.cells[s].text if s in row.cells else "-" for s in shown]
        size = f"{row.shape[0]} x {row.shape[1]}"
        lines.append([row.problem, size, f"{row.level:g}", *cells, row.best_rival or "-", ratio])
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    text = [f"{table}: seconds to {accuracy:g} (ratio = best rival / Thalweg)"]
    text += [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    text.insert(2, "  ".join("-" * width for width in widths))
    mean = _mean_line(rows)
    return "\n".join([*text, mean] if mean else text)


def _mean_line(rows: list[Row]) -> str:
    mean = geometric_mean(rows)
    if mean is None:
        return ""
    counted = [row.speedup for row in rows if row.counted]
    return f"geometric mean of {len(counted)} counted rows: {mean:.2f}, lowest {min(counted):.2f}"
