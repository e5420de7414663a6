"""Thalweg: certified, fast optimization for machine learning.

Everything is imported on use, so that ``import thalweg`` costs little more than NumPy:

- `minimize`: smooth functions with SciPy's signature; `scipy_method`, `check_grad` beside it;
- `solve`, `solve_path`: fit any catalogued loss and penalty, with a certificate;
- `linear_model`: estimators with scikit-learn's names, parameters and attributes;
- `losses`, `penalties`, `solvers`: handles (a catalogue name and checked parameters);
- `catalog`, `compatible`, `info`: what this build offers;
- `plot`, `problems`, `checks`: convergence plots, seeded problems, independent certificate checks.

Examples
--------
>>> import thalweg as tw
>>> solution = tw.solve([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0], loss="squared",
...                     penalty=tw.penalties.L1(), alpha=0.1)
>>> solution.status
'converged'
"""

import importlib

from thalweg._core import __version__

# Names that are not submodules, and the modules that define them.
_ATTRIBUTES = {
    "minimize": "thalweg._minimize",
    "scipy_method": "thalweg._minimize",
    "check_grad": "thalweg._check_grad",
    "GradientCheck": "thalweg._check_grad",
    "solve": "thalweg.optimize",
    "solve_path": "thalweg.optimize",
    "Solution": "thalweg.solution",
    "Path": "thalweg.solution",
    "catalog": "thalweg.registry",
    "compatible": "thalweg.registry",
    "info": "thalweg.registry",
}

__all__ = [
    "GradientCheck",
    "Path",
    "Solution",
    "__version__",
    "catalog",
    "check_grad",
    "checks",
    "compatible",
    "info",
    "linear_model",
    "losses",
    "minimize",
    "penalties",
    "plot",
    "problems",
    "registry",
    "report",
    "scipy_method",
    "solve",
    "solve_path",
    "solvers",
]


def __getattr__(name):
    if name in _ATTRIBUTES:
        value = globals()[name] = getattr(importlib.import_module(_ATTRIBUTES[name]), name)
        return value
    if name in __all__:
        return importlib.import_module(f"thalweg.{name}")
    raise AttributeError(f"module 'thalweg' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
