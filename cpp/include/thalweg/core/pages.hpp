// Memory of a matrix that grows: from the C library while it is small, then from the system.
//
// Once a large block has been freed, the C library serves others of its size from its threads'
// arenas, where what is freed stays resident. Factors and Gram matrices of working sets grow
// through many sizes, task after task: a cross-validation of 9,000 x 3,000 kept 40 MB a thread that
// were no longer used. Under the address sanitizer, which would not see what is read beyond its
// end, all memory comes from the C library.
#pragma once

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace thalweg::core {

// Numbers without initial values.
class Pages final {
 public:
  Pages() = default;
  Pages(Pages&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Pages& operator=(Pages&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Pages() { release(data_, bytes_); }

  double* data() { return static_cast<double*>(data_); }
  const double* data() const { return static_cast<const double*>(data_); }

  // Keeps what is there. In place where the system can, so that no two blocks are held at once.
  void grow(std::size_t count) {
    const std::size_t bytes = count * sizeof(double);
    if (bytes <= bytes_) return;
    void* const grown = is_large(bytes) ? (is_large(bytes_) ? remap(bytes) : move_out(bytes))
                                        : std::realloc(data_, bytes);
    if (grown == nullptr) throw std::bad_alloc();
    data_ = grown;
    bytes_ = bytes;
  }

 private:
#if defined(__SANITIZE_ADDRESS__)
  static bool is_large(std::size_t) { return false; }
#else
  static bool is_large(std::size_t bytes) { return bytes >= std::size_t{1} << 20; }
#endif

  static void* map(std::size_t bytes) {
    void* const block =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return block == MAP_FAILED ? nullptr : block;
  }
  static void release(void* block, std::size_t bytes) {
    if (is_large(bytes)) munmap(block, bytes);
    else std::free(block);
  }

  void* move_out(std::size_t bytes) {
    void* const block = map(bytes);
    if (block == nullptr) return nullptr;
    if (bytes_ > 0) std::memcpy(block, data_, bytes_);
    release(data_, bytes_);
    return block;
  }
  void* remap(std::size_t bytes) {
#if defined(__linux__)
    void* const block = mremap(data_, bytes_, bytes, MREMAP_MAYMOVE);
    return block == MAP_FAILED ? nullptr : block;
#else
    return move_out(bytes);
#endif
  }

  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace thalweg::core
