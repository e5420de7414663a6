"""Elastic net and lasso with strength and ratio chosen by cross-validation."""

import math
import numbers
import time
from dataclasses import replace
from typing import ClassVar

import numpy as np
from joblib import effective_n_jobs
from sklearn import get_config
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import (
    UNUSED,
    MetadataRouter,
    MethodMapping,
    process_routing,
)

from thalweg import _parameters, penalties
from thalweg._arrays import naming, show
from thalweg._engine import run, summarize, target_tasks, task
from thalweg._validation import read_penalty
from thalweg.linear_model._callbacks import with_callbacks
from thalweg.linear_model._elastic_net_model import QUADRATIC_RULES, ElasticNetModel
from thalweg.linear_model._folds import named_splits, read_folds
from thalweg.linear_model._path import (
    ALPHAS_RULE,
    enet_path,
    lasso_path,
    requested_alphas,
    strengths,
)

_RULES = {
    **QUADRATIC_RULES,
    "eps": "(0, inf)",
    "alphas": ALPHAS_RULE,
    # joblib counts down from the processors for negative numbers, and zero means nothing.
    "n_jobs": "int (-inf, 0) or int [1, 1024] or None",
}


class ElasticNetCVBase(ElasticNetModel):
    """Cross-validation of the elastic net: subclasses define `__init__`.

    They have the attributes l1_ratio, eps, alphas, cv, n_jobs and those of `QUADRATIC_RULES`.
    """

    # Not something to be passed around in a pipeline.
    __metadata_request__fit: ClassVar[dict] = {"return_theta": UNUSED}

    @with_callbacks
    def fit(self, X, y, sample_weight=None, *, return_theta=False, **params):
        """Choose the strength by cross-validation and fit it to all data.

        All folds, ratios and strengths are one computation on one X: a fold is a weighting of
        the rows, and each path is warm-started from strong to weak.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            Design; never modified.
        y : array-like of shape (n_samples,)
            Target.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Non-negative weights with a positive sum. They weigh the training rows and, within
            each fold, the squared errors of the test rows; folds count equally.
        return_theta : bool, default=False
            Whether to keep the dual point of the fit to all data in ``certificate_.theta``.
        **params : dict
            Parameters of the splitter, as `groups`; only with scikit-learn's metadata routing
            enabled.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter or an argument cannot be used; the message names it.
        KeyboardInterrupt
            On Ctrl-C, after the fitted attributes were set from what was done until then: the
            model is the intercept alone if the folds were not finished.

        Warns
        -----
        ConvergenceWarning
            Once, if any certificate did not reach `tol`.
        """
        began = time.perf_counter()
        expected = (
            "cv must be an integer, a splitter or an iterable of (train, test) pairs of rows, "
            f"got {show(self.cv)}"
        )
        with naming(expected):
            splitter = check_cv(self.cv)  # once, before anything else: it may exhaust an iterator
        split_params = self._route(sample_weight, params)
        self._check(return_theta=return_theta)
        data = self._read(X, y, sample_weight)
        self._require_vector(
            data,
            "Several targets would share one strength, which scikit-learn's multi-task classes "
            "choose for all of them: fit each column of y by itself.",
        )
        options, notes = self._options(data)
        if self.n_jobs is not None and self.n_threads is None:
            options.n_threads = effective_n_jobs(self.n_jobs)
        l1_ratios = self._l1_ratios()
        splits = named_splits(expected, splitter, data.n_samples, X, y, split_params)
        folds = read_folds(splits, data.n_samples, data.sample_weight)
        grids = strengths(
            data,
            requested_alphas(type(self).__name__, self.alphas),
            l1_ratios,
            eps=self.eps,
            positive=bool(self.positive),
            fit_intercept=bool(self.fit_intercept),
            n_threads=options.n_threads,
        )
        arguments = [
            read_penalty(
                penalties.ElasticNet(l1_ratio=ratio, positive=bool(self.positive)),
                data.n_features,
                data.copies,
            )
            for ratio in l1_ratios
        ]
        self._begin_tasks(options, X, y, sample_weight)
        watching = options.callbacks
        n_folds = len(folds["folds"])
        search = run(
            data,
            [
                task(grid, fold=fold, penalty=m)
                for m, grid in enumerate(grids)
                for fold in range(n_folds)
            ],
            arguments,
            options,
            folds=folds,
            fit_intercept=bool(self.fit_intercept),
            keep_coef=False,
            trace=False,
        )
        m, a = self._choose(search.results, grids, n_folds)
        self.alpha_, self.l1_ratio_ = grids[m, a], np.float64(l1_ratios[m])
        if search.pending is not None:
            # No time is left for a fit, but the attributes still have to describe a model: the
            # start, with its certificate.
            options.max_time, options.callbacks = None, ()
        elif options.max_time is not None:
            options.max_time = max(0.0, options.max_time - (time.perf_counter() - began))
        refit = run(
            data,
            target_tasks(data, self.alpha_),
            [arguments[m]],
            options,
            fit_intercept=bool(self.fit_intercept),
            keep_theta=bool(return_theta),
            stopped=search.pending is not None,
        )
        results = [rows[-1] for rows in refit.results]
        every = [result for rows in search.results for result in rows]
        notes.append(
            f"chosen among {len(every)} fits ({sum(r.n_epochs for r in every)} passes over the "
            f"data, {search.seconds:.3g} s)"
        )
        notes.extend(_origins(every))
        seconds, gram_bytes = (
            search.seconds + refit.seconds,
            max(search.gram_bytes, refit.gram_bytes),
        )
        self._set_coefficients(data, results)
        self.certificate_, self.report_ = summarize(data, results, seconds, gram_bytes, notes)
        status = self.report_.status
        reached = {result.status for result in every}
        for cut_short in ("stopped", "time_limit"):
            if status == "converged" and cut_short in reached:
                status = cut_short  # the choice was made among what was reached
        self.report_ = replace(self.report_, status=status)
        # What a warning should name, and who should hear of the end.
        options.max_time, options.callbacks = self.max_time, watching
        pending = search.pending or refit.pending
        self._finish(pending, [*every, *results], options, stacklevel=4)
        return self

    def _route(self, sample_weight, params):
        """Return the splitter's share of the metadata."""
        if get_config()["enable_metadata_routing"]:
            routed = process_routing(self, "fit", sample_weight=sample_weight, **params)
            return routed["splitter"]["split"]
        if params:
            raise ValueError(
                f"Passing extra keyword arguments to {type(self).__name__}.fit is only supported "
                "if enable_metadata_routing=True, which you can set using sklearn.set_config. "
                f"Extra parameters passed are: {set(params)}"
            )
        return {}

    def _l1_ratios(self):
        if isinstance(self.l1_ratio, numbers.Real):
            return [float(self.l1_ratio)]
        ratios = list(np.ravel(np.asarray(self.l1_ratio, dtype=object)))
        for ratio in ratios:
            _parameters.check(type(self).__name__, {"l1_ratio": ratio}, {"l1_ratio": "[0, 1]"})
        if not ratios:
            raise ValueError("l1_ratio must hold at least one value, got none.")
        return [float(ratio) for ratio in ratios]

    def _choose(self, results, grids, n_folds):
        """Set `mse_path_` and `alphas_`; return where the best (ratio, strength) is.

        Fits that were not reached have NaN errors; a strength that some folds reached is judged
        by those only where no strength was reached by all.
        """
        errors = np.full((len(grids) * n_folds, grids.shape[1]), np.nan)
        for row, path in zip(errors, results, strict=True):
            row[: len(path)] = [result.heldout for result in path]
        errors = errors.reshape(len(grids), n_folds, grids.shape[1])
        self.mse_path_ = np.squeeze(np.moveaxis(errors, 2, 1))
        self.alphas_ = grids[0] if len(grids) == 1 or np.ndim(self.alphas) else grids
        means = errors.mean(axis=1)
        if np.isnan(means).all():
            reached = np.isfinite(errors)
            sums = np.where(reached, errors, 0.0).sum(axis=1)
            counts = reached.sum(axis=1)
            means = np.where(counts > 0, sums / np.maximum(counts, 1), math.inf)
        return np.unravel_index(np.nanargmin(means), means.shape)

    def get_metadata_routing(self):
        """Return how metadata is routed: to this estimator and to the splitter's `split`.

        Returns
        -------
        MetadataRouter
            Routing information.
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                splitter=check_cv(self.cv),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )


def _origins(results):
    """Return where the second moments of the folds came from, once each."""
    parts = [part for result in results for part in result.reason.split("; ")]
    return [f"folds {part}" for part in dict.fromkeys(parts) if "second moments" in part]


class ElasticNetCV(ElasticNetCVBase):
    r"""Elastic net with strength and l1 ratio chosen by cross-validation.

    .. math::

        \min_{w, b} \; \frac{1}{2 \sum_i s_i} \sum_i s_i (y_i - x_i^\top w - b)^2
        + \alpha \rho \|w\|_1 + \frac{\alpha (1 - \rho)}{2} \|w\|_2^2

    with :math:`\rho` = `l1_ratio` and sample weights :math:`s`; :math:`\alpha` and :math:`\rho`
    minimize the squared error on held-out rows, averaged over folds.

    Parameters
    ----------
    l1_ratio : float in [0, 1] or list of float, default=0.5
        Shares of the l1 term to try. Zero needs given `alphas`.
    eps : float in (0, inf), default=1e-3
        Ratio of the weakest to the strongest strength of an automatic grid.
    alphas : int in [1, inf) or array-like of shape (n_alphas,), default=100
        Strengths to try, or how many to place geometrically below the smallest one at which all
        coefficients are zero. None, the old spelling of 100, gives a FutureWarning.
    fit_intercept : bool, default=True
        Whether to fit an unpenalized intercept.
    precompute : bool, "auto" or array-like of shape (n_features, n_features), default="auto"
        True: the Gram solver, for dense X under ``solver="auto"``. An array is checked against X
        like scikit-learn does and then taken as True, because the solver builds its own.
    max_iter : int in [1, inf), default=1000
        Passes over the data for each fit, at most.
    tol : float in [0, inf), default=1e-4
        Stop each fit when its duality gap is at most `tol` times the objective of the
        intercept-only model.
    cv : int, splitter or iterable of (train, test), default=None
        Folds, as in scikit-learn; None is 5-fold.
    copy_X : bool, default=True
        Accepted for scikit-learn's sake; X is never modified and not copied.
    verbose : int, default=0
        Positive: a progress bar on standard error.
    n_jobs : int, default=None
        Threads, as joblib counts them, where `n_threads` is None.
    positive : bool, default=False
        Whether coefficients must not be negative.
    random_state : None, int, RandomState or Generator, default=None
        Seed of ``selection="random"``; None is the seed 0.
    selection : {"cyclic", "random"}, default="cyclic"
        "random": coordinate descent in random order.
    solver : str or solvers.Solver, default="auto"
        Catalogue name or handle; "auto" chooses and ``report_.reason`` says why.
    max_time : float in [0, inf], default=None
        Seconds for the whole `fit`, at most.
    n_threads : int in [1, 1024], default=None
        Threads. The result does not depend on it, bit for bit.

    Attributes
    ----------
    alpha_ : float
        Chosen strength.
    l1_ratio_ : float
        Chosen share of the l1 term.
    coef_ : ndarray of shape (n_features,)
        Coefficients of the fit to all data, in the precision of X.
    intercept_ : float
        Intercept; 0.0 without one.
    mse_path_ : ndarray of shape (n_l1_ratio, n_alphas, n_folds)
        Mean squared error on the held-out rows, with one ratio of shape (n_alphas, n_folds);
        NaN where a stop came first.
    alphas_ : ndarray of shape (n_alphas,) or (n_l1_ratio, n_alphas)
        Strengths that were tried, for each ratio.
    dual_gap_ : float
        Duality gap of the fit to all data, in the precision of X.
    n_iter_ : int
        Passes over the data of the fit to all data.
    certificate_ : Certificate
        How far from optimal the fit to all data can be.
    report_ : Report
        How the fit to all data went; `time` and `reason` cover the cross-validation too.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where X has them.

    See Also
    --------
    ElasticNet : One strength and ratio.
    LassoCV : The case ``l1_ratio=1``.

    References
    ----------
    Friedman, Hastie, Tibshirani 2010, Regularization paths for generalized linear models via
    coordinate descent.

    Examples
    --------
    >>> import thalweg as tw
    >>> X, y, _ = tw.problems.regression(60, 20, n_nonzero=5, seed=0)
    >>> model = tw.linear_model.ElasticNetCV(l1_ratio=[0.5, 0.9], cv=3).fit(X, y)
    >>> model.mse_path_.shape
    (2, 100, 3)
    >>> bool(model.score(X, y) > 0.9)
    True
    """

    _rules: ClassVar[dict[str, str]] = {"l1_ratio": "[0, 1] or array", **_RULES}

    path = staticmethod(enet_path)

    def __init__(
        self,
        *,
        l1_ratio=0.5,
        eps=1e-3,
        alphas=100,
        fit_intercept=True,
        precompute="auto",
        max_iter=1000,
        tol=1e-4,
        cv=None,
        copy_X=True,
        verbose=0,
        n_jobs=None,
        positive=False,
        random_state=None,
        selection="cyclic",
        solver="auto",
        max_time=None,
        n_threads=None,
    ):
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.copy_X = copy_X
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.solver = solver
        self.max_time = max_time
        self.n_threads = n_threads


class LassoCV(ElasticNetCVBase):
    r"""Lasso with its strength chosen by cross-validation.

    .. math::

        \min_{w, b} \; \frac{1}{2 \sum_i s_i} \sum_i s_i (y_i - x_i^\top w - b)^2
        + \alpha \|w\|_1

    with sample weights :math:`s`; :math:`\alpha` minimizes the squared error on held-out rows,
    averaged over folds.

    Parameters
    ----------
    eps : float in (0, inf), default=1e-3
        Ratio of the weakest to the strongest strength of an automatic grid.
    alphas : int in [1, inf) or array-like of shape (n_alphas,), default=100
        Strengths to try, or how many to place geometrically below the smallest one at which all
        coefficients are zero. None, the old spelling of 100, gives a FutureWarning.
    fit_intercept : bool, default=True
        Whether to fit an unpenalized intercept.
    precompute : bool, "auto" or array-like of shape (n_features, n_features), default="auto"
        True: the Gram solver, for dense X under ``solver="auto"``. An array is checked against X
        like scikit-learn does and then taken as True, because the solver builds its own.
    max_iter : int in [1, inf), default=1000
        Passes over the data for each fit, at most.
    tol : float in [0, inf), default=1e-4
        Stop each fit when its duality gap is at most `tol` times the objective of the
        intercept-only model.
    copy_X : bool, default=True
        Accepted for scikit-learn's sake; X is never modified and not copied.
    cv : int, splitter or iterable of (train, test), default=None
        Folds, as in scikit-learn; None is 5-fold.
    verbose : bool or int, default=False
        Positive: a progress bar on standard error.
    n_jobs : int, default=None
        Threads, as joblib counts them, where `n_threads` is None.
    positive : bool, default=False
        Whether coefficients must not be negative.
    random_state : None, int, RandomState or Generator, default=None
        Seed of ``selection="random"``; None is the seed 0.
    selection : {"cyclic", "random"}, default="cyclic"
        "random": coordinate descent in random order.
    solver : str or solvers.Solver, default="auto"
        Catalogue name or handle; "auto" chooses and ``report_.reason`` says why.
    max_time : float in [0, inf], default=None
        Seconds for the whole `fit`, at most.
    n_threads : int in [1, 1024], default=None
        Threads. The result does not depend on it, bit for bit.

    Attributes
    ----------
    alpha_ : float
        Chosen strength.
    l1_ratio_ : float
        Share of the l1 term, 1.0.
    coef_ : ndarray of shape (n_features,)
        Coefficients of the fit to all data, in the precision of X.
    intercept_ : float
        Intercept; 0.0 without one.
    mse_path_ : ndarray of shape (n_alphas, n_folds)
        Mean squared error on the held-out rows; NaN where a stop came first.
    alphas_ : ndarray of shape (n_alphas,)
        Strengths that were tried, descending.
    dual_gap_ : float
        Duality gap of the fit to all data, in the precision of X.
    n_iter_ : int
        Passes over the data of the fit to all data.
    certificate_ : Certificate
        How far from optimal the fit to all data can be.
    report_ : Report
        How the fit to all data went; `time` and `reason` cover the cross-validation too.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where X has them.

    See Also
    --------
    Lasso : One strength.
    ElasticNetCV : With an l2 term.

    References
    ----------
    Friedman, Hastie, Tibshirani 2010, Regularization paths for generalized linear models via
    coordinate descent.

    Examples
    --------
    >>> import thalweg as tw
    >>> X, y, _ = tw.problems.regression(60, 20, n_nonzero=5, seed=0)
    >>> model = tw.linear_model.LassoCV(cv=3).fit(X, y)
    >>> model.mse_path_.shape
    (100, 3)
    >>> bool(model.score(X, y) > 0.9)
    True
    """

    l1_ratio = 1.0  # read by the base; not a parameter

    _rules = _RULES

    path = staticmethod(lasso_path)

    def __init__(
        self,
        *,
        eps=1e-3,
        alphas=100,
        fit_intercept=True,
        precompute="auto",
        max_iter=1000,
        tol=1e-4,
        copy_X=True,
        cv=None,
        verbose=False,
        n_jobs=None,
        positive=False,
        random_state=None,
        selection="cyclic",
        solver="auto",
        max_time=None,
        n_threads=None,
    ):
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.copy_X = copy_X
        self.cv = cv
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.solver = solver
        self.max_time = max_time
        self.n_threads = n_threads
