// Descriptors: what a catalogued class says of itself. Tests, documentation, Python handles and
// error messages are made from these, never from lists of names.
#pragma once

#include <span>
#include <string_view>

namespace thalweg::core {

struct Parameter {
  std::string_view name;
  double default_value;
  std::string_view interval;  // in the usual notation: "[0, 1]", "(0, inf)"
  std::string_view doc;
};

struct Flag {
  std::string_view name;
  bool value;
};

struct Info {
  std::string_view name;
  std::string_view summary;
  std::string_view formula;
  std::string_view reference;
  std::span<const Parameter> parameters;
  std::span<const Flag> flags;
  // For a solver: the capabilities that it needs, by the names of the flags that supply them.
  std::span<const std::string_view> requires_;
  // For a solver that chooses: what it may choose; it serves what any of them does.
  std::span<const Info* const> any_of = {};
};

constexpr bool flag(const Info& info, std::string_view name) {
  for (const Flag& f : info.flags) {
    if (f.name == name) return f.value;
  }
  return false;
}

}  // namespace thalweg::core
