"""Fit sparse, text-like data with sample weights and a penalty for each feature.

python examples/sparse_text.py
"""

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer

import thalweg as tw

N_DOCUMENTS, N_WORDS, ALPHA = 2_000, 10_000, 2e-4
rng = np.random.default_rng(0)

# Word counts with Zipf frequencies, and two columns that are not words: length and age.
frequency = 1.0 / np.arange(1, N_WORDS + 1)
words = rng.choice(N_WORDS, size=(N_DOCUMENTS, 120), p=frequency / frequency.sum())
rows = np.repeat(np.arange(N_DOCUMENTS), words.shape[1])
counts = sparse.csr_array((np.ones(words.size), (rows, words.ravel())), (N_DOCUMENTS, N_WORDS))
text = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
meta = rng.uniform(size=(N_DOCUMENTS, 2))
X = sparse.hstack([sparse.csr_array(meta), text]).tocsr()

signal = np.zeros(X.shape[1])
signal[:2] = 1.0, -0.5
signal[22:42] = rng.normal(size=20)
y = X @ signal + 0.1 * rng.normal(size=N_DOCUMENTS)

# Recent documents count more; the two columns are not penalized; rare words are penalized more.
sample_weight = rng.integers(1, 4, size=N_DOCUMENTS).astype(float)
documents = np.bincount(X.indices, minlength=X.shape[1])
weights = np.sqrt(np.log(N_DOCUMENTS / np.maximum(documents, 1)) + 1)
weights[:2] = 0.0

problem = {"loss": "squared", "penalty": tw.penalties.L1(weights=weights), "alpha": ALPHA}
solution = tw.solve(X, y, sample_weight=sample_weight, tol=1e-9, **problem)
print(f"{np.count_nonzero(solution.coef)} of {X.shape[1]} coefficients")
print(solution.certificate)
print(solution.report)

# 1. NumPy, on a dense copy, arrives at the same bound.
check = tw.checks.duality_gap(
    X,
    y,
    solution.coef,
    solution.intercept,
    alpha=ALPHA,
    sample_weight=sample_weight,
    weights=weights,
)
print(f"rechecked in NumPy: {check.gap:.3g}")
assert solution.certificate.relative <= 1e-9
assert check.gap <= 2e-9 * solution.certificate.primal + solution.certificate.value

# 2. Nothing shrinks the unpenalized columns, so the residual is orthogonal to them.
residual = y - X @ solution.coef - solution.intercept
slopes = meta.T @ (sample_weight * residual) / sample_weight.sum()
print(f"coefficients of the unpenalized columns: {solution.coef[:2].round(3)}")
assert np.abs(slopes).max() < 1e-5

# 3. A weight of 3 is a row that occurs three times.
repeated = np.repeat(np.arange(N_DOCUMENTS), sample_weight.astype(int))
same = tw.solve(X[repeated], y[repeated], tol=1e-9, **problem)
assert np.allclose(same.coef, solution.coef, atol=1e-4)

# 4. Rows were turned to columns once, and said so. CSC data would not be copied at all.
assert len(solution.report.copies) == 1
assert tw.solve(X.tocsc(), y, sample_weight=sample_weight, **problem).report.copies == ()
