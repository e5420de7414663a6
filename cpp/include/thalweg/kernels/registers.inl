// The registers of one instruction set: float64 vectors, loads, stores, tails, sums, transposition.
//
// Included, like everything in .inl files, by units that are compiled once per instruction set. The
// unit defines THALWEG_KERNELS_ISA (namespace and name) and THALWEG_KERNELS_LANES (float64 lanes of
// a register: 2, 4 or 8). All functions have internal linkage and nothing of the standard library
// is called, so that no inline function compiled for one instruction set can replace a copy
// compiled for another. Vectors are compiler vector extensions.
#pragma once

#include "thalweg/core/types.hpp"

#define THALWEG_KERNEL_INLINE inline __attribute__((always_inline))
#define THALWEG_UNROLL _Pragma("GCC unroll 32")

namespace thalweg::kernels::THALWEG_KERNELS_ISA {
namespace {

constexpr int lanes = THALWEG_KERNELS_LANES;

typedef double Vec __attribute__((vector_size(lanes * 8)));
typedef float HalfVec __attribute__((vector_size(lanes * 4)));  // as many floats as Vec has lanes

// ---------------------------------------------------------------------------------------------
// Registers
// ---------------------------------------------------------------------------------------------

THALWEG_KERNEL_INLINE Vec load(const double* p) {
  Vec v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

THALWEG_KERNEL_INLINE Vec load(const float* p) {
  HalfVec v;
  __builtin_memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, Vec);
}

THALWEG_KERNEL_INLINE void store(double* p, Vec v) { __builtin_memcpy(p, &v, sizeof v); }

THALWEG_KERNEL_INLINE void store(float* p, Vec v) {
  const HalfVec rounded = __builtin_convertvector(v, HalfVec);
  __builtin_memcpy(p, &rounded, sizeof rounded);
}

THALWEG_KERNEL_INLINE Vec broadcast(double a) { return a - Vec{}; }

// Tails: what is left of an array after whole registers is handled in pieces of 4, 2 and 1 lanes.
// A masked store would be shorter, but the next masked load of the same elements has to wait until
// it has left the store buffer, and coordinate descent reads at once what it wrote (measured: 15
// cycles for a dot that follows an axpy).
template <int count>
struct Piece {};

typedef double Vec2 __attribute__((vector_size(16)));
typedef float HalfVec2 __attribute__((vector_size(8)));
#if THALWEG_KERNELS_LANES == 8
typedef double Vec4 __attribute__((vector_size(32)));
typedef float HalfVec4 __attribute__((vector_size(16)));
THALWEG_KERNEL_INLINE Vec extend(Vec4 v) {
  return __builtin_shufflevector(v, Vec4{}, 0, 1, 2, 3, 4, 5, 6, 7);
}
THALWEG_KERNEL_INLINE Vec extend(Vec2 v) {
  return extend(__builtin_shufflevector(v, Vec2{}, 0, 1, 2, 3));
}
#elif THALWEG_KERNELS_LANES == 4
THALWEG_KERNEL_INLINE Vec extend(Vec2 v) { return __builtin_shufflevector(v, Vec2{}, 0, 1, 2, 3); }
#else
THALWEG_KERNEL_INLINE Vec extend(Vec2 v) { return v; }
#endif

// The first `count` elements at p; the other lanes are zero.
template <class T>
THALWEG_KERNEL_INLINE Vec load(Piece<1>, const T* p) {
  return extend(Vec2{static_cast<double>(p[0]), 0.0});
}
THALWEG_KERNEL_INLINE void store(Piece<1>, double* p, Vec v) { p[0] = v[0]; }
#if THALWEG_KERNELS_LANES >= 4
THALWEG_KERNEL_INLINE Vec load(Piece<2>, const double* p) {
  Vec2 v;
  __builtin_memcpy(&v, p, sizeof v);
  return extend(v);
}
THALWEG_KERNEL_INLINE Vec load(Piece<2>, const float* p) {
  HalfVec2 v;
  __builtin_memcpy(&v, p, sizeof v);
  return extend(__builtin_convertvector(v, Vec2));
}
THALWEG_KERNEL_INLINE void store(Piece<2>, double* p, Vec v) {
  const Vec2 low = __builtin_shufflevector(v, v, 0, 1);
  __builtin_memcpy(p, &low, sizeof low);
}
#endif
#if THALWEG_KERNELS_LANES == 8
THALWEG_KERNEL_INLINE Vec load(Piece<4>, const double* p) {
  Vec4 v;
  __builtin_memcpy(&v, p, sizeof v);
  return extend(v);
}
THALWEG_KERNEL_INLINE Vec load(Piece<4>, const float* p) {
  HalfVec4 v;
  __builtin_memcpy(&v, p, sizeof v);
  return extend(__builtin_convertvector(v, Vec4));
}
THALWEG_KERNEL_INLINE void store(Piece<4>, double* p, Vec v) {
  const Vec4 low = __builtin_shufflevector(v, v, 0, 1, 2, 3);
  __builtin_memcpy(p, &low, sizeof low);
}
#endif

// Calls f(piece, position, number) for the pieces that cover [i, n), n - i < lanes.
template <class F>
THALWEG_KERNEL_INLINE void for_tail(Index i, Index n, F f) {
#if THALWEG_KERNELS_LANES == 8
  if ((n - i) & 4) {
    f(Piece<4>{}, i, 0);
    i += 4;
  }
#endif
#if THALWEG_KERNELS_LANES >= 4
  if ((n - i) & 2) {
    f(Piece<2>{}, i, 1);
    i += 2;
  }
#endif
  if (i < n) f(Piece<1>{}, i, 2);
}

// Sum of the lanes, by halves: narrow registers add and shuffle faster.
THALWEG_KERNEL_INLINE double lane_sum(Vec2 v) { return v[0] + v[1]; }
#if THALWEG_KERNELS_LANES == 8
THALWEG_KERNEL_INLINE double lane_sum(Vec4 v) {
  return lane_sum(__builtin_shufflevector(v, v, 0, 1) + __builtin_shufflevector(v, v, 2, 3));
}
THALWEG_KERNEL_INLINE double lane_sum(Vec v) {
  return lane_sum(__builtin_shufflevector(v, v, 0, 1, 2, 3) +
                  __builtin_shufflevector(v, v, 4, 5, 6, 7));
}
#elif THALWEG_KERNELS_LANES == 4
THALWEG_KERNEL_INLINE double lane_sum(Vec v) {
  return lane_sum(__builtin_shufflevector(v, v, 0, 1) + __builtin_shufflevector(v, v, 2, 3));
}
#endif

// Sum of accumulators, pairwise: ((0+1)+(2+3))+...
template <int count>
THALWEG_KERNEL_INLINE double total(const Vec* acc) {
  if constexpr (count == 1) return lane_sum(acc[0]);
  if constexpr (count == 2) return lane_sum(acc[0] + acc[1]);
  if constexpr (count == 4) return lane_sum((acc[0] + acc[1]) + (acc[2] + acc[3]));
  if constexpr (count == 8) {
    return lane_sum(((acc[0] + acc[1]) + (acc[2] + acc[3])) +
                    ((acc[4] + acc[5]) + (acc[6] + acc[7])));
  }
}

// Transposes lanes x lanes values held in `lanes` registers, by butterflies.
THALWEG_KERNEL_INLINE void transpose(Vec* r) {
#if THALWEG_KERNELS_LANES == 8
  THALWEG_UNROLL
  for (int k = 0; k < 8; k += 2) {
    const Vec a = r[k], b = r[k + 1];
    r[k] = __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14);
    r[k + 1] = __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
  }
  THALWEG_UNROLL
  for (int t = 0; t < 4; ++t) {
    const int k = (t / 2) * 4 + t % 2;
    const Vec a = r[k], b = r[k + 2];
    r[k] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
    r[k + 2] = __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
  }
  THALWEG_UNROLL
  for (int k = 0; k < 4; ++k) {
    const Vec a = r[k], b = r[k + 4];
    r[k] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
    r[k + 4] = __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
  }
#elif THALWEG_KERNELS_LANES == 4
  THALWEG_UNROLL
  for (int k = 0; k < 4; k += 2) {
    const Vec a = r[k], b = r[k + 1];
    r[k] = __builtin_shufflevector(a, b, 0, 4, 2, 6);
    r[k + 1] = __builtin_shufflevector(a, b, 1, 5, 3, 7);
  }
  THALWEG_UNROLL
  for (int k = 0; k < 2; ++k) {
    const Vec a = r[k], b = r[k + 2];
    r[k] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
    r[k + 2] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
  }
#else
  const Vec a = r[0], b = r[1];
  r[0] = __builtin_shufflevector(a, b, 0, 2);
  r[1] = __builtin_shufflevector(a, b, 1, 3);
#endif
}

// Asks for the cache lines of the next `count` registers' worth of data, `distance` bytes ahead.
// Only kernels with much arithmetic per byte gain (measured: moments 10 -> 14 GB/s); the hardware
// serves the others. Addresses past the end do no harm, and often are the next column.
template <int count, int distance, class T>
THALWEG_KERNEL_INLINE void prefetch(const T* p) {
  constexpr int bytes = count * lanes * static_cast<int>(sizeof(T));
  THALWEG_UNROLL
  for (int b = 0; b < bytes; b += 64) {
    __builtin_prefetch(reinterpret_cast<const char*>(p) + distance + b);
  }
}

// Keeps a value in a register: compilers otherwise fold a broadcast into each of its uses, which
// turns one load into several.
template <class Register>
THALWEG_KERNEL_INLINE void keep_in_register(Register& v) {
#if THALWEG_KERNELS_LANES == 8
  asm("" : "+v"(v));
#elif defined(__x86_64__)
  asm("" : "+x"(v));
#else
  (void)v;
#endif
}

}  // namespace
}  // namespace thalweg::kernels::THALWEG_KERNELS_ISA
