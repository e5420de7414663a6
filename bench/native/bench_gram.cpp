// Weighted Gram matrices X' diag(s) X through the designs' `gram`: the Hessian of a Newton step.
//
// Dense in both orders and both precisions, and sparse columns. Counters: `n`, `p`, and `flops`,
// the operations that the symmetric result needs: n p (p + 1) dense, sum_i z_i (z_i + 1) for rows
// of z_i entries sparse. OMP_NUM_THREADS sets the threads. bench/gram.py runs this program beside
// NumPy.
#include <benchmark/benchmark.h>

#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "program.hpp"
#include "thalweg/core/rng.hpp"
#include "thalweg/design/any_design.hpp"

namespace {

using namespace thalweg;

std::size_t size(Index n) { return static_cast<std::size_t>(n); }

template <class T>
std::vector<T> uniform(Index n, std::uint64_t seed) {
  core::Rng rng(seed);
  std::vector<T> values(size(n));
  for (T& value : values) value = static_cast<T>(rng.below(1 << 24)) / static_cast<T>(1 << 24);
  return values;
}

template <class D>
void run(benchmark::State& state, const D& x, double flops) {
  const Index n = x.rows(), p = x.cols();
  const std::vector<double> weights = uniform<double>(n, 2);
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<Index> columns(size(p));
  std::iota(columns.begin(), columns.end(), Index{0});
  Vector out(size(p * p));
  const core::Execution execution{.threads = core::resolve_threads(0)};
  for (auto _ : state) {
    x.gram(columns, p, nullptr, weights.data(), total, out.data(), p, execution);
    benchmark::ClobberMemory();
  }
  state.counters["n"] = static_cast<double>(n);
  state.counters["p"] = static_cast<double>(p);
  state.counters["flops"] = flops;
}

void add(const std::string& name, Index n, Index p, void (*body)(benchmark::State&)) {
  const std::string shape = "/n:" + std::to_string(n) + "/p:" + std::to_string(p);
  benchmark::RegisterBenchmark((name + shape).c_str(), body)
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

template <class T, template <class> class D, Index n, Index p>
void dense(benchmark::State& state) {
  const std::vector<T> values = uniform<T>(n * p, 1);
  constexpr bool by_row = std::is_same_v<D<T>, design::RowMajor<T>>;
  const D<T> x(values.data(), n, p, by_row ? p : n);
  run(state, x, static_cast<double>(n) * static_cast<double>(p * (p + 1)));
}

// `each` entries in every row, at random columns.
template <class T, Index n, Index p, Index each>
void sparse(benchmark::State& state) {
  core::Rng rng(3);
  std::vector<std::vector<std::int32_t>> rows_of(size(p));
  for (Index i = 0; i < n; ++i) {
    for (Index e = 0; e < each; ++e) {
      // One in each of as many equal parts of the columns.
      const Index begin = e * p / each, count = (e + 1) * p / each - begin;
      const Index j = begin + static_cast<Index>(rng.below(static_cast<std::uint64_t>(count)));
      rows_of[size(j)].push_back(static_cast<std::int32_t>(i));
    }
  }
  std::vector<std::int32_t> index, pointers{0};
  for (const auto& rows : rows_of) {
    index.insert(index.end(), rows.begin(), rows.end());
    pointers.push_back(static_cast<std::int32_t>(index.size()));
  }
  const std::vector<T> values = uniform<T>(n * each, 1);
  const design::Csc<T, std::int32_t> x(values.data(), index.data(), pointers.data(), n, p);
  run(state, x, static_cast<double>(n) * static_cast<double>(each * (each + 1)));
}

template <class T, Index n, Index p>
void add_dense(const std::string& scalar) {
  add("dense_f/" + scalar, n, p, &dense<T, design::ColumnMajor, n, p>);
  add("dense_c/" + scalar, n, p, &dense<T, design::RowMajor, n, p>);
}

template <class T>
void add_all(const std::string& scalar) {
  add_dense<T, 200'000, 50>(scalar);
  add_dense<T, 50'000, 200>(scalar);
  add_dense<T, 20'000, 500>(scalar);
  add_dense<T, 10'000, 1000>(scalar);
  add_dense<T, 5'000, 2000>(scalar);
  add("csc:10/" + scalar, 200'000, 200, &sparse<T, 200'000, 200, 10>);
  add("csc:40/" + scalar, 100'000, 2000, &sparse<T, 100'000, 2000, 40>);
  add("csc:100/" + scalar, 20'000, 1000, &sparse<T, 20'000, 1000, 100>);
}

}  // namespace

int main(int argc, char** argv) {
  add_all<double>("f64");
  add_all<float>("f32");
  return thalweg::bench::run_registered(argc, argv);
}
