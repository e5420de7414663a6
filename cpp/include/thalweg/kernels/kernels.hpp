// The hot loops, one table of function pointers per instruction set.
//
// Every kernel is compiled three times (x86-64 baseline, AVX2+FMA, AVX-512) from one source,
// kernels/kernels.inl, in translation units that share no inline function with the rest of the
// library (a shared inline function compiled for AVX-512 could be the copy that the linker keeps).
// `table()` picks once, by cpuid or by THALWEG_ISA=baseline|avx2|avx512.
//
// Conventions: `x` is data (float or double), everything else float64. Sums are accumulated in
// float64 in an order that depends on the length and the instruction set only, never on threads:
// no kernel opens a parallel region. Pointers need no alignment. n == 0 is fine.
#pragma once

#include "thalweg/core/types.hpp"

namespace thalweg::kernels {

// Moments of one column x against weights s and a vector v: what a solve needs to know of a
// column before it starts, in one pass over the data.
struct Moments {
  double sum = 0;     // sum_i s_i x_i
  double sum_sq = 0;  // sum_i s_i x_i^2
  double dot = 0;     // sum_i x_i v_i
};

// What numbers of vectors are padded to: whole registers of every instruction set.
inline constexpr Index side_by_side = 8;

// Kernels on contiguous columns of scalar type T.
template <class T>
struct DenseKernels {
  // sum_i x_i v_i
  double (*dot)(const T* x, const double* v, Index n);
  // v_i += a x_i
  void (*axpy)(double a, const T* x, double* v, Index n);
  // v_i += a s_i x_i
  void (*axpy_weighted)(double a, const T* x, const double* s, double* v, Index n);
  // out[c] = sum_i x[c][i] v_i for c < count: v is read once per group of columns. The bits of
  // out[c] do not depend on the other columns (they may differ from those of `dot`).
  void (*dots)(const T* const* x, Index count, const double* v, Index n, double* out);
  // v_i += sum_c a[c] x[c][i]: v is read and written once per group of columns. The same bits as
  // one axpy after another.
  void (*axpys)(const double* a, const T* const* x, Index count, double* v, Index n);
  // s may be null (weights of one).
  Moments (*moments)(const T* x, const double* s, const double* v, Index n);
  // out[c] = the same bits as moments(x[c], s, v, n); s and v are read once per group of columns,
  // which matters when they do not fit into a cache.
  void (*moments_group)(const T* const* x, Index count, const double* s, const double* v, Index n,
                        Moments* out);

  // Row-major block: rows i < n of length p, `stride` scalars apart.
  // out[j] += sum_i v_i x[i * stride + j]
  void (*rows_accumulate)(const T* x, Index stride, Index n, Index p, const double* v, double* out);
  // out[i] += sum_j coef_j x[i * stride + j], for rows that are short
  void (*rows_combine)(const T* x, Index stride, Index n, Index p, const double* coef, double* out);
  // sum[j] += sum_i s_i x_ij, sum_sq[j] += sum_i s_i x_ij^2, dot[j] += sum_i v_i x_ij;
  // s may be null (weights of one).
  void (*rows_moments)(const T* x, Index stride, Index n, Index p, const double* s, const double* v,
                       double* sum, double* sum_sq, double* dot);
  // The first two with several vectors ("planes") at once:
  // out_k[j] += sum_i v_k[i] x_ij, v_k at v + k * pitch, out_k at out + k * out_pitch;
  void (*planes_accumulate)(const T* x, Index stride, Index n, Index p, const double* v,
                            Index pitch, Index planes, double* out, Index out_pitch);
  // out_k[i] += sum_j x_ij coef_k[j], coef_k[j] at coef[j * pitch + k], pitch a multiple of
  // side_by_side and nothing in between NaN.
  void (*planes_combine)(const T* x, Index stride, Index n, Index p, const double* coef,
                         Index pitch, Index planes, double* out, Index out_pitch);

  // Copies `count` <= gram_panel_width columns of length kc (column c starts at x[c], consecutive
  // elements `stride` apart) into a float64 panel: panel[i * gram_panel_width + c] =
  // (x[c][i * stride] - center[c]) * (s ? s[i] : 1); missing columns are zero. center may be null.
  void (*pack)(const T* const* x, Index stride, Index count, Index kc, const double* center,
               const double* s, double* panel);
  // The same, rounded to float32.
  void (*pack_float32)(const T* const* x, Index stride, Index count, Index kc, const double* center,
                       const double* s, float* panel);

  template <class E>  // of the panel
  auto packer() const {
    if constexpr (sizeof(E) == sizeof(float)) return pack_float32;
    else return pack;
  }
};

// A stored value that is known to be one, as all are of a design of categories or of words that
// occur: there is nothing to read. As large as what is stored, so that arrays have their places.
struct One {
  double stored;
  constexpr explicit operator double() const { return 1.0; }
};
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, One>, double, T>;

// Kernels on one sparse column: nnz entries at rows `index`, which must be distinct.
template <class T, class I>
struct SparseKernels {
  double (*dot)(const T* x, const I* index, Index nnz, const double* v);
  void (*axpy)(double a, const T* x, const I* index, Index nnz, double* v);
  void (*axpy_weighted)(double a, const T* x, const I* index, Index nnz, const double* s,
                        double* v);
  Moments (*moments)(const T* x, const I* index, Index nnz, const double* s, const double* v);
  // The first two with several vectors v_k that lie side by side, v_k[i] at v[i * pitch + k], pitch
  // a multiple of side_by_side: out[k] = sum_e x_e v_k[index_e], and v_k[index_e] += a[k] x_e.
  void (*dots)(const T* x, const I* index, Index nnz, const double* v, Index pitch, double* out);
  void (*axpys)(const double* a, const T* x, const I* index, Index nnz, double* v, Index pitch);
};

// Columns per packed panel of the Gram kernel, the same for every instruction set, so that packed
// panels have one layout. 24 = three AVX-512 vectors, six AVX2 vectors.
inline constexpr Index gram_panel_width = 24;

struct BlockKernels {
  // One tile of a product of packed panels (see DenseKernels::pack):
  // c[i + j * ldc] += alpha * sum_k a[k * W + i] b[k * W + j] for i < m, j < n;
  // m, n <= W = gram_panel_width. Entries below the diagonal need not be made where `upper` is set.
  void (*panel_product)(const double* a, const double* b, Index kc, double alpha, double* c,
                        Index ldc, Index m, Index n, bool upper);
  // The same of float32 panels: sums over kc are float32, which wants a short kc, c is float64.
  void (*panel_product_float32)(const float* a, const float* b, Index kc, double alpha, double* c,
                                Index ldc, Index m, Index n, bool upper);

  template <class E>  // of the panels
  auto product() const {
    if constexpr (sizeof(E) == sizeof(float)) return panel_product_float32;
    else return panel_product;
  }
};

// Elementary functions of arrays, within 1 ulp (kernels/pack.inl). out may be x.
struct MathKernels {
  void (*exp)(const double* x, Index n, double* out);
  void (*log)(const double* x, Index n, double* out);
  void (*log1p)(const double* x, Index n, double* out);
};

struct Table {
  const char* name;  // "baseline", "avx2" or "avx512"
  DenseKernels<float> dense_f32;
  DenseKernels<double> dense_f64;
  SparseKernels<float, std::int32_t> sparse_f32_i32;
  SparseKernels<float, std::int64_t> sparse_f32_i64;
  SparseKernels<double, std::int32_t> sparse_f64_i32;
  SparseKernels<double, std::int64_t> sparse_f64_i64;
  SparseKernels<One, std::int32_t> sparse_one_i32;
  BlockKernels block;
  MathKernels math;

  template <class T>
  const DenseKernels<T>& dense() const {
    if constexpr (sizeof(T) == sizeof(float)) return dense_f32;
    else return dense_f64;
  }
  template <class T, class I>
  const SparseKernels<T, I>& sparse() const {
    if constexpr (std::is_same_v<T, One>) {
      return sparse_one_i32;
    } else if constexpr (sizeof(T) == sizeof(float)) {
      if constexpr (sizeof(I) == sizeof(std::int32_t)) return sparse_f32_i32;
      else return sparse_f32_i64;
    } else {
      if constexpr (sizeof(I) == sizeof(std::int32_t)) return sparse_f64_i32;
      else return sparse_f64_i64;
    }
  }
};

// The table in use, chosen on first use. Throws core::InvalidArgument if THALWEG_ISA names an
// unknown instruction set or one that this processor lacks.
const Table& table();

// All tables that this build has and this processor supports, best last: for tests and benchmarks.
std::span<const Table* const> tables();

// Names of the instruction sets that this build has and this processor supports, best last.
std::span<const char* const> available();

}  // namespace thalweg::kernels
