// The standard normal distribution function Phi where probit regression needs it: log Phi(m), the
// hazard ratio r = phi(m) / Phi(m) and r (r + m), accurate on the whole line.
//
// All follow from the scaled complementary error function erfcx(t) = exp(t^2) erfc(t), t = |m| /
// sqrt2:
//
//   m < 0    Phi = exp(-m^2 / 2) erfcx(t) / 2,  r = sqrt(2 / pi) / erfcx(t): nothing under- or
//   overflows m >= 0   Phi = 1 - exp(-m^2 / 2) erfcx(t) / 2
//
// (1 + 2 t) erfcx(t) is smooth in u = (t - K) / (t + K) on all of t >= 0 [Shepherd, Laframboise
// 1981, Math. Comp. 36]; here a polynomial in u that interpolates at Chebyshev nodes, K = 3.75,
// computed in 60 digits, of relative error 1e-16. Relative errors of the results are below 1e-14,
// but where exp(-m^2 / 2) is the result (m > 8), m^2 times that of rounding.
#pragma once

#include "thalweg/loss/concept.hpp"

namespace thalweg::loss {

// erfcx(t) for t >= 0.
template <class V>
V scaled_erfc(V t) noexcept {
  static constexpr double c[] = {
      1.2375126308378275,      -0.14024059858554702,   0.003585415485479575,
      0.08227673849014977,     -0.10880393014246645,   0.09230432116025894,
      -0.05869339857631061,    0.028362277420377335,   -0.00974657968596217,
      0.001755625843431864,    0.000293714390578856,   -0.00029015404203352704,
      5.164649341002877e-05,   2.2384138525656757e-05, -1.1437980374495534e-05,
      -9.733875167494142e-07,  1.7419011945194367e-06, -5.741076073013916e-08,
      -2.4851108650210706e-07, 2.3398534313040898e-08, 3.195398612057818e-08,
      -3.798189797736207e-09,  -2.618520156503145e-09, 3.2052623379289157e-10};
  constexpr double k = 3.75;
  return core::polynomial(c, 1.0 - 2.0 * k / (t + k)) / (1.0 + 2.0 * t);
}

template <class V>
struct NormalTail {
  explicit NormalTail(V m) noexcept {
    constexpr double sqrt_half = 0.7071067811865476;
    constexpr double sqrt_two_over_pi = 0.7978845608028654;
    const auto left = m < 0.0;
    const V scaled = scaled_erfc(abs(m) * sqrt_half);
    const V half_square = 0.5 * m * m;
    const V density = exp(-half_square);  // without 1 / sqrt(2 pi)
    const V beyond = 0.5 * density * scaled;
    // log(scaled / 2) by log1p as well; its rounding is nothing beside m^2 / 2.
    const V in_log = select(left, max(0.5 * scaled, V(epsilon)) - 1.0, -beyond);
    log_probability = log1p(in_log) - select(left, half_square, V(0.0));
    hazard = sqrt_two_over_pi * select(left, 1.0 / scaled, 0.5 * density / (1.0 - beyond));
    // r + m cancels far left, where r (r + m) = 1 - w + 6 w^2 - 50 w^3 + ..., w = 1 / m^2, from the
    // asymptotic series of r; the next term is below 1e-13.
    const V w = 1.0 / (m * m);
    curvature = select(m < -100.0, 1.0 - w * (1.0 - w * (6.0 - 50.0 * w)), hazard * (hazard + m));
  }
  V log_probability;  // log Phi(m)
  V hazard;           // r = phi(m) / Phi(m)
  V curvature;        // r (r + m), minus the second derivative of log Phi
};

}  // namespace thalweg::loss
