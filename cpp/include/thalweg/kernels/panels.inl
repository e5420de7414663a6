// Packed panels of columns, and their products: the leaves of blocked Gram matrices, X'diag(s)X.
//
// A panel holds gram_panel_width columns of some rows, side by side, centred and weighted on the
// way in; two of them are multiplied in register tiles (Goto & van de Geijn 2008, Anatomy of
// high-performance matrix multiplication).
//
// Included by kernels.inl. Cost: a multiply-add for each entry of a panel and column of the other.
#pragma once

#include "thalweg/kernels/kernels.hpp"
#include "thalweg/kernels/registers.inl"

namespace thalweg::kernels::THALWEG_KERNELS_ISA {
namespace {

constexpr Index width = gram_panel_width;

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

}  // namespace
}  // namespace thalweg::kernels::THALWEG_KERNELS_ISA
