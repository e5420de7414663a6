// Losses over blocks of samples: what an objective calls, never a loss per sample.
//
// Each loss has a table of kernels, compiled once per instruction set from loss/blocks.inl and
// chosen as kernels::table() is. A LossBlock is a loss with its parameters and its table.
// Conventions:
//
// - Sums are over the samples of the block, s_i times the loss, not divided by anything; s may be
//   null (ones). A sample of weight zero adds zero, whatever its loss; otherwise NaN comes out.
// - A sum is accumulated in an order that depends on n and the instruction set only. No kernel
//   opens a parallel region, allocates, or calls the C library per sample.
// - A loss of K outputs sees K planes: the predictions of sample i are eta[k * stride + i], k < K,
//   and so are directions, gradients and curvatures. A loss of one output ignores the stride.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>

#include "thalweg/kernels/kernels.hpp"
#include "thalweg/loss/concept.hpp"
#include "thalweg/loss/proximal.hpp"

namespace thalweg::loss {

// Targets and weights of a block.
struct Rows {
  const double* y;
  const double* s;  // null: ones
  Index n;
  Index stride = 0;  // from one plane to the next, for losses of several outputs
};

// `loss` points to an object of the class that the table is of.
struct BlockKernels {
  double (*value)(const void* loss, const Rows& rows, const double* eta);
  double (*gradient)(const void* loss, const Rows& rows, const double* eta, double* g);
  double (*curvature)(const void* loss, const Rows& rows, const double* eta, double* g, double* h);
  // Null unless the loss is a likelihood.
  void (*information)(const void* loss, const Rows& rows, const double* eta, double* h);
  void (*line)(const void* loss, const Rows& rows, const double* eta, const double* d, double t,
               double* out);
  void (*product)(const void* loss, const Rows& rows, const double* h, const double* v,
                  double* out);
  double (*conjugate)(const void* loss, const Rows& rows, const double* theta);
  void (*inverse_links)(const void* loss, const Rows& rows, const double* eta, double* mean);
  // Null of several outputs.
  double (*terms)(const void* loss, const Rows& rows);
};

// The tables of one instruction set in the order of catalog.def. Throws core::InvalidArgument if it
// is none of kernels::tables().
std::span<const BlockKernels> block_kernels(const kernels::Table& isa = kernels::table());

class LossBlock final {
 public:
  template <class L>
  LossBlock(const L& loss, const BlockKernels& kernels)
      : members_(&members_of<L>), kernels_(&kernels) {
    static_assert(sizeof(L) <= sizeof object_ && std::is_trivially_copyable_v<L>);
    std::memcpy(object_, &loss, sizeof loss);
  }

  const core::Info& info() const noexcept { return *members_->info; }
  // Predictions per sample.
  Index outputs() const noexcept { return members_->outputs(object_); }
  bool is_convex() const noexcept { return members_->is_convex(object_); }
  // Is y in the domain, which domain() puts into words ("y in {-1, 1}")?
  bool validate(double y) const noexcept { return members_->validate(object_, y); }
  std::string_view domain() const noexcept { return members_->domain(object_); }
  // The prediction on the scale of y: a mean, or the probability of the label 1. For a loss of
  // several outputs see inverse_links.
  double inverse_link(double eta) const noexcept {
    double mean = 0;
    inverse_links(1, 1, &eta, &mean);
    return mean;
  }
  // The same for n samples; of several outputs the probabilities, in planes as eta has.
  void inverse_links(Index n, Index stride, const double* eta, double* mean) const noexcept {
    const Rows rows{.y = nullptr, .s = nullptr, .n = n, .stride = stride};
    kernels_->inverse_links(object_, rows, eta, mean);
  }
  // sum_i s_i terms(y_i), of one output: see concept.hpp.
  double terms(const Rows& rows) const noexcept { return kernels_->terms(object_, rows); }

  // Of one sample, of one output: see proximal.hpp.
  Proximal proximal(double y, double center, double scale, double start) const noexcept {
    return members_->proximal(object_, y, center, scale, start);
  }

  // sum_i s_i loss(y_i, eta_i)
  double value(const Rows& rows, const double* eta) const noexcept {
    return kernels_->value(object_, rows, eta);
  }
  // The same, and g_i = s_i d/d eta loss(y_i, eta_i).
  double gradient(const Rows& rows, const double* eta, double* g) const noexcept {
    return kernels_->gradient(object_, rows, eta, g);
  }
  // The same, and h_i = s_i curvature(y_i, eta_i). Of several outputs, h are the probabilities p_k,
  // from which `product` makes products with the second derivative.
  double curvature(const Rows& rows, const double* eta, double* g, double* h) const noexcept {
    return kernels_->curvature(object_, rows, eta, g, h);
  }
  // The expectation of h under the model, for losses flagged `likelihood`.
  void information(const Rows& rows, const double* eta, double* h) const noexcept {
    kernels_->information(object_, rows, eta, h);
  }
  // Value, first and second derivative in t of sum_i s_i loss(y_i, eta_i + t d_i).
  void line(const Rows& rows, const double* eta, const double* d, double t,
            double* out) const noexcept {
    kernels_->line(object_, rows, eta, d, t, out);
  }
  // out = H v for the weighted second derivative H that `curvature` left in h: h_i v_i, or
  // s (p_k v_k - p_k sum_l p_l v_l) for several outputs. out may be v.
  void product(const Rows& rows, const double* h, const double* v, double* out) const noexcept {
    kernels_->product(object_, rows, h, v, out);
  }
  // sum_i s_i conjugate(y_i, theta_i), +inf where one is.
  double conjugate(const Rows& rows, const double* theta) const noexcept {
    return kernels_->conjugate(object_, rows, theta);
  }

 private:
  // What is not called per block, as functions of the object.
  struct Members {
    const core::Info* info;
    Index (*outputs)(const void*) noexcept;
    bool (*is_convex)(const void*) noexcept;
    bool (*validate)(const void*, double y) noexcept;
    std::string_view (*domain)(const void*) noexcept;
    // Null of several outputs.
    Proximal (*proximal)(const void*, double y, double center, double scale, double start) noexcept;
  };

  template <class L>
  static const L& as(const void* object) noexcept {
    return *std::launder(static_cast<const L*>(object));
  }

  template <class L>
  static constexpr auto proximal_of() {
    using Function = Proximal (*)(const void*, double, double, double, double) noexcept;
    if constexpr (Loss<L>) {
      return Function{
          [](const void* object, double y, double center, double scale, double start) noexcept {
            return loss::proximal(as<L>(object), y, center, scale, start);
          }};
    } else {
      return Function{nullptr};
    }
  }

  template <class L>
  static constexpr Members members_of{
      &L::info,
      [](const void* object) noexcept -> Index {
        if constexpr (Loss<L>) return 1;
        else return as<L>(object).outputs;
      },
      [](const void* object) noexcept { return loss::is_convex(as<L>(object)); },
      [](const void* object, double y) noexcept { return as<L>(object).validate(y); },
      [](const void* object) noexcept -> std::string_view { return as<L>(object).domain(); },
      proximal_of<L>()};

  const Members* members_;
  const BlockKernels* kernels_;
  alignas(double) std::byte object_[4 * sizeof(double)];
};

}  // namespace thalweg::loss
