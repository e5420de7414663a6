// Estimated nanoseconds of Gram products, for every choice that weighs them: 16 dense multiply-adds
// take one; sparse entries are regrouped by row, at three each, and then meet those of their row,
// at 1.5. (Measured on one core with AVX-512; what is compared with them is as coarse.)
#pragma once

namespace thalweg::solver {

// Of `fresh` columns with `cached` ones, these included, of `column` stored entries each.
inline double gram_cost(bool sparse, double rows, double column, double fresh, double cached) {
  if (!sparse) return fresh * cached * column / 16;
  return 3 * cached * column + 1.5 * fresh * column * (1 + cached * column / rows);
}

// Of all columns with all: of a dense matrix, half is known by symmetry, and every entry has to be
// written, mirrored and cached.
inline double full_gram_cost(bool sparse, double rows, double column, double cols) {
  constexpr double per_entry = 4;
  const double products = gram_cost(sparse, rows, column, cols, cols);
  return sparse ? products : 0.5 * products + per_entry * cols * cols;
}

}  // namespace thalweg::solver
