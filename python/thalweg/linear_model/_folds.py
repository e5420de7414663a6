"""Splits of rows into those to train on and to test on, as the folds that the core takes."""

import numpy as np
from sklearn.model_selection import KFold

from thalweg._arrays import naming, show

_SIDES = ("train", "test")  # of a split


def named_splits(expected, splitter, n_samples, X, y, params):
    """Yield the splits of X one by one; errors of the splitter begin with `expected`.

    Parameters
    ----------
    expected : str
        Beginning of messages.
    splitter : object
        What scikit-learn's `check_cv` returns.
    n_samples : int
        Number of rows of X.
    X, y : array-like
        What is split.
    params : dict
        Further arguments of the splitter's `split`.

    Yields
    ------
    tuple of (array, array) or slice
        Rows to train on and to test on; a slice is a run of rows to test on, which no other fold
        holds out, all others being trained on.
    """
    if type(splitter) is KFold and not splitter.shuffle and splitter.n_splits <= n_samples:
        yield from _blocks(n_samples, splitter.n_splits)
        return
    with naming(expected):
        yield from splitter.split(X, y, **params)


def _blocks(n_samples, n_folds):
    """Yield the splits of `KFold` without a shuffle; its arrays can be as large as X.

    Folds are runs of rows, the first ``n_samples % n_folds`` of them a row longer.
    """
    shortest, longer = divmod(n_samples, n_folds)
    ends = np.cumsum([shortest + (fold < longer) for fold in range(n_folds)])
    yield from map(slice, [0, *ends[:-1]], ends)


def read_folds(splits, n_samples, sample_weight):
    """Turn (train, test) splits into small codes of the rows and what they mean to each fold.

    Parameters
    ----------
    splits : iterable of (array, array) or slice
        Row indices, or masks; a row that is listed twice counts twice. No split is kept. Slices
        as of `named_splits`.
    n_samples : int
        Number of rows.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the rows.

    Returns
    -------
    dict
        ``codes``: arrays of unsigned integers, by row. ``folds``: for each fold the array
        (``column``) whose codes tell its rows apart, and how often rows of the codes from
        ``first`` on are trained on and held out (``times``); rows of other codes are trained on
        once.

    Raises
    ------
    ValueError
        If a split is not a pair of rows of X, or has no row of positive weight on a side.
    """
    codes = _Codes(n_samples)
    for fold, split in enumerate(splits):
        if isinstance(split, slice):
            if sample_weight is not None:
                _check_weights(fold, _weighs_in_block(split, sample_weight))
            codes.add_block(split)
            continue
        counts = _count_rows(split, fold, n_samples)
        used = (times != 0 for times in counts)
        _check_weights(
            fold,
            (u.any() if sample_weight is None else sample_weight.any(where=u) for u in used),
        )
        codes.add(*counts)
    if not codes.folds:
        raise ValueError("cv must yield at least one (train, test) split, got none.")
    return {"codes": codes.columns, "folds": codes.folds}


def _weighs_in_block(block, sample_weight):
    """Whether any row outside of a block, and any inside, has a positive weight."""
    outside = sample_weight[: block.start].any() or sample_weight[block.stop :].any()
    return outside, sample_weight[block].any()


def _check_weights(fold, weighs):
    for side, any_weight in zip(_SIDES, weighs, strict=True):
        if not any_weight:
            raise ValueError(
                f"cv: the {side} side of fold {fold} has no row with a positive weight."
            )


class _Codes:
    """Codes of the rows, fold after fold, in as few arrays as it takes.

    Folds that hold out different rows, and train on all others, share an array: the code of a row
    is the fold that holds it out, counted from 1. Of other folds a code has a digit for each.
    """

    def __init__(self, n_samples):
        self.columns, self.folds = [], []
        self._n_samples = n_samples
        self._sharing = 0  # folds of different rows in the last array
        self._n_codes = 256  # of the last array, where it has digits: a byte is full

    def add(self, train, test):
        """Append a fold, by how often it has each row on either side."""
        if train.dtype != np.bool_ or test.dtype != np.bool_ or (train == test).any():
            self._add_digit(*_pairs(train, test))
            return
        overlaps = self._sharing > 0 and self.columns[-1].any(where=test)
        if not self.columns or (overlaps and self._sharing > 1):
            self.columns.append(np.zeros(self._n_samples, np.uint8))
            self._sharing = 0
        elif overlaps or self._sharing == 0:
            self._add_digit(test.view(np.uint8), [(1, 0), (0, 1)])
            return
        self._share(test)

    def add_block(self, rows):
        """Append a fold that holds out a slice of rows that no other fold holds out."""
        if not self.columns:
            self.columns.append(np.zeros(self._n_samples, np.uint8))
        self._share(rows)

    def _share(self, test):
        self._sharing += 1
        codes = self.columns[-1]
        wide = np.promote_types(codes.dtype, np.min_scalar_type(self._sharing))
        codes = self.columns[-1] = codes.astype(wide, copy=False)
        codes[test] = self._sharing
        self._append(self._sharing, [(0, 1)])

    def _add_digit(self, kinds, pairs):
        if self._sharing == 1:  # a digit is what its only fold has
            self._n_codes = 2
            self.folds[-1].update(first=0, times=[(1, 0), (0, 1)])
        elif self._sharing > 1:
            self._n_codes = 256
        self._sharing = 0
        if self._n_codes * len(pairs) > 256:
            self.columns.append(kinds.copy())
            self._n_codes = 1
        else:
            self.columns[-1] += kinds * np.uint8(self._n_codes)
            for fold in self.folds:
                if fold["column"] == len(self.columns) - 1:
                    fold["times"] = fold["times"] * len(pairs)
        self._append(0, [pair for pair in pairs for _ in range(self._n_codes)])
        self._n_codes *= len(pairs)

    def _append(self, first, times):
        self.folds.append({"column": len(self.columns) - 1, "first": first, "times": times})


def _count_rows(split, fold, n_samples):
    """How often each row is on each side of a split: booleans, or counts where rows repeat."""
    if not isinstance(split, (tuple, list, np.ndarray)) or len(split) != 2:
        raise ValueError(
            "cv must yield pairs (train, test) of row indices or masks, "
            f"got {show(split)} as split {fold}."
        )
    counts = []
    for side, chosen in zip(_SIDES, split, strict=True):
        expected = f"cv must yield rows of X, which has {n_samples}; {side} side of fold {fold}"
        with naming(expected):
            positions = _positions(chosen)
            if positions.dtype == np.bool_ and positions.size == n_samples:
                counts.append(positions)
                continue
            times = np.zeros(n_samples, np.bool_)
            times[positions] = True
        if np.count_nonzero(times) < positions.size:
            times = np.bincount(np.arange(n_samples)[positions], minlength=n_samples)
            times = times.astype(np.min_scalar_type(times.max()))
        counts.append(times)
    return counts


def _pairs(train, test):
    """Codes of the pairs of counts that rows have, and the pair of each code."""
    base = int(test.max()) + 1
    most = (int(train.max()) + 1) * base - 1
    codes = train.astype(np.min_scalar_type(most)) * base + test
    if most < 256:
        return codes.astype(np.uint8), [divmod(code, base) for code in range(most + 1)]
    found, codes = np.unique(codes, return_inverse=True)
    times = [divmod(code, base) for code in found.tolist()]
    return codes.astype(np.min_scalar_type(len(found))), times


def _positions(chosen):
    """Row indices or a mask as an array; other types index in ways of their own, or not at all."""
    positions = np.asarray(chosen)
    if positions.ndim != 1 or positions.dtype.kind not in "iub":
        if positions.size:
            raise ValueError(f"expected a 1d array of integers or a mask, got {show(chosen)}.")
        return np.empty(0, np.intp)
    return positions
