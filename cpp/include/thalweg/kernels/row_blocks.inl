// Blocks of rows of a row-major dense design: X'v, X coef and the moments of all columns, several
// rows at once, so that vectors of the length of a row are read and written once for them all.
//
// Included by kernels.inl. Cost: one multiply-add an entry; memory sets the pace beyond the caches.
#pragma once

#include "thalweg/kernels/kernels.hpp"
#include "thalweg/kernels/registers.inl"

namespace thalweg::kernels::THALWEG_KERNELS_ISA {
namespace {

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

}  // namespace
}  // namespace thalweg::kernels::THALWEG_KERNELS_ISA
