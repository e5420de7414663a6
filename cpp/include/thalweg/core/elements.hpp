// Loops over the elements of vectors, in parallel where these are long. Blocks have a fixed size
// and their sums are added in order, so that threads do not change a bit. No stop request cuts them
// short.
#pragma once

#include <algorithm>
#include <vector>

#include "thalweg/core/parallel.hpp"

namespace thalweg::core {

inline constexpr Index elements_block = 1 << 15;

// f(begin, end) for blocks of [0, n).
template <class F>
void for_elements(Index n, int threads, F&& f) {
  constexpr Index worth_waking = 4;  // blocks
  const Index blocks = (n + elements_block - 1) / elements_block;
  if (blocks <= 1) return f(Index{0}, n);
  parallel_for(blocks, {.threads = blocks < worth_waking ? 1 : threads},
               [&](Index b) { f(b * elements_block, std::min(n, (b + 1) * elements_block)); });
}

inline void copy_elements(const double* from, Index n, double* to, int threads) {
  for_elements(n, threads,
               [&](Index begin, Index end) { std::copy(from + begin, from + end, to + begin); });
}

// The sum of f(begin, end) over blocks.
template <class F>
double sum_elements(Index n, int threads, F&& f) {
  if (n <= elements_block) return f(Index{0}, n);
  std::vector<double> parts(static_cast<std::size_t>((n + elements_block - 1) / elements_block));
  for_elements(n, threads, [&](Index begin, Index end) {
    parts[static_cast<std::size_t>(begin / elements_block)] = f(begin, end);
  });
  double sum = 0;
  for (const double part : parts) sum += part;
  return sum;
}

}  // namespace thalweg::core
