"""What this build offers, read from the native catalogue.

There is no list of names on the Python side: handles, docstrings, error messages and checks are
made from the entries here.
"""

import functools
from dataclasses import dataclass
from typing import NamedTuple

from thalweg import _core
from thalweg._parameters import choices

__all__ = ["Compatibility", "Entry", "Parameter", "catalog", "compatible", "entry", "info"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a catalogue entry.

    Attributes
    ----------
    name : str
        Name in Python.
    default : float or str
        Value that is used where none is given.
    interval : str
        Allowed values, as ``"[0, 1]"`` or ``"{cyclic, random}"``.
    doc : str
        What the parameter means.
    """

    name: str
    default: object
    interval: str
    doc: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One loss, penalty, design or solver of the catalogue.

    Attributes
    ----------
    kind : str
        "design", "loss", "penalty" or "solver".
    name : str
        Catalogue name, as ``loss=``, ``penalty=`` and ``solver=`` take it.
    summary, formula, reference : str
        One line each.
    parameters : tuple of Parameter
        Parameters with defaults and intervals.
    flags : dict of str to bool
        Properties that tests, solvers and estimators rely on.
    requires : tuple of str
        For a solver: what it needs of the design, the loss and the penalty.
    """

    kind: str
    name: str
    summary: str
    formula: str
    reference: str
    parameters: tuple[Parameter, ...]
    flags: dict[str, bool]
    requires: tuple[str, ...]

    def __str__(self):
        lines = [f"{self.kind} {self.name}: {self.summary}"]
        if self.formula:
            lines.append(f"    {self.formula}")
        lines += [f"    {p.name} = {p.default!r} in {p.interval}: {p.doc}" for p in self.parameters]
        if self.requires:
            lines.append(f"    needs {', '.join(self.requires)}")
        if self.reference:
            lines.append(f"    [{self.reference}]")
        return "\n".join(lines)


class Catalog(dict):
    """Catalogue entries by kind and name; ``print(tw.catalog())`` reads well."""

    def __str__(self):
        return "\n".join(str(e) for entries in self.values() for e in entries.values())


class Compatibility(NamedTuple):
    """Whether one solver serves one combination, and why not.

    Parameters
    ----------
    solver, loss, penalty, design : str
        Names of catalogue entries.
    compatible : bool
        Whether the solver serves the other three.
    reason : str
        The requirement that is not met; empty where compatible.
    """

    solver: str
    loss: str
    penalty: str
    design: str
    compatible: bool
    reason: str


@functools.cache
def _entries():
    return {
        kind: {
            raw["name"]: Entry(
                kind=kind,
                name=raw["name"],
                summary=raw["summary"],
                formula=raw["formula"],
                reference=raw["reference"],
                parameters=tuple(_parameter(p) for p in raw["parameters"]),
                flags=dict(raw["flags"]),
                requires=tuple(raw["requires"]),
            )
            for raw in raws
        }
        for kind, raws in _core.catalog().items()
    }


def _parameter(raw):
    default = raw["default"]
    # The core keeps every default as a float; for a choice it is the position of the name.
    if raw["interval"].startswith("{") and not isinstance(default, str):
        default = choices(raw["interval"])[int(default)]
    elif raw["interval"].startswith("int "):
        default = int(default)
    return Parameter(raw["name"], default, raw["interval"], raw["doc"])


def catalog():
    """Return every design, loss, penalty and solver of this build.

    Returns
    -------
    Catalog
        ``catalog()[kind][name]`` is an `Entry` with summary, formula, reference, parameters,
        flags and requirements. Printing it shows them all.

    Examples
    --------
    >>> import thalweg as tw
    >>> tw.catalog()["penalty"]["elastic_net"].parameters[0].interval
    '[0, 1]'
    """
    return Catalog({kind: dict(entries) for kind, entries in _entries().items()})


def entry(kind, name):
    """Return one catalogue entry.

    Parameters
    ----------
    kind : str
        "design", "loss", "penalty" or "solver".
    name : str
        Catalogue name.

    Returns
    -------
    Entry
        The entry.

    Raises
    ------
    ValueError
        If the catalogue has no such name; the message lists the names that it has.
    """
    entries = _entries()[kind]
    try:
        return entries[name]
    except (KeyError, TypeError):
        raise ValueError(
            f"{kind} must be one of {', '.join(map(repr, entries))} or a handle from "
            f"thalweg; got {name!r}."
        ) from None


def compatible(loss=None, penalty=None, design=None):
    """Tell which solvers serve which combinations of loss, penalty and design.

    A design is the matrix as a solver sees it: `solve` and the estimators convert a sparse one
    once into the orientation that their solver needs, so that they also fit to "csr" what is
    served as "csc", and the other way round.

    Parameters
    ----------
    loss, penalty, design : str, optional
        Catalogue names; None means all of them.

    Returns
    -------
    list of Compatibility
        Named tuples (solver, loss, penalty, design, compatible, reason); `reason` names the
        unmet requirement and is empty where the combination is served.

    Raises
    ------
    ValueError
        If a name is not in the catalogue.

    Examples
    --------
    >>> import thalweg as tw
    >>> row = tw.compatible("squared", "l1", "dense")[0]
    >>> row.solver, row.compatible
    ('auto', True)
    """
    for kind, name in (("loss", loss), ("penalty", penalty), ("design", design)):
        if name is not None:
            entry(kind, name)
    rows = _core.compatible(loss=loss, penalty=penalty, design=design)
    return [Compatibility(**row) for row in rows]


def info():
    """Return the version, the instruction set in use, the threads and the build options.

    Returns
    -------
    dict
        As the native module reports it: version, isa, isa_available, openmp, max_threads,
        compiler, build_type, eigen.

    Examples
    --------
    >>> import thalweg as tw
    >>> tw.info()["version"] == tw.__version__
    True
    """
    return dict(_core.info())
