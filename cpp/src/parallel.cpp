// A team of threads whose caller never waits for a thread that is not running.
//
// Solvers open regions of some ten microseconds by the thousand. At the end of an OpenMP region the
// caller waits until every thread of the team has arrived, also one that the system gave its core
// to somebody else and that had nothing left to do: beside a compiler a fit took 10 to 50 times
// longer, more than twice as long as in one thread. Here the caller takes blocks until none is
// left, closes the job to those who have not joined it, and waits only for blocks that somebody has
// begun.
//
// Helpers look for work for `linger` after their last job before they sleep: waking a thread takes
// as long as a small region. They are started when first asked for and shared by all callers.
#include "thalweg/core/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace thalweg::core {
namespace {

using Clock = std::chrono::steady_clock;

// The child of a fork has none of its parent's threads.
std::atomic<bool> forked_child{false};

#if defined(__unix__) || defined(__APPLE__)
const int fork_hook = pthread_atfork(nullptr, nullptr, [] { forked_child.store(true); });
#endif

// Inside a block: nested calls run serially.
thread_local bool in_block = false;

void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

// Spins until ready() or the time is over; returns ready(). The clock is read now and then only.
template <class Ready>
bool spin(std::chrono::microseconds time, Ready&& ready) {
  constexpr int between_looks_at_the_clock = 64;
  const auto end = Clock::now() + time;
  do {
    for (int i = 0; i < between_looks_at_the_clock; ++i) {
      if (ready()) return true;
      relax();
    }
  } while (Clock::now() < end);
  return ready();
}

// One call of run_blocks, on its caller's stack.
struct Job {
  Index blocks;
  const Execution& execution;
  detail::BlockFunction call;
  void* context;
  int room;                       // for helpers that have not joined; guarded by the team's mutex
  bool caller_sleeps = false;     // likewise
  std::exception_ptr error = {};  // of the first block that threw; likewise
  std::atomic<Index> next{0};
  std::atomic<int> inside{0};  // helpers that have joined and not left

  bool has_work() const { return room > 0 && next.load(std::memory_order_relaxed) < blocks; }

  // Returns what a block threw; the others that nobody has begun are then left out.
  std::exception_ptr work() noexcept {
    in_block = true;
    std::exception_ptr thrown;
    try {
      for (Index block; (block = next.fetch_add(1, std::memory_order_relaxed)) < blocks;) {
        if (!execution.stop_requested()) call(context, block);
      }
    } catch (...) {
      thrown = std::current_exception();
      next.store(blocks, std::memory_order_relaxed);
    }
    in_block = false;
    return thrown;
  }
};

class Team final {
 public:
  // Never destroyed: its threads sleep until the process ends.
  static Team& instance() {
    static Team& team = *new Team;
    return team;
  }

  void run(Job& job, StopToken* watched) {
    open(job);
    const std::exception_ptr thrown = job.work();
    close(job);
    wait(job, watched);
    if (thrown) std::rethrow_exception(thrown);
    if (job.error) std::rethrow_exception(job.error);
  }

 private:
  static constexpr std::chrono::microseconds linger{100};
  static constexpr std::chrono::milliseconds poll_interval{5};

  void open(Job& job) {
    int wake;
    {
      const std::scoped_lock lock(mutex_);
      start_helpers(job.room);
      jobs_.push_back(&job);
      wake = std::min(asleep_, job.room - lingering_.load(std::memory_order_relaxed));
      posted_.fetch_add(1, std::memory_order_release);
    }
    for (; wake > 0; --wake) work_.notify_one();
  }

  void start_helpers(int wanted) {
    try {
      for (; helpers_ < wanted; ++helpers_) std::thread([this] { help(); }).detach();
    } catch (const std::system_error&) {
      // The caller and the helpers that there are do the work.
    }
  }

  void close(Job& job) {
    const std::scoped_lock lock(mutex_);
    jobs_.erase(std::find(jobs_.begin(), jobs_.end(), &job));
  }

  // For the blocks that helpers have begun. Polls the token that nobody else would.
  void wait(Job& job, StopToken* watched) {
    const auto done = [&] { return job.inside.load(std::memory_order_acquire) == 0; };
    if (spin(linger, done)) return;
    std::unique_lock lock(mutex_);
    job.caller_sleeps = true;
    if (watched == nullptr) return done_.wait(lock, done);
    while (!done_.wait_for(lock, poll_interval, done)) {
      lock.unlock();  // the token's hook may need what a block holds
      watched->poll();
      lock.lock();
    }
  }

  // A helper's life.
  void help() {
    for (;;) {
      const unsigned seen = posted_.load(std::memory_order_acquire);
      if (Job* const job = join()) {
        leave(*job, job->work());
        continue;
      }
      const auto news = [&] { return posted_.load(std::memory_order_acquire) != seen; };
      lingering_.fetch_add(1, std::memory_order_relaxed);
      const bool found = spin(linger, news);
      lingering_.fetch_sub(1, std::memory_order_relaxed);
      if (found) continue;
      std::unique_lock lock(mutex_);
      ++asleep_;
      work_.wait(lock, news);
      --asleep_;
    }
  }

  Job* join() {
    const std::scoped_lock lock(mutex_);
    const auto has_work = [](const Job* job) { return job->has_work(); };
    const auto found = std::find_if(jobs_.begin(), jobs_.end(), has_work);
    if (found == jobs_.end()) return nullptr;
    --(*found)->room;
    (*found)->inside.fetch_add(1, std::memory_order_relaxed);
    // Two callers may have counted on the same lingering helper.
    if (asleep_ > 0 && std::any_of(found, jobs_.end(), has_work)) work_.notify_one();
    return *found;
  }

  void leave(Job& job, std::exception_ptr thrown) {
    const std::scoped_lock lock(mutex_);
    if (thrown && !job.error) job.error = std::move(thrown);
    const bool caller_sleeps = job.caller_sleeps;
    job.inside.fetch_sub(1, std::memory_order_release);  // with the last one the job may be gone
    if (caller_sleeps) done_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable work_, done_;
  std::vector<Job*> jobs_;  // open to helpers
  std::atomic<unsigned> posted_{0};
  std::atomic<int> lingering_{0};  // about to see what is posted
  int helpers_ = 0;
  int asleep_ = 0;
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
  if (forked_child.load(std::memory_order_relaxed)) return 1;
  if (requested > 0) return requested;
#ifdef _OPENMP
  return std::max(1, omp_get_max_threads());
#else
  return 1;
#endif
}

bool is_serial(const Execution& execution) noexcept {
  return execution.threads <= 1 || in_block || forked_child.load(std::memory_order_relaxed);
}

namespace detail {

void run_blocks(Index blocks, const Execution& execution, BlockFunction call, void* context,
                StopToken* watched) {
  if (execution.stop_requested()) return;
  const int threads = static_cast<int>(std::min<Index>(execution.threads, blocks));
  if (threads <= 1 || is_serial(execution)) {
    for (Index block = 0; block < blocks; ++block) {
      if (execution.stop_requested()) return;
      call(context, block);
    }
    return;
  }
  Job job{blocks, execution, call, context, threads - 1};
  Team::instance().run(job, watched);
}

}  // namespace detail
}  // namespace thalweg::core
