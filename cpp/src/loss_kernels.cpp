#include <string>
#include <string_view>

#include "thalweg/core/error.hpp"
#include "thalweg/loss/blocks.hpp"

namespace thalweg::loss {

// Defined in loss_kernels_<isa>.cpp.
namespace baseline {
extern const BlockKernels loss_kernels[];
}
#ifdef THALWEG_X86_KERNELS
namespace avx2 {
extern const BlockKernels loss_kernels[];
}
namespace avx512 {
extern const BlockKernels loss_kernels[];
}
#endif

namespace {

#define THALWEG_LOSS(name_, class_) +1
constexpr std::size_t loss_count = 0
#include "thalweg/catalog/loss.def"
    ;
#undef THALWEG_LOSS

}  // namespace

std::span<const BlockKernels> block_kernels(const kernels::Table& isa) {
  const std::string_view name = isa.name;
  if (name == "baseline") return {baseline::loss_kernels, loss_count};
#ifdef THALWEG_X86_KERNELS
  if (name == "avx2") return {avx2::loss_kernels, loss_count};
  if (name == "avx512") return {avx512::loss_kernels, loss_count};
#endif
  throw core::InvalidArgument("no loss kernels for the instruction set " + std::string(name));
}

}  // namespace thalweg::loss
