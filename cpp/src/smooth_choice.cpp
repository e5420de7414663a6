#include "thalweg/solver/smooth_choice.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "thalweg/catalog.hpp"

namespace thalweg::solver {
namespace {

class SmoothChoice final : public SmoothSolver {
 public:
  explicit SmoothChoice(std::uint64_t seed) : seed_(seed) {}

  void begin(objective::Smooth& f, const SmoothPoint& at, const Bounds& bounds) override {
    costs_ = f.costs();
    size_ = static_cast<double>(f.size());
    has_matrix_ = f.refinements().matrix != nullptr;
    has_product_ = f.refinements().product != nullptr;
    has_jumps_ = f.refinements().curvature_jumps;
    is_bounded_ = bounds.any();
    const objective::RowDual* const dual = f.refinements().dual;
    suits_dual_ = suits_dual(dual);
    rows_ = dual != nullptr ? static_cast<double>(dual->row_count()) : 0;
    // A start that holds more than intercepts is near the solution, where Newton is best; and of
    // coupled rows the first certificates tell little.
    const auto zeros = static_cast<double>(std::count(at.x.begin(), at.x.end(), 0.0));
    needs_no_lead_ = f.refinements().couples_rows || 2 * zeros < size_;
    looks_ = failed_trials_ = 0;
    trial_.reset();
    release_preconditioner(f);
    choose_first();
    start_ = is_cheapest_ || is_dual() ? at.x : Vector();
    start_value_ = at.value;
    solver_->begin(f, at, bounds);
    past_epochs_ = epochs_ = 0;
    restart_window();
  }

  StepOutcome step(objective::Smooth& f, SmoothPoint& at, const SmoothContext& context) override {
    if (trial_) {
      trial_->reached = std::min(trial_->reached, context.certificate);
      if (trial_->work >= trial_->allowed) judge_trial(f, at.value);
    } else if (steps_ >= window() && may_switch()) {
      ++looks_;
      if (switches(f, at, context)) {
        at.dual = {};
        if (objective::RowDual* const dual = f.refinements().dual) dual->release();
        if (std::exchange(goes_back_, false)) {
          at.x = start_;
          at.value = f.evaluate(at.x.data(), at.gradient.data());
        }
        solver_->begin(f, at, context.bounds);
      }
      restart_window();
    }
    if (steps_ == 0) {
      certificate_then_ = context.certificate;
      value_then_ = at.value;
    }
    SmoothContext limited = context;
    if (trial_) limited.most_products = trial_products();
    StepOutcome outcome = solver_->step(f, at, limited);
    if (trial_) {
      if (outcome.failure) {
        end_trial(f);
        outcome.failure.reset();
        return outcome;
      }
      trial_->work += static_cast<double>(outcome.epochs) * epoch_cost() +
                      static_cast<double>(outcome.products) * product_cost();
    }
    ++steps_;
    modified_ += outcome.is_modified ? 1 : 0;
    epochs_ += static_cast<double>(outcome.epochs);
    return outcome;
  }

  std::string reason() const override { return reason_ + " (" + solver_->reason() + ")"; }
  std::string_view ran() const override { return solver_->ran(); }
  Index matrix_bytes() const override { return solver_->matrix_bytes(); }

 private:
  // Steps between two looks ahead; a step of the dual is several visits of all rows. L-BFGS goes by
  // fits and starts, so that each look is over half of all its steps. Before a cheap Hessian it may
  // take as long as a Newton step does, of which it saves two to five; before the cheapest ones one
  // step has to tell whether it gets on.
  int window() const {
    if (is_dual()) return 1;
    if (is_newton()) return 20;
    if (!has_cheap_matrix_) return 10 << std::clamp(looks_ - 1, 0, 10);
    if (is_cheapest_) return looks_ == 0 ? 1 : 2;
    return static_cast<int>(newton_ratio());
  }
  // What a quadratically convergent method needs from where others are slow; cheap ones take over
  // earlier.
  double newton_steps() const { return has_cheap_matrix_ ? 2 : 8; }
  // Products that a truncated Newton method is taken to need from what the dual leaves, or to be
  // worth a trial: from where L-BFGS is slow it may need a tenth of its gradients or three times as
  // many, which only a trial tells, and each that fails makes the next one dearer.
  double truncated_products() const {
    if (is_dual()) return rows_ <= size_ ? 150 : 60;
    return 120;
  }
  double truncated_cost() const { return truncated_products() * product_cost(); }
  // Of all of Newton's steps where conjugate gradients know most of the Hessian, which take some
  // hundred products at their end and are making the preconditioner for as long: 1,100 and 1,600
  // products on news20 at C = 1 and 100, a hundred where few rows are all of the Hessian.
  double preconditioned_cost() const { return 1000 * product_cost(); }
  double trial_cost() const { return std::pow(4.0, failed_trials_) * truncated_cost(); }
  // With the conjugate gradients' own work on vectors of variables. Products of unknown cost may be
  // differences of gradients, so that each is as dear as a step of L-BFGS.
  double product_cost() const {
    return costs_.product > 0 ? costs_.product + 10 * size_ : lbfgs_cost();
  }
  // Of a step with ten pairs.
  double lbfgs_cost() const { return costs_.gradient + 40 * size_; }
  // Beyond it a matrix is not assembled, whatever it would save.
  static constexpr double largest_matrix = 6000;

  double newton_step_cost() const {
    // A third of a cube of multiply-adds, blocked as the matrix is.
    return costs_.matrix + size_ * size_ * size_ / (3 * 16) + 2 * costs_.gradient;
  }
  // Of a Newton step to a gradient.
  double newton_ratio() const { return newton_step_cost() / costs_.gradient; }
  bool can_factorise() const { return has_matrix_ && size_ <= largest_matrix; }
  bool is_dual() const { return solver_->ran() == std::string_view("dual_coordinate_descent"); }
  bool is_newton() const { return solver_->ran() == std::string_view("newton"); }
  bool may_switch() const {
    return !is_bounded_ && (is_dual() || solver_->ran() == std::string_view("l_bfgs") ||
                            (is_newton() && has_product_));
  }
  // Of the solver now: a step of L-BFGS, or a visit of all rows of the dual: two passes over X
  // whose entries come in no order, and of every row a proximal point, which takes as long as forty
  // entries.
  double epoch_cost() const {
    return is_dual() ? 2 * (costs_.gradient + 2 * 40 * rows_) : lbfgs_cost();
  }

  // Rows that hardly meet: fewer than columns, or with few of their entries stored. Not where they
  // are many and the penalty is so strong that L-BFGS, whose passes threads share, is fast, too;
  // nor where the dual's vectors over the rows would be more than a fifth of X, of an entry of
  // twelve bytes, and what is left of L-BFGS's vectors over the columns.
  bool suits_dual(const objective::RowDual* dual) const {
    constexpr double short_row = 0.02, weak = 0.1;
    if (dual == nullptr) return false;
    const auto rows = static_cast<double>(dual->row_count());
    const auto stored = static_cast<double>(dual->stored());
    const bool is_short = stored <= short_row * rows * size_;
    constexpr double bytes_of_row = 36, bytes_of_column = 50;
    if (bytes_of_row * rows > 12 * stored / 5 + bytes_of_column * size_) return false;
    return rows <= size_ || (is_short && dual->coupling() >= weak);
  }

  void choose_first() {
    constexpr double cheapest = 6, cheap = 20;
    has_cheap_matrix_ = can_factorise() && newton_ratio() <= cheap;
    is_cheapest_ = has_cheap_matrix_ && newton_ratio() <= cheapest;
    if (is_bounded_) {
      use("l_bfgs_b", "limits on coefficients");
    } else if (is_cheapest_ && needs_no_lead_) {
      use("newton", "the Hessian costs a few gradients");
    } else if (has_cheap_matrix_) {
      use("l_bfgs", "the first steps are as good as Newton's");
    } else if (suits_dual_) {
      use("dual_coordinate_descent", "rows are fewer than columns, or short");
    } else {
      use("l_bfgs", has_matrix_ ? "the Hessian is dear" : "no Hessian is known");
    }
  }

  // Looks ahead: whether another solver takes over.
  bool switches(objective::Smooth& f, const SmoothPoint& at, const SmoothContext& context) {
    const double fall = certificate_then_ / context.certificate;
    if (is_newton()) {
      // Where the Hessian is singular, as on rows that a hinge is done with, steps can be short.
      if (fall > 2 || 2 * modified_ < steps_) return false;
      use("trust_ncg", "Newton first, a trust region when it became slow");
      return true;
    }
    if (is_cheapest_ && looks_ == 1) {
      constexpr double good = 3;  // of a certificate, which is as the square of a gradient
      if (fall >= good) return false;
      // From where such a step has led, Newton's steps may be short.
      goes_back_ = true;
      use("newton", "the Hessian costs a few gradients, and the first step of L-BFGS led nowhere");
      return true;
    }
    if (is_dual() && looks_ == 1) return false;  // the first visits say nothing of later ones
    // What is left at the rate of the window; a certificate that does not fall promises nothing.
    const double epochs = fall > 1 ? epochs_ * std::log(context.left) / std::log(fall) : infinity;
    const double cost = epochs * epoch_cost();
    const bool leaves_dual = is_dual();
    const std::string first = leaves_dual ? "the dual first, " : "L-BFGS first, ";
    const double newton = newton_steps() * newton_step_cost();
    // Where curvature jumps, a trust region crawls from one piece to the next; the dual does not.
    const bool has_product = has_product_ && !(leaves_dual && has_jumps_);
    const bool is_newton_cheaper = can_factorise() && newton < cost;
    const bool asks_products = has_product && (!is_newton_cheaper || trial_cost() < newton);
    if (!asks_products ||
        !takes_products(f, at, context, cost,
                        first + "a truncated Newton method when it became slow")) {
      if (!is_newton_cheaper) return false;
      use("newton", first + (has_cheap_matrix_ ? "Newton, whose Hessian costs a few gradients"
                                               : "Newton when it became slow"));
    }
    // Far from the solution, what the dual makes of its variables can be much too large.
    constexpr double near = 0.1;
    goes_back_ = leaves_dual && context.certificate > near * start_value_;
    return true;
  }

  // Whether conjugate gradients take over from a solver that has `cost` to go.
  bool takes_products(objective::Smooth& f, const SmoothPoint& at, const SmoothContext& context,
                      double cost, std::string reason) {
    if (is_dual()) {
      if (cost <= truncated_cost()) return false;
      use("trust_ncg", std::move(reason));
      return true;
    }
    if (cost <= std::min(trial_cost(), preconditioned_cost())) return false;
    solver_->rest();
    if (is_well_preconditioned(f)) {
      if (cost <= preconditioned_cost()) return false;
      use("newton_cg", std::move(reason));
      return true;
    }
    if (cost <= trial_cost()) return false;
    begin_trial(at, context, cost, std::move(reason));
    return true;
  }

  // Whether what conjugate gradients would have to learn is known.
  static bool is_well_preconditioned(objective::Smooth& f) {
    objective::Preconditioner* const m = f.refinements().preconditioner;
    return m != nullptr && m->is_close();
  }

  static void release_preconditioner(objective::Smooth& f) {
    if (objective::Preconditioner* const m = f.refinements().preconditioner) m->release();
  }

  // Of a truncated Newton method, while L-BFGS rests with what it has learnt. It may try for half
  // of what L-BFGS is expected to take from here, but no more than a quarter of what was spent.
  void begin_trial(const SmoothPoint& at, const SmoothContext& context, double cost,
                   std::string reason) {
    constexpr double least = 40;  // steps
    const double step = epoch_cost();
    const double spent = (past_epochs_ + epochs_) * step;
    trial_.emplace(Trial{.resting = std::move(solver_),
                         .value = at.value,
                         .certificate = context.certificate,
                         .lost = value_then_ - at.value,
                         .fall = std::max(2.0, certificate_then_ / context.certificate),
                         .window = epochs_ * step,
                         .allowed = std::max(least * step, std::min(0.5 * cost, 0.25 * spent)),
                         .reached = context.certificate});
    use("newton_cg", std::move(reason));
  }

  // Of a step on trial: what is left of its allowance.
  Index trial_products() const {
    return 1 + static_cast<Index>((trial_->allowed - trial_->work) / product_cost());
  }
  // After what the method on trial is allowed it gives up where it has got on no better than L-BFGS
  // is expected to, neither by values nor by certificates, which rise in a long step before they
  // fall. L-BFGS is expected to go on as in its last window, in which the certificate fell `fall`
  // times: values are taken to do so, towards a limit that this tells. Else it goes on for as long
  // as it took so far, against what L-BFGS would do from where it is now.
  void judge_trial(objective::Smooth& f, double value) {
    Trial& t = *trial_;
    const double logarithm = t.work / t.window * std::log(t.fall);
    const bool is_slow = t.value - value < t.lost / (t.fall - 1) * -std::expm1(-logarithm) &&
                         std::log(t.certificate / t.reached) < logarithm;
    if (is_slow) {
      end_trial(f);
      return;
    }
    t.lost *= t.reached / t.certificate;
    t.value = value;
    t.certificate = t.reached;
    t.total += std::exchange(t.work, 0);
    t.allowed = t.total;
  }

  void end_trial(objective::Smooth& f) {
    release_preconditioner(f);
    solver_ = std::move(trial_->resting);
    reason_ = "L-BFGS, a truncated Newton method having been tried";
    trial_.reset();
    ++failed_trials_;
    restart_window();
  }

  void restart_window() {
    past_epochs_ += epochs_;
    steps_ = modified_ = 0;
    epochs_ = 0;
  }

  void use(const char* name, std::string reason) {
    const SolverEntry& entry = find_solver(name);
    solver_ = entry.make({.parameters = default_parameters(*entry.info), .seed = seed_});
    reason_ = std::move(reason);
  }

  struct Trial {
    std::unique_ptr<SmoothSolver> resting;
    double value, certificate;   // where it began or was judged last
    double lost, fall, window;   // in a window of L-BFGS: of the value; how many times the
                                 // certificate fell, at least twice; its work
    double allowed;              // work until it is judged
    double reached;              // the least certificate
    double work = 0, total = 0;  // since it was judged, before
  };

  std::uint64_t seed_;
  objective::Costs costs_;
  double size_ = 0, rows_ = 0;
  bool has_cheap_matrix_ = false, is_cheapest_ = false;
  bool has_matrix_ = false, has_product_ = false, has_jumps_ = false;
  bool is_bounded_ = false, suits_dual_ = false;
  std::unique_ptr<SmoothSolver> solver_;
  std::string reason_;
  int steps_ = 0, modified_ = 0;  // since the last look ahead; with a modified Hessian
  bool needs_no_lead_ = false;    // of Newton's method
  int looks_ = 0;
  bool goes_back_ = false;  // to the start
  Vector start_;
  double epochs_ = 0, past_epochs_ = 0;  // since the last look ahead, before it
  double start_value_ = 0, certificate_then_ = infinity, value_then_ = infinity;
  std::optional<Trial> trial_;
  int failed_trials_ = 0;
};

}  // namespace

std::unique_ptr<SmoothSolver> make_smooth_choice(std::uint64_t seed) {
  return std::make_unique<SmoothChoice>(seed);
}

}  // namespace thalweg::solver
