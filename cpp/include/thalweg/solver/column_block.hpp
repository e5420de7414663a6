// Fast access to the columns that a solver visits: what is particular to a view of X behind one
// interface, at whose calls passes over columns are made.
//
// Column-major and sparse columns are used in place. Row-major ones are copied to contiguous
// storage on their first visit, as long as the copies take at most a budget. A column without a
// copy is read with a stride, or, by whoever visits columns in groups, staged: copied for the time
// until the next group but one is. The budget holds what is staged, too; where it is too small,
// nothing is. A group of neighbours needs neither: rows hold it in a few cache lines.
#pragma once

#include <memory>
#include <numeric>

#include "thalweg/objective/glm.hpp"
#include "thalweg/solver/sweep.hpp"

namespace thalweg::solver {

inline constexpr Index most_staged = 32;  // columns of one group

// What visiting a column costs, relative to contiguous storage. A strided entry costs a cache line,
// and often a page table entry; a staged one as much, or a part of it where columns are neighbours.
inline constexpr double neighbour_visit = 1.5;
inline constexpr double staged_visit = 6.0;
inline constexpr double strided_visit = 32.0;

// Nanoseconds of visiting a column of so many entries, about: a product and half an update. Dense
// columns come from caches if all that are visited in turn fit, else from memory.
inline double visit_cost(bool dense, double entries, double columns) {
  constexpr double cached = 2e6;  // entries: 16 MB
  return 10 + entries * (dense ? (entries * columns <= cached ? 0.2 : 0.6) : 1.5);
}

// A residual that moves with the coefficients of columns: v, weighted where rows have weights, and
// its sum.
struct MovingResidual {
  const objective::Glm& glm;
  double* v;
  double& sum_v;

  // A correlation from the raw product with v.
  double scaled(Index j, double product) const {
    return (product - glm.mean(j) * sum_v) * glm.inverse_scale(j) / glm.total_weight();
  }
  // What a near column adds to the sum, of raw coefficient a.
  double share(double a, Index j) const { return a * glm.total_weight() * glm.mean(j); }
  void sum_again() const { sum_v = std::accumulate(v, v + glm.rows(), 0.0); }
};

class ColumnBlock {
 public:
  virtual ~ColumnBlock() = default;

  virtual Index rows() const = 0;
  virtual bool is_dense() const = 0;
  // Copies those of these columns that have no copy yet; if all do not fit, columns that are not
  // among these lose theirs.
  virtual void load(std::span<const Index> columns, const core::Execution& execution) = 0;
  // Whether all of these are contiguous arrays.
  virtual bool has_all(std::span<const Index> columns) const = 0;
  // Or can be made so, a group at a time.
  virtual bool can_stage(std::span<const Index> columns) const = 0;
  // What visiting a column costs, relative to contiguous storage.
  virtual double visit_factor(std::span<const Index> columns) const = 0;

  // As of the design, from the copies where all are there.
  virtual void gemv_t(const double* v, std::span<const Index> columns, double* out,
                      const core::Execution& execution) const = 0;
  virtual void gemv_add(std::span<const Index> columns, const double* coef, double* out,
                        const core::Execution& execution) const = 0;
  // In float32 where that is asked for and the design can (RoundedGram).
  virtual void gram(std::span<const Index> columns, Index fresh, const double* center,
                    const double* s, double total, double* out, Index ld,
                    const core::Execution& execution, design::GramPrecision precision) const = 0;

  virtual void axpy(double a, Index j, double* v) const = 0;
  // out += a S (x_j - mean), each difference first: it is exact where the mean is far. s may be
  // null.
  void add_centred(double a, Index j, double mean, const double* s, double* out);

  // One sweep of coordinate descent (sweep.hpp), a column at a time, at these positions of
  // `columns`, of w and of terms.
  virtual Sweep sweep(const MovingResidual& residual, std::span<const Index> columns, Vector& w,
                      const std::vector<penalty::Term>& terms, std::span<const Index> positions,
                      const core::Execution& execution) = 0;
  // v += S X_moved coef (s may be null), then q[i] = x_asked[i]' v, for at most most_staged
  // columns each, which can be staged: dense designs only.
  virtual void move_group(std::span<const Index> moved, const double* coef, const double* s,
                          double* v, std::span<const Index> asked, double* q,
                          const core::Execution& execution) = 0;

 private:
  Vector raw_;
};

// The blocks that there are at once, of one task each, share the budget. The view must outlive it.
std::unique_ptr<ColumnBlock> make_column_block(const design::Erased& x, Index at_once);

}  // namespace thalweg::solver
