"""Regressors of generalized linear models: Poisson, gamma, Tweedie, and any catalogued loss."""

from typing import ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import metadata_routing

from thalweg import losses, penalties, solvers
from thalweg._engine import Options, run, target_tasks, wants_rows
from thalweg._parameters import seed_from
from thalweg._validation import read_data, read_penalty
from thalweg.linear_model._base import COMMON_RULES, LinearEstimator
from thalweg.linear_model._callbacks import with_callbacks
from thalweg.linear_model._summary import DevianceSummaryMixin

# scikit-learn's solvers, and those of the catalogue that work alike.
_SOLVER_NAMES = {"lbfgs": "l_bfgs", "newton-cholesky": "newton"}


class GlmBase(DevianceSummaryMixin, RegressorMixin, LinearEstimator):
    """One target whose mean is the inverse link of ``X @ coef_ + intercept_ + offset``.

    Subclasses define `_get_loss`, `_get_penalty`, which returns a handle and a strength, and
    `_gradient_tol`.
    """

    # Not something to be passed around in a pipeline.
    __metadata_request__fit: ClassVar[dict] = {
        "return_theta": metadata_routing.UNUSED,
        "keep_information": metadata_routing.UNUSED,
    }

    @with_callbacks
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        offset=None,
        return_theta=False,
        keep_information=False,
    ):
        """Fit the model.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            Design, used in place where it is a float array or a canonical CSR matrix; never
            modified.
        y : array-like of shape (n_samples,)
            Target.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Non-negative weights with a positive sum; only their ratios matter.
        offset : array-like of shape (n_samples,), default=None
            Known part of the linear predictor, as the logarithm of an exposure.
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
            Once, if the certificate did not reach `tol`.
        """
        self._check(return_theta=return_theta, keep_information=keep_information)
        if keep_information:
            self._require_summary()
        loss = self._get_loss()
        penalty, alpha = self._get_penalty()
        solver, notes = self._map_solver()
        data = self._read(X, y, sample_weight, offset=offset, by_rows=wants_rows(loss, solver))
        self._require_vector(data, "Fit each column of y by itself.")
        loss.require(data.y[:, 0])
        options = self._make_options(solver, seed=seed_from(getattr(self, "random_state", None)))
        has_intercept = bool(self.fit_intercept)
        solved, results = self._run(
            (X, y, sample_weight),
            data,
            penalty,
            alpha,
            options,
            self._start((data.n_features,)) or (self._first(data, loss) if has_intercept else {}),
            loss=loss,
            gradient_tol=self._gradient_tol(),
            standardize=bool(getattr(self, "standardize", False)),
            keep_theta=bool(return_theta),
        )
        self._set_linear(data, results)
        self.n_iter_ = results[0].n_epochs
        is_wanted = keep_information and solved.pending is None
        interrupt = self._keep_information(is_wanted, data, sample_weight)
        self._conclude(data, solved, results, options, notes, interrupt)
        return self

    def _first(self, data, loss):
        """Start from the mean where the loss is infinite at zero, as with an identity link."""
        mean = np.average(data.y[:, 0], weights=data.sample_weight)
        if np.isfinite(loss.values([mean], [0.0])[0]):
            return {}
        return {"coefs": np.zeros((1, data.n_features)), "intercepts": np.array([[mean]])}

    def predict(self, X, *, offset=None):
        """Predict the mean.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.
        offset : array-like of shape (n_samples,), default=None
            Known part of the linear predictor.

        Returns
        -------
        ndarray of shape (n_samples,)
            Inverse link of ``X @ coef_ + intercept_ + offset``.
        """
        eta = self._linear_predictor(X, offset)
        return self._get_loss().inverse_link(eta).astype(eta.dtype, copy=False)

    def score(self, X, y, sample_weight=None, *, offset=None):
        r"""Return :math:`D^2`, the share of the deviance that the model explains.

        .. math::

            D^2 = 1 - \frac{\sum_i s_i \, \mathrm{loss}(y_i, \eta_i)}
                           {\min_b \sum_i s_i \, \mathrm{loss}(y_i, b + \mathrm{offset}_i)}

        1 is best; negative values are worse than an intercept alone.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Target.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Non-negative weights with a positive sum.
        offset : array-like of shape (n_samples,), default=None
            Known part of the linear predictor.

        Returns
        -------
        float
            :math:`D^2`.
        """
        loss = self._get_loss()
        eta = self._linear_predictor(X, offset)
        # The model of the intercept alone: a feature that says nothing.
        nothing = np.zeros((len(eta), 1))
        data = read_data(nothing, y, sample_weight, offset, owner=f"{type(self).__name__}.score")
        self._require_vector(data, "Score each column of y by itself.")
        target = data.y[:, 0]
        loss.require(target)
        penalty = penalties.resolve("l2")
        null = run(
            data,
            target_tasks(data, 1.0, **self._first(data, loss)),
            [read_penalty(penalty, 1, [])],
            Options(solvers.resolve("auto"), tol=1e-12, max_iter=1000, n_threads=1),
            loss=loss,
        ).results[0][0]
        alone = np.full(len(eta), float(null.intercept))
        if data.offset is not None:
            alone += data.offset
        deviances = [
            np.average(loss.values(target, prediction), weights=data.sample_weight)
            for prediction in (eta, alone)
        ]
        return float(1.0 - deviances[0] / deviances[1])

    def __sklearn_tags__(self):
        """Return scikit-learn's tags: whether the target must be positive."""
        tags = super().__sklearn_tags__()
        try:
            loss = self._get_loss()
        except (ValueError, TypeError):  # parameters that fit refuses
            return tags
        tags.target_tags.positive_only = not loss.accepts([-1.0])[0]
        return tags


class DevianceRegressor(GlmBase):
    """scikit-learn's regressors: half a mean unit deviance and an l2 penalty."""

    _solver_names: ClassVar[dict[str, str]] = _SOLVER_NAMES
    _rules: ClassVar[dict[str, str]] = {
        **COMMON_RULES,
        "alpha": "[0, inf)",
        "max_iter": "int [1, inf)",
        "tol": "(0, inf)",
        "warm_start": "bool",
    }

    def _get_penalty(self):
        return penalties.resolve("l2"), float(self.alpha)

    def _gradient_tol(self):
        return float(self.tol)


class PoissonRegressor(DevianceRegressor):
    r"""Counts of mean :math:`\exp(X w + b + \mathrm{offset})`, with an l2 penalty.

    .. math::

        \min_{w, b} \; \frac{1}{\sum_i s_i} \sum_i s_i \left( y_i \log \frac{y_i}{\mu_i}
        - y_i + \mu_i \right) + \frac{\alpha}{2} \|w\|_2^2,
        \qquad \mu_i = \exp(x_i^\top w + b + \mathrm{offset}_i)

    the mean of half the unit deviances, with sample weights :math:`s`.

    Parameters
    ----------
    alpha : float in [0, inf), default=1.0
        Strength of the penalty.
    fit_intercept : bool, default=True
        Whether to fit an unpenalized intercept.
    solver : str or solvers.Solver, default="auto"
        Catalogue name or handle; "auto" chooses and ``report_.reason`` says why. scikit-learn's
        "lbfgs" is "l_bfgs" and its "newton-cholesky" is "newton".
    max_iter : int in [1, inf), default=100
        Passes over the data, at most.
    tol : float in (0, inf), default=1e-4
        Stop when the certificate is at most `tol` times the objective of the intercept alone and
        no entry of the gradient exceeds `tol`.
    warm_start : bool, default=False
        Start from the coefficients of the previous fit.
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
    GammaRegressor : Positive targets whose spread grows with their mean.
    TweedieRegressor : Other powers of the mean, and the identity link.

    References
    ----------
    McCullagh & Nelder 1989, Generalized linear models, chapter 6.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.linear_model import PoissonRegressor
    >>> X = np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0], [4.0, 3.0]])
    >>> model = PoissonRegressor(tol=1e-8).fit(X, [12, 17, 22, 21])
    >>> model.coef_.round(3)
    array([0.121, 0.158])
    >>> model.predict([[1, 1], [3, 4]]).round(3)
    array([10.676, 21.875])
    """

    def __init__(
        self,
        *,
        alpha=1.0,
        fit_intercept=True,
        solver="auto",
        max_iter=100,
        tol=1e-4,
        warm_start=False,
        verbose=0,
        max_time=None,
        n_threads=None,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.max_time = max_time
        self.n_threads = n_threads

    def _get_loss(self):
        return losses.resolve("poisson")


class GammaRegressor(DevianceRegressor):
    r"""Positive targets of mean :math:`\exp(X w + b + \mathrm{offset})`, with an l2 penalty.

    .. math::

        \min_{w, b} \; \frac{1}{\sum_i s_i} \sum_i s_i \left( \frac{y_i}{\mu_i}
        - \log \frac{y_i}{\mu_i} - 1 \right) + \frac{\alpha}{2} \|w\|_2^2,
        \qquad \mu_i = \exp(x_i^\top w + b + \mathrm{offset}_i)

    the mean of half the unit deviances, with sample weights :math:`s`.

    Parameters
    ----------
    alpha : float in [0, inf), default=1.0
        Strength of the penalty.
    fit_intercept : bool, default=True
        Whether to fit an unpenalized intercept.
    solver : str or solvers.Solver, default="auto"
        Catalogue name or handle; "auto" chooses and ``report_.reason`` says why. scikit-learn's
        "lbfgs" is "l_bfgs" and its "newton-cholesky" is "newton".
    max_iter : int in [1, inf), default=100
        Passes over the data, at most.
    tol : float in (0, inf), default=1e-4
        Stop when the certificate is at most `tol` times the objective of the intercept alone and
        no entry of the gradient exceeds `tol`.
    warm_start : bool, default=False
        Start from the coefficients of the previous fit.
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
    PoissonRegressor : Counts.
    TweedieRegressor : Other powers of the mean, and the identity link.

    References
    ----------
    McCullagh & Nelder 1989, Generalized linear models, chapter 8.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.linear_model import GammaRegressor
    >>> X = np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0], [4.0, 3.0]])
    >>> model = GammaRegressor(tol=1e-8).fit(X, [19, 26, 33, 30])
    >>> model.coef_.round(3)
    array([0.073, 0.067])
    >>> round(model.score(X, [19, 26, 33, 30]), 3)
    0.773
    """

    def __init__(
        self,
        *,
        alpha=1.0,
        fit_intercept=True,
        solver="auto",
        max_iter=100,
        tol=1e-4,
        warm_start=False,
        verbose=0,
        max_time=None,
        n_threads=None,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.max_time = max_time
        self.n_threads = n_threads

    def _get_loss(self):
        return losses.resolve("gamma")


class TweedieRegressor(DevianceRegressor):
    r"""Targets whose variance is proportional to a power of their mean, with an l2 penalty.

    .. math::

        \min_{w, b} \; \frac{1}{2 \sum_i s_i} \sum_i s_i \, d_p(y_i, \mu_i)
        + \frac{\alpha}{2} \|w\|_2^2, \qquad \mu_i = h(x_i^\top w + b + \mathrm{offset}_i)

    with the unit deviance :math:`d_p` of the power :math:`p`, sample weights :math:`s` and the
    inverse link :math:`h`. The objective is convex for the identity link with p in [0, 1] and for
    the log link with p in [1, 2]; elsewhere the certificate is of kind "kkt", and the solution is a
    stationary point.

    Parameters
    ----------
    power : float in (-inf, inf), default=0.0
        Power of the mean: 0 is the normal distribution, 1 Poisson, between 1 and 2 compound
        Poisson-gamma, 2 gamma and 3 inverse Gaussian; between 0 and 1 there is a deviance, but no
        distribution. Targets are not negative for powers above 0, and positive from 2 on.
    alpha : float in [0, inf), default=1.0
        Strength of the penalty.
    fit_intercept : bool, default=True
        Whether to fit an unpenalized intercept.
    link : {"auto", "identity", "log"}, default="auto"
        "auto": the identity for ``power <= 0``, else the logarithm.
    solver : str or solvers.Solver, default="auto"
        Catalogue name or handle; "auto" chooses and ``report_.reason`` says why. scikit-learn's
        "lbfgs" is "l_bfgs" and its "newton-cholesky" is "newton".
    max_iter : int in [1, inf), default=100
        Passes over the data, at most.
    tol : float in (0, inf), default=1e-4
        Stop when the certificate is at most `tol` times the objective of the intercept alone and
        no entry of the gradient exceeds `tol`.
    warm_start : bool, default=False
        Start from the coefficients of the previous fit.
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
    PoissonRegressor, GammaRegressor : The powers 1 and 2.

    References
    ----------
    Jorgensen 1987, Exponential dispersion models.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.linear_model import TweedieRegressor
    >>> X = np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0], [4.0, 3.0]])
    >>> model = TweedieRegressor(tol=1e-8).fit(X, [2, 3.5, 5, 5.5])
    >>> model.coef_.round(3)
    array([0.6, 0.3])
    >>> model.predict([[1, 1], [3, 4]]).round(3)
    array([2.5, 4.6])
    """

    _rules: ClassVar[dict[str, str]] = {
        **DevianceRegressor._rules,
        "power": "(-inf, inf)",
        "link": "{auto, identity, log}",
    }

    def __init__(
        self,
        *,
        power=0.0,
        alpha=1.0,
        fit_intercept=True,
        link="auto",
        solver="auto",
        max_iter=100,
        tol=1e-4,
        warm_start=False,
        verbose=0,
        max_time=None,
        n_threads=None,
    ):
        self.power = power
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.link = link
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.max_time = max_time
        self.n_threads = n_threads

    def _get_loss(self):
        has_identity = self.link == "identity" or (self.link == "auto" and self.power <= 0)
        if not has_identity:
            return losses.Tweedie(power=float(self.power))
        # The squared loss has solvers of its own.
        return (
            losses.TweedieIdentity(power=float(self.power))
            if self.power
            else losses.resolve("squared")
        )
