// The only place that uses threads: a team of its own (src/parallel.cpp says why not OpenMP's,
// which is asked for its limits only).
//
// Work is cut into blocks whose boundaries depend on the problem only; blocks write disjoint
// results (or partial sums that the caller adds in block order), so that the bits of a result do
// not depend on the number of threads. Nested calls run serially, and so does a forked child.
#pragma once

#include <type_traits>

#include "thalweg/core/stop.hpp"
#include "thalweg/core/types.hpp"

namespace thalweg::core {

// Threads that a solve may use: the request, or OpenMP's own limit (OMP_NUM_THREADS,
// threadpoolctl) when the request is zero; 1 in a build without OpenMP. 1 in a forked child.
int resolve_threads(int requested) noexcept;

// True where the library was built with OpenMP.
bool has_openmp() noexcept;

// How a computation may run: its threads, and whom it asks between blocks whether to stop.
struct Execution {
  int threads = 1;
  StopToken* stop = nullptr;

  bool stop_requested() const noexcept { return stop != nullptr && stop->poll(); }
};

namespace detail {
using BlockFunction = void (*)(void* context, Index block);
void run_blocks(Index blocks, const Execution& execution, BlockFunction call, void* context,
                StopToken* watched);
}  // namespace detail

// Whether blocks run one after the other in their order, as within a block of another call.
bool is_serial(const Execution& execution) noexcept;

// Calls f(block) for block in [0, blocks). After a stop request blocks not yet begun are skipped;
// the caller then must discard the result. They are also skipped once a block throws; the first
// exception comes out of this call when those begun have ended. For long blocks `watched`, which
// does not skip any, is polled while the caller waits for the others.
template <class F>
void parallel_for(Index blocks, const Execution& execution, F&& f, StopToken* watched = nullptr) {
  using Function = std::remove_reference_t<F>;
  detail::run_blocks(
      blocks, execution,
      [](void* context, Index block) { (*static_cast<Function*>(context))(block); },
      const_cast<void*>(static_cast<const void*>(&f)), watched);
}

}  // namespace thalweg::core
