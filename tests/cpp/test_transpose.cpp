// Copies by tiles against plain loops, at sizes around a tile, with leading dimensions beyond the
// size.
#include "thalweg/kernels/transpose.hpp"

#include <gtest/gtest.h>

namespace thalweg::kernels {
namespace {

class TransposeTest : public ::testing::TestWithParam<Index> {};
INSTANTIATE_TEST_SUITE_P(Sizes, TransposeTest, ::testing::Values(0, 1, 31, 32, 33, 64, 100, 700));

TEST_P(TransposeTest, CopiesTransposed) {
  const Index rows = GetParam(), cols = GetParam() / 2 + 3, in_ld = rows + 1, out_ld = cols + 2;
  Vector in(static_cast<std::size_t>(in_ld * cols)),
      out(static_cast<std::size_t>(out_ld * rows), -1.0);
  for (std::size_t k = 0; k < in.size(); ++k) in[k] = static_cast<double>(k);
  copy_transposed(in.data(), in_ld, rows, cols, out.data(), out_ld, {.threads = 2});
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < out_ld; ++j) {
      const double expected = j < cols ? in[static_cast<std::size_t>(i + j * in_ld)] : -1.0;
      ASSERT_EQ(expected, out[static_cast<std::size_t>(j + i * out_ld)]);
    }
  }
}

TEST_P(TransposeTest, MirrorsATriangle) {
  const Index size = GetParam(), ld = size + 3;
  Vector before(static_cast<std::size_t>(ld * size));
  for (std::size_t k = 0; k < before.size(); ++k) before[k] = static_cast<double>(k);
  for (const bool upper : {true, false}) {
    Vector a = before;
    (upper ? mirror_upper : mirror_lower)(a.data(), size, ld, {.threads = 2});
    for (Index k = 0; k < size; ++k) {
      for (Index i = 0; i < ld; ++i) {
        const bool copied = i < size && (upper ? i > k : i < k);
        const Index from = copied ? k + i * ld : i + k * ld;
        ASSERT_EQ(before[static_cast<std::size_t>(from)], a[static_cast<std::size_t>(i + k * ld)]);
      }
    }
  }
}

TEST(TransposeStopTest, EndsAfterARequest) {
  const Index size = 64;
  const Vector in(static_cast<std::size_t>(size * size), 1.0);
  Vector out(in.size(), 0.0);
  core::StopToken stop;
  stop.request();
  copy_transposed(in.data(), size, size, size, out.data(), size, {.threads = 1, .stop = &stop});
  EXPECT_EQ(Vector(in.size(), 0.0), out);
}

}  // namespace
}  // namespace thalweg::kernels
