// Memory of vectors is kept for the next ones, up to a bound, whichever thread frees it.
#include "thalweg/core/recycling.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace thalweg::core::recycling {
namespace {

using Bytes = std::vector<char, RecyclingAllocator<char>>;

// In a thread of its own, whose shelf is empty.
template <class F>
void in_thread(F&& f) {
  std::thread(f).join();
}

TEST(Recycling, HandsOutWhatWasFreedLast) {
  if (!recycles) GTEST_SKIP() << "not under the address sanitizer";
  in_thread([] {
    const void* first = nullptr;
    {
      Bytes block(100'000);
      first = block.data();
    }
    EXPECT_GE(kept(), 100'000u);
    const Bytes again(99'000, 'a');  // of the same class
    EXPECT_EQ(first, again.data());
    EXPECT_EQ(kept(), 0u);
    const Bytes other(200'000);
    EXPECT_NE(first, other.data());
  });
}

TEST(Recycling, KeepsNoMoreThanItsBound) {
  in_thread([] {
    {
      std::vector<Bytes> blocks;
      for (int k = 0; k < 40; ++k) blocks.emplace_back(1 << 20);
    }
    EXPECT_LE(kept(), most_kept);
    EXPECT_EQ(kept() > 0, recycles);
    {
      std::vector<Bytes> blocks;
      for (int k = 0; k < 1000; ++k) blocks.emplace_back(smallest + static_cast<std::size_t>(k));
    }
    EXPECT_LE(kept(), most_kept);
  });
}

TEST(Recycling, LeavesSmallAndLargeBlocksToNew) {
  in_thread([] {
    for (const std::size_t size : {std::size_t{0}, std::size_t{8}, smallest - 1, largest + 1}) {
      Bytes(size, 'a');
      EXPECT_EQ(kept(), 0u) << size;
    }
    Bytes(smallest, 'a');
    Bytes(largest, 'a');
    EXPECT_EQ(kept(), recycles ? smallest + largest : 0u);
  });
}

TEST(Recycling, TakesBlocksOfOtherThreads) {
  Bytes* moved = nullptr;
  in_thread([&] { moved = new Bytes(50'000, 'x'); });
  in_thread([&] {
    EXPECT_EQ((*moved)[49'999], 'x');
    delete moved;
    EXPECT_EQ(kept() > 0, recycles);
  });
}

}  // namespace
}  // namespace thalweg::core::recycling
