"""What a fit says about itself: how good the solution is, and how it was found."""

from dataclasses import dataclass, field

import numpy as np

__all__ = ["Certificate", "MinimizeReport", "Report"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """A bound on how far a solution is from optimal, computed by code that knows no solver.

    ``kind == "duality_gap"``: ``value = primal - dual``, and no coefficients whatever have an
    objective below ``dual``, so the objective exceeds its minimum by at most `value`.
    ``kind == "kkt"``: `value` is the largest scaled violation of the optimality conditions.

    All numbers are float64, also for float32 data, and belong to the float64 solution, which
    float32 coefficients round. Where y has several targets, each attribute but `kind` is an
    array with one entry per target.

    Attributes
    ----------
    kind : {"duality_gap", "kkt"}
        What `value` measures.
    value : float or ndarray of shape (n_targets,)
        The bound, absolute, in units of the objective.
    relative : float or ndarray of shape (n_targets,)
        The bound over the objective of the intercept-only model.
    primal : float or ndarray of shape (n_targets,)
        Objective at the solution.
    dual : float or ndarray of shape (n_targets,)
        Objective of the dual point.
    theta : ndarray of shape (n_samples,) or (n_targets, n_samples), or None
        The dual point, where it was asked for.
    """

    kind: str
    value: float | np.ndarray
    relative: float | np.ndarray
    primal: float | np.ndarray
    dual: float | np.ndarray
    theta: np.ndarray | None = None

    @classmethod
    def from_results(cls, results):
        """Collect the certificates of core results, one result per target."""
        raw = [result.certificate for result in results]
        if len(raw) == 1:
            return cls(**raw[0])
        columns = {name: np.array([r[name] for r in raw]) for name in _NUMBERS}
        # After a stop, targets may have none.
        theta = (
            None if any(r["theta"] is None for r in raw) else np.array([r["theta"] for r in raw])
        )
        return cls(kind=raw[0]["kind"], theta=theta, **columns)

    def __str__(self):
        what = {"duality_gap": "duality gap", "kkt": "KKT violation"}[self.kind]
        return f"{what} {_join(self.value)} (relative {_join(self.relative)})"


_NUMBERS = ("value", "relative", "primal", "dual")


class _Traced:
    """What has a trace."""

    __slots__ = ()

    def to_frame(self):
        """Return the trace as a pandas data frame, one row per step.

        Returns
        -------
        pandas.DataFrame
            Columns as the keys of `trace`.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        import pandas as pd

        return pd.DataFrame(self.trace)


@dataclass(frozen=True, slots=True)
class Report(_Traced):
    """How a fit went.

    Attributes
    ----------
    solver : str
        Solver that ran.
    reason : str
        Why this solver, where the choice was left to Thalweg, and how parameters were mapped.
    status : str
        "converged", or why the solver stopped earlier: "max_iter", "time_limit", "stalled",
        "unbounded", "line_search_failed", "non_finite", "stopped".
    n_iter : int
        Outer iterations, summed over targets.
    n_epochs : int
        Passes over the data, summed over targets.
    time : float
        Seconds in the core, and of what follows a solve (coefficients of minimum norm), on the
        wall clock.
    copies : tuple of str
        Arrays that were copied or converted on the way in: what, why and how many bytes.
    gram_bytes : int
        Memory of the Gram blocks that solvers held at once, and of factors of them, in bytes, at
        most.
    trace : dict of str to ndarray
        Per step: time (seconds), objective, certificate, step (largest change of a
        coefficient), support (number of non-zero coefficients); with several targets also
        target.
    """

    solver: str
    reason: str
    status: str
    n_iter: int
    n_epochs: int
    time: float
    copies: tuple[str, ...] = ()
    gram_bytes: int = 0
    trace: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    @classmethod
    def from_results(cls, results, seconds, gram_bytes, copies=(), notes=()):
        """Merge core results, one per target, into one report."""
        if len(results) == 1:
            trace = results[0].trace
        else:
            trace = {
                name: np.concatenate([result.trace[name] for result in results])
                for name in results[0].trace
            }
            lengths = [len(result.trace["time"]) for result in results]
            trace["target"] = np.repeat(np.arange(len(results)), lengths)
        return cls(
            solver=_unique(result.solver for result in results),
            reason="; ".join(filter(None, [_unique(r.reason for r in results), *notes])),
            status=next((r.status for r in results if r.status != "converged"), "converged"),
            n_iter=sum(result.n_iter for result in results),
            n_epochs=sum(result.n_epochs for result in results),
            time=seconds,
            copies=tuple(copies),
            gram_bytes=gram_bytes,
            trace=trace,
        )

    def __str__(self):
        reason = f" ({self.reason})" if self.reason else ""
        work = f"{self.n_epochs} passes over the data in {self.n_iter} iterations"
        lines = [
            f"status    {self.status}",
            f"solver    {self.solver}{reason}",
            f"work      {work}, {self.time:.3g} s",
        ]
        if self.gram_bytes:
            lines.append(f"gram      {self.gram_bytes:,} bytes")
        lines += [f"copied    {copy}" for copy in self.copies or ["nothing"]]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class MinimizeReport(_Traced):
    """How a minimization of a function went.

    Attributes
    ----------
    solver : str
        Solver that ran.
    reason : str
        Why this solver, where the choice was left to Thalweg, and what it did.
    status : str
        "converged", or why the solver stopped earlier; see `Report`.
    nit : int
        Iterations, of all starts.
    nfev : int
        Evaluations of the function, those of finite differences included.
    njev : int
        Gradients, by finite differences too.
    nhev : int
        Hessian matrices and products with them.
    n_starts : int
        Runs from different starts.
    time : float
        Seconds on the wall clock.
    trace : dict of str to ndarray
        Per step: time (seconds), objective, certificate, step (largest change of a variable);
        with several starts also start.
    """

    solver: str
    reason: str
    status: str
    nit: int
    nfev: int
    njev: int
    nhev: int
    n_starts: int
    time: float
    trace: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    def __str__(self):
        reason = f" ({self.reason})" if self.reason else ""
        starts = f", {self.n_starts} starts" if self.n_starts > 1 else ""
        return (
            f"status    {self.status}\n"
            f"solver    {self.solver}{reason}\n"
            f"work      {self.nit} iterations{starts}: {self.nfev} values, {self.njev} gradients, "
            f"{self.nhev} Hessians, {self.time:.3g} s"
        )


def _unique(texts):
    return ", ".join(dict.fromkeys(filter(None, texts)))


def _join(values):
    return ", ".join(f"{value:.3g}" for value in np.atleast_1d(values))
