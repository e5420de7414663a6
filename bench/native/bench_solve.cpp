// Whole solves through the catalogue: every solver of lasso problems, on wide, balanced and tall
// ones, dense in both orders and sparse, at two strengths. No Python, no validation: what the
// engine itself takes.
//
// Counters: bytes of X per second of the whole solve, to be compared with `read_bandwidth` in the
// context above the table (their quotient is how many passes over X the solve cost), passes over
// the data as the report counts them, and the size of the support. OMP_NUM_THREADS sets the
// threads.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "program.hpp"
#include "thalweg/catalog.hpp"
#include "thalweg/core/rng.hpp"
#include "thalweg/design/erased.hpp"

namespace {

using namespace thalweg;

std::size_t size(Index n) { return static_cast<std::size_t>(n); }

// Independent columns, uniform on [-1/2, 1/2], one in `sparsity` entries kept; a true coefficient
// of +-1 on every `cols / 20`-th column and noise of a third of the signal.
class Problem final {
 public:
  Problem(std::string name, Index rows, Index cols, Index sparsity)
      : name_(std::move(name)), rows_(rows), cols_(cols), y_(size(rows), 0.0) {
    core::Rng rng(1);
    const auto uniform = [&] { return static_cast<double>(rng.below(1 << 24)) / (1 << 24) - 0.5; };
    by_column_.assign(size(rows * cols), 0.0);
    pointers_.push_back(0);
    for (Index j = 0; j < cols; ++j) {
      for (Index i = 0; i < rows; ++i) {
        if (sparsity > 1 && rng.below(static_cast<std::uint64_t>(sparsity)) > 0) continue;
        const double value = uniform();
        by_column_[size(i + j * rows)] = value;
        values_.push_back(value);
        indices_.push_back(static_cast<std::int32_t>(i));
      }
      pointers_.push_back(static_cast<std::int32_t>(values_.size()));
    }
    const Index every = std::max<Index>(1, cols / 20);
    for (Index j = 0; j < cols; j += every) {
      const double sign = j / every % 2 == 0 ? 1.0 : -1.0;
      for (Index i = 0; i < rows; ++i) y_[size(i)] += sign * by_column_[size(i + j * rows)];
    }
    double square = 0;
    for (const double value : y_) square += value * value;
    const double noise = std::sqrt(12 * square / static_cast<double>(rows)) / 3;
    for (double& value : y_) value += noise * uniform();
    if (sparsity > 1) {
      add("csc",
          design::Csc<double, std::int32_t>(values_.data(), indices_.data(), pointers_.data(), rows,
                                            cols),
          12 * static_cast<Index>(values_.size()));
      by_column_ = {};
      return;
    }
    by_row_.resize(by_column_.size());
    for (Index j = 0; j < cols; ++j) {
      for (Index i = 0; i < rows; ++i) by_row_[size(i * cols + j)] = by_column_[size(i + j * rows)];
    }
    add("dense_f", design::ColumnMajor<double>(by_column_.data(), rows, cols, rows),
        8 * rows * cols);
    add("dense_c", design::RowMajor<double>(by_row_.data(), rows, cols, cols), 8 * rows * cols);
  }

  struct View {
    std::string name;
    design::AnyDesign design;
    Index bytes;
  };
  const std::string& name() const { return name_; }
  const std::vector<View>& views() const { return views_; }
  const double* y() const { return y_.data(); }

 private:
  void add(const char* name, design::AnyDesign view, Index bytes) {
    views_.push_back({name, std::move(view), bytes});
  }

  std::string name_;
  Index rows_, cols_;
  Vector y_, by_column_, by_row_, values_;
  std::vector<std::int32_t> indices_, pointers_;
  std::vector<View> views_;
};

// The first loss of the catalogue with its first penalty.
bool serves(const SolverEntry& solver, const design::AnyDesign& design) {
  return incompatibility(*solver.info, design::Erased(design).info(), *losses().front(),
                         *penalties().front().info)
      .empty();
}

void register_solve(const std::shared_ptr<const Problem>& problem, const Problem::View& view,
                    const SolverEntry& solver, double ratio) {
  std::string name = problem->name() + "/" + view.name + "/";
  name +=
      std::string(solver.info->name) + "/alpha_max_over_" + std::to_string(std::lround(1 / ratio));
  benchmark::RegisterBenchmark(
      name.c_str(),
      [=, &view, &solver](benchmark::State& state) {
        solver::Request request;
        request.design = &view.design;
        request.y = problem->y();
        request.loss = losses().front()->name;
        request.solver = solver.info->name;
        request.options.parameters = default_parameters(*solver.info);
        request.penalties = {default_spec(penalties().front())};
        request.max_iter = 1'000'000;
        request.execution.threads = core::resolve_threads(0);
        request.tasks = {{}};
        request.tasks.front().alphas = {ratio * alpha_max(request, 1).front()};
        core::Result result;
        for (auto _ : state) result = solver.run(request).front().front();
        if (result.status != core::Status::converged) state.SkipWithError("did not converge");
        state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * view.bytes);
        state.counters["passes"] = static_cast<double>(result.epochs);
        state.counters["support"] = static_cast<double>(
            std::count_if(result.coef.begin(), result.coef.end(), [](double w) { return w != 0; }));
      })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

}  // namespace

int main(int argc, char** argv) {
  const std::shared_ptr<const Problem> problems[] = {
      std::make_shared<Problem>("wide_500x10000", 500, 10000, 1),
      std::make_shared<Problem>("balanced_2000x2000", 2000, 2000, 1),
      std::make_shared<Problem>("tall_50000x100", 50000, 100, 1),
      std::make_shared<Problem>("sparse_5000x20000", 5000, 20000, 100)};
  for (const auto& problem : problems) {
    for (const Problem::View& view : problem->views()) {
      for (const SolverEntry& solver : solvers()) {
        if (!serves(solver, view.design)) continue;
        for (const double ratio : {0.1, 0.01}) register_solve(problem, view, solver, ratio);
      }
    }
  }
  return thalweg::bench::run_registered(argc, argv);
}
