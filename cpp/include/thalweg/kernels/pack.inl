// A number type of `lanes` float64 values, and its elementary functions.
//
// Templates that are written for a number type V, such as the losses, are instantiated with Pack by
// the units of one instruction set. Pack has internal linkage, therefore so have they (see
// kernels/registers.inl). Masks are what comparisons give; select(mask, a, b) picks by lane.
//
// Largest errors, against long double (tests/cpp/test_vector_math.cpp): exp 1.04 ulp, log 0.75,
// log1p 1.0, denormal arguments and results included. Zeros, infinities and NaN are treated as the
// C library does, except for the sign of log1p(-0). Polynomials interpolate at Chebyshev nodes
// (computed in 60 digits); their own error is below 2e-17 relative to the result.
#pragma once

#include "thalweg/core/numerics.hpp"
#include "thalweg/kernels/registers.inl"

namespace thalweg::kernels::THALWEG_KERNELS_ISA {
namespace {

typedef decltype(Vec{} < Vec{}) MaskVec;
typedef unsigned long long Bits __attribute__((vector_size(lanes * 8)));

struct Mask {
  MaskVec v;
  THALWEG_KERNEL_INLINE friend Mask operator&(Mask a, Mask b) { return {a.v & b.v}; }
  THALWEG_KERNEL_INLINE friend Mask operator|(Mask a, Mask b) { return {a.v | b.v}; }
  THALWEG_KERNEL_INLINE friend Mask operator!(Mask a) { return {~a.v}; }
};

struct Pack {
  Vec v;

  Pack() = default;
  THALWEG_KERNEL_INLINE Pack(Vec lanes_of) : v(lanes_of) {}
  THALWEG_KERNEL_INLINE Pack(double a) : v(broadcast(a)) {}

  THALWEG_KERNEL_INLINE friend Pack operator+(Pack a, Pack b) { return a.v + b.v; }
  THALWEG_KERNEL_INLINE friend Pack operator-(Pack a, Pack b) { return a.v - b.v; }
  THALWEG_KERNEL_INLINE friend Pack operator*(Pack a, Pack b) { return a.v * b.v; }
  THALWEG_KERNEL_INLINE friend Pack operator/(Pack a, Pack b) { return a.v / b.v; }
  THALWEG_KERNEL_INLINE friend Pack operator-(Pack a) { return -a.v; }
  THALWEG_KERNEL_INLINE friend Mask operator<(Pack a, Pack b) { return {a.v < b.v}; }
  THALWEG_KERNEL_INLINE friend Mask operator<=(Pack a, Pack b) { return {a.v <= b.v}; }
  THALWEG_KERNEL_INLINE friend Mask operator>(Pack a, Pack b) { return {a.v > b.v}; }
  THALWEG_KERNEL_INLINE friend Mask operator>=(Pack a, Pack b) { return {a.v >= b.v}; }
  THALWEG_KERNEL_INLINE friend Mask operator==(Pack a, Pack b) { return {a.v == b.v}; }
};

THALWEG_KERNEL_INLINE Bits bits(Pack a) { return __builtin_bit_cast(Bits, a.v); }
THALWEG_KERNEL_INLINE Pack from_bits(Bits b) { return __builtin_bit_cast(Vec, b); }

THALWEG_KERNEL_INLINE Pack select(Mask m, Pack a, Pack b) { return m.v ? a.v : b.v; }
THALWEG_KERNEL_INLINE Pack min(Pack a, Pack b) { return select(b < a, b, a); }
THALWEG_KERNEL_INLINE Pack max(Pack a, Pack b) { return select(a < b, b, a); }
THALWEG_KERNEL_INLINE Pack abs(Pack a) { return from_bits(bits(a) & 0x7fffffffffffffffull); }
THALWEG_KERNEL_INLINE bool any(Mask m) {
  long long found = 0;
  for (int k = 0; k < lanes; ++k) found |= m.v[k];
  return found != 0;
}
THALWEG_KERNEL_INLINE Pack sqrt(Pack a) {
  Pack root;
  THALWEG_UNROLL
  for (int k = 0; k < lanes; ++k) root.v[k] = __builtin_sqrt(a.v[k]);
  return root;
}

// log 2 in two parts; the first has 42 bits, so that its products with exponents are exact.
constexpr double log2_high = 0x1.62e42fefa38p-1;
constexpr double log2_low = 5.497923018708371e-14;
// An integer |k| < 2^51 added to this stands in the low bits of the sum.
constexpr double integer_shift = 0x1.8p52;
constexpr double largest_finite = 0x1.fffffffffffffp1023;

// 2^k for the integer k of which k + integer_shift is given, -1023 < k < 1024; 0 for k = -1023.
THALWEG_KERNEL_INLINE Pack power_of_two(Pack shifted) {
  return from_bits((bits(shifted) << 52) + (1023ull << 52));
}

// exp(x) = 2^k exp(r), k the integer nearest to x / log 2, exp(r) = 1 + r + r^2 q(r). Two factors
// make up 2^k, so that overflow and gradual underflow are those of the last product.
THALWEG_KERNEL_INLINE Pack exp(Pack x) {
  static constexpr double q[] = {0.5000000000000001,     0.16666666666666669,
                                 0.04166666666662413,    0.008333333333330062,
                                 0.0013888888917213717,  0.00019841269863053618,
                                 2.4801521295954376e-05, 2.7557268459997064e-06,
                                 2.7620088445409746e-07, 2.510038549551032e-08};
  const Pack bounded = min(max(x, -746.0), 710.0);
  const Pack k = (bounded * 1.4426950408889634 + integer_shift) - integer_shift;
  const Pack r = (bounded - k * log2_high) - k * log2_low;
  const Pack near_one = 1.0 + (r + (r * r) * core::polynomial(q, r));
  const Pack half = k * 0.5 + integer_shift;
  const Pack rest = (k - (half - integer_shift)) + integer_shift;
  return near_one * power_of_two(half) * power_of_two(rest);
}

// k log 2 + log(1 + f + c) for sqrt(1/2) <= 1 + f < sqrt(2) and c within the rounding of 1 + f:
// with s = f / (2 + f), log(1 + f) = 2 atanh(s) = f - f^2/2 + s (f^2/2 + s^2 r(s^2)).
THALWEG_KERNEL_INLINE Pack log_of_parts(Pack k, Pack f, Pack c) {
  static constexpr double r[] = {0.666666666666667,   0.3999999999989889, 0.28571428626253836,
                                 0.22222211089379496, 0.1818289243253687, 0.15331611722055008,
                                 0.14617807153417325};
  const Pack s = f / (2.0 + f);
  const Pack z = s * s;
  const Pack half_square = (0.5 * f) * f;
  const Pack tail = s * (half_square + z * core::polynomial(r, z)) + (k * log2_low + c);
  return k * log2_high + (f - (half_square - tail));
}

struct Parts {
  Pack exponent;  // k
  Pack mantissa;  // in [sqrt(1/2), sqrt(2)): x = 2^k mantissa, for positive normal x
};

THALWEG_KERNEL_INLINE Parts split(Pack x) {
  constexpr unsigned long long one = 0x3ff0000000000000ull;
  constexpr unsigned long long sqrt_half = 0x3fe6a09e667f3bcdull;
  const Bits biased = (bits(x) + (one - sqrt_half)) >> 52;
  // The biased exponent, in the low bits of 2^52.
  const Pack exponent = from_bits(biased | 0x4330000000000000ull) - (0x1p52 + 1023.0);
  return {exponent, from_bits(bits(x) - (biased << 52) + one)};
}

// The results of log(x) where x is not a positive finite number.
THALWEG_KERNEL_INLINE Pack log_at_limits(Pack x, Pack result) {
  const Pack nan = __builtin_nan("");
  const Pack at_most_zero = select(x == 0.0, -__builtin_inf(), nan);
  return select(x > 0.0, select(x <= largest_finite, result, x), at_most_zero);
}

THALWEG_KERNEL_INLINE Pack log(Pack x) {
  const Mask small = x < 0x1p-1022;
  const Parts parts = split(select(small, x * 0x1p54, x));
  const Pack k = parts.exponent - select(small, 54.0, 0.0);
  return log_at_limits(x, log_of_parts(k, parts.mantissa - 1.0, 0.0));
}

// log(1 + x) from u = 1 + x rounded and what the rounding lost; log(1 + f + c) = log(1 + f) +
// c / (1 + f), where the quotient needs few digits.
THALWEG_KERNEL_INLINE Pack log1p(Pack x) {
  const Pack u = 1.0 + x;
  const Pack lost = select(x < 1.0, x - (u - 1.0), 1.0 - (u - x));
  const Parts parts = split(u);
  const Pack f = parts.mantissa - 1.0;
  const Pack c = lost * power_of_two(integer_shift - min(parts.exponent, 1023.0));
  return log_at_limits(u, log_of_parts(parts.exponent, f, c * (1.0 - f * (1.0 - f))));
}

}  // namespace
}  // namespace thalweg::kernels::THALWEG_KERNELS_ISA
