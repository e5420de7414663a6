// Whole solves through the catalogue, for the sanitizers: every solver, penalty and design, wide
// and tall problems with dependent and empty columns, weights, limits, paths, threads and early
// stops. That solutions are right is tested from Python.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "thalweg/catalog.hpp"
#include "thalweg/core/error.hpp"
#include "thalweg/core/rng.hpp"

namespace thalweg {
namespace {

// One matrix in every storage. Entries are multiples of 1/8, so float32 holds the same values.
class Matrix final {
 public:
  Matrix(Index rows, Index cols) : rows_(rows), cols_(cols) {
    core::Rng rng(7);
    f64_.assign(static_cast<std::size_t>(rows * cols), 0.0);
    for (double& x : f64_) {
      if (rng.below(3) > 0) x = static_cast<double>(rng.below(33) - 16) / 8;
    }
    for (Index i = 0; i < rows; ++i) {
      at(i, cols - 1) = at(i, 0);  // dependent
      at(i, cols - 2) = at(i, 0) + 2.0 * at(i, 1);
      at(i, cols - 3) = 0;  // empty
      at(i, cols - 4) = 1;  // constant
    }
    f32_.assign(f64_.begin(), f64_.end());
    compress<std::int32_t>(by_column_32_, by_row_32_);
    compress<std::int64_t>(by_column_64_, by_row_64_);
  }

  std::vector<design::AnyDesign> views() const {
    std::vector<design::AnyDesign> views;
    dense(views, f32_, transposed(f32_));
    dense(views, f64_, transposed(f64_));
    sparse(views, by_column_32_, by_row_32_);
    sparse(views, by_column_64_, by_row_64_);
    return views;
  }

  Vector target() const {
    core::Rng rng(11);
    Vector y(static_cast<std::size_t>(rows_));
    for (Index i = 0; i < rows_; ++i) {
      y[static_cast<std::size_t>(i)] = 3.0 + at(i, 0) - 2.0 * at(i, 2) + 0.5 * at(i, 5) +
                                       static_cast<double>(rng.below(101) - 50) / 100;
    }
    return y;
  }

 private:
  template <class I>
  struct Compressed {
    std::vector<double> f64;
    std::vector<float> f32;
    std::vector<I> index, pointers{0};
    void push(double value, Index k) {
      if (value == 0) return;
      f64.push_back(value);
      f32.push_back(static_cast<float>(value));
      index.push_back(static_cast<I>(k));
    }
    void close() { pointers.push_back(static_cast<I>(index.size())); }
  };

  double& at(Index i, Index j) { return f64_[static_cast<std::size_t>(i + j * rows_)]; }
  double at(Index i, Index j) const { return f64_[static_cast<std::size_t>(i + j * rows_)]; }

  template <class I>
  void compress(Compressed<I>& by_column, Compressed<I>& by_row) const {
    for (Index j = 0; j < cols_; ++j, by_column.close()) {
      for (Index i = 0; i < rows_; ++i) by_column.push(at(i, j), i);
    }
    for (Index i = 0; i < rows_; ++i, by_row.close()) {
      for (Index j = 0; j < cols_; ++j) by_row.push(at(i, j), j);
    }
  }

  // The rows of a column-major matrix, kept for as long as this object.
  template <class T>
  const T* transposed(const std::vector<T>& x) const {
    auto rows = std::make_shared<std::vector<T>>(x.size());
    for (Index i = 0; i < rows_; ++i) {
      for (Index j = 0; j < cols_; ++j) {
        (*rows)[static_cast<std::size_t>(i * cols_ + j)] =
            x[static_cast<std::size_t>(i + j * rows_)];
      }
    }
    owners_.push_back(rows);
    return rows->data();
  }

  template <class T>
  void dense(std::vector<design::AnyDesign>& views, const std::vector<T>& columns,
             const T* rows) const {
    views.emplace_back(design::ColumnMajor<T>(columns.data(), rows_, cols_, rows_));
    views.emplace_back(design::RowMajor<T>(rows, rows_, cols_, cols_));
  }

  template <class I>
  void sparse(std::vector<design::AnyDesign>& views, const Compressed<I>& columns,
              const Compressed<I>& rows) const {
    const I *ci = columns.index.data(), *cp = columns.pointers.data();
    const I *ri = rows.index.data(), *rp = rows.pointers.data();
    views.emplace_back(design::Csc<float, I>(columns.f32.data(), ci, cp, rows_, cols_));
    views.emplace_back(design::Csc<double, I>(columns.f64.data(), ci, cp, rows_, cols_));
    views.emplace_back(design::Csr<float, I>(rows.f32.data(), ri, rp, rows_, cols_));
    views.emplace_back(design::Csr<double, I>(rows.f64.data(), ri, rp, rows_, cols_));
  }

  Index rows_, cols_;
  std::vector<double> f64_;
  std::vector<float> f32_;
  Compressed<std::int32_t> by_column_32_, by_row_32_;
  Compressed<std::int64_t> by_column_64_, by_row_64_;
  mutable std::vector<std::shared_ptr<void>> owners_;
};

struct Case {
  Index rows, cols;
};

class SolveTest : public testing::TestWithParam<Case> {
 protected:
  Index rows() const { return GetParam().rows; }
  Index cols() const { return GetParam().cols; }

  // Calls f on a request for every solver of quadratic problems, penalty, loss and design that go
  // together; others have targets of their own (test_smooth_glm.cpp).
  template <class F>
  void for_every_combination(F&& f) {
    for (const SolverEntry& entry : solvers()) {
      if (entry.make != nullptr && entry.info->any_of.empty()) continue;
      for (const core::Info* loss : losses()) {
        if (!core::flag(*loss, "quadratic")) continue;
        for (const PenaltyEntry& penalty : penalties()) {
          for (const design::AnyDesign& view : views_) {
            SCOPED_TRACE(std::string(entry.info->name) + ", " + std::string(loss->name) + ", " +
                         std::string(penalty.info->name) + ", design " +
                         std::to_string(view.index()));
            solver::Request request;
            request.design = &view;
            request.y = y_.data();
            request.loss = loss->name;
            request.solver = entry.info->name;
            request.options.parameters = default_parameters(*entry.info);
            request.penalties = {default_spec(penalty)};
            request.tasks = {{.alphas = {0.5, 0.1, 0.02}}};
            request.max_iter = 100'000;
            request.tol = 1e-8;
            if (incompatibility(*entry.info, request).empty()) {
              f(entry, request);
            } else {
              EXPECT_THROW(entry.run(request), core::Unsupported);
            }
          }
        }
      }
    }
  }

  Matrix matrix_{rows(), cols()};
  std::vector<design::AnyDesign> views_ = matrix_.views();
  Vector y_ = matrix_.target();
};

TEST_P(SolveTest, PathsAreCertifiedForEveryDesign) {
  for_every_combination([&](const SolverEntry& entry, solver::Request& request) {
    const solver::Results results = entry.run(request);
    for (const core::Result& result : results.front()) {
      EXPECT_EQ(core::Status::converged, result.status);
      EXPECT_LE(result.certificate.value, result.target);
      EXPECT_EQ(static_cast<std::size_t>(cols()), result.coef.size());
    }
  });
}

TEST_P(SolveTest, WeightsLimitsAndStandardizedColumns) {
  core::Rng rng(3);
  Vector weights(static_cast<std::size_t>(rows()));
  std::vector<std::uint8_t> codes(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = 0.5 * static_cast<double>(1 + rng.below(3));
    codes[i] = static_cast<std::uint8_t>(rng.below(3));
  }
  const solver::Folds folds{.columns = {codes.data()},
                            .all = {{.first = 2, .times = {{0, 1}}}, {.times = {{0, 1}, {2, 0}}}}};
  Vector factors(static_cast<std::size_t>(cols()), 1.0), upper(factors.size(), 0.4);
  factors[0] = factors[1] = 0;
  upper[2] = upper[0] = infinity;
  for_every_combination([&](const SolverEntry& entry, solver::Request& request) {
    request.weights = weights.data();
    request.folds = folds;
    request.standardize = true;
    request.penalties.front().weights = factors.data();
    request.penalties.front().upper = upper.data();
    request.tasks = {{.fold = 0, .alphas = {0.3, 0.05}}, {.fold = 1, .alphas = {0.3, 0.05}}};
    Vector one_thread;
    for (const int threads : {1, 3}) {
      request.execution.threads = threads;
      Vector found;
      for (const auto& path : entry.run(request)) {
        for (const core::Result& result : path) {
          EXPECT_EQ(core::Status::converged, result.status);
          EXPECT_TRUE(std::isfinite(result.heldout_error));
          found.insert(found.end(), result.coef.begin(), result.coef.end());
        }
      }
      if (threads == 1) one_thread = found;
      else EXPECT_EQ(one_thread, found);
    }
  });
}

TEST_P(SolveTest, StopsAreCertifiedToo) {
  for_every_combination([&](const SolverEntry& entry, solver::Request& request) {
    request.tol = 0;
    request.max_iter = 1;
    const core::Result limited = entry.run(request).front().back();
    EXPECT_TRUE(std::isfinite(limited.certificate.primal));

    core::StopToken stop;
    request.execution.stop = &stop;
    request.observer = [](const core::IterationInfo& info) { return info.iteration == 1; };
    request.max_iter = 100'000;
    const core::Result stopped = entry.run(request).front().front();
    EXPECT_TRUE(std::isfinite(stopped.certificate.primal));
    EXPECT_EQ(static_cast<std::size_t>(cols()), stopped.coef.size());
  });
}

INSTANTIATE_TEST_SUITE_P(Shapes, SolveTest, testing::Values(Case{60, 24}, Case{24, 60}),
                         [](const auto& shape) {
                           return shape.param.rows > shape.param.cols ? "tall" : "wide";
                         });

}  // namespace
}  // namespace thalweg
