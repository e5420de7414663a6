// The closed set of designs that the bindings hand over, and the one place that opens it.
#pragma once

#include <variant>

#include "thalweg/design/csc.hpp"
#include "thalweg/design/csr.hpp"
#include "thalweg/design/dense.hpp"

namespace thalweg::design {

using AnyDesign =
    std::variant<ColumnMajor<float>, ColumnMajor<double>, RowMajor<float>, RowMajor<double>,
                 Csc<float, std::int32_t>, Csc<float, std::int64_t>, Csc<double, std::int32_t>,
                 Csc<double, std::int64_t>, Csc<kernels::One, std::int32_t>,
                 Csr<float, std::int32_t>, Csr<float, std::int64_t>, Csr<double, std::int32_t>,
                 Csr<double, std::int64_t>, Csr<kernels::One, std::int32_t>>;

}  // namespace thalweg::design
