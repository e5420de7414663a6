"""Logistic regression of two and of more classes."""

import warnings
from typing import ClassVar

from thalweg import losses, penalties
from thalweg._parameters import ParameterError
from thalweg.linear_model._base import COMMON_RULES
from thalweg.linear_model._classifier import Classifier


class LogisticRegression(Classifier):
    r"""Logistic regression with an l2 penalty or none; multinomial for more than two classes.

    .. math::

        \min_{w, b} \; C \sum_i s_i \log(1 + \exp(-y_i (x_i^\top w + b))) + \frac12 \|w\|_2^2

    for labels :math:`y_i = \pm 1` and sample weights :math:`s`, into which `class_weight` is
    multiplied. For K classes the loss is :math:`\log \sum_k \exp(\eta_{ik}) - \eta_{i y_i}` and the
    penalty is over the coefficients of all classes. What is minimized, and what `certificate_`
    speaks of, is this divided by :math:`C \sum_i s_i`.

    Parameters
    ----------
    penalty : {"l2", None}, default="deprecated"
        Old spelling: accepted with a FutureWarning. None is ``C=np.inf``.
    C : float in (0, inf], default=1.0
        Inverse strength of the penalty; ``np.inf`` is no penalty.
    l1_ratio : float in [0, 1], default=0.0
        Share of the l1 term. Only 0 is supported in this version.
    dual : bool, default=False
        Accepted for scikit-learn's sake with ``solver="liblinear"``; the solution is the same.
    tol : float in [0, inf), default=1e-4
        Stop when the certificate is at most `tol` times the objective of the intercepts alone and
        no entry of the gradient exceeds `tol`.
    fit_intercept : bool, default=True
        Whether to fit unpenalized intercepts.
    intercept_scaling : float in (0, inf), default=1
        Accepted for scikit-learn's sake; no solver penalizes the intercept.
    class_weight : dict, "balanced" or None, default=None
        Factors of the sample weights by class; "balanced": in inverse proportion to the weights
        of the classes.
    random_state : None, int, RandomState or Generator, default=None
        Seed of solvers with random choices; None is the seed 0.
    solver : str or solvers.Solver, default="auto"
        Catalogue name or handle; "auto" chooses and ``report_.reason`` says why. scikit-learn's
        "lbfgs" is "l_bfgs", "newton-cg" is "newton_cg" and "newton-cholesky" is "newton";
        "liblinear", "sag" and "saga" are left to "auto".
    max_iter : int in [0, inf), default=100
        Passes over the data, at most.
    verbose : int, default=0
        Positive: a progress bar on standard error.
    warm_start : bool, default=False
        Start from the coefficients of the previous fit.
    n_jobs : int, default=None
        Old spelling: without effect, with a FutureWarning. See `n_threads`.
    max_time : float in [0, inf], default=None
        Seconds, at most.
    n_threads : int in [1, 1024], default=None
        Threads. The solution does not depend on it, bit for bit.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients, in the precision of X; one row for two classes. Without a penalty the rows of
        more classes add up to zero.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts, which add up to zero for more than two classes; zeros without them.
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
    GeneralizedLinearClassifier : Other losses and penalties.

    References
    ----------
    Hastie, Tibshirani & Friedman 2009, The elements of statistical learning, section 4.4.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from thalweg.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression().fit(X, y)
    >>> model.predict(X[:2]).tolist(), round(model.score(X, y), 2)
    ([0, 0], 0.97)
    >>> model.report_.status
    'converged'
    """

    _solver_names: ClassVar[dict[str, str]] = {
        "lbfgs": "l_bfgs",
        "newton-cg": "newton_cg",
        "newton-cholesky": "newton",
        "liblinear": "auto",
        "sag": "auto",
        "saga": "auto",
    }
    _rules: ClassVar[dict[str, str]] = {
        **COMMON_RULES,
        "penalty": "{deprecated, l1, l2, elasticnet} or None",
        "C": "(0, inf]",
        "l1_ratio": "[0, 1] or None",
        "dual": "bool",
        "intercept_scaling": "(0, inf)",
        "random_state": "seed",
        "warm_start": "bool",
        "n_jobs": "int (-inf, inf) or None",
    }

    def __init__(
        self,
        penalty="deprecated",
        *,
        C=1.0,
        l1_ratio=0.0,
        dual=False,
        tol=1e-4,
        fit_intercept=True,
        intercept_scaling=1,
        class_weight=None,
        random_state=None,
        solver="auto",
        max_iter=100,
        verbose=0,
        warm_start=False,
        n_jobs=None,
        max_time=None,
        n_threads=None,
    ):
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.max_time = max_time
        self.n_threads = n_threads

    def _map_solver(self):
        solver, notes = super()._map_solver()
        if self.solver == "liblinear" and self.fit_intercept:
            notes.append("the intercept is free and intercept_scaling has no effect")
        return solver, notes

    def _get_loss(self, n_classes):
        return losses.resolve("logistic" if n_classes == 2 else "multinomial")

    def _get_penalty(self, total):
        """Penalty and strength for weights of this sum; scikit-learn 1.9's spellings resolved."""
        if self.n_jobs is not None:
            self._warn("'n_jobs' has no effect since 1.8; pass n_threads instead")
        if self.dual and self.solver != "liblinear":
            raise ParameterError(
                f"Solver {self.solver} supports only dual=False, got dual={self.dual}"
            )
        is_l1 = self.l1_ratio not in (0, None)
        if self.penalty != "deprecated":
            self._warn(
                "'penalty' was deprecated in 1.8; use l1_ratio=0 in place of penalty='l2' and "
                "C=np.inf in place of penalty=None"
            )
            is_l1 = self.penalty == "l1" or (self.penalty == "elasticnet" and self.l1_ratio != 0)
        elif self.l1_ratio is None:
            self._warn("'l1_ratio=None' was deprecated in 1.8; use l1_ratio=0")
        strength = self._strength(total)
        if is_l1 and strength > 0:
            raise ValueError(
                "The l1 and elastic-net penalties are not supported by LogisticRegression in this "
                f"version; got penalty={self.penalty!r} and l1_ratio={self.l1_ratio!r}. Use "
                "l1_ratio=0."
            )
        return penalties.resolve("l2"), strength

    def _penalty_curvature(self, total):
        return self._strength(total) * total

    def _strength(self, total):
        return 0.0 if self.penalty is None else 1.0 / (self.C * total)

    def _warn(self, old):
        message = f"{type(self).__name__}: {old} (as in scikit-learn)."
        warnings.warn(message, FutureWarning, stacklevel=5)

    def _gradient_tol(self):
        return float(self.tol)

    def predict_proba(self, X):
        """Predict the probabilities of the classes.

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

    def predict_log_proba(self, X):
        """Predict the logarithms of the probabilities of the classes.

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
