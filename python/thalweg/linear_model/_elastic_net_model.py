"""What Lasso and the elastic net share, with a given strength and with a chosen one."""

from typing import ClassVar

import numpy as np
from scipy import sparse
from sklearn import get_config

from thalweg import solvers
from thalweg._arrays import read_floats
from thalweg._parameters import ParameterError, seed_from
from thalweg.linear_model._base import COMMON_RULES, Regressor

# Rules for the parameters that all of these have; the classes add their own.
QUADRATIC_RULES = {
    **COMMON_RULES,
    "precompute": "bool or {auto} or array",
    "copy_X": "bool",
    "max_iter": "int [1, inf)",
    "positive": "bool",
    "random_state": "seed",
    "selection": "{cyclic, random}",
}


class ElasticNetModel(Regressor):
    """Least squares with l1 and l2 terms: solver options and fitted attributes."""

    _rules: ClassVar[dict[str, str]]

    def _options(self, data):
        """Return solver options, and notes on how parameters were mapped to them."""
        solver, notes, unmet = choose_solver(
            self.solver, self.selection, self.precompute, data, self.fit_intercept
        )
        seed = seed_from(self.random_state) if self.selection == "random" else 0
        return self._make_options(solver, seed=seed), notes + unmet

    def _set_coefficients(self, data, results):
        """Set the fitted attributes but certificate and report from one core result per target."""
        self._set_linear(data, results)
        kind = results[0].certificate["kind"]
        gap = np.array([result.certificate["value"] for result in results], data.dtype)
        gap = gap if len(results) > 1 else gap[0]
        self.dual_gap_ = gap if kind == "duality_gap" else np.nan * gap
        n_iter = [result.n_epochs for result in results]
        self.n_iter_ = n_iter if len(n_iter) > 1 else n_iter[0]

    @property
    def sparse_coef_(self):
        """Coefficients as a sparse matrix of shape (n_targets, n_features).

        A sparse array under scikit-learn's configuration ``sparse_interface="sparray"``.
        """
        arrays = get_config().get("sparse_interface") == "sparray"  # since scikit-learn 1.9
        kind = sparse.csr_array if arrays else sparse.csr_matrix
        return kind(np.atleast_2d(self.coef_))


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
    unmet : list of str
        What was asked for and not done, and why.

    Raises
    ------
    ValueError
        If the named solver cannot do what `selection` asks for, or a Gram matrix is not that
        of X.
    """
    handle = solvers.resolve(solver)
    name = handle.entry.name
    gram_note = _read_precompute(precompute, data, fit_intercept)
    notes, obstacle = [], None
    if selection == "random":
        obstacle = "selection='random' is coordinate descent on residuals"
        if name == "auto":
            handle = solvers.CoordinateDescent(selection="random")
            notes.append("selection='random': coordinate descent in random order")
        elif "selection" in handle.parameters:
            handle = type(handle)(**{**handle.parameters, "selection": "random"})
        else:
            raise ParameterError(
                f"selection='random' needs solver='auto' or 'coordinate_descent', got {solver!r}."
            )
    elif name not in ("auto", "gram"):
        obstacle = f"solver={name!r} was asked for"
    elif name == "auto" and data.design.kind != "dense":
        obstacle = "for sparse X the solver is chosen without it, as in scikit-learn"
    if gram_note is None:
        return handle, notes, []
    if obstacle is not None:
        return handle, notes, [f"precompute: left aside, {obstacle}"]
    return (solvers.Gram() if name == "auto" else handle), [*notes, gram_note], []


def _read_precompute(precompute, data, fit_intercept):
    """Return a note where a Gram matrix is asked for, else None; check a given one."""
    if isinstance(precompute, (bool, np.bool_)):
        return "precompute=True" if precompute else None
    if isinstance(precompute, str):  # "auto"
        return None
    return _check_gram(precompute, data, fit_intercept)


def relative_weights(data):
    """Return the sample weights as scikit-learn scales them, to a sum of n_samples, or None."""
    weights = data.sample_weight
    return None if weights is None else weights * (data.n_samples / weights.sum())


def _check_gram(gram, data, fit_intercept):
    """Compare one element of a Gram matrix with X, as scikit-learn does; return a note."""
    gram = read_floats("precompute", gram, [], dimensions=(2,))
    p = data.n_features
    if gram.shape != (p, p):
        raise ValueError(f"precompute must have shape ({p}, {p}), got {gram.shape}.")
    weights = relative_weights(data)
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
