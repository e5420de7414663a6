#include <pybind11/stl.h>

#include "arrays.hpp"
#include "bindings.hpp"
#include "interrupts.hpp"
#include "thalweg/design/sparse_format.hpp"

namespace thalweg::bindings {
namespace {

core::Execution threads(int requested) { return {.threads = core::resolve_threads(requested)}; }

template <class T>
BoundDesign dense_of(const py::array& x) {
  const Index rows = x.shape(0), cols = x.shape(1);
  const Index row_stride = x.strides(0) / static_cast<Index>(sizeof(T));
  const Index column_stride = x.strides(1) / static_cast<Index>(sizeof(T));
  const bool divisible = x.strides(0) % static_cast<Index>(sizeof(T)) == 0 &&
                         x.strides(1) % static_cast<Index>(sizeof(T)) == 0;
  const auto* data = static_cast<const T*>(x.data());
  BoundDesign bound{.view = design::ColumnMajor<T>(data, rows, cols, column_stride),
                    .owners = {x},
                    .kind = "dense",
                    .order = "F",
                    .dtype = sizeof(T) == 4 ? "float32" : "float64"};
  if (divisible && (row_stride == 1 || rows == 1) && (column_stride >= rows || cols == 1))
    return bound;
  if (divisible && (column_stride == 1 || cols == 1) && (row_stride >= cols || rows == 1)) {
    bound.view.emplace<design::RowMajor<T>>(data, rows, cols, row_stride);
    bound.order = "C";
    return bound;
  }
  throw py::type_error("X must have one unit stride (C or Fortran order); got strides " +
                       std::string(py::str(x.attr("strides"))));
}

BoundDesign dense(const py::object& object) {
  const std::string expected = "a two-dimensional float32 or float64 array";
  if (!py::isinstance<py::array>(object)) reject("X", object, expected);
  const auto x = py::reinterpret_borrow<py::array>(object);
  if (x.ndim() != 2) reject("X", object, expected);
  if (py::isinstance<py::array_t<double>>(x)) return dense_of<double>(x);
  if (py::isinstance<py::array_t<float>>(x)) return dense_of<float>(x);
  reject("X", object, expected);
}

struct SparseArrays {
  py::array data, index, pointers;
  Index rows, cols;
};

SparseArrays sparse_arrays(const py::object& data, const py::object& index,
                           const py::object& pointers, const std::pair<Index, Index>& shape,
                           Index major) {
  const auto vector = [](const char* name, const py::object& object) {
    const std::string expected = "a contiguous one-dimensional array";
    if (!py::isinstance<py::array>(object)) reject(name, object, expected);
    auto array = py::reinterpret_borrow<py::array>(object);
    if (array.ndim() != 1 || (array.flags() & py::array::c_style) == 0)
      reject(name, object, expected);
    return array;
  };
  SparseArrays out{vector("data", data), vector("indices", index), vector("indptr", pointers),
                   shape.first, shape.second};
  if (out.pointers.shape(0) != major + 1) {
    throw py::value_error("indptr must have length " + std::to_string(major + 1) + "; got " +
                          std::to_string(out.pointers.shape(0)));
  }
  if (out.data.shape(0) != out.index.shape(0)) {
    throw py::value_error("data and indices must have one length; got " +
                          std::to_string(out.data.shape(0)) + " and " +
                          std::to_string(out.index.shape(0)));
  }
  return out;
}

// Calls f with typed null pointers for the value and index types of the arrays.
template <class F>
auto with_types(const SparseArrays& x, F&& f) {
  const auto index_type = [&]<class T>(const T* values) {
    if (py::isinstance<py::array_t<std::int32_t>>(x.index) &&
        py::isinstance<py::array_t<std::int32_t>>(x.pointers)) {
      return f(values, static_cast<const std::int32_t*>(x.index.data()),
               static_cast<const std::int32_t*>(x.pointers.data()));
    }
    if (py::isinstance<py::array_t<std::int64_t>>(x.index) &&
        py::isinstance<py::array_t<std::int64_t>>(x.pointers)) {
      return f(values, static_cast<const std::int64_t*>(x.index.data()),
               static_cast<const std::int64_t*>(x.pointers.data()));
    }
    reject("indices and indptr", x.index, "both int32 or both int64 arrays");
  };
  if (py::isinstance<py::array_t<double>>(x.data))
    return index_type(static_cast<const double*>(x.data.data()));
  if (py::isinstance<py::array_t<float>>(x.data))
    return index_type(static_cast<const float*>(x.data.data()));
  reject("data", x.data, "a float32 or float64 array");
}

template <template <class, class> class View>
BoundDesign sparse(const py::object& data, const py::object& index, const py::object& pointers,
                   const std::pair<Index, Index>& shape, bool by_column) {
  const Index major = by_column ? shape.second : shape.first;
  const Index minor = by_column ? shape.first : shape.second;
  const SparseArrays x = sparse_arrays(data, index, pointers, shape, major);
  return with_types(x, [&]<class T, class I>(const T* values, const I* indices, const I* starts) {
    bool canonical = false;
    interruptible(1, [&](const core::Execution& execution) {
      canonical = design::check_format(indices, x.index.shape(0), starts, major, minor, execution);
    });
    const auto view = [&]() -> design::AnyDesign {
      if constexpr (std::is_same_v<View<T, I>, View<double, std::int32_t>>) {
        if (design::are_ones(values, x.index.shape(0))) {
          return View<kernels::One, I>(reinterpret_cast<const kernels::One*>(values), indices,
                                       starts, x.rows, x.cols);
        }
      }
      return View<T, I>(values, indices, starts, x.rows, x.cols);
    };
    return BoundDesign{.view = view(),
                       .owners = {x.data, x.index, x.pointers},
                       .kind = by_column ? "csc" : "csr",
                       .order = "",
                       .dtype = sizeof(T) == 4 ? "float32" : "float64",
                       .canonical = canonical};
  });
}

py::tuple to_csc(const py::object& data, const py::object& index, const py::object& pointers,
                 const std::pair<Index, Index>& shape, const std::string& kind, int n_threads) {
  const bool from_rows = kind == "csr";
  if (!from_rows && kind != "csc")
    throw py::value_error("kind must be 'csr' or 'csc'; got '" + kind + "'");
  const Index major = from_rows ? shape.first : shape.second;
  const Index minor = from_rows ? shape.second : shape.first;
  const SparseArrays x = sparse_arrays(data, index, pointers, shape, major);
  return with_types(
      x, [&]<class T, class I>(const T* values, const I* indices, const I* starts) -> py::tuple {
        design::CompressedColumns<T, I> out;
        const Index entries = x.index.shape(0);
        bool has_values = true;
        interruptible(n_threads, [&](const core::Execution& execution) {
          const bool canonical =
              design::check_format(indices, entries, starts, major, minor, execution);
          if (execution.stop_requested()) return;
          // Ones are the same in any order.
          has_values = !(from_rows && canonical && entries == static_cast<Index>(starts[major]) &&
                         design::are_ones(values, entries));
          out = from_rows ? design::rows_to_columns(has_values ? values : nullptr, indices, starts,
                                                    x.rows, x.cols, execution, canonical)
                          : design::canonical_columns(values, indices, starts, x.cols, execution);
        });
        return py::make_tuple(has_values ? to_numpy(std::move(out.data)) : x.data,
                              to_numpy(std::move(out.index)), to_numpy(std::move(out.pointers)));
      });
}

py::array_t<double> gemv(const BoundDesign& bound, const py::object& w, int n_threads) {
  return std::visit(
      [&](const auto& x) {
        const py::array coef = float64_vector("w", w, x.cols());
        std::vector<Index> columns(static_cast<std::size_t>(x.cols()));
        std::iota(columns.begin(), columns.end(), Index{0});
        Vector out(static_cast<std::size_t>(x.rows()), 0.0);
        x.gemv_add(columns, data(coef), out.data(), threads(n_threads));
        return to_numpy(std::move(out));
      },
      bound.view);
}

py::array_t<double> gemv_t(const BoundDesign& bound, const py::object& v, int n_threads) {
  return std::visit(
      [&](const auto& x) {
        const py::array vector = float64_vector("v", v, x.rows());
        std::vector<Index> columns(static_cast<std::size_t>(x.cols()));
        std::iota(columns.begin(), columns.end(), Index{0});
        Vector out(static_cast<std::size_t>(x.cols()), 0.0);
        x.gemv_t(data(vector), columns, out.data(), threads(n_threads));
        return to_numpy(std::move(out));
      },
      bound.view);
}

py::tuple moments(const BoundDesign& bound, const py::object& weights, const py::object& v,
                  int n_threads) {
  return std::visit(
      [&](const auto& x) {
        const py::array vector = float64_vector("v", v, x.rows());
        const py::object s =
            weights.is_none() ? weights : float64_vector("weights", weights, x.rows());
        design::ColumnMoments out;
        x.moments(s.is_none() ? nullptr : data(py::reinterpret_borrow<py::array>(s)), data(vector),
                  out, threads(n_threads));
        return py::make_tuple(to_numpy(std::move(out.sum)), to_numpy(std::move(out.sum_sq)),
                              to_numpy(std::move(out.dot)));
      },
      bound.view);
}

py::array gram(const BoundDesign& bound, const std::vector<Index>& columns,
               const py::object& weights, int n_threads) {
  return std::visit(
      [&]<class D>(const D& x) -> py::array {
        for (const Index j : columns) {
          if (j < 0 || j >= x.cols()) {
            throw py::value_error("columns must be in [0, " + std::to_string(x.cols()) + "); got " +
                                  std::to_string(j));
          }
        }
        const py::object given =
            weights.is_none() ? weights : float64_vector("weights", weights, x.rows());
        const double* const s =
            given.is_none() ? nullptr : data(py::reinterpret_borrow<py::array>(given));
        const auto size = static_cast<Index>(columns.size());
        py::array_t<double, py::array::f_style> out({size, size});
        double* const result = out.mutable_data();
        if constexpr (design::ColumnAccess<D>) {
          interruptible(n_threads, [&](const core::Execution& execution) {
            x.gram(columns, size, nullptr, s, 0.0, result, size, execution);
          });
        } else {
          bool are_all = size == x.cols();
          for (Index k = 0; are_all && k < size; ++k)
            are_all = columns[static_cast<std::size_t>(k)] == k;
          if (!are_all) {
            throw py::value_error("gram of '" + bound.kind +
                                  "', which has no column access, takes all columns in order");
          }
          interruptible(n_threads, [&](const core::Execution& execution) {
            x.row_gram(s, result, size, execution);
          });
        }
        return out;
      },
      bound.view);
}

}  // namespace

void bind_design(py::module_& m) {
  using Shape = std::pair<Index, Index>;
  const auto n_threads = py::arg("n_threads") = 0;
  py::class_<BoundDesign>(m, "Design", "A view of the caller's array; never copies.")
      .def_static("dense", &dense, py::arg("X"))
      .def_static(
          "csc",
          [](const py::object& values, const py::object& index, const py::object& pointers,
             const Shape& shape) {
            return sparse<design::Csc>(values, index, pointers, shape, true);
          },
          py::arg("data"), py::arg("indices"), py::arg("indptr"), py::arg("shape"))
      .def_static(
          "csr",
          [](const py::object& values, const py::object& index, const py::object& pointers,
             const Shape& shape) {
            return sparse<design::Csr>(values, index, pointers, shape, false);
          },
          py::arg("data"), py::arg("indices"), py::arg("indptr"), py::arg("shape"))
      .def_readonly("kind", &BoundDesign::kind)
      .def_readonly("order", &BoundDesign::order)
      .def_readonly("dtype", &BoundDesign::dtype)
      .def_readonly("canonical", &BoundDesign::canonical)
      .def_property_readonly("shape",
                             [](const BoundDesign& d) {
                               return std::visit(
                                   [](const auto& x) { return Shape(x.rows(), x.cols()); }, d.view);
                             })
      .def_property_readonly("nnz",
                             [](const BoundDesign& d) {
                               return std::visit([](const auto& x) { return x.stored(); }, d.view);
                             })
      .def_property_readonly("nbytes",
                             [](const BoundDesign& d) {
                               return std::visit([](const auto& x) { return x.bytes(); }, d.view);
                             })
      .def_property_readonly(
          "arrays", [](const BoundDesign& d) { return py::tuple(py::cast(d.owners)); },
          "The arrays that the view looks at.")
      .def("gemv", &gemv, py::arg("w"), n_threads, "X w.")
      .def("gemv_t", &gemv_t, py::arg("v"), n_threads, "X' v.")
      .def("moments", &moments, py::arg("weights"), py::arg("v"), n_threads,
           "sum_i s_i x_ij, sum_i s_i x_ij^2 and sum_i x_ij v_i of every column.")
      .def("gram", &gram, py::arg("columns"), py::arg("weights") = py::none(), n_threads,
           "X_C' diag(weights) X_C; by rows, of all columns only.");
  m.def("to_csc", &to_csc, py::arg("data"), py::arg("indices"), py::arg("indptr"), py::arg("shape"),
        py::arg("kind"), n_threads,
        "New canonical CSC arrays of a CSR or CSC matrix; of rows whose values are all one, with "
        "those values.");
}

}  // namespace thalweg::bindings
