"""Labels, counts with exposure, outliers and inference: smooth models, each with its certificate.

python examples/smooth_models.py
"""

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from thalweg.linear_model import (
    HuberRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
)

rng = np.random.default_rng(0)


def describe(model):
    """Print how good a fit is, and how it was found."""
    report = model.report_
    print(f"{type(model).__name__}: {model.certificate_}")
    print(f"    {report.status} by {report.solver} in {report.time:.3g} s: {report.reason}")
    assert report.status == "converged"


# 1. Labels. The certificate bounds how far the objective is from its minimum, here by 1e-8 of the
#    objective of the intercept alone.
X, y = load_breast_cancer(return_X_y=True)
X = StandardScaler().fit_transform(X)
model = LogisticRegression(C=1.0, tol=1e-8).fit(X, y)
describe(model)
print(f"    accuracy {model.score(X, y):.3f}")
assert model.certificate_.kind == "duality_gap"
assert model.certificate_.relative <= 1e-8

# 2. Counts. Claims per year of exposure, weighted by the exposure: the same model as claims with
#    log(exposure) as an offset, which scikit-learn does not have.
X = rng.standard_normal((5_000, 4))
exposure = rng.uniform(0.1, 1.0, size=len(X))
claims = rng.poisson(exposure * np.exp(X @ [0.3, -0.2, 0.0, 0.1] - 1.0))
rates = PoissonRegressor(alpha=0, tol=1e-8).fit(X, claims / exposure, sample_weight=exposure)
describe(rates)
counts = PoissonRegressor(alpha=0, tol=1e-8).fit(X, claims, offset=np.log(exposure))
print(f"    slopes {rates.coef_.round(3)}")
assert np.allclose(rates.coef_, counts.coef_, atol=1e-5)

# 3. Their standard errors, as of any likelihood without a penalty or with an l2 penalty.
summary = counts.summary(X, claims, offset=np.log(exposure))
print(summary)
assert summary.p_value[1] < 1e-6  # of the first slope; the intercept comes before it
assert (summary.std_error > 0).all()

# 4. Outliers. A tenth of the targets is wrong; they pull with bounded force, and are named.
truth = np.array([1.0, 2.0, 3.0, 4.0])
y = X @ truth + 0.1 * rng.standard_normal(len(X))
wrong = rng.random(len(X)) < 0.1
y[wrong] += rng.uniform(20.0, 60.0, size=wrong.sum())
robust, plain = HuberRegressor(alpha=0).fit(X, y), LinearRegression().fit(X, y)
describe(robust)
errors = [np.abs(fit.coef_ - truth).max() for fit in (robust, plain)]
print(f"    slopes are off by {errors[0]:.2g}, those of least squares by {errors[1]:.2g}")
assert errors[0] < 0.02 < errors[1]
assert robust.outliers_[wrong].all()

# 5. Ridge, which scikit-learn solves directly, is brought to 1e-10 whatever tol is.
ridge = Ridge(alpha=10.0).fit(X, X @ truth + rng.standard_normal(len(X)))
describe(ridge)
assert ridge.certificate_.relative <= 1e-10
