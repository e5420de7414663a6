// Class labels that are numbers: the distinct values, sorted, and the position of each label among
// them.
//
// One pass with a hash table of the values seen so far, then a sort of the distinct values:
// O(n + K log K) for K classes, where sorting the labels would take O(n log n). A label that equals
// the one before it costs no look-up. Not for texts.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "thalweg/core/parallel.hpp"

namespace thalweg::core {

template <class T>
struct Labels {
  std::vector<T> classes;    // sorted
  std::vector<Index> codes;  // of every label
  Index bad = -1;            // the first label that is no whole number: nothing else is then known
};

// After a stop request incomplete.
template <class T>
Labels<T> encode_labels(const T* labels, Index n, const Execution& execution) {
  Labels<T> out;
  out.codes.resize(static_cast<std::size_t>(n));
  std::vector<T> values;  // in the order of their first appearance
  std::unordered_map<T, Index> numbers;
  constexpr Index between_polls = 1 << 16;
  for (Index i = 0; i < n; ++i) {
    if (i % between_polls == 0 && execution.stop_requested()) return out;
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(labels[i]) || labels[i] != std::trunc(labels[i])) {
        out.bad = i;
        return out;
      }
    }
    const auto at = static_cast<std::size_t>(i);
    if (i > 0 && labels[i] == labels[i - 1]) {
      out.codes[at] = out.codes[at - 1];
      continue;
    }
    const auto [place, is_new] = numbers.try_emplace(labels[i], static_cast<Index>(values.size()));
    if (is_new) values.push_back(labels[i]);
    out.codes[at] = place->second;
  }
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<Index> rank(values.size());
  for (std::size_t k = 0; k < order.size(); ++k) {
    out.classes.push_back(values[order[k]]);
    rank[order[k]] = static_cast<Index>(k);
  }
  for (Index& code : out.codes) code = rank[static_cast<std::size_t>(code)];
  return out;
}

}  // namespace thalweg::core
