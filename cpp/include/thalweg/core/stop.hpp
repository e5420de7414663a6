// A stop request that long loops poll between blocks of work.
//
// The owner may set a deadline and install a hook (the bindings check for Python signals there).
// Every thread reads the clock; only the one that created the token runs the hook, at most every
// `hook_interval`.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

namespace thalweg::core {

class StopToken final {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds hook_interval{20};

  StopToken() = default;
  explicit StopToken(std::function<bool()> hook,
                     Clock::time_point deadline = Clock::time_point::max())
      : hook_(std::move(hook)), deadline_(deadline) {}
  StopToken(const StopToken&) = delete;
  StopToken& operator=(const StopToken&) = delete;

  // True once a stop was requested. Call between blocks of at most a few milliseconds.
  bool poll() noexcept {
    if (requested()) return true;
    const auto now = Clock::now();
    if (now >= deadline_) {
      expired_.store(true, std::memory_order_relaxed);
      request();
    } else if (hook_ && std::this_thread::get_id() == owner_ && now - last_ >= hook_interval) {
      last_ = now;
      if (hook_()) request();
    }
    return requested();
  }

  // Who sees a request also sees whether time had expired.
  bool requested() const noexcept { return stop_.load(std::memory_order_acquire); }
  bool expired() const noexcept { return expired_.load(std::memory_order_relaxed); }
  void request() noexcept { stop_.store(true, std::memory_order_release); }

 private:
  std::function<bool()> hook_;
  Clock::time_point deadline_ = Clock::time_point::max();
  std::thread::id owner_ = std::this_thread::get_id();
  Clock::time_point last_ = Clock::now();
  std::atomic<bool> stop_{false};
  std::atomic<bool> expired_{false};
};

}  // namespace thalweg::core
