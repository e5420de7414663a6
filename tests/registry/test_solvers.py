"""Every solver on every kind of problem: the certificate recomputed, pairwise over all axes."""

import functools
from dataclasses import replace

import numpy as np
import pytest

import thalweg as tw
from support import catalogue, data
from support.certificate import Problem
from support.checkers import check_solution, solve

MAX_ITER = 100_000

AXES = {
    "solver": catalogue.solver_settings(),
    "loss": catalogue.SCALAR_LOSSES,
    "penalty": catalogue.penalty_settings(),
    "features": list(catalogue.FEATURE_OPTIONS),
    "storage": list(data.STORAGES),
    "shape": list(data.SHAPES),
    "columns": list(data.COLUMNS),
    "sample_weight": ["none", "random", "zeros"],
    "alpha": [0.0, 1e-3, 0.03, 0.5],
    "tol": [1e-3, 1e-6, 1e-10, 1e-12],
    "fit_intercept": [True, False],
    "standardize": [False, True],
    "offset": [False, True],
    "n_threads": [1, 2],
}
# Solvers of quadratic problems with any separable penalty.
QUADRATIC = [
    row.solver
    for row in catalogue.SUITED
    if (row.loss, row.penalty) == tuple(catalogue.any_combination().values())
]
QUADRATIC = list(dict.fromkeys(QUADRATIC))
SERVED = {
    (row.solver, row.loss, row.penalty)
    for row in catalogue.SERVED
    if row.loss in catalogue.SCALAR_LOSSES
}
QUADRATIC_LOSSES = [
    loss for loss in catalogue.CATALOG["loss"] if catalogue.flag("loss", loss, "quadratic")
]
OPEN = (None, None)


def make_problem(case, seed):
    """The problem of one row of the matrix; its alpha is relative to the largest useful one."""
    rng = np.random.default_rng(seed)
    X, y = data.numbers(case["shape"], case["columns"], seed)
    n, p = X.shape
    weight = {"none": None, "random": rng.uniform(0.1, 3.0, n), "zeros": rng.integers(0, 3, n)}
    sample_weight = weight[case["sample_weight"]]
    if sample_weight is not None and not sample_weight.any():
        sample_weight = None
    name, setting = case["penalty"]
    options = catalogue.feature_options(case["features"], p, rng)
    problem = Problem(
        X=data.stored(X, case["storage"]),
        y=y,
        loss=catalogue.loss_handle(case["loss"]),
        penalty=catalogue.penalty_handle(name, **setting, **options),
        alpha=0.0,
        sample_weight=sample_weight,
        offset=rng.standard_normal(n) * np.abs(y).max() if case["offset"] else None,
        fit_intercept=case["fit_intercept"],
        standardize=case["standardize"],
    )
    strength = problem.null_slope()
    return replace(problem, alpha=case["alpha"] * (strength if strength > 0 else 1.0))


def must_converge(case, problem):
    """The default solver always; those that are fast where columns are far from dependent.

    Not without strength where the loss is no square: labels may be separated, and fits exact in the
    limit only. Not where there may be several minima.
    """
    flags, solver = problem.loss.entry.flags, case["solver"][0]
    weights = problem.penalty.weights
    has_strength = problem.alpha > 0 and (weights is None or np.any(weights))
    if not flags["convex"] or not (has_strength or flags["quadratic"]):
        return False
    if solver == catalogue.DEFAULT_SOLVER:
        return True
    if solver in catalogue.MINIMIZERS and not catalogue.flag("solver", solver, "superlinear"):
        return False
    norms = np.sqrt(problem.weights @ problem.columns**2)
    scaled = np.sqrt(problem.weights)[:, None] * problem.columns[:, norms > 0] / norms[norms > 0]
    n_columns = scaled.shape[1]
    singular = np.linalg.svd(scaled, compute_uv=False)
    return len(singular) >= n_columns and bool((singular > 0.02 * singular.max(initial=0)).all())


def is_served(values, quadratic):
    """Whether a solver serves a row with these values, of which some may be open.

    Only solvers of quadratic problems on these are wanted where `quadratic` is true, all others
    where it is false.
    """
    (solver, _), (penalty, _) = values.get("solver", OPEN), values.get("penalty", OPEN)
    has_strength = values.get("alpha") != 0
    features = values.get("features")
    return _is_served(solver, values.get("loss"), penalty, features, has_strength, quadratic)


@functools.cache
def _is_served(solver, loss, penalty, features, has_strength, quadratic):
    wanted = (solver, loss, penalty)
    options = catalogue.feature_options(features, 4, np.random.default_rng(0)) if features else {}
    has_strength = has_strength and np.all(options.get("weights", 1.0) != 0)
    return any(
        all(name in (None, known) for name, known in zip(wanted, served, strict=True))
        and catalogue.keeps_limits(served[0], options)
        and (has_strength or not catalogue.flag("solver", served[0], "needs_rows"))
        and quadratic == (served[0] in QUADRATIC and served[1] in QUADRATIC_LOSSES)
        for served in SERVED
    )


def cases():
    """Every pair that there is with solvers of quadratic problems; of the others a sample.

    Steps that are too long, columns of extreme scales, single rows and columns without strength are
    hard for the others, and what is rounding there the checkers do not know.
    """
    allows = functools.partial(is_served, quadratic=True)
    rows = list(enumerate(catalogue.pairwise(AXES, allows=allows)))
    sample = enumerate(catalogue.pairwise(AXES))
    rows += [(index, case) for index, case in sample if is_served(case, quadratic=False)]
    for index, case in rows:
        (solver, options), (penalty, setting) = case["solver"], case["penalty"]
        texts = [solver, *options.values(), penalty, *setting.values(), case["features"]]
        texts += [case["storage"], case["shape"], case["columns"], f"{case['tol']:g}"]
        yield pytest.param(index, case, id="-".join(map(str, [index, *texts])))


@pytest.mark.parametrize(("index", "case"), list(cases()))
def test_certificate_is_right_and_small(index, case):
    problem = make_problem(case, seed=index)
    name, options = case["solver"]
    solution = solve(
        problem,
        solver=catalogue.solver_handle(name, **options),
        tol=case["tol"],
        max_iter=MAX_ITER,
        n_threads=case["n_threads"],
    )
    check_solution(problem, solution, tol=case["tol"] if must_converge(case, problem) else None)


def test_random_cases(seed):
    """A few rows that solvers of quadratic problems serve, which the session's seed draws."""
    rng = np.random.default_rng(seed)
    drawn = 0
    while drawn < 12:
        case = {name: values[rng.integers(len(values))] for name, values in AXES.items()}
        name, options = case["solver"]
        if not is_served(case, quadratic=True):
            continue
        drawn += 1
        problem = make_problem(case, seed=int(rng.integers(2**31)))
        solver = catalogue.solver_handle(name, **options)
        solution = solve(problem, solver=solver, tol=case["tol"], max_iter=MAX_ITER)
        try:
            check_solution(problem, solution, case["tol"] if must_converge(case, problem) else None)
        except AssertionError as error:
            raise AssertionError(f"{case}: {error}") from error


@pytest.mark.parametrize("solver", QUADRATIC)
def test_gram_matrices_keep_to_their_limit(solver):
    # Nothing is penalized, so that every column is in the working set.
    X, y = np.random.default_rng(0).standard_normal((30, 4000)), np.arange(30.0)
    loss = catalogue.any_combination()["loss"]
    report = tw.solve(X, y, loss=loss, solver=solver, tol=1e-3, max_iter=3).report
    groups = 8 * 32 * X.shape[1]
    assert report.gram_bytes <= 1e8 + groups


@pytest.mark.parametrize("solver", QUADRATIC)
def test_many_columns_that_may_be_free_have_a_kkt_certificate(solver):
    X, y = np.random.default_rng(1).standard_normal((20, 1001)), np.arange(20.0)
    names = catalogue.any_combination()
    positive = catalogue.penalty_handle(names["penalty"], positive=True)
    for columns, kind in ((1000, "duality_gap"), (1001, "kkt")):
        problem = Problem(
            X[:, :columns], y, catalogue.loss_handle(names["loss"]), positive, alpha=0.0
        )
        solution = solve(problem, solver=solver, tol=1e-4, max_iter=20)
        assert solution.certificate.kind == kind


@pytest.mark.parametrize("solver", QUADRATIC)
def test_report_states_the_gram_memory_of_targets_that_run_at_once(solver):
    X, y = data.threaded_problem(n_samples=200, n_features=50)
    targets = np.column_stack([y, y, y])
    names = {**catalogue.any_combination(), "solver": solver, "alpha": 0.01}
    alone = tw.solve(X, y, **names).report.gram_bytes
    for n_threads in (1, 2, 3, 4):
        together = tw.solve(X, targets, **names, n_threads=n_threads).report.gram_bytes
        assert together == min(n_threads, 3) * alone
