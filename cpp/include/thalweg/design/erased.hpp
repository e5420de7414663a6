// A design whose storage is known at run time only. For what uses X a pass at a time, where finding
// the right pass costs nothing: such code is compiled once, not for every view.
#pragma once

#include <functional>

#include "thalweg/core/info.hpp"
#include "thalweg/design/any_design.hpp"

namespace thalweg::design {

class Erased final {
 public:
  // The view must outlive it.
  explicit Erased(const AnyDesign& x);

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  Index stored() const;
  Index bytes() const;
  const core::Info& info() const;

  // As of the view (see Design and ColumnAccess).
  void gemv_t(const double* v, std::span<const Index> columns, double* out,
              const core::Execution& execution) const;
  void gemv_add(std::span<const Index> columns, const double* coef, double* out,
                const core::Execution& execution) const;
  void moments(const double* s, const double* v, ColumnMoments& out,
               const core::Execution& execution) const;
  bool gemv_add_then_t(Index planes, std::span<const Index> columns, const double* coef, double* v,
                       const std::function<const double*(const RowRange&)>& g,
                       std::span<const Index> asked, double* out,
                       const core::Execution& execution) const;
  // Of all columns, which `columns` lists. Sparse ones are not centred: center must be null.
  void gram(std::span<const Index> columns, const double* center, const double* s, double total,
            double* out, Index ld, const core::Execution& execution) const;
  // See RowAccess; false: nothing done, a row cannot be had.
  bool has_rows() const { return core::flag(info(), "row_access"); }
  bool row_squares(const double* scale, double* out, const core::Execution& execution) const;
  bool relax_rows(std::span<const Index> rows, const double* scale, double* out,
                  const std::function<double(Index, double)>& f) const;
  std::optional<double> sum_sq_around(Index j, double center, const double* s) const;
  std::optional<BadEntry> find_nonfinite() const;

 private:
  const AnyDesign* x_;
  Index rows_, cols_;  // loops ask for them at every turn
};

static_assert(FusedProducts<Erased>);

}  // namespace thalweg::design
