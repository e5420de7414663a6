"""Handles: a catalogue name together with checked parameters.

One class is generated for each catalogue entry, so a new loss, penalty or solver shows up in
Python with its parameters and docstring, without a line of Python.
"""

import functools
import inspect

import numpy as np

from thalweg import registry
from thalweg._parameters import check


class Handle:
    """A catalogue entry with parameter values, immutable; the base of all generated handles.

    Attributes
    ----------
    entry : registry.Entry
        What the catalogue says of the class.
    parameters : dict
        Parameter values by name, as given or by default.
    """

    entry: registry.Entry
    __signature__: inspect.Signature
    _defaults: dict

    def __init__(self, *args, **kwargs):
        if args or not kwargs.keys() <= self._defaults.keys():  # binding is slow, so only then
            try:
                kwargs = self.__signature__.bind(*args, **kwargs).arguments
            except TypeError as error:
                raise TypeError(f"{type(self).__name__}{self.__signature__}: {error}") from None
        self.__dict__.update(self._defaults | kwargs)
        # A default may be outside of the interval: NaN, for a number that is not known.
        rules = {p.name: p.interval for p in self.entry.parameters if p.name in kwargs}
        check(type(self).__name__, kwargs, rules)

    @property
    def parameters(self):
        """Values of the entry's own parameters, by name."""
        return {p.name: getattr(self, p.name) for p in self.entry.parameters}

    def __setattr__(self, name, value):
        raise AttributeError(
            f"{type(self).__name__} does not change; make a new one to set {name}={value!r}."
        )

    def __repr__(self):
        given = (
            f"{name}={getattr(self, name)!r}"
            for name, parameter in self.__signature__.parameters.items()
            if not _same(getattr(self, name), parameter.default)
        )
        return f"{type(self).__name__}({', '.join(given)})"

    def __eq__(self, other):
        if type(self) is not type(other):
            return NotImplemented
        return all(_same(value, other.__dict__[name]) for name, value in self.__dict__.items())

    # Array-valued parameters have no hash; handles that compare equal have the same class.
    def __hash__(self):
        return hash(type(self))


def _same(a, b):
    if a is None or b is None or isinstance(a, str):
        return a is b or (isinstance(a, str) and a == b)
    return a is b or np.array_equal(a, b)  # NaN is the same as itself


def generate(base, kind, namespace, common=(), common_doc=""):
    """Define one subclass of `base` for each catalogue entry of `kind`.

    Parameters
    ----------
    base : type
        Subclass of `Handle`.
    kind : str
        Kind of catalogue entry.
    namespace : dict
        Globals of the module that the classes belong to.
    common : sequence of (str, object)
        Keyword-only parameters, with defaults, that every class of this kind takes besides the
        entry's own.
    common_doc : str
        Their numpydoc lines.

    Returns
    -------
    dict of str to type
        Generated classes by catalogue name.
    """
    classes = {}
    for name, entry in registry.catalog()[kind].items():
        class_name = "".join(part.capitalize() for part in name.split("_"))
        own = [
            inspect.Parameter(p.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=p.default)
            for p in entry.parameters
        ]
        shared = [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default)
            for key, default in common
        ]
        classes[name] = namespace[class_name] = type(
            class_name,
            (base,),
            {
                "__module__": namespace["__name__"],
                "__doc__": _docstring(entry, common_doc),
                "__signature__": inspect.Signature([*own, *shared]),
                "_defaults": {p.name: p.default for p in (*own, *shared)},
                "entry": entry,
            },
        )
    return classes


def _docstring(entry, common_doc):
    parts = [entry.summary]
    if entry.formula:
        parts.append(f"::\n\n    {entry.formula}")
    lines = [
        f"{p.name} : {'str' if isinstance(p.default, str) else 'float'}, in {p.interval}, "
        f"default={p.default!r}\n    {p.doc}"
        for p in entry.parameters
    ]
    if common_doc:
        lines.append(common_doc)
    if lines:
        parts.append("Parameters\n----------\n" + "\n".join(lines))
    if entry.reference:
        parts.append(f"References\n----------\n{entry.reference}")
    return "\n\n".join(parts) + "\n"


def resolve(kind, spec, classes, base):
    """Return the handle that `spec` (a catalogue name or a handle) stands for.

    Parameters
    ----------
    kind : str
        Kind of catalogue entry, as the message names it.
    spec : str or Handle
        What the caller gave.
    classes : dict of str to type
        Generated classes by catalogue name.
    base : type
        Class that a handle must be an instance of.

    Returns
    -------
    Handle
        The handle.

    Raises
    ------
    ValueError
        If a name is not in the catalogue.
    TypeError
        If `spec` is neither a name nor such a handle.
    """
    if isinstance(spec, base):
        return spec
    if not isinstance(spec, str):
        raise TypeError(
            f"{kind} must be a catalogue name or a handle from thalweg; "
            f"got {spec!r} of type {type(spec).__name__}."
        )
    return _with_defaults(classes[registry.entry(kind, spec).name])


@functools.cache
def _with_defaults(cls):
    return cls()
