"""Folds that share second moments have the errors of folds that are solved one by one."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.model_selection import KFold, RepeatedKFold, ShuffleSplit

import thalweg as tw
from thalweg import _core
from thalweg.linear_model._folds import read_folds

N_SAMPLES, N_FEATURES, N_ALPHAS = 900, 23, 40
SHARED = "folds evaluated from second moments that the folds share"
OWN = "folds evaluated from second moments of its own, because "


def _problem(seed=0, shift=0.0):
    """Entries are multiples of 1/64, which float32 holds and a large shift leaves exact."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N_SAMPLES, 30)) @ rng.standard_normal((30, N_FEATURES))
    X = np.asfortranarray(np.round(64 * X) / 64)
    y = X[:, :5] @ rng.standard_normal(5) + 3 * rng.standard_normal(N_SAMPLES) + 7
    weight = rng.uniform(0.2, 2, N_SAMPLES) * (rng.random(N_SAMPLES) < 0.8)
    return X + shift, y, weight


STORED = {
    "F": _core.Design.dense,
    "C": lambda X: _core.Design.dense(np.ascontiguousarray(X)),
    "F float32": lambda X: _core.Design.dense(X.astype(np.float32, order="F")),
    "C float32": lambda X: _core.Design.dense(X.astype(np.float32, order="C")),
    "csc": lambda X: _csc(np.where(np.abs(X) > 3, X, 0)),
}


def _csc(X):
    X = sp.csc_array(X)
    return _core.Design.csc(X.data, X.indices, X.indptr, X.shape)


def _solve(design, y, splits, weight, *, alone=False, ratios=(1.0,), alphas=None, **settings):
    """Return the results of every (ratio, fold), of one request or of one request each."""
    folds = read_folds(splits, N_SAMPLES, weight)
    alphas = np.geomspace(30, 0.03, N_ALPHAS) if alphas is None else alphas
    tasks = [
        {"target": 0, "fold": fold, "penalty": m, "alphas": alphas}
        for m in range(len(ratios))
        for fold in range(len(folds["folds"]))
    ]
    rows = []
    for group in [[one] for one in tasks] if alone else [tasks]:
        results, pending = _core.solve(
            design,
            np.asfortranarray(y[:, None]),
            group,
            penalties=[{"name": "elastic_net", "parameters": {"l1_ratio": r}} for r in ratios],
            weights=weight,
            folds=folds,
            solver="gram",
            max_iter=100_000,
            **{"tol": 1e-10, "keep_coef": False, **settings},
        )
        assert pending is None
        rows += results
    return rows


def _heldout(results):
    assert all(result.status == "converged" for row in results for result in row)
    return np.array([[result.heldout for result in row] for row in results])


def _shares(results):
    return ["that the folds share" in result.reason for row in results for result in row]


@pytest.mark.parametrize("storage", STORED)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_errors_equal_those_of_folds_alone(storage, fit_intercept, standardize, weighted):
    X, y, weight = _problem()
    arguments = STORED[storage](X), y, list(KFold(5).split(X)), weight if weighted else None
    settings = {"fit_intercept": fit_intercept, "standardize": standardize, "ratios": (1.0, 0.5)}
    together = _solve(*arguments, **settings)
    alone = _solve(*arguments, alone=True, **settings)
    assert all(_shares(together))
    assert not any(_shares(alone))
    np.testing.assert_allclose(_heldout(together), _heldout(alone), rtol=1e-12)
    primal = [
        [result.certificate["primal"] for row in results for result in row]
        for results in (together, alone)
    ]
    np.testing.assert_allclose(*primal, rtol=1e-12)


@pytest.mark.parametrize(
    "cv",
    [
        KFold(4, shuffle=True, random_state=0),
        ShuffleSplit(4, test_size=0.25, random_state=0),
        RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
    ],
    ids=lambda cv: type(cv).__name__,
)
def test_any_complementary_folds_share(cv):
    X, y, weight = _problem(1)
    arguments = STORED["C"](X), y, list(cv.split(X)), weight
    together, alone = _solve(*arguments), _solve(*arguments, alone=True)
    assert all(_shares(together))
    np.testing.assert_allclose(_heldout(together), _heldout(alone), rtol=1e-12)


def test_folds_without_memory_for_all_matrices_make_their_own_again():
    """Of 120 folds and 460 features the matrices take more than what they may."""
    rng = np.random.default_rng(4)
    X = np.round(16 * rng.standard_normal((N_SAMPLES, 460))) / 16
    y = X[:, :5] @ rng.standard_normal(5) + 3 * rng.standard_normal(N_SAMPLES)
    splits = list(KFold(120).split(X))
    alphas = np.geomspace(1.0, 0.1, 30)
    for design in (STORED["C"](X), STORED["F"](np.asfortranarray(X))):
        together = _solve(design, y, splits, None, alphas=alphas)
        assert all(_shares(together))
        held = {result.shared_gram_bytes for row in together for result in row}
        assert held == {8 * 462**2}  # of all rows only
        alone = _solve(design, y, splits[7:8], None, alphas=alphas)
        np.testing.assert_allclose(_heldout(together)[7:8], _heldout(alone), rtol=1e-9)
        again = _solve(design, y, splits, None, alphas=alphas, n_threads=1)
        np.testing.assert_array_equal(_heldout(again), _heldout(together))


def _repeated(X):
    return [(np.append(train, train[0]), test) for train, test in KFold(3).split(X)]


@pytest.mark.parametrize(
    "splits",
    [lambda X: ShuffleSplit(3, train_size=0.5, test_size=0.25, random_state=0).split(X), _repeated],
)
def test_other_folds_do_not(splits):
    X, y, weight = _problem(2)
    arguments = STORED["F"](X), y, list(splits(X)), weight
    together, alone = _solve(*arguments), _solve(*arguments, alone=True)
    assert not any(_shares(together))
    np.testing.assert_array_equal(_heldout(together), _heldout(alone))


def test_errors_are_those_of_the_coefficients():
    X, y, weight = _problem(3)
    splits = list(KFold(3).split(X))
    results = _solve(STORED["F"](X), y, splits, weight, keep_coef=True, standardize=True)
    for (_, test), row in zip(splits, results, strict=True):
        for result in row:
            residual = (y - X @ result.coef - result.intercept)[test]
            expected = np.average(residual**2, weights=weight[test])
            assert result.heldout == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("standardize", [True, False])
def test_large_means_do_not_show(standardize):
    X, y, weight = _problem(4)
    far = _problem(4, shift=1e8)[0]
    splits = list(KFold(5).split(X))
    settings = {"standardize": standardize}
    expected = _solve(STORED["F"](X), y, splits, weight, **settings)
    for storage in ("F", "C"):
        results = _solve(STORED[storage](far), y, splits, weight, **settings)
        assert all(_shares(results))
        np.testing.assert_allclose(_heldout(results)[:, 1:], _heldout(expected)[:, 1:], rtol=1e-11)


@pytest.mark.parametrize("storage", ["F", "C", "csc"])
def test_a_fold_in_which_a_column_hardly_varies_is_built_from_its_rows(storage):
    X, y, weight = _problem(5)
    X[N_SAMPLES // 5 :, 3] = 0.0
    X[N_SAMPLES // 2, 3] = 4.0 / 64 if storage != "csc" else 4.0
    X[: N_SAMPLES // 5, 3] *= 100
    arguments = STORED[storage](X), y, list(KFold(5).split(X)), weight
    together, alone = _solve(*arguments), _solve(*arguments, alone=True)
    shares = np.array(_shares(together)).reshape(5, N_ALPHAS)
    assert not shares[0].any()
    assert shares[1:].all()
    assert all("because column 3 varies too little" in result.reason for result in together[0])
    np.testing.assert_allclose(_heldout(together), _heldout(alone), rtol=1e-12)


@pytest.mark.parametrize(
    "model",
    [
        tw.linear_model.LassoCV(),
        tw.linear_model.ElasticNetCV(
            l1_ratio=[0.3, 0.9], cv=KFold(4, shuffle=True, random_state=1)
        ),
    ],
    ids=lambda model: type(model).__name__,
)
def test_bits_do_not_depend_on_threads(model):
    X, y, weight = _problem(6)
    fits = [model.set_params(n_threads=k).fit(X, y, weight).mse_path_ for k in (1, 2)]
    assert np.array_equal(*fits)


def test_the_report_tells_what_was_shared():
    X, y, _ = _problem(7)
    report = tw.linear_model.LassoCV(cv=4).fit(X, y).report_
    assert SHARED in report.reason
    assert report.gram_bytes > (4 + 1) * N_FEATURES**2 * 8
    X[: N_SAMPLES // 4, 5] += 1e6
    assert OWN + "column 5" in tw.linear_model.LassoCV(cv=4).fit(X, y).report_.reason


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_named(bad):
    X, y, weight = _problem(8)
    X[10, 4] = bad
    with pytest.raises(ValueError, match=r"X contains .* \(row 10, column 4\)"):
        _solve(STORED["F"](np.asfortranarray(X)), y, list(KFold(3).split(X)), weight)
