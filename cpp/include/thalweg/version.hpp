// The version of the project, read from here by CMake, the wheel and `thalweg.info()`.
#pragma once

namespace thalweg {

inline constexpr const char* version = "0.1.0";

}  // namespace thalweg
