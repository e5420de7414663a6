"""Command line: ``python -m thalweg demo`` and ``python -m thalweg info``."""

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np


def main(arguments=None):
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments; None takes those of the process.

    Returns
    -------
    int
        Exit code.
    """
    parser = argparse.ArgumentParser(
        prog="python -m thalweg", description="Certified, fast optimization for machine learning."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    demo_parser = commands.add_parser(
        "demo", help="fit real data sets, compare with scikit-learn, plot the convergence"
    )
    demo_parser.add_argument(
        "--output",
        default="thalweg_demo.png",
        help="where to write the plot (default: %(default)s)",
    )
    commands.add_parser("info", help="show version, instruction set and threads")
    options = parser.parse_args(arguments)
    if options.command == "demo":
        folder = Path(options.output).absolute().parent
        if not (folder.is_dir() and os.access(folder, os.W_OK)):
            demo_parser.error(f"--output: cannot write to the folder {folder}")
        demo(options.output)
    else:
        show_info()
    return 0


def show_info():
    """Print what `thalweg.info` returns."""
    import thalweg

    for name, value in thalweg.info().items():
        print(f"{name:<14}{value}")


def demo(output):
    """Fit lasso, elastic net and LassoCV on three data sets; print a table, write a plot.

    Parameters
    ----------
    output : str
        File that the convergence plot is written to.
    """
    from sklearn import linear_model as sklearn_models
    from tqdm import tqdm

    from thalweg import _engine, linear_model

    cases = [
        (data_name, X, y, model_name, parameters)
        for data_name, X, y in _data_sets()
        for model_name, parameters in _models(X, y)
    ]
    rows = []
    with tqdm(
        cases,
        desc="demo",
        file=sys.stderr,
        disable=not sys.stderr.isatty(),
        **_engine.bar_size(),
    ) as bar:
        for data_name, X, y, model_name, parameters in bar:
            bar.set_postfix_str(f"{model_name} on {data_name}")
            ours = getattr(linear_model, model_name)(**parameters)
            seconds = _fit(ours, X, y)
            theirs = getattr(sklearn_models, model_name)(**parameters)
            their_seconds = _fit(theirs, X, y)
            rows.append(
                (
                    f"{data_name} {X.shape[0]} x {X.shape[1]}",
                    model_name,
                    f"{1e3 * seconds:.1f}",
                    f"{_objective(ours, X, y):.8g}",
                    f"{ours.certificate_.value:.1e}",
                    str(np.count_nonzero(ours.coef_)),
                    f"{1e3 * their_seconds:.1f}",
                    f"{_objective(theirs, X, y):.8g}",
                    str(np.count_nonzero(theirs.coef_)),
                )
            )
    _print_table(rows)
    _plot(*cases[-1][:3]).savefig(output, dpi=120)
    print(f"\nThe convergence plot of a lasso by four solvers is in {output}")


def _plot(data_name, X, y):
    """Draw how the solvers of a lasso converge."""
    from thalweg import linear_model, plot

    _, parameters = next(_models(X, y))
    reports = {}
    for solver in ("coordinate_descent", "working_set", "gram", "auto"):
        model = linear_model.Lasso(**{**parameters, "tol": 1e-9}, solver=solver)
        _fit(model, X, y)
        reports[solver] = model.report_
    figure = plot.convergence(reports.values(), reports.keys())
    figure.suptitle(f"Lasso on {data_name} at a hundredth of the largest useful alpha")
    return figure


_HEADINGS = (
    "data",
    "model",
    "ms",
    "objective",
    "gap",
    "nonzero",
    "sklearn ms",
    "objective",
    "nonzero",
)


def _data_sets():
    from sklearn import datasets
    from sklearn.preprocessing import StandardScaler

    for name in ("diabetes", "breast_cancer", "digits"):
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        yield name, np.asfortranarray(StandardScaler().fit_transform(X)), y.astype(float)


def _models(X, y):
    """Models by name, at a hundredth of the smallest alpha that makes all coefficients zero."""
    alpha = np.abs(X.T @ (y - y.mean())).max() / len(y) / 100
    accuracy = {"tol": 1e-6, "max_iter": 100_000}
    yield "Lasso", {"alpha": alpha, **accuracy}
    yield "ElasticNet", {"alpha": alpha / 0.5, "l1_ratio": 0.5, **accuracy}
    yield "LassoCV", {"cv": 5, **accuracy}


def _fit(model, X, y):
    best = np.inf
    for _ in range(3):  # the fastest of three: the first pays for starting threads
        began = time.perf_counter()
        model.fit(X, y)
        best = min(best, time.perf_counter() - began)
    return best


def _objective(model, X, y):
    from thalweg import checks

    return checks.objective(
        X,
        y,
        model.coef_,
        model.intercept_,
        alpha=getattr(model, "alpha_", None) or model.alpha,
        l1_ratio=getattr(model, "l1_ratio", 1.0),
    )


def _print_table(rows):
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *rows, strict=True)]
    for row in (_HEADINGS, ["-" * width for width in widths], *rows):
        cells = [
            text.ljust(width) if column < 2 else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


if __name__ == "__main__":
    sys.exit(main())
