"""Losses of the catalogue, as handles: ``tw.losses.Squared()``.

The classes are generated from the native catalogue; ``help`` shows formula and parameters.
"""

import numpy as np

from thalweg import _handles


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
