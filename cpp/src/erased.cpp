#include "thalweg/design/erased.hpp"

#include "thalweg/core/error.hpp"

namespace thalweg::design {
namespace {

// Calls f with the view, which has columns: who has checked the design's flags knows that.
template <class F>
auto with_columns(const AnyDesign& any, const F& f) {
  using Result = decltype(f(std::get<0>(any)));
  return std::visit(
      [&]<class D>(const D& x) -> Result {
        if constexpr (ColumnAccess<D>) return f(x);
        else throw core::Unsupported("a design by rows has no columns");
      },
      any);
}

}  // namespace

Erased::Erased(const AnyDesign& x)
    : x_(x),
      rows_(std::visit([](const auto& view) { return view.rows(); }, x)),
      cols_(std::visit([](const auto& view) { return view.cols(); }, x)),
      stored_(std::visit([](const auto& view) { return view.stored(); }, x)) {}

Index Erased::bytes() const {
  return std::visit([](const auto& x) { return x.bytes(); }, x_);
}
const core::Info& Erased::info() const {
  return std::visit([]<class D>(const D&) -> const core::Info& { return D::Entry::info; }, x_);
}
Erased Erased::transposed() const {
  return std::visit([](const auto& x) { return Erased(x.transposed()); }, x_);
}

void Erased::gemv_t(const double* v, std::span<const Index> columns, double* out,
                    const core::Execution& execution) const {
  std::visit([&](const auto& x) { x.gemv_t(v, columns, out, execution); }, x_);
}

void Erased::gemv_add(std::span<const Index> columns, const double* coef, double* out,
                      const core::Execution& execution) const {
  std::visit([&](const auto& x) { x.gemv_add(columns, coef, out, execution); }, x_);
}

void Erased::moments(const double* s, const double* v, ColumnMoments& out,
                     const core::Execution& execution) const {
  std::visit([&](const auto& x) { x.moments(s, v, out, execution); }, x_);
}

void Erased::square_products(Index planes, const double* h, double* out,
                             const core::Execution& execution) const {
  std::visit(
      [&]<class D>(const D& x) {
        if constexpr (SquareProducts<D>) {
          x.square_products(planes, h, out, execution);
        } else {
          ColumnMoments moments;
          for (Index k = 0; k < planes; ++k) {
            x.moments(h + k * rows_, h + k * rows_, moments, execution);
            std::copy(moments.sum_sq.begin(), moments.sum_sq.end(), out + k * cols_);
          }
        }
      },
      x_);
}

bool Erased::gemv_add_then_t(Index planes, std::span<const Index> columns, const double* coef,
                             double* v, const std::function<const double*(const RowRange&)>& g,
                             std::span<const Index> asked, double* out,
                             const core::Execution& execution) const {
  return std::visit(
      [&]<class D>(const D& x) {
        if constexpr (FusedProducts<D>) {
          return x.gemv_add_then_t(planes, columns, coef, v, g, asked, out, execution);
        } else {
          return false;
        }
      },
      x_);
}

void Erased::gram(std::span<const Index> columns, Index fresh, const double* center,
                  const double* s, double total, double* out, Index ld,
                  const core::Execution& execution) const {
  std::visit(
      [&]<class D>(const D& x) {
        if constexpr (RowGram<D>) x.row_gram(s, out, ld, execution);
        else x.gram(columns, fresh, center, s, total, out, ld, execution);
      },
      x_);
}

void Erased::pair_grams(const PairGramRequest& request, const FillWeights& weights, double* out,
                        const core::Execution& execution) const {
  std::visit(
      [&](const auto& x) {
        if constexpr (requires { x.pair_grams(request, weights, out, execution); })
          x.pair_grams(request, weights, out, execution);
      },
      x_);
}

Index Erased::stored(Index j) const {
  return with_columns(x_, [j](const auto& x) { return x.stored(j); });
}

void Erased::axpy(double a, Index j, double* v) const {
  with_columns(x_, [&](const auto& x) { x.axpy(a, j, v); });
}

bool Erased::is_by_rows() const {
  return std::visit([]<class D>(const D&) { return ContiguousRows<D>; }, x_);
}

bool Erased::has_row_moments() const {
  return std::visit([]<class D>(const D&) { return MomentAccess<D>; }, x_);
}

void Erased::row_moments(std::span<const RowPart> parts, const double* center, const RowTarget& t,
                         std::span<double* const> out, const core::Execution& execution) const {
  std::visit(
      [&]<class D>(const D& x) {
        if constexpr (MomentAccess<D>) x.row_moments(parts, center, t, out, execution);
        else throw core::Unsupported("sparse designs have no moments of rows");
      },
      x_);
}

bool Erased::has_row_slices() const {
  return std::visit([]<class D>(const D&) { return RowSlices<D>; }, x_);
}

Erased Erased::row_slice(Index begin, Index end) const {
  return std::visit(
      [&]<class D>(const D& x) -> Erased {
        if constexpr (RowSlices<D>) return Erased(x.row_slice(begin, end));
        else throw core::Unsupported("sparse designs have no slices of rows");
      },
      x_);
}

bool Erased::row_squares(const double* scale, double* out, const core::Execution& execution) const {
  return std::visit(
      [&]<class D>(const D& x) {
        if constexpr (RowAccess<D>) x.row_squares(scale, out, execution);
        return RowAccess<D>;
      },
      x_);
}

bool Erased::relax_rows(RowList rows, const double* scale, double* out,
                        const std::function<double(Index, double)>& f) const {
  return std::visit(
      [&]<class D>(const D& x) {
        if constexpr (RowAccess<D>) x.relax_rows(rows, scale, out, f);
        return RowAccess<D>;
      },
      x_);
}

std::optional<double> Erased::sum_sq_around(Index j, double center, const double* s) const {
  return std::visit([&](const auto& x) { return design::sum_sq_around(x, j, center, s); }, x_);
}

std::optional<BadEntry> Erased::find_nonfinite() const {
  return std::visit([](const auto& x) { return x.find_nonfinite(); }, x_);
}

}  // namespace thalweg::design
