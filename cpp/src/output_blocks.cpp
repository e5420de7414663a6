#include "thalweg/objective/output_blocks.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace thalweg::objective {

void OutputBlocks::assemble(const double* h, double sum, Index k, Index l, double* out,
                            const core::Execution& execution) const {
  const Index cols = x_.cols(), ld = size();
  Vector cross(static_cast<std::size_t>(fit_intercept_ ? cols : 0));
  x_.gram(h, sum, out + l * cols + k * cols * ld, ld, fit_intercept_ ? cross.data() : nullptr,
          execution);
  if (!fit_intercept_) return;
  for (Index j = 0; j < cols; ++j) {
    const double entry = cross[static_cast<std::size_t>(j)];
    out[place(cols, l) + place(j, k) * ld] = entry;
    out[place(cols, k) + place(j, l) * ld] = entry;
  }
  out[place(cols, l) + place(cols, k) * ld] = sum / total_;
}

bool OutputBlocks::assemble_all(const FillBlock& fill, double* out,
                                const core::Execution& execution) const {
  const Index columns = x_.cols() + (fit_intercept_ ? 1 : 0), ld = size();
  std::vector<std::pair<Index, Index>> of;  // outputs of each weighting
  for (Index k = 0; k < outputs_; ++k) {
    for (Index l = k; l < outputs_; ++l) of.emplace_back(k, l);
  }
  const Vector all = x_.pair_grams(
      static_cast<Index>(of.size()), fit_intercept_,
      [&](Index q, Index begin, Index end, double* h) {
        const auto [k, l] = of[static_cast<std::size_t>(q)];
        fill(k, l, begin, end, h);
      },
      execution);
  if (all.empty()) return false;
  const auto put = [&](Index row, Index col, double entry) {
    out[std::max(row, col) + std::min(row, col) * ld] = entry;
  };
  const double* entry = all.data();
  for (Index j = 0; j < columns; ++j) {
    for (Index i = 0; i <= j; ++i) {
      for (const auto& [k, l] : of) {
        put(place(j, l), place(i, k), *entry);
        put(place(i, l), place(j, k), *entry);
        ++entry;
      }
    }
  }
  return true;
}

void OutputBlocks::add_penalty(const penalty::Terms& terms, double* out) const {
  const Index cols = x_.cols(), ld = size();
  for (Index j = 0; j < cols; ++j) {
    const double l2 = terms(j).l2;
    for (Index k = 0; k < outputs_; ++k) out[place(j, k) * (ld + 1)] += l2;
    if (l2 == 0) fix_common_part(out + j * (ld + 1), cols * (ld + 1), cols);
  }
  if (fit_intercept_) fix_common_part(out + place(cols, 0) * (ld + 1), ld + 1, 1);
}

// A number added to the coefficients of all outputs changes nothing, nor does the gradient ask for
// it: a curvature in that direction leaves the solution of a Newton system as it is, and makes the
// matrix definite. `first` is the entry of output 0, `next` leads to that of the next one on the
// diagonal, `below` to the next row.
void OutputBlocks::fix_common_part(double* first, Index next, Index below) const {
  if (outputs_ == 1) return;
  const double curvature = *first;
  for (Index k = 0; k < outputs_; ++k) {
    for (Index l = k; l < outputs_; ++l) first[k * next + (l - k) * below] += curvature;
  }
}

void OutputBlocks::diagonal(const double* h, const Vector& sums, bool is_even,
                            const penalty::Terms& terms, double* out,
                            const core::Execution& execution) const {
  const Index cols = x_.cols();
  if (!is_even) x_.gram_diagonals(outputs_, h, sums.data(), out, execution);
  for (Index k = 0; k < outputs_; ++k) {
    const double mean = sums[static_cast<std::size_t>(k)] / total_;
    for (Index j = 0; j < cols; ++j) {
      double& entry = out[place(j, k)];
      entry = (is_even ? mean * x_.columns().sq_norm(j) : entry) + terms(j).l2;
      if (!(entry > 0)) entry = 1.0;
    }
    if (fit_intercept_) out[place(cols, k)] = mean > 0 ? mean : 1.0;
  }
}

void OutputBlocks::share_rare(double* diagonal) const {
  constexpr Index many_rows = 16;  // to a column: it has its own say
  if (!x_.is_sparse() || x_.rows() >= many_rows * x_.cols()) return;
  std::vector<Index> rare;
  for (Index j = 0; j < x_.cols(); ++j) {
    if (x_.columns().is_rare(j)) rare.push_back(j);
  }
  for (Index k = 0; k < outputs_; ++k) {
    double largest = 0;
    for (const Index j : rare) largest = std::max(largest, diagonal[place(j, k)]);
    for (const Index j : rare) diagonal[place(j, k)] = largest;
  }
}

}  // namespace thalweg::objective
