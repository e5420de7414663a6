"""Test cases made from the catalogue, so that a new entry is tested at once."""

import inspect
import itertools
import math
import random

import numpy as np
import pytest

import thalweg as tw
from thalweg import losses, penalties, solvers

CATALOG = tw.catalog()
ROWS = tw.compatible()
SERVED = [row for row in ROWS if row.compatible]
UNSERVED = [row for row in ROWS if not row.compatible]


MINIMIZERS = [
    name for name, entry in CATALOG["solver"].items() if entry.flags["minimizes_functions"]
]
BOUNDED = [name for name in MINIMIZERS if CATALOG["solver"][name].flags["handles_bounds"]]
LEAST_SQUARES = [name for name in MINIMIZERS if CATALOG["solver"][name].flags["needs_residuals"]]
GENERAL = [name for name in MINIMIZERS if name not in LEAST_SQUARES]


DEFAULT_SOLVER = inspect.signature(tw.solve).parameters["solver"].default


def flag(kind, name, flag):
    """What an entry says of itself."""
    return CATALOG[kind][name].flags[flag]


def _is_suited(row):
    """Whether a combination runs through every suite: thinned, since losses and solvers multiply.

    The default solver on every loss of one output; solvers of quadratic problems on what they
    serve; solvers of smooth problems that converge fast on one loss beside.
    """
    if flag("loss", row.loss, "multi_output"):
        return False
    if row.solver == DEFAULT_SOLVER or "quadratic" in CATALOG["solver"][row.solver].requires:
        return True
    is_fast = any(flag("solver", row.solver, name) for name in ("superlinear", "needs_rows"))
    return is_fast and row.loss == _FIRST_SMOOTH


_FIRST_SMOOTH = next(
    name
    for name, entry in CATALOG["loss"].items()
    if entry.flags["likelihood"] and entry.flags["convex"] and not entry.flags["quadratic"]
)
SUITED = [row for row in SERVED if _is_suited(row)]
SCALAR_LOSSES = [name for name in CATALOG["loss"] if not flag("loss", name, "multi_output")]
SCALAR_SMOOTH_LOSSES = [name for name in SCALAR_LOSSES if flag("loss", name, "smooth")]


ONE_OF_EACH_SOLVER = list({row.solver: row for row in SUITED}.values())


def keeps_limits(solver, options):
    """Whether a solver can take a penalty with these common options."""
    limited = options.get("positive") or any(
        options.get(side) is not None for side in ("lower", "upper")
    )
    return flag("solver", solver, "handles_bounds") or not limited


def targets(loss, y):
    """Numbers turned into targets that a loss is defined for; those of most losses are numbers."""
    y = np.asarray(y, dtype=np.float64)
    middle = np.median(y)
    candidates = [y, np.where(y > middle, 1.0, -1.0), np.abs(y) + 0.1]
    if loss.entry.flags["multi_output"]:
        candidates = [np.searchsorted(np.quantile(y, [0.3, 0.7]), y).astype(float)]
    return next(candidate for candidate in candidates if loss.accepts(candidate).all())


def entry_cases(kind):
    """Catalogue entries of one kind as pytest parameters."""
    return [pytest.param(entry, id=name) for name, entry in CATALOG[kind].items()]


def combination_cases(*kinds, rows=SUITED):
    """Distinct suited combinations of `kinds`, as pytest parameters: one name of each kind."""
    found = dict.fromkeys(tuple(getattr(row, kind) for kind in kinds) for row in rows)
    return [pytest.param(*names, id="-".join(names)) for names in found]


def loss_handle(name):
    """The loss of this name with default parameters."""
    return losses.resolve(name)


def penalty_handle(name, **options):
    """The penalty of this name with given parameters and common options."""
    return type(penalties.resolve(name))(**options)


def parameter_values(entry):
    """Settings of an entry's parameters: the defaults, then each one at values of its interval."""
    settings = [{}]
    for parameter in entry.parameters:
        settings += [{parameter.name: value} for value in interval_values(parameter.interval)]
    return settings


def interval_values(interval):
    """Allowed values of ``"[0, 1]"``, ``"(0, inf)"`` or ``"{a, b}"``: the ends and one inside."""
    if interval.startswith("{"):
        return [text.strip() for text in interval.strip("{}").split(",")]
    if " or " in interval:
        return [value for part in interval.split(" or ") for value in interval_values(part)]
    integral, interval = interval.startswith("int "), interval.removeprefix("int ")
    low, high = (float(text) for text in interval.strip("[]()").split(","))
    if math.isinf(low):
        low = high - 2.0 if math.isfinite(high) else -1.0
    top = high if math.isfinite(high) else low + 2.0
    ends = [low] * (interval[0] == "[") + [top] * (interval[-1] == "]")
    values = [*ends, low + 0.7 * (top - low)]
    return [int(value) for value in values] if integral else values


def penalty_settings():
    """(name, parameters) for every penalty and every setting of its parameters."""
    return [
        (name, setting)
        for name, entry in CATALOG["penalty"].items()
        for setting in parameter_values(entry)
    ]


def solver_settings():
    """(name, options) for every solver and every setting of its options."""
    return [
        (name, setting)
        for name, entry in CATALOG["solver"].items()
        for setting in [{}, *parameter_values(entry)[1:]]
    ]


def solver_handle(name, **options):
    """The solver of this name with given options."""
    return type(solvers.resolve(name))(**options)


def any_combination():
    """Loss and penalty names of the first combination that is served, for border tests."""
    row = next(row for row in SERVED if CATALOG["penalty"][row.penalty].flags["sparse"])
    return {"loss": row.loss, "penalty": row.penalty}


def pairwise(axes, seed=0, allows=lambda row: True):
    """Rows that contain every allowed pair of values of every two axes, deterministically.

    Greedy: each row starts from an uncovered pair and takes, axis by axis, the value that covers
    the most uncovered pairs.

    Parameters
    ----------
    axes : dict of str to list
        Values of each axis.
    seed : int
        Breaks ties.
    allows : callable
        Whether some row with these values, a dict of some axes, is wanted.

    Returns
    -------
    list of dict
        Rows: one value of each axis.
    """
    generator = random.Random(seed)
    names = list(axes)
    sizes = [len(axes[name]) for name in names]
    uncovered = {
        ((a, i), (b, j))
        for a, b in itertools.combinations(range(len(names)), 2)
        for i in range(sizes[a])
        for j in range(sizes[b])
        if allows({names[a]: axes[names[a]][i], names[b]: axes[names[b]][j]})
    }

    def allowed(row):
        return allows({names[axis]: axes[names[axis]][value] for axis, value in row.items()})

    rows = []
    while uncovered:
        row = dict(min(uncovered))
        for axis in generator.sample(range(len(names)), len(names)):
            if axis in row:
                continue

            start = generator.randrange(sizes[axis])
            values = [(start + k) % sizes[axis] for k in range(sizes[axis])]
            values = [value for value in values if allowed({**row, axis: value})]
            gains = [
                sum(tuple(sorted(((axis, value), old))) in uncovered for old in row.items())
                for value in values
            ]
            row[axis] = values[gains.index(max(gains))]
        uncovered -= set(itertools.combinations(sorted(row.items()), 2))
        rows.append({name: axes[name][row[axis]] for axis, name in enumerate(names)})
    return rows


def feature_options(kind, n_features, rng):
    """Common penalty options of one kind: weights and limits.

    "far" limits exclude zero for a feature; "shut" ones leave it a single value.
    """
    weights = rng.uniform(0.2, 2.0, n_features)
    weights[:: max(2, n_features // 3)] = 0.0
    limit = rng.uniform(0.05, 0.6, n_features)
    away = np.full(n_features, -np.inf)
    away[0] = 0.3
    shut = np.where(np.arange(n_features) % 5 == 1, 0.0, np.inf)
    return {
        "plain": {},
        "weights": {"weights": weights},
        "positive": {"positive": True},
        "box": {"lower": -limit, "upper": 2 * limit},
        "half box": {"upper": 0.1},
        "far": {"lower": away, "upper": 2.0},
        "shut": {"lower": -shut, "upper": shut},
        "weights and positive": {"weights": weights, "positive": True},
        "weights and box": {"weights": weights, "lower": -0.2, "upper": limit},
    }[kind]


FEATURE_OPTIONS = (
    "plain",
    "weights",
    "positive",
    "box",
    "half box",
    "far",
    "shut",
    "weights and positive",
    "weights and box",
)
