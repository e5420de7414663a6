"""Checkers of solutions: each raises `AssertionError`; tests/meta feeds them broken specimens."""

import numpy as np

import thalweg as tw
from support.certificate import Problem, duality_gap, kkt_residual

# A certificate and its recomputation differ by rounding, which the projection off columns that are
# almost dependent enlarges; a bound that is wrong by more than this share is no bound.
_SLACK = 1e-6


def solve(problem: Problem, **options):
    """`thalweg.solve` on a test problem; the dual point is kept."""
    return tw.solve(
        problem.X,
        problem.y,
        loss=problem.loss,
        penalty=problem.penalty,
        alpha=problem.alpha,
        sample_weight=problem.sample_weight,
        offset=problem.offset,
        fit_intercept=problem.fit_intercept,
        standardize=problem.standardize,
        return_theta=True,
        **options,
    )


def check_solution(problem: Problem, solution, tol=None):
    """Recompute everything that a solution claims; with `tol`, that it also converged to it."""
    coef, intercept = solution.state.coef, float(solution.state.intercept)
    certificate = solution.certificate
    assert np.isfinite(coef).all()
    assert np.isfinite(intercept)
    if not problem.fit_intercept:
        assert intercept == 0.0
    check_rounding(solution.coef, coef, problem.X.dtype)
    check_limits(problem, coef)
    check_objective(problem, coef, intercept, certificate.primal)
    scale = problem.tolerance_scale()
    error = problem.rounding(coef, intercept)
    if certificate.kind == "duality_gap":
        check_gap(problem, coef, intercept, certificate, solution.status == "stopped")
        relative = certificate.value / scale if certificate.value else 0.0
        np.testing.assert_allclose(certificate.relative, relative, rtol=1e-6, atol=1e-300)
    elif problem.loss.entry.flags["smooth"] and not problem.penalty.entry.flags["sparse"]:
        check_kkt(problem, coef, intercept, certificate)
    if solution.status == "stalled":  # honest only where precision is exhausted, or steps vanish
        sublinear = tw.catalog()["solver"][solution.report.solver].flags["handles_kinks"]
        bounded = certificate.kind == "duality_gap" and not sublinear
        assert not bounded or certificate.value <= error, describe(solution)
    elif tol is not None:
        assert solution.status == "converged", describe(solution)
        goal = tol if certificate.kind == "kkt" else max(tol * scale, problem.rounding_floor())
        assert certificate.value <= goal * (1 + 1e-6), describe(solution)


def check_rounding(coef, exact, dtype):
    """Coefficients are the float64 ones in the precision of X."""
    assert coef.dtype == dtype
    np.testing.assert_array_equal(coef, exact.astype(dtype))


def check_limits(problem, coef):
    """Coefficients are within their limits, exactly."""
    lower, upper = problem.limits
    assert (coef >= lower).all(), "a coefficient is below its lower limit"
    assert (coef <= upper).all(), "a coefficient is above its upper limit"


def check_objective(problem, coef, intercept, claimed):
    """The claimed objective is that of the coefficients."""
    objective = problem.objective(coef, intercept)
    error = problem.rounding(coef, intercept)
    assert abs(claimed - objective) <= error, f"{claimed=}, {objective=}, rounding {error:.1e}"


def check_gap(problem, coef, intercept, certificate, stopped=False):
    """The certificate's dual point proves the gap that it claims."""
    assert certificate.value >= 0.0
    if certificate.theta is None and stopped:  # there was no time for a dual point
        return
    assert certificate.theta is not None
    gap = duality_gap(problem, coef, intercept, certificate.theta)
    error = problem.rounding(coef, intercept)
    difference = certificate.primal - certificate.dual
    assert difference >= -error, f"the dual exceeds the primal: {difference=}"
    assert abs(certificate.value - abs(difference)) <= error, f"value is not {difference=}"
    assert gap <= certificate.value * (1 + _SLACK) + error, (
        f"claimed gap {certificate.value:.6e}, its dual point proves {gap:.6e}"
    )


def check_kkt(problem, coef, intercept, certificate):
    """The claimed violation of the optimality conditions is that of the coefficients."""
    violation, rounding = kkt_residual(problem, coef, intercept)
    assert abs(certificate.value - violation) <= 1e-6 * violation + rounding, (
        f"claimed {certificate.value:.6e}, recomputed {violation:.6e}"
    )


def check_optimal(problem, coef, intercept, tol, theta=None):
    """(coef, intercept) is about within `tol` of optimal, judged from scratch.

    `theta` is a dual point to try beside the residual. Without one ten times `tol` is allowed,
    because the residual is not the best dual point that a solver may have seen.
    """
    slack = 1.0 + _SLACK if theta is not None else 10.0
    goal = slack * tol * problem.tolerance_scale() + problem.rounding(coef, intercept)
    candidates = [None] if theta is None else [None, theta]
    gap = min(duality_gap(problem, coef, intercept, u) for u in candidates)
    assert gap <= goal, f"gap {gap:.3e}, wanted {goal:.3e}"


def check_same(first, second):
    """Two solutions agree bit for bit."""
    assert first.coef.tobytes() == second.coef.tobytes()
    assert np.asarray(first.intercept).tobytes() == np.asarray(second.intercept).tobytes()
    for name in ("value", "primal", "dual"):
        values = [np.asarray(getattr(each.certificate, name)) for each in (first, second)]
        assert values[0].tobytes() == values[1].tobytes(), name


def check_equivalent(problem, first, second, tol):
    """Two solutions of one problem have objectives within their certificates of each other."""
    values = [problem.objective(s.state.coef, float(s.state.intercept)) for s in (first, second)]
    error = problem.rounding(first.state.coef, float(first.state.intercept))
    goal = tol * problem.tolerance_scale() + error
    assert abs(values[0] - values[1]) <= goal, f"objectives {values}, allowed difference {goal:.1e}"


def check_gradient(function, gradient, points, rtol=1e-6):
    """`gradient` is the derivative of `function` at `points`, by central differences."""
    step = np.cbrt(np.finfo(float).eps) * np.maximum(1.0, np.abs(points))
    expected = (function(points + step) - function(points - step)) / (2 * step)
    scale = rtol * np.maximum(1.0, np.abs(expected).max())
    np.testing.assert_allclose(gradient(points), expected, rtol=rtol, atol=scale)


def describe(solution):
    """Text of a solution for failures."""
    certificate = solution.certificate
    return f"{solution.status}: gap {certificate.value:.3e}, {solution.report}"
