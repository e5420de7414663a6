"""Standard errors, tests and confidence intervals of fitted linear models, on request."""

import warnings
from dataclasses import dataclass, fields

import numpy as np
from scipy import linalg, stats
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from thalweg import _parameters, losses
from thalweg._validation import absolute_weights, total_weight

# Eigenvalues of the information, in units of its diagonal, that tell columns from dependent ones.
_SMALLEST_EIGENVALUE = 1e-11
# From a warning to the caller of summary: _require_minimum, _summarize, summary.
_FRAMES_TO_CALLER = 4


@dataclass(frozen=True, slots=True)
class Summary:
    r"""Inference for the coefficients of one fit; ``str`` shows it as a table.

    With the information :math:`J = \sum_i s_i v_i x_i x_i^\top` of the fitted model (expected
    second derivatives :math:`v`, a column of ones for the intercept) and the penalty's second
    derivative :math:`R`, the covariance is
    :math:`\phi (J + R)^{-1} J (J + R)^{-1}`: the inverse information without a penalty. With one,
    it is the sampling covariance of estimates that are biased towards zero, so that intervals cover
    their expectation. Sample weights count as repetitions.

    Attributes
    ----------
    names : tuple of str
        Parameters: the intercept first, where there is one; of several classes, class by class.
    coef, std_error, statistic, p_value, lower, upper : ndarray of shape (n_parameters,)
        Estimates, standard errors, their ratio, two-sided p-values of zero, and confidence limits.
    covariance : ndarray of shape (n_parameters, n_parameters)
        Covariance of the estimates. Those of more than two classes add up to zero over classes.
    level : float
        Confidence level.
    distribution : {"t", "z"}
        What the statistics are compared with: Student's t on `df_resid` degrees of freedom, or the
        normal distribution.
    dispersion : float
        :math:`\phi`: 1 for labels and counts; else Pearson's chi-square over `df_resid`.
    df_model, df_resid : float
        Effective number of parameters, the trace of :math:`(J + R)^{-1} J`; and what it leaves of
        the sum of the weights.
    n_observations : float
        Sum of the weights.
    deviance : float
        Twice the sum of the losses.
    """

    names: tuple[str, ...]
    coef: np.ndarray
    std_error: np.ndarray
    statistic: np.ndarray
    p_value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    covariance: np.ndarray
    level: float
    distribution: str
    dispersion: float
    df_model: float
    df_resid: float
    n_observations: float
    deviance: float

    def to_frame(self):
        """Return the table as a pandas data frame, one row per parameter.

        Returns
        -------
        pandas.DataFrame
            Columns coef, std_error, statistic, p_value, lower and upper.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        import pandas as pd

        columns = [field.name for field in fields(self) if field.name in _COLUMNS]
        return pd.DataFrame({name: getattr(self, name) for name in columns}, index=self.names)

    def __str__(self):
        tail = (1.0 - self.level) / 2.0
        heads = (
            "coef",
            "std error",
            self.distribution,
            f"P>|{self.distribution}|",
            f"[{tail:.3g}",
            f"{1.0 - tail:.3g}]",
        )
        width = max(map(len, self.names))
        rows = [
            f"{name:<{width}}"
            + "".join(f"{number:>12.5g}" for number in (coef, error, statistic))
            + f"{'<0.001' if p < 0.001 else format(p, '.3f'):>9}"
            + f"{low:>12.5g}{high:>12.5g}"
            for name, coef, error, statistic, p, low, high in zip(
                self.names, *(getattr(self, name) for name in _COLUMNS), strict=True
            )
        ]
        head = " " * width + "".join(f"{h:>{9 if h[0] == 'P' else 12}}" for h in heads)
        facts = (
            f"{self.n_observations:g} observations, {self.df_resid:.6g} degrees of freedom left, "
            f"deviance {self.deviance:.6g}, dispersion {self.dispersion:.6g}"
        )
        return "\n".join([head, *rows, facts])


_COLUMNS = ("coef", "std_error", "statistic", "p_value", "lower", "upper")


@dataclass(frozen=True, slots=True)
class Information:
    """What a summary takes from the data, at the coefficients of the fit.

    Attributes
    ----------
    matrix : ndarray of shape (n_directions * size, n_directions * size)
        Sum of the information of all rows, of an intercept, where there is one, and the features.
    directions : ndarray of shape (n_outputs, n_directions)
        Combinations of outputs that the matrix is about.
    ridge : ndarray of shape (size,)
        Second derivative of the penalty of the summed losses.
    total : float
        Sum of the weights.
    pearson : float
        Pearson's chi-square.
    deviance : float
        Twice the sum of the losses.
    """

    matrix: np.ndarray
    directions: np.ndarray
    ridge: np.ndarray
    total: float
    pearson: float
    deviance: float


def measure(data, sample_weight, loss, model, penalty_of):
    """Return the `Information` of a fitted model.

    Parameters
    ----------
    data : Data
        What it was fitted to.
    sample_weight : None, float or array-like of shape (n_samples,)
        As the caller gave them.
    loss : losses.Loss
        Handle.
    model : object
        Estimator with coef_, intercept_, fit_intercept and n_threads.
    penalty_of : callable
        Returns the second derivative of the penalty, of the features, from the sum of the weights.

    Returns
    -------
    Information
        Sums over the rows.
    """
    n_threads = model.n_threads or 0
    coefs, intercepts = _parameters_of(model)
    weights = absolute_weights(sample_weight, data)
    eta = np.column_stack([data.design.gemv(np.ascontiguousarray(w), n_threads) for w in coefs]) + (
        intercepts if data.offset is None else intercepts + data.offset[:, None]
    )
    y = data.y[:, 0]
    gram = _WeightedGram(data.design, model.fit_intercept, n_threads)
    gradient, curvature = loss.derivatives(y, eta)[0], loss.information(eta)
    matrix, directions = _assemble(gram, curvature, weights)
    ridge = np.zeros(gram.size)
    ridge[int(model.fit_intercept) :] = penalty_of(total_weight(sample_weight, data))
    used = weights > 0
    return Information(
        matrix=matrix,
        directions=directions,
        ridge=ridge,
        total=float(weights.sum()),
        pearson=float(weights[used] @ (gradient[used, 0] ** 2 / curvature[used, 0])),
        deviance=2.0 * float(weights @ loss.values(y, eta)),
    )


class _WeightedGram:
    """Sums of squares and products of [1, X] under weights of the rows, block by block."""

    def __init__(self, design, fit_intercept, n_threads):
        self._design = design
        self._first = int(fit_intercept)
        self._n_threads = n_threads or 0
        self.size = design.shape[1] + self._first

    def __call__(self, weights):
        weights = np.ascontiguousarray(weights)
        columns = np.arange(self._design.shape[1], dtype=np.int64)
        block = np.empty((self.size, self.size))
        first = self._first
        block[first:, first:] = self._design.gram(columns, weights, self._n_threads)
        if first:
            block[0, 0] = weights.sum()
            block[0, 1:] = block[1:, 0] = self._design.gemv_t(weights, self._n_threads)
        return block


def infer(information, model, *, level, is_dispersed, distribution):
    """Return the `Summary` of a fitted model.

    Parameters
    ----------
    information : Information
        What `measure` returned.
    model : object
        Estimator with coef_, intercept_ and fit_intercept.
    level : float
        Confidence level.
    is_dispersed : bool
        Whether the dispersion is estimated; else it is 1.
    distribution : {"t", "z"}
        Reference of the statistics.

    Returns
    -------
    Summary
        Inference.
    """
    coefs, intercepts = _parameters_of(model)
    directions, size = information.directions, len(information.ridge)
    inverse = _inverse(
        information.matrix + np.diag(np.tile(information.ridge, directions.shape[1]))
    )
    shrunk = inverse @ information.matrix
    df_model = float(np.trace(shrunk))
    df_resid = information.total - df_model
    dispersion = 1.0
    if is_dispersed:
        dispersion = information.pearson / df_resid if df_resid > 0 else np.nan
    spread = np.kron(directions, np.eye(size))
    covariance = dispersion * (spread @ (shrunk @ inverse) @ spread.T)

    first = [intercepts[:, None]] if model.fit_intercept else []
    coef = np.hstack([*first, coefs]).ravel()
    std_error = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = coef / std_error
    reference = stats.t(df_resid) if distribution == "t" else stats.norm
    half = reference.isf((1.0 - level) / 2.0) * std_error
    return Summary(
        names=_names(model),
        coef=coef,
        std_error=std_error,
        statistic=statistic,
        p_value=2.0 * reference.sf(np.abs(statistic)),
        lower=coef - half,
        upper=coef + half,
        covariance=covariance,
        level=float(level),
        distribution=distribution,
        dispersion=float(dispersion),
        df_model=df_model,
        df_resid=df_resid,
        n_observations=information.total,
        deviance=information.deviance,
    )


def _parameters_of(model):
    """Rows of coefficients and as many intercepts, float64."""
    coefs = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64))
    return coefs, np.broadcast_to(np.asarray(model.intercept_, dtype=np.float64), (len(coefs),))


def _assemble(gram, curvature, weights):
    """Return the information in directions that the data determine, and these directions.

    For several classes these are orthonormal contrasts: what is added to all classes changes no
    probability.
    """
    n_rows = curvature.shape[1]
    if n_rows == 1:
        return gram(weights * curvature[:, 0]), np.ones((1, 1))
    directions = linalg.helmert(n_rows).T
    size = gram.size
    full = np.empty((n_rows, size, n_rows, size))
    for k in range(n_rows):
        for other in range(k + 1):
            own = curvature[:, k] if k == other else 0.0
            block = gram(weights * (own - curvature[:, k] * curvature[:, other]))
            full[k, :, other, :] = full[other, :, k, :] = block
    reduced = np.einsum("ka,kilj,lb->aibj", directions, full, directions, optimize=True)
    width = (n_rows - 1) * size
    return reduced.reshape(width, width), directions


def _inverse(matrix):
    scale = np.sqrt(np.diag(matrix))
    if not (scale > 0).all():
        raise ValueError(_DEPENDENT)
    values, vectors = linalg.eigh(matrix / np.outer(scale, scale))
    if values[0] <= _SMALLEST_EIGENVALUE * values[-1]:
        raise ValueError(_DEPENDENT)
    vectors = vectors / scale[:, None]
    return (vectors / values) @ vectors.T


_DEPENDENT = (
    "summary: the data do not determine the coefficients: some feature depends on others (or is "
    "constant beside an intercept), or the weights of all informative rows are zero. Drop such "
    "features or penalize the fit."
)


def _names(model):
    p = model.n_features_in_
    features = [str(name) for name in getattr(model, "feature_names_in_", ())]
    names = [
        *(["intercept"] if model.fit_intercept else []),
        *(features or [f"x{j}" for j in range(p)]),
    ]
    if np.ndim(model.coef_) < 2 or len(model.coef_) == 1:
        return tuple(names)
    return tuple(f"{label}: {name}" for label in model.classes_ for name in names)


class SummaryMixin:
    """What the three mixins below share.

    Subclasses define `_read_for_summary`, which reads the data of the fit again, and `_likelihood`,
    which returns the loss. They have attributes `_distribution` and, for models of one strength,
    `alpha`.
    """

    _distribution = "z"

    def _penalty_curvature(self, total):
        """Second derivative of the penalty of the summed losses, for weights of this sum."""
        return float(self.alpha) * total

    def _require_summary(self, n_targets=1):
        """Refuse, before any work, what has no summary."""
        if getattr(self, "positive", False):
            raise ValueError(
                "summary: coefficients that are held to limits have no standard errors."
            )
        if n_targets > 1:
            raise ValueError(
                f"summary takes models of one target, got {n_targets}; fit each column of y by "
                "itself."
            )

    def _require_minimum(self):
        """Refuse a fit that has no minimum, and warn of one that did not reach it."""
        status = self.report_.status
        if status == "unbounded":
            raise ValueError(
                "summary: the status of the fit is 'unbounded': the loss has no finite minimum, "
                "and the coefficients no standard errors. Penalize them, or drop the features that "
                "predict y without an error."
            )
        if status != "converged":
            warnings.warn(
                f"summary: the statistics are those of an unfinished fit, of status {status!r}, "
                "not of the optimum. Fit again until it converges.",
                ConvergenceWarning,
                stacklevel=_FRAMES_TO_CALLER,
            )

    def _keep_information(self, is_wanted, data, sample_weight):
        """At the end of a fit: keep what `summary` needs, or forget that of the fit before.

        Returns an interrupt that came in the way, which the solution outlives, else None.
        """
        self.__dict__.pop("_information", None)
        if is_wanted:
            try:
                self._information = self._measure(data, sample_weight)
            except KeyboardInterrupt as interrupt:
                return interrupt
        return None

    def _measure(self, data, sample_weight):
        return measure(data, sample_weight, self._likelihood(), self, self._penalty_curvature)

    def _summarize(self, level, X, y, sample_weight, **offset):
        check_is_fitted(self)
        name = type(self).__name__
        _parameters.check(f"{name}.summary", {"level": level}, {"level": "(0, 1)"})
        self._require_summary()
        self._require_minimum()
        if X is not None or y is not None:
            data = self._read_for_summary(X, y, sample_weight, **offset)
            self._require_summary(data.y.shape[1])
            information = self._measure(data, sample_weight)
        else:
            information = self.__dict__.get("_information")
            if information is None:
                raise ValueError(
                    f"{name}.summary needs the data of the fit, which a fitted model does not "
                    "keep: pass X and y again (and sample_weight and offset where fit had them). "
                    "Or call fit(..., keep_information=True): it keeps a matrix of p x p numbers "
                    "(K p x K p for K classes), and summary() then needs no data."
                )
        return infer(
            information,
            self,
            level=level,
            is_dispersed=self._likelihood().entry.flags["dispersed"],
            distribution=self._distribution,
        )


class GaussianSummaryMixin(SummaryMixin):
    """`summary` of least squares with an l2 penalty or none."""

    _distribution = "t"

    def summary(self, X=None, y=None, sample_weight=None, *, level=0.95):
        """Return standard errors, t statistics, p-values and confidence intervals.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features), default=None
            What the model was fitted to. May be left out, with `y`, after a fit with
            ``keep_information=True``.
        y : array-like of shape (n_samples,), default=None
            Target.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights; they count as repetitions.
        level : float in (0, 1), default=0.95
            Confidence level.

        Returns
        -------
        Summary
            Arrays, ``to_frame()`` and a table as text.

        Raises
        ------
        ValueError
            If the data are neither given nor kept, the model has several targets or limits, or the
            data do not determine its coefficients.

        Warns
        -----
        ConvergenceWarning
            If the fit had not converged.

        Examples
        --------
        >>> import numpy as np
        >>> from thalweg.linear_model import LinearRegression
        >>> X = np.arange(6.0).reshape(-1, 1)
        >>> y = np.array([0.1, 0.9, 2.2, 2.8, 4.1, 4.9])
        >>> summary = LinearRegression().fit(X, y).summary(X, y)
        >>> summary.names, summary.std_error.round(3)
        (('intercept', 'x0'), array([0.12, 0.04]))
        """
        return self._summarize(level, X, y, sample_weight)

    def _read_for_summary(self, X, y, sample_weight):
        return self._read_again(X, y, sample_weight)

    def _penalty_curvature(self, total):  # noqa: ARG002 (alpha is that of the sum)
        return float(np.ravel(getattr(self, "alpha", 0.0))[0])

    def _likelihood(self):
        return losses.resolve("squared")


class DevianceSummaryMixin(SummaryMixin):
    """`summary` of generalized linear models that minimize a deviance."""

    def summary(self, X=None, y=None, sample_weight=None, *, offset=None, level=0.95):
        """Return standard errors, z statistics, p-values and confidence intervals.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features), default=None
            What the model was fitted to. May be left out, with `y`, after a fit with
            ``keep_information=True``.
        y : array-like of shape (n_samples,), default=None
            Target.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights; they count as repetitions.
        offset : array-like of shape (n_samples,), default=None
            Known part of the linear predictor.
        level : float in (0, 1), default=0.95
            Confidence level.

        Returns
        -------
        Summary
            Arrays, ``to_frame()`` and a table as text.

        Raises
        ------
        ValueError
            If the data are neither given nor kept, they do not determine the coefficients, or the
            fit is unbounded.

        Warns
        -----
        ConvergenceWarning
            If the fit had not converged.
        """
        return self._summarize(level, X, y, sample_weight, offset=offset)

    def _read_for_summary(self, X, y, sample_weight, offset):
        data = self._read_again(X, y, sample_weight, offset=offset)
        self._get_loss().require(data.y[:, 0])
        return data

    def _likelihood(self):
        return self._get_loss()


class LabelSummaryMixin(SummaryMixin):
    """`summary` of logistic and multinomial regression."""

    def summary(self, X=None, y=None, sample_weight=None, *, level=0.95):
        """Return standard errors, z statistics, p-values and confidence intervals.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features), default=None
            What the model was fitted to. May be left out, with `y`, after a fit with
            ``keep_information=True``.
        y : array-like of shape (n_samples,), default=None
            Labels.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, into which `class_weight` is multiplied; they count as repetitions.
        level : float in (0, 1), default=0.95
            Confidence level.

        Returns
        -------
        Summary
            Arrays, ``to_frame()`` and a table as text. Coefficients of more than two classes are
            those of the model, whose sum over classes is zero.

        Raises
        ------
        ValueError
            If the data are neither given nor kept, they do not determine the coefficients, or the
            fit is unbounded.

        Warns
        -----
        ConvergenceWarning
            If the fit had not converged.
        """
        return self._summarize(level, X, y, sample_weight)

    def _read_for_summary(self, X, y, sample_weight):
        return self._read_labels_again(X, y, sample_weight)

    def _likelihood(self):
        return self._get_loss(len(self.classes_))
