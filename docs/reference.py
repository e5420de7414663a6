"""Generate the pages of the API reference and of the catalogue.

They follow from `__all__` of the package and its modules and from `thalweg.catalog()`, so that no
public name is left out; tests/meta/ checks that each has a complete docstring.
"""

import inspect
from pathlib import Path
from types import ModuleType

import thalweg

GENERATED = Path(__file__).parent / "api" / "generated"


def public(module, skip=()):
    """Return the objects of a module's `__all__` by name, without those in `skip`."""
    objects = {name: getattr(module, name) for name in module.__all__ if not name.startswith("__")}
    return {name: value for name, value in objects.items() if not any(value is s for s in skip)}


def areas():
    """Return public modules and their objects; an object belongs to the first that lists it."""
    top = public(thalweg)
    result = {thalweg: {k: v for k, v in top.items() if not isinstance(v, ModuleType)}}
    seen = list(result[thalweg].values())
    for module in top.values():
        if isinstance(module, ModuleType):
            result[module] = public(module, seen)
    return result


def methods(cls):
    """Return public methods and properties that this package defines, by name."""
    found = {}
    for owner in reversed(cls.__mro__):
        if owner.__module__.startswith("thalweg"):
            own = {name: value for name, value in vars(owner).items() if not name.startswith("_")}
            found |= {n: v for n, v in own.items() if callable(v) or isinstance(v, property)}
    return found


def own_methods(cls, page):
    """Return the methods of a class without those that a base class on the same page has."""
    bases = [methods(base) for base in cls.__mro__[1:] if base in page]
    return {n: m for n, m in methods(cls).items() if not any(b.get(n) is m for b in bases)}


def heading(text, mark):
    """Return a reStructuredText heading."""
    return f"{text}\n{mark * len(text)}\n"


def module_page(module, objects):
    """Return the reference page of one module."""
    lines = [heading(module.__name__, "="), f".. automodule:: {module.__name__}\n   :no-members:\n"]
    for name, value in objects.items():
        kind = "class" if inspect.isclass(value) else "function"
        lines.append(heading(name, "-") + f"\n.. auto{kind}:: {module.__name__}.{name}")
        # One by one, since estimators also inherit what scikit-learn documents.
        members = own_methods(value, objects.values()) if kind == "class" else {}
        if members:
            lines.append(f"   :members: {', '.join(members)}")
        lines.append("")
    return "\n".join(lines)


def catalog_page():
    """Return the page of the catalogue and of what serves what."""
    lines = [
        "# Catalogue\n",
        "What this build offers, as `thalweg.catalog()` returns it. The names are those that",
        "`loss=`, `penalty=` and `solver=` take.\n",
    ]
    for kind, entries in thalweg.catalog().items():
        lines.append(f"## {kind.capitalize()}\n")
        for entry in entries.values():
            lines += [f"### {entry.name}\n", f"{entry.summary}\n", f"    {entry.formula}\n"]
            lines += [
                f"- `{p.name}` = {p.default} in {p.interval}: {p.doc}" for p in entry.parameters
            ]
            true = [name for name, value in entry.flags.items() if value]
            lines += [f"- Properties: {', '.join(true)}"] if true else []
            lines += [f"- Needs: {', '.join(entry.requires)}"] if entry.requires else []
            lines += [f"- Reference: {entry.reference}", ""]
    lines += [
        "## What serves what\n",
        "| solver | design | loss | penalty | |",
        "|---|---|---|---|---|",
    ]
    for row in thalweg.compatible():
        answer = "yes" if row.compatible else f"no: {row.reason}"
        lines.append(f"| {row.solver} | {row.design} | {row.loss} | {row.penalty} | {answer} |")
    return "\n".join([*lines, ""])


def generate(app):  # noqa: ARG001 (Sphinx's signature)
    """Write the pages, only where they changed."""
    pages = {f"{m.__name__}.rst": module_page(m, objects) for m, objects in areas().items()}
    pages["catalog.md"] = catalog_page()
    GENERATED.mkdir(parents=True, exist_ok=True)
    for path in GENERATED.iterdir():
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        path = GENERATED / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def setup(app):
    """Register with Sphinx."""
    app.connect("builder-inited", generate)
    return {"parallel_read_safe": True}
