// What a solve returns, and what it reports while it runs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "thalweg/core/types.hpp"

namespace thalweg::core {

enum class Status {
  converged,
  max_iter,
  time_limit,
  stalled,
  unbounded,
  line_search_failed,
  non_finite,
  stopped,
};

constexpr std::string_view to_string(Status status) {
  switch (status) {
    case Status::converged:
      return "converged";
    case Status::max_iter:
      return "max_iter";
    case Status::time_limit:
      return "time_limit";
    case Status::stalled:
      return "stalled";
    case Status::unbounded:
      return "unbounded";
    case Status::line_search_failed:
      return "line_search_failed";
    case Status::non_finite:
      return "non_finite";
    case Status::stopped:
      return "stopped";
  }
  return "";
}

// A bound on how far a point is from optimal. "duality_gap": value = primal - dual >= primal -
// optimum. "kkt": value is the largest scaled violation of the optimality conditions; no dual.
struct Certificate {
  enum class Kind { duality_gap, kkt };
  Kind kind = Kind::duality_gap;
  double value = infinity;
  double relative = infinity;  // value over the objective of the intercept-only model
  double primal = infinity;
  double dual = -infinity;
  Vector theta;  // the dual point (a feasible residual), empty unless asked for
};

// The state at a step boundary, as callbacks and the trace see it.
struct IterationInfo {
  Index task = 0;
  Index alpha_index = 0;
  double alpha = 0;
  Index iteration = 0;
  Index epochs = 0;
  double time = 0;  // seconds since the solve began
  double objective = infinity;
  double certificate = infinity;
  double step = 0;    // largest change of a coefficient in the last step
  Index support = 0;  // non-zero coefficients
};

struct Result {
  double alpha = 0;
  Vector coef;       // of a loss with several outputs, one output after the other
  Vector intercept;  // one for each output
  Status status = Status::max_iter;
  Certificate certificate;
  double target = 0;  // what certificate.value had to reach
  // Whether what has to hold besides that does, as a bound on the gradient.
  bool side_conditions_hold = true;
  Index iterations = 0;
  Index epochs = 0;
  double time = 0;
  std::string solver;
  std::string reason;
  Index gram_bytes = 0;         // of this task alone
  Index shared_gram_bytes = 0;  // of all tasks together
  Index tasks_at_once = 1;      // that may hold memory, whatever the threads
  double heldout_error = nan;
  double scale = nan;  // of the residuals, where estimated
  std::vector<IterationInfo> trace;
};

}  // namespace thalweg::core
