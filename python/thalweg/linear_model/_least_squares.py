"""Least squares: ordinary, non-negative and ridge."""

import math
import time
from typing import ClassVar

import numpy as np
from sklearn.base import MultiOutputMixin
from sklearn.utils import metadata_routing

from thalweg import penalties
from thalweg._arrays import read_floats
from thalweg._parameters import ParameterError
from thalweg._validation import total_weight
from thalweg.linear_model._base import COMMON_RULES, Regressor
from thalweg.linear_model._callbacks import with_callbacks
from thalweg.linear_model._minimum_norm import (
    CentredDesign,
    OutOfTimeError,
    Spectrum,
    require_time,
    smallest,
)
from thalweg.linear_model._summary import GaussianSummaryMixin

# What a direct method of scikit-learn is replaced by: the same problem, solved this far.
_DIRECT_TOL = 1e-10
# Passes over the data where scikit-learn's class has no limit of its own: the largest of its
# iterative solvers.
_DIRECT_MAX_ITER = 15_000


class LeastSquares(GaussianSummaryMixin, MultiOutputMixin, Regressor):
    """Sums of squares with an l2 penalty or none; several targets are fitted separately.

    Subclasses have the attributes positive and those of `COMMON_RULES`.
    """

    # Not something to be passed around in a pipeline.
    __metadata_request__fit: ClassVar[dict] = {
        "return_theta": metadata_routing.UNUSED,
        "keep_information": metadata_routing.UNUSED,
    }

    # Whether scikit-learn's class tells the rank and the singular values of the design, and
    # whether its coefficients for y of shape (n_samples, 1) are of shape (1, n_features).
    _tells_rank: ClassVar[bool] = False
    _keeps_column: ClassVar[bool] = False

    def _solve(self, given, return_theta, keep_information, strengths, tol, max_iter):
        """Fit and set the coefficients; return the arguments of `_conclude`.

        `strengths` makes scikit-learn's alpha of every target from the data.
        """
        X, y, sample_weight = given
        self._check(return_theta=return_theta, keep_information=keep_information)
        data = self._read(X, y, sample_weight)
        if keep_information:
            self._require_summary(data.y.shape[1])
        alphas = strengths(data) / total_weight(sample_weight, data)
        solver, notes = self._map_solver()
        options = self._make_options(
            solver, tol=tol, max_iter=_DIRECT_MAX_ITER if max_iter is None else max_iter
        )
        began = time.perf_counter()
        solved, results = self._run(
            given,
            data,
            penalties.resolve("l2") if not self.positive else penalties.L2(positive=True),
            alphas,
            options,
            {},
            keep_theta=bool(return_theta),
        )
        coefs = np.array([result.coef for result in results])
        intercepts = np.array([result.intercept for result in results])
        spectrum, interrupt = None, None
        if not self.positive and solved.pending is None:
            deadline = math.inf if self.max_time is None else began + self.max_time
            solved_at = time.perf_counter()
            try:
                spectrum = self._shorten(data, coefs, intercepts, alphas == 0, deadline, notes)
            except KeyboardInterrupt as error:  # the solver's coefficients stand
                interrupt = error
            solved.seconds += time.perf_counter() - solved_at
        self._set_coefficients(data, coefs, intercepts)
        is_wanted = keep_information and solved.pending is None and interrupt is None
        interrupt = self._keep_information(is_wanted, data, sample_weight) or interrupt
        if self._tells_rank:
            self._set_rank(data, spectrum)
        return data, solved, results, options, notes, interrupt

    def _shorten(self, data, coefs, intercepts, is_free, deadline, notes):
        """Replace, in place, coefficients that are not determined by those of smallest norm.

        Returns the spectrum of the centred design where it was worked out, else None.
        """
        if not is_free.any():
            return None
        spectrum = None
        try:
            require_time(deadline)
            centred = CentredDesign(data, bool(self.fit_intercept), self.n_threads)
            if centred.has_gram:
                spectrum = Spectrum.of(centred, deadline)
            for k in np.flatnonzero(is_free):
                shorter, note = smallest(centred, coefs[k], spectrum, deadline)
                intercepts[k] += centred.mean @ (coefs[k] - shorter)
                coefs[k] = shorter
                if note is not None and note not in notes:
                    notes.append(note)
        except OutOfTimeError:  # the solver's coefficients stand
            notes.append("no time was left to look for coefficients of minimum norm")
        return spectrum

    def _set_rank(self, data, spectrum):
        for name in ("singular_", "rank_"):  # those of an earlier fit
            self.__dict__.pop(name, None)
        if spectrum is not None:
            self.singular_ = spectrum.values.astype(data.dtype)
            self.rank_ = int((spectrum.values > self.tol * spectrum.values[0]).sum())

    def _set_coefficients(self, data, coefs, intercepts):
        coefs, intercepts = coefs.astype(data.dtype), intercepts.astype(data.dtype)
        has_row = data.is_vector or (len(coefs) == 1 and not self._keeps_column)
        self.coef_ = coefs[0] if has_row else coefs
        if self.fit_intercept:
            self.intercept_ = intercepts[0] if data.is_vector else intercepts
        else:
            self.intercept_ = 0.0


class LinearRegression(LeastSquares):
    r"""Ordinary least squares, with coefficients of any sign or non-negative ones.

    .. math::

        \min_{w, b} \; \frac{1}{2 \sum_i s_i} \sum_i s_i (y_i - x_i^\top w - b)^2

    with sample weights :math:`s`. Where columns of X depend on others, or outnumber the rows, the
    coefficients of smallest norm among the optimal ones are returned, as by scikit-learn.

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    copy_X : bool, default=True
        Accepted for scikit-learn's sake; X is never modified and not copied.
    tol : float in [0, inf), default=1e-6
        Singular values above `tol` times the largest count in `rank_`. The fit does not depend on
        it: the certificate is brought to 1e-10 of the objective of the intercept alone.
    n_jobs : int, default=None
        Accepted for scikit-learn's sake; targets are fitted by `n_threads` threads.
    positive : bool, default=False
        Whether coefficients must not be negative. Also for sparse X.
    solver : str or solvers.Solver, default="auto"
        Catalogue name or handle; "auto" chooses and ``report_.reason`` says why.
    max_time : float in [0, inf], default=None
        Seconds, at most. ``report_.reason`` says where they ended before coefficients of smallest
        norm were found.
    n_threads : int in [1, 1024], default=None
        Threads.
    verbose : int, default=0
        Positive: a progress bar on standard error.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients, in the precision of X.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept; 0.0 without one.
    rank_ : int
        Rank of the centred design. Only for dense X with at most 2,000 rows or columns, without
        `positive`, and where `max_time` leaves time for it.
    singular_ : ndarray of shape (min(n_samples, n_features),)
        Singular values of the centred (and weighted) design, where `rank_` is there. They are
        square roots of eigenvalues: those below 1e-8 of the largest are rounding.
    certificate_ : Certificate
        How far from optimal the fit can be.
    report_ : Report
        How the fit went: solver and reason, status, time, copies, trace.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where X has them.

    See Also
    --------
    Ridge : With an l2 penalty.
    Lasso : With an l1 penalty.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.linear_model import LinearRegression
    >>> X = np.array([[1.0, 1.0], [1.0, 2.0], [2.0, 2.0], [2.0, 3.0]])
    >>> model = LinearRegression().fit(X, X @ [1.0, 2.0] + 3.0)
    >>> model.coef_.round(6), float(model.intercept_.round(6))
    (array([1., 2.]), 3.0)
    >>> model.rank_
    2
    """

    _tells_rank = _keeps_column = True
    _rules: ClassVar[dict[str, str]] = {
        **{name: rule for name, rule in COMMON_RULES.items() if name != "max_iter"},
        "copy_X": "bool",
        "n_jobs": "int (-inf, inf) or None",
        "positive": "bool",
    }

    def __init__(
        self,
        *,
        fit_intercept=True,
        copy_X=True,
        tol=1e-6,
        n_jobs=None,
        positive=False,
        solver="auto",
        max_time=None,
        n_threads=None,
        verbose=0,
    ):
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.tol = tol
        self.n_jobs = n_jobs
        self.positive = positive
        self.solver = solver
        self.max_time = max_time
        self.n_threads = n_threads
        self.verbose = verbose

    @with_callbacks
    def fit(self, X, y, sample_weight=None, *, return_theta=False, keep_information=False):
        """Fit the model.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            Design, used in place where it is a float array or a canonical CSC matrix; never
            modified.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets; several targets are fitted separately.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Non-negative weights with a positive sum; only their ratios matter.
        return_theta : bool, default=False
            Whether to keep the dual point in ``certificate_.theta``.
        keep_information : bool, default=False
            Whether to keep what `summary` needs, so that it can be called without the data: a
            matrix of p x p numbers, which takes about as long as a step of Newton's method.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter or an argument cannot be used; the message names it.
        KeyboardInterrupt
            On Ctrl-C, after the fitted attributes of the best iterate were set.

        Warns
        -----
        ConvergenceWarning
            Once, if the certificate was not brought to 1e-10.
        """

        def strengths(data):
            return np.zeros(data.y.shape[1])

        given = (X, y, sample_weight)
        self._conclude(
            *self._solve(given, return_theta, keep_information, strengths, _DIRECT_TOL, None)
        )
        return self


class Ridge(LeastSquares):
    r"""Least squares with an l2 penalty.

    .. math::

        \min_{w, b} \; \sum_i s_i (y_i - x_i^\top w - b)^2 + \alpha \|w\|_2^2

    with sample weights :math:`s`, whose scale matters. What is minimized, and what
    `certificate_` speaks of, is this divided by :math:`2 \sum_i s_i`.

    Parameters
    ----------
    alpha : float in [0, inf) or array-like of shape (n_targets,), default=1.0
        Strength, or one for each target. Zero gives the least-squares coefficients of smallest
        norm.
    fit_intercept : bool, default=True
        Whether to fit an unpenalized intercept.
    copy_X : bool, default=True
        Accepted for scikit-learn's sake; X is never modified and not copied.
    max_iter : int in [1, inf), default=None
        Passes over the data, at most; None: 15,000.
    tol : float in [0, inf), default=1e-4
        With scikit-learn's iterative solvers and those of the catalogue: stop when the certificate
        is at most `tol` times the objective of the intercept alone. With "auto", "svd" and
        "cholesky", which are direct methods in scikit-learn, 1e-10 takes the place of `tol`.
    solver : str or solvers.Solver, default="auto"
        Catalogue name or handle; "auto" chooses and ``report_.reason`` says why. scikit-learn's
        "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga" and, with `positive`, "lbfgs" are
        left to "auto": they have one solution.
    positive : bool, default=False
        Whether coefficients must not be negative.
    random_state : None, int, RandomState or Generator, default=None
        Accepted for scikit-learn's sake; nothing is random.
    max_time : float in [0, inf], default=None
        Seconds, at most. ``report_.reason`` says where they ended before coefficients of smallest
        norm were found.
    n_threads : int in [1, 1024], default=None
        Threads.
    verbose : int, default=0
        Positive: a progress bar on standard error.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients, in the precision of X.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept; 0.0 without one.
    n_iter_ : ndarray of shape (n_targets,)
        Passes over the data, per target.
    solver_ : str
        Catalogue name of the solver that ran.
    certificate_ : Certificate
        How far from optimal the fit can be.
    report_ : Report
        How the fit went: solver and reason, status, time, copies, trace.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where X has them.

    See Also
    --------
    LinearRegression : Without a penalty.
    ElasticNet : With an l1 term too.

    References
    ----------
    Hoerl & Kennard 1970, Ridge regression: biased estimation for nonorthogonal problems.

    Examples
    --------
    >>> import thalweg as tw
    >>> X, y, _ = tw.problems.regression(50, 5, n_nonzero=3, seed=0)
    >>> model = tw.linear_model.Ridge(alpha=2.0).fit(X, y)
    >>> model.report_.status, model.coef_.shape
    ('converged', (5,))
    >>> bool(model.certificate_.relative <= 1e-10)
    True
    """

    _rules: ClassVar[dict[str, str]] = {
        **COMMON_RULES,
        "alpha": "[0, inf) or array",
        "copy_X": "bool",
        "max_iter": "int [1, inf) or None",
        "positive": "bool",
        "random_state": "seed",
    }
    _direct: ClassVar[tuple[str, ...]] = ("auto", "svd", "cholesky")
    _solver_names: ClassVar[dict[str, str]] = dict.fromkeys(
        ("svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs"), "auto"
    )

    def __init__(
        self,
        alpha=1.0,
        *,
        fit_intercept=True,
        copy_X=True,
        max_iter=None,
        tol=1e-4,
        solver="auto",
        positive=False,
        random_state=None,
        max_time=None,
        n_threads=None,
        verbose=0,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.positive = positive
        self.random_state = random_state
        self.max_time = max_time
        self.n_threads = n_threads
        self.verbose = verbose

    @with_callbacks
    def fit(self, X, y, sample_weight=None, *, return_theta=False, keep_information=False):
        """Fit the model.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            Design, used in place where it is a float array or a canonical CSC matrix; never
            modified.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets; several targets are fitted separately.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Non-negative weights with a positive sum; a number is the weight of every sample.
        return_theta : bool, default=False
            Whether to keep the dual point in ``certificate_.theta``.
        keep_information : bool, default=False
            Whether to keep what `summary` needs, so that it can be called without the data: a
            matrix of p x p numbers, which takes about as long as a step of Newton's method.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter or an argument cannot be used; the message names it.
        KeyboardInterrupt
            On Ctrl-C, after the fitted attributes of the best iterate were set.

        Warns
        -----
        ConvergenceWarning
            Once, if the certificate did not reach its tolerance.
        """
        self._check_names()
        is_direct = isinstance(self.solver, str) and self.solver in self._direct
        data, solved, results, *rest = self._solve(
            (X, y, sample_weight),
            return_theta,
            keep_information,
            self._strengths,
            _DIRECT_TOL if is_direct else self.tol,
            self.max_iter,
        )
        self.n_iter_ = np.array([result.n_epochs for result in results], dtype=np.int32)
        self.solver_ = results[0].solver
        self._conclude(data, solved, results, *rest)
        return self

    def _check_names(self):
        """Refuse scikit-learn's solvers where scikit-learn does."""
        known = isinstance(self.solver, str) and self.solver in self._solver_names
        if not known or (self.solver == "lbfgs") == bool(self.positive):
            return
        if self.positive:
            raise ParameterError(
                f"solver={self.solver!r} does not support positive fitting. Please set the solver "
                "to 'auto' or 'lbfgs', or set `positive=False`"
            )
        raise ParameterError(
            "'lbfgs' solver can be used only when positive=True. Please use another solver."
        )

    def _strengths(self, data):
        """Alpha of every target."""
        n_targets = data.y.shape[1]
        alpha = self.alpha if np.ndim(self.alpha) else [self.alpha]
        alphas = read_floats("alpha", alpha, [], dimensions=(1,))
        if alphas.size not in (1, n_targets):
            raise ValueError(
                "alpha: Number of targets and number of penalties do not correspond: "
                f"{n_targets} != {alphas.size} (alpha got shape {alphas.shape})"
            )
        if alphas.min() < 0:
            raise ParameterError(f"alpha must hold values in [0, inf), got {alphas.min()}.")
        return np.broadcast_to(alphas, (n_targets,))
