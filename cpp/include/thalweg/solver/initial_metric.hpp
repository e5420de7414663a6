// The matrix H0 that a quasi-Newton method starts from: gamma D^-1, where D is the objective's
// guess of how its variables are scaled, the diagonal of its Hessian or so, else the identity.
//
//   gamma = s'y / y'D^-1 y
//
// makes H0 as large as the inverse Hessian along the last change of the gradient (Nocedal & Wright
// 2006, equations 6.20 and 7.20).
#pragma once

#include "thalweg/solver/search_step.hpp"

namespace thalweg::solver {

class InitialMetric final {
 public:
  // D at the base point.
  void begin(objective::Smooth& f) {
    gamma_ = 1;
    threads_ = f.threads();
    objective::HessianDiagonal* const hessian = f.refinements().diagonal;
    inverse_.clear();
    if (hessian == nullptr) return;
    inverse_.resize(static_cast<std::size_t>(f.size()));
    hessian->scales(inverse_.data());
    // A coordinate of almost no curvature must not dwarf the others.
    const double least = epsilon * largest_entry(inverse_);
    for (double& entry : inverse_) entry = entry > least ? 1 / entry : 1 / std::max(least, 1e-300);
  }

  bool has_diagonal() const { return !inverse_.empty(); }

  void rescale(const Pair& pair, const Vector& y) {
    double square = pair.yy;
    if (has_diagonal()) {
      square = core::sum_elements(length_of(y), threads_, [&](Index begin, Index end) {
        double sum = 0;
        for (auto j = static_cast<std::size_t>(begin); j < static_cast<std::size_t>(end); ++j)
          sum += y[j] * inverse_[j] * y[j];
        return sum;
      });
    }
    gamma_ = pair.sy / square;
  }

  double entry(std::size_t j) const { return has_diagonal() ? gamma_ * inverse_[j] : gamma_; }

  void multiply(Vector& v) const {
    core::for_elements(length_of(v), threads_, [&](Index begin, Index end) {
      for (auto j = static_cast<std::size_t>(begin); j < static_cast<std::size_t>(end); ++j)
        v[j] *= entry(j);
    });
  }

 private:
  Vector inverse_;
  int threads_ = 1;
  double gamma_ = 1;
};

}  // namespace thalweg::solver
