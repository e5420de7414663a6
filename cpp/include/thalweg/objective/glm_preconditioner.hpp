// The preconditioner of a generalized linear model: of its rows (row_preconditioner.hpp) where
// these have most of the Hessian, of its diagonal elsewhere. Rows that a scale couples are left to
// the diagonal.
#pragma once

#include <algorithm>

#include "thalweg/objective/row_preconditioner.hpp"
#include "thalweg/objective/smooth.hpp"

namespace thalweg::objective {

// Model: SmoothGlm, whose second derivatives are in its slopes after a call of `diagonal`.
template <class Model>
class GlmPreconditioner final : public Preconditioner {
 public:
  GlmPreconditioner(Model& model, const ScaledDesign& x, Index outputs, bool fit_intercept,
                    double total)
      : model_(model), matrix_(x, outputs, fit_intercept, total) {}

  bool update() override {
    begin();
    if (take_rows()) {
      model_.diagonal_from(model_.scratch(), matrix_.diagonal().data());
      if (matrix_.finish(model_.execution())) return true;
      begin();
    }
    return matrix_.finish(model_.execution());
  }
  bool is_close() override {
    begin();
    const bool has_rows = take_rows();
    matrix_.release();
    return has_rows;
  }
  void divide(const double* v, double* out) override { matrix_.divide(v, out, model_.execution()); }
  void release() override { matrix_.release(); }

 private:
  // With the Hessian's diagonal.
  void begin() {
    matrix_.begin();
    model_.diagonal(matrix_.diagonal().data());
  }
  // Whether rows are made a part of the matrix; leaves planes h_kk without it in the scratch.
  bool take_rows() {
    if constexpr (Model::has_scale) {
      return false;
    } else {
      double* const h = model_.scratch();
      if (model_.outputs() == 1) std::copy_n(model_.slopes_.data(), model_.rows(), h);
      return matrix_.choose(h, model_.execution()) &&
             matrix_.take(model_.loss_.bends(matrix_.rows(), model_.slopes_.data()), h);
    }
  }

  Model& model_;
  RowPreconditioner matrix_;
};

}  // namespace thalweg::objective
