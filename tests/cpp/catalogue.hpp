// Typed tests made from catalog.def: a new loss or penalty is tested at once.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "thalweg/catalog/line_search.hpp"
#include "thalweg/catalog/loss.hpp"
#include "thalweg/catalog/penalty.hpp"

namespace thalweg::test {

// The list starts with a placeholder, so that every entry can bring its comma.
template <class Placeholder, class... Entries>
struct ListOf {
  using Types = ::testing::Types<Entries...>;
};

#define THALWEG_LOSS(name_, class_) , loss::class_
using Losses = ListOf<void
#include "thalweg/catalog/loss.def"
                      >::Types;
#undef THALWEG_LOSS
#define THALWEG_PENALTY(name_, class_) , penalty::class_
using Penalties = ListOf<void
#include "thalweg/catalog/penalty.def"
                         >::Types;
#undef THALWEG_PENALTY
#define THALWEG_LINE_SEARCH(name_, class_) , line_search::class_
using LineSearches = ListOf<void
#include "thalweg/catalog/line_search.def"
                            >::Types;
#undef THALWEG_LINE_SEARCH

struct EntryNames {
  template <class Entry>
  static std::string GetName(int) {
    return std::string(Entry::info.name);
  }
};

}  // namespace thalweg::test
