// The step that BFGS and L-BFGS share; they differ in how they keep the inverse Hessian H.
//
//   x+ = x - t H grad f(x)
//
// A pair of no positive curvature is skipped. Where H gives no descent, or the search along -H grad
// fails, the step is repeated along the gradient, and H begins anew, before giving up.
//
// H offers begin(f), clear(), is_plain() (nothing is known of the Hessian), multiply(v) (v =
// H v), learn(pair, s, y) (which takes in a pair, and may change s and y), bytes(), note() (for the
// reason), take() (what is known, after which it begins anew).
#pragma once

#include "thalweg/line_search/choice.hpp"
#include "thalweg/solver/initial_metric.hpp"
#include "thalweg/solver/search_step.hpp"

namespace thalweg::solver {

template <class Inverse>
class QuasiNewtonSolver final : public SmoothSolver {
 public:
  QuasiNewtonSolver(const core::Info& info, Inverse inverse, line_search::Search search)
      : info_(info), inverse_(std::move(inverse)), search_(search, options()) {}

  void begin(objective::Smooth& f, const SmoothPoint&, const Bounds&) override {
    inverse_.begin(f);
    line_.begin(f);
  }

  StepOutcome step(objective::Smooth& f, SmoothPoint& at, const SmoothContext&) override {
    line_.direction().resize(at.x.size());  // rest() lets go of it
    const bool is_plain = !aim(at, f.threads());
    if (is_plain) aim_downhill(at);
    if (!run(f, at)) {
      if (is_plain || search_.is_unbounded()) return line_.failed(search_.found().outcome);
      aim_downhill(at);
      if (!run(f, at)) return line_.failed(search_.found().outcome);
    }
    if (!search_.found().success()) inverse_.clear();
    else if (search_.pair().is_curved()) inverse_.learn(search_.pair(), s_, y_);
    return search_.outcome();
  }

  void rest() override {
    for (Vector* const each : {&s_, &y_, &line_.direction()}) Vector().swap(*each);
  }
  std::string reason() const override {
    return std::string(info_.summary) + std::string(inverse_.note());
  }
  std::string_view ran() const override { return info_.name; }
  Index matrix_bytes() const override { return inverse_.bytes(); }
  std::optional<InverseHessian> take_inverse_hessian() override { return inverse_.take(); }

 private:
  // decrease is that of L-BFGS-B (Zhu, Byrd, Lu & Nocedal 1997).
  static line_search::Options options() {
    line_search::Options options;
    options.decrease = 1e-3;
    return options;
  }

  // -H grad; false where that is of no use.
  bool aim(const SmoothPoint& at, int threads) {
    if (inverse_.is_plain()) return false;
    Vector& direction = line_.direction();
    core::for_elements(length_of(direction), threads, [&](Index begin, Index end) {
      for (auto j = static_cast<std::size_t>(begin); j < static_cast<std::size_t>(end); ++j)
        direction[j] = -at.gradient[j];
    });
    inverse_.multiply(direction);
    return line_.is_downhill(at);
  }
  void aim_downhill(const SmoothPoint& at) {
    inverse_.clear();
    line_.point_downhill(at);
  }
  bool run(objective::Smooth& f, SmoothPoint& at) {
    const auto first_step = [&] { return inverse_.is_plain() ? line_.first_trial(at) : 1.0; };
    return search_.run(line_, f, at, at.value, first_step, s_, y_);
  }

  const core::Info& info_;
  Inverse inverse_;
  LineStep line_;
  SearchStep search_;
  Vector s_, y_;  // the last pair
};

}  // namespace thalweg::solver
