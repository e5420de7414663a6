// Problems of More, Garbow & Hillstrom 1981 (ACM TOMS 7(1)), by their numbers there: sums of
// squares from the paper's formulas, with the standard starts.
#pragma once

#include <vector>

#include "smooth_functions.hpp"

namespace thalweg::test {

struct ClassicProblem {
  std::string name;
  objective::UserFunction function;
  Vector start;
};

inline ClassicProblem freudenstein_roth() {  // 2
  return {"FreudensteinRoth",
          least_squares(2, 2,
                        [](const double* x, double* r, double* j) {
                          const double u = x[0], v = x[1];
                          r[0] = -13 + u + ((5 - v) * v - 2) * v;
                          r[1] = -29 + u + ((v + 1) * v - 14) * v;
                          j[0] = j[1] = 1;
                          j[2] = (10 - 3 * v) * v - 2;
                          j[3] = (3 * v + 2) * v - 14;
                        }),
          {0.5, -2}};
}

inline ClassicProblem powell_badly_scaled() {  // 3
  return {"PowellBadlyScaled",
          least_squares(2, 2,
                        [](const double* x, double* r, double* j) {
                          r[0] = 1e4 * x[0] * x[1] - 1;
                          r[1] = std::exp(-x[0]) + std::exp(-x[1]) - 1.0001;
                          j[0] = 1e4 * x[1];
                          j[1] = -std::exp(-x[0]);
                          j[2] = 1e4 * x[0];
                          j[3] = -std::exp(-x[1]);
                        }),
          {0, 1}};
}

inline ClassicProblem brown_badly_scaled() {  // 4
  return {"BrownBadlyScaled",
          least_squares(2, 3,
                        [](const double* x, double* r, double* j) {
                          r[0] = x[0] - 1e6;
                          r[1] = x[1] - 2e-6;
                          r[2] = x[0] * x[1] - 2;
                          j[0] = 1;
                          j[2] = x[1];
                          j[4] = 1;
                          j[5] = x[0];
                        }),
          {1, 1}};
}

inline ClassicProblem beale() {  // 5
  return {"Beale",
          least_squares(2, 3,
                        [](const double* x, double* r, double* j) {
                          const double y[] = {1.5, 2.25, 2.625};
                          for (int i = 0; i < 3; ++i) {
                            const double power = std::pow(x[1], i + 1);
                            r[i] = y[i] - x[0] * (1 - power);
                            j[i] = power - 1;
                            j[i + 3] = x[0] * (i + 1) * std::pow(x[1], i);
                          }
                        }),
          {1, 1}};
}

inline ClassicProblem jennrich_sampson() {  // 6
  return {"JennrichSampson",
          least_squares(2, 10,
                        [](const double* x, double* r, double* j) {
                          for (int i = 1; i <= 10; ++i) {
                            const double u = std::exp(i * x[0]), v = std::exp(i * x[1]);
                            r[i - 1] = 2 + 2 * i - (u + v);
                            j[i - 1] = -i * u;
                            j[i + 9] = -i * v;
                          }
                        }),
          {0.3, 0.4}};
}

inline ClassicProblem helical_valley() {  // 7
  return {"HelicalValley",
          least_squares(3, 3,
                        [](const double* x, double* r, double* j) {
                          const double turn = 2 * std::numbers::pi;
                          const double radius = std::hypot(x[0], x[1]);
                          const double angle =
                              std::atan(x[1] / x[0]) / turn + (x[0] < 0 ? 0.5 : 0.0);
                          r[0] = 10 * (x[2] - 10 * angle);
                          r[1] = 10 * (radius - 1);
                          r[2] = x[2];
                          j[0] = 100 * x[1] / (turn * radius * radius);
                          j[1] = 10 * x[0] / radius;
                          j[3] = -100 * x[0] / (turn * radius * radius);
                          j[4] = 10 * x[1] / radius;
                          j[6] = 10;
                          j[8] = 1;
                        }),
          {-1, 0, 0}};
}

inline ClassicProblem gaussian() {  // 9
  return {"Gaussian",
          least_squares(3, 15,
                        [](const double* x, double* r, double* j) {
                          const double y[] = {0.0009, 0.0044, 0.0175, 0.0540, 0.1295,
                                              0.2420, 0.3521, 0.3989, 0.3521, 0.2420,
                                              0.1295, 0.0540, 0.0175, 0.0044, 0.0009};
                          for (int i = 0; i < 15; ++i) {
                            const double u = (8 - (i + 1)) / 2.0 - x[2];
                            const double e = std::exp(-x[1] * u * u / 2);
                            r[i] = x[0] * e - y[i];
                            j[i] = e;
                            j[i + 15] = -x[0] * e * u * u / 2;
                            j[i + 30] = x[0] * e * x[1] * u;
                          }
                        }),
          {0.4, 1, 0}};
}

inline ClassicProblem box() {  // 12
  return {"Box",
          least_squares(3, 10,
                        [](const double* x, double* r, double* j) {
                          for (int i = 0; i < 10; ++i) {
                            const double t = 0.1 * (i + 1);
                            const double known = std::exp(-t) - std::exp(-10 * t);
                            const double u = std::exp(-t * x[0]), v = std::exp(-t * x[1]);
                            r[i] = u - v - x[2] * known;
                            j[i] = -t * u;
                            j[i + 10] = t * v;
                            j[i + 20] = -known;
                          }
                        }),
          {0, 10, 20}};
}

inline ClassicProblem wood() {  // 14
  return {"Wood",
          least_squares(4, 6,
                        [](const double* x, double* r, double* j) {
                          const double a = std::sqrt(90.0), b = std::sqrt(10.0);
                          r[0] = 10 * (x[1] - x[0] * x[0]);
                          r[1] = 1 - x[0];
                          r[2] = a * (x[3] - x[2] * x[2]);
                          r[3] = 1 - x[2];
                          r[4] = b * (x[1] + x[3] - 2);
                          r[5] = (x[1] - x[3]) / b;
                          j[0] = -20 * x[0];
                          j[1] = -1;
                          j[6] = 10;
                          j[10] = b;
                          j[11] = 1 / b;
                          j[14] = -2 * a * x[2];
                          j[15] = -1;
                          j[20] = a;
                          j[22] = b;
                          j[23] = -1 / b;
                        }),
          {-3, -1, -3, -1}};
}

inline ClassicProblem biggs() {  // 18
  return {"Biggs",
          least_squares(6, 13,
                        [](const double* x, double* r, double* j) {
                          for (int i = 0; i < 13; ++i) {
                            const double t = 0.1 * (i + 1);
                            const double y =
                                std::exp(-t) - 5 * std::exp(-10 * t) + 3 * std::exp(-4 * t);
                            const double u = std::exp(-t * x[0]), v = std::exp(-t * x[1]);
                            const double w = std::exp(-t * x[4]);
                            r[i] = x[2] * u - x[3] * v + x[5] * w - y;
                            j[i] = -t * x[2] * u;
                            j[i + 13] = t * x[3] * v;
                            j[i + 26] = u;
                            j[i + 39] = -v;
                            j[i + 52] = -t * x[5] * w;
                            j[i + 65] = w;
                          }
                        }),
          {1, 2, 1, 1, 1, 1}};
}

inline ClassicProblem extended_rosenbrock(Index size) {  // 21; 1 for two variables
  ClassicProblem problem{"Rosenbrock" + std::to_string(size), rosenbrock(size), {}};
  for (Index i = 0; i < size; i += 2) problem.start.insert(problem.start.end(), {-1.2, 1});
  return problem;
}

inline ClassicProblem extended_powell(Index size) {  // 22; 13 for four variables
  ClassicProblem problem{
      "PowellSingular" + std::to_string(size),
      least_squares(size, size,
                    [size](const double* x, double* r, double* j) {
                      const auto set = [=](Index row, Index column, double value) {
                        j[row + column * size] = value;
                      };
                      for (Index k = 0; k < size; k += 4) {
                        const double u = x[k + 1] - 2 * x[k + 2], v = x[k] - x[k + 3];
                        r[k] = x[k] + 10 * x[k + 1];
                        r[k + 1] = std::sqrt(5.0) * (x[k + 2] - x[k + 3]);
                        r[k + 2] = u * u;
                        r[k + 3] = std::sqrt(10.0) * v * v;
                        set(k, k, 1);
                        set(k, k + 1, 10);
                        set(k + 1, k + 2, std::sqrt(5.0));
                        set(k + 1, k + 3, -std::sqrt(5.0));
                        set(k + 2, k + 1, 2 * u);
                        set(k + 2, k + 2, -4 * u);
                        set(k + 3, k, 2 * std::sqrt(10.0) * v);
                        set(k + 3, k + 3, -2 * std::sqrt(10.0) * v);
                      }
                    }),
      {}};
  for (Index k = 0; k < size; k += 4) problem.start.insert(problem.start.end(), {3, -1, 0, 1});
  return problem;
}

inline ClassicProblem penalty(Index size) {  // 23
  ClassicProblem problem{"Penalty",
                         least_squares(size, size + 1,
                                       [size](const double* x, double* r, double* j) {
                                         const double a = std::sqrt(1e-5);
                                         r[size] = -0.25;
                                         for (Index k = 0; k < size; ++k) {
                                           r[k] = a * (x[k] - 1);
                                           r[size] += x[k] * x[k];
                                           j[k + k * (size + 1)] = a;
                                           j[size + k * (size + 1)] = 2 * x[k];
                                         }
                                       }),
                         {}};
  for (Index k = 1; k <= size; ++k) problem.start.push_back(static_cast<double>(k));
  return problem;
}

inline ClassicProblem variably_dimensioned(Index size) {  // 25
  ClassicProblem problem{"VariablyDimensioned",
                         least_squares(size, size + 2,
                                       [size](const double* x, double* r, double* j) {
                                         double sum = 0;
                                         for (Index k = 0; k < size; ++k) {
                                           r[k] = x[k] - 1;
                                           sum += static_cast<double>(k + 1) * r[k];
                                         }
                                         r[size] = sum;
                                         r[size + 1] = sum * sum;
                                         for (Index k = 0; k < size; ++k) {
                                           double* const column = j + k * (size + 2);
                                           column[k] = 1;
                                           column[size] = static_cast<double>(k + 1);
                                           column[size + 1] = 2 * sum * static_cast<double>(k + 1);
                                         }
                                       }),
                         {}};
  for (Index k = 1; k <= size; ++k) {
    problem.start.push_back(1 - static_cast<double>(k) / static_cast<double>(size));
  }
  return problem;
}

inline ClassicProblem trigonometric(Index size) {  // 26
  const double n = static_cast<double>(size);
  return {"Trigonometric",
          least_squares(size, size,
                        [size, n](const double* x, double* r, double* j) {
                          double sum = 0;
                          for (Index k = 0; k < size; ++k) sum += std::cos(x[k]);
                          for (Index i = 0; i < size; ++i) {
                            const double weight = static_cast<double>(i + 1);
                            r[i] = n - sum + weight * (1 - std::cos(x[i])) - std::sin(x[i]);
                            for (Index k = 0; k < size; ++k) j[i + k * size] = std::sin(x[k]);
                            j[i + i * size] += weight * std::sin(x[i]) - std::cos(x[i]);
                          }
                        }),
          Vector(static_cast<std::size_t>(size), 1 / n)};
}

inline ClassicProblem broyden_tridiagonal(Index size) {  // 30
  return {"BroydenTridiagonal",
          least_squares(size, size,
                        [size](const double* x, double* r, double* j) {
                          for (Index i = 0; i < size; ++i) {
                            r[i] = (3 - 2 * x[i]) * x[i] + 1;
                            j[i + i * size] = 3 - 4 * x[i];
                            if (i > 0) {
                              r[i] -= x[i - 1];
                              j[i + (i - 1) * size] = -1;
                            }
                            if (i + 1 < size) {
                              r[i] -= 2 * x[i + 1];
                              j[i + (i + 1) * size] = -2;
                            }
                          }
                        }),
          Vector(static_cast<std::size_t>(size), -1.0)};
}

inline std::vector<ClassicProblem> classic_problems() {
  return {extended_rosenbrock(2),
          freudenstein_roth(),
          powell_badly_scaled(),
          brown_badly_scaled(),
          beale(),
          jennrich_sampson(),
          helical_valley(),
          gaussian(),
          box(),
          extended_powell(4),
          wood(),
          biggs(),
          extended_rosenbrock(20),
          extended_powell(20),
          penalty(4),
          variably_dimensioned(10),
          trigonometric(10),
          broyden_tridiagonal(10)};
}

}  // namespace thalweg::test
