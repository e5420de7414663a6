// Typed tests made from catalog.def: a new loss or penalty is tested at once.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "thalweg/catalog_headers.hpp"

namespace thalweg::test {

// The list starts with a placeholder, so that every entry can bring its comma.
template <class Placeholder, class... Entries>
struct ListOf {
  using Types = ::testing::Types<Entries...>;
};

#define THALWEG_DESIGN(name_, class_)
#define THALWEG_SOLVER(name_, class_)
#define THALWEG_PENALTY(name_, class_)
#define THALWEG_LOSS(name_, class_) , loss::class_
using Losses = ListOf<void
#include "thalweg/catalog.def"
                      >::Types;
#undef THALWEG_LOSS
#undef THALWEG_PENALTY
#define THALWEG_LOSS(name_, class_)
#define THALWEG_PENALTY(name_, class_) , penalty::class_
using Penalties = ListOf<void
#include "thalweg/catalog.def"
                         >::Types;
#undef THALWEG_DESIGN
#undef THALWEG_LOSS
#undef THALWEG_PENALTY
#undef THALWEG_SOLVER

struct EntryNames {
  template <class Entry>
  static std::string GetName(int) {
    return std::string(Entry::info.name);
  }
};

}  // namespace thalweg::test
