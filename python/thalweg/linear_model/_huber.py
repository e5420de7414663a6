"""Robust regression with a scale that is estimated with the coefficients."""

from typing import ClassVar

import numpy as np
from sklearn.utils import metadata_routing

from thalweg import losses, penalties
from thalweg._engine import wants_rows
from thalweg._validation import total_weight
from thalweg.linear_model._base import COMMON_RULES, Regressor
from thalweg.linear_model._callbacks import with_callbacks


class HuberRegressor(Regressor):
    r"""Linear regression that outliers pull at with bounded force, with an l2 penalty.

    .. math::

        \min_{w, b, \sigma} \; \sum_i s_i \left( \sigma
        + H_\epsilon\!\left( \frac{y_i - x_i^\top w - b}{\sigma} \right) \sigma \right)
        + \alpha \|w\|_2^2, \qquad
        H_\epsilon(z) = \begin{cases} z^2 & |z| \le \epsilon \\
        2 \epsilon |z| - \epsilon^2 & |z| > \epsilon \end{cases}

    with sample weights :math:`s`, whose scale matters, and :math:`\sigma` at least ten roundings of
    one. Scaling y scales :math:`\sigma`, so that `epsilon` has no unit. What is minimized, and what
    `certificate_` speaks of, is this divided by :math:`2 \sum_i s_i`.

    Parameters
    ----------
    epsilon : float in [1, inf), default=1.35
        Residuals beyond `epsilon` times the scale are outliers: the smaller, the more there are.
    max_iter : int in [0, inf), default=100
        Passes over the data, at most.
    alpha : float in [0, inf), default=0.0001
        Strength of the penalty.
    warm_start : bool, default=False
        Start from the coefficients of the previous fit.
    fit_intercept : bool, default=True
        Whether to fit an unpenalized intercept.
    tol : float in [0, inf), default=1e-5
        Stop when the certificate is at most `tol` times the objective of the intercept alone and
        no entry of the gradient of the sum above exceeds `tol`, but by rounding.
    solver : str or solvers.Solver, default="auto"
        Catalogue name or handle; "auto" chooses and ``report_.reason`` says why.
    verbose : int, default=0
        Positive: a progress bar on standard error.
    max_time : float in [0, inf], default=None
        Seconds, at most.
    n_threads : int in [1, 1024], default=None
        Threads. The solution does not depend on it, bit for bit.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients, in the precision of X.
    intercept_ : float
        Intercept; 0.0 without one.
    scale_ : float
        The scale :math:`\sigma`. Its bound where the model fits more than about
        :math:`1 - 1 / \epsilon^2` of the weight exactly.
    outliers_ : ndarray of shape (n_samples,)
        Whether the residual of a sample exceeds ``epsilon * scale_``, by more than rounding.
    n_iter_ : int
        Passes over the data.
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
    Ridge : All residuals squared.
    GeneralizedLinearRegressor : Huber's loss of a given scale, among others.

    References
    ----------
    Huber & Ronchetti 2009, Robust statistics, section 7.7; Owen 2007, A robust hybrid of lasso and
    ridge regression.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.linear_model import HuberRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 2))
    >>> y = X @ [3.0, -1.0] + 1.0 + 0.1 * rng.standard_normal(100)
    >>> y[[2, 7]] = [60.0, -40.0]
    >>> model = HuberRegressor().fit(X, y)
    >>> model.coef_.round(1), round(float(model.intercept_), 1)
    (array([ 3., -1.]), 1.0)
    >>> model.outliers_[[2, 7]]
    array([ True,  True])
    >>> bool(model.scale_ < 0.2)
    True
    """

    _rules: ClassVar[dict[str, str]] = {
        **COMMON_RULES,
        "epsilon": "[1, inf)",
        "alpha": "[0, inf)",
        "warm_start": "bool",
    }
    # Not something to be passed around in a pipeline.
    __metadata_request__fit: ClassVar[dict] = {"return_theta": metadata_routing.UNUSED}

    def __init__(
        self,
        *,
        epsilon=1.35,
        max_iter=100,
        alpha=0.0001,
        warm_start=False,
        fit_intercept=True,
        tol=1e-05,
        solver="auto",
        verbose=0,
        max_time=None,
        n_threads=None,
    ):
        self.epsilon = epsilon
        self.max_iter = max_iter
        self.alpha = alpha
        self.warm_start = warm_start
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.solver = solver
        self.verbose = verbose
        self.max_time = max_time
        self.n_threads = n_threads

    @with_callbacks
    def fit(self, X, y, sample_weight=None, *, return_theta=False):
        """Fit the model.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            Design, used in place where it is a float array or a canonical CSR matrix; never
            modified.
        y : array-like of shape (n_samples,)
            Target.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Non-negative weights with a positive sum; a number is the weight of every sample.
        return_theta : bool, default=False
            Whether to keep the dual point in ``certificate_.theta``.

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
            Once, if the certificate did not reach `tol`.
        """
        self._check(return_theta=return_theta)
        loss = losses.Huber(delta=float(self.epsilon))
        solver, notes = self._map_solver()
        data = self._read(X, y, sample_weight, by_rows=wants_rows(loss, solver))
        self._require_vector(data, "Fit each column of y by itself.")
        total = total_weight(sample_weight, data)
        options = self._make_options(solver)
        solved, results = self._run(
            (X, y, sample_weight),
            data,
            penalties.resolve("l2"),
            float(self.alpha) / total,
            options,
            self._start((data.n_features,)),
            loss=loss,
            estimate_scale=True,
            gradient_tol=float(self.tol) / (2.0 * total),
            keep_theta=bool(return_theta),
        )
        self._set_linear(data, results)
        self.scale_ = np.float64(results[0].scale)
        self.outliers_ = self._find_outliers(data, results[0])
        self.n_iter_ = results[0].n_epochs
        self._conclude(data, solved, results, options, notes)
        return self

    def _find_outliers(self, data, result):
        """Return which residuals of the float64 solution are outliers."""
        y = data.y[:, 0]
        fitted = data.design.gemv(result.coef, n_threads=self.n_threads or 0)
        outliers = np.empty(len(y), dtype=bool)
        block = 1 << 16  # beside the predictions no vector over all rows
        for start in range(0, len(y), block):
            rows = slice(start, start + block)
            predicted = fitted[rows] + result.intercept
            rounding = 8 * np.finfo(np.float64).eps * (np.abs(y[rows]) + np.abs(predicted))
            far = np.abs(y[rows] - predicted) > self.epsilon * self.scale_ + rounding
            outliers[rows] = far
        return outliers
