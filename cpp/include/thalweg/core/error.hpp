// Errors that a caller can make. They are thrown before any work is done and name the argument,
// what came and what was expected; bindings/errors.cpp maps them to Python exceptions.
#pragma once

#include <stdexcept>
#include <string>

namespace thalweg::core {

// A value that an argument cannot take (Python: ValueError).
class InvalidArgument final : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

// A combination of loss, penalty, design and solver that no code serves (Python: ValueError).
class Unsupported final : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

}  // namespace thalweg::core
