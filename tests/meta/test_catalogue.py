"""The catalogue, the header files, the Python names and the documentation agree."""

import re

import pytest

import thalweg as tw
from conftest import ROOT
from support import catalogue

CORE = ROOT / "cpp" / "include" / "thalweg"
KINDS = list(catalogue.CATALOG)
ENTRIES = [entry for entries in catalogue.CATALOG.values() for entry in entries.values()]
entry_cases = pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: f"{e.kind}-{e.name}")
HANDLES = {"loss": tw.losses, "penalty": tw.penalties, "solver": tw.solvers}


@pytest.fixture(scope="module")
def definitions():
    """(kind, name) -> class name, as catalog.def has them."""
    text = (CORE / "catalog.def").read_text()
    lines = re.findall(r"^THALWEG_([A-Z_]+)\((\w+), (\w+)\)$", text, flags=re.MULTILINE)
    assert len(lines) == text.count("\nTHALWEG_")
    # Solvers of quadratic and of smooth problems are one kind to users.
    kinds = {"quadratic_solver": "solver", "smooth_solver": "solver"}
    return {(kinds.get(kind.lower(), kind.lower()), name): cls for kind, name, cls in lines}


def test_every_line_of_the_registry_is_in_the_build_and_back(definitions):
    assert set(definitions) == {(entry.kind, entry.name) for entry in ENTRIES}


def test_every_line_has_its_header_with_its_class(definitions):
    for (kind, name), cls in definitions.items():
        header = CORE / kind / f"{name}.hpp"
        assert header.is_file(), header
        assert re.search(rf"\b(struct|class|using) {cls}\b", header.read_text()), header


def test_headers_open_with_a_comment():
    for header in CORE.rglob("*.hpp"):
        assert header.read_text().startswith("// "), header


@entry_cases
def test_entries_describe_themselves(entry):
    assert entry.summary
    assert entry.summary[0].isupper()
    assert entry.summary.endswith(".")
    assert entry.reference or entry.kind == "design"
    assert entry.formula or entry.kind == "design"
    assert str(entry).startswith(f"{entry.kind} {entry.name}: ")
    for parameter in entry.parameters:
        assert parameter.doc
        assert parameter.name.isidentifier()
        assert catalogue.interval_values(parameter.interval)


@entry_cases
def test_flags_agree_on_their_names(entry):
    kinds = {frozenset(e.flags) for e in catalogue.CATALOG[entry.kind].values()}
    assert len(kinds) == 1, "entries of one kind declare the same flags"
    assert all(isinstance(value, bool) for value in entry.flags.values())


def test_requirements_are_flags_that_something_declares():
    declared = {flag for entry in ENTRIES for flag in entry.flags}
    for entry in catalogue.CATALOG["solver"].values():
        assert set(entry.requires) <= declared


@pytest.mark.parametrize("kind", HANDLES)
def test_every_entry_has_a_handle_and_every_handle_an_entry(kind):
    module = HANDLES[kind]
    classes = [getattr(module, name) for name in module.__all__]
    handles = {cls.entry.name: cls for cls in classes if hasattr(cls, "entry")}
    assert set(handles) == set(catalogue.CATALOG[kind])
    for name, cls in handles.items():
        handle = module.resolve(name)
        assert type(handle) is cls
        assert module.resolve(handle) is handle
        assert handle == cls()
        assert handle.parameters == {p.name: p.default for p in cls.entry.parameters}
        assert repr(handle) == f"{cls.__name__}()"
        assert cls.__doc__.startswith(cls.entry.summary)
        assert cls.entry.formula in cls.__doc__


@pytest.mark.parametrize("kind", HANDLES)
def test_handles_do_not_change(kind):
    for name in catalogue.CATALOG[kind]:
        handle = HANDLES[kind].resolve(name)
        with pytest.raises(AttributeError, match="does not change"):
            handle.anything = 1.0


def test_the_printed_catalogue_names_everything():
    text = str(tw.catalog())
    assert all(f"{entry.kind} {entry.name}: {entry.summary}" in text for entry in ENTRIES)


def test_the_copy_that_users_get_is_theirs():
    mine = tw.catalog()
    mine[KINDS[0]].clear()
    assert tw.catalog()[KINDS[0]]
