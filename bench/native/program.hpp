// The main program of a benchmark: runs what was registered, below what this machine's memory does
// on one thread: bytes read and written by memcpy per second, and bytes read by products with a
// vector that stays in cache.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

#include "thalweg/kernels/kernels.hpp"

namespace thalweg::bench {

inline void add_bandwidth_context() {
  constexpr std::size_t count = std::size_t{32} << 20;  // 256 MB
  constexpr std::size_t n = 4096;
  const std::vector<double> from(count, 0.5), ones(n, 1.0);
  std::vector<double> to(count);
  const auto seconds = [](auto&& run) {
    const auto start = std::chrono::steady_clock::now();
    run();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const double bytes = 8.0 * static_cast<double>(count);
  double copy = 0, read = 0;
  for (int repeat = 0; repeat < 5; ++repeat) {
    copy = std::max(copy, 2 * bytes / seconds([&] {
                            std::memcpy(to.data(), from.data(), 8 * count);
                            benchmark::ClobberMemory();
                          }));
    read = std::max(read, bytes / seconds([&] {
                            double sum = 0;
                            const kernels::Table& best = *kernels::tables().back();
                            for (std::size_t i = 0; i < count; i += n) {
                              sum += best.dense_f64.dot(from.data() + i, ones.data(), Index{n});
                            }
                            benchmark::DoNotOptimize(sum);
                          }));
  }
  const auto add = [](const char* name, double rate) {
    char text[64];
    std::snprintf(text, sizeof text, "%.1f GB/s", rate / 1e9);
    benchmark::AddCustomContext(name, text);
  };
  add("copy_bandwidth", copy);
  add("read_bandwidth", read);
}

inline int run_registered(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  add_bandwidth_context();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace thalweg::bench
