// Memory for packed panels. Rows of a panel begin at cache lines, so that no load of the panel
// product touches two: with what `new` gives, every other load of 32 bytes would.
#pragma once

#include <cstddef>
#include <memory>

#include "thalweg/core/types.hpp"

namespace thalweg::kernels {

template <class E>  // float or double
class PanelMemory final {
 public:
  PanelMemory() = default;
  explicit PanelMemory(Index count) { require(count); }

  // Room for `count` numbers at least; what it held is lost where it grows.
  void require(Index count) {
    if (count <= size_) return;
    std::size_t bytes = static_cast<std::size_t>(count) * sizeof(E), room = bytes + alignment;
    memory_.reset(new std::byte[room]);
    void* first = memory_.get();
    values_ = static_cast<E*>(std::align(alignment, bytes, first, room));
    size_ = count;
  }
  E* data() { return values_; }

 private:
  // By hand: glibc's aligned allocations do not find the memory again that the last one has left,
  // and a thread that packs block after block grew by a megabyte each time.
  static constexpr std::size_t alignment = 64;

  std::unique_ptr<std::byte[]> memory_;
  E* values_ = nullptr;
  Index size_ = 0;
};

}  // namespace thalweg::kernels
