// Generator, stop token and scalar functions.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <thread>

#include "thalweg/core/numerics.hpp"
#include "thalweg/core/result.hpp"
#include "thalweg/core/rng.hpp"
#include "thalweg/core/stop.hpp"

namespace thalweg::core {
namespace {

TEST(RngTest, SameSeedSameBitsOnEveryPlatform) {
  // splitmix64 and xoshiro256** as published, from an independent implementation in Python.
  Rng rng(0);
  EXPECT_EQ(0x99ec5f36cb75f2b4ULL, rng.next());
  EXPECT_EQ(0xbf6e1f784956452aULL, rng.next());
  EXPECT_EQ(0x1a5f849d4933e6e0ULL, rng.next());
  EXPECT_NE(Rng(0).next(), Rng(1).next());
}

TEST(RngTest, CopiesContinueTheSequence) {
  Rng rng(7);
  rng.next();
  Rng copy = rng;
  for (int k = 0; k < 10; ++k) EXPECT_EQ(rng.next(), copy.next());
}

TEST(RngTest, BelowIsUniform) {
  Rng rng(3);
  constexpr Index bound = 7;
  constexpr int draws = 70000;
  std::vector<int> counts(bound, 0);
  for (int k = 0; k < draws; ++k) {
    const Index value = rng.below(bound);
    ASSERT_GE(value, 0);
    ASSERT_LT(value, bound);
    ++counts[static_cast<std::size_t>(value)];
  }
  // Five standard deviations of a binomial count.
  const double expected = draws / static_cast<double>(bound);
  for (const int count : counts) EXPECT_NEAR(expected, count, 5 * std::sqrt(expected));
  EXPECT_EQ(0, rng.below(1));
}

TEST(RngTest, ShuffleIsAPermutationAndUniform) {
  Rng rng(5);
  std::vector<Index> items(100);
  std::iota(items.begin(), items.end(), Index{0});
  const auto before = items;
  rng.shuffle(items);
  EXPECT_NE(before, items);
  std::sort(items.begin(), items.end());
  EXPECT_EQ(before, items);
  int first_stays = 0;
  for (int k = 0; k < 6000; ++k) {
    std::vector<Index> three{0, 1, 2};
    rng.shuffle(three);
    first_stays += three[0] == 0;
  }
  EXPECT_NEAR(2000, first_stays, 5 * std::sqrt(2000.0));
  std::vector<Index> empty;
  rng.shuffle(empty);
  EXPECT_TRUE(empty.empty());
}

TEST(StopTokenTest, IsSilentUntilAsked) {
  StopToken stop;
  EXPECT_FALSE(stop.poll());
  stop.request();
  EXPECT_TRUE(stop.poll());
  EXPECT_TRUE(stop.requested());
  EXPECT_FALSE(stop.expired());
}

TEST(StopTokenTest, DeadlineExpires) {
  StopToken past(nullptr, StopToken::Clock::now());
  EXPECT_FALSE(past.requested());
  EXPECT_TRUE(past.poll());
  EXPECT_TRUE(past.expired());
  StopToken future(nullptr, StopToken::Clock::now() + std::chrono::hours(1));
  EXPECT_FALSE(future.poll());
}

TEST(StopTokenTest, HookRunsAtItsInterval) {
  int calls = 0;
  StopToken stop([&] { return ++calls == 2; });
  const auto began = StopToken::Clock::now();
  while (!stop.poll()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(2, calls);
  EXPECT_GE(StopToken::Clock::now() - began, 2 * StopToken::hook_interval);
  EXPECT_FALSE(stop.expired());
}

TEST(StopTokenTest, OtherThreadsDoNotRunTheHook) {
  StopToken stop([] { return true; });
  std::this_thread::sleep_for(2 * StopToken::hook_interval);
  bool seen = true;
  std::thread([&] { seen = stop.poll(); }).join();
  EXPECT_FALSE(seen);
  EXPECT_TRUE(stop.poll());
  std::thread([&] { seen = stop.poll(); }).join();
  EXPECT_TRUE(seen);
}

TEST(StopTokenTest, OtherThreadsReadTheDeadline) {
  StopToken stop({}, StopToken::Clock::now());
  bool seen = false;
  std::thread([&] { seen = stop.poll(); }).join();
  EXPECT_TRUE(seen);
  EXPECT_TRUE(stop.expired());
}

TEST(NumericsTest, SoftThreshold) {
  EXPECT_EQ(1.5, soft_threshold(2.0, 0.5));
  EXPECT_EQ(-1.5, soft_threshold(-2.0, 0.5));
  EXPECT_EQ(0.0, soft_threshold(0.4, 0.5));
  EXPECT_EQ(0.0, soft_threshold(-0.5, 0.5));
  EXPECT_EQ(3.0, soft_threshold(3.0, 0.0));
}

TEST(NumericsTest, Clip) {
  EXPECT_EQ(1.0, clip(3.0, -1.0, 1.0));
  EXPECT_EQ(-1.0, clip(-3.0, -1.0, 1.0));
  EXPECT_EQ(0.25, clip(0.25, -infinity, infinity));
}

TEST(ResultTest, EveryStatusHasAName) {
  for (const Status status :
       {Status::converged, Status::max_iter, Status::time_limit, Status::stalled, Status::unbounded,
        Status::line_search_failed, Status::non_finite, Status::stopped}) {
    EXPECT_FALSE(to_string(status).empty());
  }
}

}  // namespace
}  // namespace thalweg::core
