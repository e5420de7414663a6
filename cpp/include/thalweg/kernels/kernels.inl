// The source of every kernel, compiled once per instruction set.
//
// The including file defines THALWEG_KERNELS_ISA (namespace and name) and THALWEG_KERNELS_LANES
// (float64 lanes of a register: 2, 4 or 8). All functions have internal linkage and nothing of the
// standard library is called, so that no inline function compiled for one instruction set can
// replace a copy compiled for another.
//
// Vectors are compiler vector extensions; intrinsics (all forced inline) serve masked tails only.
// float32 data are converted in registers and accumulated in float64. Long sums run over several
// independent accumulators to hide the latency of a fused multiply-add (4 cycles); these are added
// in a fixed order. Plain C++ arithmetic without -ffast-math: NaN and infinity propagate.
#include "thalweg/kernels/kernels.hpp"

#if THALWEG_KERNELS_LANES > 2
#include <immintrin.h>
#endif

#define THALWEG_KERNEL_INLINE inline __attribute__((always_inline))
#define THALWEG_UNROLL _Pragma("GCC unroll 32")

namespace thalweg::kernels::THALWEG_KERNELS_ISA {
namespace {

constexpr int lanes = THALWEG_KERNELS_LANES;
constexpr Index width = gram_panel_width;

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

THALWEG_KERNEL_INLINE Vec broadcast(double a) { return a - Vec{}; }

// The first `m` < lanes elements at p; the other lanes are zero.
#if THALWEG_KERNELS_LANES == 8
THALWEG_KERNEL_INLINE Vec load_tail(const double* p, Index m) {
  return (Vec)_mm512_maskz_loadu_pd((__mmask8)((1u << m) - 1u), p);
}
THALWEG_KERNEL_INLINE Vec load_tail(const float* p, Index m) {
  const HalfVec v = (HalfVec)_mm256_maskz_loadu_ps((__mmask8)((1u << m) - 1u), p);
  return __builtin_convertvector(v, Vec);
}
THALWEG_KERNEL_INLINE void store_tail(double* p, Vec v, Index m) {
  _mm512_mask_storeu_pd(p, (__mmask8)((1u << m) - 1u), (__m512d)v);
}
#elif THALWEG_KERNELS_LANES == 4
alignas(32) constexpr long long mask64[8] = {-1, -1, -1, -1, 0, 0, 0, 0};
alignas(16) constexpr int mask32[8] = {-1, -1, -1, -1, 0, 0, 0, 0};
THALWEG_KERNEL_INLINE Vec load_tail(const double* p, Index m) {
  return (Vec)_mm256_maskload_pd(p, _mm256_loadu_si256((const __m256i*)(mask64 + 4 - m)));
}
THALWEG_KERNEL_INLINE Vec load_tail(const float* p, Index m) {
  return (Vec)_mm256_cvtps_pd(
      _mm_maskload_ps(p, _mm_loadu_si128((const __m128i*)(mask32 + 4 - m))));
}
// Scalar stores: a masked store is microcoded on AMD processors before Zen 4.
THALWEG_KERNEL_INLINE void store_tail(double* p, Vec v, Index m) {
  p[0] = v[0];
  if (m > 1) p[1] = v[1];
  if (m > 2) p[2] = v[2];
}
#else
static_assert(lanes == 2, "tails of one element only");
template <class T>
THALWEG_KERNEL_INLINE Vec load_tail(const T* p, Index) {
  return Vec{static_cast<double>(p[0]), 0.0};
}
THALWEG_KERNEL_INLINE void store_tail(double* p, Vec v, Index) { p[0] = v[0]; }
#endif

// Sum of the lanes, by halves.
#if THALWEG_KERNELS_LANES == 8
THALWEG_KERNEL_INLINE double lane_sum(Vec v) {
  v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
  v += __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5);
  return v[0] + v[1];
}
#elif THALWEG_KERNELS_LANES == 4
THALWEG_KERNEL_INLINE double lane_sum(Vec v) {
  v += __builtin_shufflevector(v, v, 2, 3, 0, 1);
  return v[0] + v[1];
}
#else
THALWEG_KERNEL_INLINE double lane_sum(Vec v) { return v[0] + v[1]; }
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

// Keeps a value in a register: compilers otherwise fold a broadcast into each of its uses, which
// turns one load into several.
THALWEG_KERNEL_INLINE void keep_in_register(Vec& v) {
#if THALWEG_KERNELS_LANES == 8
  asm("" : "+v"(v));
#elif defined(__x86_64__)
  asm("" : "+x"(v));
#else
  (void)v;
#endif
}

// ---------------------------------------------------------------------------------------------
// Contiguous columns
// ---------------------------------------------------------------------------------------------

template <class T>
double dot(const T* x, const double* v, Index n) {
  // Both operands come from memory: with two 512-bit loads per cycle four accumulators suffice.
  constexpr int unroll = lanes == 8 ? 4 : 8;
  Vec acc[unroll] = {};
  Index i = 0;
  for (; i + unroll * lanes <= n; i += unroll * lanes) {
    THALWEG_UNROLL
    for (int u = 0; u < unroll; ++u) acc[u] += load(x + i + u * lanes) * load(v + i + u * lanes);
  }
  THALWEG_UNROLL
  for (int u = 0; u < unroll - 1; ++u) {
    if (i + lanes > n) break;
    acc[u] += load(x + i) * load(v + i);
    i += lanes;
  }
  if (i < n) acc[unroll - 1] += load_tail(x + i, n - i) * load_tail(v + i, n - i);
  return total<unroll>(acc);
}

template <class T>
void axpy(double a, const T* x, double* v, Index n) {
  constexpr int unroll = 4;
  const Vec av = broadcast(a);
  Index i = 0;
  for (; i + unroll * lanes <= n; i += unroll * lanes) {
    THALWEG_UNROLL
    for (int u = 0; u < unroll; ++u) {
      const Index k = i + u * lanes;
      store(v + k, load(v + k) + av * load(x + k));
    }
  }
  for (; i + lanes <= n; i += lanes) store(v + i, load(v + i) + av * load(x + i));
  if (i < n) {
    store_tail(v + i, load_tail(v + i, n - i) + av * load_tail(x + i, n - i), n - i);
  }
}

template <class T>
void axpy_weighted(double a, const T* x, const double* s, double* v, Index n) {
  constexpr int unroll = 4;
  const Vec av = broadcast(a);
  Index i = 0;
  for (; i + unroll * lanes <= n; i += unroll * lanes) {
    THALWEG_UNROLL
    for (int u = 0; u < unroll; ++u) {
      const Index k = i + u * lanes;
      store(v + k, load(v + k) + (av * load(s + k)) * load(x + k));
    }
  }
  for (; i + lanes <= n; i += lanes) {
    store(v + i, load(v + i) + (av * load(s + i)) * load(x + i));
  }
  if (i < n) {
    const Index m = n - i;
    store_tail(v + i, load_tail(v + i, m) + (av * load_tail(s + i, m)) * load_tail(x + i, m), m);
  }
}

// `group` columns at once. The order of additions in a column is the same for every group size.
template <int group, class T>
THALWEG_KERNEL_INLINE void dots_group(const T* const* columns, const double* v, Index n,
                                      double* out) {
  constexpr int unroll = 2;
  const T* x[group];
  Vec acc[group][unroll] = {};
  THALWEG_UNROLL
  for (int c = 0; c < group; ++c) x[c] = columns[c];
  Index i = 0;
  for (; i + unroll * lanes <= n; i += unroll * lanes) {
    THALWEG_UNROLL
    for (int u = 0; u < unroll; ++u) {
      const Vec vu = load(v + i + u * lanes);
      THALWEG_UNROLL
      for (int c = 0; c < group; ++c) acc[c][u] += load(x[c] + i + u * lanes) * vu;
    }
  }
  if (i + lanes <= n) {
    const Vec vu = load(v + i);
    THALWEG_UNROLL
    for (int c = 0; c < group; ++c) acc[c][0] += load(x[c] + i) * vu;
    i += lanes;
  }
  if (i < n) {
    const Vec vu = load_tail(v + i, n - i);
    THALWEG_UNROLL
    for (int c = 0; c < group; ++c) acc[c][1] += load_tail(x[c] + i, n - i) * vu;
  }
  THALWEG_UNROLL
  for (int c = 0; c < group; ++c) out[c] = total<unroll>(acc[c]);
}

template <class T>
void dots(const T* const* x, Index count, const double* v, Index n, double* out) {
  Index c = 0;
  for (; c + 4 <= count; c += 4) dots_group<4>(x + c, v, n, out + c);
  if (count - c == 3) dots_group<3>(x + c, v, n, out + c);
  if (count - c == 2) dots_group<2>(x + c, v, n, out + c);
  if (count - c == 1) dots_group<1>(x + c, v, n, out + c);
}

// Element for element the same operations as `group` calls of axpy.
template <int group, class T>
THALWEG_KERNEL_INLINE void axpys_group(const double* a, const T* const* columns, double* v,
                                       Index n) {
  constexpr int unroll = 2;
  const T* x[group];
  Vec av[group];
  THALWEG_UNROLL
  for (int c = 0; c < group; ++c) {
    x[c] = columns[c];
    av[c] = broadcast(a[c]);
  }
  Index i = 0;
  for (; i + unroll * lanes <= n; i += unroll * lanes) {
    Vec sum[unroll];
    THALWEG_UNROLL
    for (int u = 0; u < unroll; ++u) sum[u] = load(v + i + u * lanes);
    THALWEG_UNROLL
    for (int c = 0; c < group; ++c) {
      THALWEG_UNROLL
      for (int u = 0; u < unroll; ++u) sum[u] += av[c] * load(x[c] + i + u * lanes);
    }
    THALWEG_UNROLL
    for (int u = 0; u < unroll; ++u) store(v + i + u * lanes, sum[u]);
  }
  if (i + lanes <= n) {
    Vec sum = load(v + i);
    THALWEG_UNROLL
    for (int c = 0; c < group; ++c) sum += av[c] * load(x[c] + i);
    store(v + i, sum);
    i += lanes;
  }
  if (i < n) {
    Vec sum = load_tail(v + i, n - i);
    THALWEG_UNROLL
    for (int c = 0; c < group; ++c) sum += av[c] * load_tail(x[c] + i, n - i);
    store_tail(v + i, sum, n - i);
  }
}

template <class T>
void axpys(const double* a, const T* const* x, Index count, double* v, Index n) {
  Index c = 0;
  for (; c + 4 <= count; c += 4) axpys_group<4>(a + c, x + c, v, n);
  if (count - c == 3) axpys_group<3>(a + c, x + c, v, n);
  if (count - c == 2) axpys_group<2>(a + c, x + c, v, n);
  if (count - c == 1) axpys_group<1>(a + c, x + c, v, n);
}

template <bool weighted, class T>
THALWEG_KERNEL_INLINE Moments moments_of(const T* x, const double* s, const double* v, Index n) {
  constexpr int unroll = 4;
  Vec sum[unroll] = {}, sum_sq[unroll] = {}, product[unroll] = {};
  const auto add = [&](int u, Vec xu, Vec su, Vec vu) __attribute__((always_inline)) {
    const Vec sx = weighted ? su * xu : xu;
    sum[u] += sx;
    sum_sq[u] += sx * xu;
    product[u] += xu * vu;
  };
  Index i = 0;
  for (; i + unroll * lanes <= n; i += unroll * lanes) {
    THALWEG_UNROLL
    for (int u = 0; u < unroll; ++u) {
      const Index k = i + u * lanes;
      add(u, load(x + k), weighted ? load(s + k) : Vec{}, load(v + k));
    }
  }
  THALWEG_UNROLL
  for (int u = 0; u < unroll - 1; ++u) {
    if (i + lanes > n) break;
    add(u, load(x + i), weighted ? load(s + i) : Vec{}, load(v + i));
    i += lanes;
  }
  if (i < n) {
    const Index m = n - i;
    add(unroll - 1, load_tail(x + i, m), weighted ? load_tail(s + i, m) : Vec{},
        load_tail(v + i, m));
  }
  return Moments{total<unroll>(sum), total<unroll>(sum_sq), total<unroll>(product)};
}

template <class T>
Moments moments(const T* x, const double* s, const double* v, Index n) {
  return s != nullptr ? moments_of<true>(x, s, v, n) : moments_of<false>(x, s, v, n);
}

// ---------------------------------------------------------------------------------------------
// Row-major blocks
// ---------------------------------------------------------------------------------------------

// `rows` rows at once, so that `out` is read and written once per `rows` reads of data.
template <int rows, class T>
THALWEG_KERNEL_INLINE void accumulate_rows(const T* x, Index stride, Index p, const double* v,
                                           double* out) {
  constexpr int unroll = 2;
  Vec scale[rows];
  THALWEG_UNROLL
  for (int r = 0; r < rows; ++r) scale[r] = broadcast(v[r]);
  Index j = 0;
  for (; j + unroll * lanes <= p; j += unroll * lanes) {
    Vec sum[unroll];
    THALWEG_UNROLL
    for (int u = 0; u < unroll; ++u) sum[u] = load(out + j + u * lanes);
    THALWEG_UNROLL
    for (int r = 0; r < rows; ++r) {
      THALWEG_UNROLL
      for (int u = 0; u < unroll; ++u) sum[u] += scale[r] * load(x + r * stride + j + u * lanes);
    }
    THALWEG_UNROLL
    for (int u = 0; u < unroll; ++u) store(out + j + u * lanes, sum[u]);
  }
  if (j + lanes <= p) {
    Vec sum = load(out + j);
    THALWEG_UNROLL
    for (int r = 0; r < rows; ++r) sum += scale[r] * load(x + r * stride + j);
    store(out + j, sum);
    j += lanes;
  }
  if (j < p) {
    Vec sum = load_tail(out + j, p - j);
    THALWEG_UNROLL
    for (int r = 0; r < rows; ++r) sum += scale[r] * load_tail(x + r * stride + j, p - j);
    store_tail(out + j, sum, p - j);
  }
}

template <class T>
void rows_accumulate(const T* x, Index stride, Index n, Index p, const double* v, double* out) {
  constexpr int rows = 8;
  Index i = 0;
  for (; i + rows <= n; i += rows) accumulate_rows<rows>(x + i * stride, stride, p, v + i, out);
  if (i + 4 <= n) {
    accumulate_rows<4>(x + i * stride, stride, p, v + i, out);
    i += 4;
  }
  for (; i < n; ++i) accumulate_rows<1>(x + i * stride, stride, p, v + i, out);
}

template <int rows, bool weighted, class T>
THALWEG_KERNEL_INLINE void moments_of_rows(const T* x, Index stride, Index p, const double* s,
                                           const double* v, double* sum, double* sum_sq,
                                           double* product) {
  Vec sv[rows], vv[rows];
  THALWEG_UNROLL
  for (int r = 0; r < rows; ++r) {
    sv[r] = broadcast(weighted ? s[r] : 1.0);
    vv[r] = broadcast(v[r]);
  }
  const auto add = [&](int r, Vec xr, Vec& a, Vec& b, Vec& c) __attribute__((always_inline)) {
    const Vec sx = weighted ? sv[r] * xr : xr;
    a += sx;
    b += sx * xr;
    c += vv[r] * xr;
  };
  Index j = 0;
  for (; j + lanes <= p; j += lanes) {
    Vec a = load(sum + j), b = load(sum_sq + j), c = load(product + j);
    THALWEG_UNROLL
    for (int r = 0; r < rows; ++r) add(r, load(x + r * stride + j), a, b, c);
    store(sum + j, a);
    store(sum_sq + j, b);
    store(product + j, c);
  }
  if (j < p) {
    const Index m = p - j;
    Vec a = load_tail(sum + j, m), b = load_tail(sum_sq + j, m), c = load_tail(product + j, m);
    THALWEG_UNROLL
    for (int r = 0; r < rows; ++r) add(r, load_tail(x + r * stride + j, m), a, b, c);
    store_tail(sum + j, a, m);
    store_tail(sum_sq + j, b, m);
    store_tail(product + j, c, m);
  }
}

template <bool weighted, class T>
THALWEG_KERNEL_INLINE void rows_moments_of(const T* x, Index stride, Index n, Index p,
                                           const double* s, const double* v, double* sum,
                                           double* sum_sq, double* product) {
  constexpr int rows = lanes == 8 ? 8 : 4;  // two broadcast registers per row
  Index i = 0;
  for (; i + rows <= n; i += rows) {
    moments_of_rows<rows, weighted>(x + i * stride, stride, p, weighted ? s + i : s, v + i, sum,
                                    sum_sq, product);
  }
  for (; i < n; ++i) {
    moments_of_rows<1, weighted>(x + i * stride, stride, p, weighted ? s + i : s, v + i, sum,
                                 sum_sq, product);
  }
}

template <class T>
void rows_moments(const T* x, Index stride, Index n, Index p, const double* s, const double* v,
                  double* sum, double* sum_sq, double* product) {
  if (s != nullptr) {
    rows_moments_of<true>(x, stride, n, p, s, v, sum, sum_sq, product);
  } else {
    rows_moments_of<false>(x, stride, n, p, s, v, sum, sum_sq, product);
  }
}

// ---------------------------------------------------------------------------------------------
// Packed panels
// ---------------------------------------------------------------------------------------------

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

// panel <- (t - center) * s with the switches resolved at compile time.
template <bool centered, bool weighted>
THALWEG_KERNEL_INLINE Vec adjust(Vec t, Vec center, const double* s, Index i) {
  if constexpr (centered) t -= center;
  if constexpr (weighted) t *= broadcast(s[i]);
  return t;
}

// Columns [c, c + lanes) of the panel.
template <bool centered, bool weighted, class T>
THALWEG_KERNEL_INLINE void pack_group(const T* const* x, Index stride, Index kc,
                                      const double* center, const double* s, double* panel) {
  const Vec shift = centered ? load(center) : Vec{};
  bool adjacent = true;
  for (int k = 1; k < lanes; ++k) adjacent = adjacent && x[k] == x[0] + k;
  Index i = 0;
  if (adjacent) {  // rows of a row-major design
    const T* row = x[0];
    for (; i < kc; ++i, row += stride) {
      store(panel + i * width, adjust<centered, weighted>(load(row), shift, s, i));
    }
    return;
  }
  if (stride == 1) {
    const T* column[lanes];
    THALWEG_UNROLL
    for (int k = 0; k < lanes; ++k) column[k] = x[k];
    for (; i + lanes <= kc; i += lanes) {
      Vec tile[lanes];
      THALWEG_UNROLL
      for (int k = 0; k < lanes; ++k) tile[k] = load(column[k] + i);
      transpose(tile);
      THALWEG_UNROLL
      for (int k = 0; k < lanes; ++k) {
        store(panel + (i + k) * width, adjust<centered, weighted>(tile[k], shift, s, i + k));
      }
    }
  }
  for (; i < kc; ++i) {
    Vec t = {};
    THALWEG_UNROLL
    for (int k = 0; k < lanes; ++k) t[k] = static_cast<double>(x[k][i * stride]);
    store(panel + i * width, adjust<centered, weighted>(t, shift, s, i));
  }
}

template <bool centered, bool weighted, class T>
THALWEG_KERNEL_INLINE void pack_of(const T* const* x, Index stride, Index count, Index kc,
                                   const double* center, const double* s, double* panel) {
  Index c = 0;
  for (; c + lanes <= count; c += lanes) {
    pack_group<centered, weighted>(x + c, stride, kc, centered ? center + c : center, s, panel + c);
  }
  for (; c < count; ++c) {
    const double shift = centered ? center[c] : 0.0;
    for (Index i = 0; i < kc; ++i) {
      double t = static_cast<double>(x[c][i * stride]);
      if constexpr (centered) t -= shift;
      if constexpr (weighted) t *= s[i];
      panel[i * width + c] = t;
    }
  }
  if (count < width) {
    for (Index i = 0; i < kc; ++i) {
      for (Index k = count; k < width; ++k) panel[i * width + k] = 0.0;
    }
  }
}

template <class T>
void pack(const T* const* x, Index stride, Index count, Index kc, const double* center,
          const double* s, double* panel) {
  if (center != nullptr) {
    if (s != nullptr) pack_of<true, true>(x, stride, count, kc, center, s, panel);
    else pack_of<true, false>(x, stride, count, kc, center, s, panel);
  } else {
    if (s != nullptr) pack_of<false, true>(x, stride, count, kc, center, s, panel);
    else pack_of<false, false>(x, stride, count, kc, center, s, panel);
  }
}

// A register tile of (rows * lanes) x cols entries: rows * cols accumulators. The sizes leave
// registers for `rows` vectors of a and one or two broadcasts of b:
// AVX-512 24 + 3 + 2 of 32, AVX2 12 + 3 + 1 of 16, SSE2 8 + 2 + temporaries of 16.
constexpr int tile_rows = lanes == 2 ? 2 : 3;
constexpr int tile_cols = lanes == 8 ? 8 : 4;

template <int rows, int cols>
THALWEG_KERNEL_INLINE void panel_tile(const double* a, const double* b, Index kc, double alpha,
                                      double* c, Index ldc, Index m, Index n) {
  Vec acc[cols][rows] = {};
  for (Index k = 0; k < kc; ++k, a += width, b += width) {
    Vec av[rows];
    THALWEG_UNROLL
    for (int r = 0; r < rows; ++r) av[r] = load(a + r * lanes);
    THALWEG_UNROLL
    for (int j = 0; j < cols; ++j) {
      Vec bj = broadcast(b[j]);
      keep_in_register(bj);
      THALWEG_UNROLL
      for (int r = 0; r < rows; ++r) acc[j][r] += av[r] * bj;
    }
  }
  const Vec scale = broadcast(alpha);
  if (m >= rows * lanes && n >= cols) {
    THALWEG_UNROLL
    for (int j = 0; j < cols; ++j) {
      THALWEG_UNROLL
      for (int r = 0; r < rows; ++r) {
        double* p = c + j * ldc + r * lanes;
        store(p, load(p) + scale * acc[j][r]);
      }
    }
    return;
  }
  alignas(64) double buffer[cols][rows * lanes];
  THALWEG_UNROLL
  for (int j = 0; j < cols; ++j) {
    THALWEG_UNROLL
    for (int r = 0; r < rows; ++r) store(&buffer[j][r * lanes], scale * acc[j][r]);
  }
  const Index last_row = m < rows * lanes ? m : rows * lanes;
  const Index last_col = n < cols ? n : cols;
  for (Index j = 0; j < last_col; ++j) {
    for (Index i = 0; i < last_row; ++i) c[i + j * ldc] += buffer[j][i];
  }
}

void panel_product(const double* a, const double* b, Index kc, double alpha, double* c, Index ldc,
                   Index m, Index n) {
  for (Index i = 0; i < m; i += tile_rows * lanes) {
    for (Index j = 0; j < n; j += tile_cols) {
      panel_tile<tile_rows, tile_cols>(a + i, b + j, kc, alpha, c + i + j * ldc, ldc, m - i, n - j);
    }
  }
}

// ---------------------------------------------------------------------------------------------
// Sparse columns
// ---------------------------------------------------------------------------------------------

template <class T, class I>
double sparse_dot(const T* x, const I* index, Index nnz, const double* v) {
  constexpr int unroll = 8;
  double acc[unroll] = {};
  Index k = 0;
  for (; k + unroll <= nnz; k += unroll) {
    THALWEG_UNROLL
    for (int u = 0; u < unroll; ++u) {
      acc[u] += static_cast<double>(x[k + u]) * v[static_cast<Index>(index[k + u])];
    }
  }
  for (; k < nnz; ++k) acc[0] += static_cast<double>(x[k]) * v[static_cast<Index>(index[k])];
  return ((acc[0] + acc[1]) + (acc[2] + acc[3])) + ((acc[4] + acc[5]) + (acc[6] + acc[7]));
}

template <bool weighted, class T, class I>
THALWEG_KERNEL_INLINE void sparse_axpy_of(double a, const T* x, const I* index, Index nnz,
                                          const double* s, double* v) {
  // Rows are distinct, so that all loads of a group may precede its stores.
  constexpr int unroll = 4;
  Index k = 0;
  for (; k + unroll <= nnz; k += unroll) {
    Index row[unroll];
    double value[unroll];
    THALWEG_UNROLL
    for (int u = 0; u < unroll; ++u) {
      row[u] = static_cast<Index>(index[k + u]);
      const double scale = weighted ? a * s[row[u]] : a;
      value[u] = v[row[u]] + scale * static_cast<double>(x[k + u]);
    }
    THALWEG_UNROLL
    for (int u = 0; u < unroll; ++u) v[row[u]] = value[u];
  }
  for (; k < nnz; ++k) {
    const Index row = static_cast<Index>(index[k]);
    const double scale = weighted ? a * s[row] : a;
    v[row] += scale * static_cast<double>(x[k]);
  }
}

template <class T, class I>
void sparse_axpy(double a, const T* x, const I* index, Index nnz, double* v) {
  sparse_axpy_of<false>(a, x, index, nnz, nullptr, v);
}

template <class T, class I>
void sparse_axpy_weighted(double a, const T* x, const I* index, Index nnz, const double* s,
                          double* v) {
  sparse_axpy_of<true>(a, x, index, nnz, s, v);
}

template <bool weighted, class T, class I>
THALWEG_KERNEL_INLINE Moments sparse_moments_of(const T* x, const I* index, Index nnz,
                                                const double* s, const double* v) {
  constexpr int unroll = 4;
  double sum[unroll] = {}, sum_sq[unroll] = {}, product[unroll] = {};
  const auto add = [&](int u, Index k) __attribute__((always_inline)) {
    const Index row = static_cast<Index>(index[k]);
    const double xk = static_cast<double>(x[k]);
    const double sx = weighted ? s[row] * xk : xk;
    sum[u] += sx;
    sum_sq[u] += sx * xk;
    product[u] += xk * v[row];
  };
  Index k = 0;
  for (; k + unroll <= nnz; k += unroll) {
    THALWEG_UNROLL
    for (int u = 0; u < unroll; ++u) add(u, k + u);
  }
  for (; k < nnz; ++k) add(0, k);
  return Moments{(sum[0] + sum[1]) + (sum[2] + sum[3]),
                 (sum_sq[0] + sum_sq[1]) + (sum_sq[2] + sum_sq[3]),
                 (product[0] + product[1]) + (product[2] + product[3])};
}

template <class T, class I>
Moments sparse_moments(const T* x, const I* index, Index nnz, const double* s, const double* v) {
  return s != nullptr ? sparse_moments_of<true>(x, index, nnz, s, v)
                      : sparse_moments_of<false>(x, index, nnz, s, v);
}

// ---------------------------------------------------------------------------------------------
// The table
// ---------------------------------------------------------------------------------------------

#define THALWEG_DENSE_KERNELS(T)                                                          \
  {                                                                                       \
    dot<T>, axpy<T>, axpy_weighted<T>, dots<T>, axpys<T>, moments<T>, rows_accumulate<T>, \
        rows_moments<T>, pack<T>                                                          \
  }
#define THALWEG_SPARSE_KERNELS(T, I) \
  { sparse_dot<T, I>, sparse_axpy<T, I>, sparse_axpy_weighted<T, I>, sparse_moments<T, I> }
#define THALWEG_STRING_OF(x) #x
#define THALWEG_STRING(x) THALWEG_STRING_OF(x)

}  // namespace

extern const Table kernel_table;
constinit const Table kernel_table = {
    THALWEG_STRING(THALWEG_KERNELS_ISA),
    THALWEG_DENSE_KERNELS(float),
    THALWEG_DENSE_KERNELS(double),
    THALWEG_SPARSE_KERNELS(float, std::int32_t),
    THALWEG_SPARSE_KERNELS(float, std::int64_t),
    THALWEG_SPARSE_KERNELS(double, std::int32_t),
    THALWEG_SPARSE_KERNELS(double, std::int64_t),
    {panel_product},
};

}  // namespace thalweg::kernels::THALWEG_KERNELS_ISA
