// Products of a row-major block of X with several vectors ("planes") at once, in register tiles, so
// that an entry that is loaded meets several vectors. A column-major block is its own transpose.
//
// Included by kernels.inl. Cost: n p planes multiply-adds, four times as many as entries of X and
// of the vectors are loaded.
#pragma once

#include "thalweg/kernels/registers.inl"

namespace thalweg::kernels::THALWEG_KERNELS_ISA {
namespace {

// Sizes that leave registers for loads and a broadcast, as those of Tile: accumulators are 24 of
// 32, 12 of 16, 8 of 16.
constexpr int tile_planes = lanes == 8 ? 8 : 4;
constexpr int tile_vectors = lanes == 2 ? 2 : 3;        // of columns of X, beside tile_planes
constexpr int tile_plane_vectors = lanes == 2 ? 4 : 3;  // of planes, beside `lanes` rows of X

template <int count>
struct Count {};

// How many registers the next tile takes of those left, `most` at most. One more than that are two
// and the rest: a tile of one register has too few sums to overlap.
THALWEG_KERNEL_INLINE int next_tile(Index left, int most) {
  if (left >= most && left != most + 1) return most;
  return left >= 2 ? 2 : 1;
}

struct WholeVector {};  // in place of a Piece
template <class T>
THALWEG_KERNEL_INLINE Vec load(WholeVector, const T* p) {
  return load(p);
}
THALWEG_KERNEL_INLINE void store(WholeVector, double* p, Vec v) { store(p, v); }

// out_k += X' v_k on `vectors` registers of columns, or a piece of one. Not inlined, see
// panel_tile.
template <int planes, int vectors, class Width, class T>
__attribute__((noinline)) void accumulate_tile(Width width_of, const T* x, Index stride, Index n,
                                               const double* v, Index pitch, double* out,
                                               Index out_pitch) {
  Vec acc[planes][vectors] = {};
  for (Index i = 0; i < n; ++i, x += stride) {
    Vec row[vectors];
    THALWEG_UNROLL
    for (int c = 0; c < vectors; ++c) row[c] = load(width_of, x + c * lanes);
    THALWEG_UNROLL
    for (int k = 0; k < planes; ++k) {
      Vec factor = broadcast(v[k * pitch + i]);
      keep_in_register(factor);
      THALWEG_UNROLL
      for (int c = 0; c < vectors; ++c) acc[k][c] += factor * row[c];
    }
  }
  THALWEG_UNROLL
  for (int k = 0; k < planes; ++k) {
    THALWEG_UNROLL
    for (int c = 0; c < vectors; ++c) {
      double* const at = out + k * out_pitch + c * lanes;
      store(width_of, at, load(width_of, at) + acc[k][c]);
    }
  }
}

template <int planes, class T>
void accumulate_planes(const T* x, Index stride, Index n, Index p, const double* v, Index pitch,
                       double* out, Index out_pitch) {
  Index j = 0;
  const auto advance = [&]<int vectors>(Count<vectors>) {
    accumulate_tile<planes, vectors>(WholeVector{}, x + j, stride, n, v, pitch, out + j, out_pitch);
    j += vectors * lanes;
  };
  while (p - j >= lanes) {
    const int vectors = next_tile((p - j) / lanes, tile_vectors);
    if (vectors == tile_vectors) advance(Count<tile_vectors>{});
    else if (vectors == 2) advance(Count<2>{});
    else advance(Count<1>{});
  }
  for_tail(j, p, [&](auto piece, Index at, int) {
    accumulate_tile<planes, 1>(piece, x + at, stride, n, v, pitch, out + at, out_pitch);
  });
}

template <class T>
void planes_accumulate(const T* x, Index stride, Index n, Index p, const double* v, Index pitch,
                       Index planes, double* out, Index out_pitch) {
  Index k = 0;
  const auto advance = [&]<int count>(Count<count>) {
    accumulate_planes<count>(x, stride, n, p, v + k * pitch, pitch, out + k * out_pitch, out_pitch);
    k += count;
  };
  while (planes - k >= tile_planes) advance(Count<tile_planes>{});
  if (planes - k >= 4) advance(Count<4>{});
  if (planes - k >= 2) advance(Count<2>{});
  if (planes - k >= 1) advance(Count<1>{});
}

// out_k[r] += X w_k for `lanes` rows r of X, or one, and the first `planes` lanes of `vectors`
// registers of planes.
template <int rows, int vectors, class T>
__attribute__((noinline)) void combine_tile(const T* x, Index stride, Index p, const double* w,
                                            Index pitch, Index planes, double* out,
                                            Index out_pitch) {
  Vec acc[vectors][rows] = {};
  for (Index j = 0; j < p; ++j, w += pitch) {
    Vec factors[vectors];
    THALWEG_UNROLL
    for (int c = 0; c < vectors; ++c) factors[c] = load(w + c * lanes);
    THALWEG_UNROLL
    for (int r = 0; r < rows; ++r) {
      Vec entry = broadcast(static_cast<double>(x[r * stride + j]));
      keep_in_register(entry);
      THALWEG_UNROLL
      for (int c = 0; c < vectors; ++c) acc[c][r] += entry * factors[c];
    }
  }
  THALWEG_UNROLL
  for (int c = 0; c < vectors; ++c) {
    if constexpr (rows == lanes) transpose(acc[c]);
    THALWEG_UNROLL
    for (int k = 0; k < lanes; ++k) {
      if (c * lanes + k >= planes) return;
      double* const at = out + (c * lanes + k) * out_pitch;
      if constexpr (rows == lanes) store(at, load(at) + acc[c][k]);
      else *at += acc[c][0][k];
    }
  }
}

template <int vectors, class T>
void combine_planes(const T* x, Index stride, Index n, Index p, const double* w, Index pitch,
                    Index planes, double* out, Index out_pitch) {
  Index i = 0;
  for (; i + lanes <= n; i += lanes)
    combine_tile<lanes, vectors>(x + i * stride, stride, p, w, pitch, planes, out + i, out_pitch);
  for (; i < n; ++i)
    combine_tile<1, vectors>(x + i * stride, stride, p, w, pitch, planes, out + i, out_pitch);
}

template <class T>
void planes_combine(const T* x, Index stride, Index n, Index p, const double* w, Index pitch,
                    Index planes, double* out, Index out_pitch) {
  constexpr Index columns = 128;  // whose factors stay in the first-level cache
  for (Index j = 0; j < p; j += columns) {
    const Index size = p - j < columns ? p - j : columns;
    Index k = 0;
    const auto advance = [&]<int vectors>(Count<vectors>) {
      combine_planes<vectors>(x + j, stride, n, size, w + j * pitch + k, pitch, planes - k,
                              out + k * out_pitch, out_pitch);
      k += vectors * lanes;
    };
    while (k < planes) {
      const int vectors = next_tile((planes - k + lanes - 1) / lanes, tile_plane_vectors);
      if (vectors == tile_plane_vectors) advance(Count<tile_plane_vectors>{});
      else if (vectors == 2) advance(Count<2>{});
      else advance(Count<1>{});
    }
  }
}

}  // namespace
}  // namespace thalweg::kernels::THALWEG_KERNELS_ISA
