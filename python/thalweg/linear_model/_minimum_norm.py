"""Least-squares coefficients of smallest norm, where the design leaves a choice.

A solver returns some coefficients whose predictions are optimal. Where columns depend on others,
or outnumber the rows, adding anything of the null space of the centred design Xc leaves the
predictions as they are; the coefficients of smallest norm are the projection on the row space of
Xc.

- Dense X with few rows or few columns: by the eigenvalues of the smaller of Xc'Xc and Xc Xc', which
  give the singular values and the rank too. Cost: one product of X with itself.
- Otherwise: by LSMR on Xc from zero (Fong & Saunders 2011), whose iterates stay in the row space.
  Cost: two products with X per iteration, and no memory to speak of.

Either way the result is kept only if its predictions agree and its norm is smaller.
"""

import time
from dataclasses import dataclass

import numpy as np
from scipy import linalg
from scipy.sparse.linalg import LinearOperator, lsmr

# Rows or columns, whichever are fewer, up to which a matrix of eigenvectors is worth its memory.
LARGEST_GRAM = 2000
# Entries of X that are centred at once.
_BLOCK = 2**18
# Predictions may change by this much of their norm: the duality gap then changes by its square.
_AGREEMENT = 1e-7


class CentredDesign:
    """``diag(sqrt(s)) (X - mean)`` of a problem, by products with X itself.

    Parameters
    ----------
    data : Data
        Problem.
    fit_intercept : bool
        Whether columns are centred.
    n_threads : int or None
        Threads.
    """

    def __init__(self, data, fit_intercept, n_threads):
        self.design = data.design
        self.shape = data.design.shape
        self.n_threads = n_threads or 0
        self.weights = data.sample_weight
        self.mean = self._means() if fit_intercept else np.zeros(data.n_features)

    def _means(self):
        """Weighted means of the columns."""
        n, p = self.shape
        if self.design.kind != "dense":
            weights = np.ones(n) if self.weights is None else self.weights
            return self.design.gemv_t(weights, self.n_threads) / weights.sum()
        (X,) = self.design.arrays
        sums, step = np.zeros(p), max(1, _BLOCK // p)
        for begin in range(0, n, step):
            rows = slice(begin, begin + step)
            weights = np.ones(len(X[rows])) if self.weights is None else self.weights[rows]
            sums += weights @ X[rows]
        return sums / (n if self.weights is None else self.weights.sum())

    def _root(self, rows=slice(None)):
        """Roots of the weights of some rows; nothing as long as X where they are equal."""
        return np.ones(1) if self.weights is None else np.sqrt(self.weights[rows])

    def product(self, w):
        """Multiply by coefficients."""
        w = np.ascontiguousarray(w, dtype=np.float64).ravel()
        return self._root() * (self.design.gemv(w, self.n_threads) - self.mean @ w)

    def transposed_product(self, v):
        """Multiply the transpose by one number per row."""
        v = self._root() * np.asarray(v, dtype=np.float64).ravel()
        return self.design.gemv_t(v, self.n_threads) - self.mean * v.sum()

    @property
    def has_gram(self):
        """Whether the smaller product of the design with itself is to be had."""
        return self.design.kind == "dense" and min(self.shape) <= LARGEST_GRAM

    def gram(self, deadline):
        """Return Xc'Xc, or Xc Xc' where rows are fewer, in float64."""
        (X,) = self.design.arrays
        n, p = self.shape
        size, length = min(n, p), max(n, p)
        gram = np.zeros((size, size))
        step = max(1, _BLOCK // size)
        for begin in range(0, length, step):
            require_time(deadline)
            part = slice(begin, begin + step)
            if p <= n:
                block = (X[part] - self.mean) * self._root(part)[:, None]
                gram += block.T @ block
            else:
                block = (X[:, part] - self.mean[part]) * self._root()[:, None]
                gram += block @ block.T
        return gram


@dataclass(slots=True)
class Spectrum:
    """Singular values of a centred design, descending; vectors where columns depend on others.

    Attributes
    ----------
    values : ndarray of shape (min(n_samples, n_features),)
        Singular values. Those below 1e-8 of the largest are rounding.
    vectors : ndarray or None
        Eigenvectors of the Gram matrix, of the singular values that are not rounding.
    kept : ndarray
        Squares of their singular values.
    """

    values: np.ndarray
    vectors: np.ndarray | None
    kept: np.ndarray

    @classmethod
    def of(cls, centred, deadline):
        """Decompose the Gram matrix; OutOfTimeError where a part would begin after `deadline`."""
        n, p = centred.shape
        gram = centred.gram(deadline)
        require_time(deadline)
        if p <= n:
            squares = linalg.eigvalsh(gram)
            if squares[0] > _rounding(squares, n):
                return cls(np.sqrt(squares[::-1]), None, squares)
            require_time(deadline)
        squares, vectors = linalg.eigh(gram, overwrite_a=True)
        real = squares > _rounding(squares, max(n, p))
        values = np.sqrt(np.maximum(squares[::-1], 0.0))
        return cls(values, vectors[:, real], squares[real])


def _rounding(squares, length):
    """Return what eigenvalues of a Gram matrix of `length` terms are off by."""
    return 8.0 * length * np.finfo(np.float64).eps * max(squares[-1], 0.0)


class OutOfTimeError(Exception):
    """The deadline has passed."""


def require_time(deadline):
    """Raise OutOfTimeError if `deadline`, on the clock of `time.perf_counter`, has passed."""
    if time.perf_counter() > deadline:
        raise OutOfTimeError


def smallest(centred, coef, spectrum, deadline):
    """Return the coefficients of smallest norm that predict what `coef` does.

    Parameters
    ----------
    centred : CentredDesign
        Design.
    coef : ndarray of shape (n_features,)
        Coefficients.
    spectrum : Spectrum or None
        Of the design, where it is known; None: LSMR.
    deadline : float
        As `require_time` takes it.

    Returns
    -------
    coef : ndarray of shape (n_features,)
        New coefficients, or the old ones.
    note : str or None
        What was done, for the report.

    Raises
    ------
    OutOfTimeError
        If the deadline passes first.
    """
    if spectrum is not None and spectrum.vectors is None:
        return coef, None  # no choice
    target = centred.product(coef)
    size = np.linalg.norm(target)
    found = np.zeros_like(coef)
    for _ in range(3):  # the second and third pass mend what rounding left of the first
        require_time(deadline)
        missing = target - centred.product(found)
        if np.linalg.norm(missing) <= 1e-14 * size:
            break
        if spectrum is not None:
            found = found + _by_spectrum(centred, missing, spectrum)
            continue
        found = found + _by_lsmr(centred, missing, deadline)
        if np.linalg.norm(found) > (1 - 1e-6) * np.linalg.norm(coef):
            return coef, None  # the solver's are as small, and more exact
    if np.linalg.norm(target - centred.product(found)) > _AGREEMENT * size:
        return coef, "columns are too close to dependent for coefficients of minimum norm"
    rank = "by LSMR" if spectrum is None else f"rank {len(spectrum.kept)}"
    return found, f"coefficients of minimum norm ({rank})"


def _by_spectrum(centred, target, spectrum):
    """Xc^+ target."""
    n, p = centred.shape
    vectors = spectrum.vectors
    if p <= n:
        return vectors @ ((vectors.T @ centred.transposed_product(target)) / spectrum.kept)
    return centred.transposed_product(vectors @ ((vectors.T @ target) / spectrum.kept))


def _by_lsmr(centred, target, deadline):
    def product(w):
        require_time(deadline)
        return centred.product(w)

    operator = LinearOperator(
        centred.shape, matvec=product, rmatvec=centred.transposed_product, dtype=np.float64
    )
    limit = max(1000, 4 * min(centred.shape))
    return lsmr(operator, target, atol=1e-13, btol=1e-13, conlim=0.0, maxiter=limit)[0]
