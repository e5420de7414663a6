"""Documents that would lie: code that does not run, commands and a stub that drifted."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def code_blocks(path, language):
    """Return the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)


def by_name(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", [p for p in DOCUMENTS if code_blocks(p, "python")], ids=by_name)
def test_python_blocks_run(path):
    """The blocks of a document run, one after the other."""
    names = {}
    for block in code_blocks(path, "python"):
        exec(compile(block, path.name, "exec"), names)


def test_readme_has_two_set_up_commands():
    """The two commands that a new user needs, as .ci/run reads them."""
    section = (ROOT / "README.md").read_text().partition("## Set up\n")[2].partition("\n## ")[0]
    commands = re.findall(r"^pip install.*", section, re.MULTILINE)
    assert len(commands) == 2
    assert commands[0] == "pip install . && python -m thalweg demo"
    assert commands[1] == "pip install '.[test]' && pytest"


def test_presets_in_documents_exist():
    """Every preset that a document names is in CMakePresets.json."""
    presets = (ROOT / "CMakePresets.json").read_text()
    for path in [*DOCUMENTS, ROOT / "CONTRIBUTING.md", ROOT / "cpp" / "README.md"]:
        for name in re.findall(r"--preset (\w+)", path.read_text()):
            assert f'"name": "{name}"' in presets, f"{path.name} names preset {name}"


def test_relative_links_of_documents_lead_somewhere():
    """Links between files of the repository are not broken."""
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "cpp" / "README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_stub_is_current():
    """`_core.pyi` says what the native module says of itself."""
    script = ROOT / "cpp" / "bindings" / "make_stub.py"
    process = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
