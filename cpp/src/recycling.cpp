#include "thalweg/core/recycling.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <new>

namespace thalweg::core::recycling {
namespace {

constexpr std::align_val_t alignment{64};

bool is_medium(std::size_t bytes) { return recycles && bytes >= smallest && bytes <= largest; }

// The size that stands for all of a class.
std::size_t class_size(std::size_t bytes) {
  const std::size_t step = std::bit_floor(bytes) / 8;
  return (bytes + step - 1) / step * step;
}

// Threads may each find room at once, so that it is exceeded by a block for each at most.
std::atomic<std::size_t> kept_by_all{0};

// The blocks that a thread has freed, the last one at the end.
class Shelf final {
 public:
  Shelf() = default;
  Shelf(const Shelf&) = delete;
  Shelf& operator=(const Shelf&) = delete;
  ~Shelf();

  void* take(std::size_t size) noexcept {
    for (std::size_t k = count_; k-- > 0;) {
      if (blocks_[k].size == size) return remove(k);
    }
    return nullptr;
  }

  // The oldest ones make room. Where other threads keep what may be kept, nothing is.
  void put(void* block, std::size_t size) noexcept {
    while (count_ > 0 && (count_ == blocks_.size() || kept_by_all + size > most_kept))
      ::operator delete(remove(0), alignment);
    if (kept_by_all + size > most_kept) return ::operator delete(block, alignment);
    blocks_[count_++] = {block, size};
    bytes_ += size;
    kept_by_all += size;
  }

  std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct Block {
    void* address;
    std::size_t size;
  };

  void* remove(std::size_t k) noexcept {
    void* const address = blocks_[k].address;
    bytes_ -= blocks_[k].size;
    kept_by_all -= blocks_[k].size;
    std::copy(blocks_.begin() + static_cast<std::ptrdiff_t>(k) + 1,
              blocks_.begin() + static_cast<std::ptrdiff_t>(count_),
              blocks_.begin() + static_cast<std::ptrdiff_t>(k));
    --count_;
    return address;
  }

  std::array<Block, 128> blocks_{};
  std::size_t count_ = 0, bytes_ = 0;
};

// A vector can outlive its thread's shelf; this has no destructor and so lives longer.
thread_local bool is_gone = false;

Shelf::~Shelf() {
  while (count_ > 0) ::operator delete(remove(count_ - 1), alignment);
  is_gone = true;
}

Shelf* shelf() noexcept {
  if (is_gone) return nullptr;
  thread_local Shelf of_this_thread;
  return &of_this_thread;
}

}  // namespace

void* take(std::size_t bytes) {
  if (!is_medium(bytes)) return ::operator new(bytes);
  const std::size_t size = class_size(bytes);
  Shelf* const kept = shelf();
  void* const block = kept != nullptr ? kept->take(size) : nullptr;
  return block != nullptr ? block : ::operator new(size, alignment);
}

void give(void* block, std::size_t bytes) noexcept {
  if (!is_medium(bytes)) return ::operator delete(block);
  Shelf* const kept = shelf();
  if (kept != nullptr) kept->put(block, class_size(bytes));
  else ::operator delete(block, alignment);
}

std::size_t kept() noexcept {
  const Shelf* const of_this_thread = shelf();
  return of_this_thread != nullptr ? of_this_thread->bytes() : 0;
}

}  // namespace thalweg::core::recycling
