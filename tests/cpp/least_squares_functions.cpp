#include "least_squares_functions.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace thalweg::test {
namespace {

namespace mgh {

constexpr double pi = std::numbers::pi;

template <class T>
T square(const T& v) {
  return v * v;
}

// 1, 21: Rosenbrock, extended.
template <class T>
void rosenbrock(const T* x, T* r, Index n) {
  for (Index i = 0; i < n; i += 2) {
    r[i] = 10.0 * (x[i + 1] - x[i] * x[i]);
    r[i + 1] = 1.0 - x[i];
  }
}
// 2: has a local minimum 48.9842... at (11.4128, -0.8968) as well.
template <class T>
void freudenstein_roth(const T* x, T* r) {
  r[0] = -13.0 + x[0] + ((5.0 - x[1]) * x[1] - 2.0) * x[1];
  r[1] = -29.0 + x[0] + ((x[1] + 1.0) * x[1] - 14.0) * x[1];
}
template <class T>
void powell_badly_scaled(const T* x, T* r) {
  r[0] = 1e4 * x[0] * x[1] - 1.0;
  r[1] = exp(-x[0]) + exp(-x[1]) - 1.0001;
}
template <class T>
void brown_badly_scaled(const T* x, T* r) {
  r[0] = x[0] - 1e6;
  r[1] = x[1] - 2e-6;
  r[2] = x[0] * x[1] - 2.0;
}
template <class T>
void beale(const T* x, T* r) {
  T power = 1.0;
  constexpr std::array<double, 3> y{1.5, 2.25, 2.625};
  for (std::size_t i = 0; i < 3; ++i) {
    power *= x[1];
    r[i] = y[i] - x[0] * (1.0 - power);
  }
}
template <class T>
void jennrich_sampson(const T* x, T* r) {
  for (int i = 0; i < 10; ++i) {
    const double k = i + 1;
    r[i] = 2.0 + 2.0 * k - (exp(k * x[0]) + exp(k * x[1]));
  }
}
template <class T>
void helical_valley(const T* x, T* r) {
  T theta = atan(x[1] / x[0]) / (2.0 * pi);
  if (test::real(x[0]) < 0) theta += 0.5;
  r[0] = 10.0 * (x[2] - 10.0 * theta);
  r[1] = 10.0 * (sqrt(x[0] * x[0] + x[1] * x[1]) - 1.0);
  r[2] = x[2];
}
template <class T>
void bard(const T* x, T* r) {
  constexpr std::array<double, 15> y{0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39,
                                     0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39};
  for (std::size_t i = 0; i < 15; ++i) {
    const double u = static_cast<double>(i) + 1, v = 16 - u, w = std::min(u, v);
    r[i] = y[i] - (x[0] + u / (v * x[1] + w * x[2]));
  }
}
template <class T>
void gaussian(const T* x, T* r) {
  constexpr std::array<double, 15> y{0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989,
                                     0.3521, 0.2420, 0.1295, 0.0540, 0.0175, 0.0044, 0.0009};
  for (std::size_t i = 0; i < 15; ++i) {
    const double t = (7.0 - static_cast<double>(i)) / 2;
    r[i] = x[0] * exp(-0.5 * x[1] * square(t - x[2])) - y[i];
  }
}
template <class T>
void meyer(const T* x, T* r) {
  constexpr std::array<double, 16> y{34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744,
                                     8261,  7030,  6005,  5147,  4427,  3820,  3307,  2872};
  for (std::size_t i = 0; i < 16; ++i) {
    const double t = 45 + 5 * (static_cast<double>(i) + 1);
    r[i] = x[0] * exp(x[1] / (t + x[2])) - y[i];
  }
}
template <class T>
void gulf(const T* x, T* r) {
  for (int i = 0; i < 99; ++i) {
    const double t = (i + 1) / 100.0;
    const double y = 25 + std::pow(-50 * std::log(t), 2.0 / 3.0);
    T gap = y - x[1];
    if (test::real(gap) < 0) gap = -gap;
    r[i] = exp(-(exp(x[2] * log(gap)) / x[0])) - t;
  }
}
template <class T>
void box(const T* x, T* r) {
  for (int i = 0; i < 10; ++i) {
    const double t = 0.1 * (i + 1);
    r[i] = exp(-t * x[0]) - exp(-t * x[1]) - x[2] * (std::exp(-t) - std::exp(-10 * t));
  }
}
// 13, 22: Powell's singular function, extended.
template <class T>
void powell_singular(const T* x, T* r, Index n) {
  for (Index i = 0; i < n; i += 4) {
    r[i] = x[i] + 10.0 * x[i + 1];
    r[i + 1] = std::sqrt(5.0) * (x[i + 2] - x[i + 3]);
    r[i + 2] = square(x[i + 1] - 2.0 * x[i + 2]);
    r[i + 3] = std::sqrt(10.0) * square(x[i] - x[i + 3]);
  }
}
template <class T>
void wood(const T* x, T* r) {
  r[0] = 10.0 * (x[1] - x[0] * x[0]);
  r[1] = 1.0 - x[0];
  r[2] = std::sqrt(90.0) * (x[3] - x[2] * x[2]);
  r[3] = 1.0 - x[2];
  r[4] = std::sqrt(10.0) * (x[1] + x[3] - 2.0);
  r[5] = (x[1] - x[3]) / std::sqrt(10.0);
}
template <class T>
void kowalik_osborne(const T* x, T* r) {
  constexpr std::array<double, 11> y{0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627,
                                     0.0456, 0.0342, 0.0323, 0.0235, 0.0246};
  constexpr std::array<double, 11> u{4.0,   2.0, 1.0,    0.5,    0.25,  0.167,
                                     0.125, 0.1, 0.0833, 0.0714, 0.0625};
  for (std::size_t i = 0; i < 11; ++i)
    r[i] = y[i] - x[0] * (u[i] * u[i] + u[i] * x[1]) / (u[i] * u[i] + u[i] * x[2] + x[3]);
}
template <class T>
void brown_dennis(const T* x, T* r) {
  for (int i = 0; i < 20; ++i) {
    const double t = (i + 1) / 5.0;
    r[i] = square(x[0] + t * x[1] - std::exp(t)) + square(x[2] + x[3] * std::sin(t) - std::cos(t));
  }
}
template <class T>
void osborne_1(const T* x, T* r) {
  constexpr std::array<double, 33> y{0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818,
                                     0.784, 0.751, 0.718, 0.685, 0.658, 0.628, 0.603, 0.580, 0.558,
                                     0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448, 0.438,
                                     0.431, 0.424, 0.420, 0.414, 0.411, 0.406};
  for (std::size_t i = 0; i < 33; ++i) {
    const double t = 10.0 * static_cast<double>(i);
    r[i] = y[i] - (x[0] + x[1] * exp(-t * x[3]) + x[2] * exp(-t * x[4]));
  }
}
template <class T>
void biggs(const T* x, T* r) {
  for (int i = 0; i < 13; ++i) {
    const double t = 0.1 * (i + 1);
    const double y = std::exp(-t) - 5 * std::exp(-10 * t) + 3 * std::exp(-4 * t);
    r[i] = x[2] * exp(-t * x[0]) - x[3] * exp(-t * x[1]) + x[5] * exp(-t * x[4]) - y;
  }
}
template <class T>
void osborne_2(const T* x, T* r) {
  constexpr std::array<double, 65> y{
      1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608,
      0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661,
      0.612, 0.558, 0.533, 0.495, 0.500, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428,
      0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559,
      0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054};
  for (std::size_t i = 0; i < 65; ++i) {
    const double t = static_cast<double>(i) / 10;
    r[i] = y[i] - (x[0] * exp(-t * x[4]) + x[1] * exp(-square(t - x[8]) * x[5]) +
                   x[2] * exp(-square(t - x[9]) * x[6]) + x[3] * exp(-square(t - x[10]) * x[7]));
  }
}
template <class T>
void watson(const T* x, T* r, Index n) {
  for (int i = 0; i < 29; ++i) {
    const double t = (i + 1) / 29.0;
    T sum = 0.0, slope = 0.0;
    for (Index j = n - 1; j >= 0; --j) sum = sum * t + x[j];
    for (Index j = n - 1; j >= 1; --j) slope = slope * t + static_cast<double>(j) * x[j];
    r[i] = slope - sum * sum - 1.0;
  }
  r[29] = x[0];
  r[30] = x[1] - x[0] * x[0] - 1.0;
}
template <class T>
void penalty_1(const T* x, T* r, Index n) {
  T sum = -0.25;
  for (Index i = 0; i < n; ++i) {
    r[i] = std::sqrt(1e-5) * (x[i] - 1.0);
    sum += x[i] * x[i];
  }
  r[n] = sum;
}
template <class T>
void penalty_2(const T* x, T* r, Index n) {
  const double root = std::sqrt(1e-5);
  r[0] = x[0] - 0.2;
  for (Index i = 1; i < n; ++i) {
    const double y =
        std::exp(static_cast<double>(i + 1) / 10) + std::exp(static_cast<double>(i) / 10);
    r[i] = root * (exp(x[i] / 10.0) + exp(x[i - 1] / 10.0) - y);
    r[n + i - 1] = root * (exp(x[i] / 10.0) - std::exp(-0.1));
  }
  T sum = -1.0;
  for (Index j = 0; j < n; ++j) sum += static_cast<double>(n - j) * x[j] * x[j];
  r[2 * n - 1] = sum;
}
template <class T>
void variably_dimensioned(const T* x, T* r, Index n) {
  T sum = 0.0;
  for (Index i = 0; i < n; ++i) {
    r[i] = x[i] - 1.0;
    sum += static_cast<double>(i + 1) * (x[i] - 1.0);
  }
  r[n] = sum;
  r[n + 1] = sum * sum;
}
template <class T>
void trigonometric(const T* x, T* r, Index n) {
  T sum = static_cast<double>(n);
  for (Index j = 0; j < n; ++j) sum -= cos(x[j]);
  for (Index i = 0; i < n; ++i)
    r[i] = sum + static_cast<double>(i + 1) * (1.0 - cos(x[i])) - sin(x[i]);
}
template <class T>
void brown_almost_linear(const T* x, T* r, Index n) {
  T sum = -static_cast<double>(n + 1), product = 1.0;
  for (Index j = 0; j < n; ++j) {
    sum += x[j];
    product *= x[j];
  }
  for (Index i = 0; i < n - 1; ++i) r[i] = x[i] + sum;
  r[n - 1] = product - 1.0;
}
template <class T>
void discrete_boundary_value(const T* x, T* r, Index n) {
  const double h = 1.0 / static_cast<double>(n + 1);
  for (Index i = 0; i < n; ++i) {
    const T left = i > 0 ? x[i - 1] : T(0.0), right = i < n - 1 ? x[i + 1] : T(0.0);
    const T cube = x[i] + (static_cast<double>(i + 1) * h + 1.0);
    r[i] = 2.0 * x[i] - left - right + 0.5 * h * h * cube * cube * cube;
  }
}
template <class T>
void discrete_integral(const T* x, T* r, Index n) {
  const double h = 1.0 / static_cast<double>(n + 1);
  for (Index i = 0; i < n; ++i) {
    const double ti = static_cast<double>(i + 1) * h;
    T sum = 0.0;
    for (Index j = 0; j < n; ++j) {
      const double tj = static_cast<double>(j + 1) * h;
      const T base = x[j] + (tj + 1.0);
      sum += (j <= i ? (1 - ti) * tj : ti * (1 - tj)) * base * base * base;
    }
    r[i] = x[i] + 0.5 * h * sum;
  }
}
template <class T>
void broyden_tridiagonal(const T* x, T* r, Index n) {
  for (Index i = 0; i < n; ++i) {
    const T left = i > 0 ? x[i - 1] : T(0.0), right = i < n - 1 ? x[i + 1] : T(0.0);
    r[i] = (3.0 - 2.0 * x[i]) * x[i] - left - 2.0 * right + 1.0;
  }
}
template <class T>
void broyden_banded(const T* x, T* r, Index n) {
  for (Index i = 0; i < n; ++i) {
    T sum = 0.0;
    for (Index j = std::max<Index>(0, i - 5); j <= std::min(n - 1, i + 1); ++j) {
      if (j != i) sum += x[j] * (1.0 + x[j]);
    }
    r[i] = x[i] * (2.0 + 5.0 * x[i] * x[i]) + 1.0 - sum;
  }
}
template <class T>
void linear_full_rank(const T* x, T* r, Index n, Index m) {
  T sum = 0.0;
  for (Index j = 0; j < n; ++j) sum += x[j];
  for (Index i = 0; i < m; ++i) {
    r[i] = -2.0 / static_cast<double>(m) * sum - 1.0;
    if (i < n) r[i] += x[i];
  }
}
template <class T>
void linear_rank_1(const T* x, T* r, Index n, Index m) {
  T sum = 0.0;
  for (Index j = 0; j < n; ++j) sum += static_cast<double>(j + 1) * x[j];
  for (Index i = 0; i < m; ++i) r[i] = static_cast<double>(i + 1) * sum - 1.0;
}
template <class T>
void chebyquad(const T* x, T* r, Index n) {
  for (Index i = 0; i < n; ++i) r[i] = 0.0;
  for (Index j = 0; j < n; ++j) {
    T before = 1.0, now = 2.0 * x[j] - 1.0;
    const T twice = 2.0 * now;
    for (Index i = 0; i < n; ++i) {
      r[i] += now / static_cast<double>(n);
      const T next = twice * now - before;
      before = now;
      now = next;
    }
  }
  for (Index i = 1; i < n; i += 2) r[i] += 1.0 / static_cast<double>((i + 1) * (i + 1) - 1);
}

Vector repeated(const Vector& block, Index n) {
  Vector x(static_cast<std::size_t>(n));
  for (std::size_t j = 0; j < x.size(); ++j) x[j] = block[j % block.size()];
  return x;
}
Vector filled(Index n, const std::function<double(double)>& f) {
  Vector x(static_cast<std::size_t>(n));
  for (std::size_t j = 0; j < x.size(); ++j) x[j] = f(static_cast<double>(j) + 1);
  return x;
}

}  // namespace mgh

// u' (Hessian of f) v
double second_derivative(const LeastSquares& problem, const double* x, const Vector& u,
                         const Vector& v) {
  using Second = Dual<Dual<double>>;
  std::vector<Second> point(u.size()), out(static_cast<std::size_t>(problem.residuals));
  for (std::size_t j = 0; j < u.size(); ++j)
    point[j] = Second(Dual<double>(x[j], v[j]), Dual<double>(u[j]));
  problem.nested(point.data(), out.data());
  Second sum = 0.0;
  for (const Second& r : out) sum += r * r;
  return sum.slope.slope;
}

}  // namespace

std::vector<LeastSquares> more_garbow_hillstrom() {
  std::vector<LeastSquares> problems;
  const auto add = [&](const std::string& name, Index m, Vector start, double minimum, auto f) {
    const auto n = static_cast<Index>(start.size());
    problems.push_back({name, n, m, std::move(start), minimum, f, f, f});
  };
  const auto tenths = [](double) { return 0.1; };
  const auto halves = [](double) { return 0.5; };
  const auto ones = [](double) { return 1.0; };
  const auto mesh = [](double n) {
    return [n](double j) { return j / (n + 1) * (j / (n + 1) - 1); };
  };
  add("rosenbrock", 2, {-1.2, 1}, 0, [](const auto* x, auto* r) { mgh::rosenbrock(x, r, 2); });
  add("freudenstein_roth", 2, {0.5, -2}, 0,
      [](const auto* x, auto* r) { mgh::freudenstein_roth(x, r); });
  add("powell_badly_scaled", 2, {0, 1}, 0,
      [](const auto* x, auto* r) { mgh::powell_badly_scaled(x, r); });
  add("brown_badly_scaled", 3, {1, 1}, 0,
      [](const auto* x, auto* r) { mgh::brown_badly_scaled(x, r); });
  add("beale", 3, {1, 1}, 0, [](const auto* x, auto* r) { mgh::beale(x, r); });
  add("jennrich_sampson", 10, {0.3, 0.4}, 124.362,
      [](const auto* x, auto* r) { mgh::jennrich_sampson(x, r); });
  add("helical_valley", 3, {-1, 0, 0}, 0,
      [](const auto* x, auto* r) { mgh::helical_valley(x, r); });
  add("bard", 15, {1, 1, 1}, 8.21487e-3, [](const auto* x, auto* r) { mgh::bard(x, r); });
  add("gaussian", 15, {0.4, 1, 0}, 1.12793e-8, [](const auto* x, auto* r) { mgh::gaussian(x, r); });
  add("meyer", 16, {0.02, 4000, 250}, 87.9458, [](const auto* x, auto* r) { mgh::meyer(x, r); });
  add("gulf", 99, {5, 2.5, 0.15}, 0, [](const auto* x, auto* r) { mgh::gulf(x, r); });
  add("box", 10, {0, 10, 20}, 0, [](const auto* x, auto* r) { mgh::box(x, r); });
  add("powell_singular", 4, {3, -1, 0, 1}, 0,
      [](const auto* x, auto* r) { mgh::powell_singular(x, r, 4); });
  add("wood", 6, {-3, -1, -3, -1}, 0, [](const auto* x, auto* r) { mgh::wood(x, r); });
  add("kowalik_osborne", 11, {0.25, 0.39, 0.415, 0.39}, 3.07505e-4,
      [](const auto* x, auto* r) { mgh::kowalik_osborne(x, r); });
  add("brown_dennis", 20, {25, 5, -5, -1}, 85822.2,
      [](const auto* x, auto* r) { mgh::brown_dennis(x, r); });
  add("osborne_1", 33, {0.5, 1.5, -1, 0.01, 0.02}, 5.46489e-5,
      [](const auto* x, auto* r) { mgh::osborne_1(x, r); });
  add("biggs", 13, {1, 2, 1, 1, 1, 1}, 0, [](const auto* x, auto* r) { mgh::biggs(x, r); });
  add("osborne_2", 65, {1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5}, 4.01377e-2,
      [](const auto* x, auto* r) { mgh::osborne_2(x, r); });
  add("watson", 31, Vector(6, 0.0), 2.28767e-3,
      [](const auto* x, auto* r) { mgh::watson(x, r, 6); });
  add("extended_rosenbrock", 20, mgh::repeated({-1.2, 1}, 20), 0,
      [](const auto* x, auto* r) { mgh::rosenbrock(x, r, 20); });
  add("extended_powell_singular", 20, mgh::repeated({3, -1, 0, 1}, 20), 0,
      [](const auto* x, auto* r) { mgh::powell_singular(x, r, 20); });
  add("penalty_1_of_4", 5, {1, 2, 3, 4}, 2.24997e-5,
      [](const auto* x, auto* r) { mgh::penalty_1(x, r, 4); });
  add("penalty_1", 11, mgh::filled(10, [](double j) { return j; }), 7.08765e-5,
      [](const auto* x, auto* r) { mgh::penalty_1(x, r, 10); });
  add("penalty_2", 20, mgh::filled(10, halves), 2.93660e-4,
      [](const auto* x, auto* r) { mgh::penalty_2(x, r, 10); });
  add("variably_dimensioned", 12, mgh::filled(10, [](double j) { return 1 - j / 10; }), 0,
      [](const auto* x, auto* r) { mgh::variably_dimensioned(x, r, 10); });
  add("trigonometric", 10, mgh::filled(10, tenths), 0,
      [](const auto* x, auto* r) { mgh::trigonometric(x, r, 10); });
  add("brown_almost_linear", 10, mgh::filled(10, halves), 0,
      [](const auto* x, auto* r) { mgh::brown_almost_linear(x, r, 10); });
  add("discrete_boundary_value", 10, mgh::filled(10, mesh(10)), 0,
      [](const auto* x, auto* r) { mgh::discrete_boundary_value(x, r, 10); });
  add("discrete_integral", 10, mgh::filled(10, mesh(10)), 0,
      [](const auto* x, auto* r) { mgh::discrete_integral(x, r, 10); });
  add("broyden_tridiagonal", 10, mgh::filled(10, [](double) { return -1.0; }), 0,
      [](const auto* x, auto* r) { mgh::broyden_tridiagonal(x, r, 10); });
  add("broyden_banded", 10, mgh::filled(10, [](double) { return -1.0; }), 0,
      [](const auto* x, auto* r) { mgh::broyden_banded(x, r, 10); });
  add("linear_full_rank", 20, mgh::filled(10, ones), 10,
      [](const auto* x, auto* r) { mgh::linear_full_rank(x, r, 10, 20); });
  add("linear_rank_1", 20, mgh::filled(10, ones), 20 * 19.0 / (2 * 41.0),
      [](const auto* x, auto* r) { mgh::linear_rank_1(x, r, 10, 20); });
  add("chebyquad", 8, mgh::filled(8, [](double j) { return j / 9; }), 3.51687e-3,
      [](const auto* x, auto* r) { mgh::chebyquad(x, r, 8); });
  return problems;
}

objective::UserFunction residuals_only(const LeastSquares& problem) {
  objective::UserFunction f{.size = problem.size};
  f.residual_count = problem.residuals;
  f.residuals = [problem](const double* x, double* r, double* jacobian) {
    const double root = std::sqrt(2.0);
    const auto m = static_cast<std::size_t>(problem.residuals);
    if (r != nullptr) {
      problem.real(x, r);
      for (std::size_t k = 0; k < m; ++k) r[k] *= root;
    }
    if (jacobian == nullptr) return;
    std::vector<Dual<double>> point(x, x + problem.size), out(m);
    for (std::size_t j = 0; j < point.size(); ++j) {
      point[j].slope = 1;
      problem.dual(point.data(), out.data());
      point[j].slope = 0;
      for (std::size_t k = 0; k < m; ++k) jacobian[k + j * m] = root * out[k].slope;
    }
  };
  return f;
}

objective::UserFunction with_hessian(const LeastSquares& problem) {
  objective::UserFunction f = residuals_only(problem);
  f.hessian = [problem](const double* x, double* h) {
    const auto n = static_cast<std::size_t>(problem.size);
    Vector u(n, 0.0), v(n, 0.0);
    for (std::size_t j = 0; j < n; ++j) {
      u[j] = 1;
      for (std::size_t i = j; i < n; ++i) {
        v[i] = 1;
        h[i + j * n] = h[j + i * n] = second_derivative(problem, x, u, v);
        v[i] = 0;
      }
      u[j] = 0;
    }
  };
  return f;
}

objective::UserFunction with_everything(const LeastSquares& problem) {
  const auto n = static_cast<std::size_t>(problem.size);
  const auto m = static_cast<std::size_t>(problem.residuals);
  objective::UserFunction f = with_hessian(problem);
  f.value_gradient = [n, m, residuals = f.residuals](const double* x, double* g) {
    Vector r(m), jacobian(m * n);
    residuals(x, r.data(), jacobian.data());
    double sum = 0;
    for (const double entry : r) sum += 0.5 * entry * entry;
    for (std::size_t j = 0; j < n; ++j) {
      g[j] = 0;
      for (std::size_t i = 0; i < m; ++i) g[j] += jacobian[i + j * m] * r[i];
    }
    return sum;
  };
  f.value = [m, residuals = f.residuals](const double* x) {
    Vector r(m);
    residuals(x, r.data(), nullptr);
    double sum = 0;
    for (const double entry : r) sum += 0.5 * entry * entry;
    return sum;
  };
  f.hessian_product = [n, problem](const double* x, const double* v, double* out) {
    Vector unit(n, 0.0);
    const Vector direction(v, v + n);
    for (std::size_t j = 0; j < n; ++j) {
      unit[j] = 1;
      out[j] = second_derivative(problem, x, unit, direction);
      unit[j] = 0;
    }
  };
  return f;
}

objective::UserFunction rosenbrock(Index size) {
  const auto residuals = [size](const auto* x, auto* r) { mgh::rosenbrock(x, r, size); };
  return with_everything({.name = "rosenbrock",
                          .size = size,
                          .residuals = size,
                          .start = mgh::repeated({-1.2, 1}, size),
                          .minimum = 0,
                          .real = residuals,
                          .dual = residuals,
                          .nested = residuals});
}

}  // namespace thalweg::test
