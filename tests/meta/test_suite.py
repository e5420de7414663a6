"""Rules for the tests themselves."""

import re

import pytest

from conftest import ROOT
from support import catalogue

FILES = sorted((ROOT / "tests").rglob("*.py"))
file_cases = pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
# Words that also mean other things in Python code, or that sections of a report are called.
NAMES = sorted(name for kind in ("loss", "penalty", "solver") for name in catalogue.CATALOG[kind])
FORBIDDEN = ["x" + "fail", "re" + "run", "fla" + "ky", "re" + "tries"]


@file_cases
def test_only_reference_tests_name_a_loss_a_penalty_or_a_solver(path):
    if "reference" in path.parts:
        return
    text = path.read_text()
    named = [name for name in NAMES if re.search(rf"[\"']{name}[\"']", text)]
    handles = re.findall(r"\b(?:penalties|losses|solvers)\.([A-Z]\w+)", text)
    assert not named + handles


@file_cases
def test_no_test_is_expected_to_fail_or_run_again(path):
    text = path.read_text()
    assert not [word for word in FORBIDDEN if re.search(rf"\b{word}\b", text)]


@file_cases
def test_files_are_short(path):
    assert len(path.read_text().splitlines()) < 400


def test_the_catalogue_is_not_empty():
    assert len(catalogue.SERVED) >= 2
    assert all(row.reason for row in catalogue.UNSERVED)
