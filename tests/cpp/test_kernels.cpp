// Every kernel of every instruction set that this processor supports against naive loops in
// extended precision: short lengths (all tails), a few long ones, float and double data, int32 and
// int64 indices, unaligned pointers, strides. Guard values around each output must survive.
#include "thalweg/kernels/kernels.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace thalweg::kernels {
namespace {

constexpr double guard = -7.25;
const double nan_value = std::nan("");

std::vector<Index> lengths() {
  std::vector<Index> list;
  for (Index n = 0; n <= 130; ++n) list.push_back(n);
  for (Index n : {255, 256, 257, 1000, 4099}) list.push_back(n);
  return list;
}

// An array that starts `offset` elements into its storage, with guards at both ends.
template <class T>
struct Array {
  std::vector<T> storage;
  Index offset;
  Index size;

  Array(Index n, Index shift)
      : storage(static_cast<std::size_t>(n + 2 * shift + 16), T(guard)),
        offset(shift + 1),
        size(n) {}
  T* data() { return storage.data() + offset; }
  const T* data() const { return storage.data() + offset; }
  T& operator[](Index i) { return data()[i]; }
  const T& operator[](Index i) const { return data()[i]; }
  bool guarded() const {
    for (Index i = 0; i < static_cast<Index>(storage.size()); ++i) {
      const bool inside = i >= offset && i < offset + size;
      if (!inside && storage[static_cast<std::size_t>(i)] != T(guard)) return false;
    }
    return true;
  }
};

template <class T>
Array<T> random_array(Index n, Index shift, unsigned seed) {
  Array<T> a(n, shift);
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  for (Index i = 0; i < n; ++i) a[i] = static_cast<T>(normal(generator));
  return a;
}

// `got` against sum of terms whose absolute values sum to `scale`.
void expect_sum(long double want, long double scale, double got) {
  const long double bound = 1e-15L * (scale + 1.0L) * 16.0L;
  EXPECT_LE(std::abs(want - static_cast<long double>(got)), bound) << "want " << want;
}

struct Exact {
  long double sum = 0;
  long double scale = 0;
  void add(long double term) {
    sum += term;
    scale += std::abs(term);
  }
  void check(double got) const { expect_sum(sum, scale, got); }
};

// Random increasing rows below `limit`.
template <class I>
std::vector<I> random_rows(Index nnz, Index limit, unsigned seed) {
  std::vector<I> rows;
  std::mt19937 generator(seed);
  Index needed = nnz;
  for (Index row = 0; row < limit && needed > 0; ++row) {
    if (static_cast<Index>(generator() % static_cast<unsigned>(limit - row)) < needed) {
      rows.push_back(static_cast<I>(row));
      --needed;
    }
  }
  return rows;
}

template <class T>
class DenseTest : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(DenseTest, Scalars);

TYPED_TEST(DenseTest, ColumnsAgreeWithNaiveLoops) {
  using T = TypeParam;
  for (const Table* table : tables()) {
    const DenseKernels<T>& k = table->dense<T>();
    for (const Index n : lengths()) {
      for (const Index shift : {0, 1, 3}) {
        SCOPED_TRACE(std::string(table->name) + " n=" + std::to_string(n));
        const auto x = random_array<T>(n, shift, 1);
        const auto v = random_array<double>(n, shift + 1, 2);
        const auto s = random_array<double>(n, 2, 3);
        Exact dot, sum, sum_sq, weighted_sum, weighted_sum_sq;
        for (Index i = 0; i < n; ++i) {
          const long double xi = x[i];
          dot.add(xi * v[i]);
          sum.add(xi);
          sum_sq.add(xi * xi);
          weighted_sum.add(xi * s[i]);
          weighted_sum_sq.add(xi * xi * s[i]);
        }
        dot.check(k.dot(x.data(), v.data(), n));
        const Moments plain = k.moments(x.data(), nullptr, v.data(), n);
        sum.check(plain.sum);
        sum_sq.check(plain.sum_sq);
        dot.check(plain.dot);
        const Moments weighted = k.moments(x.data(), s.data(), v.data(), n);
        weighted_sum.check(weighted.sum);
        weighted_sum_sq.check(weighted.sum_sq);
        dot.check(weighted.dot);

        auto out = v;
        k.axpy(0.75, x.data(), out.data(), n);
        EXPECT_TRUE(out.guarded());
        auto out_weighted = v;
        k.axpy_weighted(0.75, x.data(), s.data(), out_weighted.data(), n);
        EXPECT_TRUE(out_weighted.guarded());
        for (Index i = 0; i < n; ++i) {
          const long double xi = x[i];
          expect_sum(v[i] + 0.75L * xi, std::abs(v[i]) + std::abs(xi), out[i]);
          expect_sum(v[i] + 0.75L * xi * s[i], std::abs(v[i]) + std::abs(xi * s[i]),
                     out_weighted[i]);
        }
      }
    }
  }
}

TYPED_TEST(DenseTest, ColumnGroupsAgreeWithNaiveLoops) {
  using T = TypeParam;
  for (const Table* table : tables()) {
    const DenseKernels<T>& k = table->dense<T>();
    for (const Index n : {0, 1, 2, 5, 7, 8, 9, 15, 16, 17, 31, 33, 72, 100, 1001}) {
      for (Index count = 0; count <= 11; ++count) {
        SCOPED_TRACE(std::string(table->name) + " n=" + std::to_string(n) +
                     " count=" + std::to_string(count));
        std::vector<Array<T>> columns;
        std::vector<const T*> pointers;
        std::vector<double> a;
        for (Index c = 0; c < count; ++c) {
          columns.push_back(random_array<T>(n, c % 3, static_cast<unsigned>(10 + c)));
          a.push_back(0.5 * static_cast<double>(c) - 1.25);
        }
        for (const auto& column : columns) pointers.push_back(column.data());
        const auto v = random_array<double>(n, 1, 4);
        Array<double> out(count, 0);
        k.dots(pointers.data(), count, v.data(), n, out.data());
        EXPECT_TRUE(out.guarded());
        for (Index c = 0; c < count; ++c) {
          Exact dot;
          for (Index i = 0; i < n; ++i) {
            dot.add(static_cast<long double>(pointers[static_cast<std::size_t>(c)][i]) * v[i]);
          }
          dot.check(out[c]);
          // The bits of a column do not depend on the group that it is in.
          double alone = 0;
          k.dots(&pointers[static_cast<std::size_t>(c)], 1, v.data(), n, &alone);
          EXPECT_EQ(alone, out[c]);
        }
        const auto s = random_array<double>(n, 2, 21);
        for (const double* weights : {static_cast<const double*>(nullptr), s.data()}) {
          std::vector<Moments> moments(static_cast<std::size_t>(count));
          k.moments_group(pointers.data(), count, weights, v.data(), n, moments.data());
          for (std::size_t c = 0; c < moments.size(); ++c) {
            const Moments alone = k.moments(pointers[c], weights, v.data(), n);
            EXPECT_EQ(alone.sum, moments[c].sum);
            EXPECT_EQ(alone.sum_sq, moments[c].sum_sq);
            EXPECT_EQ(alone.dot, moments[c].dot);
          }
        }
        auto together = v;
        k.axpys(a.data(), pointers.data(), count, together.data(), n);
        EXPECT_TRUE(together.guarded());
        auto one_by_one = v;
        for (Index c = 0; c < count; ++c) {
          const auto u = static_cast<std::size_t>(c);
          k.axpy(a[u], pointers[u], one_by_one.data(), n);
        }
        for (Index i = 0; i < n; ++i) EXPECT_EQ(one_by_one[i], together[i]);
      }
    }
  }
}

TYPED_TEST(DenseTest, RowsAgreeWithNaiveLoops) {
  using T = TypeParam;
  for (const Table* table : tables()) {
    const DenseKernels<T>& k = table->dense<T>();
    for (const Index n : {0, 1, 3, 4, 5, 8, 12, 13, 21}) {
      for (const Index p : {0, 1, 2, 3, 5, 8, 9, 15, 16, 17, 23, 31, 64, 72, 100, 333}) {
        for (const Index extra : {0, 5}) {
          SCOPED_TRACE(std::string(table->name) + " n=" + std::to_string(n) +
                       " p=" + std::to_string(p));
          const Index stride = p + extra;
          const auto x = random_array<T>(n * stride, 1, 5);
          const auto v = random_array<double>(n, 1, 6);
          const auto s = random_array<double>(n, 2, 7);
          const auto start = random_array<double>(p, 3, 8);
          auto out = start;
          k.rows_accumulate(x.data(), stride, n, p, v.data(), out.data());
          EXPECT_TRUE(out.guarded());
          const auto coef = random_array<double>(p, 1, 9);
          const auto before = random_array<double>(n, 2, 10);
          auto combined = before;
          k.rows_combine(x.data(), stride, n, p, coef.data(), combined.data());
          EXPECT_TRUE(combined.guarded());
          for (Index i = 0; i < n; ++i) {
            Exact exact;
            exact.add(before[i]);
            for (Index j = 0; j < p; ++j)
              exact.add(static_cast<long double>(coef[j]) * x[i * stride + j]);
            exact.check(combined[i]);
          }
          for (const double* weights : {static_cast<const double*>(nullptr), s.data()}) {
            auto sum = start, sum_sq = start, dot = start;
            k.rows_moments(x.data(), stride, n, p, weights, v.data(), sum.data(), sum_sq.data(),
                           dot.data());
            EXPECT_TRUE(sum.guarded() && sum_sq.guarded() && dot.guarded());
            for (Index j = 0; j < p; ++j) {
              Exact exact_sum, exact_sum_sq, exact_dot;
              exact_sum.add(start[j]);
              exact_sum_sq.add(start[j]);
              exact_dot.add(start[j]);
              for (Index i = 0; i < n; ++i) {
                const long double xij = x[i * stride + j];
                const long double w = weights != nullptr ? weights[i] : 1.0;
                exact_sum.add(w * xij);
                exact_sum_sq.add(w * xij * xij);
                exact_dot.add(xij * v[i]);
              }
              exact_sum.check(sum[j]);
              exact_sum_sq.check(sum_sq[j]);
              exact_dot.check(dot[j]);
              exact_dot.check(out[j]);
            }
          }
        }
      }
    }
  }
}

TYPED_TEST(DenseTest, PlanesAgreeWithNaiveLoops) {
  using T = TypeParam;
  for (const Table* table : tables()) {
    const DenseKernels<T>& k = table->dense<T>();
    for (const Index planes : {1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17, 26}) {
      for (const auto& [n, p] : {std::pair<Index, Index>{0, 3},
                                 {3, 0},
                                 {1, 1},
                                 {5, 2},
                                 {8, 16},
                                 {9, 7},
                                 {13, 29},
                                 {34, 131},
                                 {2, 333}}) {
        SCOPED_TRACE(std::string(table->name) + " planes=" + std::to_string(planes) +
                     " n=" + std::to_string(n) + " p=" + std::to_string(p));
        const Index stride = p + 3, pitch = n + 2, out_pitch = p + 1;
        const Index side = (planes + side_by_side - 1) / side_by_side * side_by_side;
        const auto x = random_array<T>(n * stride, 1, 5);
        const auto v = random_array<double>(planes * pitch, 1, 6);
        const auto before = random_array<double>(planes * out_pitch, 3, 7);
        auto sums = before;
        k.planes_accumulate(x.data(), stride, n, p, v.data(), pitch, planes, sums.data(),
                            out_pitch);
        const auto coef = random_array<double>(p * side, 1, 8);
        const auto start = random_array<double>(planes * pitch, 2, 9);
        auto combined = start;
        k.planes_combine(x.data(), stride, n, p, coef.data(), side, planes, combined.data(), pitch);
        EXPECT_TRUE(sums.guarded() && combined.guarded());
        for (Index plane = 0; plane < planes; ++plane) {
          for (Index j = 0; j < out_pitch; ++j) {
            Exact exact;
            exact.add(before[plane * out_pitch + j]);
            for (Index i = 0; i < n && j < p; ++i)
              exact.add(static_cast<long double>(v[plane * pitch + i]) * x[i * stride + j]);
            exact.check(sums[plane * out_pitch + j]);
          }
          for (Index i = 0; i < pitch; ++i) {
            Exact exact;
            exact.add(start[plane * pitch + i]);
            for (Index j = 0; j < p && i < n; ++j)
              exact.add(static_cast<long double>(coef[j * side + plane]) * x[i * stride + j]);
            exact.check(combined[plane * pitch + i]);
          }
        }
      }
    }
  }
}

TYPED_TEST(DenseTest, PackCopiesCentresAndWeighs) {
  using T = TypeParam;
  constexpr Index width = gram_panel_width;
  for (const Table* table : tables()) {
    const DenseKernels<T>& k = table->dense<T>();
    for (const Index kc : {0, 1, 3, 7, 8, 9, 17, 64}) {
      for (Index count = 1; count <= width; ++count) {
        // Layouts: columns of a column-major design, adjacent and scattered columns of a
        // row-major one.
        for (const int layout : {0, 1, 2}) {
          SCOPED_TRACE(std::string(table->name) + " kc=" + std::to_string(kc) +
                       " count=" + std::to_string(count) + " layout=" + std::to_string(layout));
          const Index columns = 2 * width;
          const auto x = random_array<T>((kc + 1) * columns, 1, 9);
          std::vector<const T*> pointers;
          for (Index c = 0; c < count; ++c) {
            const Index step[] = {kc + 1, 1, 2};
            pointers.push_back(x.data() + c * step[layout]);
          }
          const Index stride = layout == 0 ? 1 : columns;
          const auto center = random_array<double>(count, 1, 10);
          const auto s = random_array<double>(kc, 1, 11);
          for (const bool centered : {false, true}) {
            for (const bool weighted : {false, true}) {
              Array<double> panel(kc * width, 1);
              k.pack(pointers.data(), stride, count, kc, centered ? center.data() : nullptr,
                     weighted ? s.data() : nullptr, panel.data());
              std::vector<float> rounded(static_cast<std::size_t>(kc * width + 1), -1.0f);
              k.pack_float32(pointers.data(), stride, count, kc, centered ? center.data() : nullptr,
                             weighted ? s.data() : nullptr, rounded.data());
              EXPECT_TRUE(panel.guarded());
              EXPECT_EQ(rounded.back(), -1.0f);
              for (Index i = 0; i < kc; ++i) {
                for (Index c = 0; c < width; ++c) {
                  double want = 0;
                  if (c < count) {
                    want = static_cast<double>(pointers[static_cast<std::size_t>(c)][i * stride]);
                    if (centered) want -= center[c];
                    if (weighted) want *= s[i];
                  }
                  ASSERT_EQ(want, panel[i * width + c]) << "row " << i << " column " << c;
                  ASSERT_EQ(static_cast<float>(want),
                            rounded[static_cast<std::size_t>(i * width + c)]);
                }
              }
            }
          }
        }
      }
    }
  }
}

// check(a, b, kc, i, j, start, got) of every entry of products of such depths.
template <class E, class Check>
void check_panel_products(std::initializer_list<Index> depths, const Check& check) {
  constexpr Index width = gram_panel_width;
  for (const Table* table : tables()) {
    const auto product = table->block.product<E>();
    for (const Index kc : depths) {
      const auto a = random_array<E>(kc * width, 1, 12);
      const auto b = random_array<E>(kc * width, 2, 13);
      for (Index m = 0; m <= width; ++m) {
        for (Index n = 0; n <= width; ++n) {
          SCOPED_TRACE(std::string(table->name) + " kc=" + std::to_string(kc) +
                       " m=" + std::to_string(m) + " n=" + std::to_string(n));
          const Index ldc = width + 3;
          const auto start = random_array<double>(ldc * width, 1, 14);
          auto c = start, upper = start;
          product(a.data(), b.data(), kc, -0.5, c.data(), ldc, m, n, false);
          product(a.data(), b.data(), kc, -0.5, upper.data(), ldc, m, n, true);
          EXPECT_TRUE(c.guarded() && upper.guarded());
          for (Index j = 0; j < width; ++j) {
            for (Index i = 0; i < ldc; ++i) {
              const Index at = i + j * ldc;
              if (i >= m || j >= n) {
                ASSERT_EQ(start[at], c[at]);
                ASSERT_EQ(start[at], upper[at]);
                continue;
              }
              if (i <= j) {
                ASSERT_EQ(c[at], upper[at]);
              }
              check(a, b, kc, i, j, start[at], c[at]);
              if (testing::Test::HasFatalFailure()) return;
            }
          }
        }
      }
    }
  }
}

TEST(BlockTest, PanelProductAgreesWithNaiveLoops) {
  constexpr Index width = gram_panel_width;
  check_panel_products<double>({0, 1, 2, 5, 40}, [](const auto& a, const auto& b, Index kc, Index i,
                                                    Index j, double start, double got) {
    Exact sum;
    sum.add(start);
    for (Index t = 0; t < kc; ++t) sum.add(-0.5L * a[t * width + i] * b[t * width + j]);
    sum.check(got);
  });
}

TEST(BlockTest, RoundedPanelProductIsWithinFloatRounding) {
  constexpr Index width = gram_panel_width;
  check_panel_products<float>(
      {0, 1, 2, 5, 40, 128},
      [](const auto& a, const auto& b, Index kc, Index i, Index j, double start, double got) {
        double sum = 0, size = 0;
        for (Index t = 0; t < kc; ++t) {
          const double term =
              0.5 * static_cast<double>(a[t * width + i]) * static_cast<double>(b[t * width + j]);
          sum -= term;
          size += std::fabs(term);
        }
        const double rounding = static_cast<double>(kc) * 1.2e-7 * size + 1e-15;
        ASSERT_NEAR(got - start, sum, rounding);
      });
}

template <class P>
class SparseTest : public testing::Test {};
template <class T, class I>
struct Types {
  using Scalar = T;
  using Row = I;
};
using SparseTypes = testing::Types<Types<float, std::int32_t>, Types<float, std::int64_t>,
                                   Types<double, std::int32_t>, Types<double, std::int64_t>>;
TYPED_TEST_SUITE(SparseTest, SparseTypes);

TYPED_TEST(SparseTest, ColumnsAgreeWithNaiveLoops) {
  using T = typename TypeParam::Scalar;
  using I = typename TypeParam::Row;
  for (const Table* table : tables()) {
    const SparseKernels<T, I>& k = table->template sparse<T, I>();
    for (const Index nnz : lengths()) {
      SCOPED_TRACE(std::string(table->name) + " nnz=" + std::to_string(nnz));
      const Index n = 3 * nnz + 1;
      const auto x = random_array<T>(nnz, 1, 15);
      const auto rows = random_rows<I>(nnz, n, 16);
      ASSERT_EQ(nnz, static_cast<Index>(rows.size()));
      const auto v = random_array<double>(n, 1, 17);
      const auto s = random_array<double>(n, 2, 18);
      Exact dot, sum, sum_sq, weighted_sum, weighted_sum_sq;
      for (Index e = 0; e < nnz; ++e) {
        const Index row = rows[static_cast<std::size_t>(e)];
        const long double xe = x[e];
        dot.add(xe * v[row]);
        sum.add(xe);
        sum_sq.add(xe * xe);
        weighted_sum.add(xe * s[row]);
        weighted_sum_sq.add(xe * xe * s[row]);
      }
      dot.check(k.dot(x.data(), rows.data(), nnz, v.data()));
      const Moments plain = k.moments(x.data(), rows.data(), nnz, nullptr, v.data());
      sum.check(plain.sum);
      sum_sq.check(plain.sum_sq);
      dot.check(plain.dot);
      const Moments weighted = k.moments(x.data(), rows.data(), nnz, s.data(), v.data());
      weighted_sum.check(weighted.sum);
      weighted_sum_sq.check(weighted.sum_sq);
      dot.check(weighted.dot);
      auto out = v;
      k.axpy(0.75, x.data(), rows.data(), nnz, out.data());
      EXPECT_TRUE(out.guarded());
      auto out_weighted = v;
      k.axpy_weighted(0.75, x.data(), rows.data(), nnz, s.data(), out_weighted.data());
      EXPECT_TRUE(out_weighted.guarded());
      std::size_t e = 0;
      for (Index i = 0; i < n; ++i) {
        long double xi = 0;
        if (e < rows.size() && rows[e] == i) xi = x[static_cast<Index>(e++)];
        expect_sum(v[i] + 0.75L * xi, std::abs(v[i]) + std::abs(xi), out[i]);
        expect_sum(v[i] + 0.75L * xi * s[i], std::abs(v[i]) + std::abs(xi * s[i]), out_weighted[i]);
      }
    }
  }
}

TYPED_TEST(DenseTest, NonFiniteValuesPropagate) {
  using T = TypeParam;
  for (const Table* table : tables()) {
    const DenseKernels<T>& k = table->dense<T>();
    for (const Index n : {1, 3, 8, 33, 100}) {
      for (Index bad = 0; bad < n; ++bad) {
        SCOPED_TRACE(std::string(table->name) + " n=" + std::to_string(n));
        auto x = random_array<T>(n, 1, 19);
        const auto v = random_array<double>(n, 1, 20);
        x[bad] = static_cast<T>(nan_value);
        EXPECT_TRUE(std::isnan(k.dot(x.data(), v.data(), n)));
        const Moments m = k.moments(x.data(), nullptr, v.data(), n);
        EXPECT_TRUE(std::isnan(m.sum) && std::isnan(m.sum_sq) && std::isnan(m.dot));
        const T* column = x.data();
        double out = 0;
        k.dots(&column, 1, v.data(), n, &out);
        EXPECT_TRUE(std::isnan(out));
        auto w = v;
        const double zero = 0.0;
        k.axpys(&zero, &column, 1, w.data(), n);
        EXPECT_TRUE(std::isnan(w[bad]));
        std::vector<double> sums(static_cast<std::size_t>(n), 0.0);
        k.rows_accumulate(x.data(), n, 1, n, &zero, sums.data());
        for (Index j = 0; j < n; ++j) {
          EXPECT_EQ(j == bad, std::isnan(sums[static_cast<std::size_t>(j)]));
        }
        x[bad] = static_cast<T>(infinity);
        EXPECT_TRUE(std::isinf(k.dot(x.data(), v.data(), n)));
      }
    }
  }
}

TEST(TableTest, BaselineIsFirstAndBestIsChosen) {
  ASSERT_FALSE(available().empty());
  EXPECT_STREQ("baseline", available().front());
  ASSERT_EQ(available().size(), tables().size());
  for (std::size_t i = 0; i < tables().size(); ++i) {
    EXPECT_STREQ(available()[i], tables()[i]->name);
  }
  const char* pinned = std::getenv("THALWEG_ISA");
  EXPECT_STREQ(pinned == nullptr ? available().back() : pinned, table().name);
}

}  // namespace
}  // namespace thalweg::kernels
