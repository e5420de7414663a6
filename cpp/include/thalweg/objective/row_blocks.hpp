// Loops over the rows of a data set in blocks of fixed boundaries, in parallel where there are many
// rows. Sums of blocks are added in order, so that threads do not change a bit of them.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "thalweg/core/parallel.hpp"
#include "thalweg/design/concept.hpp"

namespace thalweg::objective {

class RowBlocks final {
 public:
  // `width`: how many planes of `rows` numbers the vectors of a loop have, for its cost.
  RowBlocks(Index rows, Index width, const core::Execution& execution)
      : rows_(rows), width_(width), execution_(execution) {}

  Index rows() const { return rows_; }
  const core::Execution& execution() const { return execution_; }
  void ignore_stop() { execution_.stop = nullptr; }

  // f(begin, end) for blocks of rows.
  template <class F>
  void for_each(F&& f) const {
    core::parallel_for(count(), design::serial_if_small(8 * rows_ * width_, execution_),
                       [&](Index block) { f(block * size, std::min((block + 1) * size, rows_)); });
  }
  // Sums of `n` numbers that f(begin, end, sums) adds to.
  template <std::size_t n, class F>
  std::array<double, n> sum(F&& f) const {
    std::vector<std::array<double, n>> parts(static_cast<std::size_t>(count()),
                                             std::array<double, n>{});
    for_each([&](Index begin, Index end) {
      f(begin, end, parts[static_cast<std::size_t>(begin / size)]);
    });
    std::array<double, n> sums{};
    for (const auto& part : parts) {
      for (std::size_t k = 0; k < n; ++k) sums[k] += part[k];
    }
    return sums;
  }
  // Of a vector of one number a row.
  double sum(const double* v) const {
    return sum<1>([&](Index begin, Index end, auto& sums) {
      // Eight sums at once: none waits for the addition before.
      std::array<double, 8> parts{};
      Index i = begin;
      for (; i + 8 <= end; i += 8) {
        for (std::size_t k = 0; k < 8; ++k) parts[k] += v[i + static_cast<Index>(k)];
      }
      for (; i < end; ++i) parts[0] += v[i];
      for (const double part : parts) sums[0] += part;
    })[0];
  }
  // to += step from, of `width` planes.
  void advance(double step, const double* from, double* to) const {
    for_each([&](Index begin, Index end) {
      for (Index k = 0; k < width_; ++k) {
        for (Index i = k * rows_ + begin; i < k * rows_ + end; ++i) to[i] += step * from[i];
      }
    });
  }

 private:
  static constexpr Index size = 2048;
  Index count() const { return (rows_ + size - 1) / size; }

  Index rows_, width_;
  core::Execution execution_;
};

}  // namespace thalweg::objective
