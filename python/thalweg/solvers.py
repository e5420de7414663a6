"""Solvers of the catalogue, as handles: ``tw.solvers.WorkingSet()``.

The classes are generated from the native catalogue; ``help`` shows formula and parameters.
"""

from thalweg import _handles


class Solver(_handles.Handle):
    """Base of the generated solver handles."""


_CLASSES = _handles.generate(Solver, "solver", globals())
__all__ = ["Solver", *(cls.__name__ for cls in _CLASSES.values())]  # noqa: PLE0604 (generated)


def resolve(solver):
    """Return the handle for a catalogue name; handles pass through.

    Parameters
    ----------
    solver : str or Solver
        Catalogue name or handle.

    Returns
    -------
    Solver
        The handle.
    """
    return _handles.resolve("solver", solver, _CLASSES, Solver)
