"""What all estimators of this package share: parameters, fitted attributes, prediction."""

import warnings
from typing import ClassVar

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from thalweg import _parameters, solvers
from thalweg._arrays import check_columns, refuse_complex, refuse_type, to_array
from thalweg._engine import (
    OPTION_RULES,
    Options,
    coefficients,
    run,
    summarize,
    target_tasks,
    warn_unconverged,
)
from thalweg._sparse import checked_sparse
from thalweg._validation import read_data, read_intercepts, read_offset, read_penalty, read_start
from thalweg.linear_model._callbacks import CallbackSupportMixin, FitTasks

# Rules for the parameters that all estimators have; the classes add their own.
COMMON_RULES = {**OPTION_RULES, "fit_intercept": "bool"}

# From the call of warn_unconverged to the caller of fit: _finish, _conclude, fit, its decorator.
_FRAMES_TO_CALLER = 5


class LinearEstimator(CallbackSupportMixin, BaseEstimator):
    """Base of all estimators: reading, solving, callbacks, certificate and report.

    Subclasses define `_rules` (parameter rules) and `fit`, which calls `_read`, `_run`, sets coef_,
    intercept_ and what else scikit-learn's class has, and calls `_conclude`.
    """

    _rules: ClassVar[dict[str, str]]
    # scikit-learn's names of solvers, and the catalogue's for what does the same or better.
    _solver_names: ClassVar[dict[str, str]] = {}
    # What to say, by status, in place of the general advice on a fit that did not converge.
    _advice: ClassVar[dict[str, str]] = {}

    def _check(self, **flags):
        """Check parameters, and arguments of `fit` that are true or false."""
        name = type(self).__name__
        _parameters.check(name, self.__dict__, self._rules)
        _parameters.check(f"{name}.fit", flags, dict.fromkeys(flags, "bool"))

    def _read(self, X, y, sample_weight, **settings):
        """Check data; return it as the core takes it."""
        data = read_data(
            X,
            y,
            sample_weight,
            owner=f"This {type(self).__name__} estimator",
            n_threads=self.n_threads,
            **settings,
        )
        if type(X) is np.ndarray or sparse.issparse(X):
            # These have no names, which scikit-learn takes as long to find out as a small fit.
            self.__dict__.pop("feature_names_in_", None)
            self.n_features_in_ = data.n_features
        else:
            validate_data(self, X, skip_check_array=True)
        return data

    def _read_again(self, X, y, sample_weight, offset=None):
        """Read what a fitted model was fitted to."""
        data = read_data(
            X,
            y,
            sample_weight,
            offset,
            owner=f"{type(self).__name__}.summary",
            n_threads=self.n_threads,
        )
        validate_data(self, X, skip_check_array=True, reset=False)
        return data

    def _require_vector(self, data, why):
        """Take y as one target; `why` explains the refusal of several."""
        if data.y.shape[1] > 1:
            raise ValueError(
                f"{type(self).__name__} takes one target: y should be a 1d array, got an array of "
                f"shape {data.y.shape} instead. {why}"
            )
        if not data.is_vector:
            warnings.warn(
                "A column-vector y was passed when a 1d array was expected. Please change the "
                "shape of y to (n_samples,), for example using ravel().",
                DataConversionWarning,
                stacklevel=4,
            )
            data.is_vector = True

    def _map_solver(self):
        """Return the handle of the solver, and notes on a name of scikit-learn's."""
        name = self.solver
        if not (isinstance(name, str) and name in self._solver_names):
            try:
                return solvers.resolve(name), []
            except ValueError as error:
                known = ", ".join(map(repr, self._solver_names))
                also = f" scikit-learn's names are taken as well: {known}." if known else ""
                raise ValueError(f"{error}{also}") from None
        target = self._solver_names[name]
        note = [] if name == target else [f"solver={name!r} of scikit-learn: {target}"]
        return solvers.resolve(target), note

    def _make_options(self, solver, **changes):
        """Return the options of a solve; `changes` replace what the parameters say."""
        names = {"tol", "max_iter", "max_time", "n_threads"} - changes.keys()
        own = {name: getattr(self, name) for name in names}
        return Options(solver=solver, verbose=int(self.verbose), **own, **changes)

    def _start(self, shape, n_tasks=1):
        """Return the previous fit as arguments of `target_tasks`, if there is one and it is wanted.

        `shape` is that of coef_, whose rows are targets or the outputs of one task.
        """
        if not (self.warm_start and hasattr(self, "coef_")):
            return {}
        coef = read_start("coef_ (warm_start=True)", self.coef_, shape)
        rows = coef.size // shape[-1]
        start = {"coefs": coef.reshape(n_tasks, -1)}
        if self.fit_intercept and hasattr(self, "intercept_"):  # coef_ may have been set by hand
            intercepts = read_intercepts("intercept_ (warm_start=True)", self.intercept_, rows)
            start["intercepts"] = intercepts.reshape(n_tasks, -1)
        return start

    def _begin_tasks(self, options, X, y, sample_weight):
        """Attach the callbacks that were set."""
        if hasattr(self, "_skl_callbacks"):
            options.callbacks = (FitTasks(self, X, y, sample_weight),)

    def _run(self, given, data, penalty, alpha, options, start, **settings):
        """Solve one task per target, watched by the callbacks that were set.

        Parameters
        ----------
        given : tuple
            X, y and sample_weight as callbacks see them.
        data : Data
            Problem.
        penalty : penalties.Penalty
            Handle.
        alpha : float or ndarray of shape (n_targets,)
            Strengths.
        options : Options
            How to solve.
        start : dict
            Arguments of `target_tasks`: where to start.
        **settings
            Passed on to the core.

        Returns
        -------
        solved : Run
            What the core returned, to be handed to `_conclude`.
        results : list
            Its core result for each target.
        """
        self._begin_tasks(options, *given)
        solved = run(
            data,
            target_tasks(data, alpha, **start),
            [read_penalty(penalty, data.n_features, data.copies)],
            options,
            fit_intercept=bool(self.fit_intercept),
            **settings,
        )
        return solved, [rows[-1] for rows in solved.results]

    def _conclude(self, data, solved, results, options, notes, interrupt=None):
        """Set certificate and report, then finish; the coefficients are set already.

        `interrupt` is what came in the way after the core had returned.
        """
        self.certificate_, self.report_ = summarize(
            data, results, solved.seconds, solved.gram_bytes, notes
        )
        self._finish(solved.pending or interrupt, results, options, _FRAMES_TO_CALLER)

    def _finish(self, pending, results, options, stacklevel):
        """Once the fitted attributes are set: raise, call back, warn."""
        if pending is not None:
            raise pending
        for tasks in options.callbacks:
            tasks.end()
        if not (np.isfinite(self.coef_).all() and np.isfinite(self.intercept_).all()):
            raise ValueError(
                "The solver resulted in non-finite parameter values. The input data may contain "
                "large values and need to be preprocessed."
            )
        warn_unconverged(
            type(self).__name__, results, options, stacklevel=stacklevel, advice=self._advice
        )

    def _set_linear(self, data, results):
        """Set coef_ and intercept_."""
        self.coef_, intercept = coefficients(data, results)
        # NumPy's scalars, as scikit-learn has them: programs ask for their shape and dtype.
        self.intercept_ = np.asarray(intercept, data.dtype)[()] if self.fit_intercept else 0.0

    def _linear_predictor(self, X, offset=None):
        """``X @ coef_.T + intercept_``, plus the offset."""
        check_is_fitted(self)
        if sparse.issparse(X):
            X = checked_sparse(X)
        elif hasattr(X, "to_numpy"):
            check_columns("X", X)
        else:
            X = to_array("X", X, [])
            if X.dtype.kind in "SU":
                refuse_type("X", f"dtype {X.dtype}")
            if X.dtype.kind == "c":
                refuse_complex("X", X.dtype)
        X = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)
        eta = X @ self.coef_.T
        if sparse.issparse(eta):  # sparse coefficients
            eta = eta.toarray()
        eta = eta + self.intercept_
        return eta if offset is None else eta + read_offset(offset, X.shape[0]).astype(eta.dtype)

    def __sklearn_tags__(self):
        """Return scikit-learn's tags: sparse X is accepted."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class Regressor(RegressorMixin, LinearEstimator):
    """Base of the regressors whose predictions are ``X @ coef_.T + intercept_``."""

    def predict(self, X):
        """Predict ``X @ coef_ + intercept_``.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predictions.
        """
        return self._linear_predictor(X)
