// Products of every view against naive loops, and their bits with any number of threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <random>

#include "thalweg/core/parallel.hpp"
#include "thalweg/design/any_design.hpp"

namespace thalweg {
namespace {

// One matrix of small integers, or of ones, so that float32 holds it, with a third of its entries,
// as every view.
class Views {
 public:
  Views(Index rows, Index cols, bool are_ones) : rows_(rows), cols_(cols), are_ones_(are_ones) {
    std::mt19937_64 generator(3);
    std::uniform_int_distribution<int> value(-4, 4), kept(0, 2);
    by_column_.resize(static_cast<std::size_t>(rows * cols));
    for (double& x : by_column_) x = kept(generator) == 0 ? are_ones ? 1 : value(generator) : 0;
    if (are_ones) std::fill_n(by_column_.begin(), rows, 1.0);  // a column without gaps
    by_row_.resize(by_column_.size());
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < cols; ++j) by_row_[size(i * cols + j)] = at(i, j);
    }
    compress(columns_, cols, rows, [this](Index j, Index i) { return at(i, j); });
    compress(lines_, rows, cols, [this](Index i, Index j) { return at(i, j); });
    by_column_f32_.assign(by_column_.begin(), by_column_.end());
    by_row_f32_.assign(by_row_.begin(), by_row_.end());
  }

  double at(Index i, Index j) const { return by_column_[size(i + j * rows_)]; }
  Index rows() const { return rows_; }
  Index cols() const { return cols_; }

  std::vector<design::AnyDesign> all() const {
    std::vector<design::AnyDesign> views{
        design::ColumnMajor<float>(by_column_f32_.data(), rows_, cols_, rows_),
        design::ColumnMajor<double>(by_column_.data(), rows_, cols_, rows_),
        design::RowMajor<float>(by_row_f32_.data(), rows_, cols_, cols_),
        design::RowMajor<double>(by_row_.data(), rows_, cols_, cols_)};
    add_sparse(views, columns_.values_f32, columns_, lines_.values_f32, lines_);
    add_sparse(views, columns_.values, columns_, lines_.values, lines_);
    if (are_ones_) add_ones(views);
    return views;
  }

 private:
  struct Compressed {
    std::vector<double> values;
    std::vector<float> values_f32;
    std::vector<std::int32_t> index, pointers{0};
    std::vector<std::int64_t> long_index, long_pointers;
  };

  static std::size_t size(Index n) { return static_cast<std::size_t>(n); }

  template <class F>
  static void compress(Compressed& out, Index outer, Index inner, F&& entry) {
    for (Index j = 0; j < outer; ++j) {
      for (Index i = 0; i < inner; ++i) {
        if (entry(j, i) == 0) continue;
        out.values.push_back(entry(j, i));
        out.index.push_back(static_cast<std::int32_t>(i));
      }
      out.pointers.push_back(static_cast<std::int32_t>(out.values.size()));
    }
    out.values_f32.assign(out.values.begin(), out.values.end());
    out.long_index.assign(out.index.begin(), out.index.end());
    out.long_pointers.assign(out.pointers.begin(), out.pointers.end());
  }

  template <class T>
  void add_sparse(std::vector<design::AnyDesign>& views, const std::vector<T>& by_column,
                  const Compressed& columns, const std::vector<T>& by_row,
                  const Compressed& lines) const {
    views.push_back(design::Csc<T, std::int32_t>(by_column.data(), columns.index.data(),
                                                 columns.pointers.data(), rows_, cols_));
    views.push_back(design::Csc<T, std::int64_t>(by_column.data(), columns.long_index.data(),
                                                 columns.long_pointers.data(), rows_, cols_));
    views.push_back(design::Csr<T, std::int32_t>(by_row.data(), lines.index.data(),
                                                 lines.pointers.data(), rows_, cols_));
    views.push_back(design::Csr<T, std::int64_t>(by_row.data(), lines.long_index.data(),
                                                 lines.long_pointers.data(), rows_, cols_));
  }

  void add_ones(std::vector<design::AnyDesign>& views) const {
    using One = kernels::One;
    views.push_back(design::Csc<One, std::int32_t>(
        reinterpret_cast<const One*>(columns_.values.data()), columns_.index.data(),
        columns_.pointers.data(), rows_, cols_));
    views.push_back(
        design::Csr<One, std::int32_t>(reinterpret_cast<const One*>(lines_.values.data()),
                                       lines_.index.data(), lines_.pointers.data(), rows_, cols_));
  }

  Index rows_, cols_;
  bool are_ones_;
  std::vector<double> by_column_, by_row_;
  std::vector<float> by_column_f32_, by_row_f32_;
  Compressed columns_, lines_;
};

struct Shape {
  Index rows, cols;
  bool are_ones = false;
};

class DesignTest : public ::testing::TestWithParam<Shape> {
 protected:
  Views views_{GetParam().rows, GetParam().cols, GetParam().are_ones};

  Vector numbers(Index n) const {
    std::mt19937_64 generator(5);
    std::normal_distribution<double> normal;
    Vector v(static_cast<std::size_t>(n));
    for (double& x : v) x = normal(generator);
    return v;
  }
  template <class F>
  void for_each_view(F&& f) const {
    for (const design::AnyDesign& view : views_.all()) {
      SCOPED_TRACE(view.index());
      std::visit(f, view);
    }
  }
  Vector plane_of(const Vector& v, Index k) const {
    return {v.begin() + k * views_.rows(), v.begin() + (k + 1) * views_.rows()};
  }
  std::vector<Index> all_columns() const {
    std::vector<Index> columns(static_cast<std::size_t>(views_.cols()));
    std::iota(columns.begin(), columns.end(), Index{0});
    return columns;
  }
  // Every third column, not in order.
  std::vector<Index> some_columns() const {
    std::vector<Index> columns;
    for (Index j = views_.cols() - 1; j >= 0; j -= 3) columns.push_back(j);
    return columns;
  }
  Vector product(const std::vector<Index>& columns, const Vector& coef, Vector v) const {
    for (std::size_t k = 0; k < columns.size(); ++k) {
      for (std::size_t i = 0; i < v.size(); ++i)
        v[i] += views_.at(static_cast<Index>(i), columns[k]) * coef[k];
    }
    return v;
  }
  double correlation(Index j, const Vector& v) const {
    double sum = 0;
    for (std::size_t i = 0; i < v.size(); ++i) sum += views_.at(static_cast<Index>(i), j) * v[i];
    return sum;
  }
};
// Rows are enough for one pass from the third on, but for one vector and a dense X in the last.
INSTANTIATE_TEST_SUITE_P(Shapes, DesignTest,
                         ::testing::Values(Shape{1, 1}, Shape{7, 30}, Shape{20'000, 21},
                                           Shape{5000, 150}, Shape{40'000, 3},
                                           Shape{20'000, 21, true}, Shape{40, 300, true},
                                           Shape{300, 600}));

TEST_P(DesignTest, ProductsAgreeWithNaiveLoops) {
  const std::vector<Index> columns = some_columns();
  const Vector coef = numbers(static_cast<Index>(columns.size())), v = numbers(views_.rows());
  const Vector expected = product(columns, coef, v);
  for_each_view([&](const auto& x) {
    Vector sum = v, dots(static_cast<std::size_t>(views_.cols()), 7.0);
    x.gemv_add(columns, coef.data(), sum.data(), {.threads = 2});
    x.gemv_t(v.data(), columns, dots.data(), {.threads = 2});
    for (std::size_t i = 0; i < sum.size(); ++i) ASSERT_NEAR(expected[i], sum[i], 1e-11);
    for (Index j = 0; j < views_.cols(); ++j) {
      const bool asked = std::ranges::find(columns, j) != columns.end();
      const double want = asked ? correlation(j, v) : 7.0;
      EXPECT_NEAR(want, dots[static_cast<std::size_t>(j)], 1e-9);
    }
  });
}

TEST_P(DesignTest, OnePassGivesBothProductsAndTheSameBitsWithAnyThreads) {
  const std::vector<Index> asked = all_columns();
  int served = 0;
  for (const std::vector<Index>& columns : {some_columns(), all_columns(), std::vector<Index>{}}) {
    const auto given = static_cast<Index>(columns.size());
    for (const Index planes : {1, 3, 10}) {
      const Vector coef = numbers(planes * given), v = numbers(planes * views_.rows());
      Vector expected;
      for (Index k = 0; k < planes; ++k) {
        const Vector own(coef.begin() + k * given, coef.begin() + (k + 1) * given);
        const Vector sums = product(columns, own, plane_of(v, k));
        expected.insert(expected.end(), sums.begin(), sums.end());
      }
      Vector expected_dots;
      for (Index k = 0; k < planes; ++k) {
        for (const Index j : asked) expected_dots.push_back(correlation(j, plane_of(expected, k)));
      }
      for_each_view([&]<class D>(const D& x) {
        if constexpr (design::FusedProducts<D>) {
          Vector first;
          for (const int threads : {1, 2, 3}) {
            Vector sum = v, dots(asked.size() * static_cast<std::size_t>(planes));
            std::vector<Index> reached(design::most_row_blocks, -1);
            const auto g = [&](const design::RowRange& range) -> const double* {
              // In the order of their block.
              EXPECT_LT(reached[static_cast<std::size_t>(range.block)], range.begin);
              reached[static_cast<std::size_t>(range.block)] = range.begin;
              return sum.data() + range.begin;
            };
            if (!x.gemv_add_then_t(planes, columns, coef.data(), sum.data(), g, asked, dots.data(),
                                   {.threads = threads})) {
              EXPECT_EQ(v, sum);  // nothing done
              const bool is_dense = std::is_same_v<typename D::Entry, design::Dense>;
              EXPECT_FALSE(is_dense && planes > 1 && views_.rows() >= 256);
              return;
            }
            ++served;
            for (std::size_t i = 0; i < sum.size(); ++i) ASSERT_NEAR(expected[i], sum[i], 1e-11);
            for (std::size_t i = 0; i < dots.size(); ++i)
              ASSERT_NEAR(expected_dots[i], dots[i], 1e-8);
            if (first.empty()) first = dots;
            EXPECT_EQ(first, dots);
          }
        }
      });
    }
  }
  EXPECT_GT(served, 0);
}

TEST_P(DesignTest, OnePassMultipliesWithNothingWhereNothingIsGiven) {
  const std::vector<Index> columns = all_columns();
  for (const Index planes : {1, 3, 10}) {
    const Vector coef = numbers(planes * views_.cols()), v = numbers(planes * views_.rows());
    for_each_view([&]<class D>(const D& x) {
      if constexpr (design::FusedProducts<D>) {
        Vector sum = v;
        const auto nothing = [](const design::RowRange&) -> const double* { return nullptr; };
        if (!x.gemv_add_then_t(planes, columns, coef.data(), sum.data(), nothing, {}, nullptr,
                               {.threads = 2}))
          return;
        for (Index k = 0; k < planes; ++k) {
          const Vector own(coef.begin() + k * views_.cols(),
                           coef.begin() + (k + 1) * views_.cols());
          const Vector expected = product(columns, own, plane_of(v, k)), found = plane_of(sum, k);
          for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(expected[i], found[i], 1e-11);
        }
      }
    });
  }
}

TEST_P(DesignTest, PairGramsAreGramMatricesOfEachWeighting) {
  const Index rows = views_.rows(), cols = views_.cols();
  if (cols > 64) GTEST_SKIP() << "for few columns";
  const Vector center = numbers(cols);
  // Many weightings on few rows: sanitized kernels are slow.
  const bool is_small = rows < 100;
  for (const Index count : {10, 400}) {
    if (count > 10 && !is_small) continue;
    const Vector weights = numbers(count * rows);
    const auto fill = [&](Index q, Index begin, Index end, double* out) {
      std::copy_n(weights.data() + q * rows + begin, end - begin, out);
    };
    for (const bool with_ones : {false, true}) {
      if (!with_ones && !is_small) continue;
      const design::PairGramRequest request{
          .count = count, .with_ones = with_ones, .center = center.data()};
      const auto entry = [&](Index i, Index j) {
        return j < cols ? views_.at(i, j) - center[static_cast<std::size_t>(j)] : 1.0;
      };
      Vector expected;
      for (Index j = 0; j < request.columns(cols); ++j) {
        for (Index k = 0; k <= j; ++k) {
          for (Index q = 0; q < count; q += 3) {
            double sum = 0;
            for (Index i = 0; i < rows; ++i)
              sum += weights[static_cast<std::size_t>(q * rows + i)] * entry(i, j) * entry(i, k);
            expected.push_back(sum);
          }
        }
      }
      for_each_view([&]<class D>(const D& x) {
        if constexpr (std::is_same_v<typename D::Entry, design::Dense>) {
          Vector first;
          for (const int threads : {1, 2}) {
            Vector out(static_cast<std::size_t>(count * request.pairs(cols)), 7.0);
            x.pair_grams(request, fill, out.data(), {.threads = threads});
            if (first.empty()) first = out;
            EXPECT_EQ(first, out);
          }
          std::size_t at = 0;
          for (Index pair = 0; pair < request.pairs(cols); ++pair) {
            for (Index q = 0; q < count; q += 3)
              ASSERT_NEAR(expected[at++], first[static_cast<std::size_t>(pair * count + q)], 1e-7);
          }
        }
      });
    }
  }
}

TEST_P(DesignTest, SquareProductsAreSumsOfWeightedSquares) {
  const Index rows = views_.rows(), cols = views_.cols();
  for (const Index planes : {1, 11}) {
    const Vector h = numbers(planes * rows);
    Vector expected;
    for (Index k = 0; k < planes; ++k) {
      for (Index j = 0; j < cols; ++j) {
        double sum = 0;
        for (Index i = 0; i < rows; ++i)
          sum += h[static_cast<std::size_t>(k * rows + i)] * views_.at(i, j) * views_.at(i, j);
        expected.push_back(sum);
      }
    }
    for_each_view([&]<class D>(const D& x) {
      if constexpr (design::SquareProducts<D>) {
        Vector first;
        for (const int threads : {1, 2, 3}) {
          Vector out(expected.size(), 7.0);
          x.square_products(planes, h.data(), out.data(), {.threads = threads});
          if (first.empty()) first = out;
          EXPECT_EQ(first, out);
        }
        for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(expected[i], first[i], 1e-8);
      }
    });
  }
}

TEST_P(DesignTest, GramMatricesByRowsAreThoseByColumns) {
  const Index cols = views_.cols();
  Vector weights = numbers(views_.rows());
  weights.front() = 0;
  for (const double* const s : std::array<const double*, 2>{weights.data(), nullptr}) {
    for_each_view([&]<class D>(const D& x) {
      if constexpr (design::RowGram<D>) {
        Vector first;
        for (const int threads : {1, 2, 3}) {
          const Index ld = cols + 3;
          Vector out(static_cast<std::size_t>(ld * cols), 7.0);
          x.row_gram(s, out.data(), ld, {.threads = threads});
          if (first.empty()) first = out;
          EXPECT_EQ(first, out);
        }
        for (Index j = 0; j < cols; ++j) {
          for (Index k = 0; k < cols; ++k) {
            double expected = 0;
            for (Index i = 0; i < views_.rows(); ++i)
              expected += (s != nullptr ? s[i] : 1.0) * views_.at(i, j) * views_.at(i, k);
            ASSERT_NEAR(expected, first[static_cast<std::size_t>(k + j * (cols + 3))], 1e-8);
          }
          EXPECT_EQ(first[static_cast<std::size_t>(cols + j * (cols + 3))], 7.0);
        }
      }
    });
  }
}

}  // namespace
}  // namespace thalweg
