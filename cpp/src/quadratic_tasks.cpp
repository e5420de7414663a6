#include "thalweg/solver/quadratic_tasks.hpp"

#include "thalweg/solver/path.hpp"

namespace thalweg::solver {
namespace {

// What the Gram matrix of one task may take: half the memory of X for all. Of small X more, since
// folds whose working sets outgrow it go on with residual updates, which can take five times as
// long (LassoCV on 3,000 x 1,500, supports of 1,400 columns).
double gram_bytes_limit(Index design_bytes, Index at_once) {
  constexpr double large = 2e8;  // as much as a small X may have
  const auto bytes = static_cast<double>(design_bytes);
  return (bytes < large ? large : 0.5 * bytes) / static_cast<double>(at_once);
}

}  // namespace

Results run_quadratic(const Request& request, const SolverOptions& configured, MakeQuadratic make) {
  const design::Erased x(*request.design);
  Results results(request.tasks.size());
  SolverOptions options = configured;
  options.at_once = std::min<Index>(static_cast<Index>(request.tasks.size()), most_at_once);
  options.gram_bytes_limit = gram_bytes_limit(x.bytes(), options.at_once);
  const std::unique_ptr<FoldMoments> folds = make_fold_moments(request, options, x);
  core::Execution outer = request.execution;
  outer.stop = nullptr;  // every task returns at least one result, however early the stop
  // One at a time has all threads inside.
  if (folds != nullptr)
    outer.threads = static_cast<int>(std::min<Index>(outer.threads, options.at_once));
  core::parallel_for(
      static_cast<Index>(request.tasks.size()), outer,
      [&](Index task) {
        PathRunner path(request, options, make, x, task, folds.get());
        results[static_cast<std::size_t>(task)] = path.run();
      },
      request.execution.stop);
  return results;
}

}  // namespace thalweg::solver
