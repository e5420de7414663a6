#include "thalweg/objective/free_columns.hpp"

#include <cmath>

namespace thalweg::objective {
namespace {

// Remainders below this share of the columns that they are made of are rounding, theirs or of X:
// some hundred times epsilon, since sums of columns and scaled copies are off by a few.
constexpr double dependence = 1e-13;
// Corrections after the first solution: each leaves epsilon times the condition of G.
constexpr int refinements = 2;

}  // namespace

bool FreeColumns::set(std::vector<Index> columns) {
  if (columns == columns_) return true;
  columns_ = std::move(columns);
  directions_.clear();
  if (columns_.empty()) return true;
  if (factorize()) {
    find_directions();
    least_squares_ = solve(glm_.null_correlation());
    if (!glm_.execution().stop_requested()) return true;
  }
  columns_.clear();  // nothing is known of them
  directions_.clear();
  return false;
}

// G, scaled to unit diagonal and factorised with pivoting.
bool FreeColumns::factorize() {
  const std::size_t size = columns_.size();
  gram_.resize(size * size);
  scale_.resize(size);
  glm_.gram(columns_, static_cast<Index>(size), gram_.data(), static_cast<Index>(size));
  for (std::size_t k = 0; k < size; ++k) scale_[k] = 1.0 / std::sqrt(gram_[k + k * size]);
  for (std::size_t j = 0; j < size; ++j) {
    for (std::size_t i = 0; i < size; ++i) gram_[i + j * size] *= scale_[i] * scale_[j];
  }
  // Pivots that do not stand above rounding are taken for zero.
  const double threshold = 16 * epsilon * static_cast<double>(size);
  return factor_.factorize(gram_.data(), static_cast<Index>(size), threshold, glm_.execution());
}

// What the columns that the factor leaves out add to those before them.
void FreeColumns::find_directions() {
  std::vector<Vector> remainders;
  for (const Index d : factor_.left_out()) {
    if (glm_.execution().stop_requested()) return;
    Vector c(columns_.size()), r(static_cast<std::size_t>(glm_.rows())), z;
    c[static_cast<std::size_t>(d)] = scale_[static_cast<std::size_t>(d)];
    for (int pass = 0; pass <= refinements; ++pass) {
      std::fill(r.begin(), r.end(), 0.0);
      add_product(c, 1.0, r);
      glm_.correlate_residual(r, columns_, z);
      const Vector step = solve_gram(z);
      for (std::size_t k = 0; k < c.size(); ++k) c[k] -= step[k];
    }
    std::fill(r.begin(), r.end(), 0.0);
    add_product(c, 1.0, r);
    remove_directions(remainders, c, r);
    const double norm = std::sqrt(dot(r, r));
    if (!(norm > dependence * rounding(c))) continue;
    for (double& value : c) value /= norm;
    for (double& value : r) value /= norm;
    directions_.push_back(std::move(c));
    remainders.push_back(std::move(r));
  }
}

// Twice: one pass leaves a remainder of a remainder.
void FreeColumns::remove_directions(const std::vector<Vector>& remainders, Vector& c,
                                    Vector& r) const {
  for (int pass = 0; pass < 2; ++pass) {
    for (std::size_t m = 0; m < remainders.size(); ++m) {
      const double part = dot(remainders[m], r);
      for (std::size_t k = 0; k < c.size(); ++k) c[k] -= part * directions_[m][k];
      for (std::size_t i = 0; i < r.size(); ++i) r[i] -= part * remainders[m][i];
    }
  }
}

void FreeColumns::add_product(const Vector& x, double sign, Vector& out) const {
  Vector coef(x.size());
  for (std::size_t k = 0; k < x.size(); ++k)
    coef[k] = sign * x[k] * glm_.inverse_scale(columns_[k]);
  glm_.design().gemv_add(columns_, coef.data(), out.data(), glm_.execution());
  if (!glm_.fits_intercept()) return;
  const double mean = glm_.weighted_sum(out.data()) / glm_.total_weight();
  for (double& value : out) value -= mean;
}

double FreeColumns::dot(const Vector& a, const Vector& b) const {
  const double* s = glm_.weights();
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (s != nullptr ? s[i] : 1.0) * a[i] * b[i];
  return sum / glm_.total_weight();
}

// The size of what X~ c is the sum of, as it is stored.
double FreeColumns::rounding(const Vector& c) const {
  double sum = 0;
  for (std::size_t k = 0; k < c.size(); ++k) sum += std::fabs(c[k]) * glm_.raw_norm(columns_[k]);
  return sum;
}

Vector FreeColumns::solve(const Vector& z) const {
  Vector x = solve_gram(z);
  for (const Vector& direction : directions_) {
    double part = 0;
    for (std::size_t k = 0; k < x.size(); ++k)
      part += direction[k] * z[static_cast<std::size_t>(columns_[k])];
    for (std::size_t k = 0; k < x.size(); ++k) x[k] += part * direction[k];
  }
  return x;
}

Vector FreeColumns::solve_gram(const Vector& z) const {
  Vector x(columns_.size());
  for (std::size_t k = 0; k < x.size(); ++k)
    x[k] = scale_[k] * z[static_cast<std::size_t>(columns_[k])];
  factor_.solve(x.data());
  for (std::size_t k = 0; k < x.size(); ++k) x[k] *= scale_[k];
  return x;
}

double FreeColumns::unresolved(const Vector& z) const {
  double sum = 0;
  for (std::size_t k = 0; k < columns_.size(); ++k) {
    const double left = z[static_cast<std::size_t>(columns_[k])];
    sum += std::fabs(left * least_squares_[k]);
  }
  return sum;
}

}  // namespace thalweg::objective
