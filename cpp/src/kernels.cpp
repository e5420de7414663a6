#include "thalweg/kernels/kernels.hpp"

#include <cstdlib>
#include <string>
#include <vector>

#include "thalweg/core/error.hpp"

namespace thalweg::kernels {

// Defined in kernels_<isa>.cpp.
namespace baseline {
extern const Table kernel_table;
}
#ifdef THALWEG_X86_KERNELS
namespace avx2 {
extern const Table kernel_table;
}
namespace avx512 {
extern const Table kernel_table;
}
#endif

namespace {

struct Candidate {
  const Table* table;
  bool supported;
};

// All instruction sets of this build, slowest first. The flags tested are those that the
// translation unit was compiled with.
std::vector<Candidate> candidates() {
  std::vector<Candidate> list{{&baseline::kernel_table, true}};
#ifdef THALWEG_X86_KERNELS
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512bw");
  list.push_back({&avx2::kernel_table, avx2});
  list.push_back({&avx512::kernel_table, avx512});
#endif
  return list;
}

const Table& choose() {
  const char* variable = std::getenv("THALWEG_ISA");
  if (variable == nullptr || *variable == '\0') return *tables().back();
  const std::string wanted = variable;
  std::string names;
  for (const Candidate& candidate : candidates()) {
    if (candidate.table->name == wanted) {
      if (candidate.supported) return *candidate.table;
      throw core::InvalidArgument("THALWEG_ISA=" + wanted +
                                  ": this processor does not support it; it supports up to " +
                                  tables().back()->name);
    }
    if (!names.empty()) names += ", ";
    names += candidate.table->name;
  }
  throw core::InvalidArgument("THALWEG_ISA=" + wanted +
                              ": unknown instruction set; expected one of " + names);
}

}  // namespace

const Table& table() {
  static const Table& chosen = choose();
  return chosen;
}

std::span<const Table* const> tables() {
  static const std::vector<const Table*> list = [] {
    std::vector<const Table*> supported;
    for (const Candidate& candidate : candidates()) {
      if (candidate.supported) supported.push_back(candidate.table);
    }
    return supported;
  }();
  return list;
}

std::span<const char* const> available() {
  static const std::vector<const char*> names = [] {
    std::vector<const char*> list;
    for (const Table* supported : tables()) list.push_back(supported->name);
    return list;
  }();
  return names;
}

}  // namespace thalweg::kernels
