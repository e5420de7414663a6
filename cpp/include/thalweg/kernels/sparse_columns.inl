// Columns (or rows) of a sparse design: products with a vector or with several, updates, moments.
//
// Scalar loads. Gather instructions gained at most 10 % while v was in a cache, lost on columns of
// fewer than 30 entries, and nothing in a dot that an axpy follows; prefetching v by index ahead of
// its use gained nothing (Sapphire Rapids).
//
// Included by kernels.inl. Cost: a multiply-add a stored entry, and a cache line of v where entries
// are far apart.
#pragma once

#include "thalweg/kernels/kernels.hpp"
#include "thalweg/kernels/registers.inl"

namespace thalweg::kernels::THALWEG_KERNELS_ISA {
namespace {

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

}  // namespace
}  // namespace thalweg::kernels::THALWEG_KERNELS_ISA
