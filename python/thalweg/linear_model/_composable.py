"""Estimators that put a loss and a penalty of the catalogue together."""

from typing import ClassVar

import numpy as np
from sklearn.utils.metaestimators import available_if

from thalweg import losses, penalties
from thalweg._parameters import ParameterError
from thalweg.linear_model._base import COMMON_RULES
from thalweg.linear_model._classifier import Classifier
from thalweg.linear_model._glm import GlmBase

_RULES = {
    **COMMON_RULES,
    "alpha": "[0, inf)",
    "standardize": "bool",
    "warm_start": "bool",
    "random_state": "seed",
}


class ComposedSummaryMixin:
    """Which combinations have a `summary`: likelihoods, penalties with a second derivative."""

    @property
    def _distribution(self):
        return "t" if self._likelihood().entry.flags["quadratic"] else "z"

    def _require_summary(self, n_targets=1):
        super()._require_summary(n_targets)
        if not losses.resolve(self.loss).entry.flags["likelihood"]:
            raise ValueError(f"summary: loss={self.loss!r} is no likelihood.")
        penalty, alpha = composed_penalty(self.penalty, self.alpha)
        if penalty.has_limits:
            raise ValueError(
                "summary: coefficients that are held to limits have no standard errors; got "
                f"penalty={self.penalty!r}."
            )
        if alpha > 0 and (self.standardize or not penalty.entry.flags["smooth_penalty"]):
            raise ValueError(
                "summary takes fits without a penalty or with the l2 penalty of the features as "
                f"they are; got penalty={self.penalty!r}, standardize={self.standardize}."
            )

    def _penalty_curvature(self, total):
        penalty, alpha = composed_penalty(self.penalty, self.alpha)
        return alpha * total * (1.0 if penalty.weights is None else np.asarray(penalty.weights))


class GeneralizedLinearRegressor(ComposedSummaryMixin, GlmBase):
    r"""Any catalogued loss of a real target with any catalogued penalty.

    .. math::

        \min_{w, b} \; \frac{1}{\sum_i s_i} \sum_i s_i \, \mathrm{loss}(y_i, \eta_i)
        + \alpha P(w), \qquad \eta = X w + b + \mathrm{offset}

    with sample weights :math:`s`. ``thalweg.compatible(loss, penalty)`` tells which combinations
    are served.

    Parameters
    ----------
    loss : str or losses.Loss, default="squared"
        Catalogue name or handle.
    penalty : str, penalties.Penalty or None, default="l2"
        Catalogue name or handle; with a handle come per-feature weights and limits. None: no
        penalty, and `alpha` is left aside.
    alpha : float in [0, inf), default=1.0
        Strength of the penalty.
    fit_intercept : bool, default=True
        Whether to fit an unpenalized intercept.
    standardize : bool, default=False
        Whether to penalize the coefficients of the features scaled to unit (weighted) variance.
        The data is not touched and coefficients are in the units of X.
    solver : str or solvers.Solver, default="auto"
        Catalogue name or handle; "auto" chooses and ``report_.reason`` says why.
    max_iter : int in [0, inf), default=1000
        Passes over the data, at most.
    tol : float in [0, inf), default=1e-6
        Stop when the certificate is at most `tol` times the objective of the intercept alone.
    warm_start : bool, default=False
        Start from the coefficients of the previous fit.
    random_state : None, int, RandomState or Generator, default=None
        Seed of solvers with random choices; None is the seed 0.
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
    GeneralizedLinearClassifier : Losses of labels.
    thalweg.solve : The same as a function.

    Examples
    --------
    >>> import numpy as np
    >>> import thalweg as tw
    >>> X, y, _ = tw.problems.regression(50, 20, n_nonzero=5, seed=0)
    >>> model = tw.linear_model.GeneralizedLinearRegressor(
    ...     loss="squared", penalty=tw.penalties.ElasticNet(l1_ratio=0.9), alpha=0.1
    ... ).fit(X, y)
    >>> model.report_.status
    'converged'
    >>> counts = np.round(np.exp(X[:, 0]))
    >>> model = tw.linear_model.GeneralizedLinearRegressor(loss="poisson", alpha=0.1)
    >>> bool(model.fit(X, counts).certificate_.relative <= 1e-6)
    True
    """

    _rules: ClassVar[dict[str, str]] = _RULES

    def __init__(
        self,
        loss="squared",
        penalty="l2",
        alpha=1.0,
        *,
        fit_intercept=True,
        standardize=False,
        solver="auto",
        max_iter=1000,
        tol=1e-6,
        warm_start=False,
        random_state=None,
        verbose=0,
        max_time=None,
        n_threads=None,
    ):
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self.max_time = max_time
        self.n_threads = n_threads

    def _get_loss(self):
        loss = losses.resolve(self.loss)
        if loss.entry.flags["classification"]:
            raise ParameterError(
                f"loss={self.loss!r} is a loss of labels; use GeneralizedLinearClassifier."
            )
        return loss

    def _get_penalty(self):
        return composed_penalty(self.penalty, self.alpha)

    def _gradient_tol(self):
        return np.inf


class GeneralizedLinearClassifier(ComposedSummaryMixin, Classifier):
    r"""Any catalogued loss of labels with any catalogued penalty.

    .. math::

        \min_{w, b} \; \frac{1}{\sum_i s_i} \sum_i s_i \, \mathrm{loss}(y_i, \eta_i)
        + \alpha P(w), \qquad \eta = X w + b

    with sample weights :math:`s`, into which `class_weight` is multiplied.
    ``thalweg.compatible(loss, penalty)`` tells which combinations are served.

    Parameters
    ----------
    loss : str or losses.Loss, default="logistic"
        Catalogue name or handle. Losses of one output take two classes.
    penalty : str, penalties.Penalty or None, default="l2"
        Catalogue name or handle; with a handle come per-feature weights and limits. None: no
        penalty, and `alpha` is left aside.
    alpha : float in [0, inf), default=1.0
        Strength of the penalty.
    fit_intercept : bool, default=True
        Whether to fit an unpenalized intercept.
    standardize : bool, default=False
        Whether to penalize the coefficients of the features scaled to unit (weighted) variance.
        The data is not touched and coefficients are in the units of X.
    class_weight : dict, "balanced" or None, default=None
        Factors of the sample weights by class; "balanced": in inverse proportion to the weights
        of the classes.
    solver : str or solvers.Solver, default="auto"
        Catalogue name or handle; "auto" chooses and ``report_.reason`` says why.
    max_iter : int in [0, inf), default=1000
        Passes over the data, at most.
    tol : float in [0, inf), default=1e-6
        Stop when the certificate is at most `tol` times the objective of the intercept alone.
    warm_start : bool, default=False
        Start from the coefficients of the previous fit.
    random_state : None, int, RandomState or Generator, default=None
        Seed of solvers with random choices; None is the seed 0.
    verbose : int, default=0
        Positive: a progress bar on standard error.
    max_time : float in [0, inf], default=None
        Seconds, at most.
    n_threads : int in [1, 1024], default=None
        Threads. The solution does not depend on it, bit for bit.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients, in the precision of X; one row for losses of one output.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts; zeros without them.
    n_iter_ : ndarray of shape (1,)
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
    LogisticRegression : scikit-learn's parameters.
    GeneralizedLinearRegressor : Losses of real targets.

    Examples
    --------
    >>> import thalweg as tw
    >>> X, y, _ = tw.problems.regression(60, 5, n_nonzero=3, seed=0)
    >>> labels = ["low" if value < 0 else "high" for value in y]
    >>> model = tw.linear_model.GeneralizedLinearClassifier("logistic", alpha=0.1)
    >>> model.fit(X, labels).classes_.tolist()
    ['high', 'low']
    >>> model.predict_proba(X).shape
    (60, 2)
    """

    _rules: ClassVar[dict[str, str]] = _RULES

    def __init__(
        self,
        loss="logistic",
        penalty="l2",
        alpha=1.0,
        *,
        fit_intercept=True,
        standardize=False,
        class_weight=None,
        solver="auto",
        max_iter=1000,
        tol=1e-6,
        warm_start=False,
        random_state=None,
        verbose=0,
        max_time=None,
        n_threads=None,
    ):
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.class_weight = class_weight
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self.max_time = max_time
        self.n_threads = n_threads

    def _get_loss(self, n_classes):
        loss = losses.resolve(self.loss)
        flags = loss.entry.flags
        if not flags["classification"]:
            raise ParameterError(
                f"loss={self.loss!r} is no loss of labels; use GeneralizedLinearRegressor."
            )
        if n_classes > 2 and not flags["multi_output"]:
            raise ValueError(
                "Only binary classification is supported. The type of the target is multiclass "
                f"({n_classes} classes), and loss={self.loss!r} has one output."
            )
        return loss

    def _get_penalty(self, total):  # noqa: ARG002 (alpha is relative to the sum of the weights)
        return composed_penalty(self.penalty, self.alpha)

    def _gradient_tol(self):
        return np.inf

    def _has_likelihood(self):
        flags = losses.resolve(self.loss).entry.flags
        return flags["classification"] and flags["likelihood"]

    @available_if(_has_likelihood)
    def predict_proba(self, X):
        """Predict the probabilities of the classes, where the loss is a likelihood.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        return self._probabilities(X)

    @available_if(_has_likelihood)
    def predict_log_proba(self, X):
        """Predict the logarithms of the probabilities, where the loss is a likelihood.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Logarithms, finite where those of `predict_proba` are not.
        """
        return self._log_probabilities(X)

    def __sklearn_tags__(self):
        """Return scikit-learn's tags: whether there may be more than two classes."""
        tags = super().__sklearn_tags__()
        try:
            flags = losses.resolve(self.loss).entry.flags
        except (ValueError, TypeError):  # a loss that fit refuses
            return tags
        tags.classifier_tags.multi_class = flags["multi_output"]
        return tags


def composed_penalty(penalty, alpha):
    """Return the handle and the strength; None is any penalty of strength zero."""
    if penalty is None:
        return penalties.resolve("l2"), 0.0
    return penalties.resolve(penalty), float(alpha)
