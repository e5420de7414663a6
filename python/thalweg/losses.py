"""Losses of the catalogue, as handles: ``tw.losses.Squared()``.

The classes are generated from the native catalogue; ``help`` shows formula and parameters.
"""

from thalweg import _handles


class Loss(_handles.Handle):
    """Base of the generated loss handles."""


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
