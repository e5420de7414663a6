"""Written by cpp/bindings/make_stub.py; do not edit."""

import collections.abc
import numpy
import numpy.typing

__version__: str

class Design:
    """A view of the caller's array; never copies."""

    @staticmethod
    def dense(X: object) -> Design: ...

    @staticmethod
    def csc(data: object, indices: object, indptr: object, shape: tuple[int, int]) -> Design: ...

    @staticmethod
    def csr(data: object, indices: object, indptr: object, shape: tuple[int, int]) -> Design: ...

    @property
    def kind(self) -> str: ...

    @property
    def order(self) -> str: ...

    @property
    def dtype(self) -> str: ...

    @property
    def canonical(self) -> bool: ...

    @property
    def shape(self) -> tuple[int, int]: ...

    @property
    def nnz(self) -> int: ...

    @property
    def nbytes(self) -> int: ...

    @property
    def arrays(self) -> tuple: ...

    def gemv(self, w: object, n_threads: int = 0) -> numpy.typing.NDArray[numpy.float64]:
        """X w."""

    def gemv_t(self, v: object, n_threads: int = 0) -> numpy.typing.NDArray[numpy.float64]:
        """X' v."""

    def moments(self, weights: object, v: object, n_threads: int = 0) -> tuple:
        """sum_i s_i x_ij, sum_i s_i x_ij^2 and sum_i x_ij v_i of every column."""

    def gram(self, columns: collections.abc.Sequence[int], weights: object = None, n_threads: int = 0) -> numpy.ndarray:
        """X_C' diag(weights) X_C; by rows, of all columns only."""

class Result:
    @property
    def coef(self) -> object: ...

    @property
    def intercept(self) -> object: ...

    @property
    def alpha(self) -> float: ...

    @property
    def status(self) -> str: ...

    @property
    def n_iter(self) -> int: ...

    @property
    def n_epochs(self) -> int: ...

    @property
    def time(self) -> float: ...

    @property
    def solver(self) -> str: ...

    @property
    def reason(self) -> str: ...

    @property
    def certificate(self) -> dict: ...

    @property
    def target_gap(self) -> float: ...

    @property
    def gram_bytes(self) -> int: ...

    @property
    def shared_gram_bytes(self) -> int: ...

    @property
    def tasks_at_once(self) -> int: ...

    @property
    def trace(self) -> dict: ...

    @property
    def heldout(self) -> float: ...

    @property
    def scale(self) -> float: ...

def alpha_max(design: Design, y: object, *, weights: object = None, offset: object = None, loss: str = 'squared', loss_parameters: dict = {}, penalty: dict, fit_intercept: bool = True, standardize: bool = False, n_threads: int = 0) -> numpy.typing.NDArray[numpy.float64]:
    """Smallest alpha at which every penalized coefficient is zero."""

def catalog() -> dict:
    """Every design, loss, penalty, line search and solver: what it says of itself."""

def compatible(loss: str | None = None, penalty: str | None = None, design: str | None = None) -> list:
    """Which solvers serve a combination, with the reason where none."""

def encode_labels(y: numpy.ndarray) -> object:
    """(classes, codes) of labels that are numbers, as numpy.unique has them; None where y is no contiguous vector of one number at least, in the machine's byte order and of a usual type."""

def info() -> dict:
    """Version, instruction set in use, threads, build options."""

def inverse_link(loss: str, parameters: dict, eta: object) -> numpy.ndarray:
    """Means, or probabilities of classes, for predictions of shape (n, outputs)."""

def loss_derivatives(loss: str, parameters: dict, y: object, eta: object) -> tuple:
    """(gradient, curvature) of every sample; of several outputs, the probabilities of classes take the place of the curvature."""

def loss_information(loss: str, parameters: dict, eta: object) -> numpy.ndarray:
    """Of a likelihood, the expectation of the curvature under the model, of every sample."""

def loss_values(loss: str, parameters: dict, y: object, eta: object) -> numpy.ndarray:
    """The loss of every sample."""

def minimize(fun: object, x0: object, *, jac: object, hess: object = None, hessp: object = None, residuals: object = None, rho: int = 0, scale: float = 1.0, lower: object = None, upper: object = None, solver: str, parameters: dict, tol: float = 1e-05, max_iter: int = 15000, max_functions: int | None = None, max_time: float | None = None, least_decrease: float = -1.0, relative_steps: object = None, absolute_steps: object = None, seed: int = 0, callback: object = None, trace: bool = True) -> tuple:
    """Minimise a function; returns (result, gradient, counts, what is known of the inverse Hessian or None, exception to raise afterwards or None)."""

def solve(design: Design, y: object, tasks: collections.abc.Sequence[dict], *, penalties: collections.abc.Sequence[dict], loss: str = 'squared', loss_parameters: dict = {}, outputs: int = 1, estimate_scale: bool = False, weights: object = None, folds: object = None, offset: object = None, fit_intercept: bool = True, standardize: bool = False, solver: str = 'auto', solver_options: dict = {}, tol: float = 1e-06, max_iter: int = 1000, max_time: float | None = None, gradient_tol: float = inf, n_threads: int = 0, seed: int = 0, callback: object = None, keep_coef: bool = True, keep_theta: bool = False, trace: bool = True, stopped: bool = False) -> tuple:
    """Run every task, or hand out their starts where `stopped` says so; returns (results[task][alpha], exception to raise afterwards or None)."""

def to_csc(data: object, indices: object, indptr: object, shape: tuple[int, int], kind: str, n_threads: int = 0) -> tuple:
    """New canonical CSC arrays of a CSR or CSC matrix; of rows whose values are all one, with those values."""

def valid_targets(loss: str, parameters: dict, outputs: int, y: object) -> tuple:
    """(which targets are in the domain of the loss, the domain in words)."""
