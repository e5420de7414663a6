// Memory for packed panels. Rows of a panel begin at cache lines, so that no load of the panel
// product touches two: with what `new` gives, every other load of 32 bytes would.
#pragma once

#include <memory>
#include <new>

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
    values_.reset(new (alignment) E[static_cast<std::size_t>(count)]);
    size_ = count;
  }
  E* data() { return values_.get(); }

 private:
  static constexpr std::align_val_t alignment{64};
  struct Release {
    void operator()(E* values) const { ::operator delete[](values, alignment); }
  };

  std::unique_ptr<E[], Release> values_;
  Index size_ = 0;
};

}  // namespace thalweg::kernels
