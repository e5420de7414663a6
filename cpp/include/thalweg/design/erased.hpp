// A design whose storage is known at run time only. For what uses X a pass, or a column, at a time,
// where finding the right code costs nothing beside running it: such code is compiled once, not for
// every view.
//
// What visits column after column in a loop that does less than that is a template on the view; in
// the whole core that is the sweep of coordinate descent (solver/column_block.hpp).
#pragma once

#include <functional>

#include "thalweg/core/info.hpp"
#include "thalweg/design/any_design.hpp"

namespace thalweg::design {

class Erased final {
 public:
  // A view of a view: the user's array must outlive it.
  explicit Erased(const AnyDesign& x);

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  Index stored() const { return stored_; }
  Index bytes() const;
  const core::Info& info() const;
  bool is_sparse() const { return core::flag(info(), "sparse"); }
  const AnyDesign& view() const { return x_; }

  // X', a view of the same memory.
  Erased transposed() const;

  // As of the view (see Design and FusedProducts).
  void gemv_t(const double* v, std::span<const Index> columns, double* out,
              const core::Execution& execution) const;
  void gemv_add(std::span<const Index> columns, const double* coef, double* out,
                const core::Execution& execution) const;
  void moments(const double* s, const double* v, ColumnMoments& out,
               const core::Execution& execution) const;
  void square_products(Index planes, const double* h, double* out,
                       const core::Execution& execution) const;
  bool gemv_add_then_t(Index planes, std::span<const Index> columns, const double* coef, double* v,
                       const std::function<const double*(const RowRange&)>& g,
                       std::span<const Index> asked, double* out,
                       const core::Execution& execution) const;
  // See RowAccess; false: nothing done, a row cannot be had.
  bool has_rows() const { return core::flag(info(), "row_access"); }
  // Whether a row's entries are next to each other.
  bool is_by_rows() const;
  bool row_squares(const double* scale, double* out, const core::Execution& execution) const;
  bool relax_rows(RowList rows, const double* scale, double* out,
                  const std::function<double(Index, double)>& f) const;
  std::optional<double> sum_sq_around(Index j, double center, const double* s) const;
  std::optional<BadEntry> find_nonfinite() const;

  // See ColumnAccess. By rows there are only Gram matrices of all columns, about zero.
  void gram(std::span<const Index> columns, Index fresh, const double* center, const double* s,
            double total, double* out, Index ld, const core::Execution& execution) const;
  // See pair_grams.hpp: of a dense design.
  void pair_grams(const PairGramRequest& request, const FillWeights& weights, double* out,
                  const core::Execution& execution) const;
  Index stored(Index j) const;                    // of a design with columns
  void axpy(double a, Index j, double* v) const;  // likewise

  // See MomentAccess: of a design that has it.
  bool has_row_moments() const;
  void row_moments(std::span<const RowPart> parts, const double* center, const RowTarget& t,
                   std::span<double* const> out, const core::Execution& execution) const;

  // See RowSlices: of a design that has them.
  bool has_row_slices() const;
  Erased row_slice(Index begin, Index end) const;

 private:
  AnyDesign x_;
  Index rows_, cols_, stored_;  // loops ask for them at every turn
};

static_assert(FusedProducts<Erased>);

}  // namespace thalweg::design
