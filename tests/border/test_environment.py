"""A new process: what an import costs, and which instruction set is used."""

import subprocess
import sys

import pytest

import thalweg as tw
from support import catalogue

NAMES = catalogue.any_combination()
HEAVY = ["sklearn", "scipy", "matplotlib", "tqdm", "pandas", "polars", "joblib", "torch"]


def test_import_is_light(run_python):
    script = """
        import sys
        import numpy
        before = set(sys.modules)
        import thalweg
        thalweg.info(), thalweg.__version__
        print(*sorted(set(sys.modules) - before))
    """
    modules = run_python(script).stdout.split()
    assert "thalweg._core" in modules
    assert not {name.split(".")[0] for name in modules} & set(HEAVY)
    assert len(modules) < 60


def test_solving_imports_neither_scikit_learn_nor_plots(run_python):
    script = """
        import sys
        import thalweg as tw
        loss, penalty = sys.argv[1:]
        tw.solve([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0], loss=loss, penalty=penalty, alpha=0.1)
        print(*{name.split(".")[0] for name in sys.modules})
    """
    modules = set(run_python(script, *NAMES.values()).stdout.split())
    assert not modules & {"sklearn", "matplotlib", "tqdm", "pandas"}


SOLVE = """
    import sys
    import thalweg as tw
    loss, penalty = sys.argv[1:]
    X, y, _ = tw.problems.regression(150, 300, seed=0)
    solution = tw.solve(X, y, loss=loss, penalty=penalty, alpha=0.05, tol=1e-12)
    print(tw.info()["isa"], solution.status, repr(float(solution.certificate.primal)))
    print(*map(repr, solution.coef.tolist()))
"""


@pytest.mark.parametrize("isa", tw.info()["isa_available"])
def test_a_pinned_instruction_set_is_used_and_solves_the_same(run_python, isa):
    head, coef = run_python(SOLVE, *NAMES.values(), THALWEG_ISA=isa).stdout.splitlines()
    used, status, primal = head.split()
    assert (used, status) == (isa, "converged")
    X, y, _ = tw.problems.regression(150, 300, seed=0)
    here = tw.solve(X, y, **NAMES, alpha=0.05, tol=1e-12)
    assert float(primal) == pytest.approx(here.certificate.primal, rel=1e-11)
    assert [float(c) for c in coef.split()] == pytest.approx(here.coef.tolist(), abs=1e-6)


@pytest.mark.parametrize("isa", ["mmx", "AVX2", "avx2 "])
def test_an_unknown_instruction_set_is_an_error(run_python, isa):
    process = run_python(SOLVE, *NAMES.values(), check=False, THALWEG_ISA=isa)
    assert process.returncode != 0
    last = process.stderr.strip().splitlines()[-1]
    assert last.startswith("ValueError")
    assert "THALWEG_ISA" in last
    assert isa in last


def test_the_best_instruction_set_is_used_by_default(run_python):
    output = run_python(SOLVE, *NAMES.values(), THALWEG_ISA="").stdout.split()
    assert output[0] == tw.info()["isa_available"][-1]


def test_info():
    info = tw.info()
    assert info["version"] == tw.__version__
    assert info["isa"] in info["isa_available"]
    assert info["isa_available"][0] == "baseline"
    assert info["max_threads"] >= 1
    assert set(info) >= {"openmp", "compiler", "build_type", "eigen"}


def test_the_demo_refuses_a_folder_that_does_not_exist_before_it_fits(tmp_path):
    path = tmp_path / "absent" / "plot.png"
    command = [sys.executable, "-m", "thalweg", "demo", "--output", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"cannot write to the folder {path.parent}" in done.stderr
