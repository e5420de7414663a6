"""Linear models with scikit-learn's names, parameters, defaults and fitted attributes.

Replacing ``from sklearn.linear_model import Lasso`` by
``from thalweg.linear_model import Lasso`` keeps a program working. Beside scikit-learn's
attributes every fitted estimator has `certificate_` (how far from optimal it can be) and
`report_` (how it was found); beside scikit-learn's parameters it takes `solver`, `max_time`,
`n_threads` and `verbose`. Least squares, logistic regression and generalized linear models have
`summary`, for standard errors, tests and confidence intervals.
"""

from thalweg.linear_model._composable import (
    GeneralizedLinearClassifier,
    GeneralizedLinearRegressor,
)
from thalweg.linear_model._cross_validation import ElasticNetCV, LassoCV
from thalweg.linear_model._elastic_net import ElasticNet, Lasso
from thalweg.linear_model._glm import GammaRegressor, PoissonRegressor, TweedieRegressor
from thalweg.linear_model._huber import HuberRegressor
from thalweg.linear_model._least_squares import LinearRegression, Ridge
from thalweg.linear_model._logistic import LogisticRegression
from thalweg.linear_model._path import enet_path, lasso_path
from thalweg.linear_model._summary import Summary

__all__ = [
    "ElasticNet",
    "ElasticNetCV",
    "GammaRegressor",
    "GeneralizedLinearClassifier",
    "GeneralizedLinearRegressor",
    "HuberRegressor",
    "Lasso",
    "LassoCV",
    "LinearRegression",
    "LogisticRegression",
    "PoissonRegressor",
    "Ridge",
    "Summary",
    "TweedieRegressor",
    "enet_path",
    "lasso_path",
]
