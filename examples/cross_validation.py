"""Choose the strength of an elastic net by cross-validation, in a scikit-learn pipeline.

python examples/cross_validation.py
"""

import numpy as np
from sklearn import linear_model as sklearn_models
from sklearn.datasets import load_diabetes
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from thalweg.linear_model import ElasticNetCV

X, y = load_diabetes(return_X_y=True)


def pipeline(estimator):
    """Return degree-two features, scaled, and a linear model of them."""
    features = PolynomialFeatures(degree=2, include_bias=False)
    return make_pipeline(features, StandardScaler(), estimator)


settings = {"l1_ratio": [0.5, 0.9, 1.0], "cv": 5, "tol": 1e-6, "max_iter": 100_000}
ours = pipeline(ElasticNetCV(**settings)).fit(X, y)
theirs = pipeline(sklearn_models.ElasticNetCV(**settings)).fit(X, y)

chosen, reference = ours[-1], theirs[-1]
print(f"alpha {chosen.alpha_:.4f}, l1_ratio {chosen.l1_ratio_}, R^2 {ours.score(X, y):.3f}")
print(chosen.certificate_)
print(chosen.report_)

# 1. The same choice from the same curve of held-out errors as scikit-learn.
assert np.isclose(chosen.alpha_, reference.alpha_)
assert chosen.l1_ratio_ == reference.l1_ratio_
assert np.allclose(chosen.mse_path_, reference.mse_path_, rtol=1e-3)

# 2. The final fit is certified to tol.
assert chosen.certificate_.relative <= settings["tol"]

# 3. It is an estimator like any other: cloned, and cross-validated from outside.
scores = cross_val_score(ours, X, y, cv=5)
print(f"R^2 on held-out fifths: {scores.mean():.3f} +- {scores.std():.3f}")
assert scores.mean() > 0.4
