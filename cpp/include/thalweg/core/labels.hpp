// Class labels that are numbers: the distinct values, sorted, and the position of each label among
// them.
//
// One pass with a hash table of the values seen so far (open addressing, at most half full), then a
// sort of the distinct values: O(n + K log K) for K classes, where sorting the labels would take
// O(n log n). A label that equals the one before it costs no look-up. Not for texts, nor for
// targets whose values are mostly different.
//
// Reference: Knuth 1998, The art of computer programming 3, section 6.4, algorithm L (linear
// probing).
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <type_traits>
#include <vector>

#include "thalweg/core/parallel.hpp"

namespace thalweg::core {

// Numbers distinct values in the order of their first appearance.
template <class T>
class Numbering final {
 public:
  Index operator()(T value) {
    for (std::size_t slot = hash(value);; slot = (slot + 1) & (slots_.size() - 1)) {
      const Index number = slots_[slot];
      if (number < 0) return add(value);
      if (values_[static_cast<std::size_t>(number)] == value) return number;
    }
  }
  const std::vector<T>& values() const { return values_; }

 private:
  static constexpr int first_bits = 6;

  std::size_t hash(T value) const {
    std::uint64_t bits;
    if constexpr (std::is_floating_point_v<T>) {
      bits = std::bit_cast<std::uint64_t>(static_cast<double>(value) + 0.0);  // one zero, not two
    } else {
      bits = static_cast<std::uint64_t>(value);
    }
    // 2^64 over the golden ratio: Knuth's multiplicative hashing.
    return static_cast<std::size_t>((bits * 0x9E3779B97F4A7C15U) >> (64 - bits_));
  }
  void place(Index number) {
    std::size_t slot = hash(values_[static_cast<std::size_t>(number)]);
    while (slots_[slot] >= 0) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = number;
  }
  Index add(T value) {
    values_.push_back(value);
    const auto count = static_cast<Index>(values_.size());
    if (2 * values_.size() <= slots_.size()) {
      place(count - 1);
    } else {
      slots_.assign(std::size_t{1} << ++bits_, -1);
      for (Index number = 0; number < count; ++number) place(number);
    }
    return count - 1;
  }

  int bits_ = first_bits;
  std::vector<Index> slots_ = std::vector<Index>(std::size_t{1} << first_bits, -1);
  std::vector<T> values_;
};

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
  Numbering<T> numbers;
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
    out.codes[at] = i > 0 && labels[i] == labels[i - 1] ? out.codes[at - 1] : numbers(labels[i]);
  }
  const std::vector<T>& values = numbers.values();
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
