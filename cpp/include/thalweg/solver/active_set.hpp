// Active-set descent on a quadratic model with a separable penalty: the exact finish of a working
// set.
//
//   1/2 w'Gw - c'w + sum_k term_k(w_k),   q = c - G w
//
// A face fixes the sign of every member of the active set A and holds the others where they are (at
// zero or at a limit). On it the model is a smooth quadratic whose minimiser solves
// (G_AA + diag(l2)) d = q_A - l1 sign - l2 w_A. Rounds of
//   1. go to the minimiser of the face; a member that would leave its side of zero or its limits
//      stops there and leaves A. All that cross are clipped at once if the model decreases, else
//      the step ends at the first crossing, where it always does;
//   2. add the coordinates that violate optimality most, a few per round, more as A grows;
// end when nothing violates. A column that depends on A never enters: moving along the dependence
// changes the penalty only, linearly, until some member reaches zero and leaves.
//
// Coordinate descent converges at a rate set by the conditioning of G_AA; this takes about as many
// rounds as A changes, whatever the conditioning. Cost per round O(k^2) for the factor (updated,
// see face_factor.hpp) plus one visit of the working set. References: Osborne, Presnell, Turlach
// 2000; Lee, Battle, Raina, Ng 2006 (feature-sign search). Differs from both: several coordinates
// enter and leave at once, limits, dependent columns.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>

#include "thalweg/solver/face.hpp"
#include "thalweg/solver/face_factor.hpp"
#include "thalweg/solver/gram_cache.hpp"

namespace thalweg::solver {

class ActiveSet final {
 public:
  struct Outcome {
    Index rounds = 0;
    double largest_change = 0;
    bool converged = false;
  };

  // `ensure(columns)` makes the cache hold these columns (by design column); false: it will not,
  // and the descent ends. `tolerance(w)` is the violation to reach.
  template <class Model, class Ensure, class Tolerance>
  Outcome run(Model& model, Vector& w, const std::vector<penalty::Term>& terms, Index most_rounds,
              const GramCache& gram, Ensure&& ensure, Tolerance&& tolerance,
              const core::Execution& execution) {
    Outcome outcome;
    execution_ = execution;
    synced_ = w;
    position_.assign(w.size(), -1);
    members_.clear();
    factor_.truncate(0);
    all_.resize(w.size());
    std::iota(all_.begin(), all_.end(), Index{0});
    model.correlations(all_, q_);
    if (!enter_support(model, w, terms, gram, ensure)) return outcome;
    Index batch = first_batch;
    double settled = infinity;
    while (outcome.rounds < most_rounds && !execution.stop_requested()) {
      ++outcome.rounds;
      left_ = 0;
      const bool moved = minimize_face(w, terms, gram);
      outcome.largest_change = std::max(outcome.largest_change, sync(model, w));
      const double violation = rank_violators(model, w, terms);
      if (violation <= tolerance(w)) {
        outcome.converged = true;
        break;
      }
      if (candidates_.empty()) {
        // What is left on a face that stays is rounding in the factor, once it no longer falls.
        if (!moved || (left_ == 0 && violation > 0.5 * settled)) break;
        settled = violation;
        continue;
      }
      // Grow the batches while most of a batch stays. All of one may leave again without a move;
      // a single entry cannot.
      if (outcome.rounds > 1) {
        if (!moved) batch = 1;
        else batch = 2 * left_ > batch ? std::max<Index>(1, batch / 2) : batch + 1 + batch / 2;
      }
      if (!admit(model, w, terms, gram, ensure, batch)) break;
    }
    return outcome;
  }

  // Memory of the factor.
  Index bytes() const { return factor_.bytes(); }

 private:
  static constexpr Index first_batch = 8;
  // Along a dependence among columns: parts and gains below these are rounding, since the factor
  // takes what is left of a column below sqrt(FaceFactor::dependence) = 1e-5 for nothing.
  static constexpr double no_part = 1e-5;
  static constexpr double no_gain = 1e-9;

  struct Member : Ends {
    Index index;  // in the working set
    Index slot;   // in the Gram cache
  };
  struct Candidate {
    double score;
    Index index;
  };

  static bool is_interior(double w, const penalty::Term& term) {
    return (w != 0 || term.l1 == 0) && w > term.lower && w < term.upper;
  }

  // The members at the start: everything that is not at zero or at a limit.
  template <class Model, class Ensure>
  bool enter_support(Model& model, Vector& w, const std::vector<penalty::Term>& terms,
                     const GramCache& gram, Ensure&& ensure) {
    entering_.clear();
    for (std::size_t k = 0; k < w.size(); ++k) {
      if (is_interior(w[k], terms[k]) && terms[k].l2 + model.diagonal(static_cast<Index>(k)) > 0) {
        entering_.push_back(static_cast<Index>(k));
      }
    }
    if (!hold(model, gram, ensure)) return false;
    rebuilt_.clear();
    for (const Index k : entering_) {
      const auto at = static_cast<std::size_t>(k);
      rebuilt_.push_back(Member{Ends::of(w[at], terms[at]), k, gram.slot(model.column(k))});
    }
    rebuild(w, terms, gram);
    return true;
  }

  // Makes the cache hold the columns of members_ and entering_; slots may change.
  template <class Model, class Ensure>
  bool hold(const Model& model, const GramCache& gram, Ensure&& ensure) {
    columns_.clear();
    for (const Member& member : members_) columns_.push_back(model.column(member.index));
    for (const Index k : entering_) columns_.push_back(model.column(k));
    // After a stop the block may have been cut short.
    if (!ensure(columns_) || execution_.stop_requested()) return false;
    for (Member& member : members_) member.slot = gram.slot(model.column(member.index));
    return true;
  }

  // members_ from rebuilt_, in that order; those that depend on earlier ones slide out or in.
  void rebuild(Vector& w, const std::vector<penalty::Term>& terms, const GramCache& gram) {
    constexpr std::size_t worth_blocking = 48;
    for (const Member& member : members_) position_[static_cast<std::size_t>(member.index)] = -1;
    members_.clear();
    factor_.truncate(0);
    dependent_.clear();
    if (rebuilt_.size() >= worth_blocking) {
      factorize_blocked(terms, gram);
    } else {
      for (const Member& member : rebuilt_) {
        if (execution_.stop_requested()) return;
        if (append(member, terms, gram)) join(member);
        else dependent_.push_back(member);
      }
    }
    const std::vector<Member> waiting = dependent_;
    for (const Member& member : waiting) {
      if (execution_.stop_requested()) return;
      enter(member, w, terms, gram);
    }
  }

  void factorize_blocked(const std::vector<penalty::Term>& terms, const GramCache& gram) {
    const auto size = static_cast<Index>(rebuilt_.size());
    double* const matrix = factor_.prepare(size);
    const Index ld = factor_.leading_dimension();
    for (Index j = 0; j < size && !execution_.stop_requested(); ++j) {
      const Member& member = rebuilt_[static_cast<std::size_t>(j)];
      const double* column = gram.column(member.slot);
      double* const out = matrix + j * ld;
      for (Index i = j; i < size; ++i) out[i] = column[rebuilt_[static_cast<std::size_t>(i)].slot];
      out[j] += terms[static_cast<std::size_t>(member.index)].l2;
    }
    if (!factor_.factorize(size, execution_)) return factor_.truncate(0);
    for (Index k = 0; k < size; ++k) {
      const Member& member = rebuilt_[static_cast<std::size_t>(k)];
      if (factor_.is_left_out(k)) dependent_.push_back(member);
      else join(member);
    }
  }

  void join(const Member& member) {
    position_[static_cast<std::size_t>(member.index)] = static_cast<Index>(members_.size());
    members_.push_back(member);
  }

  // One coordinate becomes a member. If its column depends on the members, w moves along the
  // dependence, in the direction that the penalty falls, until a coordinate reaches the end of its
  // face; false if that was the new one itself (it is then not a member).
  bool enter(const Member& fresh, Vector& w, const std::vector<penalty::Term>& terms,
             const GramCache& gram) {
    while (!append(fresh, terms, gram)) {
      if (members_.empty() || execution_.stop_requested() || !slide(fresh, w, terms, gram))
        return false;
    }
    join(fresh);
    return true;
  }

  // Moves along the dependence x_new = X_A x, which leaves X w and so every q as it is. False if
  // the new coordinate is the one that stops the move, if nothing does, or if nothing is gained by
  // it.
  bool slide(const Member& fresh, Vector& w, const std::vector<penalty::Term>& terms,
             const GramCache& gram) {
    direction_ = products_;
    factor_.solve(direction_.data());  // x
    const auto at = static_cast<std::size_t>(fresh.index);
    double slope = fresh.slope + terms[at].l2 * w[at];
    double size = std::fabs(slope);
    const double own = std::sqrt(gram(fresh.slot, fresh.slot));
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const Member& member = members_[i];
      // A column that has no part in the dependence has one of the size of rounding, which must not
      // stop the move, or send it a rounding's reciprocal away.
      if (std::fabs(direction_[i]) * std::sqrt(gram(member.slot, member.slot)) <= no_part * own) {
        direction_[i] = 0;
      }
      const auto m = static_cast<std::size_t>(member.index);
      const double part = (member.slope + terms[m].l2 * w[m]) * direction_[i];
      slope -= part;
      size += std::fabs(part);
    }
    if (std::fabs(slope) <= no_gain * size) return false;
    const double sense = slope > 0 ? -1.0 : 1.0;
    double length = fresh.room(w[at], sense);
    Index blocking = -1;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const double step = -sense * direction_[i];
      const double limit = members_[i].room(w[static_cast<std::size_t>(members_[i].index)], step);
      if (limit < length) {
        length = limit;
        blocking = static_cast<Index>(i);
      }
    }
    if (!std::isfinite(length)) return false;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      double& value = w[static_cast<std::size_t>(members_[i].index)];
      value = members_[i].clip(value - sense * length * direction_[i]);
    }
    w[at] = fresh.clip(w[at] + sense * length);
    if (blocking < 0) return false;
    stop_at_end(static_cast<std::size_t>(blocking),
                -sense * direction_[static_cast<std::size_t>(blocking)], w);
    leaving_.assign(1, blocking);
    leave(w, terms, gram);
    return true;
  }

  void stop_at_end(std::size_t i, double step, Vector& w) const {
    w[static_cast<std::size_t>(members_[i].index)] =
        step > 0 ? members_[i].upper : members_[i].lower;
  }

  // The members at the (ascending) positions leaving_ become fixed where they are: rotated out of
  // the factor one by one if they are few, otherwise the factor is built again.
  void leave(Vector& w, const std::vector<penalty::Term>& terms, const GramCache& gram) {
    const std::size_t few = 2 + members_.size() / 64;
    left_ += static_cast<Index>(leaving_.size());
    if (leaving_.size() > few) {
      for (const Index i : leaving_) {
        Member& member = members_[static_cast<std::size_t>(i)];
        position_[static_cast<std::size_t>(member.index)] = -1;
        member.index = -1;
      }
      rebuilt_.clear();
      for (const Member& member : members_) {
        if (member.index >= 0) rebuilt_.push_back(member);
      }
      members_.clear();
      rebuild(w, terms, gram);
      return;
    }
    for (auto i = leaving_.rbegin(); i != leaving_.rend(); ++i) {
      position_[static_cast<std::size_t>(members_[static_cast<std::size_t>(*i)].index)] = -1;
      factor_.remove(*i);
      members_.erase(members_.begin() + *i);
    }
    for (auto i = static_cast<std::size_t>(leaving_.front()); i < members_.size(); ++i) {
      position_[static_cast<std::size_t>(members_[i].index)] = static_cast<Index>(i);
    }
  }

  bool append(const Member& member, const std::vector<penalty::Term>& terms,
              const GramCache& gram) {
    const double* column = gram.column(member.slot);
    products_.resize(members_.size());
    for (std::size_t i = 0; i < members_.size(); ++i) products_[i] = column[members_[i].slot];
    return factor_.append(products_.data(),
                          column[member.slot] + terms[static_cast<std::size_t>(member.index)].l2);
  }

  // Step 1. True if w moved.
  bool minimize_face(Vector& w, const std::vector<penalty::Term>& terms, const GramCache& gram) {
    // What is left of the gradient on the face; follows w without another product with X.
    rest_.resize(members_.size());
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const auto m = static_cast<std::size_t>(members_[i].index);
      rest_[i] = q_[m] - members_[i].slope - terms[m].l2 * w[m];
    }
    bool moved = false;
    while (!members_.empty() && !execution_.stop_requested()) {
      direction_ = rest_;
      factor_.solve(direction_.data());
      if (!std::all_of(direction_.begin(), direction_.end(),
                       [](double step) { return std::isfinite(step); })) {
        return moved;  // overflow: no end of a face could be found
      }
      const ClippedStep clipped = clip_step(
          direction_, [&](std::size_t i) -> const Ends& { return members_[i]; },
          [&](std::size_t i) { return w[static_cast<std::size_t>(members_[i].index)]; }, delta_);
      if (!clipped.crosses) {
        for (std::size_t i = 0; i < members_.size(); ++i) {
          w[static_cast<std::size_t>(members_[i].index)] += delta_[i];
          moved = moved || delta_[i] != 0;
        }
        return moved;
      }
      moved = step_to_boundary(w, terms, gram, clipped.first) || moved;
    }
    return moved;
  }

  // Clips every crossing member if the model decreases by it, else goes to the first crossing. The
  // members at the end of their face leave.
  bool step_to_boundary(Vector& w, const std::vector<penalty::Term>& terms, const GramCache& gram,
                        double first) {
    // change = sum delta (-rest + 1/2 (G + l2) delta), the penalty's linear part being in rest.
    factor_.multiply(delta_.data(), product_);
    double change = 0;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      change += delta_[i] * (0.5 * product_[i] - rest_[i]);
    }
    bool moved = false;
    const bool clipped = change < 0;
    leaving_.clear();
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const Member& member = members_[i];
      double& value = w[static_cast<std::size_t>(member.index)];
      const double before = value;
      const double target = value + direction_[i];
      const bool crosses = !member.holds(target);
      if (clipped) {
        value = member.clip(target);
        rest_[i] -= product_[i];
        if (crosses) leaving_.push_back(static_cast<Index>(i));
      } else {
        value = member.clip(value + first * direction_[i]);
        rest_[i] *= 1.0 - first;
        if (crosses && member.room(before, direction_[i]) <= first) {
          stop_at_end(i, direction_[i], w);
          leaving_.push_back(static_cast<Index>(i));
        }
      }
      moved = moved || value != before;
    }
    follow_rest(w, terms, gram);
    return moved;
  }

  // Members leave; rest_ keeps the order of those that stay.
  void follow_rest(Vector& w, const std::vector<penalty::Term>& terms, const GramCache& gram) {
    if (leaving_.empty()) return;
    rest_by_index_.resize(position_.size());
    for (std::size_t i = 0; i < members_.size(); ++i) {
      rest_by_index_[static_cast<std::size_t>(members_[i].index)] = rest_[i];
    }
    leave(w, terms, gram);
    rest_.resize(members_.size());
    for (std::size_t i = 0; i < members_.size(); ++i) {
      rest_[i] = rest_by_index_[static_cast<std::size_t>(members_[i].index)];
    }
  }

  // Tells the model of every change of w since the last time; the largest one.
  template <class Model>
  double sync(Model& model, const Vector& w) {
    double largest = 0;
    moved_.clear();
    delta_.clear();
    for (std::size_t k = 0; k < w.size(); ++k) {
      const double change = w[k] - synced_[k];
      if (change == 0) continue;
      moved_.push_back(static_cast<Index>(k));
      delta_.push_back(change);
      synced_[k] = w[k];
      largest = std::max(largest, std::fabs(change));
    }
    model.change_all(moved_, delta_);
    return largest;
  }

  // Step 2, first half: fresh correlations, the largest violation, and who may enter.
  template <class Model>
  double rank_violators(Model& model, const Vector& w, const std::vector<penalty::Term>& terms) {
    double worst = 0;
    candidates_.clear();
    model.correlations(all_, q_);
    for (std::size_t k = 0; k < w.size(); ++k) {
      const auto index = static_cast<Index>(k);
      const double violation = terms[k].subdiff_distance(w[k], q_[k]);
      if (violation == 0) continue;
      const double h = model.diagonal(index) + terms[k].l2;
      if (!(h > 0)) continue;
      worst = std::max(worst, violation);
      if (position_[k] < 0) candidates_.push_back({violation / std::sqrt(h), index});
    }
    return worst;
  }

  // Step 2, second half: the worst of them enter. False if the cache will not hold them, or if none
  // could enter.
  template <class Model, class Ensure>
  bool admit(Model& model, Vector& w, const std::vector<penalty::Term>& terms,
             const GramCache& gram, Ensure&& ensure, Index batch) {
    const auto size = std::min(candidates_.size(), static_cast<std::size_t>(batch));
    std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(size),
                      candidates_.end(), [](const Candidate& a, const Candidate& b) {
                        return a.score != b.score ? a.score > b.score : a.index < b.index;
                      });
    entering_.clear();
    for (std::size_t c = 0; c < size; ++c) entering_.push_back(candidates_[c].index);
    if (!hold(model, gram, ensure)) return false;
    fresh_.clear();
    for (const Index k : entering_) {
      const auto at = static_cast<std::size_t>(k);
      const double side = w[at] != 0 ? w[at] : q_[at];
      fresh_.push_back(Member{Ends::of(side, terms[at]), k, gram.slot(model.column(k))});
    }
    // Many at once: one blocked factorisation is cheaper than as many substitutions.
    if (members_.size() > 96 && fresh_.size() * 24 > members_.size()) {
      rebuilt_ = members_;
      rebuilt_.insert(rebuilt_.end(), fresh_.begin(), fresh_.end());
      rebuild(w, terms, gram);
    } else {
      for (const Member& member : fresh_) {
        if (execution_.stop_requested()) return false;
        enter(member, w, terms, gram);
      }
    }
    return std::any_of(fresh_.begin(), fresh_.end(), [&](const Member& member) {
      const auto at = static_cast<std::size_t>(member.index);
      return position_[at] >= 0 || w[at] != synced_[at];
    });
  }

  Vector synced_, q_, rest_, direction_, delta_, product_, products_;
  std::vector<Index> all_, position_, entering_, leaving_, columns_, moved_;
  Vector rest_by_index_;
  std::vector<Member> members_, rebuilt_, dependent_, fresh_;
  std::vector<Candidate> candidates_;
  Index left_ = 0;  // members that left in this round
  FaceFactor factor_;
  core::Execution execution_;
};

}  // namespace thalweg::solver
