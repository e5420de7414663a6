"""Seeded problems, shared by tests, benchmarks, examples and doctests."""

import numpy as np

__all__ = ["regression", "sparse_regression"]


def regression(
    n_samples,
    n_features,
    *,
    n_nonzero=10,
    correlation=0.5,
    snr=10.0,
    intercept=1.0,
    dtype=np.float64,
    order="F",
    seed=0,
):
    r"""Draw a dense linear model with correlated features.

    .. math::

        y = X w + b + \epsilon, \qquad \mathrm{corr}(x_j, x_k) = c^{|j - k|}

    Parameters
    ----------
    n_samples, n_features : int
        Shape of X.
    n_nonzero : int, default=10
        Non-zero coefficients, evenly spread over the features, of alternating sign.
    correlation : float in [0, 1), default=0.5
        Correlation :math:`c` of neighbouring features.
    snr : float in (0, inf), default=10.0
        Variance of ``X @ w`` over that of the noise.
    intercept : float, default=1.0
        :math:`b`.
    dtype : {float64, float32}, default=float64
        Type of X and y.
    order : {"F", "C"}, default="F"
        Memory order of X.
    seed : int, default=0
        Seed.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Features of unit variance.
    y : ndarray of shape (n_samples,)
        Target.
    coef : ndarray of shape (n_features,)
        True coefficients.

    Examples
    --------
    >>> from thalweg.problems import regression
    >>> X, y, coef = regression(20, 5, n_nonzero=2, seed=0)
    >>> X.shape, y.shape, int((coef != 0).sum())
    ((20, 5), (20,), 2)
    """
    rng = np.random.default_rng(seed)
    X = np.empty((n_samples, n_features), dtype=dtype, order=order)
    column = rng.standard_normal(n_samples)
    fresh = np.sqrt(1.0 - correlation**2)
    for j in range(n_features):
        if j > 0:
            column = correlation * column + fresh * rng.standard_normal(n_samples)
        X[:, j] = column
    coef = _coefficients(n_features, n_nonzero)
    return X, _target(rng, X @ coef.astype(dtype), snr, intercept, dtype), coef


def sparse_regression(
    n_samples,
    n_features,
    *,
    density=0.01,
    n_nonzero=10,
    correlation=0.5,
    snr=10.0,
    intercept=1.0,
    dtype=np.float64,
    index_dtype=np.int32,
    seed=0,
):
    """Draw a linear model with sparse, correlated features.

    Each feature keeps a share `correlation` of the rows of the feature before it and draws the
    rest anew, so that neighbours overlap as the words of a topic do.

    Parameters
    ----------
    n_samples, n_features : int
        Shape of X.
    density : float in (0, 1], default=0.01
        Share of non-zero entries in each column, at least one entry.
    n_nonzero : int, default=10
        Non-zero coefficients, evenly spread over the features, of alternating sign.
    correlation : float in [0, 1], default=0.5
        Share of rows that a feature has in common with the feature before it.
    snr : float in (0, inf), default=10.0
        Variance of ``X @ w`` over that of the noise.
    intercept : float, default=1.0
        Intercept.
    dtype : {float64, float32}, default=float64
        Type of X and y.
    index_dtype : {int32, int64}, default=int32
        Type of the indices.
    seed : int, default=0
        Seed.

    Returns
    -------
    X : scipy.sparse.csc_array of shape (n_samples, n_features)
        Positive features.
    y : ndarray of shape (n_samples,)
        Target.
    coef : ndarray of shape (n_features,)
        True coefficients.

    Examples
    --------
    >>> from thalweg.problems import sparse_regression
    >>> X, y, coef = sparse_regression(100, 50, density=0.1, seed=0)
    >>> X.nnz
    500
    """
    from scipy import sparse

    rng = np.random.default_rng(seed)
    per_column = max(1, round(density * n_samples))
    kept = round(correlation * per_column)
    rows = rng.choice(n_samples, per_column, replace=False)
    indices = np.empty((n_features, per_column), dtype=index_dtype)
    for j in range(n_features):
        if j > 0:
            stay = rng.choice(rows, kept, replace=False)
            others = np.setdiff1d(np.arange(n_samples), stay)
            rows = np.concatenate([stay, rng.choice(others, per_column - kept, replace=False)])
        indices[j] = np.sort(rows)
    values = rng.exponential(size=indices.size).astype(dtype)
    indptr = np.arange(0, indices.size + 1, per_column, dtype=index_dtype)
    X = sparse.csc_array((values, indices.ravel(), indptr), shape=(n_samples, n_features))
    coef = _coefficients(n_features, n_nonzero)
    return X, _target(rng, X @ coef.astype(dtype), snr, intercept, dtype), coef


def _coefficients(n_features, n_nonzero):
    coef = np.zeros(n_features)
    support = np.unique(np.linspace(0, n_features - 1, min(n_nonzero, n_features)).astype(int))
    coef[support] = (-1.0) ** np.arange(len(support))
    return coef


def _target(rng, signal, snr, intercept, dtype):
    scale = np.sqrt(signal.var() / snr)
    return (signal + intercept + scale * rng.standard_normal(len(signal))).astype(dtype)
