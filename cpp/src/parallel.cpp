#include "thalweg/core/parallel.hpp"

#include <algorithm>
#include <atomic>

#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace thalweg::core {
namespace {

std::atomic<bool> forked_child{false};

#if defined(__unix__) || defined(__APPLE__)
const int fork_hook = pthread_atfork(nullptr, nullptr, [] { forked_child.store(true); });
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
  if (team <= 1 || omp_in_parallel() || forked_child.load(std::memory_order_relaxed)) {
    serial();
    return;
  }
#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
  for (Index block = 0; block < blocks; ++block) {
    if (execution.stop_requested()) continue;
    call(context, block);
  }
#else
  serial();
#endif
}

}  // namespace detail
}  // namespace thalweg::core
