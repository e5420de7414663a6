// What an iteration of a solver of smooth problems costs beside the objective: minimisation of the
// chained Rosenbrock function, less the time that its evaluations take on their own, of Hessians
// and products with them, too. Every solver that needs no more with 100 variables; those that keep
// no matrix with 10,000.
//
// The time is that of one iteration. Counters: evaluations per iteration, and nanoseconds of one
// evaluation.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <ctime>
#include <string>

#include "program.hpp"
#include "thalweg/catalog.hpp"
#include "thalweg/objective/callable.hpp"
#include "thalweg/solver/minimize.hpp"

namespace {

using namespace thalweg;

constexpr Index small = 100, large = 10'000;

// Of the processor, not of the wall: what is measured runs on one thread, and other programs must
// not count.
double seconds_since(std::clock_t start) {
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

// sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2
objective::UserFunction chained_rosenbrock(Index size) {
  objective::UserFunction f;
  f.size = size;
  f.value_gradient = [size](const double* x, double* g) {
    double sum = 0;
    g[0] = 0;
    for (Index i = 0; i + 1 < size; ++i) {
      const double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
      sum += 100 * a * a + b * b;
      g[i] -= 400 * x[i] * a + 2 * b;
      g[i + 1] = 200 * a;
    }
    return sum;
  };
  f.value = [size](const double* x) {
    double sum = 0;
    for (Index i = 0; i + 1 < size; ++i) {
      const double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
      sum += 100 * a * a + b * b;
    }
    return sum;
  };
  // The Hessian is tridiagonal.
  f.hessian_product = [size](const double* x, const double* v, double* out) {
    std::fill_n(out, size, 0.0);
    for (Index i = 0; i + 1 < size; ++i) {
      const double across = -400 * x[i];
      out[i] += (1200 * x[i] * x[i] - 400 * x[i + 1] + 2) * v[i] + across * v[i + 1];
      out[i + 1] += across * v[i] + 200 * v[i + 1];
    }
  };
  f.hessian = [size](const double* x, double* out) {
    std::fill_n(out, size * size, 0.0);
    for (Index i = 0; i + 1 < size; ++i) {
      double* const at = out + i * (size + 1);
      at[0] += 1200 * x[i] * x[i] - 400 * x[i + 1] + 2;
      at[1] = at[size] = -400 * x[i];
      at[size + 1] += 200;
    }
  };
  return f;
}

Vector start(Index size) {
  Vector x(static_cast<std::size_t>(size), 1.0);
  for (std::size_t i = 0; i < x.size(); i += 2) x[i] = -1.2;
  return x;
}

// Of one call.
template <class F>
double time_of(int count, F&& call) {
  const std::clock_t begin = std::clock();
  for (int k = 0; k < count; ++k) {
    call();
    benchmark::ClobberMemory();
  }
  return seconds_since(begin) / count;
}

// What the evaluations of a solve take on their own.
class EvaluationTimes final {
 public:
  EvaluationTimes(const objective::UserFunction& f, bool has_matrix) {
    const Vector x = start(f.size);
    Vector out(x.size());
    value_ = time_of(5000, [&] { f.value_gradient(x.data(), out.data()); });
    product_ = time_of(5000, [&] { f.hessian_product(x.data(), x.data(), out.data()); });
    if (!has_matrix) return;
    Vector matrix(x.size() * x.size());
    hessian_ = time_of(500, [&] { f.hessian(x.data(), matrix.data()); });
  }

  double value() const { return value_; }
  double of(const objective::Counts& counts) const {
    return value_ * static_cast<double>(counts.values) +
           product_ * static_cast<double>(counts.hessian_products) +
           hessian_ * static_cast<double>(counts.hessians);
  }

 private:
  double value_ = 0, product_ = 0, hessian_ = 0;
};

solver::MinimizeRequest request_of(const SolverEntry& solver, Index size) {
  solver::MinimizeRequest request;
  request.start = start(size);
  request.solver = solver.info->name;
  for (const core::Parameter& parameter : solver.info->parameters)
    request.options.parameters.push_back(parameter.default_value);
  request.tol = 0;
  request.max_iter = 200;
  request.keep_trace = false;
  return request;
}

bool keeps_matrix(const SolverEntry& solver) {
  objective::Callable f(chained_rosenbrock(4));
  solver::MinimizeRequest request = request_of(solver, 4);
  request.objective = &f;
  return solver::minimize(request).gram_bytes > 0;
}

void run(benchmark::State& state, const SolverEntry& solver, Index size) {
  const objective::UserFunction function = chained_rosenbrock(size);
  solver::MinimizeRequest request = request_of(solver, size);
  const EvaluationTimes times(function, size <= small);
  double evaluations = 0;
  for (auto _ : state) {
    objective::Callable f(function);
    request.objective = &f;
    const std::clock_t begin = std::clock();
    const core::Result result = solver::minimize(request);
    const double time = seconds_since(begin);
    const auto iterations = static_cast<double>(std::max<Index>(result.iterations, 1));
    state.SetIterationTime((time - times.of(f.counts())) / iterations);
    evaluations = static_cast<double>(f.counts().values) / iterations;
  }
  state.counters["evaluations"] = evaluations;
  state.counters["ns_per_evaluation"] = 1e9 * times.value();
}

}  // namespace

int main(int argc, char** argv) {
  for (const SolverEntry& solver : solvers()) {
    if (!minimizes_functions(solver) || core::flag(*solver.info, "needs_residuals")) continue;
    for (const Index size : {small, large}) {
      if (size > small && keeps_matrix(solver)) continue;
      benchmark::RegisterBenchmark(
          (std::string(solver.info->name) + "/" + std::to_string(size)).c_str(),
          [&solver, size](benchmark::State& state) { run(state, solver, size); })
          ->Unit(benchmark::kMicrosecond)
          ->UseManualTime()
          ->Iterations(100);
    }
  }
  return thalweg::bench::run_registered(argc, argv);
}
