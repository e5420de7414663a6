// Chooses between the solvers of smooth problems, and changes its mind when it has seen more.
//
//   limits                  L-BFGS-B
//   the Hessian is cheap    L-BFGS for as long as a Newton step would take: on well-conditioned
//                           problems it is done then or soon after, on others Newton needs two to
//                           five steps fewer from there. Up to the cost of six gradients it is one
//                           step first, and Newton from the start where it leads nowhere. Should
//                           Newton's steps not get on, where the Hessian is singular, a trust
//                           region takes over
//   rows hardly meet        the dual's coordinates, one for each row (dual_coordinate_descent.hpp):
//                           a handful of visits, unless the penalty is weak; not where its vectors
//                           over the rows do not fit beside X
//   otherwise               L-BFGS, whose steps cost two passes. Every few steps the rate at which
//                           the certificate falls predicts what is left of it; once Newton steps
//                           promise to cost less, they take over. Where the matrix is out of reach,
//                           or dearer than a trial, `newton_cg` is put on trial instead, since only
//                           its own steps show how many products they take; L-BFGS goes on with
//                           its pairs where they are too many. Where the function's
//                           preconditioner has most of the Hessian, there is no trial: Newton's
//                           method with conjugate gradients takes over where L-BFGS has longer to
//                           go than a thousand products take. After steps on the dual Newton or a
//                           trust region takes over for good, from the start where these led
//                           nowhere.
//
// Costs are those of the objective (objective::Costs) and of factorisations, and the rate is that
// of the iterates: never cores, threads or the clock, so that bits do not depend on them.
#pragma once

#include "thalweg/solver/smooth.hpp"

namespace thalweg::solver {

std::unique_ptr<SmoothSolver> make_smooth_choice(std::uint64_t seed);

}  // namespace thalweg::solver
