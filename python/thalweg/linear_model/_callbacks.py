"""scikit-learn's callback protocol: `set_callbacks`, and the solver's steps as its tasks.

scikit-learn has the protocol from 1.9 on; for older versions the classes that estimators need
are defined here, with the same names and hooks.
"""

import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from inspect import Parameter, signature

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn < 1.9
    _HOOKS = ("setup", "on_fit_task_begin", "on_fit_task_end", "teardown")

    class CallbackContext:
        """One task of a fit, as callbacks see it; the attributes are those of scikit-learn 1.9."""

        source_estimator_name = None
        source_task_name = None

        def __init__(self, estimator, task_name, task_id, max_subtasks, sequential, parent=None):
            self.estimator_name = type(estimator).__name__
            self.task_name = task_name
            self.task_id = task_id
            self.max_subtasks = max_subtasks
            self.sequential_subtasks = sequential
            self.parent = parent
            self.root_uuid = uuid.uuid4() if parent is None else parent.root_uuid
            self.init_time = datetime.now(UTC)
            self._estimator = estimator
            self._n_subtasks = 0

        def subcontext(self, task_name="", task_id=None, max_subtasks=0, sequential_subtasks=True):
            """Return the context of a new subtask, numbered after the ones before it."""
            task_id = self._n_subtasks if task_id is None else task_id
            self._n_subtasks += 1
            return CallbackContext(
                self._estimator, task_name, task_id, max_subtasks, sequential_subtasks, self
            )

        def call_on_fit_task_begin(self, **arguments):
            """Call the hook of every callback; return this context."""
            self._call("on_fit_task_begin", **arguments)
            return self

        def call_on_fit_task_end(self, **arguments):
            """Call the hook of every callback; return whether one of them asked to stop."""
            return self._call("on_fit_task_end", **arguments)

        def _call(self, hook, *, estimator, reconstruction_attributes=None, **offered):
            if reconstruction_attributes is not None:
                fitted = type(estimator).__new__(type(estimator))
                fitted.__dict__.update({**estimator.__dict__, **reconstruction_attributes})
                offered["fitted_estimator"] = fitted
            stop = False
            for callback in getattr(estimator, "_skl_callbacks", ()):
                method = getattr(callback, hook)
                # A hook gets the keyword-only arguments that its signature asks for.
                wanted = [
                    name
                    for name, parameter in signature(method).parameters.items()
                    if parameter.kind is Parameter.KEYWORD_ONLY
                ]
                stop |= bool(method(estimator, self, **{n: offered.get(n) for n in wanted}))
            return stop

    class CallbackSupportMixin:
        """`set_callbacks` for scikit-learn < 1.9."""

        def set_callbacks(self, *callbacks):
            """Set callbacks for the estimator.

            Parameters
            ----------
            *callbacks : callback instances
                Objects with scikit-learn 1.9's hooks: setup, on_fit_task_begin,
                on_fit_task_end, teardown. None: remove those that are set.

            Returns
            -------
            self : object
                The estimator.
            """
            for callback in callbacks:
                if isinstance(callback, type) or not all(hasattr(callback, h) for h in _HOOKS):
                    raise TypeError(
                        f"callbacks must be instances with the methods {', '.join(_HOOKS)}; "
                        f"got {callback!r}."
                    )
            if callbacks:
                self._skl_callbacks = list(callbacks)
            else:
                self.__dict__.pop("_skl_callbacks", None)
            return self

        def _init_callback_context(
            self, task_name="fit", task_id=0, max_subtasks=0, sequential_subtasks=True
        ):
            self._callback_fit_ctx = CallbackContext(
                self, task_name, task_id, max_subtasks, sequential_subtasks
            )
            for callback in self._skl_callbacks:
                callback.setup(estimator=self, context=self._callback_fit_ctx)
            return self._callback_fit_ctx

    def with_callbacks(method):
        """Call the callbacks' `teardown` however `method` ends."""

        @wraps(method)
        def managed(estimator, *args, **kwargs):
            with _teardown(estimator):
                return method(estimator, *args, **kwargs)

        return managed

    @contextmanager
    def _teardown(estimator):
        try:
            yield
        finally:
            if hasattr(estimator, "_callback_fit_ctx"):
                context = estimator.__dict__.pop("_callback_fit_ctx")
                for callback in estimator._skl_callbacks:
                    callback.teardown(estimator=estimator, context=context)


__all__ = ["CallbackSupportMixin", "FitTasks", "with_callbacks"]


class FitTasks:
    """The tasks of one fit: the fit itself, and below it one task per solver iteration.

    The hooks of an iteration are called one after the other when it is finished. Its context has
    one attribute more than scikit-learn's: `info`, a dict with task, alpha_index, alpha,
    iteration, epochs, time, objective, certificate, step and support. A true answer of
    `on_fit_task_end` stops the solver.
    """

    def __init__(self, estimator, X, y, sample_weight):
        self._estimator = estimator
        self._offered = {
            "X": X,
            "y": y,
            "metadata": None if sample_weight is None else {"sample_weight": sample_weight},
        }
        # How many iterations a fit takes is not known in advance.
        self._root = estimator._init_callback_context(max_subtasks=None)
        self._root.call_on_fit_task_begin(estimator=estimator, **self._offered)

    def __call__(self, info):
        context = self._root.subcontext(task_name="iteration")
        context.info = info
        context.call_on_fit_task_begin(estimator=self._estimator, **self._offered)
        return context.call_on_fit_task_end(estimator=self._estimator, **self._offered)

    def end(self):
        """Tell the callbacks that the fit is finished and the fitted attributes are set."""
        self._root.call_on_fit_task_end(
            estimator=self._estimator, reconstruction_attributes={}, **self._offered
        )
