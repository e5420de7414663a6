// Test problems of More, Garbow & Hillstrom (1981, ACM TOMS 7(1), section 3), from the paper's
// formulas, numbered as there: f(x) = sum_i f_i(x)^2. Residuals are templates of their scalar, from
// which Jacobians and Hessians follow by dual numbers; they are compiled once.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "dual_number.hpp"
#include "thalweg/objective/callable.hpp"

namespace thalweg::test {

struct LeastSquares {
  std::string name;
  Index size, residuals;
  Vector start;
  double minimum;  // of f, the least that the paper gives
  std::function<void(const double*, double*)> real;
  std::function<void(const Dual<double>*, Dual<double>*)> dual;
  std::function<void(const Dual<Dual<double>>*, Dual<Dual<double>>*)> nested;
};

// The problems of the paper at sizes that it mentions.
std::vector<LeastSquares> more_garbow_hillstrom();

// f = sum f_i^2 = 1/2 sum r_i^2 with r = sqrt(2) f_i: as residuals, with the Hessian matrix too,
// and with everything that a function can have.
objective::UserFunction residuals_only(const LeastSquares& problem);
objective::UserFunction with_hessian(const LeastSquares& problem);
objective::UserFunction with_everything(const LeastSquares& problem);

// Rosenbrock's function in `size` variables (even), with everything; minimum 0 at (1, ..., 1).
objective::UserFunction rosenbrock(Index size = 2);

}  // namespace thalweg::test
