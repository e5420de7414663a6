// Memory of vectors that are made and dropped in every fit, kept for the next one.
//
// The C library returns blocks of more than 128 KB to the system, and the first touch of each page
// costs a fault: 0.25 to 2.5 microseconds for 4 KB, where arithmetic passes over it in 0.4. A fit
// of text of 4,000 x 55,000 has 2,100 of them, a third of its time. Each thread therefore keeps the
// blocks of medium size that it has freed last, all threads together up to `most_kept` bytes, and
// hands them out again, a block for a request of the same size class (an eighth of a power of two).
//
// Memory: most_kept, of a thread until it ends. Larger blocks than `largest` would add to the peak
// of a fit that no longer asks for that size, and fits of such vectors take so long that a fault is
// little of it (4 MB instead of 1 is 4 % on a fit of 30 ms, nothing on longer ones). They and those
// below `smallest` come from and go to `new` as ever, and so do all under the address sanitizer,
// which would not see the use of a vector after its end.
#pragma once

#include <cstddef>

namespace thalweg::core {

namespace recycling {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool recycles = false;
#else
inline constexpr bool recycles = true;
#endif

inline constexpr std::size_t smallest = std::size_t{16} << 10, largest = std::size_t{1} << 20;
inline constexpr std::size_t most_kept = std::size_t{16} << 20;

void* take(std::size_t bytes);
void give(void* block, std::size_t bytes) noexcept;
// Of this thread.
std::size_t kept() noexcept;

}  // namespace recycling

// For containers: every instance is as good as any other.
template <class T>
struct RecyclingAllocator {
  using value_type = T;

  RecyclingAllocator() = default;
  template <class U>
  RecyclingAllocator(const RecyclingAllocator<U>&) noexcept {}

  T* allocate(std::size_t count) { return static_cast<T*>(recycling::take(count * sizeof(T))); }
  void deallocate(T* block, std::size_t count) noexcept {
    recycling::give(block, count * sizeof(T));
  }
  friend bool operator==(const RecyclingAllocator&, const RecyclingAllocator&) { return true; }
};

}  // namespace thalweg::core
