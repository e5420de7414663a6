// X~, the centred and scaled columns of columns.hpp, as an operator: for models that use it a pass
// at a time.
//
// Cost: a product is one pass over X; the weighted Gram matrix p^2 n / 2 multiply-adds.
#pragma once

#include <optional>

#include "thalweg/design/erased.hpp"
#include "thalweg/objective/columns.hpp"

namespace thalweg::objective {

class ScaledDesign final {
 public:
  // `by_rows`: the same matrix stored by rows, where X w is faster so; or null.
  ScaledDesign(const design::AnyDesign& x, const design::AnyDesign* by_rows)
      : x_(x), by_rows_(by_rows != nullptr ? *by_rows : x) {}

  // To be called before everything below. `v`, of sum `sum_v`: see Columns.
  void scale(const ColumnOptions& options, const double* v, double sum_v,
             const core::Execution& execution);

  Index rows() const { return x_.rows(); }
  Index cols() const { return x_.cols(); }
  Index stored() const { return x_.stored(); }
  bool is_sparse() const { return core::flag(x_.info(), "sparse"); }
  bool has_gram() const { return x_.has_columns(); }
  const Columns<design::Erased>& columns() const { return *columns_; }

  // out = X~ w + shift (+ offset, where there is one)
  void predict(const double* w, double shift, const double* offset, double* out,
               const core::Execution& execution) const;
  // out = X~' v / total, for v of that sum; zero for a column without variation.
  void correlate(const double* v, double sum, double* out, const core::Execution& execution) const;
  // out = X~' diag(h) X~ / total with leading dimension ld and, where asked for (not null), cross =
  // X~' h / total; h has that sum. Where it has_gram().
  void gram(const double* h, double sum, double* out, Index ld, double* cross,
            const core::Execution& execution) const;
  // The diagonal of that.
  void gram_diagonal(const double* h, double sum, double* out,
                     const core::Execution& execution) const;

 private:
  design::Erased x_, by_rows_;
  std::optional<Columns<design::Erased>> columns_;
  double inverse_total_ = 1;
};

}  // namespace thalweg::objective
