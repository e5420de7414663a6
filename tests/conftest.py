"""Fixtures of the whole suite: seeds, data, and a package that was built."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
SEED_VARIABLE = "THALWEG_TEST_SEED"
DATA_VARIABLE = "THALWEG_TEST_DATA"


def _session_seed():
    """Seed of this run, that of the environment or a new one for it, which workers inherit."""
    new = int(np.random.SeedSequence().entropy % 2**32)
    return int(os.environ.setdefault(SEED_VARIABLE, str(new)))


SESSION_SEED = _session_seed()


def pytest_report_header():
    """Print what a failure needs to be repeated."""
    import thalweg as tw

    info = tw.info()
    return [
        f"random seed: {SESSION_SEED} (repeat with {SEED_VARIABLE}={SESSION_SEED})",
        f"thalweg {info['version']}: {info['isa']}, {info['max_threads']} threads, {tw.__file__}",
    ]


def pytest_generate_tests(metafunc):
    """Run tests that take `seed` with a fixed seed and with the session's random one."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", [0, SESSION_SEED], ids=["fixed", "random"])


@pytest.fixture
def rng():
    """A generator with a fixed seed."""
    return np.random.default_rng(20240229)


@pytest.fixture(scope="session")
def load():
    """Loader of a real data set by name: ``X, y, extras``; skips where it is absent."""
    default = ROOT.parent / "shared" / "data"
    folder = Path(os.environ.get(DATA_VARIABLE, default))

    def loader(name):
        from scipy import sparse

        path = folder / f"{name}.npz"
        if not path.exists():
            pytest.skip(f"no {path.name}: set {DATA_VARIABLE} to a folder that has the data sets")
        with np.load(path) as arrays:
            extras = {key: arrays[key] for key in arrays.files}
        y = extras.pop("y")
        X = extras.pop("X", None)
        return (sparse.load_npz(folder / f"{name}.X.npz") if X is None else X), y, extras

    return loader


@pytest.fixture
def run_python():
    """Run a script in a new interpreter that finds the same package; return its output."""
    import subprocess
    import textwrap

    import thalweg as tw

    package = str(Path(tw.__file__).resolve().parents[1])

    def run(script, *arguments, check=True, **environment):
        path = os.pathsep.join([package, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        process = subprocess.run(
            [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *arguments],
            env={**os.environ, "PYTHONPATH": path, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if check:
            assert process.returncode == 0, process.stderr
        return process

    return run
