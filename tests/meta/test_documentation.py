"""Every public name is documented: numpydoc sections, and parameters that match the signature."""

import importlib
import inspect
import pkgutil
import re

import pytest

import thalweg as tw


def public_modules():
    names = [
        name
        for _, name, _ in pkgutil.walk_packages(tw.__path__, "thalweg.")
        if not any(part.startswith("_") for part in name.split(".")[1:])
    ]
    return [tw, *map(importlib.import_module, names)]


def public_objects():
    found = {}
    for module in public_modules():
        for name in getattr(module, "__all__", []):
            value = getattr(module, name)
            if callable(value) and value.__module__.startswith("thalweg"):
                found[f"{value.__module__}.{value.__qualname__}"] = value
    return found


OBJECTS = public_objects()
CASES = [pytest.param(value, id=name) for name, value in sorted(OBJECTS.items())]


def methods(cls):
    """Public methods that the package itself defines."""
    return {
        name: value
        for base in cls.__mro__
        if base.__module__.startswith("thalweg")
        for name, value in vars(base).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }


METHODS = {
    f"{cls_name}.{name}": method
    for cls_name, cls in OBJECTS.items()
    if inspect.isclass(cls)
    for name, method in methods(cls).items()
}
METHOD_CASES = [pytest.param(value, id=name) for name, value in sorted(METHODS.items())]


# Functions that other modules call and that users have no reason to.
INTERNAL = ("entry", "resolve")


def section(doc, title):
    """Lines of a numpydoc section, or None."""
    match = re.search(
        rf"^{title}\n-+\n(.*?)(?=^\S[^\n]*\n-{{3,}}\n|\Z)", doc, re.MULTILINE | re.DOTALL
    )
    return None if match is None else match.group(1)


def documented_names(text):
    """Names that a section describes: a line at the margin may name several, on several lines."""
    joined = text.replace("\\\n", " ").replace(",\n", ", ")
    heads = re.findall(r"^(\*{0,2}\w[\w\s,*]*?)(?: : .*)?$", joined, re.MULTILINE)
    return [name.strip(" *") for head in heads for name in head.split(",") if name.strip(" *")]


def check_parameters(function, doc):
    parameters = inspect.signature(function).parameters
    variable = {
        name for name, p in parameters.items() if p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    }
    names = set(parameters) - variable - {"self"}
    if not names:
        return
    text = section(doc, "Parameters")
    assert text is not None, "has no section Parameters"
    described = documented_names(text)
    assert len(described) == len(set(described))
    assert set(described) - variable == names


@pytest.mark.parametrize("value", CASES)
def test_public_objects_are_documented(value):
    doc = inspect.getdoc(value)
    assert doc, "has no docstring"
    first = doc.splitlines()[0]
    assert first.endswith("."), first
    assert len(first) < 100
    if inspect.isclass(value) and section(doc, "Attributes") and not section(doc, "Parameters"):
        return  # a record that the package makes: its fields are documented as attributes
    check_parameters(value, doc)


@pytest.mark.parametrize("value", METHOD_CASES)
def test_public_methods_are_documented(value):
    doc = inspect.getdoc(value)
    assert doc, "has no docstring"
    assert doc.splitlines()[0].endswith(".")
    check_parameters(value, doc)


@pytest.mark.parametrize("value", [case for case in CASES if inspect.isfunction(case.values[0])])
def test_public_functions_say_what_they_return_and_show_it(value):
    doc = inspect.getdoc(value)
    assert section(doc, "Returns")
    if value.__name__ not in INTERNAL:
        assert section(doc, "Examples")


@pytest.mark.parametrize("module", public_modules(), ids=lambda module: module.__name__)
def test_modules_are_documented(module):
    assert module.__doc__
    assert module.__doc__.strip().splitlines()[0]
    for name in getattr(module, "__all__", []):
        assert hasattr(module, name), name


def test_docstring_examples_run(run_python):
    script = """
        import doctest, importlib, sys
        import warnings
        failed = 0
        for name in sys.argv[1:]:
            failed += doctest.testmod(importlib.import_module(name)).failed
        sys.exit(failed)
    """
    names = {value.__module__ for value in OBJECTS.values()}
    process = run_python(script, *sorted(names), check=False)
    assert process.returncode == 0, process.stdout
