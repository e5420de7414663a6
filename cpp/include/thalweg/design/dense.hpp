// Dense matrices, Fortran or C order, float32 or float64: one public entry, two views.
#pragma once

#include <array>

#include "thalweg/core/info.hpp"
#include "thalweg/design/column_major.hpp"
#include "thalweg/design/row_major.hpp"

namespace thalweg::design {

static_assert(RowAccess<RowMajor<double>> && RowAccess<ColumnMajor<double>>);

// What the catalogue says of this storage.
struct Dense final {
  static constexpr std::array<core::Flag, 3> flags{
      {{"column_access", true}, {"row_access", true}, {"sparse", false}}};
  static constexpr core::Info info{
      .name = "dense",
      .summary = "Dense array in Fortran or C order, float32 or float64, any leading dimension.",
      .formula = "x_ij stored for all i, j",
      .reference = "Golub & Van Loan 2013, section 1.2",
      .parameters = {},
      .flags = flags,
      .requires_ = {}};
};

}  // namespace thalweg::design
