// Memory that grows: what was there stays, below and above the size from which on the system gives
// it.
#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <vector>

#include "thalweg/core/pages.hpp"

namespace thalweg::test {
namespace {

using core::Pages;

constexpr std::size_t small = 1000, medium = 100'000, large = 1'000'000;  // 8 KB to 8 MB

void fill(Pages& pages, std::size_t from, std::size_t to) {
  std::iota(pages.data() + from, pages.data() + to, static_cast<double>(from));
}
bool holds(const Pages& pages, std::size_t count) {
  for (std::size_t k = 0; k < count; ++k) {
    if (pages.data()[k] != static_cast<double>(k)) return false;
  }
  return true;
}

TEST(PagesTest, GrowingKeepsWhatIsThere) {
  Pages pages;
  EXPECT_EQ(pages.data(), nullptr);
  std::size_t before = 0;
  for (const std::size_t count : {small, medium, 2 * medium, large, 3 * large}) {
    pages.grow(count);
    EXPECT_TRUE(holds(pages, before)) << count;
    fill(pages, before, count);
    before = count;
  }
  const auto place = reinterpret_cast<std::uintptr_t>(pages.data());
  pages.grow(small);  // never smaller
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pages.data()), place);
  EXPECT_TRUE(holds(pages, before));
}

TEST(PagesTest, MovesFromOneToAnother) {
  for (const std::size_t count : {small, large}) {
    Pages first;
    first.grow(count);
    fill(first, 0, count);
    Pages second(std::move(first));
    EXPECT_TRUE(holds(second, count));
    Pages third;
    third.grow(small);
    third = std::move(second);
    EXPECT_TRUE(holds(third, count));
    third = Pages();
    EXPECT_EQ(third.data(), nullptr);
  }
}

TEST(PagesTest, RefusesWhatIsNotThere) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "ends the program there";
#endif
  Pages pages;
  pages.grow(large);
  fill(pages, 0, large);
  EXPECT_THROW(pages.grow(std::size_t{1} << 57), std::bad_alloc);
  EXPECT_TRUE(holds(pages, large));
}

}  // namespace
}  // namespace thalweg::test
