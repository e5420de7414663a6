#include "thalweg/core/anderson.hpp"

#include <Eigen/Cholesky>
#include <cmath>

namespace thalweg::core {

bool Anderson::extrapolate(Vector& out, const double* weights) {
  count_ = 0;
  Eigen::Matrix<double, depth, depth> gram;
  for (int i = 0; i < depth; ++i) {
    for (int j = 0; j <= i; ++j) gram(i, j) = gram(j, i) = difference_dot(i, j, weights);
  }
  const double scale = gram.diagonal().maxCoeff();
  if (!(scale > 0)) return false;
  gram /= scale;
  gram.diagonal().array() += 1e-14;
  Eigen::Matrix<double, depth, 1> c = gram.ldlt().solve(Eigen::Matrix<double, depth, 1>::Ones());
  const double sum = c.sum();
  if (!std::isfinite(sum) || sum == 0) return false;
  c /= sum;
  out.assign(at(0).size(), 0.0);
  for (int i = 0; i < depth; ++i) {
    const Vector& x = at(i + 1);
    for (std::size_t k = 0; k < x.size(); ++k) out[k] += c[i] * x[k];
  }
  return true;
}

double Anderson::difference_dot(int i, int j, const double* weights) const {
  const Vector &a = at(i), &b = at(i + 1), &c = at(j), &d = at(j + 1);
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    sum += (weights != nullptr ? weights[k] : 1.0) * (b[k] - a[k]) * (d[k] - c[k]);
  }
  return sum;
}

}  // namespace thalweg::core
