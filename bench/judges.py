"""How close an answer is to the best one: objectives for fits and paths, errors for CV."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from objective import LOSSES, primal_dual, ridge_primal_lower


@dataclass
class Task:
    """One problem to be solved by everyone.

    `table` is "lasso", "intercept", "cold", the name of a smooth loss (one alpha), "path" or "cv"
    (decreasing alphas). `level` is the strength of the penalty in the table's own terms.
    """

    table: str
    problem: object
    level: float
    alphas: np.ndarray
    alpha_max: float | None  # of the Lasso
    fit_intercept: bool = False

    def request(self) -> dict:
        """The part of a worker's request that all solvers share."""
        return {
            "table": self.table,
            "alphas": [float(alpha) for alpha in self.alphas],
            "fit_intercept": self.fit_intercept,
        }

    def bounds(self, arrays) -> tuple[np.ndarray, np.ndarray]:
        """Return the objective of an answer and a lower bound of all, one of each per alpha."""
        problem, coefs = self.problem, arrays["values"]
        if self.table in LOSSES:
            pair = ridge_primal_lower(
                self.table, problem.X, problem.y, problem.sample_weight, self.alphas[0], coefs
            )
            return np.array(pair[:1]), np.array(pair[1:])
        return primal_dual(
            problem.X, problem.y, self.alphas, coefs, arrays["intercepts"], self.fit_intercept
        )


class ObjectiveJudge:
    """Judges coefficients by (P - P_best) / |P_best|, the worst alpha counting.

    Duality gaps give a lower bound D of the optimum, so a fit can be known to be good enough before
    the others have run: P - D <= e |P| implies P - P_best <= e |P_best| up to O(e^2).
    """

    def __init__(self, task: Task):
        self._task = task
        self._best = np.full(len(task.alphas), np.inf)
        self._lower = np.full(len(task.alphas), -np.inf)

    def observe(self, arrays) -> np.ndarray:
        """Evaluate an answer; the value returned is what `shortfall` and `certain` take."""
        primal, dual = self._task.bounds(arrays)
        primal = np.where(np.isfinite(primal), primal, np.inf)
        self._best = np.minimum(self._best, primal)
        self._lower = np.fmax(self._lower, dual)
        return primal

    def shortfall(self, primal: np.ndarray) -> float:
        """Return the relative distance to the best objective seen so far."""
        return float(np.max((primal - self._best) / np.abs(self._best)))

    def certain(self, primal: np.ndarray, accuracy: float) -> bool:
        """Whether the answer meets `accuracy` whatever the other solvers will reach."""
        close = primal - self._lower <= accuracy * np.abs(primal)
        return bool(np.all(np.isfinite(primal) & close))

    def summary(self) -> dict:
        """The best objective and its certified relative gap, for the record."""
        gap = (self._best - self._lower) / np.abs(self._best)
        return {"best": self._best.tolist(), "certified_gap": float(np.max(gap))}


class ErrorJudge:
    """Judges cross-validation by its held-out errors, the worst fold and alpha counting.

    Estimators do not keep the coefficients of the folds. The measure is the squared relative
    deviation of the root mean squared error from a reference: ((rmse - rmse*) / rmse*)^2, which
    shrinks as fast as the objective's suboptimality does.
    """

    def __init__(self, reference: np.ndarray, gap: float):
        self._reference = np.sqrt(reference)
        self._gap = gap

    def observe(self, arrays) -> float:
        """Return the deviation of an answer from the reference."""
        values = arrays["values"]
        if values.shape != self._reference.shape:
            raise ValueError(f"expected errors of shape {self._reference.shape}")
        relative = (np.sqrt(values) - self._reference) / self._reference
        return float(np.max(np.where(np.isfinite(relative), relative**2, np.inf)))

    def shortfall(self, deviation: float) -> float:
        """Return the deviation itself: the reference is fixed."""
        return deviation

    def certain(self, deviation: float, accuracy: float) -> bool:
        """Whether the answer meets `accuracy`."""
        return deviation <= accuracy

    def summary(self) -> dict:
        """The certified relative gap of the reference's worst path point, for the record."""
        return {"best": None, "certified_gap": self._gap}
