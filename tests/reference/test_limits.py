"""Coefficients stay within limits that the model itself could be moved out of."""

import numpy as np
import pytest

from thalweg import linear_model, penalties


@pytest.mark.parametrize("limits", [{"positive": True}, {"lower": -0.2}, {"upper": [0.1] * 4}])
@pytest.mark.parametrize("alpha", [0.0, 0.01])
def test_rows_of_several_classes_stay_within_limits(limits, alpha):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 4))
    y = X @ rng.standard_normal(4) + rng.standard_normal(60)
    y = np.digitize(y, np.quantile(y, [1 / 3, 2 / 3]))
    penalty = penalties.L2(**limits)
    model = linear_model.GeneralizedLinearClassifier("multinomial", penalty, alpha).fit(X, y)
    assert model.coef_.min() >= (0.0 if penalty.positive else limits.get("lower", -np.inf))
    assert model.coef_.max() <= np.max(limits.get("upper", np.inf))
