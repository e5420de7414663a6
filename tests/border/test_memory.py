"""What fits hold at most: of tall designs with few columns less than a vector over the rows."""

import subprocess
import sys
from pathlib import Path

import pytest

from support import catalogue

N_SAMPLES, N_FEATURES = 3_000_000, 4
VECTOR = 8 * N_SAMPLES
NAMES = catalogue.any_combination()
# A process of its own, whose high-water mark is that of the fit.
PROGRAM = """
import sys
from pathlib import Path
from types import SimpleNamespace
import numpy as np
import thalweg as tw
import thalweg.linear_model as lm

n, p = int(sys.argv[1]), int(sys.argv[2])
model, X, small = eval(sys.argv[3]), np.empty((n, p), order=sys.argv[4]), np.eye(50, p)
rng = np.random.default_rng(0)
for rows in range(0, n, 100_000):
    X[rows : rows + 100_000] = rng.standard_normal((len(X[rows : rows + 100_000]), p))
y = np.zeros(n)
for j in range(min(p, 20)):
    for rows in range(0, n, 100_000):
        y[rows : rows + 100_000] += (j + 1) * X[rows : rows + 100_000, j]
y[::2] += float(sys.argv[5])  # none: the columns explain y
model.fit(small, np.arange(50.0))

def status(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))

Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
model.fit(X, y)
gram = model.report_.gram_bytes if hasattr(model, "report_") else 0
print(status("VmHWM") - before, gram)
"""


def _can_reset():
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


pytestmark = pytest.mark.skipif(
    not _can_reset(), reason="needs Linux's high-water mark of resident memory"
)


def _peak(model, noise, order, shape=(N_SAMPLES, N_FEATURES)):
    """Return the bytes that a fit takes at most, and those that it reports of Gram matrices."""
    sizes = [str(size) for size in shape]
    command = [sys.executable, "-c", PROGRAM, *sizes, model, order, str(noise)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(number) for number in done.stdout.split()]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("noise", [3.0, 0.0])
@pytest.mark.parametrize(
    ("model", "vectors"),
    [
        ("lm.Lasso(alpha=0.5)", 0.9),
        ("lm.Lasso(alpha=0.0, fit_intercept=False)", 0.9),
        (f"SimpleNamespace(fit=lambda X, y: tw.solve(X, y, alpha=0.5, **{NAMES}))", 0.9),
        ("lm.Ridge()", 0.9),
        ("lm.LinearRegression()", 0.9),
        ("lm.LassoCV(alphas=20)", 0.9),  # codes: a byte per row
    ],
)
def test_no_vector_over_the_rows_is_held(model, vectors, noise, order):
    assert _peak(model, noise, order)[0] < vectors * VECTOR


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_robust_fit_holds_three(order):
    assert _peak("lm.HuberRegressor()", 3.0, order)[0] < 3.6 * VECTOR


@pytest.mark.parametrize("order", ["C", "F"])
def test_folds_leave_no_outgrown_matrices(order):
    shape = (9_000, 3_000)
    peak, gram = _peak("lm.LassoCV(alphas=10, n_threads=4)", 3.0, order, shape)
    assert peak < 32e6 + 1.5 * gram
