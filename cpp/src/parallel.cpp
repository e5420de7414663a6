#include "thalweg/core/parallel.hpp"

#include <algorithm>
#include <atomic>

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

template <class F>
void run_team(Index blocks, int team, F run) {
  std::atomic<Index> next{0};
  const auto work = [&] {
    in_team = true;
    for (Index block; (block = next.fetch_add(1)) < blocks;) run(block);
    in_team = false;
  };
  std::vector<std::thread> helpers;
  for (int i = 1; i < team; ++i) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
}
#elif defined(_OPENMP)
bool in_parallel() { return omp_in_parallel() != 0; }

template <class F>
void run_team(Index blocks, int team, F run) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
  for (Index block = 0; block < blocks; ++block) run(block);
}
#endif

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

void run_blocks(Index blocks, const Execution& execution, BlockFunction call, void* context) {
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
  run_team(blocks, team, [&](Index block) {
    if (!execution.stop_requested()) call(context, block);
  });
#else
  serial();
#endif
}

}  // namespace detail
}  // namespace thalweg::core
