// X~, the centred and scaled columns of columns.hpp, as an operator: for models that use it a pass
// at a time.
//
// Cost: a product is one pass over X; the weighted Gram matrix p^2 n / 2 multiply-adds.
#pragma once

#include <functional>
#include <optional>

#include "thalweg/design/erased.hpp"
#include "thalweg/objective/columns.hpp"

namespace thalweg::objective {

class ScaledDesign final {
 public:
  explicit ScaledDesign(const design::AnyDesign& x) : x_(x) {}

  // To be called before everything below. `v`, of sum `sum_v`: see Columns.
  void scale(const ColumnOptions& options, const double* v, double sum_v,
             const core::Execution& execution);

  Index rows() const { return x_.rows(); }
  Index cols() const { return x_.cols(); }
  Index stored() const { return x_.stored(); }
  bool is_sparse() const { return x_.is_sparse(); }
  const Columns& columns() const { return *columns_; }
  const design::Erased& raw() const { return x_; }

  // eta_k = X~ w_k + shift_k + offset for so many planes; no shifts and no offset where null.
  void predict(Index planes, const double* w, const double* shifts, const double* offset,
               double* eta, const core::Execution& execution) const;
  // The same and, in the same pass over X, out_k = X' v_k, with v(rows) from the predictions on
  // some rows as in design::FusedProducts. False, and eta is not complete, where the design cannot.
  bool predict_then_multiply(Index planes, const double* w, const double* shifts,
                             const double* offset, double* eta,
                             const std::function<const double*(const design::RowRange&)>& v,
                             double* out, const core::Execution& execution) const;
  // out_k = X' v_k for so many planes.
  void multiply(Index planes, const double* v, double* out, const core::Execution& execution) const;
  // out = X~' v / total from the products X' v, v of that sum; zero for a column without variation.
  void finish_correlation(double sum, double* out, const core::Execution& execution) const;
  // out = X~' diag(h) X~ / total with leading dimension ld and, where asked for (not null), cross =
  // X~' h / total; h has that sum.
  void gram(const double* h, double sum, double* out, Index ld, double* cross,
            const core::Execution& execution) const;
  // The lower triangles of that under many weightings h_q at once, q < count: out_qm for the pairs
  // m of pair_grams.hpp, with a column of ones after the others where it is asked for. Empty: not
  // here.
  Vector pair_grams(Index count, bool with_ones, const design::FillWeights& weights,
                    const core::Execution& execution) const;
  // The diagonals of `gram` for so many planes h_k of sums `sums`.
  void gram_diagonals(Index planes, const double* h, const double* sums, double* out,
                      const core::Execution& execution) const;

 private:
  // The raw coefficients of so many planes, w or made in `scaled`; eta becomes what is no product
  // with X.
  const double* begin_prediction(Index planes, const double* w, const double* shifts,
                                 const double* offset, double* eta, Vector& scaled,
                                 const core::Execution& execution) const;

  design::Erased x_;
  std::optional<Columns> columns_;
  double inverse_total_ = 1;
};

}  // namespace thalweg::objective
