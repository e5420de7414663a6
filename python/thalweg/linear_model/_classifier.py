"""Base of the classifiers: labels to targets, class weights, decisions and probabilities."""

import warnings
from typing import ClassVar

import numpy as np
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.utils import check_array, column_or_1d, metadata_routing
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from thalweg import _core
from thalweg._arrays import naming, show
from thalweg._engine import wants_rows
from thalweg._parameters import ParameterError, seed_from
from thalweg._validation import total_weight
from thalweg.linear_model._base import LinearEstimator
from thalweg.linear_model._callbacks import with_callbacks
from thalweg.linear_model._summary import LabelSummaryMixin


class Classifier(LabelSummaryMixin, ClassifierMixin, LinearEstimator):
    """A loss of labels; one row of coefficients, or one for each class of a loss that has several.

    Subclasses define `_get_loss(n_classes)`, `_get_penalty(total)`, which returns a handle and a
    strength from the sum of the weights, and `_gradient_tol`. They have the attributes
    class_weight, warm_start and random_state, and those of `COMMON_RULES`.
    """

    # Not something to be passed around in a pipeline.
    __metadata_request__fit: ClassVar[dict] = {
        "return_theta": metadata_routing.UNUSED,
        "keep_information": metadata_routing.UNUSED,
    }

    _advice: ClassVar[dict[str, str]] = {
        "unbounded": "The classes show perfect separation: some combination of the features tells "
        "them, or samples of them, apart without an error, so that the loss falls for ever as "
        "coefficients grow and has no minimum. Penalize the coefficients, or drop the features "
        "that give the label away"
    }

    @with_callbacks
    def fit(self, X, y, sample_weight=None, *, return_theta=False, keep_information=False):
        """Fit the model.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            Design, used in place where it is a float array or a canonical CSR matrix; never
            modified.
        y : array-like of shape (n_samples,)
            Labels: numbers, texts or booleans.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Non-negative weights with a positive sum.
        return_theta : bool, default=False
            Whether to keep the dual point in ``certificate_.theta``.
        keep_information : bool, default=False
            Whether to keep what `summary` needs, so that it can be called without the data: a
            matrix of (K p)^2 numbers, which takes about as long as a step of Newton's method.

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
            Once, if the certificate did not reach `tol`; it names perfect separation where that
            is why there is no solution.
        """
        self._check(return_theta=return_theta, keep_information=keep_information)
        self.classes_, codes = self._encode(y)
        loss = self._get_loss(len(self.classes_))
        has_rows = loss.entry.flags["multi_output"]
        solver, notes = self._map_solver()
        targets = _targets(codes, has_rows)
        data = self._read(X, targets, sample_weight, by_rows=wants_rows(loss, solver))
        self._weigh_classes(data, codes, sample_weight)
        del codes  # as long as y
        penalty, alpha = self._get_penalty(total_weight(sample_weight, data))
        if keep_information:
            self._require_summary()
        n_rows = len(self.classes_) if has_rows else 1
        options = self._make_options(solver, seed=seed_from(self.random_state))
        solved, results = self._run(
            (X, y, sample_weight),
            data,
            penalty,
            alpha,
            options,
            self._start((n_rows, data.n_features)),
            loss=loss,
            gradient_tol=self._gradient_tol(),
            standardize=bool(getattr(self, "standardize", False)),
            keep_theta=bool(return_theta),
        )
        is_free = alpha == 0 and not penalty.has_limits
        self._set_rows(data, results[0], n_rows, is_free)
        self.n_iter_ = np.array([results[0].n_epochs], dtype=np.int32)
        is_wanted = keep_information and solved.pending is None
        interrupt = self._keep_information(is_wanted, data, sample_weight)
        self._conclude(data, solved, results, options, notes, interrupt)
        return self

    def _encode(self, y):
        """Return the labels that there are, and the position of each one of y."""
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                "is None."
            )
        encoded = _core.encode_labels(y) if type(y) is np.ndarray and y.flags.aligned else None
        if encoded is None:
            y = check_array(y, ensure_2d=False, dtype=None, ensure_all_finite=False, input_name="y")
            y = np.require(column_or_1d(y, warn=True), requirements="CA")
            encoded = _core.encode_labels(y)
        if encoded is None:  # no numbers
            check_classification_targets(y)
            encoded = np.unique(y, return_inverse=True)
        elif len(y) > 20 and 2 < round(0.5 * len(y)) < len(encoded[0]):  # scikit-learn's rule
            warnings.warn(
                "The number of unique classes is greater than 50% of the number of samples. `y` "
                "could represent a regression problem, not a classification problem.",
                UserWarning,
                stacklevel=4,
            )
        classes, codes = encoded
        if len(classes) < 2:
            raise ValueError(
                "This solver needs samples of at least 2 classes in the data, but the data "
                f"contains only one class: {classes.tolist()[0]!r}"
            )
        return classes, codes

    def _read_labels_again(self, X, y, sample_weight):
        """Read what a fitted model was fitted to."""
        classes, codes = self._encode(y)
        if not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"summary: y must have the labels of the fit, {self.classes_}; got {classes}."
            )
        data = self._read_again(X, _targets(codes, len(self.coef_) > 1), sample_weight)
        self._weigh_classes(data, codes, sample_weight)
        return data

    def _weigh_classes(self, data, codes, sample_weight):
        """Multiply the class weights into the sample weights, as scikit-learn does."""
        if self.class_weight is None:
            return
        classes = self.classes_
        if isinstance(self.class_weight, str):
            if self.class_weight != "balanced":
                raise ParameterError(
                    f"class_weight must be a dict, 'balanced' or None, got {self.class_weight!r}."
                )
            sums = np.bincount(codes, weights=data.sample_weight, minlength=len(classes))
            with np.errstate(divide="ignore"):
                factors = sums.sum() / (len(classes) * sums)
            factors[sums == 0] = 1.0  # of samples that weigh nothing
        else:
            with naming(f"class_weight, got {show(self.class_weight)}"):
                factors = compute_class_weight(self.class_weight, classes=classes, y=classes[codes])
        if not (np.isfinite(factors).all() and factors.min() >= 0):
            raise ValueError(f"class_weight must be at least zero and finite, got {factors}.")
        weights = factors[codes]
        if data.sample_weight is not None:
            weights = weights * data.sample_weight
        elif sample_weight is not None:  # a number
            weights = weights * float(sample_weight)
        if not weights.any():
            raise ValueError("class_weight leaves no sample with a positive weight.")
        data.sample_weight = weights

    def _set_rows(self, data, result, n_rows, is_free):
        """Set coef_ and intercept_; `is_free`: there is no penalty and there are no limits."""
        coef = result.coef.reshape(n_rows, data.n_features)
        intercept = np.array(result.intercept, dtype=np.float64).reshape(n_rows)
        if n_rows > 1:
            # What is added to the rows of all classes changes nothing but a penalty. Where neither
            # that nor limits fix it, rows that add up to zero, as scikit-learn has them.
            intercept -= intercept.mean()
            if is_free:
                coef = coef - coef.mean(axis=0)
        self.coef_ = coef.astype(data.dtype)
        self.intercept_ = (intercept if self.fit_intercept else 0.0 * intercept).astype(data.dtype)

    def decision_function(self, X):
        """Return the linear predictors.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            One number where there are two classes: positive for ``classes_[1]``.
        """
        eta = self._linear_predictor(X)
        if eta.shape[1] == 1:
            return eta[:, 0]
        return eta[:, 1] - eta[:, 0] if eta.shape[1] == 2 else eta

    def predict(self, X):
        """Predict labels.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels of the largest linear predictors.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return self.classes_[(scores > 0).astype(np.intp)]
        return self.classes_[scores.argmax(axis=1)]

    def _probabilities(self, X):
        eta = self._linear_predictor(X)
        loss = self._get_loss(len(self.classes_))
        if eta.shape[1] == 1:  # the rarer label of a sample to full precision too
            sides = [loss.inverse_link(-eta), loss.inverse_link(eta)]
            return np.column_stack(sides).astype(eta.dtype, copy=False)
        return loss.inverse_link(eta).astype(eta.dtype, copy=False)

    def _log_probabilities(self, X):
        eta = self._linear_predictor(X)
        loss = self._get_loss(len(self.classes_))
        return self._log_probabilities_of(eta, loss).astype(eta.dtype, copy=False)

    def _log_probabilities_of(self, eta, loss):
        """Minus the loss that each label would have."""
        if eta.shape[1] == 1:
            return np.column_stack([-loss.values(np.full(len(eta), y), eta) for y in (-1.0, 1.0)])
        # Losses of labels differ as predictions do. That of the likeliest is near zero, and exact.
        eta = eta.astype(np.float64, copy=False)
        largest = eta.argmax(axis=1)
        above = eta - np.take_along_axis(eta, largest[:, None], axis=1)
        return above - loss.values(largest, eta)[:, None]

    def densify(self):
        """Convert `coef_` to a dense array.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        check_is_fitted(self)
        if sparse.issparse(self.coef_):
            self.coef_ = self.coef_.toarray()
        return self

    def sparsify(self):
        """Convert `coef_` to a sparse CSR matrix, which saves memory where it is mostly zeros.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        check_is_fitted(self)
        self.coef_ = sparse.csr_matrix(self.coef_)
        return self


def _targets(codes, has_rows):
    """Targets of the loss: positions of classes, or -1 and 1."""
    return codes.astype(np.float64) if has_rows else 2.0 * codes - 1.0
