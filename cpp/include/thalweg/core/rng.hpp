// A value-type generator: xoshiro256** (Blackman & Vigna 2021), seeded by splitmix64.
//
// Solvers own one and are given its seed: there is no ambient randomness, and the same seed gives
// the same bits on every platform.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "thalweg/core/types.hpp"

namespace thalweg::core {

class Rng final {
 public:
  explicit Rng(std::uint64_t seed) {
    for (auto& word : state_) {
      seed += 0x9e3779b97f4a7c15ULL;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
      word = z ^ (z >> 31);
    }
  }

  std::uint64_t next() {
    const std::uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate_left(state_[3], 45);
    return result;
  }

  // Uniform on {0, ..., bound - 1}, unbiased (Lemire 2019, with rejection).
  Index below(Index bound) {
    const auto range = static_cast<std::uint64_t>(bound);
    const std::uint64_t threshold = (0 - range) % range;
    for (;;) {
      const unsigned __int128 product = static_cast<unsigned __int128>(next()) * range;
      if (static_cast<std::uint64_t>(product) >= threshold) {
        return static_cast<Index>(static_cast<std::uint64_t>(product >> 64));
      }
    }
  }

  // Fisher-Yates.
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (Index i = static_cast<Index>(items.size()) - 1; i > 0; --i) {
      std::swap(items[static_cast<std::size_t>(i)], items[static_cast<std::size_t>(below(i + 1))]);
    }
  }

 private:
  static std::uint64_t rotate_left(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace thalweg::core
