// Speed of every kernel on every instruction set that this processor supports.
//
// Columns of 72 (a small problem), 2,000 (first- or second-level cache) and, for the kernels that
// stream a matrix, a matrix of 256 MB (memory). Counters: bytes of data read per second, to be
// compared with `copy_bandwidth` and `read_bandwidth` of this machine in the context above the
// table (one thread, 256 MB), and floating-point operations per second for the Gram kernel.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <string>
#include <vector>

#include "program.hpp"
#include "thalweg/kernels/kernels.hpp"
#include "thalweg/kernels/panel_memory.hpp"

namespace {

using thalweg::Index;
namespace kernels = thalweg::kernels;

constexpr Index memory_bytes = Index{256} << 20;

std::size_t size(Index n) { return static_cast<std::size_t>(n); }

// Aligned to cache lines, as the buffers of the library are.
template <class T>
struct AlignedAllocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};
  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), alignment)); }
  void deallocate(T* p, std::size_t) { ::operator delete(p, alignment); }
  bool operator==(const AlignedAllocator&) const { return true; }
};
template <class T>
using Array = std::vector<T, AlignedAllocator<T>>;
using Vector = Array<double>;

// Small repeatable values of either sign.
template <class T>
Array<T> values(Index n) {
  Array<T> list(size(n));
  std::uint32_t state = 12345;
  for (T& value : list) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<T>(static_cast<double>(state >> 8) / 16777216.0 - 0.5);
  }
  return list;
}

// The matrix in memory, shared by all benchmarks of a scalar type. It starts 16 bytes after a cache
// line, as a large NumPy array does.
template <class T>
const T* matrix() {
  constexpr Index offset = 16 / Index{sizeof(T)};
  static const Array<T> data = values<T>(memory_bytes / Index{sizeof(T)} + offset);
  return data.data() + offset;
}

template <class T>
const char* scalar_name() {
  return sizeof(T) == sizeof(float) ? "f32" : "f64";
}

void set_bytes(benchmark::State& state, Index bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * bytes);
}

// Calls run(column) on consecutive columns of length n of the matrix: within a cache when `columns`
// is small, from memory when it covers the matrix.
template <class T, class F>
void over_columns(benchmark::State& state, Index n, Index columns, F&& run) {
  const T* data = matrix<T>();
  Index column = 0;
  for (auto _ : state) {
    run(data + column * n);
    if (++column == columns) column = 0;
  }
  set_bytes(state, n * Index{sizeof(T)});
}

template <class T>
void register_columns(const kernels::Table& table, Index n, bool in_memory) {
  const kernels::DenseKernels<T> k = table.dense<T>();
  const Index columns = in_memory ? memory_bytes / (n * Index{sizeof(T)}) : 8;
  const std::string suffix = std::string("<") + scalar_name<T>() + ">/" + table.name +
                             "/n:" + std::to_string(n) + (in_memory ? "/memory" : "/cache");
  const auto add = [&](const char* name, auto body) {
    benchmark::RegisterBenchmark((name + suffix).c_str(), body);
  };
  add("dot", [=](benchmark::State& state) {
    const Vector v = values<double>(n);
    over_columns<T>(state, n, columns,
                    [&](const T* x) { benchmark::DoNotOptimize(k.dot(x, v.data(), n)); });
  });
  add("axpy", [=](benchmark::State& state) {
    Vector v = values<double>(n);
    over_columns<T>(state, n, columns, [&](const T* x) {
      k.axpy(1e-9, x, v.data(), n);
      benchmark::ClobberMemory();
    });
  });
  add("axpy_weighted", [=](benchmark::State& state) {
    Vector v = values<double>(n);
    const Vector s = values<double>(n);
    over_columns<T>(state, n, columns, [&](const T* x) {
      k.axpy_weighted(1e-9, x, s.data(), v.data(), n);
      benchmark::ClobberMemory();
    });
  });
  add("moments", [=](benchmark::State& state) {
    const Vector v = values<double>(n);
    const Vector s = values<double>(n);
    over_columns<T>(state, n, columns, [&](const T* x) {
      benchmark::DoNotOptimize(k.moments(x, s.data(), v.data(), n));
    });
  });
  // Groups of eight columns.
  constexpr Index group = 8;
  add("moments_group", [=](benchmark::State& state) {
    const Vector v = values<double>(n);
    const Vector s = values<double>(n);
    const T* data = matrix<T>();
    Index column = 0;
    kernels::Moments out[group];
    for (auto _ : state) {
      const T* x[group];
      for (Index c = 0; c < group; ++c) x[c] = data + (column + c) * n;
      k.moments_group(x, group, s.data(), v.data(), n, out);
      benchmark::DoNotOptimize(out);
      column += group;
      if (column + group > columns) column = 0;
    }
    set_bytes(state, group * n * Index{sizeof(T)});
  });
  add("dots", [=](benchmark::State& state) {
    const Vector v = values<double>(n);
    const T* data = matrix<T>();
    Index column = 0;
    double out[group];
    for (auto _ : state) {
      const T* x[group];
      for (Index c = 0; c < group; ++c) x[c] = data + (column + c) * n;
      k.dots(x, group, v.data(), n, out);
      benchmark::DoNotOptimize(out);
      column += group;
      if (column + group > columns) column = 0;
    }
    set_bytes(state, group * n * Index{sizeof(T)});
  });
  add("axpys", [=](benchmark::State& state) {
    Vector v = values<double>(n);
    const Vector a(size(group), 1e-9);
    const T* data = matrix<T>();
    Index column = 0;
    for (auto _ : state) {
      const T* x[group];
      for (Index c = 0; c < group; ++c) x[c] = data + (column + c) * n;
      k.axpys(a.data(), x, group, v.data(), n);
      benchmark::ClobberMemory();
      column += group;
      if (column + group > columns) column = 0;
    }
    set_bytes(state, group * n * Index{sizeof(T)});
  });
}

// Blocks of 64 rows of length p.
template <class T>
void register_rows(const kernels::Table& table, Index p, bool in_memory) {
  constexpr Index rows = 64;
  const kernels::DenseKernels<T> k = table.dense<T>();
  const Index blocks = in_memory ? memory_bytes / (p * rows * Index{sizeof(T)}) : 1;
  const std::string suffix = std::string("<") + scalar_name<T>() + ">/" + table.name +
                             "/p:" + std::to_string(p) + (in_memory ? "/memory" : "/cache");
  benchmark::RegisterBenchmark(("rows_accumulate" + suffix).c_str(), [=](benchmark::State& state) {
    const Vector v = values<double>(rows);
    Vector out(size(p));
    over_columns<T>(state, rows * p, blocks, [&](const T* x) {
      k.rows_accumulate(x, p, rows, p, v.data(), out.data());
      benchmark::ClobberMemory();
    });
  });
  benchmark::RegisterBenchmark(("rows_moments" + suffix).c_str(), [=](benchmark::State& state) {
    const Vector v = values<double>(rows);
    const Vector s = values<double>(rows);
    Vector sum(size(p)), sum_sq(size(p)), dot(size(p));
    over_columns<T>(state, rows * p, blocks, [&](const T* x) {
      k.rows_moments(x, p, rows, p, s.data(), v.data(), sum.data(), sum_sq.data(), dot.data());
      benchmark::ClobberMemory();
    });
  });
}

template <class T>
void register_pack(const kernels::Table& table) {
  constexpr Index kc = 256;
  constexpr Index width = kernels::gram_panel_width;
  const kernels::DenseKernels<T> k = table.dense<T>();
  const std::string suffix = std::string("<") + scalar_name<T>() + ">/" + table.name;
  for (const bool row_major : {false, true}) {
    const std::string name = "pack" + suffix + (row_major ? "/rows" : "/columns");
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
      constexpr Index column = 1000;  // rows of the design
      const Array<T> x = values<T>(column * width);
      const Vector center = values<double>(width);
      kernels::PanelMemory<double> panel(kc * width);
      const T* columns[width];
      for (Index c = 0; c < width; ++c) columns[c] = x.data() + (row_major ? c : c * column);
      for (auto _ : state) {
        k.pack(columns, row_major ? width : 1, width, kc, center.data(), nullptr, panel.data());
        benchmark::ClobberMemory();
      }
      set_bytes(state, kc * width * Index{sizeof(T)});
    });
  }
}

void register_panel_product(const kernels::Table& table, Index m, Index n) {
  const std::string name = std::string("panel_product/") + table.name + "/m:" + std::to_string(m) +
                           "/n:" + std::to_string(n) + "/kc:256";
  const auto product = table.block.panel_product;
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    constexpr Index kc = 256;
    constexpr Index width = kernels::gram_panel_width;
    // Eight panels against one, as a Gram block does: the panels stay in the second-level cache.
    constexpr Index panels = 8;
    kernels::PanelMemory<double> a(panels * kc * width), b(kc * width);
    std::ranges::copy(values<double>(panels * kc * width), a.data());
    std::ranges::copy(values<double>(kc * width), b.data());
    Vector c(size(panels * width * width));
    for (auto _ : state) {
      for (Index i = 0; i < panels; ++i) {
        product(a.data() + i * kc * width, b.data(), kc, 1e-9, c.data() + i * width, panels * width,
                m, n, false);
      }
      benchmark::ClobberMemory();
    }
    state.counters["flops"] =
        benchmark::Counter(2.0 * static_cast<double>(state.iterations() * panels * m * n * kc),
                           benchmark::Counter::kIsRate);
  });
}

// A column of nnz entries in a vector of n, every `n / nnz`-th row on average.
template <class T, class I>
void register_sparse(const kernels::Table& table, Index nnz, Index n) {
  const kernels::SparseKernels<T, I> k = table.sparse<T, I>();
  const std::string suffix = std::string("<") + scalar_name<T>() + "," +
                             (sizeof(I) == 4 ? "i32" : "i64") + ">/" + table.name +
                             "/nnz:" + std::to_string(nnz) + "/n:" + std::to_string(n);
  struct Columns {
    Array<T> x;
    std::vector<I> rows;
    Vector v, s;
    Index nnz, count, next = 0;
    Columns(Index entries, Index length)
        : v(values<double>(length)),
          s(values<double>(length)),
          nnz(entries),
          count(std::max(Index{1}, 100000 / entries)) {
      x = values<T>(count * nnz);
      std::uint32_t random = 7;
      for (Index c = 0; c < count; ++c) {
        const Index gap = length / nnz;
        for (Index e = 0; e < nnz; ++e) {
          random = random * 1664525u + 1013904223u;
          rows.push_back(static_cast<I>(e * gap + static_cast<Index>(random >> 8) % gap));
        }
      }
    }
    Index offset() {
      const Index start = next * nnz;
      if (++next == count) next = 0;
      return start;
    }
  };
  const auto add = [&](const char* name, auto body) {
    benchmark::RegisterBenchmark((name + suffix).c_str(), [=](benchmark::State& state) {
      Columns data(nnz, n);
      for (auto _ : state) {
        const Index start = data.offset();
        body(data, data.x.data() + start, data.rows.data() + start);
        benchmark::ClobberMemory();
      }
      state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * nnz);
      set_bytes(state, nnz * Index{sizeof(T) + sizeof(I)});
    });
  };
  add("sparse_dot", [=](Columns& data, const T* x, const I* rows) {
    benchmark::DoNotOptimize(k.dot(x, rows, nnz, data.v.data()));
  });
  add("sparse_axpy",
      [=](Columns& data, const T* x, const I* rows) { k.axpy(1e-9, x, rows, nnz, data.v.data()); });
  add("sparse_moments", [=](Columns& data, const T* x, const I* rows) {
    benchmark::DoNotOptimize(k.moments(x, rows, nnz, nullptr, data.v.data()));
  });
}

template <class T>
void register_dense(const kernels::Table& table) {
  register_columns<T>(table, 72, false);
  register_columns<T>(table, 2000, false);
  register_columns<T>(table, 100000, true);
  register_rows<T>(table, 100, false);
  register_rows<T>(table, 1000, true);
  register_rows<T>(table, 20000, true);
  register_pack<T>(table);
}

}  // namespace

int main(int argc, char** argv) {
  for (const kernels::Table* table : kernels::tables()) {
    register_dense<float>(*table);
    register_dense<double>(*table);
    for (const Index m : {24, 16, 8, 5}) {
      for (const Index n : {24, 5}) register_panel_product(*table, m, n);
    }
    register_sparse<double, std::int32_t>(*table, 20, 1000);
    register_sparse<double, std::int32_t>(*table, 200, 20000);
    register_sparse<double, std::int32_t>(*table, 2000, 100000);
    register_sparse<float, std::int64_t>(*table, 200, 20000);
  }
  return thalweg::bench::run_registered(argc, argv);
}
