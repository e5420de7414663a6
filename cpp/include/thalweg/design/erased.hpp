// A design whose storage is known at run time only. For what uses X a pass at a time, where finding
// the right pass costs nothing: such code is compiled once, not for every view.
#pragma once

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
  bool has_columns() const;  // whether `gram` and `sum_sq_around` are there

  // As of the view (see Design and ColumnAccess).
  void gemv_t(const double* v, std::span<const Index> columns, double* out,
              const core::Execution& execution) const;
  void gemv_add(std::span<const Index> columns, const double* coef, double* out,
                const core::Execution& execution) const;
  void moments(const double* s, const double* v, ColumnMoments& out,
               const core::Execution& execution) const;
  // Throws core::Unsupported where there are no columns.
  void gram(std::span<const Index> columns, Index fresh, const double* center, const double* s,
            double total, double* out, Index ld, const core::Execution& execution) const;
  std::optional<double> sum_sq_around(Index j, double center, const double* s) const;
  std::optional<BadEntry> find_nonfinite() const;

 private:
  const AnyDesign* x_;
  Index rows_, cols_;  // loops ask for them at every turn
};

static_assert(Design<Erased>);

}  // namespace thalweg::design
