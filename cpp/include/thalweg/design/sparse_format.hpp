// Checks and conversion of compressed sparse formats at the border: nothing here is in a solver's
// loop, but a bad index here would be a wild read there. After a stop request results are not
// complete.
#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "thalweg/core/error.hpp"
#include "thalweg/core/parallel.hpp"
#include "thalweg/core/types.hpp"

namespace thalweg::design {

namespace detail {

// What is known of some lines of indices.
struct LineCheck {
  bool canonical = true;
  bool in_range = true;

  // No branch depends on an index but once per line: a sorted one is in range if its ends are.
  template <class I>
  void add(const I* index, Index size, Index minor) {
    if (size == 0) return;
    int unsorted = 0;
    for (Index e = 1; e < size; ++e) unsorted |= index[e] <= index[e - 1] ? 1 : 0;
    I lowest = index[0], highest = index[size - 1];
    if (unsorted != 0) {
      canonical = false;
      const auto [low, high] = std::minmax_element(index, index + size);
      lowest = *low;
      highest = *high;
    }
    in_range = in_range && lowest >= 0 && static_cast<Index>(highest) < minor;
  }
};

template <class I>
[[noreturn]] void reject_index(const I* index, Index entries, Index minor) {
  const I* const bad = std::find_if(
      index, index + entries, [minor](I i) { return i < 0 || static_cast<Index>(i) >= minor; });
  throw core::InvalidArgument("indices must be in [0, " + std::to_string(minor) + "); got " +
                              std::to_string(*bad) + " at position " + std::to_string(bad - index));
}

}  // namespace detail

// Throws where the pointers or indices do not describe a matrix of `major` compressed and `minor`
// indexed lines. Returns whether every line is sorted without duplicates.
template <class I>
bool check_format(const I* index, Index entries, const I* pointers, Index major, Index minor,
                  const core::Execution& execution = {}) {
  if (pointers[0] != 0) {
    throw core::InvalidArgument("indptr must start at 0; got " + std::to_string(pointers[0]));
  }
  for (Index k = 0; k < major; ++k) {
    if (pointers[k + 1] < pointers[k]) {
      throw core::InvalidArgument(
          "indptr must not decrease; got " + std::to_string(pointers[k + 1]) + " after " +
          std::to_string(pointers[k]) + " at position " + std::to_string(k + 1));
    }
  }
  if (pointers[major] > entries) {
    throw core::InvalidArgument("indptr must end within indices and data, of length " +
                                std::to_string(entries) + "; got " +
                                std::to_string(pointers[major]));
  }
  // Blocks of lines, for about 64,000 entries each.
  const Index block = std::max<Index>(1, (major << 16) / std::max<Index>(pointers[major], 1));
  const Index blocks = (major + block - 1) / block;
  std::vector<detail::LineCheck> checks(static_cast<std::size_t>(blocks));
  core::parallel_for(blocks, execution, [&](Index b) {
    detail::LineCheck& check = checks[static_cast<std::size_t>(b)];
    for (Index k = b * block; k < std::min(major, (b + 1) * block); ++k) {
      check.add(index + pointers[k], static_cast<Index>(pointers[k + 1] - pointers[k]), minor);
    }
  });
  bool canonical = true;
  for (const detail::LineCheck& check : checks) {
    if (!check.in_range) detail::reject_index(index, static_cast<Index>(pointers[major]), minor);
    canonical = canonical && check.canonical;
  }
  return canonical;
}

// Whether a design of these values is better one of kernels::One. Most others differ early.
template <class T>
bool are_ones(const T* values, Index n) {
  constexpr Index block = 1024;
  for (Index begin = 0; begin < n; begin += block) {
    bool all = true;
    for (Index e = begin; e < std::min(n, begin + block); ++e) all &= values[e] == 1;
    if (!all) return false;
  }
  return n > 0;
}

// Elements that are written anyway are not set to zero first, in a pass that no poll could end.
template <class T>
struct Unset : std::allocator<T> {
  template <class U>
  struct rebind {
    using other = Unset<U>;
  };
  template <class U>
  void construct(U* at) noexcept {
    ::new (static_cast<void*>(at)) U;
  }
};

template <class T, class I>
struct CompressedColumns {
  std::vector<T, Unset<T>> data;
  std::vector<I, Unset<I>> index;
  std::vector<I> pointers;
};

inline constexpr std::size_t lines_between_polls = 64;

// Adds up neighbours with the same row in sorted columns, in place.
template <class T, class I>
void sum_duplicates(CompressedColumns<T, I>& x, const core::Execution& execution) {
  std::size_t out = 0;
  I begin = 0;
  for (std::size_t j = 0; j + 1 < x.pointers.size(); ++j) {
    if (j % lines_between_polls == 0 && execution.stop_requested()) return;
    const I end = x.pointers[j + 1];
    const std::size_t first = out;
    for (I e = begin; e < end; ++e) {
      const auto at = static_cast<std::size_t>(e);
      if (out > first && x.index[out - 1] == x.index[at]) {
        x.data[out - 1] += x.data[at];
      } else {
        x.index[out] = x.index[at];
        x.data[out] = x.data[at];
        ++out;
      }
    }
    begin = end;
    x.pointers[j + 1] = static_cast<I>(out);
  }
  x.data.resize(out);
  x.index.resize(out);
}

// Rows to canonical columns: a counting sort by column, so rows come out sorted. Rows are cut into
// a fixed number of blocks; each counts its entries per column, a prefix sum gives every (block,
// column) its place, and the blocks write in parallel without touching each other. `canonical`: no
// row has duplicates, so no column has; then data may be null, and the result has no values.
template <class T, class I>
CompressedColumns<T, I> rows_to_columns(const T* data, const I* index, const I* pointers,
                                        Index rows, Index cols, const core::Execution& execution,
                                        bool canonical = false) {
  const Index entries = static_cast<Index>(pointers[rows]);
  const Index blocks = entries < 4 * cols ? 1 : std::min<Index>(4, std::max<Index>(rows, 1));
  const auto width = static_cast<std::size_t>(cols);
  std::vector<I> place(width * static_cast<std::size_t>(blocks), 0);
  // Boundaries by entries, so that blocks take equally long.
  std::vector<Index> boundary(static_cast<std::size_t>(blocks) + 1, rows);
  for (Index b = 0; b < blocks; ++b) {
    boundary[static_cast<std::size_t>(b)] =
        std::lower_bound(pointers, pointers + rows, static_cast<I>(entries * b / blocks)) -
        pointers;
  }
  core::parallel_for(blocks, execution, [&](Index b) {
    I* const count = place.data() + static_cast<std::size_t>(b) * width;
    const I begin = pointers[boundary[static_cast<std::size_t>(b)]];
    const I end = pointers[boundary[static_cast<std::size_t>(b) + 1]];
    constexpr I between_polls = 1 << 16;
    for (I e = begin; e < end; ++e) {
      if (e % between_polls == 0 && execution.stop_requested()) return;
      ++count[index[e]];
    }
  });
  CompressedColumns<T, I> out;
  out.pointers.resize(width + 1);
  I total = 0;
  for (std::size_t j = 0; j < width; ++j) {
    out.pointers[j] = total;
    for (Index b = 0; b < blocks; ++b) {
      I& slot = place[static_cast<std::size_t>(b) * width + j];
      const I count = slot;
      slot = total;
      total += count;
    }
  }
  out.pointers[width] = total;
  if (execution.stop_requested()) return out;
  if (data != nullptr) out.data.resize(static_cast<std::size_t>(entries));
  out.index.resize(static_cast<std::size_t>(entries));
  core::parallel_for(blocks, execution, [&](Index b) {
    I* const next = place.data() + static_cast<std::size_t>(b) * width;
    for (Index i = boundary[static_cast<std::size_t>(b)];
         i < boundary[static_cast<std::size_t>(b) + 1]; ++i) {
      if (static_cast<std::size_t>(i) % lines_between_polls == 0 && execution.stop_requested())
        return;
      for (I e = pointers[i]; e < pointers[i + 1]; ++e) {
        const auto at = static_cast<std::size_t>(next[index[e]]++);
        out.index[at] = static_cast<I>(i);
        if (data != nullptr) out.data[at] = data[e];
      }
    }
  });
  if (!canonical) sum_duplicates(out, execution);
  return out;
}

// Columns in any order, with duplicates, to canonical columns.
template <class T, class I>
CompressedColumns<T, I> canonical_columns(const T* data, const I* index, const I* pointers,
                                          Index cols, const core::Execution& execution = {}) {
  CompressedColumns<T, I> out;
  out.data.resize(static_cast<std::size_t>(pointers[cols]));
  out.index.resize(static_cast<std::size_t>(pointers[cols]));
  out.pointers.assign(pointers, pointers + cols + 1);
  std::vector<I> order;
  for (Index j = 0; j < cols; ++j) {
    if (static_cast<std::size_t>(j) % lines_between_polls == 0 && execution.stop_requested())
      return out;
    order.resize(static_cast<std::size_t>(pointers[j + 1] - pointers[j]));
    std::iota(order.begin(), order.end(), pointers[j]);
    std::stable_sort(order.begin(), order.end(), [&](I a, I b) { return index[a] < index[b]; });
    for (std::size_t k = 0; k < order.size(); ++k) {
      const auto at = static_cast<std::size_t>(pointers[j]) + k;
      out.index[at] = index[order[k]];
      out.data[at] = data[order[k]];
    }
  }
  sum_duplicates(out, execution);
  return out;
}

}  // namespace thalweg::design
