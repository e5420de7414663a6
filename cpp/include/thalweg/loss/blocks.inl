// The source of the block kernels of every loss, compiled once per instruction set.
//
// The including file defines the instruction set, see kernels/registers.inl. Losses are
// instantiated with Pack, so everything here has internal linkage. A loss arrives as an object that
// ordinary code has made: constructors would be shared inline functions.
//
// A block is walked two packs at a time, for two independent chains of arithmetic; sums have an
// accumulator for each, added in a fixed order.
#include "thalweg/catalog/loss.hpp"
#include "thalweg/kernels/pack.inl"
#include "thalweg/loss/blocks.hpp"

namespace thalweg::loss::THALWEG_KERNELS_ISA {
namespace {

using namespace kernels::THALWEG_KERNELS_ISA;

// Inlines what a kernel calls: a pack that crosses a call goes through memory.
#define THALWEG_LOSS_KERNEL __attribute__((flatten))

// `lanes` consecutive samples, or, at the end of a block, `count` < lanes. Missing lanes repeat the
// last sample, which is in the loss's domain, and add nothing.
template <bool full>
struct Slice {
  Index first;
  int count;

  THALWEG_KERNEL_INLINE Pack load(const double* p) const {
    if constexpr (full) return kernels::THALWEG_KERNELS_ISA::load(p + first);
    Pack v;
    for (int k = 0; k < lanes; ++k) v.v[k] = p[first + (k < count ? k : count - 1)];
    return v;
  }
  THALWEG_KERNEL_INLINE void store(double* p, Pack v) const {
    if constexpr (full) {
      kernels::THALWEG_KERNELS_ISA::store(p + first, v.v);
    } else {
      for (int k = 0; k < count; ++k) p[first + k] = v.v[k];
    }
  }
  THALWEG_KERNEL_INLINE Pack present(Pack v) const {
    if constexpr (full) return v;
    for (int k = count; k < lanes; ++k) v.v[k] = 0.0;
    return v;
  }
  // s_i v_i; a weight of zero removes its sample, also one whose loss is infinite.
  THALWEG_KERNEL_INLINE Pack weighted(const Rows& rows, Pack v) const {
    if (rows.s == nullptr) return v;
    const Pack s = load(rows.s);
    return select(s == 0.0, 0.0, s * v);
  }
};

// Calls f(slice, accumulator) for the slices that cover n samples.
template <class F>
THALWEG_KERNEL_INLINE void for_slices(Index n, F f) {
  Index i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    f(Slice<true>{i, lanes}, 0);
    f(Slice<true>{i + lanes, lanes}, 1);
  }
  if (i + lanes <= n) {
    f(Slice<true>{i, lanes}, 0);
    i += lanes;
  }
  if (i < n) f(Slice<false>{i, static_cast<int>(n - i)}, 1);
}

struct Sum {
  Pack part[2] = {0.0, 0.0};
  THALWEG_KERNEL_INLINE double total() const { return lane_sum((part[0] + part[1]).v); }
};

// The loss, copied: what a kernel stores cannot be one of its parameters.
template <class L>
THALWEG_KERNEL_INLINE L object(const void* loss) {
  L copy;
  __builtin_memcpy(&copy, loss, sizeof copy);
  return copy;
}

// -------------------------------------------------------------------------------------------------
// One output
// -------------------------------------------------------------------------------------------------

template <class L>
THALWEG_LOSS_KERNEL double value(const void* loss, const Rows& rows, const double* eta) {
  const L of = object<L>(loss);
  Sum sum;
  for_slices(rows.n, [&](auto at, int u) __attribute__((always_inline)) {
    const Derivatives<Pack> d = of.evaluate(at.load(rows.y), at.load(eta));
    sum.part[u] = sum.part[u] + at.present(at.weighted(rows, d.value));
  });
  return sum.total();
}

template <class L>
THALWEG_LOSS_KERNEL double gradient(const void* loss, const Rows& rows, const double* eta,
                                    double* g) {
  const L of = object<L>(loss);
  Sum sum;
  for_slices(rows.n, [&](auto at, int u) __attribute__((always_inline)) {
    const Derivatives<Pack> d = of.evaluate(at.load(rows.y), at.load(eta));
    sum.part[u] = sum.part[u] + at.present(at.weighted(rows, d.value));
    at.store(g, at.weighted(rows, d.gradient));
  });
  return sum.total();
}

template <class L>
THALWEG_LOSS_KERNEL double curvature(const void* loss, const Rows& rows, const double* eta,
                                     double* g, double* h) {
  const L of = object<L>(loss);
  Sum sum;
  for_slices(rows.n, [&](auto at, int u) __attribute__((always_inline)) {
    const Derivatives<Pack> d = of.evaluate(at.load(rows.y), at.load(eta));
    sum.part[u] = sum.part[u] + at.present(at.weighted(rows, d.value));
    at.store(g, at.weighted(rows, d.gradient));
    at.store(h, at.weighted(rows, d.curvature));
  });
  return sum.total();
}

template <class L>
THALWEG_LOSS_KERNEL void line(const void* loss, const Rows& rows, const double* eta,
                              const double* direction, double t, double* out) {
  const L of = object<L>(loss);
  Sum value_sum, slope_sum, curvature_sum;
  for_slices(rows.n, [&](auto at, int u) __attribute__((always_inline)) {
    const Pack along = at.load(direction);
    const Derivatives<Pack> d = of.evaluate(at.load(rows.y), at.load(eta) + t * along);
    const auto add = [&](Sum& sum, Pack v) __attribute__((always_inline)) {
      sum.part[u] = sum.part[u] + at.present(at.weighted(rows, v));
    };
    add(value_sum, d.value);
    add(slope_sum, d.gradient * along);
    add(curvature_sum, d.curvature * along * along);
  });
  out[0] = value_sum.total();
  out[1] = slope_sum.total();
  out[2] = curvature_sum.total();
}

// Weights are in h already.
void product(const void*, const Rows& rows, const double* h, const double* v, double* out) {
  for_slices(rows.n, [&](auto at, int) __attribute__((always_inline)) {
    at.store(out, at.load(h) * at.load(v));
  });
}

template <class L>
THALWEG_LOSS_KERNEL double conjugate(const void* loss, const Rows& rows, const double* theta) {
  const L of = object<L>(loss);
  Sum sum;
  for_slices(rows.n, [&](auto at, int u) __attribute__((always_inline)) {
    const Pack v = of.conjugate(at.load(rows.y), at.load(theta));
    sum.part[u] = sum.part[u] + at.present(at.weighted(rows, v));
  });
  return sum.total();
}

template <Loss L>
constexpr BlockKernels kernels_of() {
  return {value<L>, gradient<L>, curvature<L>, line<L>, product, conjugate<L>};
}

}  // namespace

extern const BlockKernels loss_kernels[];
#define THALWEG_LOSS(name_, class_) kernels_of<class_>(),
constinit const BlockKernels loss_kernels[] = {
#include "thalweg/catalog/loss.def"
};
#undef THALWEG_LOSS

}  // namespace thalweg::loss::THALWEG_KERNELS_ISA
