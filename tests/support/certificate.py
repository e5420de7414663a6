"""The duality gap from first principles: the catalogue's formulas, NumPy and nothing else.

For any u with sum_i s_i u_i = 0 (where an intercept is free) and z_j = x_j' S u / S, the duality
gap is a sum of Fenchel-Young terms, each at least zero:

    sum_i s_i / S (loss(y_i, eta_i) + loss*(y_i, -u_i) + u_i eta_i)
      + sum_j (term_j(w_j) + term_j*(z_j) - z_j w_j)

Conjugates are found by a search, not by closed forms: nothing here knows a loss or a penalty.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from support.catalogue import targets
from support.formula import evaluate, term_sizes

EPS = np.finfo(np.float64).eps
_FAR = 2.0**200  # where a term shows its slope at infinity; its square does not overflow


@dataclass(frozen=True)
class Problem:
    """One problem as `thalweg.solve` takes it; `loss` and `penalty` are handles.

    Targets that the loss is not defined for are turned into some that it is.
    """

    X: object
    y: np.ndarray
    loss: object
    penalty: object
    alpha: float
    sample_weight: np.ndarray | None = None
    offset: np.ndarray | None = None
    fit_intercept: bool = True
    standardize: bool = False

    def __post_init__(self):
        if self.loss is not None:
            object.__setattr__(self, "y", targets(self.loss, self.y))

    @cached_property
    def dense(self):
        """X as float64."""
        X = self.X.toarray() if sparse.issparse(self.X) else self.X
        return np.asarray(X, dtype=np.float64)

    @cached_property
    def weights(self):
        """Sample weights of sum one."""
        s = np.ones(len(self.y)) if self.sample_weight is None else self.sample_weight
        return np.asarray(s, dtype=np.float64) / np.sum(s)

    @cached_property
    def columns(self):
        """X, centred where an intercept is free: products with feasible duals do not change."""
        return self.dense - self.weights @ self.dense if self.fit_intercept else self.dense

    @cached_property
    def scale(self):
        """Factor of each coefficient inside the penalty."""
        if not self.standardize:
            return np.ones(self.dense.shape[1])
        mean = self.weights @ self.dense
        spread = np.sqrt(self.weights @ (self.dense - mean) ** 2)
        return np.where(spread > 16 * EPS * np.abs(mean), spread, 1.0)

    def null_slope(self):
        """Largest correlation at zero coefficients: a strength that matters."""
        u = -self.loss_slope(self.eta(np.zeros(self.dense.shape[1]), 0.0))
        z = self.columns.T @ (self.weights * u) / self.scale
        return np.abs(z).max()

    @cached_property
    def limits(self):
        """Lower and upper limits, one per feature."""
        p = self.dense.shape[1]
        lower = 0.0 if self.penalty.positive else self.penalty.lower
        lower = -np.inf if lower is None else np.asarray(lower, dtype=np.float64)
        upper = self.penalty.upper
        upper = np.inf if upper is None else np.asarray(upper, dtype=np.float64)
        return np.broadcast_to(lower, (p,)), np.broadcast_to(upper, (p,))

    def eta(self, coef, intercept):
        """Predictions."""
        return self.dense @ coef + intercept + (0.0 if self.offset is None else self.offset)

    def loss_at(self, eta):
        """Loss of every sample."""
        return evaluate(self.loss.entry.formula, y=self.y, eta=eta, **self.loss.parameters)

    def loss_slope(self, eta):
        """Derivative of the loss by a complex step: exact to rounding."""
        step = 1e-30
        return np.imag(self.loss_at(eta + 1j * step)) / step

    def counted_slope(self, eta):
        """`loss_slope`, zero where the weight is; finite, though formulas overflow far out."""
        return np.where(self.weights > 0, np.nan_to_num(self.loss_slope(eta)), 0.0)

    def terms(self, coef):
        """Penalty of every feature, with the strength."""
        weight = np.ones(coef.shape[-1]) if self.penalty.weights is None else self.penalty.weights
        formula, parameters = self.penalty.entry.formula, self.penalty.parameters
        values = evaluate(formula, w_j=self.scale * coef, weight_j=np.asarray(weight), **parameters)
        return self.alpha * np.broadcast_to(values, coef.shape)

    def objective(self, coef, intercept):
        """Objective; infinite outside of the limits."""
        coef = np.asarray(coef, dtype=np.float64)
        lower, upper = self.limits
        if (coef < lower).any() or (coef > upper).any():
            return np.inf
        return self.weighted_sum(self.loss_at(self.eta(coef, intercept))) + self.terms(coef).sum()

    @cached_property
    def null_eta(self):
        """Predictions of the model without features, its intercept by bisection."""
        eta = self.eta(np.zeros(self.dense.shape[1]), 0.0)
        reach = 30.0 + 2 * np.abs(self.y).max() + np.abs(eta).max()
        low, high = -reach, reach
        for _ in range(200 * self.fit_intercept):
            middle = 0.5 * (low + high)
            total = self.weighted_sum(self.central_slope(eta + middle))
            if total > 0 or (np.isnan(total) and middle > 0):  # far out, losses overflow
                high = middle
            else:
                low = middle
        return eta + 0.5 * (low + high)

    def weighted_sum(self, values):
        """Weighted mean; a weight of zero leaves its value out, whatever that is."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(self.weights > 0, self.weights * values, 0.0).sum()

    def central_slope(self, eta):
        """Derivative of the loss by differences, also where pieces of a formula meet."""
        step = 1e-6 * (1 + np.abs(eta))
        with np.errstate(over="ignore", invalid="ignore"):
            return (self.loss_at(eta + step) - self.loss_at(eta - step)) / (2 * step)

    def tolerance_scale(self):
        """What `tol` multiplies: the objective of the intercept-only model, or its rounding."""
        eta = self.eta(np.zeros(self.dense.shape[1]), 0.0)
        mean_loss = self.weighted_sum(self.loss_at(eta))
        if self.loss.entry.flags["quadratic"]:
            residual = self.y - eta
            if self.fit_intercept:
                for _ in range(2):  # the second time without cancellation
                    residual = residual - self.weights @ residual
            mean_loss = self.weighted_sum(self.loss_at(self.y - residual))
        elif self.fit_intercept:

            def gain(shift):
                losses = np.where(self.weights > 0, self.loss_at(eta + shift), 0.0)
                return mean_loss - losses @ self.weights[:, None]

            mean_loss -= float(ascend(gain, 1)[0])
        return max(mean_loss, self.rounding_loss())

    def rounding_floor(self):
        """What no tolerance asks for: the rounding of losses that are not squares."""
        return 4 * EPS * self.term_size()

    def rounding_loss(self):
        """What a residual of a thousand roundings of y costs: its square where the loss is one."""
        size = self.term_size()
        return (
            1e3 * EPS * size if size else 0.5 * (1e3 * EPS * (self.weights @ np.abs(self.y))) ** 2
        )

    def term_size(self):
        """Mean size of the terms that cancel where the model predicts y; squares have none."""
        flags = self.loss.entry.flags
        if flags["classification"]:
            return 1.0
        if not flags["likelihood"]:
            return 0.0 if flags["smooth"] else self.weights @ np.abs(self.y)
        formula, parameters = self.loss.entry.formula, self.loss.parameters
        if (evaluate(formula, y=1.0, eta=np.array([0.0, 3.0]), **parameters) == [0.5, 2]).all():
            return 0.0
        y = np.maximum(self.y, 1e-300)
        eta = np.log(y) if self.loss.inverse_link(np.zeros(1))[0] == 1.0 else y
        return self.weights @ term_sizes(formula, y=y, eta=eta, **parameters)

    def noise(self, coef, intercept):
        """How much of every prediction and residual is rounding: they are sums of such terms."""
        size = np.abs(self.y) + np.abs(self.dense) @ np.abs(coef) + np.abs(intercept)
        if self.offset is not None:
            size = size + np.abs(self.offset)
        return 8 * EPS * size

    def rounding(self, coef, intercept):
        """How much of an objective, or of a gap, is rounding."""
        eta = self.eta(coef, intercept)
        noise = self.noise(coef, intercept)
        slope = np.abs(self.counted_slope(eta))
        summation = (64 + 4 * np.sqrt(len(eta))) * EPS * self.weighted_sum(self.loss_at(eta))
        # Correlations that have to vanish are zero only to rounding.
        norms = np.sqrt(self.weights @ self.dense**2)
        correlations = 64 * EPS * np.sqrt(self.weighted_sum(slope**2)) * (norms @ np.abs(coef))
        penalties = 64 * EPS * self.terms(coef)
        if self.standardize:
            # A variance is a difference of squares; at a slope that is wrong by so much, the
            # supremum in a conjugate may be at a limit.
            limits = np.abs(self.limits).max(axis=0)
            reach = np.where(np.isfinite(limits) & (coef != 0), limits, coef)
            penalties = 64 * EPS * self.terms(reach) * (1.0 + norms**2 / self.scale**2)
        loss = self.weighted_sum(noise * (slope + noise)) + summation
        # A formula such as log(1 + exp(t)) rounds to the precision of one.
        formula = 0.0 if self.loss.entry.flags["quadratic"] else 4 * EPS
        return loss + correlations + penalties.sum() + formula


def ascend(function, size):
    """Maximize concave functions of one step that are zero at zero, all at once, both ways.

    `function` takes steps of shape (k, size) and returns values of that shape, -inf outside of
    its domain; the result has shape (size,).
    """
    return np.maximum(_ascend(function, size, 1.0), _ascend(function, size, -1.0))


def _ascend(function, size, sign):
    # The best power of two is within a factor of two of the maximum; then ever finer grids.
    columns = np.arange(size)
    powers = np.repeat(2.0 ** np.arange(-100, 130)[:, None], size, axis=1)
    values = np.nan_to_num(function(sign * powers), nan=-np.inf)
    at = powers[values.argmax(axis=0), columns]
    highest = np.maximum(values.max(axis=0), 0.0)
    low, high = at / 2, at * 2
    fractions = np.linspace(0.0, 1.0, 33)[:, None]
    for _ in range(12):
        steps = low + fractions * (high - low)
        values = np.nan_to_num(function(sign * steps), nan=-np.inf)
        highest = np.maximum(highest, values.max(axis=0))
        best = values.argmax(axis=0)
        low = steps[np.maximum(best - 1, 0), columns]
        high = steps[np.minimum(best + 1, len(steps) - 1), columns]
    return highest


def loss_gap(problem, eta, u):
    """Fenchel-Young gap of the loss of every sample at prediction `eta` and dual point `u`."""
    weighs = problem.weights > 0
    here = np.where(weighs, problem.loss_at(eta), 0.0)

    def gain(step):
        there = np.where(weighs, problem.loss_at(eta + step), 0.0)
        # At the edge of its domain u is so but for rounding, which a projection adds to.
        noise = np.where(np.abs(step) > 1e12, 1000, 8) * EPS
        return -u * step - (there - here) - noise * (np.abs(u * step) + there + here)

    return ascend(gain, len(u))


def penalty_gap(problem, coef, z):
    """Fenchel-Young gap of the term of every feature; z within the slopes at infinity."""
    here = problem.terms(coef)
    lower, upper = problem.limits

    def gain(step):
        at = coef + step
        there = problem.terms(at)
        value = z * step - (there - here) - 8 * EPS * (np.abs(z * step) + there + here)
        return np.where((at < lower) | (at > upper), -np.inf, value)

    steps = [np.where(np.isfinite(limit), limit, coef) - coef for limit in (lower, upper)]
    return np.maximum.reduce([ascend(gain, len(z)), *map(gain, steps)])


def balanced(u, s):
    """Values of weighted sum zero, the side of the larger sum scaled down."""
    positive, negative = s @ np.maximum(u, 0.0), s @ np.maximum(-u, 0.0)
    if positive == 0 or negative == 0:
        return 0.0 * u
    return np.where(u > 0, min(1.0, negative / positive), min(1.0, positive / negative)) * u


def slopes(problem):
    """Slopes of every term towards plus and minus infinity; infinite at limits."""
    p = problem.dense.shape[1]
    lower, upper = problem.limits
    out = []
    for sign, limit in ((1.0, upper), (-1.0, lower)):
        far = np.full(p, sign * _FAR)
        slope = (problem.terms(2 * far) - problem.terms(far)) / _FAR
        out.append(np.where(np.isfinite(limit) | (slope > 1e30), np.inf, slope))
    return out


def duality_gap(problem, coef, intercept, u=None):
    """Bound the suboptimality of (coef, intercept); `u` is a dual candidate, the residual if None.

    The candidate is projected off whatever is free and scaled until it is feasible; infinite where
    that fails.
    """
    coef = np.asarray(coef, dtype=np.float64)
    if not np.isfinite(problem.objective(coef, intercept)):
        return np.inf
    s, eta = problem.weights, problem.eta(coef, intercept)
    u = -problem.loss_slope(eta) if u is None else np.asarray(u, dtype=np.float64)
    u = np.where(s > 0, u, 0.0)
    lower, upper = problem.limits
    rises, falls = slopes(problem)
    ulp = 4 * EPS * np.abs(coef)
    inside = (coef > lower + ulp) & (coef < upper - ulp)
    free = ((rises == 0) | (falls == 0)) & inside
    directions = problem.columns[:, free]
    if problem.fit_intercept:
        directions = np.column_stack([directions, np.ones(len(s))])
    root = np.sqrt(s)
    if not problem.loss.entry.flags["quadratic"]:
        # Nothing is free but the intercept, and a projection could leave the domain of u.
        u = balanced(u, s) if problem.fit_intercept else u
        directions = directions[:, :0]
    for _ in range(3):
        if directions.shape[1]:
            basis = root[:, None] * directions
            norms = np.sqrt((basis**2).sum(axis=0))
            norms[norms == 0] = 1.0
            u = u - directions / norms @ np.linalg.lstsq(basis / norms, root * u)[0]
    z = problem.columns.T @ (s * u)
    noise = np.sqrt(s @ (1e-11 * np.abs(u) + problem.noise(coef, intercept)) ** 2)
    rounding = np.sqrt(s @ problem.columns**2) * noise
    slope = np.where(z > 0, rises, falls)
    forbidden = (slope == 0) & (np.abs(z) > rounding)
    if forbidden.any():
        return np.inf
    scalable = np.isfinite(slope) & (slope > 0) & (np.abs(z) > slope)
    tau = (slope[scalable] / np.abs(z[scalable])).min(initial=1.0)
    z = np.clip(tau * z, -falls, rises)
    gap = problem.weighted_sum(loss_gap(problem, eta, tau * u))
    return float(gap + penalty_gap(problem, coef, z).sum())


def kkt_residual(problem, coef, intercept):
    """The largest scaled violation of the optimality conditions, and its rounding.

    For penalties whose terms are smooth; a column of ones stands for the intercept.
    """
    s, eta = problem.weights, problem.eta(coef, intercept)
    step = 1e-30
    slope = np.imag(problem.terms(coef + 1j * step)) / step
    pull = -problem.counted_slope(eta)
    z = problem.columns.T @ (s * pull) - slope
    lower, upper = problem.limits
    z = np.where(((coef <= lower) & (z < 0)) | ((coef >= upper) & (z > 0)), 0.0, z)
    norms = np.sqrt(s @ problem.columns**2)
    varies = norms > 1e-14 * np.sqrt(s @ problem.dense**2)
    null = problem.central_slope(problem.null_eta)
    size = np.sqrt(problem.weighted_sum(null**2))
    size = size if size > 0 else 1.0
    violations = [np.abs(z[varies]) / norms[varies]]
    if problem.fit_intercept:
        violations.append(np.abs([s @ pull]))
    noise = problem.noise(coef, intercept) * (1 + np.abs(pull))
    ratio = np.sqrt(s @ problem.dense**2)[varies] / norms[varies]
    rounding = 64 * np.sqrt(s @ noise**2) * max(1.0, ratio.max(initial=1.0)) / size + 1e-13
    rounding += 1e-9 / size  # of differences; all there is where the null model is exact
    return np.concatenate(violations).max(initial=0.0) / size, rounding
