// The compatibility table of one solver: a cell [design][loss] exists iff the solver's requirements
// hold at compile time. Included by the generated unit of each solver only.
#pragma once

#include <tuple>

#include "thalweg/catalog.hpp"
#include "thalweg/catalog_headers.hpp"
#include "thalweg/solver/path.hpp"

namespace thalweg::solver {

template <class L>
inline constexpr bool is_quadratic = core::flag(L::info, "quadratic");

// Calls f.template operator()<L>() for the catalogued loss of this name; true if there is one.
template <class F>
bool with_loss(std::string_view name, F&& f) {
#define THALWEG_DESIGN(name_, class_)
#define THALWEG_PENALTY(name_, class_)
#define THALWEG_SOLVER(name_, class_)
#define THALWEG_LOSS(name_, class_)               \
  if (name == #name_) {                           \
    f.template operator()<loss::class_>();        \
    return true;                                  \
  }
#include "thalweg/catalog.def"
#undef THALWEG_DESIGN
#undef THALWEG_LOSS
#undef THALWEG_PENALTY
#undef THALWEG_SOLVER
  return false;
}

template <class Solver>
Results run_unit(const Request& request) {
  Results results;
  for (const PenaltySpec& penalty : request.penalties) {
    const std::string reason = incompatibility(Solver::info, info_of(*request.design),
                                               find_loss(request.loss), *find_penalty(penalty.name).info);
    if (!reason.empty()) throw core::Unsupported(reason);
  }
  std::visit(
      [&]<class D>(const D& x) {
        with_loss(request.loss, [&]<class L>() {
          if constexpr (design::ColumnAccess<D> && is_quadratic<L>) {
            results = run_tasks<Solver, D, L>(request, x);
          }
        });
      },
      *request.design);
  return results;
}

}  // namespace thalweg::solver
