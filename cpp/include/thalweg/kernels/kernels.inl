// The source of every kernel, compiled once per instruction set.
//
// The including file defines the instruction set, see kernels/registers.inl.
// float32 data are converted in registers and accumulated in float64. Long sums run over several
// independent accumulators to hide the latency of a fused multiply-add (4 cycles); these are added
// in a fixed order. Plain C++ arithmetic without -ffast-math: NaN and infinity propagate.
#include "thalweg/kernels/kernels.hpp"
#include "thalweg/kernels/pack.inl"
#include "thalweg/kernels/planes.inl"

namespace thalweg::kernels::THALWEG_KERNELS_ISA {
namespace {

constexpr Index width = gram_panel_width;

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
  for_tail(
      i, n, [&](auto piece, Index k, int u) __attribute__((always_inline)) {
        acc[unroll - 1 - u] += load(piece, x + k) * load(piece, v + k);
      });
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
  for_tail(
      i, n, [&](auto piece, Index k, int) __attribute__((always_inline)) {
        store(piece, v + k, load(piece, v + k) + av * load(piece, x + k));
      });
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
  for_tail(
      i, n, [&](auto piece, Index k, int) __attribute__((always_inline)) {
        store(piece, v + k, load(piece, v + k) + (av * load(piece, s + k)) * load(piece, x + k));
      });
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
  for_tail(
      i, n, [&](auto piece, Index k, int u) __attribute__((always_inline)) {
        const Vec vu = load(piece, v + k);
        THALWEG_UNROLL
        for (int c = 0; c < group; ++c) acc[c][(u + 1) % unroll] += load(piece, x[c] + k) * vu;
      });
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
  for_tail(
      i, n, [&](auto piece, Index k, int) __attribute__((always_inline)) {
        Vec sum = load(piece, v + k);
        THALWEG_UNROLL
        for (int c = 0; c < group; ++c) sum += av[c] * load(piece, x[c] + k);
        store(piece, v + k, sum);
      });
}

template <class T>
void axpys(const double* a, const T* const* x, Index count, double* v, Index n) {
  Index c = 0;
  for (; c + 4 <= count; c += 4) axpys_group<4>(a + c, x + c, v, n);
  if (count - c == 3) axpys_group<3>(a + c, x + c, v, n);
  if (count - c == 2) axpys_group<2>(a + c, x + c, v, n);
  if (count - c == 1) axpys_group<1>(a + c, x + c, v, n);
}

// `group` columns at once; the order of additions in a column is the same for every group size.
template <int group, bool weighted, class T>
THALWEG_KERNEL_INLINE void moments_of(const T* const* columns, const double* s, const double* v,
                                      Index n, Moments* out) {
  constexpr int unroll = 2;
  const T* x[group];
  Vec sum[group][unroll] = {}, sum_sq[group][unroll] = {}, product[group][unroll] = {};
  THALWEG_UNROLL
  for (int c = 0; c < group; ++c) x[c] = columns[c];
  const auto add = [&](int c, int u, Vec xu, Vec su, Vec vu) __attribute__((always_inline)) {
    const Vec sx = weighted ? su * xu : xu;
    sum[c][u] += sx;
    sum_sq[c][u] += sx * xu;
    product[c][u] += xu * vu;
  };
  Index i = 0;
  for (; i + unroll * lanes <= n; i += unroll * lanes) {
    THALWEG_UNROLL
    for (int u = 0; u < unroll; ++u) {
      const Index k = i + u * lanes;
      const Vec su = weighted ? load(s + k) : Vec{}, vu = load(v + k);
      THALWEG_UNROLL
      for (int c = 0; c < group; ++c) add(c, u, load(x[c] + k), su, vu);
    }
    THALWEG_UNROLL
    for (int c = 0; c < group; ++c) prefetch<unroll, 2048>(x[c] + i);
  }
  if (i + lanes <= n) {
    const Vec su = weighted ? load(s + i) : Vec{}, vu = load(v + i);
    THALWEG_UNROLL
    for (int c = 0; c < group; ++c) add(c, 0, load(x[c] + i), su, vu);
    i += lanes;
  }
  for_tail(
      i, n, [&](auto piece, Index k, int u) __attribute__((always_inline)) {
        const Vec su = weighted ? load(piece, s + k) : Vec{}, vu = load(piece, v + k);
        THALWEG_UNROLL
        for (int c = 0; c < group; ++c) add(c, (u + 1) % unroll, load(piece, x[c] + k), su, vu);
      });
  THALWEG_UNROLL
  for (int c = 0; c < group; ++c) {
    out[c] = Moments{total<unroll>(sum[c]), total<unroll>(sum_sq[c]), total<unroll>(product[c])};
  }
}

template <class T>
Moments moments(const T* x, const double* s, const double* v, Index n) {
  Moments out{0, 0, 0};
  if (s != nullptr) moments_of<1, true>(&x, s, v, n, &out);
  else moments_of<1, false>(&x, s, v, n, &out);
  return out;
}

template <bool weighted, class T>
THALWEG_KERNEL_INLINE void moments_of_columns(const T* const* x, Index count, const double* s,
                                              const double* v, Index n, Moments* out) {
  // Six accumulators per column: AVX-512 holds four columns, the others two.
  constexpr int group = lanes == 8 ? 4 : 2;
  Index c = 0;
  for (; c + group <= count; c += group) moments_of<group, weighted>(x + c, s, v, n, out + c);
  for (; c < count; ++c) moments_of<1, weighted>(x + c, s, v, n, out + c);
}

template <class T>
void moments_group(const T* const* x, Index count, const double* s, const double* v, Index n,
                   Moments* out) {
  if (s != nullptr) moments_of_columns<true>(x, count, s, v, n, out);
  else moments_of_columns<false>(x, count, s, v, n, out);
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
  for_tail(
      j, p, [&](auto piece, Index k, int) __attribute__((always_inline)) {
        Vec sum = load(piece, out + k);
        THALWEG_UNROLL
        for (int r = 0; r < rows; ++r) sum += scale[r] * load(piece, x + r * stride + k);
        store(piece, out + k, sum);
      });
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

// `rows` rows at once, so that their sums do not wait for each other. Each adds in the same order.
template <int rows, class T>
THALWEG_KERNEL_INLINE void combine_rows(const T* x, Index stride, Index p, const double* coef,
                                        double* out) {
  Vec sum[rows] = {};
  Index j = 0;
  for (; j + lanes <= p; j += lanes) {
    const Vec c = load(coef + j);
    THALWEG_UNROLL
    for (int r = 0; r < rows; ++r) sum[r] += c * load(x + r * stride + j);
  }
  for_tail(
      j, p, [&](auto piece, Index k, int) __attribute__((always_inline)) {
        const Vec c = load(piece, coef + k);
        THALWEG_UNROLL
        for (int r = 0; r < rows; ++r) sum[r] += c * load(piece, x + r * stride + k);
      });
  THALWEG_UNROLL
  for (int r = 0; r < rows; ++r) out[r] += lane_sum(sum[r]);
}

template <class T>
void rows_combine(const T* x, Index stride, Index n, Index p, const double* coef, double* out) {
  constexpr int rows = 8;
  Index i = 0;
  for (; i + rows <= n; i += rows) combine_rows<rows>(x + i * stride, stride, p, coef, out + i);
  for (; i < n; ++i) combine_rows<1>(x + i * stride, stride, p, coef, out + i);
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
    for (int r = 0; r < rows; ++r) {
      add(r, load(x + r * stride + j), a, b, c);
      prefetch<1, 1024>(x + r * stride + j);
    }
    store(sum + j, a);
    store(sum_sq + j, b);
    store(product + j, c);
  }
  for_tail(
      j, p, [&](auto piece, Index k, int) __attribute__((always_inline)) {
        Vec a = load(piece, sum + k), b = load(piece, sum_sq + k), c = load(piece, product + k);
        THALWEG_UNROLL
        for (int r = 0; r < rows; ++r) add(r, load(piece, x + r * stride + k), a, b, c);
        store(piece, sum + k, a);
        store(piece, sum_sq + k, b);
        store(piece, product + k, c);
      });
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

// panel <- (t - center) * s with the switches resolved at compile time.
template <bool centered, bool weighted>
THALWEG_KERNEL_INLINE Vec adjust(Vec t, Vec center, const double* s, Index i) {
  if constexpr (centered) t -= center;
  if constexpr (weighted) t *= broadcast(s[i]);
  return t;
}

// Columns [c, c + lanes) of the panel.
template <bool centered, bool weighted, class T, class E>
THALWEG_KERNEL_INLINE void pack_group(const T* const* x, Index stride, Index kc,
                                      const double* center, const double* s, E* panel) {
  const Vec shift = centered ? load(center) : Vec{};
  Index i = 0;
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

// All columns of a panel of a row-major design, row by row: its memory is read in its order.
template <bool centered, bool weighted, class T, class E>
THALWEG_KERNEL_INLINE void pack_rows(const T* x, Index stride, Index kc, const double* center,
                                     const double* s, E* panel) {
  static_assert(width % lanes == 0);
  for (Index i = 0; i < kc; ++i, x += stride, panel += width) {
    THALWEG_UNROLL
    for (Index c = 0; c < width; c += lanes) {
      const Vec shift = centered ? load(center + c) : Vec{};
      store(panel + c, adjust<centered, weighted>(load(x + c), shift, s, i));
    }
  }
}

template <bool centered, bool weighted, class T, class E>
THALWEG_KERNEL_INLINE void pack_of(const T* const* x, Index stride, Index count, Index kc,
                                   const double* center, const double* s, E* panel) {
  bool adjacent = count == width;
  for (Index c = 1; c < count; ++c) adjacent = adjacent && x[c] == x[0] + c;
  if (adjacent) {
    pack_rows<centered, weighted>(x[0], stride, kc, center, s, panel);
    return;
  }
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
      panel[i * width + c] = static_cast<E>(t);
    }
  }
  if (count < width) {
    for (Index i = 0; i < kc; ++i) {
      for (Index k = count; k < width; ++k) panel[i * width + k] = 0;
    }
  }
}

template <class T, class E>
void pack(const T* const* x, Index stride, Index count, Index kc, const double* center,
          const double* s, E* panel) {
  if (center != nullptr) {
    if (s != nullptr) pack_of<true, true>(x, stride, count, kc, center, s, panel);
    else pack_of<true, false>(x, stride, count, kc, center, s, panel);
  } else {
    if (s != nullptr) pack_of<false, true>(x, stride, count, kc, center, s, panel);
    else pack_of<false, false>(x, stride, count, kc, center, s, panel);
  }
}

// A register tile of (rows * lanes) x cols entries: rows * cols accumulators of what panels hold.
// The sizes leave registers for `rows` vectors of a and one or two broadcasts of b. float64:
// AVX-512 24 + 3 + 2 of 32, AVX2 12 + 2 + 2 of 16, SSE2 8 + 2 + temporaries of 16. float32: 24 + 3
// + 2 (registers of 256 bits, three of which are a panel's width), 12 + 3 + 1, and as float64.
template <class E>
struct Tile {
  static constexpr int lanes = kernels::THALWEG_KERNELS_ISA::lanes;
  static constexpr int rows = lanes == 8 ? 3 : 2;
  static constexpr int cols = lanes == 8 ? 8 : lanes == 4 ? 6 : 4;
  typedef Vec Register;
};
template <>
struct Tile<float> {
  static constexpr int lanes = kernels::THALWEG_KERNELS_ISA::lanes == 2 ? 4 : 8;
  static constexpr int rows = lanes == 8 ? 3 : 2;
  static constexpr int cols = kernels::THALWEG_KERNELS_ISA::lanes == 8 ? 8 : 4;
  typedef float Register __attribute__((vector_size(lanes * 4)));
};

// Not inlined: the addresses that a loop over tiles keeps alive would cost the registers that the
// accumulators need, and one spilled vector in the inner loop costs a fifth of the speed.
template <int rows, class E>
__attribute__((noinline)) void panel_tile(const E* a, const E* b, Index kc, double alpha, double* c,
                                          Index ldc, Index m, Index n) {
  using Register = typename Tile<E>::Register;
  constexpr int cols = Tile<E>::cols, height = rows * Tile<E>::lanes;
  Register acc[cols][rows] = {};
  for (Index k = 0; k < kc; ++k, a += width, b += width) {
    Register av[rows];
    THALWEG_UNROLL
    for (int r = 0; r < rows; ++r) __builtin_memcpy(&av[r], a + r * Tile<E>::lanes, sizeof av[r]);
    THALWEG_UNROLL
    for (int j = 0; j < cols; ++j) {
      Register bj = b[j] - Register{};
      keep_in_register(bj);
      THALWEG_UNROLL
      for (int r = 0; r < rows; ++r) acc[j][r] += av[r] * bj;
    }
  }
  alignas(64) E buffer[cols][height];
  THALWEG_UNROLL
  for (int j = 0; j < cols; ++j) {
    THALWEG_UNROLL
    for (int r = 0; r < rows; ++r)
      __builtin_memcpy(&buffer[j][r * Tile<E>::lanes], &acc[j][r], sizeof acc[j][r]);
  }
  const Vec scale = broadcast(alpha);
  if (m >= height && n >= cols) {
    THALWEG_UNROLL
    for (int j = 0; j < cols; ++j) {
      THALWEG_UNROLL
      for (int i = 0; i < height; i += lanes) {
        double* const p = c + j * ldc + i;
        store(p, load(p) + scale * load(&buffer[j][i]));
      }
    }
    return;
  }
  const Index last_row = m < height ? m : height;
  const Index last_col = n < cols ? n : cols;
  for (Index j = 0; j < last_col; ++j) {
    for (Index i = 0; i < last_row; ++i)
      c[i + j * ldc] += alpha * static_cast<double>(buffer[j][i]);
  }
}

// All columns of a strip of `rows` vectors, from the tile of column `first` on.
template <int rows, class E>
void panel_strip(const E* a, const E* b, Index kc, double alpha, double* c, Index ldc, Index m,
                 Index first, Index n) {
  constexpr int cols = Tile<E>::cols;
  for (Index j = first / cols * cols; j < n; j += cols) {
    panel_tile<rows>(a, b + j, kc, alpha, c + j * ldc, ldc, m, n - j);
  }
}

template <class E>
void panel_product(const E* a, const E* b, Index kc, double alpha, double* c, Index ldc, Index m,
                   Index n, bool upper) {
  constexpr int rows = Tile<E>::rows, per_register = Tile<E>::lanes;
  for (Index i = 0; i < m; i += rows * per_register) {
    const Index rest = m - i, first = upper ? i : 0;
    if (rest > (rows - 1) * per_register) {
      panel_strip<rows>(a + i, b, kc, alpha, c + i, ldc, rest, first, n);
    } else if (rows == 3 && rest > per_register) {
      panel_strip<2>(a + i, b, kc, alpha, c + i, ldc, rest, first, n);
    } else {
      panel_strip<1>(a + i, b, kc, alpha, c + i, ldc, rest, first, n);
    }
  }
}

// ---------------------------------------------------------------------------------------------
// Sparse columns: scalar loads. Gather instructions gained at most 10 % while v was in a cache,
// lost on columns of fewer than 30 entries, and nothing in a dot that an axpy follows; prefetching
// v by index ahead of its use gained nothing (Sapphire Rapids).
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

// `count` registers of the vectors.
template <int count, class T, class I>
THALWEG_KERNEL_INLINE void sparse_dots_of(const T* x, const I* index, Index nnz, const double* v,
                                          Index pitch, double* out) {
  Vec sum[count] = {};
  for (Index e = 0; e < nnz; ++e) {
    const Vec value = broadcast(static_cast<double>(x[e]));
    const double* const at = v + static_cast<Index>(index[e]) * pitch;
    THALWEG_UNROLL
    for (int c = 0; c < count; ++c) sum[c] += value * load(at + c * lanes);
  }
  THALWEG_UNROLL
  for (int c = 0; c < count; ++c) store(out + c * lanes, sum[c]);
}

template <int count, class T, class I>
THALWEG_KERNEL_INLINE void sparse_axpys_of(const double* a, const T* x, const I* index, Index nnz,
                                           double* v, Index pitch) {
  Vec scale[count];
  THALWEG_UNROLL
  for (int c = 0; c < count; ++c) scale[c] = load(a + c * lanes);
  for (Index e = 0; e < nnz; ++e) {
    const Vec value = broadcast(static_cast<double>(x[e]));
    double* const at = v + static_cast<Index>(index[e]) * pitch;
    THALWEG_UNROLL
    for (int c = 0; c < count; ++c) store(at + c * lanes, load(at + c * lanes) + value * scale[c]);
  }
}

template <class T, class I>
void sparse_dots(const T* x, const I* index, Index nnz, const double* v, Index pitch, double* out) {
  constexpr int most = side_by_side / lanes < 4 ? 4 : side_by_side / lanes;
  Index k = 0;
  for (; k + most * lanes <= pitch; k += most * lanes)
    sparse_dots_of<most>(x, index, nnz, v + k, pitch, out + k);
  for (; k < pitch; k += side_by_side)
    sparse_dots_of<side_by_side / lanes>(x, index, nnz, v + k, pitch, out + k);
}

template <class T, class I>
void sparse_axpys(const double* a, const T* x, const I* index, Index nnz, double* v, Index pitch) {
  constexpr int most = side_by_side / lanes < 4 ? 4 : side_by_side / lanes;
  Index k = 0;
  for (; k + most * lanes <= pitch; k += most * lanes)
    sparse_axpys_of<most>(a + k, x, index, nnz, v + k, pitch);
  for (; k < pitch; k += side_by_side)
    sparse_axpys_of<side_by_side / lanes>(a + k, x, index, nnz, v + k, pitch);
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
// Elementary functions
// ---------------------------------------------------------------------------------------------

template <class F>
THALWEG_KERNEL_INLINE void map(const double* x, Index n, double* out, F f) {
  Index i = 0;
  for (; i + lanes <= n; i += lanes) store(out + i, f(Pack(load(x + i))).v);
  for_tail(
      i, n, [&](auto piece, Index k, int) __attribute__((always_inline)) {
        store(piece, out + k, f(Pack(load(piece, x + k))).v);
      });
}

void map_exp(const double* x, Index n, double* out) {
  map(
      x, n, out, [](Pack v) __attribute__((always_inline)) { return exp(v); });
}

void map_log(const double* x, Index n, double* out) {
  map(
      x, n, out, [](Pack v) __attribute__((always_inline)) { return log(v); });
}

void map_log1p(const double* x, Index n, double* out) {
  map(
      x, n, out, [](Pack v) __attribute__((always_inline)) { return log1p(v); });
}

// ---------------------------------------------------------------------------------------------
// The table
// ---------------------------------------------------------------------------------------------

#define THALWEG_DENSE_KERNELS(T)                                                        \
  {                                                                                     \
    dot<T>, axpy<T>, axpy_weighted<T>, dots<T>, axpys<T>, moments<T>, moments_group<T>, \
        rows_accumulate<T>, rows_combine<T>, rows_moments<T>, planes_accumulate<T>,     \
        planes_combine<T>, pack<T, double>, pack<T, float>                              \
  }
#define THALWEG_SPARSE_KERNELS(T, I)                                                       \
  {                                                                                        \
    sparse_dot<T, I>, sparse_axpy<T, I>, sparse_axpy_weighted<T, I>, sparse_moments<T, I>, \
        sparse_dots<T, I>, sparse_axpys<T, I>                                              \
  }
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
    {panel_product<double>, panel_product<float>},
    {map_exp, map_log, map_log1p},
};

}  // namespace thalweg::kernels::THALWEG_KERNELS_ISA
