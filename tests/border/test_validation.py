"""Bad input: an error that names the argument, what came and what was expected, before any work."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

import thalweg as tw
from support import catalogue, estimators

NAMES = catalogue.any_combination()
ENTRY = catalogue.CATALOG["penalty"][NAMES["penalty"]]
X = np.random.default_rng(0).standard_normal((8, 3))
Y = X @ [1.0, -1.0, 0.5] + 0.1 * np.arange(8)


def solve(**changes):
    handle = changes.pop("penalty", NAMES["penalty"])
    arguments = {"X": X, "y": Y, "loss": NAMES["loss"], "penalty": handle, "alpha": 0.1}
    return tw.solve(**{**arguments, **changes})


def solve_path(**changes):
    return tw.solve_path(**{"X": X, "y": Y, **NAMES, **changes})


def with_bad(array, value, at):
    out = np.array(array, dtype=np.result_type(array, type(value)))
    out[at] = value
    return out


BAD = {
    "X NaN": ({"X": with_bad(X, np.nan, (2, 1))}, ValueError, r"X contains NaN.*row 2, column 1"),
    "X inf": ({"X": with_bad(X, np.inf, (7, 0))}, ValueError, "X contains infinity.*row 7"),
    "X None": ({"X": None}, ValueError, "X, got None"),
    "X 1d": ({"X": X[:, 0]}, ValueError, r"Expected 2D array.*X must have shape.*got \(8,\)"),
    "X 3d": ({"X": X[None]}, ValueError, r"Expected 2D array.*got \(1, 8, 3\)"),
    "X no rows": ({"X": X[:0], "y": Y[:0]}, ValueError, r"0 sample\(s\) \(shape=\(0, 3\)\)"),
    "X no columns": ({"X": X[:, :0]}, ValueError, r"0 feature\(s\) \(shape=\(8, 0\)\)"),
    "X complex": ({"X": X + 1j}, ValueError, "Complex data not supported: X .*complex128"),
    "X text": ({"X": X.astype(str)}, ValueError, "X must hold numbers, got dtype <U"),
    "X objects": (
        {"X": with_bad(X.astype(object), "a", (0, 0))},
        ValueError,
        "X has objects that do not convert to float",
    ),
    "X dict objects": ({"X": np.full((8, 3), {})}, TypeError, "X has objects"),
    "X ragged": ({"X": [[1.0], [1.0, 2.0]]}, ValueError, "X does not convert"),
    "X matrix": ({"X": np.asmatrix(X)}, TypeError, "np.matrix is not supported for X"),
    "X masked": ({"X": np.ma.array(X, mask=X > 1)}, TypeError, "X has masked entries"),
    "y None": ({"y": None}, ValueError, "requires y to be passed"),
    "y NaN": ({"y": with_bad(Y, np.nan, 3)}, ValueError, "Input y contains NaN"),
    "y inf": ({"y": with_bad(Y, -np.inf, 3)}, ValueError, "Input y contains infinity"),
    "y length": ({"y": Y[:5]}, ValueError, r"inconsistent numbers of samples.*8.*\(5,\)"),
    "y 3d": ({"y": Y[:, None, None]}, ValueError, r"y should be a 1d or 2d.*\(8, 1, 1\)"),
    "y scalar": ({"y": 1.0}, ValueError, "y should be .* got 1.0"),
    "y no targets": ({"y": np.empty((8, 0))}, ValueError, "at least one target"),
    "y complex": ({"y": Y + 1j}, ValueError, "Complex data not supported: y"),
    "y text": ({"y": Y.astype(str)}, ValueError, "y must hold numbers"),
    "y sparse": ({"y": sparse.csr_array(Y[:, None])}, TypeError, "Sparse data was passed for 'y'"),
    "weight NaN": (
        {"sample_weight": with_bad(Y, np.nan, 0)},
        ValueError,
        "Input sample_weight contains NaN",
    ),
    "weight negative": (
        {"sample_weight": with_bad(np.ones(8), -0.5, 4)},
        ValueError,
        "Negative values in sample_weight.*-0.5 in row 4",
    ),
    "weights zero": ({"sample_weight": np.zeros(8)}, ValueError, "sample_weight.*positive sum"),
    "weight number": ({"sample_weight": -1.0}, ValueError, "sample_weight must be positive"),
    "weight length": ({"sample_weight": np.ones(7)}, ValueError, r"sample_weight has .*\(7,\)"),
    "weight 2d": ({"sample_weight": np.ones((8, 1))}, ValueError, "sample_weight should be a 1d"),
    "offset NaN": ({"offset": with_bad(Y, np.nan, 0)}, ValueError, "Input offset contains NaN"),
    "offset length": ({"offset": np.ones(3)}, ValueError, r"offset has .*\(3,\)"),
    "alpha negative": ({"alpha": -1.0}, ValueError, r"'alpha' .* in \[0, inf\). Got -1.0"),
    "alpha NaN": ({"alpha": np.nan}, ValueError, "'alpha' .* Got nan"),
    "alpha inf": ({"alpha": np.inf}, ValueError, "'alpha' .* Got inf"),
    "alpha text": ({"alpha": "1"}, TypeError, "'alpha' .* Got '1'"),
    "alpha bool": ({"alpha": True}, TypeError, "'alpha' .* Got True"),
    "alpha missing": ({"alpha": None}, ValueError, "'alpha' .* Got None"),
    "tol negative": ({"tol": -1e-3}, ValueError, "'tol' .* Got -0.001"),
    "max_iter float": ({"max_iter": 1.5}, TypeError, "'max_iter' .* integer .* Got 1.5"),
    "max_iter negative": ({"max_iter": -1}, ValueError, "'max_iter' .* Got -1"),
    "max_time negative": ({"max_time": -1.0}, ValueError, "'max_time' .* Got -1.0"),
    "n_threads zero": ({"n_threads": 0}, ValueError, "'n_threads' .* Got 0"),
    "verbose": ({"verbose": "yes"}, TypeError, "'verbose' .* Got 'yes'"),
    "fit_intercept": ({"fit_intercept": 1}, TypeError, "'fit_intercept' .* True or False. Got 1"),
    "standardize": ({"standardize": None}, TypeError, "'standardize' .* Got None"),
    "random_state": ({"random_state": -3}, ValueError, "'random_state' .* Got -3"),
    "random_state large": ({"random_state": 2**64}, ValueError, r"'random_state' .* Got 18446744"),
    "max_iter large": ({"max_iter": 2**63}, ValueError, "'max_iter' .* Got 9223372"),
    "n_threads large": ({"n_threads": 2**31}, ValueError, "'n_threads' .* Got 2147483648"),
    "callbacks": ({"callbacks": [3]}, TypeError, r"callbacks must be .* callables, got \[3\]"),
    "loss type": ({"loss": 3}, TypeError, "loss must be a catalogue name or a handle.*int"),
    "penalty type": ({"penalty": 3}, TypeError, "penalty must be a catalogue name.*int"),
    "solver type": ({"solver": 3}, TypeError, "solver must be a catalogue name.*int"),
    "alpha without penalty": ({"penalty": None}, ValueError, "alpha must be None"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_arguments_are_named(what):
    changes, error, message = BAD[what]
    with pytest.raises(error, match=message):
        solve(**changes)


BAD_FEATURES = {
    "weights length": ({"weights": np.ones(2)}, r"penalty.weights has .*features.*\(2,\)"),
    "weights negative": ({"weights": [1.0, -2.0, 1.0]}, "penalty.weights .* -2.0 for feature 1"),
    "weights NaN": ({"weights": [1.0, np.nan, 1.0]}, "penalty.weights contains NaN"),
    "lower NaN": ({"lower": np.nan}, "penalty.lower must leave a value"),
    "lower infinite": ({"lower": np.inf}, "penalty.lower must leave a value"),
    "upper infinite": ({"upper": -np.inf}, "penalty.upper must leave a value"),
    "lower length": ({"lower": [0.0, 1.0]}, r"penalty.lower must be .*shape \(3,\)"),
    "crossed": (
        {"lower": [0.0, 0.0, 0.5], "upper": 0.25},
        "feature 2 has lower=0.5 and upper=0.25",
    ),
    "positive and upper": ({"positive": True, "upper": -1.0}, "feature 0 has lower=0.0 and upper"),
    "positive and lower": ({"positive": True, "lower": -1.0}, "positive=True .* means lower=0"),
    "positive": ({"positive": "yes"}, "'positive' .* Got 'yes'"),
}


@pytest.mark.parametrize("what", BAD_FEATURES)
def test_bad_penalty_options_are_named(what):
    options, message = BAD_FEATURES[what]
    with pytest.raises(ValueError, match=message):
        solve(penalty=catalogue.penalty_handle(NAMES["penalty"], **options))


@pytest.mark.parametrize("name", catalogue.CATALOG["penalty"])
def test_penalty_parameters_outside_of_their_interval_are_refused(name):
    for parameter in catalogue.CATALOG["penalty"][name].parameters:
        for value in (-1e9, np.nan, "text", None):
            with pytest.raises(ValueError, match=f"'{parameter.name}'"):
                catalogue.penalty_handle(name, **{parameter.name: value})
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        catalogue.penalty_handle(name, no_such_parameter=1.0)


def test_a_warm_start_must_fit():
    state = tw.solution.State(np.zeros(2), 0.0)
    with pytest.raises(ValueError, match=r"state.coef must have shape \(3,\), got \(2,\)"):
        solve(state=state)
    with pytest.raises(ValueError, match=r"state\.coef contains NaN"):
        solve(state=tw.solution.State(np.full(3, np.nan), 0.0))
    for intercept, message in [
        (np.zeros(3), r"state\.intercept must have shape \(\), got \(3,\)"),
        (np.nan, r"state\.intercept contains NaN"),
        (-np.inf, r"state\.intercept contains NaN or infinity"),
        ("zero", r"state\.intercept must be numbers"),
        (None, r"state\.intercept contains NaN"),
        (1j, r"state\.intercept must be real"),
    ]:
        with pytest.raises(ValueError, match=message):
            solve(state=tw.solution.State(np.zeros(3), intercept))
    two = np.column_stack([Y, -Y])
    with pytest.raises(ValueError, match=r"state\.intercept must have shape \(2,\), got \(3,\)"):
        solve(y=two, state=tw.solution.State(np.zeros((2, 3)), np.zeros(3)))
    # One number holds for all targets, and the state of a lone target may have a dimension more.
    solve(y=two, state=tw.solution.State(np.zeros((2, 3)), 0.5))
    solve(y=Y[:, None], state=tw.solution.State(np.zeros(3), np.array([0.5])))


@pytest.mark.parametrize("alphas", [0, -2, [], [0.1, -0.1], [np.nan], "many", [[0.1]]])
def test_bad_grids_are_named(alphas):
    with pytest.raises(ValueError, match="alphas"):
        tw.solve_path(X, Y, **NAMES, alphas=alphas)


@pytest.mark.parametrize("cls", estimators.CLASSES, ids=estimators.name)
@pytest.mark.parametrize("what", [key for key, value in BAD.items() if key[0] in "Xyw"])
def test_estimators_refuse_the_same_data(cls, what):
    if what[0] == "y" and cls in estimators.CLASSIFIERS:
        pytest.skip("labels are looked at in scikit-learn's way")
    changes, error, message = BAD[what]
    arguments = {"X": X, "y": estimators.target(cls, Y), **changes}
    if what == "X no rows":
        arguments["y"] = estimators.target(cls, Y)[: len(arguments["X"]) or None]
    with pytest.raises(error, match=message):
        estimators.make(cls).fit(**arguments)


def test_nothing_is_done_before_the_checks(monkeypatch):
    from thalweg import _core

    def fail(*args, **kwargs):
        raise AssertionError("the core was called")

    monkeypatch.setattr(_core, "solve", fail)
    for what, (changes, error, _) in BAD.items():
        if what not in ("X NaN", "X inf"):  # found by the core, in its first pass
            with pytest.raises(error):
                solve(**changes)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    hnp.arrays(
        st.sampled_from([np.float64, np.float32, np.int32, np.uint8, np.bool_, np.complex64]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    ),
    hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=4)),
)
def test_any_array_is_solved_or_refused_with_a_reason(matrix, target):
    try:
        solution = solve(X=matrix, y=target, max_iter=50)
    except (ValueError, TypeError) as error:
        reason = str(error)
    else:
        reason = None
        assert solution.coef.shape[-1] == matrix.shape[1]
        assert np.isfinite(solution.coef).all()
    assert reason is None or any(word in reason for word in ("X", "y", "array", "data"))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.one_of(st.none(), st.booleans(), st.text(max_size=3), st.floats(), st.integers()))
def test_any_strength_is_taken_or_refused_by_name(alpha):
    valid = isinstance(alpha, (int, float)) and not isinstance(alpha, bool)
    valid = valid and 0 <= alpha < np.inf
    if valid:
        assert np.isfinite(solve(alpha=alpha).coef).all()
        return
    with pytest.raises(ValueError, match="'alpha'"):
        solve(alpha=alpha)


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.float64(1e308), 1e-320])
@pytest.mark.filterwarnings("error")
def test_any_number_is_a_weight(value):
    np.testing.assert_array_equal(solve(sample_weight=value).coef, solve().coef)


@pytest.mark.parametrize("value", [10**400, np.inf, 0.0, -1])
def test_numbers_that_are_no_weight_are_refused(value):
    with pytest.raises(ValueError, match="sample_weight must be positive and finite") as caught:
        solve(sample_weight=value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("factor", [1e308 / 9, 1e-320, 2.0**100, 2.0**-100, 2.0**60])
def test_only_ratios_of_weights_matter_however_large(factor):
    weights = np.arange(1.0, 9.0)
    solution = solve(sample_weight=factor * weights, tol=1e-12)
    wanted = solve(sample_weight=factor * weights / factor, tol=1e-12)
    assert solution.report.status == "converged"
    np.testing.assert_allclose(solution.coef, wanted.coef, rtol=1e-6)
    assert len(solution.report.copies) == (not 2.0**-64 < factor < 2.0**61)


def test_a_number_of_many_digits_is_not_printed():
    with pytest.raises(ValueError, match=r"'alpha' .* an integer of 1329 bits") as caught:
        solve(alpha=10**400)
    assert len(str(caught.value)) < 200


UNDERFLOW = {
    "X": ({"X": X * 1e-170}, "X .* so small that its squares underflow"),
    "X subnormal": ({"X": X * 1e-160}, "X .* so small"),
    "one column of X": ({"X": X * [1.0, 1e-170, 1.0]}, "X .* so small"),
    "X sparse": ({"X": sparse.csc_array(X * 1e-170)}, "X .* so small"),
    "y": ({"y": Y * 1e-170}, "y .* so small"),
}


@pytest.mark.parametrize("what", UNDERFLOW)
def test_squares_that_underflow_are_named(what):
    changes, message = UNDERFLOW[what]
    with pytest.raises(ValueError, match=message):
        solve(**changes)


@pytest.mark.parametrize("factor", [1e200, 1e153])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_squares_that_overflow_are_named(factor, sign):
    with pytest.raises(ValueError, match=r"y .* so large that their squares overflow"):
        solve(y=sign * factor * Y)


@pytest.mark.parametrize("function", [solve, functools.partial(solve_path, alphas=[0.1])])
def test_coefficients_that_overflow_the_precision_of_x_are_named(function):
    with pytest.raises(ValueError, match="too large for float32, the precision of X"):
        function(X=X.astype(np.float32), y=1e60 * Y)


@pytest.mark.parametrize(
    ("y", "fit_intercept"), [(np.zeros(8), True), (np.zeros(8), False), (np.full(8, 2e-200), True)]
)
def test_a_target_that_nothing_is_left_of_is_no_error(y, fit_intercept):
    solution = solve(y=y, fit_intercept=fit_intercept)
    assert solution.report.status == "converged"
    assert solution.certificate.relative == 0.0
    assert not solution.coef.any()


@pytest.mark.parametrize(
    ("x_scale", "y_scale"), [(1e-153, 1e153), (1e-153, 1e154), (1e-150, 1e150), (1e153, 1e-153)]
)
def test_extreme_scales_end(x_scale, y_scale):
    rng = np.random.default_rng(0)
    matrix, target = rng.standard_normal((40, 5)), rng.standard_normal(40)
    for alpha in (0.0, 1e-3 * x_scale * y_scale):
        try:
            solution = solve(X=matrix * x_scale, y=target * y_scale, alpha=alpha)
        except ValueError:
            continue  # squares that leave float64, by name: see above
        assert solution.report.status in ("converged", "stalled", "max_iter", "non_finite")


def test_predict_names_complex_data():
    model = tw.linear_model.Lasso().fit(X, Y)
    with pytest.raises(ValueError, match="Complex data not supported: X has dtype complex128"):
        model.predict(X + 1j)
