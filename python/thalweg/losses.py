"""Losses of the catalogue, as handles: ``tw.losses.Squared()``.

The classes are generated from the native catalogue; ``help`` shows formula and parameters.
"""

import numpy as np

from thalweg import _core, _handles


class Loss(_handles.Handle):
    """Base of the generated loss handles."""

    def n_outputs(self, y):
        """Return the predictions per sample: one, or the classes of a loss of several outputs.

        Parameters
        ----------
        y : ndarray
            Targets; for a loss of several outputs the indices of classes.

        Returns
        -------
        int
            Number of outputs.
        """
        return max(2, int(np.max(y)) + 1) if self.entry.flags["multi_output"] else 1

    def inverse_link(self, eta):
        """Return the mean, or the probabilities of labels, that predictions stand for.

        Parameters
        ----------
        eta : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Predictions on the scale of ``X @ coef + intercept``.

        Returns
        -------
        ndarray of the same shape
            Means; for labels -1 and 1 the probability of 1, for several outputs those of classes.
        """
        return np.reshape(_core.inverse_link(*self._name, _columns(eta)), np.shape(eta))

    def values(self, y, eta):
        """Return the loss of every sample.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Targets.
        eta : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.

        Returns
        -------
        ndarray of shape (n_samples,)
            Losses.
        """
        return _core.loss_values(*self._name, np.ascontiguousarray(y, np.float64), _columns(eta))

    def derivatives(self, y, eta):
        """Return the first and the second derivative in the prediction, of every sample.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Targets.
        eta : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.

        Returns
        -------
        gradient, curvature : ndarray of the shape of eta
            Derivatives. For several outputs, the probabilities p of classes take the place of the
            curvature diag(p) - p p'.
        """
        y = np.ascontiguousarray(y, np.float64)
        both = _core.loss_derivatives(*self._name, y, _columns(eta))
        return tuple(np.reshape(part, np.shape(eta)) for part in both)

    def information(self, eta):
        """Return the Fisher information of every sample in its prediction.

        The expectation of the second derivative over the targets that the model has at `eta`, for
        losses flagged "likelihood".

        Parameters
        ----------
        eta : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.

        Returns
        -------
        ndarray of the shape of eta
            Information. For several outputs, the probabilities p of classes, of which the
            information is diag(p) - p p'.

        Raises
        ------
        ValueError
            If the loss is no likelihood.
        """
        return np.reshape(_core.loss_information(*self._name, _columns(eta)), np.shape(eta))

    def accepts(self, y):
        """Return which targets the loss is defined for.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Targets.

        Returns
        -------
        ndarray of shape (n_samples,)
            True or False.
        """
        return self._validity(y)[0]

    def require(self, y):
        """Raise unless the loss is defined for all targets.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Targets.

        Raises
        ------
        ValueError
            In scikit-learn's words, and with the first target that is out of range.
        """
        valid, domain = self._validity(y)
        if not valid.all():
            row = int(valid.argmin())
            raise ValueError(
                "Some value(s) of y are out of the valid range of the loss "
                f"{type(self).__name__!r}, which needs {domain}; got {y[row]} in row {row}."
            )

    def _validity(self, y):
        y = np.ascontiguousarray(y, np.float64)
        return _core.valid_targets(*self._name, self.n_outputs(y), y)

    @property
    def _name(self):
        return self.entry.name, self.parameters


def _columns(eta):
    columns = np.asarray(eta, dtype=np.float64)
    return np.asfortranarray(columns.reshape(len(columns), -1))


_CLASSES = _handles.generate(Loss, "loss", globals())
__all__ = ["Loss", *(cls.__name__ for cls in _CLASSES.values())]  # noqa: PLE0604 (generated)


def resolve(loss):
    """Return the handle for a catalogue name; handles pass through.

    Parameters
    ----------
    loss : str or Loss
        Catalogue name or handle.

    Returns
    -------
    Loss
        The handle.
    """
    return _handles.resolve("loss", loss, _CLASSES, Loss)
