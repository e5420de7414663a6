"""Elastic net and lasso at one strength."""

from typing import ClassVar

from sklearn.base import MultiOutputMixin
from sklearn.utils import metadata_routing

from thalweg import penalties
from thalweg.linear_model._callbacks import with_callbacks
from thalweg.linear_model._elastic_net_model import QUADRATIC_RULES, ElasticNetModel
from thalweg.linear_model._path import enet_path


class ElasticNetBase(MultiOutputMixin, ElasticNetModel):
    """The elastic net, whatever its parameters are called: subclasses define `__init__`.

    They have the attributes alpha, l1_ratio and those of `QUADRATIC_RULES`.
    """

    # Not something to be passed around in a pipeline.
    __metadata_request__fit: ClassVar[dict] = {
        "check_input": metadata_routing.UNUSED,
        "return_theta": metadata_routing.UNUSED,
    }

    path = staticmethod(enet_path)

    @with_callbacks
    def fit(self, X, y, sample_weight=None, check_input=True, *, return_theta=False):  # noqa: ARG002
        """Fit the model.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            Design. Dense float32 and float64 arrays and canonical CSC matrices are used in
            place, see ``report_.copies``. X is never modified.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets; several targets are fitted separately.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Non-negative weights with a positive sum; only their ratios matter.
        check_input : bool, default=True
            Accepted for scikit-learn's sake; inputs are always checked.
        return_theta : bool, default=False
            Whether to keep the dual point in ``certificate_.theta``, so that the certificate can
            be recomputed.

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
        data = self._read(X, y, sample_weight)
        options, notes = self._options(data)
        penalty = penalties.ElasticNet(l1_ratio=float(self.l1_ratio), positive=bool(self.positive))
        n_targets, p = data.y.shape[1], data.n_features
        solved, results = self._run(
            (X, y, sample_weight),
            data,
            penalty,
            float(self.alpha),
            options,
            self._start((p,) if n_targets == 1 else (n_targets, p), n_targets),
            keep_theta=bool(return_theta),
        )
        self._set_coefficients(data, results)
        self._conclude(data, solved, results, options, notes)
        return self


class ElasticNet(ElasticNetBase):
    r"""Linear regression with an l1 and an l2 penalty.

    .. math::

        \min_{w, b} \; \frac{1}{2 \sum_i s_i} \sum_i s_i (y_i - x_i^\top w - b)^2
        + \alpha \rho \|w\|_1 + \frac{\alpha (1 - \rho)}{2} \|w\|_2^2

    with :math:`\rho` = `l1_ratio` and sample weights :math:`s`.

    Parameters
    ----------
    alpha : float in [0, inf), default=1.0
        Strength of the penalty. Zero gives least squares, solved as exactly as any other value.
    l1_ratio : float in [0, 1], default=0.5
        Share of the l1 term: 1 is the lasso, 0 is ridge.
    fit_intercept : bool, default=True
        Whether to fit an unpenalized intercept.
    precompute : bool, "auto" or array-like of shape (n_features, n_features), default=False
        True: the Gram solver, for dense X under ``solver="auto"``. An array is checked against X
        like scikit-learn does and then taken as True, because the solver builds its own.
    max_iter : int in [1, inf), default=1000
        Passes over the data, at most.
    copy_X : bool, default=True
        Accepted for scikit-learn's sake; X is never modified and not copied.
    tol : float in [0, inf), default=1e-4
        Stop when the duality gap is at most `tol` times the objective of the intercept-only
        model.
    warm_start : bool, default=False
        Start from the coefficients of the previous fit.
    positive : bool, default=False
        Whether coefficients must not be negative.
    random_state : None, int, RandomState or Generator, default=None
        Seed of ``selection="random"``; None is the seed 0.
    selection : {"cyclic", "random"}, default="cyclic"
        "random": coordinate descent in random order.
    solver : str or solvers.Solver, default="auto"
        Catalogue name or handle; "auto" chooses and ``report_.reason`` says why.
    max_time : float in [0, inf], default=None
        Seconds, at most.
    n_threads : int in [1, 1024], default=None
        Threads. The solution does not depend on it, bit for bit.
    verbose : int, default=0
        Positive: a progress bar on standard error.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients, in the precision of X.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept; 0.0 without one.
    sparse_coef_ : sparse matrix of shape (n_targets, n_features)
        Coefficients as a sparse matrix.
    n_iter_ : int or list of int
        Passes over the data, per target.
    dual_gap_ : float or ndarray of shape (n_targets,)
        Duality gap, in the precision of X; NaN where the certificate is of another kind.
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
    Lasso : The case ``l1_ratio=1``.
    ElasticNetCV : Strength and ratio by cross-validation.

    References
    ----------
    Zou & Hastie 2005, Regularization and variable selection via the elastic net.

    Examples
    --------
    >>> import thalweg as tw
    >>> X, y, _ = tw.problems.regression(50, 20, n_nonzero=5, seed=0)
    >>> model = tw.linear_model.ElasticNet(alpha=0.1).fit(X, y)
    >>> model.report_.status
    'converged'
    >>> bool(model.certificate_.relative <= 1e-4)
    True
    """

    _rules: ClassVar[dict[str, str]] = {
        "alpha": "[0, inf)",
        "l1_ratio": "[0, 1]",
        "warm_start": "bool",
        **QUADRATIC_RULES,
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        l1_ratio=0.5,
        fit_intercept=True,
        precompute=False,
        max_iter=1000,
        copy_X=True,
        tol=1e-4,
        warm_start=False,
        positive=False,
        random_state=None,
        selection="cyclic",
        solver="auto",
        max_time=None,
        n_threads=None,
        verbose=0,
    ):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.copy_X = copy_X
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.solver = solver
        self.max_time = max_time
        self.n_threads = n_threads
        self.verbose = verbose


class Lasso(ElasticNetBase):
    r"""Linear regression with an l1 penalty: sparse coefficients.

    .. math::

        \min_{w, b} \; \frac{1}{2 \sum_i s_i} \sum_i s_i (y_i - x_i^\top w - b)^2
        + \alpha \|w\|_1

    with sample weights :math:`s`.

    Parameters
    ----------
    alpha : float in [0, inf), default=1.0
        Strength of the penalty. Zero gives least squares, solved as exactly as any other value.
    fit_intercept : bool, default=True
        Whether to fit an unpenalized intercept.
    precompute : bool, "auto" or array-like of shape (n_features, n_features), default=False
        True: the Gram solver, for dense X under ``solver="auto"``. An array is checked against X
        like scikit-learn does and then taken as True, because the solver builds its own.
    copy_X : bool, default=True
        Accepted for scikit-learn's sake; X is never modified and not copied.
    max_iter : int in [1, inf), default=1000
        Passes over the data, at most.
    tol : float in [0, inf), default=1e-4
        Stop when the duality gap is at most `tol` times the objective of the intercept-only
        model.
    warm_start : bool, default=False
        Start from the coefficients of the previous fit.
    positive : bool, default=False
        Whether coefficients must not be negative.
    random_state : None, int, RandomState or Generator, default=None
        Seed of ``selection="random"``; None is the seed 0.
    selection : {"cyclic", "random"}, default="cyclic"
        "random": coordinate descent in random order.
    solver : str or solvers.Solver, default="auto"
        Catalogue name or handle; "auto" chooses and ``report_.reason`` says why.
    max_time : float in [0, inf], default=None
        Seconds, at most.
    n_threads : int in [1, 1024], default=None
        Threads. The solution does not depend on it, bit for bit.
    verbose : int, default=0
        Positive: a progress bar on standard error.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients, in the precision of X.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept; 0.0 without one.
    sparse_coef_ : sparse matrix of shape (n_targets, n_features)
        Coefficients as a sparse matrix.
    n_iter_ : int or list of int
        Passes over the data, per target.
    dual_gap_ : float or ndarray of shape (n_targets,)
        Duality gap, in the precision of X; NaN where the certificate is of another kind.
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
    ElasticNet : With an l2 term, which keeps correlated features together.
    LassoCV : Strength by cross-validation.
    lasso_path : A grid of strengths.

    References
    ----------
    Tibshirani 1996, Regression shrinkage and selection via the lasso.

    Examples
    --------
    >>> from thalweg.linear_model import Lasso
    >>> model = Lasso(alpha=0.1).fit([[0, 0], [1, 1], [2, 2]], [0, 1, 2])
    >>> model.predict([[3, 3]]).round(2)
    array([2.7])
    >>> model.report_.status
    'converged'
    """

    l1_ratio = 1.0  # as scikit-learn's Lasso has it; not a parameter

    _rules: ClassVar[dict[str, str]] = {
        "alpha": "[0, inf)",
        "warm_start": "bool",
        **QUADRATIC_RULES,
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        fit_intercept=True,
        precompute=False,
        copy_X=True,
        max_iter=1000,
        tol=1e-4,
        warm_start=False,
        positive=False,
        random_state=None,
        selection="cyclic",
        solver="auto",
        max_time=None,
        n_threads=None,
        verbose=0,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.solver = solver
        self.max_time = max_time
        self.n_threads = n_threads
        self.verbose = verbose
