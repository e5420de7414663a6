"""Wrong parameters of estimators and functions: each error names the one that was passed."""

import inspect
from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse

import thalweg as tw
from support import catalogue, estimators

NAMES = catalogue.any_combination()
X = np.random.default_rng(0).standard_normal((20, 4))
Y = X @ [1.0, -1.0, 0.5, 0.0] + 0.1 * np.arange(20)

# Values that no parameter can take, but those listed beside them.
WRONG = {
    "text": ("no such value", ()),
    "NaN": (np.nan, ()),
    "object": (object(), ()),
    "mapping": ({"a": 1}, ()),
    "complex": (1j, ()),
    "huge": (10**400, ()),
    "negative": (-3, ("n_jobs", "power")),
    "negative fraction": (Fraction(-1, 2), ("power",)),
    "True": (True, ("BOOLEAN", "precompute", "verbose")),
    "NumPy scalar": (np.float64(-0.5), ("power",)),
    "array": (np.array([-1.0, np.nan]), ()),
    "nothing": ([], ("callbacks",)),
}


def solve(**options):
    return tw.solve(X, Y, **{**NAMES, "alpha": 0.1, **options})


def solve_path(**options):
    return tw.solve_path(X, Y, **{**NAMES, **options})


def callers():
    for cls in estimators.CLASSES:
        yield (
            cls.__name__,
            cls,
            lambda cls=cls, **options: cls(**options).fit(X, estimators.target(cls, Y)),
        )
    for function in estimators.FUNCTIONS:
        run = lambda function=function, **options: function(X, Y, **options)  # noqa: E731
        yield function.__name__, function, run
    yield "solve", tw.solve, solve
    yield "solve_path", tw.solve_path, solve_path


CASES = [
    pytest.param(run, name, parameter.default, id=f"{owner}-{name}")
    for owner, function, run in callers()
    for name, parameter in inspect.signature(function).parameters.items()
    if name not in ("X", "y")
]


@pytest.fixture
def no_work(monkeypatch):
    from thalweg import _core

    def fail(*args, **kwargs):
        raise AssertionError("the core was called")

    monkeypatch.setattr(_core, "solve", fail)


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize(("run", "name", "default"), CASES)
def test_errors_name_the_parameter_as_it_was_passed(run, name, default, what):
    value, allowed = WRONG[what]
    if name in allowed or ("BOOLEAN" in allowed and isinstance(default, bool)):
        pytest.skip(f"{name} takes this")
    with pytest.raises((ValueError, TypeError)) as caught:
        run(**{name: value})
    message = str(caught.value)
    assert name in message
    assert any(word in message for word in ("got", "Got", "contains", "has", "hold")), message


@pytest.mark.parametrize(("run", "name", "default"), CASES)
def test_numpy_scalars_are_taken_like_python_numbers(run, name, default):
    if isinstance(default, bool):
        run(**{name: np.bool_(default)})
    elif isinstance(default, (int, float)):
        run(**{name: np.asarray(default)[()]})
    else:
        pytest.skip("not a number")


@pytest.mark.parametrize("cls", estimators.CHOOSING, ids=estimators.name)
@pytest.mark.parametrize(
    ("cv", "message"),
    [
        ([3], r"cv must be .* got \[3\]"),
        ([0.5, 0.5], "cv must be .* pairs of rows, got"),
        ("five", "cv must be .* got 'five'"),
        (1, "cv must be .* got 1: .*n_splits=2 or more"),
        (21, "cv must be .* got 21: .*greater than the number of samples"),
        (True, "cv must be .* got True"),
        (2.0, "cv must be .* got 2.0"),
        (iter(()), "cv must yield at least one"),
        ([], "cv must yield at least one"),
        ([([], [1])], "the train side of fold 0 has no row"),
        ([([0, 1], [2]), ([0, 1], [])], "the test side of fold 1 has no row"),
        ([([0, 1], [20])], "cv must yield rows of X, which has 20.* test side of fold 0.*20"),
        ([([-21, 1], [2])], "cv must yield rows of X.* train side of fold 0.*-21"),
        ([([0, 1], [0.5])], r"cv must yield rows of X.* test side of fold 0.*\[0.5\]"),
        ([(["a"], [1])], r"cv must yield rows of X.* train side of fold 0.*\['a'\]"),
        ([([[0], [1]], [2])], "cv must yield rows of X.* train side of fold 0.* 1d"),
        ([(np.ones(19, bool), [2])], "cv must yield rows of X.* train side of fold 0.*19"),
        ([(None, [2])], "cv must yield rows of X.* train side of fold 0.*None"),
    ],
)
def test_bad_folds_are_named(cls, cv, message):
    with pytest.raises((ValueError, TypeError), match=message):
        cls(cv=cv).fit(X, Y)


@pytest.mark.parametrize("function", [tw.solve_path, *estimators.FUNCTIONS], ids=estimators.name)
def test_ranges_are_strengths_of_paths(function):
    names = NAMES if function is tw.solve_path else {}
    paths = [function(X, Y, alphas=alphas, **names) for alphas in (range(1, 4), [1, 2, 3])]
    alphas = [path[0] if isinstance(path, tuple) else path.alphas for path in paths]
    np.testing.assert_array_equal(*alphas)


@pytest.mark.parametrize("cls", estimators.CHOOSING, ids=estimators.name)
def test_ranges_are_choices(cls):
    for name, values in (("alphas", range(1, 4)), ("l1_ratio", range(2))):
        if cls in estimators.taking(name):
            options = {"alphas": [0.1, 0.2], name: values}
            model, same = (cls(**{**options, name: v}).fit(X, Y) for v in (values, list(values)))
            np.testing.assert_array_equal(model.mse_path_, same.mse_path_)


@pytest.mark.parametrize("function", estimators.FUNCTIONS, ids=estimators.name)
@pytest.mark.parametrize("kind", [np.asarray, sparse.csc_array])
def test_products_of_another_target_are_refused(function, kind):
    function(kind(X), Y, alphas=2, Xy=X.T @ Y)
    with pytest.raises(ValueError, match=r"Xy must be X' y .*feature 2 .*got"):
        function(kind(X), Y, alphas=2, Xy=X.T @ Y + [0, 0, 1e-3, 0])


@pytest.mark.parametrize("cls", estimators.CHOOSING, ids=estimators.name)
def test_a_splitter_must_yield_pairs(cls):
    class Splitter:
        def get_n_splits(self, X=None, y=None, groups=None):
            return 2

        def split(self, X, y=None, groups=None):
            yield [0, 1], [2]
            yield [0, 1], [2], [3]

    with pytest.raises(ValueError, match=r"cv must yield pairs .* as split 1"):
        cls(cv=Splitter()).fit(X, Y)


@pytest.mark.parametrize("cls", estimators.CHOOSING, ids=estimators.name)
@pytest.mark.parametrize("routing", [False, True])
def test_folds_come_as_indices_masks_or_a_generator(cls, routing):
    import sklearn

    rows = np.arange(20)
    pairs = [(rows[rows % 3 != k], rows[rows % 3 == k]) for k in range(3)]
    expected = estimators.make(cls, cv=pairs).fit(X, Y).mse_path_
    forms = {
        "lists": [(train.tolist(), test.tolist()) for train, test in pairs],
        "tuples": tuple((tuple(train), tuple(test)) for train, test in pairs),
        "masks": [(np.isin(rows, train), np.isin(rows, test)) for train, test in pairs],
        "from the end": [(train - 20, test - 20) for train, test in pairs],
    }
    with sklearn.config_context(enable_metadata_routing=routing):
        for cv in (*forms.values(), (pair for pair in pairs)):
            np.testing.assert_array_equal(estimators.make(cls, cv=cv).fit(X, Y).mse_path_, expected)


@pytest.mark.parametrize("cls", estimators.CHOOSING, ids=estimators.name)
def test_groups_reach_the_splitter(cls):
    import sklearn
    from sklearn.model_selection import GroupKFold

    groups = np.arange(20) % 4
    pairs = list(GroupKFold(4).split(X, Y, groups))
    expected = estimators.make(cls, cv=pairs).fit(X, Y).mse_path_
    with sklearn.config_context(enable_metadata_routing=True):
        model = estimators.make(cls, cv=GroupKFold(4)).fit(X, Y, groups=groups)
        np.testing.assert_array_equal(model.mse_path_, expected)
    with pytest.raises(ValueError, match="enable_metadata_routing"):
        estimators.make(cls, cv=GroupKFold(4)).fit(X, Y, groups=groups)
    with pytest.raises(ValueError, match=r"cv must be .* 'groups'"):
        estimators.make(cls, cv=GroupKFold(4)).fit(X, Y)


@pytest.mark.parametrize("function", estimators.FUNCTIONS, ids=estimators.name)
def test_several_targets_of_a_path_are_refused_with_the_reason(function):
    with pytest.raises(ValueError, match=r"got y of shape \(20, 2\).*multi-task.*each column"):
        function(X, np.column_stack([Y, -Y]))
    with pytest.raises(ValueError, match=r"positive=True.*got y of shape \(20, 1\)"):
        function(X, Y[:, None], positive=True)


@pytest.mark.parametrize("cls", estimators.CHOOSING, ids=estimators.name)
def test_several_targets_of_a_choice_are_refused_with_the_reason(cls):
    with pytest.raises(ValueError, match=r"1d array.*\(20, 2\).*multi-task.*each column"):
        cls().fit(X, np.column_stack([Y, -Y]))
