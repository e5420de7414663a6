"""What all estimators of this package share: parameters, fitted attributes, prediction."""

from typing import ClassVar

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from thalweg import _parameters, solvers
from thalweg._engine import OPTION_RULES, Options, coefficients, summarize, warn_unconverged
from thalweg._parameters import ParameterError, seed_from
from thalweg._validation import check_columns, checked_sparse, read_data, read_floats
from thalweg.linear_model._callbacks import CallbackSupportMixin, FitTasks

# Rules for the parameters that all estimators have; the classes add their own.
COMMON_RULES = {
    **OPTION_RULES,
    "fit_intercept": "bool",
    "precompute": "bool or {auto} or array",
    "copy_X": "bool",
    "max_iter": "int [1, inf)",
    "positive": "bool",
    "random_state": "seed",
    "selection": "{cyclic, random}",
}


class LinearModel(CallbackSupportMixin, RegressorMixin, BaseEstimator):
    """Base of the linear regressors: reading, callbacks, fitted attributes and prediction.

    Subclasses define `_rules` (parameter rules) and `fit`.
    """

    _rules: ClassVar[dict[str, str]]

    def _read(self, X, y, sample_weight, return_theta):
        """Check parameters and data; return the data as the core takes it."""
        name = type(self).__name__
        _parameters.check(name, self.__dict__, self._rules)
        _parameters.check(f"{name}.fit", {"return_theta": return_theta}, {"return_theta": "bool"})
        data = read_data(
            X, y, sample_weight, owner=f"This {name} estimator", n_threads=self.n_threads
        )
        validate_data(self, X, skip_check_array=True)  # feature_names_in_, n_features_in_
        return data

    def _options(self, data):
        """Return solver options, and notes on how parameters were mapped to them."""
        solver, notes = choose_solver(
            self.solver, self.selection, self.precompute, data, self.fit_intercept
        )
        options = Options(
            solver=solver,
            tol=self.tol,
            max_iter=self.max_iter,
            max_time=self.max_time,
            n_threads=self.n_threads,
            verbose=int(self.verbose),
            seed=seed_from(self.random_state) if self.selection == "random" else 0,
        )
        return options, notes

    def _begin_tasks(self, options, X, y, sample_weight):
        """Attach callbacks that were set; return their task tree, or None without any."""
        if not hasattr(self, "_skl_callbacks"):
            return None
        tasks = FitTasks(self, X, y, sample_weight)
        options.callbacks = (tasks,)
        return tasks

    def _set_fitted(self, data, results, seconds, gram_bytes, notes):
        """Set the fitted attributes from one core result per target."""
        self.coef_, intercept = coefficients(data, results)
        # NumPy's scalars, as scikit-learn has them: programs ask for their shape and dtype.
        self.intercept_ = np.asarray(intercept, data.dtype)[()] if self.fit_intercept else 0.0
        self.certificate_, self.report_ = summarize(data, results, seconds, gram_bytes, notes)
        gap = np.array(self.certificate_.value, data.dtype)
        self.dual_gap_ = gap[()] if self.certificate_.kind == "duality_gap" else (np.nan * gap)[()]
        n_iter = [result.n_epochs for result in results]
        self.n_iter_ = n_iter if len(n_iter) > 1 else n_iter[0]

    def _finish(self, tasks, pending, results, options):
        """Once the fitted attributes are set: raise, call back, warn."""
        if pending is not None:
            raise pending
        if tasks is not None:
            tasks.end()
        if not (np.isfinite(self.coef_).all() and np.isfinite(self.intercept_).all()):
            raise ValueError(
                "The solver resulted in non-finite parameter values. The input data may contain "
                "large values and need to be preprocessed."
            )
        # Points at the caller of fit: above this are fit and its decorator.
        warn_unconverged(type(self).__name__, results, options, stacklevel=4)

    @property
    def sparse_coef_(self):
        """Coefficients as a sparse matrix of shape (n_targets, n_features)."""
        return sparse.csr_matrix(np.atleast_2d(self.coef_))

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
        check_is_fitted(self)
        if sparse.issparse(X):
            X = checked_sparse(X)
        elif hasattr(X, "to_numpy"):
            check_columns("X", X)
        X = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)
        return X @ self.coef_.T + self.intercept_

    def __sklearn_tags__(self):
        """Return scikit-learn's tags: sparse X is accepted."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def choose_solver(solver, selection, precompute, data, fit_intercept):
    """Translate scikit-learn's `selection` and `precompute` into a solver.

    Parameters
    ----------
    solver : str or solvers.Solver
        What the caller asked for.
    selection : {"cyclic", "random"}
        Order of coordinates.
    precompute : bool, "auto" or array-like of shape (n_features, n_features)
        Whether to use the Gram matrix.
    data : Data
        Problem.
    fit_intercept : bool
        Whether X is centred.

    Returns
    -------
    solver : solvers.Solver
        Handle.
    notes : list of str
        What was done, for the report.

    Raises
    ------
    ValueError
        If the named solver cannot do what `selection` asks for, or a Gram matrix is not that
        of X.
    """
    handle = solvers.resolve(solver)
    automatic = handle.entry.name == "auto"
    if isinstance(precompute, (bool, np.bool_)):
        gram_note = "precompute=True" if precompute else None
    elif isinstance(precompute, str):  # "auto"
        gram_note = None
    else:
        gram_note = _check_gram(precompute, data, fit_intercept)
    if selection == "random":
        if automatic:
            chosen = solvers.CoordinateDescent(selection="random")
            return chosen, ["selection='random': coordinate descent in random order"]
        if "selection" not in handle.parameters:
            raise ParameterError(
                f"selection='random' needs solver='auto' or 'coordinate_descent', got {solver!r}."
            )
        return type(handle)(**{**handle.parameters, "selection": "random"}), []
    if gram_note is None or not automatic:
        return handle, []
    if data.design.kind != "dense":
        return handle, [f"{gram_note}: no Gram matrix for sparse X, as in scikit-learn"]
    return solvers.Gram(), [gram_note]


def _check_gram(gram, data, fit_intercept):
    """Compare one element of a Gram matrix with X, as scikit-learn does; return a note."""
    gram = read_floats("precompute", gram, [], dimensions=(2,))
    p = data.n_features
    if gram.shape != (p, p):
        raise ValueError(f"precompute must have shape ({p}, {p}), got {gram.shape}.")
    weights = data.sample_weight
    if weights is not None:  # scikit-learn scales them to a sum of n_samples
        weights = weights * (data.n_samples / weights.sum())
    if fit_intercept:
        sums = data.design.moments(weights, np.ones(data.n_samples))[0]
        if not np.allclose(sums / data.n_samples, 0):
            return "precompute: the matrix is not that of centred X, the solver builds its own"
    j, k = p // 2, min(p // 2 + 1, p - 1)
    expected = data.design.gram(np.array([j, k], dtype=np.int64), weights)[0, 1]
    rtol = 1e-4 if data.dtype == np.float32 else 1e-7
    if not np.isclose(expected, gram[j, k], rtol=rtol, atol=1e-5):
        raise ValueError(
            "Gram matrix passed in via 'precompute' parameter did not pass validation when a "
            "single element was checked - please check that it was computed properly. For element "
            f"({j},{k}) we computed {expected} but the user-supplied value was {gram[j, k]}."
        )
    return "precompute: the matrix was checked against X, the solver builds its own"
