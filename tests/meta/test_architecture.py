"""The arrows between the folders of the C++ core, as cpp/README.md draws them."""

import re
from pathlib import Path

import pytest

INCLUDE = Path(__file__).resolve().parents[2] / "cpp" / "include" / "thalweg"
MAY_INCLUDE = {
    "core": set(),
    "kernels": {"core"},
    "design": {"core", "kernels"},
    "loss": {"core", "kernels"},
    "penalty": {"core"},
    "objective": {"core", "kernels", "design", "loss", "penalty"},
    "line_search": {"core", "objective"},
    "solver": {"core", "kernels", "design", "loss", "penalty", "objective", "line_search"},
}


@pytest.mark.parametrize("folder", sorted(p.name for p in INCLUDE.iterdir() if p.is_dir()))
def test_includes_follow_the_arrows(folder):
    """No header includes one of a folder that its own must not know."""
    for path in sorted((INCLUDE / folder).iterdir()):
        included = re.findall(r'#include "thalweg/(\w+)/', path.read_text())
        # The generated lists of entries are of no folder.
        strangers = set(included) - MAY_INCLUDE[folder] - {folder, "catalog"}
        assert not strangers, f"{folder}/{path.name} includes {strangers}"
