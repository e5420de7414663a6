"""Follow the lasso from the empty model down a grid of strengths, warm-started and certified.

python examples/path.py
"""

import numpy as np
from sklearn.linear_model import lasso_path as sklearn_lasso_path

import thalweg as tw
from thalweg.linear_model import lasso_path

X, y, _ = tw.problems.regression(200, 1_000, n_nonzero=20, seed=1)
path = tw.solve_path(X, y, loss="squared", penalty="l1", alphas=40, eps=3e-2, tol=1e-8)

for alpha, solution in list(zip(path.alphas, path, strict=True))[::7]:
    support = np.count_nonzero(solution.coef)
    print(f"alpha {alpha:8.4f}   {support:4d} features   {solution.certificate}")

# 1. The grid begins at the smallest strength that leaves no feature in; every point is certified.
assert not path.coefs[0].any()
assert path.coefs[1].any()
assert all(solution.certificate.relative <= 1e-8 for solution in path)

# 2. A warm start saves work: along the path, and from any point of it to a finer solution.
cold = tw.solve(X, y, loss="squared", penalty="l1", alpha=path.alphas[-1], tol=1e-8)
warm_passes, cold_passes = path[-1].report.n_epochs, cold.report.n_epochs
print(f"last point: {warm_passes} passes warm, {cold_passes} cold")
assert warm_passes < cold_passes
again = tw.solve(
    X, y, loss="squared", penalty="l1", alpha=path.alphas[-1], tol=1e-8, state=path[-1].state
)
assert again.report.n_iter == 0  # the stop test comes before the first step

# 3. `lasso_path` has scikit-learn's signature, and its results.
alphas, coefs, _ = lasso_path(X, y, alphas=path.alphas, tol=1e-10)
_, expected, _ = sklearn_lasso_path(X, y, alphas=path.alphas, tol=1e-10, max_iter=100_000)
difference = np.abs(coefs - expected).max() / np.abs(expected).max()
print(f"largest difference from scikit-learn's path: {difference:.1e} of the largest coefficient")
assert difference < 1e-4
