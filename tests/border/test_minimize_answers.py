"""What `minimize` makes of the answers of users' functions: their types and shapes."""

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der, rosen_hess
from scipy.sparse.linalg import LinearOperator

import thalweg as tw
from support import catalogue
from support.functions import TroubleError, sphere, sphere_der

# Every method gets a Hessian, also those that say that they do not use it.
pytestmark = pytest.mark.filterwarnings("ignore:Method .* does not use second:RuntimeWarning")

X0 = np.array([-1.2, 1.0, 0.5])


@pytest.mark.parametrize(
    "value",
    [
        np.float64,
        np.float32,
        lambda v: np.array([v]),
        lambda v: [v],
        lambda v: ([[v]],),
        np.array,
        str,
    ],
    ids=["float64", "float32", "vector", "list", "nested", "scalar array", "text"],
)
def test_values_of_several_types(value):
    if value is str:
        with pytest.raises(TypeError, match="real number"):
            tw.minimize(lambda x: "no", X0)
    else:
        assert tw.minimize(lambda x: value(sphere(x)), X0, jac=sphere_der, tol=1e-3).success


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        ({"fun": lambda x: x}, "fun must return a number"),
        ({"fun": lambda x: [[1.0, 2.0]]}, r"fun must return a number; .* of shape \(1, 2\)"),
        ({"fun": lambda x: (1.0, x)}, "fun must return a real number; got a tuple .* jac=True"),
        ({"fun": lambda x: ["1"]}, "fun must return a real number"),
        ({"fun": sphere, "jac": lambda x: x[:2]}, r"jac must return an array of shape \(3,\)"),
        ({"fun": sphere, "jac": lambda x: x + 1j}, "jac must return real numbers"),
        ({"fun": sphere, "jac": True}, "fun must return"),
        ({"fun": lambda x: (1.0, x, x), "jac": True}, "fun must return"),
        ({"fun": lambda x: abs(x).sum(), "jac": "cs"}, "complex"),
    ],
    ids=[
        "vector",
        "row",
        "pair",
        "text",
        "short gradient",
        "complex gradient",
        "no pair",
        "triple",
        "not analytic",
    ],
)
def test_wrong_answers_of_functions(functions, message):
    with pytest.raises((ValueError, TypeError), match=message):
        tw.minimize(functions.pop("fun"), X0, **functions)


def residuals(x):
    return np.array([x[0] - 1.0, x[1] - 2.0, x[0] * x[1] - 2.0])


def residuals_der(x):
    return np.array([[1.0, 0.0], [0.0, 1.0], [x[1], x[0]]])


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        (
            {"residuals": residuals, "jac": lambda x: residuals_der(x).T},
            r"jac must return an array of shape \(3, 2\); got shape \(2, 3\)",
        ),
        (
            {"residuals": residuals, "jac": lambda x: residuals_der(x).ravel()},
            r"jac must return an array of shape \(3, 2\); got shape \(6,\)",
        ),
        (
            {"fun": rosen, "jac": rosen_der, "hess": lambda x: rosen_hess(x).ravel()},
            r"hess must return an array of shape \(2, 2\); got shape \(4,\)",
        ),
    ],
    ids=["transposed Jacobian", "flat Jacobian", "flat Hessian"],
)
def test_matrices_of_another_shape_are_refused(functions, message):
    with pytest.raises(ValueError, match=message):
        tw.minimize(x0=X0[:2], **functions)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (3, 1)])
def test_vectors_may_have_an_axis_more(shape):
    answers = {"jac": lambda x: sphere_der(x).reshape(shape)}
    assert tw.minimize(sphere, X0, **answers).success
    line = {"residuals": lambda x: x * X0 - X0, "jac": lambda x: X0.reshape(shape)}
    assert tw.minimize(x0=[5.0], **line).success


NO_NUMBERS = {
    "texts": ["a", "b", "c"],
    "object": object(),
    "dict": {},
    "ragged": [[1.0], [2.0, 3.0]],
    "None": None,
    "operator": LinearOperator((3, 3), matvec=lambda v: v),
}


# The first method that asks for products with the Hessian, which then come from `hess` too.
_SECOND_ORDER = {
    "method": next(m for m in catalogue.GENERAL if catalogue.flag("solver", m, "needs_hessian"))
}


@pytest.mark.parametrize("answer", NO_NUMBERS.values(), ids=NO_NUMBERS)
@pytest.mark.parametrize("name", ["fun", "jac", "hess", "hessp", "residuals", "scheme"])
def test_answers_that_are_no_numbers_are_named(name, answer):
    if name == "scheme":  # answers for complex points, which only differences ask for
        name = "fun"
        problem = {"fun": lambda x: answer if np.iscomplexobj(x) else sphere(x), "jac": "cs"}
    elif name == "residuals":
        problem = {name: lambda _: answer}
    else:
        problem = {"fun": sphere, "jac": sphere_der, **_SECOND_ORDER, name: lambda *_: answer}
    with pytest.raises(TypeError, match=rf"^{name} must return .*; got") as caught:
        tw.minimize(x0=X0, **problem)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "kind", [complex, np.complex128, np.complex64, lambda v: np.array([1j * v])]
)
@pytest.mark.filterwarnings("error")
def test_complex_values_are_refused(kind):
    with pytest.raises(TypeError, match="fun must return a real number; got the complex"):
        tw.minimize(lambda x: kind(sphere(x)), X0, jac=sphere_der)


def test_errors_of_answers_come_out_unchanged():
    class Answer:
        def __array__(self, dtype=None, copy=None):
            raise TroubleError("here")

        def __float__(self):
            raise TroubleError("here")

    for name in ("fun", "jac"):
        problem = {"fun": sphere, "jac": sphere_der, name: lambda _: Answer()}
        with pytest.raises(TroubleError, match="here"):
            tw.minimize(x0=X0, **problem)


def test_residuals_are_called_once_at_the_start():
    points = []

    def called(x):
        points.append(x.tolist())
        return residuals(x)

    result = tw.minimize(residuals=called, jac=residuals_der, x0=X0[:2])
    assert points.count(X0[:2].tolist()) == 1
    assert result.nfev == len(points)
