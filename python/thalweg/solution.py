"""What `solve` and `solve_path` return."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thalweg.report import Certificate, Report

__all__ = ["Path", "Solution", "State"]


@dataclass(frozen=True, slots=True)
class State:
    """Where a solve ended, in float64: pass it as ``state=`` to start another one there.

    Attributes
    ----------
    coef : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients.
    intercept : float or ndarray of shape (n_targets,)
        Intercept.
    theta : ndarray of shape (n_samples,) or (n_targets, n_samples), or None
        Dual point, tried beside the residual at the start; it may prove a smaller gap. Left aside
        where it is not of these samples. Of at most 32 columns it is kept with ``return_theta``
        only, since it would take as much memory as one of them.
    """

    coef: np.ndarray
    intercept: float | np.ndarray
    theta: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Solution:
    """A solved problem.

    Attributes
    ----------
    coef : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients, in the precision of the data; for a loss of several outputs
        (n_outputs, n_features).
    intercept : float or ndarray of shape (n_targets,)
        Intercept, or one for each output; zero where none was fitted.
    certificate : Certificate
        How far from optimal the solution can be.
    status : str
        "converged", or why the solver stopped earlier.
    report : Report
        How the solve went.
    state : State
        Warm start for a later solve.
    """

    coef: np.ndarray
    intercept: float | np.ndarray
    certificate: Certificate
    status: str
    report: Report
    state: State


class Path(Sequence):
    """Solutions along a grid of strengths, from strong to weak.

    A sequence of `Solution`: ``path[i]`` belongs to ``path.alphas[i]``. A solve that was stopped
    early has fewer entries than the grid asked for.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Strengths, descending.
    solutions : list of Solution
        One solution per strength.
    """

    def __init__(self, alphas, solutions):
        self.alphas = alphas
        self.solutions = solutions

    def __getitem__(self, index):
        return self.solutions[index]

    def __len__(self):
        return len(self.solutions)

    @property
    def coefs(self):
        """Coefficients, of shape (n_alphas, n_features)."""
        return np.array([solution.coef for solution in self.solutions])

    @property
    def intercepts(self):
        """Intercepts, of shape (n_alphas,)."""
        return np.array([solution.intercept for solution in self.solutions])

    def __repr__(self):
        worst = max(float(s.certificate.relative) for s in self.solutions)
        return (
            f"<Path of {len(self)} alphas in [{self.alphas[-1]:.3g}, {self.alphas[0]:.3g}], "
            f"relative certificates up to {worst:.1e}>"
        )
