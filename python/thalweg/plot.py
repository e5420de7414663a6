"""Convergence plots from reports; matplotlib is imported on use."""

import numpy as np

__all__ = ["convergence"]


def convergence(reports, labels=None, axes=None):
    """Plot certificate and suboptimality against time.

    Parameters
    ----------
    reports : Report or sequence of Report
        Reports with a trace, as ``model.report_`` or ``solution.report``.
    labels : str or sequence of str, optional
        One label per report; None: the solvers' names.
    axes : sequence of two matplotlib.axes.Axes, optional
        Where to draw the certificate and the suboptimality; None: a new figure.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.

    Raises
    ------
    ValueError
        If labels and reports differ in number, or a report has no trace.

    Examples
    --------
    >>> import thalweg as tw
    >>> X, y, _ = tw.problems.regression(50, 200, seed=0)
    >>> model = tw.linear_model.Lasso(alpha=0.01).fit(X, y)
    >>> figure = tw.plot.convergence(model.report_)
    >>> len(figure.axes)
    2
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    reports = [reports] if hasattr(reports, "trace") else list(reports)
    if labels is None:
        labels = [report.solver for report in reports]
    labels = [labels] if isinstance(labels, str) else list(labels)
    if len(labels) != len(reports):
        raise ValueError(f"labels must match reports: got {len(labels)} for {len(reports)}.")
    if axes is None:
        # Without pyplot: no global state, and no display needed.
        axes = Figure(figsize=(9.0, 3.6), layout="constrained").subplots(1, 2)
    left, right = axes
    for report, label in zip(reports, labels, strict=True):
        trace = report.trace
        if not len(trace.get("time", ())):
            raise ValueError(f"the report labelled {label!r} has no trace.")
        milliseconds = 1e3 * trace["time"]
        left.plot(milliseconds, trace["certificate"], marker=".", label=label)
        excess = trace["objective"] - trace["objective"].min()
        # The last and best objective has no excess, and no place on a logarithmic axis.
        right.plot(milliseconds, np.where(excess > 0, excess, np.nan), marker=".", label=label)
    left.set(xlabel="time (ms)", ylabel="certificate", xscale="log", yscale="log")
    right.set(
        xlabel="time (ms)", ylabel="objective above the best one seen", xscale="log", yscale="log"
    )
    # Of a decade or two the powers of ten are too few labels, and all multiples too many.
    for axis in (left.xaxis, right.xaxis):
        low, high = axis.get_view_interval()
        steps = (1.0, 2.0, 5.0) if high < 100 * low else (1.0,)
        axis.set_major_locator(LogLocator(subs=steps))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())
    left.legend()  # where it covers least
    return left.figure
