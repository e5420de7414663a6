"""Penalties of the catalogue, as handles: ``tw.penalties.ElasticNet(l1_ratio=0.9)``.

The classes are generated from the native catalogue; ``help`` shows formula and parameters.
Every penalty also takes per-feature weights and limits.
"""

from thalweg import _handles
from thalweg._parameters import ParameterError, check

_COMMON = (("weights", None), ("positive", False), ("lower", None), ("upper", None))
_COMMON_DOC = """\
weights : array-like of shape (n_features,), in [0, inf), default=None
    Factor of each feature's term; zero leaves a feature unpenalized. None: all one.
positive : bool, default=False
    Non-negative coefficients; the same as ``lower=0``.
lower, upper : float or array-like of shape (n_features,), default=None
    Limits of the coefficients; None and infinite values: no limit."""


class Penalty(_handles.Handle):
    """Base of the generated penalty handles."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        check(type(self).__name__, self.__dict__, {"positive": "bool"})
        if self.positive and self.lower is not None:
            raise ParameterError(
                f"positive=True of {type(self).__name__} means lower=0; give one of the two, "
                f"got lower={self.lower!r} as well."
            )

    @property
    def has_limits(self):
        """Whether some coefficients may be limited."""
        return self.positive or self.lower is not None or self.upper is not None


_CLASSES = _handles.generate(Penalty, "penalty", globals(), _COMMON, _COMMON_DOC)
__all__ = ["Penalty", *(cls.__name__ for cls in _CLASSES.values())]  # noqa: PLE0604 (generated)


def resolve(penalty):
    """Return the handle for a catalogue name; handles pass through.

    Parameters
    ----------
    penalty : str or Penalty
        Catalogue name or handle.

    Returns
    -------
    Penalty
        The handle.
    """
    return _handles.resolve("penalty", penalty, _CLASSES, Penalty)
