// Chooses between the solvers of smooth problems, and changes its mind when it has seen more.
//
//   limits                  L-BFGS-B
//   the Hessian is cheap    Newton: where a factorised step costs no more than a few passes
//   otherwise               L-BFGS, whose steps cost two passes. Every few steps the rate at which
//                           the certificate falls predicts what is left of it; once Newton steps
//                           (or, where the matrix is out of reach, truncated Newton steps of a
//                           trust region) promise to cost less, they take over.
//
// Costs are those of the objective (objective::Costs) and of factorisations, and the rate is that
// of the iterates: never cores, threads or the clock, so that bits do not depend on them.
#pragma once

#include "thalweg/solver/smooth.hpp"

namespace thalweg::solver {

std::unique_ptr<SmoothSolver> make_smooth_choice(std::uint64_t seed);

}  // namespace thalweg::solver
