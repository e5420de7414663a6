// Columns of a dense design that are contiguous in memory: products with a vector, updates of a
// vector, moments; one column at a time or several, so that the vector is read once for them all.
//
// Included by kernels.inl. Cost: n multiply-adds a column; memory sets the pace beyond the caches.
#pragma once

#include "thalweg/kernels/kernels.hpp"
#include "thalweg/kernels/registers.inl"

namespace thalweg::kernels::THALWEG_KERNELS_ISA {
namespace {

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

}  // namespace
}  // namespace thalweg::kernels::THALWEG_KERNELS_ISA
