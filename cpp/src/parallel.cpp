#include "thalweg/core/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#ifdef __SANITIZE_THREAD__
#include <thread>
#include <vector>
#endif

namespace thalweg::core {
namespace {

std::atomic<bool> forked_child{false};

#if defined(__unix__) || defined(__APPLE__)
const int fork_hook = pthread_atfork(nullptr, nullptr, [] { forked_child.store(true); });
#endif

#if defined(_OPENMP) && defined(__SANITIZE_THREAD__)
// The thread sanitizer does not see inside libgomp, and so takes every read after a parallel region
// for a race. In its build alone, plain threads run the team.
thread_local bool in_team = false;
bool in_parallel() { return in_team; }

template <class Work>
void run_team(int team, Work work) {
  const auto run = [&](bool is_caller) {
    in_team = true;
    work(is_caller);
    in_team = false;
  };
  std::vector<std::thread> helpers;
  for (int i = 1; i < team; ++i) helpers.emplace_back(run, false);
  run(true);
  for (std::thread& helper : helpers) helper.join();
}
#elif defined(_OPENMP)
bool in_parallel() { return omp_in_parallel() != 0; }

template <class Work>
void run_team(int team, Work work) {
#pragma omp parallel num_threads(team)
  work(omp_get_thread_num() == 0);
}
#endif

// What is left to do. Without a token to watch, it costs nothing.
class Remaining final {
 public:
  Remaining(Index blocks, StopToken* watched) : left_(blocks), watched_(watched) {}

  void finish_one() {
    if (watched_ == nullptr) return;
    const std::scoped_lock lock(mutex_);
    if (--left_ == 0) done_.notify_all();
  }
  // Polls until everything is done.
  void wait() {
    constexpr std::chrono::milliseconds interval{5};
    if (watched_ == nullptr) return;
    std::unique_lock lock(mutex_);
    while (!done_.wait_for(lock, interval, [&] { return left_ == 0; })) {
      lock.unlock();  // the hook may need what a block holds
      watched_->poll();
      lock.lock();
    }
  }

 private:
  Index left_;
  StopToken* watched_;
  std::mutex mutex_;
  std::condition_variable done_;
};

}  // namespace

bool has_openmp() noexcept {
#ifdef _OPENMP
  return true;
#else
  return false;
#endif
}

int resolve_threads(int requested) noexcept {
#ifdef _OPENMP
  if (forked_child.load(std::memory_order_relaxed)) return 1;
  return std::max(1, requested > 0 ? requested : omp_get_max_threads());
#else
  (void)requested;
  return 1;
#endif
}

namespace detail {

void run_blocks(Index blocks, const Execution& execution, BlockFunction call, void* context,
                StopToken* watched) {
  const auto serial = [&] {
    for (Index block = 0; block < blocks; ++block) {
      if (execution.stop_requested()) return;
      call(context, block);
    }
  };
#ifdef _OPENMP
  const int team = static_cast<int>(std::min<Index>(execution.threads, blocks));
  if (team <= 1 || in_parallel() || forked_child.load(std::memory_order_relaxed)) {
    serial();
    return;
  }
  std::atomic<Index> next{0};
  Remaining remaining(blocks, watched);
  run_team(team, [&](bool is_caller) {
    for (Index block; (block = next.fetch_add(1)) < blocks;) {
      if (!execution.stop_requested()) call(context, block);
      remaining.finish_one();
    }
    // Else nobody would run the token's hook while others still work.
    if (is_caller) remaining.wait();
  });
#else
  (void)watched;
  serial();
#endif
}

}  // namespace detail
}  // namespace thalweg::core
