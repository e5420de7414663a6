"""Named benchmark problems: real data sets and seeded simulations, a catalogue per kind of target.

`prepare(table, name)` returns a `Problem`. Dense designs are float64 in C order with constant
columns dropped and the others standardised; sparse designs are CSR as loaded, in float64. The
target of the Lasso is centred; in the intercept table columns are scaled only and the target is
raw. Classes are integers 0, 1, ... Counts are divided by their exposure, which then weighs the
samples, and by their mean: without an intercept, that is what centring is for the Lasso.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

DEFAULT_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
RATIOS = (0.5, 0.1, 0.01, 0.001)  # of alpha to the Lasso's alpha_max
INVERSE_STRENGTHS = (0.01, 1.0, 100.0)  # C of classifiers
STRENGTHS = (1e-2, 1e-4, 1e-6)  # alpha of counts whose mean is one


class UnavailableError(Exception):
    """A problem cannot be built here; the message says why."""


@dataclass(frozen=True)
class Problem:
    """One design and target, ready for every solver."""

    name: str
    X: np.ndarray | sp.csr_matrix
    y: np.ndarray
    levels: tuple[float, ...] = RATIOS
    sample_weight: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.X.shape

    def save(self, folder: Path) -> None:
        """Write the arrays where a worker process under any NumPy version can read them."""
        folder.mkdir(parents=True, exist_ok=True)
        if sp.issparse(self.X):
            sp.save_npz(folder / "X.npz", self.X, compressed=False)
        else:
            np.save(folder / "X.npy", self.X)
        np.save(folder / "y.npy", self.y)
        if self.sample_weight is not None:
            np.save(folder / "sample_weight.npy", self.sample_weight)


def data_folder(given: str | None = None) -> Path:
    """Return the data folder: the argument, else THALWEG_DATA, else ../shared/data."""
    return Path(given or os.environ.get("THALWEG_DATA") or DEFAULT_DATA)


def _load(name: str, folder: Path):
    script = folder / "load.py"
    if not script.is_file():
        raise UnavailableError(f"no data folder at {folder} (use --data or THALWEG_DATA)")
    if not (folder / f"{name}.npz").is_file():
        raise UnavailableError(f"no {name}.npz in {folder}")
    spec = importlib.util.spec_from_file_location("thalweg_bench_data", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load(name, root=str(folder))


def _plain(name):
    def build(folder):
        X, y, _ = _load(name, folder)
        return X, y

    return build


def _signs(name):
    """Two classes as a regression on -1 and +1."""

    def build(folder):
        X, y, _ = _load(name, folder)
        return X, np.where(y > 0, 1.0, -1.0)

    return build


def _classes(name):
    def build(folder):
        X, y, _ = _load(name, folder)
        return X, y.astype(np.int64)

    return build


def _rates(name, mean_one=True):
    def build(folder):
        X, y, extras = _load(name, folder)
        exposure = extras.get("exposure")
        rate = y if exposure is None else y / exposure
        return X, rate / np.average(rate, weights=exposure) if mean_one else rate, exposure

    return build


def _extra_target(name, key):
    def build(folder):
        X, _, extras = _load(name, folder)
        return X, extras[key]

    return build


def _polynomial(name, degree, scale_first):
    def build(folder):
        from sklearn.preprocessing import PolynomialFeatures, StandardScaler

        X, y, _ = _load(name, folder)
        if scale_first:
            # Monomials of raw longitudes or incomes are collinear to rounding.
            X = StandardScaler().fit_transform(X)
        return PolynomialFeatures(degree, include_bias=False).fit_transform(X), y

    return build


def _simulation(n, p, seed, rho=0.5, two_classes=False):
    """AR(rho) Gaussian columns, a sparse true coefficient of +-1, signal-to-noise ratio 3.

    With `two_classes` the target is the sign.
    """

    def build(_folder):
        from scipy.signal import lfilter

        rng = np.random.default_rng(seed)
        X = rng.standard_normal((n, p))
        X[:, 1:] *= np.sqrt(1 - rho**2)
        X = np.ascontiguousarray(lfilter([1.0], [1.0, -rho], X, axis=1))
        coef = np.zeros(p)
        support = rng.choice(p, size=max(10, min(n, p) // 20), replace=False)
        coef[support] = rng.choice([-1.0, 1.0], size=support.size)
        signal = X @ coef
        noise = rng.standard_normal(n)
        noise *= np.linalg.norm(signal) / (3.0 * np.linalg.norm(noise))
        y = signal + noise
        return X, (y > 0).astype(np.int64) if two_classes else y

    return build


# name -> (builder, strengths of the penalty)
LASSO = {
    "golub_leukemia": (_signs("golub_leukemia"), RATIOS),
    "riboflavin": (_plain("riboflavin"), RATIOS),
    "bglr_mice": (_plain("bglr_mice"), RATIOS),
    "dorothea": (_signs("dorothea"), RATIOS),
    "farm_ads": (_signs("farm_ads"), RATIOS),
    "npm_tfidf": (_extra_target("npm_tfidf", "y_reg"), RATIOS),
    "california": (_polynomial("california", 3, scale_first=True), RATIOS),
    "bike_hour": (_polynomial("bike_hour", 2, scale_first=False), RATIOS),
    "eyedata": (_plain("eyedata"), RATIOS),
    "sim_500x20000": (_simulation(500, 20_000, 1), RATIOS),
    "sim_5000x2000": (_simulation(5_000, 2_000, 2), RATIOS),
    "sim_100000x100": (_simulation(100_000, 100, 3), RATIOS),
    "sim_1000x2000": (_simulation(1_000, 2_000, 4), (0.001,)),
}
LOGISTIC = {
    "a9a": (_classes("a9a"), INVERSE_STRENGTHS),
    "phishing": (_classes("phishing"), INVERSE_STRENGTHS),
    "celegans_splice": (_classes("celegans_splice"), INVERSE_STRENGTHS),
    "skin_poly3": (_classes("skin_poly3"), INVERSE_STRENGTHS),
    "npm_tfidf": (_classes("npm_tfidf"), INVERSE_STRENGTHS),
    "farm_ads": (_classes("farm_ads"), INVERSE_STRENGTHS),
    "sms_spam": (_classes("sms_spam"), INVERSE_STRENGTHS),
    "sim_200000x50": (_simulation(200_000, 50, 5, 0.9, two_classes=True), INVERSE_STRENGTHS),
    "sim_20000x500": (_simulation(20_000, 500, 6, 0.9, two_classes=True), INVERSE_STRENGTHS),
}
MULTINOMIAL = {
    "mnist_t10k": (_classes("mnist_t10k"), INVERSE_STRENGTHS),
    "letter": (_classes("letter"), INVERSE_STRENGTHS),
    "news20": (_classes("news20"), INVERSE_STRENGTHS),
}
POISSON = {
    "belgium_mtpl": (_rates("belgium_mtpl"), STRENGTHS),
    "mine_injuries": (_rates("mine_injuries"), STRENGTHS),
    "bike_hour": (_rates("bike_hour"), STRENGTHS),
    # All of log(mean) is left to the coefficients: nobody's model, but a hard start for a solver.
    "bike_hour_raw": (_rates("bike_hour", mean_one=False), STRENGTHS),
}
SMOOTH = {"logistic": LOGISTIC, "multinomial": MULTINOMIAL, "poisson": POISSON}


def catalog(table: str) -> dict:
    """Return the problems that a table can show, by name."""
    return SMOOTH.get(table, LASSO)


def _standardised(X: np.ndarray, centre: bool) -> np.ndarray:
    X = np.ascontiguousarray(X, dtype=np.float64)
    mean, scale = X.mean(axis=0), X.std(axis=0)
    # A column whose spread is rounding error of its mean is constant.
    kept = scale > 1e-10 * np.maximum(np.abs(mean), 1.0)
    X, mean, scale = X[:, kept], mean[kept], scale[kept]
    return np.ascontiguousarray((X - mean if centre else X) / scale)


def prepare(table: str, name: str, data: str | None = None) -> Problem:
    """Build the named problem as a table wants it.

    Parameters
    ----------
    table : str
        A table of `compare.py`.
    name : str
        A key of the table's `catalog`.
    data : str, optional
        Folder of the data sets; see `data_folder`.

    Raises
    ------
    UnavailableError
        If the name is unknown or its data are not there.
    """
    known, centre = catalog(table), table != "intercept"
    if name not in known:
        raise UnavailableError(f"unknown problem {name!r}; known: {', '.join(known)}")
    build, levels = known[name]
    X, y, *weight = build(data_folder(data))
    # float64 for all: in float32 the rivals cannot reach 1e-9, which would flatter Thalweg.
    X = sp.csr_matrix(X, dtype=np.float64) if sp.issparse(X) else _standardised(X, centre)
    if known is LASSO:
        y = np.asarray(y, dtype=np.float64)
        y = y - y.mean() if centre else y
    return Problem(name, X, y, levels, *weight)
