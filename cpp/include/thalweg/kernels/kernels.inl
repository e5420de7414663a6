// The source of every kernel, compiled once per instruction set.
//
// The including file defines the instruction set, see kernels/registers.inl.
// float32 data are converted in registers and accumulated in float64. Long sums run over several
// independent accumulators to hide the latency of a fused multiply-add (4 cycles); these are added
// in a fixed order. Plain C++ arithmetic without -ffast-math: NaN and infinity propagate.
#include "thalweg/kernels/columns.inl"
#include "thalweg/kernels/kernels.hpp"
#include "thalweg/kernels/pack.inl"
#include "thalweg/kernels/panels.inl"
#include "thalweg/kernels/planes.inl"
#include "thalweg/kernels/row_blocks.inl"
#include "thalweg/kernels/sparse_columns.inl"

namespace thalweg::kernels::THALWEG_KERNELS_ISA {
namespace {

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
    THALWEG_SPARSE_KERNELS(One, std::int32_t),
    {panel_product<double>, panel_product<float>},
    {map_exp, map_log, map_log1p},
};

}  // namespace thalweg::kernels::THALWEG_KERNELS_ISA
