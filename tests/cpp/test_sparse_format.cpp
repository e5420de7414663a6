// Conversion to canonical columns, and the checks that keep wild indices out of the kernels.
#include "thalweg/design/sparse_format.hpp"

#include <gtest/gtest.h>

#include <random>

namespace thalweg::design {
namespace {

template <class I>
struct Compressed {
  std::vector<double> data;
  std::vector<I> index;
  std::vector<I> pointers;
};

// Random lines with unsorted and repeated entries, some of them empty.
template <class I>
Compressed<I> random_lines(Index major, Index minor, Index per_line, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_int_distribution<Index> where(0, minor - 1), count(0, 2 * per_line);
  std::normal_distribution<double> normal;
  Compressed<I> out{{}, {}, {0}};
  for (Index k = 0; k < major; ++k) {
    for (Index e = k % 5 == 0 ? 0 : count(generator); e > 0; --e) {
      out.index.push_back(static_cast<I>(where(generator)));
      out.data.push_back(normal(generator));
    }
    out.pointers.push_back(static_cast<I>(out.data.size()));
  }
  return out;
}

template <class Lines>
std::vector<double> dense(const Lines& x, Index rows, Index cols, bool by_column) {
  std::vector<double> out(static_cast<std::size_t>(rows * cols), 0.0);
  for (std::size_t k = 0; k + 1 < x.pointers.size(); ++k) {
    for (auto e = x.pointers[k]; e < x.pointers[k + 1]; ++e) {
      const auto other = static_cast<Index>(x.index[static_cast<std::size_t>(e)]);
      const Index i = by_column ? other : static_cast<Index>(k),
                  j = by_column ? static_cast<Index>(k) : other;
      out[static_cast<std::size_t>(i + j * rows)] += x.data[static_cast<std::size_t>(e)];
    }
  }
  return out;
}

template <class I>
class SparseFormatTest : public ::testing::Test {};
using IndexTypes = ::testing::Types<std::int32_t, std::int64_t>;
TYPED_TEST_SUITE(SparseFormatTest, IndexTypes);

template <class I>
void expect_canonical(const CompressedColumns<double, I>& got, const std::vector<double>& expected,
                      Index rows, Index cols) {
  EXPECT_TRUE(check_format(got.index.data(), static_cast<Index>(got.index.size()),
                           got.pointers.data(), cols, rows));
  EXPECT_EQ(got.index.size(), got.data.size());
  const auto values = dense(got, rows, cols, true);
  for (std::size_t k = 0; k < values.size(); ++k) EXPECT_NEAR(expected[k], values[k], 1e-13);
}

TYPED_TEST(SparseFormatTest, RowsBecomeCanonicalColumns) {
  for (const auto& [rows, cols, per_row] : {std::tuple<Index, Index, Index>{1, 1, 1},
                                            {1, 9, 3},
                                            {9, 1, 2},
                                            {40, 30, 4},
                                            {500, 20, 12}}) {
    const auto x = random_lines<TypeParam>(rows, cols, per_row, 1);
    const auto expected = dense(x, rows, cols, false);
    const auto one = rows_to_columns(x.data.data(), x.index.data(), x.pointers.data(), rows, cols,
                                     {.threads = 1});
    expect_canonical(one, expected, rows, cols);
    const auto three = rows_to_columns(x.data.data(), x.index.data(), x.pointers.data(), rows, cols,
                                       {.threads = 3});
    EXPECT_EQ(one.data, three.data);
    EXPECT_EQ(one.index, three.index);
    EXPECT_EQ(one.pointers, three.pointers);
  }
}

TYPED_TEST(SparseFormatTest, ColumnsBecomeCanonical) {
  const Index rows = 25, cols = 40;
  const auto x = random_lines<TypeParam>(cols, rows, 6, 2);
  const auto got = canonical_columns(x.data.data(), x.index.data(), x.pointers.data(), cols);
  expect_canonical(got, dense(x, rows, cols, true), rows, cols);
}

TYPED_TEST(SparseFormatTest, EmptyMatrices) {
  const std::vector<TypeParam> pointers(5, 0);
  const double* data = nullptr;
  const TypeParam* index = nullptr;
  const auto got = rows_to_columns(data, index, pointers.data(), 4, 3, {});
  EXPECT_EQ((std::vector<TypeParam>{0, 0, 0, 0}), got.pointers);
  EXPECT_TRUE(canonical_columns(data, index, pointers.data(), 4).data.empty());
}

TYPED_TEST(SparseFormatTest, SortedWithoutDuplicatesIsCanonical) {
  const std::vector<TypeParam> pointers{0, 2, 2, 3};
  const auto check = [&](std::vector<TypeParam> index) {
    return check_format(index.data(), 3, pointers.data(), 3, 4);
  };
  EXPECT_TRUE(check({0, 3, 1}));
  EXPECT_FALSE(check({3, 0, 1}));
  EXPECT_FALSE(check({2, 2, 1}));
}

TYPED_TEST(SparseFormatTest, WildIndicesAndPointersAreRefused) {
  const auto refused = [](std::vector<TypeParam> index, std::vector<TypeParam> pointers) {
    try {
      check_format(index.data(), static_cast<Index>(index.size()), pointers.data(),
                   static_cast<Index>(pointers.size()) - 1, 4);
    } catch (const core::InvalidArgument& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ("", refused({0, 3}, {0, 1, 2}));
  EXPECT_NE(std::string::npos, refused({0, 4}, {0, 1, 2}).find("got 4 at position 1"));
  EXPECT_NE(std::string::npos, refused({-1, 0}, {0, 1, 2}).find("got -1 at position 0"));
  EXPECT_NE(std::string::npos, refused({0, 1}, {0, 2, 1}).find("must not decrease"));
  EXPECT_NE(std::string::npos, refused({0, 1}, {0, 1, 3}).find("must end within"));
  EXPECT_NE(std::string::npos, refused({0, 1}, {1, 1, 2}).find("must start at 0"));
  // A pointer beyond the end must be found before any index behind it is read.
  EXPECT_NE("", refused({0, 1}, {0, 100, 2}));
}

TEST(OnesTest, AreRecognised) {
  std::vector<double> values(5000, 1.0);
  EXPECT_TRUE(are_ones(values.data(), 5000));
  EXPECT_FALSE(are_ones(values.data(), 0));
  for (const std::size_t at : {0, 1023, 1024, 4999}) {
    for (const double other : {2.0, -1.0, 0.0, std::nan("")}) {
      values[at] = other;
      EXPECT_FALSE(are_ones(values.data(), 5000)) << at;
    }
    values[at] = 1.0;
  }
}

TYPED_TEST(SparseFormatTest, ConversionsEndAfterAStop) {
  const auto x = random_lines<TypeParam>(30, 20, 6, 3);
  core::StopToken stop;
  stop.request();
  const core::Execution execution{.threads = 1, .stop = &stop};
  const auto rows =
      rows_to_columns(x.data.data(), x.index.data(), x.pointers.data(), 30, 20, execution);
  EXPECT_TRUE(rows.data.empty());
  const auto columns =
      canonical_columns(x.data.data(), x.index.data(), x.pointers.data(), 30, execution);
  EXPECT_NE(x.pointers.back(), 0);
  EXPECT_EQ(x.pointers, columns.pointers);  // not yet summed
}

}  // namespace
}  // namespace thalweg::design
