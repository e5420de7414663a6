// The compatibility table of one solver: a cell [design][loss] exists iff the solver's requirements
// hold at compile time. Included by the generated unit of each solver only.
#pragma once

#include <tuple>

#include "thalweg/catalog.hpp"
#include "thalweg/catalog/loss.hpp"
#include "thalweg/solver/path.hpp"
#include "thalweg/solver/smooth_tasks.hpp"

namespace thalweg::solver {

template <class L>
inline constexpr bool is_quadratic = core::flag(L::info, "quadratic");

// Calls f.template operator()<L>() for the catalogued loss of this name; true if there is one.
template <class F>
bool with_loss(std::string_view name, F&& f) {
#define THALWEG_LOSS(name_, class_)        \
  if (name == #name_) {                    \
    f.template operator()<loss::class_>(); \
    return true;                           \
  }
#include "thalweg/catalog/loss.def"
#undef THALWEG_LOSS
  return false;
}

#define THALWEG_LOSS(name_, class_) +(is_quadratic<loss::class_> ? 1 : 0)
inline constexpr std::size_t quadratic_loss_count = 0
#include "thalweg/catalog/loss.def"
    ;
#undef THALWEG_LOSS

// Solvers of quadratic problems are compiled for each view and loss: build time and size are a
// budget.
static_assert(std::variant_size_v<design::AnyDesign> * quadratic_loss_count <= 64,
              "too many instantiations per solver: make the solver's inner calls virtual");

// By the columns of the design, compiled for each view and quadratic loss.
template <class Solver>
Results run_engine(const Request& request) {
  Results results;
  std::visit(
      [&]<class D>(const D& x) {
        with_loss(request.loss, [&]<class L>() {
          if constexpr (design::ColumnAccess<D> && is_quadratic<L>) {
            results = run_tasks<typename Solver::template Engine<D, L>, D, L>(request, x);
          }
        });
      },
      *request.design);
  return results;
}

// By the entry that Solver is another set of parameters of.
template <class Solver>
Results run_base(const Request& request) {
  Request configured = request;
  Solver::configure(configured.options);
  return find_solver(Solver::Base::info.name).run(configured);
}

template <class Solver>
Results run_unit(const Request& request) {
  constexpr bool has_base = requires { typename Solver::Base; };
  require_compatible(Solver::info, request);
  if constexpr (has_base && SmoothEntry<Solver>) {
    return incompatibility(Solver::Base::info, request).empty()
               ? run_base<Solver>(request)
               : run_smooth(request, Solver::info, &Solver::make);
  } else if constexpr (has_base) {
    return run_base<Solver>(request);
  } else if constexpr (SmoothEntry<Solver>) {
    return run_smooth(request, Solver::info, &Solver::make);
  } else {
    return run_engine<Solver>(request);
  }
}

}  // namespace thalweg::solver
