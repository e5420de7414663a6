"""Splits of rows into those to train on and to test on, as the weights that the core takes."""

import numpy as np

from thalweg._arrays import naming, show

_SIDES = ("train", "test")  # of a split


def named_splits(expected, splitter, X, y, params):
    """Yield the splits of X one by one; errors of the splitter begin with `expected`.

    Parameters
    ----------
    expected : str
        Beginning of messages.
    splitter : object
        What scikit-learn's `check_cv` returns.
    X, y : array-like
        What is split.
    params : dict
        Further arguments of the splitter's `split`.

    Yields
    ------
    tuple of (array, array)
        Rows to train on and to test on.
    """
    with naming(expected):
        yield from splitter.split(X, y, **params)


def fold_weights(splits, n_samples, sample_weight):
    """Turn (train, test) splits into weightings of the rows.

    Parameters
    ----------
    splits : iterable of (array, array)
        Row indices, or masks; a row that is listed twice weighs twice. No split is kept: together
        they may be as large as the weights.
    n_samples : int
        Number of rows.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the rows.

    Returns
    -------
    train, test : ndarray of shape (n_samples, n_folds)
        Column-major float64 weights; zero leaves a row out.

    Raises
    ------
    ValueError
        If a split is not a pair of rows of X, or has no row of positive weight on a side.
    """
    counts = [_count_rows(split, fold, n_samples) for fold, split in enumerate(splits)]
    if not counts:
        raise ValueError("cv must yield at least one (train, test) split, got none.")
    weights = {side: np.empty((n_samples, len(counts)), order="F") for side in _SIDES}
    for fold, counted in enumerate(counts):
        for (side, columns), times in zip(weights.items(), counted, strict=True):
            column = columns[:, fold]
            column[:] = times
            if sample_weight is not None:
                column *= sample_weight
            if not column.any():
                raise ValueError(
                    f"cv: the {side} side of fold {fold} has no row with a positive weight."
                )
    return weights["train"], weights["test"]


def _count_rows(split, fold, n_samples):
    """How often each row is on each side of a split, in the smallest type that holds it."""
    if not isinstance(split, (tuple, list, np.ndarray)) or len(split) != 2:
        raise ValueError(
            "cv must yield pairs (train, test) of row indices or masks, "
            f"got {show(split)} as split {fold}."
        )
    rows, counts = np.arange(n_samples), []
    for side, chosen in zip(_SIDES, split, strict=True):
        expected = f"cv must yield rows of X, which has {n_samples}; {side} side of fold {fold}"
        with naming(expected):
            times = np.bincount(rows[_positions(chosen)], minlength=n_samples)
        counts.append(times.astype(np.min_scalar_type(times.max())))
    return counts


def _positions(chosen):
    """Row indices or a mask as an array; other types index in ways of their own, or not at all."""
    positions = np.asarray(chosen)
    if positions.ndim != 1 or positions.dtype.kind not in "iub":
        if positions.size:
            raise ValueError(f"expected a 1d array of integers or a mask, got {show(chosen)}.")
        return []
    return positions
