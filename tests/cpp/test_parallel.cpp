// The block runner: every block once, no matter how many threads; stop tokens; nesting.
#include "thalweg/core/parallel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#ifdef __unix__
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace thalweg::core {
namespace {

TEST(ParallelTest, RunsEveryBlockOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    for (const Index blocks : {0, 1, 2, 7, 1000}) {
      std::vector<int> runs(static_cast<std::size_t>(blocks), 0);
      parallel_for(blocks, Execution{threads, nullptr},
                   [&](Index block) { ++runs[static_cast<std::size_t>(block)]; });
      for (const int count : runs) EXPECT_EQ(1, count);
    }
  }
}

TEST(ParallelTest, SumsInBlockOrderDoNotDependOnThreads) {
  constexpr Index blocks = 97;
  const auto sum = [](int threads) {
    std::vector<double> part(blocks);
    parallel_for(blocks, Execution{threads, nullptr}, [&](Index block) {
      part[static_cast<std::size_t>(block)] = 1.0 / static_cast<double>(3 * block + 1);
    });
    double total = 0;
    for (const double value : part) total += value;
    return total;
  };
  EXPECT_EQ(sum(1), sum(2));
  EXPECT_EQ(sum(1), sum(5));
}

TEST(ParallelTest, StopTokenSkipsTheRemainingBlocks) {
  for (const int threads : {1, 2}) {
    StopToken stop;
    std::atomic<int> runs{0};
    parallel_for(1000, Execution{threads, &stop}, [&](Index) {
      if (++runs == 5) stop.request();
    });
    EXPECT_TRUE(stop.requested());
    EXPECT_GE(runs.load(), 5);
    EXPECT_LT(runs.load(), 5 + threads + 1);
    parallel_for(1000, Execution{threads, &stop},
                 [&](Index) { ADD_FAILURE() << "ran after the stop"; });
  }
}

TEST(ParallelTest, HookRunsOnTheOwnersThreadOnly) {
  const auto owner = std::this_thread::get_id();
  std::atomic<int> calls{0};
  StopToken stop([&] {
    EXPECT_EQ(owner, std::this_thread::get_id());
    return ++calls == 2;
  });
  // Enough blocks of a millisecond for several hook intervals.
  parallel_for(2000, Execution{2, &stop},
               [&](Index) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); });
  EXPECT_TRUE(stop.requested());
  EXPECT_EQ(2, calls.load());
}

TEST(ParallelTest, WatchedTokenIsPolledWhileTheCallerWaits) {
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<bool> caller_is_done{false};
  // Only the caller may run the hook, and it has nothing left to do but to wait.
  StopToken stop([&] { return caller_is_done.load(); });
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::atomic<int> started{0};
  parallel_for(
      2, Execution{.threads = 2},
      [&](Index) {
        ++started;
        while (started < 2 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
        if (std::this_thread::get_id() == caller) {
          caller_is_done = true;
          return;
        }
        while (!stop.requested() && std::chrono::steady_clock::now() < give_up) {
          std::this_thread::yield();
        }
      },
      &stop);
  EXPECT_TRUE(stop.requested());
}

TEST(ParallelTest, NestedCallsRunSerially) {
  std::vector<int> serial(16, 0);
  parallel_for(16, Execution{2, nullptr}, [&](Index outer) {
    const auto thread = std::this_thread::get_id();
    bool same = true;
    int runs = 0;
    parallel_for(50, Execution{4, nullptr}, [&](Index) {
      same = same && std::this_thread::get_id() == thread;
      ++runs;
    });
    serial[static_cast<std::size_t>(outer)] = same && runs == 50 ? 1 : 0;
  });
  for (const int value : serial) EXPECT_EQ(1, value);
}

TEST(ParallelTest, CallsFromSeveralThreadsAreIndependent) {
  std::vector<double> sums(4);
  std::vector<std::thread> callers;
  for (std::size_t caller = 0; caller < sums.size(); ++caller) {
    callers.emplace_back([&, caller] {
      std::vector<double> part(64);
      for (int repeat = 0; repeat < 20; ++repeat) {
        parallel_for(64, Execution{2, nullptr}, [&](Index block) {
          part[static_cast<std::size_t>(block)] = static_cast<double>(block);
        });
      }
      for (const double value : part) sums[caller] += value;
    });
  }
  for (std::thread& thread : callers) thread.join();
  for (const double sum : sums) EXPECT_EQ(2016.0, sum);
}

TEST(ParallelTest, ThreadsAreResolved) {
  EXPECT_GE(resolve_threads(0), 1);
  EXPECT_EQ(1, resolve_threads(1));
  EXPECT_EQ(3, resolve_threads(3));
  if (!has_openmp()) {
    EXPECT_EQ(1, resolve_threads(0));
  }
}

// The team's helper hangs in a block of one caller; another caller does its own blocks meanwhile.
TEST(ParallelTest, HelpersThatAreBusyElsewhereAreNotWaitedFor) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::atomic<int> hanging{0};
  std::atomic<bool> release{false};
  const auto hang = [&](Index) {
    ++hanging;
    while (!release && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  };
  std::thread first([&] { parallel_for(2, Execution{.threads = 2}, hang); });
  while (hanging < 2 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  std::vector<int> runs(100, 0);
  parallel_for(100, Execution{.threads = 2},
               [&](Index block) { ++runs[static_cast<std::size_t>(block)]; });
  EXPECT_EQ(std::vector<int>(100, 1), runs);
  EXPECT_LT(std::chrono::steady_clock::now(), give_up);
  release = true;
  first.join();
}

TEST(ParallelTest, TheFirstExceptionComesOutOnceAllBlocksHaveEnded) {
  for (const int threads : {1, 2, 4}) {
    std::atomic<int> begun{0}, ended{0};
    const auto fails = [&](Index block) {
      ++begun;
      if (block == 3) throw std::runtime_error("block 3");
      std::this_thread::yield();
      ++ended;
    };
    try {
      parallel_for(1000, Execution{.threads = threads}, fails);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ("block 3", error.what());
    }
    EXPECT_EQ(begun - 1, ended);
    EXPECT_LT(begun, 1000);
    // Neither the caller nor its helpers are taken for inside a block afterwards.
    int runs = 0;
    parallel_for(1, Execution{.threads = threads}, [&](Index) { ++runs; });
    EXPECT_EQ(1, runs);
  }
}

TEST(ParallelTest, ManySmallRegionsInARow) {
  constexpr Index regions = 20000;
  std::vector<Index> counts(3, 0);
  for (Index region = 0; region < regions; ++region) {
    parallel_for(3, Execution{.threads = 3},
                 [&](Index block) { ++counts[static_cast<std::size_t>(block)]; });
  }
  EXPECT_EQ(std::vector<Index>(3, regions), counts);
}

#if defined(__unix__) && !defined(__SANITIZE_THREAD__)
// A forked child has no team and would wait for it for ever.
TEST(ParallelTest, ForkedChildRunsSerially) {
  parallel_for(8, Execution{2, nullptr}, [](Index) {});
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    int runs = 0;
    parallel_for(8, Execution{2, nullptr}, [&](Index) { ++runs; });
    _exit(runs == 8 && resolve_threads(2) == 1 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(child, waitpid(child, &status, 0));
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
#endif

}  // namespace
}  // namespace thalweg::core
