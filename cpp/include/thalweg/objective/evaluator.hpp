// Evaluates one problem, from X or from its second moments: who asks does not know which.
//
// With moments, a point is evaluated from them where their rounding, which certificates allow for,
// stays within the accuracy given, else from X. Where a dual point is handed out
// (`confirm_from_x`), the evaluation that a returned certificate rests on is always from X; from
// then on the rest of the same alpha is, too.
//
// From X it may come without the vectors over the rows, which of a tall design with few columns are
// as large as X itself (see Glm::evaluate_in_slices).
#pragma once

#include <optional>

#include "thalweg/objective/second_moments.hpp"

namespace thalweg::objective {

class Evaluator final {
 public:
  explicit Evaluator(Glm& glm) : glm_(glm) {}

  Glm& glm() { return glm_; }
  const Glm& glm() const { return glm_; }

  // `accuracy`: the error of the loss that is tolerable.
  void use_moments(SecondMoments moments, double accuracy, bool confirm_from_x) {
    moments_.emplace(std::move(moments));
    accuracy_ = accuracy;
    confirm_from_x_ = confirm_from_x;
  }
  bool has_moments() const { return moments_.has_value(); }
  // For solvers that need no residual, of designs that have slices of rows.
  void leave_out_rows() { leaves_out_rows_ = true; }
  // By how much the loss of a point may differ from that from X: nothing without moments.
  double accuracy() const { return accuracy_; }

  // A new alpha.
  void begin() { from_x_ = false; }

  void evaluate(const Vector& w, const penalty::Terms& terms, std::span<const Index> columns,
                Evaluation& out) const {
    if (moments_ && !from_x_ && moments_->rounding(w, terms) <= accuracy_) {
      moments_->evaluate(w, terms, out);
    } else {
      evaluate_from_x(w, terms, columns, out);
    }
  }

  // The correlation of no column: the support is read only.
  void evaluate_from_x(const Vector& w, const penalty::Terms& terms, std::span<const Index> columns,
                       Evaluation& out) const {
    if (leaves_out_rows_) glm_.evaluate_in_slices(w, terms, columns, out);
    else glm_.evaluate(w, terms, columns, out);
  }

  // Whether a certificate of this evaluation may be returned.
  bool is_confirmed(const Evaluation& at) const { return !confirm_from_x_ || at.is_from_x(); }

  void confirm(const Vector& w, const penalty::Terms& terms, std::span<const Index> columns,
               Evaluation& out) {
    from_x_ = from_x_ || confirm_from_x_;
    evaluate(w, terms, columns, out);
  }

 private:
  Glm& glm_;
  std::optional<SecondMoments> moments_;
  double accuracy_ = 0;
  bool confirm_from_x_ = false;
  bool leaves_out_rows_ = false;
  bool from_x_ = false;
};

}  // namespace thalweg::objective
