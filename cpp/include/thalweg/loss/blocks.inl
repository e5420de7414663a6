// The source of the block kernels of every loss, compiled once per instruction set.
//
// The including file defines the instruction set, see kernels/registers.inl. Losses are
// instantiated with Pack, so everything here has internal linkage. A loss arrives as an object that
// ordinary code has made: constructors would be shared inline functions.
//
// A block is walked a pack at a time: iterations are independent but for one addition, so that the
// processor overlaps them. Sums have a partial sum for each lane.
#include "thalweg/catalog/loss.hpp"
#include "thalweg/kernels/pack.inl"
#include "thalweg/loss/blocks.hpp"

namespace thalweg::loss::THALWEG_KERNELS_ISA {
namespace {

using namespace kernels::THALWEG_KERNELS_ISA;

// Inlines what a kernel calls: a pack that crosses a call goes through memory. Not with sanitizers,
// whose checks make that take minutes.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define THALWEG_LOSS_KERNEL
#else
#define THALWEG_LOSS_KERNEL __attribute__((flatten))
#endif

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

// Calls f(slice) for the slices that cover n samples.
template <class F>
THALWEG_KERNEL_INLINE void for_slices(Index n, F f) {
  Index i = 0;
  for (; i + lanes <= n; i += lanes) f(Slice<true>{i, lanes});
  if (i < n) f(Slice<false>{i, static_cast<int>(n - i)});
}

// A sum over samples: one partial sum for each lane.
struct Sum {
  Pack lane_sums = 0.0;
  template <class At>
  THALWEG_KERNEL_INLINE void add(At at, const Rows& rows, Pack v) {
    lane_sums = lane_sums + at.present(at.weighted(rows, v));
  }
  THALWEG_KERNEL_INLINE double total() const { return lane_sum(lane_sums.v); }
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
  for_slices(
      rows.n, [&](auto at) __attribute__((always_inline)) {
        const Derivatives<Pack> d = of.evaluate(at.load(rows.y), at.load(eta));
        sum.add(at, rows, d.value);
      });
  return sum.total();
}

template <class L>
THALWEG_LOSS_KERNEL double gradient(const void* loss, const Rows& rows, const double* eta,
                                    double* g) {
  const L of = object<L>(loss);
  Sum sum;
  for_slices(
      rows.n, [&](auto at) __attribute__((always_inline)) {
        const Derivatives<Pack> d = of.evaluate(at.load(rows.y), at.load(eta));
        sum.add(at, rows, d.value);
        at.store(g, at.weighted(rows, d.gradient));
      });
  return sum.total();
}

template <class L>
THALWEG_LOSS_KERNEL double curvature(const void* loss, const Rows& rows, const double* eta,
                                     double* g, double* h) {
  const L of = object<L>(loss);
  Sum sum;
  for_slices(
      rows.n, [&](auto at) __attribute__((always_inline)) {
        const Derivatives<Pack> d = of.evaluate(at.load(rows.y), at.load(eta));
        sum.add(at, rows, d.value);
        at.store(g, at.weighted(rows, d.gradient));
        at.store(h, at.weighted(rows, d.curvature));
      });
  return sum.total();
}

template <Likelihood L>
THALWEG_LOSS_KERNEL void information(const void* loss, const Rows& rows, const double* eta,
                                     double* h) {
  const L of = object<L>(loss);
  for_slices(
      rows.n, [&](auto at) __attribute__((always_inline)) {
        at.store(h, at.weighted(rows, of.information(at.load(eta))));
      });
}

template <Loss L>
THALWEG_LOSS_KERNEL void inverse_links(const void* loss, const Rows& rows, const double* eta,
                                       double* mean) {
  const L of = object<L>(loss);
  for_slices(
      rows.n, [&](auto at) __attribute__((always_inline)) {
        at.store(mean, of.inverse_link(at.load(eta)));
      });
}

template <Loss L>
THALWEG_LOSS_KERNEL double terms(const void* loss, const Rows& rows) {
  const L of = object<L>(loss);
  Sum sum;
  for_slices(
      rows.n, [&](auto at) __attribute__((always_inline)) {
        const Pack v = loss::terms(of, at.load(rows.y));
        sum.add(at, rows, v);
      });
  return sum.total();
}

template <class L>
THALWEG_LOSS_KERNEL void line(const void* loss, const Rows& rows, const double* eta,
                              const double* direction, double t, double* out) {
  const L of = object<L>(loss);
  Sum value_sum, slope_sum, curvature_sum;
  for_slices(
      rows.n, [&](auto at) __attribute__((always_inline)) {
        const Pack along = at.load(direction);
        const Derivatives<Pack> d = of.evaluate(at.load(rows.y), at.load(eta) + t * along);
        value_sum.add(at, rows, d.value);
        slope_sum.add(at, rows, d.gradient * along);
        curvature_sum.add(at, rows, d.curvature * along * along);
      });
  out[0] = value_sum.total();
  out[1] = slope_sum.total();
  out[2] = curvature_sum.total();
}

// Weights are in h already.
void product(const void*, const Rows& rows, const double* h, const double* v, double* out) {
  for_slices(
      rows.n, [&](auto at)
                  __attribute__((always_inline)) { at.store(out, at.load(h) * at.load(v)); });
}

template <class L>
THALWEG_LOSS_KERNEL double conjugate(const void* loss, const Rows& rows, const double* theta) {
  const L of = object<L>(loss);
  Sum sum;
  for_slices(
      rows.n, [&](auto at) __attribute__((always_inline)) {
        const Pack v = of.conjugate(at.load(rows.y), at.load(theta));
        sum.add(at, rows, v);
      });
  return sum.total();
}

template <Loss L>
constexpr BlockKernels kernels_of() {
  BlockKernels kernels{.value = value<L>,
                       .gradient = gradient<L>,
                       .curvature = curvature<L>,
                       .information = nullptr,
                       .line = line<L>,
                       .product = product,
                       .conjugate = conjugate<L>,
                       .inverse_links = inverse_links<L>,
                       .terms = terms<L>};
  if constexpr (Likelihood<L>) kernels.information = information<L>;
  return kernels;
}

// -------------------------------------------------------------------------------------------------
// Several outputs, in planes
// -------------------------------------------------------------------------------------------------

template <MultiLoss L>
THALWEG_LOSS_KERNEL double planes_value(const void* loss, const Rows& rows, const double* eta) {
  const L of = object<L>(loss);
  Sum sum;
  for_slices(
      rows.n, [&](auto at) __attribute__((always_inline)) {
        const auto prediction = [&](Index k) { return at.load(eta + k * rows.stride); };
        const auto softmax = of.softmax(at.load(rows.y), prediction, [](Index, Pack) {});
        sum.add(at, rows, softmax.value());
      });
  return sum.total();
}

// The value and the gradient, and visit(slice, offset of plane k, p_k) for every k; the weights e_k
// wait in the planes of g.
template <MultiLoss L, class Visit>
THALWEG_KERNEL_INLINE double planes_pass(const void* loss, const Rows& rows, const double* eta,
                                         double* g, Visit visit) {
  const L of = object<L>(loss);
  Sum sum;
  for_slices(
      rows.n, [&](auto at) __attribute__((always_inline)) {
        const Pack y = at.load(rows.y);
        const auto softmax = of.softmax(
            y, [&](Index k) { return at.load(eta + k * rows.stride); },
            [&](Index k, Pack weight) { at.store(g + k * rows.stride, weight); });
        sum.add(at, rows, softmax.value());
        const Pack inverse = Pack(1.0) / softmax.sum;
        for (Index k = 0; k < of.outputs; ++k) {
          const Pack weight = at.load(g + k * rows.stride);
          visit(at, k * rows.stride, weight * inverse);
          at.store(g + k * rows.stride, at.weighted(rows, softmax.gradient(y, k, weight, inverse)));
        }
      });
  return sum.total();
}

template <MultiLoss L>
THALWEG_LOSS_KERNEL double planes_gradient(const void* loss, const Rows& rows, const double* eta,
                                           double* g) {
  return planes_pass<L>(loss, rows, eta, g, [](auto, Index, Pack) {});
}

template <MultiLoss L>
THALWEG_LOSS_KERNEL double planes_curvature(const void* loss, const Rows& rows, const double* eta,
                                            double* g, double* h) {
  return planes_pass<L>(loss, rows, eta, g, [&](auto at, Index plane, Pack probability) {
    at.store(h + plane, probability);
  });
}

// The probabilities, which are the information as well.
template <MultiLoss L>
THALWEG_LOSS_KERNEL void probabilities(const void* loss, const Rows& rows, const double* eta,
                                       double* h) {
  const L of = object<L>(loss);
  for_slices(
      rows.n, [&](auto at) __attribute__((always_inline)) {
        const auto softmax = of.softmax(
            Pack(0.0), [&](Index k) { return at.load(eta + k * rows.stride); },
            [&](Index k, Pack weight) { at.store(h + k * rows.stride, weight); });
        const Pack inverse = Pack(1.0) / softmax.sum;
        for (Index k = 0; k < of.outputs; ++k) {
          double* const plane = h + k * rows.stride;
          at.store(plane, at.load(plane) * inverse);
        }
      });
}

// The second derivative along d is the variance of d_k under the probabilities, taken about the
// label's: a shift of all d_k by the same changes neither derivative.
template <MultiLoss L>
THALWEG_LOSS_KERNEL void planes_line(const void* loss, const Rows& rows, const double* eta,
                                     const double* direction, double t, double* out) {
  const L of = object<L>(loss);
  Sum value_sum, slope_sum, curvature_sum;
  for_slices(
      rows.n, [&](auto at) __attribute__((always_inline)) {
        const Pack y = at.load(rows.y);
        const auto along = [&](Index k) { return at.load(direction + k * rows.stride); };
        Pack label = 0.0;
        for (Index k = 0; k < of.outputs; ++k) {
          label = select(y == static_cast<double>(k), along(k), label);
        }
        Pack first = 0.0, second = 0.0;
        const auto softmax = of.softmax(
            y, [&](Index k) { return at.load(eta + k * rows.stride) + t * along(k); },
            [&](Index k, Pack weight) {
              const Pack difference = along(k) - label;
              first = first + weight * difference;
              second = second + weight * difference * difference;
            });
        const Pack inverse = Pack(1.0) / softmax.sum, mean = first * inverse;
        value_sum.add(at, rows, softmax.value());
        slope_sum.add(at, rows, mean);
        curvature_sum.add(at, rows, max(second * inverse - mean * mean, 0.0));
      });
  out[0] = value_sum.total();
  out[1] = slope_sum.total();
  out[2] = curvature_sum.total();
}

// s (p_k v_k - p_k sum_l p_l v_l)
template <MultiLoss L>
THALWEG_LOSS_KERNEL void planes_product(const void* loss, const Rows& rows, const double* h,
                                        const double* v, double* out) {
  const L of = object<L>(loss);
  for_slices(
      rows.n, [&](auto at) __attribute__((always_inline)) {
        Pack mean = 0.0;
        for (Index k = 0; k < of.outputs; ++k) {
          mean = mean + at.load(h + k * rows.stride) * at.load(v + k * rows.stride);
        }
        for (Index k = 0; k < of.outputs; ++k) {
          const Pack centred = at.load(v + k * rows.stride) - mean;
          at.store(out + k * rows.stride,
                   at.weighted(rows, at.load(h + k * rows.stride) * centred));
        }
      });
}

template <MultiLoss L>
THALWEG_LOSS_KERNEL double planes_conjugate(const void* loss, const Rows& rows,
                                            const double* theta) {
  const L of = object<L>(loss);
  Sum sum;
  for_slices(
      rows.n, [&](auto at) __attribute__((always_inline)) {
        const Pack v = of.conjugate(at.load(rows.y),
                                    [&](Index k) { return at.load(theta + k * rows.stride); });
        sum.add(at, rows, v);
      });
  return sum.total();
}

template <MultiLoss L>
constexpr BlockKernels kernels_of() {
  return {.value = planes_value<L>,
          .gradient = planes_gradient<L>,
          .curvature = planes_curvature<L>,
          .information = probabilities<L>,
          .line = planes_line<L>,
          .product = planes_product<L>,
          .conjugate = planes_conjugate<L>,
          .inverse_links = probabilities<L>,
          .terms = nullptr};
}

}  // namespace

extern const BlockKernels loss_kernels[];
#define THALWEG_LOSS(name_, class_) kernels_of<class_>(),
constinit const BlockKernels loss_kernels[] = {
#include "thalweg/catalog/loss.def"
};
#undef THALWEG_LOSS

}  // namespace thalweg::loss::THALWEG_KERNELS_ISA
