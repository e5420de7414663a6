"""`set_callbacks`: scikit-learn's protocol, stops, and exceptions that come out unchanged."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from support import data, estimators

pytestmark = pytest.mark.parametrize("cls", estimators.CLASSES, ids=estimators.name)


class Recorder:
    """Records the hooks that it is called with; stops or raises on request."""

    def __init__(self, stop_at=None, error=None):
        self.calls, self.infos = [], []
        self.stop_at, self.error = stop_at, error

    def setup(self, estimator, context):
        self.calls.append("setup")

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context):
        self.calls.append(f"end {context.task_name}")
        if context.task_name != "iteration":
            return False
        self.infos.append(context.info)
        if self.error is not None:
            raise self.error
        return self.stop_at is not None and len(self.infos) > self.stop_at

    def teardown(self, estimator, context):
        self.calls.append("teardown")


@pytest.fixture
def problem(cls):
    X, y = data.threaded_problem(n_samples=60, n_features=30)
    return X, estimators.target(cls, y)


def test_hooks_come_in_order(cls, problem):
    recorder = Recorder()
    model = estimators.make(cls).set_callbacks(recorder)
    assert model.fit(*problem) is model
    calls = recorder.calls
    assert calls[:2] == ["setup", "begin fit"]
    assert calls[-2:] == ["end fit", "teardown"]
    assert calls[2:-2] == ["begin iteration", "end iteration"] * (len(calls[2:-2]) // 2)
    assert recorder.infos
    fields = {"task", "alpha_index", "alpha", "iteration", "epochs", "time"}
    fields |= {"objective", "certificate", "step", "support"}
    assert all(set(info) == fields for info in recorder.infos)


def test_callbacks_do_not_change_the_fit(cls, problem):
    plain = estimators.make(cls).fit(*problem)
    watched = estimators.make(cls).set_callbacks(Recorder()).fit(*problem)
    np.testing.assert_array_equal(watched.coef_, plain.coef_)


def test_a_true_answer_stops_the_fit(cls, problem):
    recorder = Recorder(stop_at=0)
    model = estimators.make(cls).set_callbacks(recorder).fit(*problem)
    assert recorder.calls[-1] == "teardown"
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.certificate_.primal)
    assert model.report_.status == "stopped"


def test_a_choice_among_what_a_callback_left_is_not_converged(cls, problem):
    if cls not in estimators.CHOOSING:
        pytest.skip("fits one strength")

    class StopsOnce(Recorder):
        def on_fit_task_end(self, estimator, context):
            super().on_fit_task_end(estimator, context)
            return len(self.infos) == 1

    model = estimators.make(cls).set_callbacks(StopsOnce()).fit(*problem)
    assert model.report_.status == "stopped"
    assert np.isfinite(model.coef_).all()


def test_exceptions_come_out_unchanged_after_the_attributes_are_set(cls, problem):
    error = LookupError("what the callback raised")
    recorder = Recorder(error=error)
    model = estimators.make(cls).set_callbacks(recorder)
    with pytest.raises(LookupError) as caught:
        model.fit(*problem)
    assert caught.value is error
    assert recorder.calls[-1] == "teardown"
    assert model.coef_.shape[-1] == 30
    assert np.isfinite(model.certificate_.primal)


def test_clones_and_pickles_do_not_break(cls, problem):
    model = estimators.make(cls).set_callbacks(Recorder()).fit(*problem)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.coef_, model.coef_)
    assert clone(model).get_params() == model.get_params()


def test_callbacks_that_are_not_callbacks_are_refused(cls):
    with pytest.raises(TypeError):
        estimators.make(cls).set_callbacks(print)
