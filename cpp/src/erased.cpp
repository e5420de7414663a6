#include "thalweg/design/erased.hpp"

#include "thalweg/core/error.hpp"

namespace thalweg::design {

Erased::Erased(const AnyDesign& x)
    : x_(&x),
      rows_(std::visit([](const auto& view) { return view.rows(); }, x)),
      cols_(std::visit([](const auto& view) { return view.cols(); }, x)) {}

Index Erased::stored() const {
  return std::visit([](const auto& x) { return x.stored(); }, *x_);
}
Index Erased::bytes() const {
  return std::visit([](const auto& x) { return x.bytes(); }, *x_);
}
const core::Info& Erased::info() const {
  return std::visit([]<class D>(const D&) -> const core::Info& { return D::Entry::info; }, *x_);
}
bool Erased::has_columns() const {
  return std::visit([]<class D>(const D&) { return ColumnAccess<D>; }, *x_);
}

void Erased::gemv_t(const double* v, std::span<const Index> columns, double* out,
                    const core::Execution& execution) const {
  std::visit([&](const auto& x) { x.gemv_t(v, columns, out, execution); }, *x_);
}

void Erased::gemv_add(std::span<const Index> columns, const double* coef, double* out,
                      const core::Execution& execution) const {
  std::visit([&](const auto& x) { x.gemv_add(columns, coef, out, execution); }, *x_);
}

void Erased::moments(const double* s, const double* v, ColumnMoments& out,
                     const core::Execution& execution) const {
  std::visit([&](const auto& x) { x.moments(s, v, out, execution); }, *x_);
}

void Erased::gram(std::span<const Index> columns, Index fresh, const double* center,
                  const double* s, double total, double* out, Index ld,
                  const core::Execution& execution) const {
  std::visit(
      [&]<class D>(const D& x) {
        if constexpr (ColumnAccess<D>) {
          x.gram(columns, fresh, center, s, total, out, ld, execution);
        } else {
          throw core::Unsupported("a Gram matrix needs a design with column access, which '" +
                                  std::string(D::Entry::info.name) + "' does not have");
        }
      },
      *x_);
}

std::optional<double> Erased::sum_sq_around(Index j, double center, const double* s) const {
  return std::visit([&](const auto& x) { return design::sum_sq_around(x, j, center, s); }, *x_);
}

std::optional<BadEntry> Erased::find_nonfinite() const {
  return std::visit([](const auto& x) { return x.find_nonfinite(); }, *x_);
}

}  // namespace thalweg::design
