// A generalized linear model with a smooth loss and a smooth penalty, as a smooth objective:
//
//   f(w, b) = (1 / sum s) sum_i s_i loss(y_i, eta_i) + sum_j l2_j / 2 w_j^2,
//   eta = X~ w + b + offset
//
// in the centred and scaled coordinates of columns.hpp. A loss with K outputs (multinomial) has K
// coefficient vectors: x = [w_1 ... w_K, b_1 ... b_K].
//
// The predictions of the base point are kept. What is known along a line is LineAhead's business.
//
//   gradient   (X~' g) / sum s + l2 w,  g_i = s_i loss'(eta_i)
//   Hessian    (X~' diag(h) X~) / sum s + l2,  h_i = s_i loss''(eta_i); products with it cost two
//              passes, the matrix a blocked weighted Gram product, its diagonal one pass
//
// Of a likelihood there is also the Fisher information: the matrix with the expectation of loss''
// over the targets that the model has at eta_i.
//
// The loss over all rows is a class: WeightedLoss, a sum over them, or HuberScale, whose scale
// couples them: its second derivative is diag(h) - factor c c', and what is minimised can differ
// from the objective (see there).
//
// Memory: three vectors of n K; of the variables as many as line_ahead.hpp and, while it is in use,
// glm_preconditioner.hpp say. Reference: McCullagh & Nelder 1989, section 2.5.
#pragma once

#include <array>
#include <numeric>
#include <optional>

#include "thalweg/core/elements.hpp"
#include "thalweg/objective/glm.hpp"
#include "thalweg/objective/glm_preconditioner.hpp"
#include "thalweg/objective/line_ahead.hpp"
#include "thalweg/objective/null_model.hpp"
#include "thalweg/objective/output_blocks.hpp"
#include "thalweg/objective/raw_coordinates.hpp"
#include "thalweg/objective/row_dual.hpp"
#include "thalweg/objective/scaled_design.hpp"
#include "thalweg/objective/smooth.hpp"
#include "thalweg/objective/weighted_loss.hpp"

namespace thalweg::objective {

template <class Loss = WeightedLoss>
class SmoothGlm final : public Smooth, private HessianProduct, private HessianDiagonal {
 public:
  static constexpr bool has_scale = requires(const Loss& loss, const double* eta) {
    loss.scale(eta);
  };

  // `loss`: of a row.
  template <class RowLoss>
  SmoothGlm(const design::AnyDesign& x, const GlmData& data, const RowLoss& loss,
            const core::Execution& execution)
      : x_(x),
        data_(data),
        loss_(loss, data.y, data.weights, x_.rows(), execution),
        rows_(x_.rows()),
        cols_(x_.cols()),
        outputs_(loss_.loss().outputs()),
        total_(data.weights != nullptr ? std::accumulate(data.weights, data.weights + rows_, 0.0)
                                       : static_cast<double>(rows_)),
        blocks_(x_, outputs_, data.fit_intercept, total_),
        preconditioner_(*this, x_, outputs_, data.fit_intercept, total_),
        eta_(length(rows_ * outputs_)),
        slopes_(length(rows_ * outputs_)),
        line_(*this, rows_ * outputs_),
        point_(length(size())) {
    null_ = NullModel::find(loss_, data_, total_, outputs_, eta_, slopes_, scratch());
    if constexpr (has_scale) loss_.set_floor(null_.objective, null_.mean_abs_target);
    x_.scale({.weights = data.weights,
              .total = total_,
              .centre = data.fit_intercept,
              .standardize = data.standardize},
             slopes_.data(), loss_.sum(slopes_.data()), execution);
  }

  SmoothGlm(const SmoothGlm&) = delete;  // its matrices know where it is
  SmoothGlm& operator=(const SmoothGlm&) = delete;

  // Strengths of another alpha; the base point is no longer evaluated.
  void set_terms(const penalty::Terms& terms) { terms_ = terms; }

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  Index outputs() const { return outputs_; }
  bool fits_intercept() const { return data_.fit_intercept; }
  const core::Execution& execution() const { return loss_.execution(); }
  void ignore_stop() { loss_.ignore_stop(); }
  const Columns& columns() const { return x_.columns(); }
  const auto& loss() const { return loss_.loss(); }
  const penalty::Terms& terms() const { return terms_; }
  const GlmData& data() const { return data_; }
  double total_weight() const { return total_; }
  const NullModel& null_model() const { return null_; }
  // Of the numbers that the objective is the sum of. Smooth losses of a residual are as its square
  // near zero, which has no other.
  double rounding_scale() const {
    const core::Info& info = loss().info();
    if (has_scale) return null_.mean_abs_target;
    if (core::flag(info, "classification")) return 1;
    return core::flag(info, "smooth") && !core::flag(info, "likelihood") ? 0.0 : null_.term_size;
  }
  // What `tol` multiplies: the objective of the model without columns or, where that is rounding,
  // what a residual of a thousand roundings of y costs.
  double tolerance_scale() const {
    constexpr double share = 1e3 * epsilon;
    const double square = 0.5 * core::square(share * null_.mean_abs_target);
    return std::max(null_.objective, rounding_scale() > 0 ? share * rounding_scale() : square);
  }

  Index size() const override { return blocks_.size(); }
  double magnitude() const override { return null_.term_size; }
  int threads() const override { return execution().threads; }

  double evaluate(const double* x, double* gradient) override {
    ++counts_.values;
    ++counts_.gradients;
    copy(x, point_.data());
    if (is_null(point_)) return evaluate_null_model(gradient);
    if (const auto value = evaluate_in_one_pass(point_, eta_, gradient)) return *value;
    predict(point_.data(), data_.offset, eta_);
    return finish_base(gradient);
  }

  void begin_line(const double* direction) override { line_.begin(direction); }

  double value_along(double step) override { return along(step).value; }

  LinePoint along(double step) override {
    ++counts_.values;
    return line_.along(step);
  }

  double move(double step, double* x, double* gradient) override {
    ++counts_.gradients;
    const std::optional<double> known = line_.take_trial(step, gradient);
    if (!known) line_.advance(step);
    copy(point_.data(), x);
    return known ? *known : finish_base(gradient);
  }

  Refinements refinements() override {
    Refinements have{.product = this,
                     .matrix = &hessian_,
                     .diagonal = this,
                     .preconditioner = &preconditioner_,
                     .couples_rows = has_scale,
                     .curvature_jumps = !core::flag(loss().info(), "twice_differentiable")};
    if constexpr (!has_scale) {
      if (core::flag(loss().info(), "likelihood")) have.information = &information_;
      if (dual_.exists()) have.dual = &dual_;
    }
    return have;
  }
  Counts counts() const override { return counts_; }
  Costs costs() const override {
    // Multiply-adds of a blocked product in the time of one entry of a pass over memory (measured
    // with bench_kernels: 20 GFlop/s a core against 5 GB/s of float64); those of the entries of a
    // sparse row with one another, whose places in the matrix are near (from steps of Newton's
    // method and of L-BFGS on a9a, phishing, mine_injuries).
    constexpr double blocked = 16, scattered = 3;
    const auto stored = static_cast<double>(x_.stored());
    const auto outputs = static_cast<double>(outputs_);
    const double pairs = outputs * (outputs + 1) / 2;
    const double row = stored / static_cast<double>(std::max<Index>(rows_, 1));
    return {.gradient = 2 * stored * outputs,
            .product = 2 * stored * outputs,
            .matrix = stored * row * pairs / (x_.is_sparse() ? scattered : blocked)};
  }

  // What a certificate is made of, at any x; the base point becomes x, with predictions made anew.
  struct DualPoint {
    double primal = 0;
    double value = -infinity;  // of the dual
    Vector theta;              // u, column by column, where it is asked for
  };

  // The bound of the best dual point that the loss's gradient at (w, best b) leads to. For convex
  // losses with a conjugate, where every coordinate's term has a finite one.
  //
  //   D(u) = -(1 / sum s) sum_i s_i (loss*(y_i, -u_i) + u_i offset_i) - sum_j term_j*(z_j),
  //   z_j = x~_j' S u / sum s, for sum_i s_i u_i = 0 where an intercept is fitted
  // `given`, where it is not empty, is taken for u instead.
  DualPoint dual_point(const Vector& x, bool keep_theta, std::span<const double> given = {}) {
    DualPoint result;
    point_ = x;
    second_ = Second::none;
    Vector& z = line_.point_scratch();
    Vector shifts;
    // Without an intercept to be the best, slopes are met by X in the pass that makes them.
    const std::optional<double> loss = data_.fit_intercept || !given.empty()
                                           ? std::nullopt
                                           : multiply_slopes(point_, eta_, z.data());
    if (!loss) {
      predict(point_.data(), data_.offset, eta_);
      result.primal = loss_.value(eta_.data()) / total_ + penalty_value(point_);
      if (!given.empty()) {
        take_slopes(given);
      } else {
        if (data_.fit_intercept) shifts = shift_to_best_intercept(loss_, outputs_, eta_, scratch());
        loss_.gradient(eta_.data(), slopes_.data());  // -s u
      }
      if (data_.fit_intercept) balance_slopes();
      if constexpr (has_scale) loss_.make_feasible(slopes_.data());
    } else {
      result.primal = *loss / total_ + penalty_value(point_);
    }
    double dual = dual_of_loss();
    if (dual == -infinity) {
      // Weights, multiplied and divided by, can carry a slope over the edge of the domain.
      constexpr double inside = 1 - 8 * epsilon;
      for (double& g : slopes_) g *= inside;
      for (double& product : z) product *= inside;
      dual = dual_of_loss();
    }
    collect(slopes_.data(), loss.has_value(), z.data());
    for (Index i = 0; i < cols_ * outputs_; ++i) dual -= terms_(i % cols_).conjugate(-z[length(i)]);
    result.value = dual;
    if (keep_theta) {
      result.theta.assign(scratch(), scratch() + rows_ * outputs_);
      for (double& u : result.theta) u = -u;
    }
    for (std::size_t k = 0; k < shifts.size(); ++k) {
      double* const eta = eta_.data() + static_cast<Index>(k) * rows_;
      for (Index i = 0; i < rows_; ++i) eta[i] -= shifts[k];
    }
    return result;
  }

  // The dual at u, where the base point is the x(u) of a RowDual: no pass over X. Up to the
  // rounding of that, and second orders of what sum_i s_i u_i is off zero.
  double dual_value(std::span<const double> u) {
    take_slopes(u);
    const double off = -loss_.sum(slopes_.data()) / total_;
    double dual = dual_of_loss() - penalty_value(point_);
    if (!data_.fit_intercept) return dual;
    return dual - off * point_.back() - intercept_gain(off);
  }

  // At the base point: the objective, where `value` is what `evaluate` returned; by how much the
  // loss exceeds the bound of its slopes; and what an intercept gains that its gradient moves.
  double primal(double value) const {
    if constexpr (has_scale) return loss_.true_value() / total_ + penalty_value(point_);
    else return value;
  }
  double slack() const {
    if constexpr (has_scale) return loss_.slack() / total_;
    else return 0;
  }
  double intercept_gain(double gradient) const {
    const double square = gradient * gradient;
    if constexpr (has_scale)
      return square > 0 ? 0.5 * square * total_ / loss_.shift_curvature() : 0;
    // The least that it can be, since a quarter bounds the curvature of the losses in use: gaps on
    // the way can be too small, the final certificate is exact.
    else return 2 * square;
  }
  // What rounding makes of the largest entry of the gradient in raw coordinates. What was known of
  // the line is lost.
  double gradient_rounding() {
    double norm = 1;
    for (const Index j : columns().all()) norm = std::max(norm, columns().raw_norm(j));
    if constexpr (has_scale) {
      return norm * loss_.rounding(null_.mean_abs_target);
    } else {
      return norm * NullModel::slope_rounding(loss_, data_.offset, total_, eta_, rows_, scratch());
    }
  }

  double scale() const requires has_scale { return loss_.scale(eta_.data()); }
  // What is minimised comes closer to the objective, and is to be evaluated anew.
  bool can_sharpen() const requires has_scale { return loss_.can_sharpen(); }
  void sharpen() requires has_scale { loss_.sharpen(eta_.data()); }

  // At the base point, with the offset; at x, without it.
  const Vector& predictions() const { return eta_; }
  void predict_without_offset(const Vector& x, Vector& eta) { predict(x.data(), nullptr, eta); }
  // The adjoint of that over sum s: X~' v_k and, for an intercept, the sum of v_k. `has_products`:
  // `out` holds X' v_k, of the columns as they are.
  void collect(const double* v, bool has_products, double* out) const {
    if (!has_products) x_.multiply(outputs_, v, out, execution());
    for (Index k = 0; k < outputs_; ++k) {
      const double sum = data_.fit_intercept ? loss_.sum(v + k * rows_) : 0.0;
      x_.finish_correlation(sum, out + k * cols_, execution());
      if (data_.fit_intercept) out[cols_ * outputs_ + k] = sum / total_;
    }
  }

  // A block of a matrix of second derivatives, of rows that weigh h; see OutputBlocks.
  void assemble_block(const double* h, Index k, Index l, double* out) const {
    blocks_.assemble(h, loss_.sum(h), k, l, out, execution());
  }

  // The sum of f(i, j) over coefficients i, of column j.
  template <class F>
  double sum_coefficients(F&& f) const {
    return core::sum_elements(cols_ * outputs_, threads(), [&](Index begin, Index end) {
      double sum = 0;
      for (Index i = begin, j = begin % cols_; i < end; ++i, j = j + 1 < cols_ ? j + 1 : 0)
        sum += f(length(i), j);
      return sum;
    });
  }

  // The weighted mean loss at the base point.
  double mean_loss(const double* weights) const {
    double total = 0;
    for (Index i = 0; i < rows_; ++i) total += weights[i];
    return loss_.value(eta_.data(), weights) / total;
  }

  // To the coordinates of the raw columns, and back.
  RawCoordinates coordinates() const {
    return {columns(), outputs_, data_.fit_intercept, null_.intercept};
  }

 private:
  friend class LineAhead<SmoothGlm>;
  friend class GlmPreconditioner<SmoothGlm>;

  // The second derivatives of the loss: at the targets, or their expectations.
  enum class Second { none, observed, expected };

  class Matrix final : public HessianMatrix {
   public:
    Matrix(SmoothGlm& glm, Second second) : glm_(glm), second_(second) {}
    void assemble(double* out) override { glm_.assemble(second_, out); }

   private:
    SmoothGlm& glm_;
    Second second_;
  };

  static std::size_t length(Index n) { return static_cast<std::size_t>(n); }

  // Of vectors of variables.
  void copy(const double* from, double* to) const {
    core::copy_elements(from, size(), to, threads());
  }

  // slopes_ = -s u
  void take_slopes(std::span<const double> u) {
    second_ = Second::none;
    for (Index i = 0; i < rows_; ++i) slopes_[length(i)] = -loss_.weight(i) * u[length(i)];
  }
  auto make_dual() {
    if constexpr (has_scale) return NoDual{};
    else return GlmDual(x_, data_, loss_, terms_, total_, eta_, point_, line_.scratch());
  }
  // Of slopes_, -s u; leaves -u in the scratch.
  double dual_of_loss() {
    return -loss_.conjugate(slopes_.data(), data_.offset, scratch()) / total_;
  }

  double penalty_value(const Vector& x) const {
    return sum_coefficients([&](std::size_t i, Index j) { return terms_(j).value(x[i]); });
  }

  // eta = X~ w + b (+ offset), output by output.
  void predict(const double* x, const double* offset, Vector& eta) {
    x_.predict(outputs_, x, shifts(x), offset, eta.data(), execution());
  }
  const double* shifts(const double* x) const {
    return data_.fit_intercept ? x + cols_ * outputs_ : nullptr;
  }

  // eta at x, slopes there in slopes_ and the loss, and their products with the columns of X as
  // they are, all in one pass over X. Nothing, and eta is undone, where that cannot be.
  std::optional<double> multiply_slopes(const Vector& x, Vector& eta, double* out) {
    if constexpr (!has_scale) {
      if (!has_one_pass_) return std::nullopt;
      std::array<double, design::most_row_blocks> losses{};
      const auto slopes = [&](const design::RowRange& rows) -> const double* {
        losses[length(rows.block)] +=
            loss_.gradient(rows.begin, rows.end, eta.data(), slopes_.data());
        return slopes_.data() + rows.begin;
      };
      has_one_pass_ = x_.predict_then_multiply(outputs_, x.data(), shifts(x.data()), data_.offset,
                                               eta.data(), slopes, out, execution());
      if (has_one_pass_) return std::accumulate(losses.begin(), losses.end(), 0.0);
    }
    return std::nullopt;
  }

  // The value and gradient at x, whose predictions become eta.
  std::optional<double> evaluate_in_one_pass(const Vector& x, Vector& eta, double* gradient) {
    const std::optional<double> loss = multiply_slopes(x, eta, gradient);
    if (!loss) return std::nullopt;
    return finish_gradient(x, *loss, true, gradient);
  }

  // Of one output, the products of X with the slopes of the model without columns are known. A
  // scale changes slopes as it is sharpened.
  bool is_null(const Vector& x) const {
    if (has_scale || outputs_ > 1 || (data_.fit_intercept && x.back() != null_.intercept.front()))
      return false;
    return std::all_of(x.begin(), x.begin() + cols_, [](double value) { return value == 0; });
  }
  double evaluate_null_model(double* gradient) {
    predict(point_.data(), data_.offset, eta_);  // no pass over X: the coefficients are zero
    second_ = Second::none;
    const double loss = loss_.gradient(eta_.data(), slopes_.data());
    std::copy_n(columns().null_product().begin(), cols_, gradient);
    if (data_.fit_intercept) gradient[cols_] = loss_.sum(slopes_.data()) / total_;
    return loss / total_;
  }

  // From the predictions of the base point: its value, and its gradient.
  double finish_base(double* gradient) {
    const double loss = loss_.gradient(eta_.data(), slopes_.data());
    return finish_gradient(point_, loss, false, gradient);
  }

  // Of slopes_ at x. `has_products`: the gradient holds their products with X.
  double finish_gradient(const Vector& x, double loss, bool has_products, double* gradient) {
    second_ = Second::none;
    collect(slopes_.data(), has_products, gradient);
    return loss / total_ + sum_coefficients([&](std::size_t i, Index j) {
             const penalty::Term term = terms_(j);
             gradient[i] += term.l2 * x[i];
             return term.value(x[i]);
           });
  }

  // What was known of the line is lost.
  double* scratch() { return line_.scratch().data(); }

  // Makes sum_i s_i u_i vanish where rounding has left something: the side that is too large is
  // scaled down, which stays in the domain of the conjugate, since that contains zero and is
  // convex. For several outputs the sums are left as the intercepts have made them.
  void balance_slopes() {
    if (outputs_ > 1) return;
    double positive = 0, negative = 0;
    for (const double g : slopes_) (g > 0 ? positive : negative) += g;
    if (!(positive > 0) || !(negative < 0)) {
      std::fill(slopes_.begin(), slopes_.end(), 0.0);
      return;
    }
    const double factor = -negative / positive;
    for (double& g : slopes_) {
      if (factor < 1 ? g > 0 : g < 0) g *= factor < 1 ? factor : 1 / factor;
    }
  }

  // Leaves them in slopes_.
  void need(Second second) {
    if (second_ == second) return;
    second_ = second;
    if constexpr (!has_scale) {
      if (second == Second::expected) {
        loss_.information(eta_.data(), slopes_.data());
        return;
      }
    }
    loss_.curvature(eta_.data(), scratch(), slopes_.data());
  }

  // s_i d2 loss / d eta_k d eta_l at the base point; of several outputs in a plane of the scratch.
  const double* curvature_block(Index k, Index l, Index plane = 0) {
    return loss_.curvature_block(slopes_.data(), k, l, scratch() + plane * rows_);
  }
  // Whether h_i = factor s_i but for rounding.
  bool is_multiple_of_weights(const double* h, double factor) const {
    for (Index i = 0; i < rows_; ++i) {
      const double expected = factor * loss_.weight(i);
      if (!(std::fabs(h[i] - expected) <= 1e-12 * std::fabs(expected))) return false;
    }
    return true;
  }

  void multiply(const double* v, double* out) override {
    ++counts_.hessian_products;
    need(Second::observed);
    double* const u = scratch();
    const bool has_products = multiply_curvatures(v, u, out);
    if (!has_products) {
      x_.predict(outputs_, v, shifts(v), nullptr, u, execution());
      if constexpr (has_scale) loss_.product(eta_.data(), slopes_.data(), u);
      else loss_.product(slopes_.data(), u);
    }
    collect(u, has_products, out);
    sum_coefficients([&](std::size_t i, Index j) { return out[i] += terms_(j).l2 * v[i]; });
  }
  // u = (the second derivative of the loss) X~ v, and its products with the columns of X as they
  // are, in one pass. False: nothing done.
  bool multiply_curvatures(const double* v, double* u, double* out) {
    if constexpr (!has_scale) {
      const auto product = [&](const design::RowRange& rows) -> const double* {
        loss_.product(rows.begin, rows.end, slopes_.data(), u);
        return u + rows.begin;
      };
      return has_one_pass_ && x_.predict_then_multiply(outputs_, v, shifts(v), nullptr, u, product,
                                                       out, execution());
    } else {
      return false;
    }
  }

  void assemble(Second second, double* out) {
    ++counts_.hessians;
    need(second);
    if (!assemble_all(out)) {
      for (Index k = 0; k < outputs_; ++k) {
        for (Index l = k; l < outputs_; ++l) {
          if (execution().stop_requested()) return;
          assemble_block(curvature_block(k, l), k, l, out);
        }
      }
    }
    blocks_.add_penalty(terms_, out);
    if constexpr (has_scale) subtract_coupling(out, size());
  }
  bool assemble_all(double* out) const {
    if constexpr (has_scale) {
      return false;
    } else {
      return outputs_ > 1 && blocks_.assemble_all(
                                 [&](Index k, Index l, Index begin, Index end, double* h) {
                                   loss_.curvature_block(slopes_.data(), k, l, begin, end, h);
                                 },
                                 out, execution());
    }
  }

  // The rows' coupling in terms of the variables: the Hessian's term -factor q q'.
  double couple(Vector& q) requires has_scale {
    double* const c = scratch();
    const double factor = loss_.coupling(eta_.data(), c);
    q.assign(length(size()), 0.0);
    if (!(factor > 0)) return 0;
    collect(c, false, q.data());
    return factor * total_;
  }
  void subtract_coupling(double* out, Index ld) requires has_scale {
    const double factor = couple(coupling_);
    if (!(factor > 0)) return;
    for (Index j = 0; j < ld; ++j) {
      const double along = factor * coupling_[length(j)];
      for (Index i = j; i < ld; ++i) out[i + j * ld] -= along * coupling_[length(i)];
    }
  }

  void diagonal(double* out) override {
    need(Second::observed);
    for (Index k = 0; k < outputs_; ++k) curvature_block(k, k, k);
    diagonal_from(outputs_ == 1 ? slopes_.data() : scratch(), out);
  }
  // From planes h_kk.
  void diagonal_from(const double* h, double* out) {
    Vector sums(length(outputs_));
    bool is_even = true;  // as in a model without columns
    for (Index k = 0; k < outputs_; ++k) {
      const double* const plane = h + k * rows_;
      sums[length(k)] = loss_.sum(plane);
      is_even = is_even && is_multiple_of_weights(plane, sums[length(k)] / total_);
    }
    blocks_.diagonal(h, sums, is_even, terms_, out, execution());
    if constexpr (has_scale) {
      const double factor = couple(coupling_);
      for (Index j = 0; j < size(); ++j) {
        const double rest = out[j] - factor * core::square(coupling_[length(j)]);
        if (rest > 0) out[j] = rest;  // else as for the rows by themselves
      }
    }
  }

  void scales(double* out) override {
    diagonal(out);
    blocks_.share_rare(out);
  }

  ScaledDesign x_;
  GlmData data_;
  Loss loss_;
  Index rows_, cols_, outputs_;
  double total_;
  OutputBlocks blocks_;
  GlmPreconditioner<SmoothGlm> preconditioner_;
  penalty::Terms terms_;
  Vector eta_;     // predictions at the base point
  Vector slopes_;  // s loss' there, or s loss'' once second_ says which
  LineAhead<SmoothGlm> line_;
  Vector point_;                    // the base point
  bool has_one_pass_ = !has_scale;  // false once the design has said so
  Vector coupling_;                 // scratch
  Second second_ = Second::none;
  // HuberScale couples rows; they have no dual each.
  struct NoDual {};
  std::conditional_t<has_scale, NoDual, GlmDual> dual_ = make_dual();
  Matrix hessian_{*this, Second::observed}, information_{*this, Second::expected};
  NullModel null_;
  Counts counts_;
};

}  // namespace thalweg::objective
