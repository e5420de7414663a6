#include "thalweg/solver/column_block.hpp"

#include "thalweg/core/error.hpp"
#include "thalweg/solver/column_block_of.hpp"

namespace thalweg::solver {

void ColumnBlock::add_centred(double a, Index j, double mean, const double* s, double* out) {
  raw_.assign(static_cast<std::size_t>(rows()), 0.0);
  axpy(1.0, j, raw_.data());
  for (std::size_t i = 0; i < raw_.size(); ++i) {
    const double centred = a * (raw_[i] - mean);
    out[i] += s != nullptr ? s[i] * centred : centred;
  }
}

std::unique_ptr<ColumnBlock> make_column_block(const design::Erased& x, Index at_once) {
  return std::visit(
      [at_once]<class D>(const D& view) -> std::unique_ptr<ColumnBlock> {
        if constexpr (design::ColumnAccess<D>)
          return std::make_unique<ColumnBlockOf<D>>(view, at_once);
        else throw core::Unsupported("a design by rows has no columns to visit");
      },
      x.view());
}

}  // namespace thalweg::solver
