// The catalogued line searches as a parameter of solvers: a choice whose value is the position.
#pragma once

#include <array>
#include <string_view>

#include "thalweg/catalog/line_search.hpp"
#include "thalweg/line_search/concept.hpp"

namespace thalweg::line_search {

#define THALWEG_LINE_SEARCH(name_, class_) &class_::search,
inline constexpr auto searches = std::to_array<Search>({
#include "thalweg/catalog/line_search.def"
});
#undef THALWEG_LINE_SEARCH

#define THALWEG_LINE_SEARCH(name_, class_) &class_::info,
inline constexpr auto infos = std::to_array<const core::Info*>({
#include "thalweg/catalog/line_search.def"
});
#undef THALWEG_LINE_SEARCH

namespace detail {

#define THALWEG_LINE_SEARCH(name_, class_) #name_ ", "
inline constexpr std::string_view listed =
#include "thalweg/catalog/line_search.def"
    ;
#undef THALWEG_LINE_SEARCH

// In braces, without the last comma and space.
inline constexpr auto braced = [] {
  std::array<char, listed.size()> text{};
  text.front() = '{';
  for (std::size_t i = 0; i + 2 < listed.size(); ++i) text[i + 1] = listed[i];
  text.back() = '}';
  return text;
}();

}  // namespace detail

// "{name, name, ...}", the interval of a parameter that chooses one.
inline constexpr std::string_view choices{detail::braced.data(), detail::braced.size()};

// The value of such a parameter.
constexpr double choice(std::string_view name) {
  for (std::size_t i = 0; i < infos.size(); ++i) {
    if (infos[i]->name == name) return static_cast<double>(i);
  }
  return -1;
}

}  // namespace thalweg::line_search
