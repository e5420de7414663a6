#include "thalweg/solver/compact_bfgs.hpp"

#include <Eigen/Cholesky>

namespace thalweg::solver {
namespace {

bool factorize_block(Eigen::Ref<Eigen::MatrixXd> block) {
  const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> factor(block);
  return factor.info() == Eigen::Success;
}

}  // namespace

bool QuasiDefinite::factorize(Index k) {
  size_ = k;
  if (k == 0) return true;
  if (!factorize_block(p(k))) return false;
  // Q <- Q C^-T of P = C C'.
  p(k).triangularView<Eigen::Lower>().transpose().solveInPlace<Eigen::OnTheRight>(q(k));
  r(k).selfadjointView<Eigen::Lower>().rankUpdate(q(k));
  return factorize_block(r(k));
}

void QuasiDefinite::solve(double* v) const {
  if (size_ == 0) return;
  Eigen::Map<Eigen::VectorXd> first(v, size_), second(v + size_, size_);
  const auto p = p_.topLeftCorner(size_, size_);
  const auto q = q_.topLeftCorner(size_, size_);
  const auto r = r_.topLeftCorner(size_, size_);
  p.triangularView<Eigen::Lower>().solveInPlace(first);
  second.noalias() += q * first;
  r.triangularView<Eigen::Lower>().solveInPlace(second);
  r.triangularView<Eigen::Lower>().transpose().solveInPlace(second);
  first = -first;
  first.noalias() += q.transpose() * second;
  p.triangularView<Eigen::Lower>().transpose().solveInPlace(first);
}

}  // namespace thalweg::solver
