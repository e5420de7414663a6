// Square matrices that may be larger than the machine.
//
// Where memory is overcommitted, an allocation that is too large succeeds and the process is killed
// as it writes. What exceeds the physical memory is therefore refused before, with its size.
#pragma once

#include <unistd.h>

#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "thalweg/core/types.hpp"

namespace thalweg::core {

// More memory than there is (Python: MemoryError).
class OutOfMemory final : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline double physical_memory() {
  return static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// Makes room for order x order numbers, which `solver` needs.
inline void resize_matrix(Vector& matrix, std::size_t order, std::string_view solver) {
  const double bytes = 8.0 * static_cast<double>(order) * static_cast<double>(order);
  try {
    if (bytes > physical_memory()) throw std::bad_alloc();
    matrix.resize(order * order);
  } catch (const std::bad_alloc&) {
    const std::string p = std::to_string(order);
    throw OutOfMemory(
        "solver '" + std::string(solver) + "' needs a matrix of p x p numbers for p = " + p +
        " variables, " + std::to_string(static_cast<Index>(bytes)) +
        " bytes, which is more than there is; choose a solver without one, as 'l_bfgs'");
  }
}

}  // namespace thalweg::core
