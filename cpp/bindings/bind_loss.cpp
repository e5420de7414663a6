#include "arrays.hpp"
#include "bindings.hpp"
#include "parameters.hpp"
#include "thalweg/catalog.hpp"

namespace thalweg::bindings {
namespace {

// A loss and the predictions that it is asked about, one column for each output.
struct Asked {
  Asked(const std::string& name, const py::dict& parameters, const py::object& eta)
      : predictions(checked<double>("eta", eta, 2, "a column-major float64 array of shape (n, k)")),
        rows(predictions.shape(0)),
        outputs(predictions.shape(1)),
        block(find_loss_block(name, parameters_of(find_loss(name), parameters), outputs)) {
    if (block.outputs() != outputs) {
      throw core::InvalidArgument("loss '" + name + "' takes one prediction per sample; got " +
                                  std::to_string(outputs));
    }
  }

  // Uninitialized, as the predictions are stored.
  py::array_t<double, py::array::f_style> like() const {
    return py::array_t<double, py::array::f_style>({rows, outputs});
  }

  py::array predictions;
  py::ssize_t rows, outputs;
  loss::LossBlock block;
};

py::array inverse_link(const std::string& loss, const py::dict& parameters, const py::object& eta) {
  const Asked asked(loss, parameters, eta);
  auto mean = asked.like();
  asked.block.inverse_links(asked.rows, asked.rows, data(asked.predictions), mean.mutable_data());
  return mean;
}

py::tuple evaluate_loss(const std::string& loss, const py::dict& parameters, const py::object& y,
                        const py::object& eta, const py::object& weights) {
  const Asked asked(loss, parameters, eta);
  const py::array target = float64_vector("y", y, asked.rows);
  for (Index i = 0; i < asked.rows; ++i) {
    if (!asked.block.validate(data(target)[i]))
      throw core::InvalidArgument("loss '" + loss + "' needs " + std::string(asked.block.domain()));
  }
  const bool weighted = !weights.is_none();
  const py::array s = weighted ? float64_vector("weights", weights, asked.rows) : target;
  auto gradient = asked.like(), curvature = asked.like();
  const double sum = asked.block.curvature({.y = data(target),
                                            .s = weighted ? data(s) : nullptr,
                                            .n = asked.rows,
                                            .stride = asked.rows},
                                           data(asked.predictions), gradient.mutable_data(),
                                           curvature.mutable_data());
  return py::make_tuple(sum, gradient, curvature);
}

}  // namespace

void bind_loss(py::module_& m) {
  m.def("inverse_link", &inverse_link, py::arg("loss"), py::arg("parameters"), py::arg("eta"),
        "Means, or probabilities of classes, for predictions of shape (n, outputs).");
  m.def("evaluate_loss", &evaluate_loss, py::arg("loss"), py::arg("parameters"), py::arg("y"),
        py::arg("eta"), py::arg("weights") = py::none(),
        "(sum_i s_i loss_i, s_i times the gradient, s_i times the curvature); of several outputs, "
        "the last are the probabilities of classes.");
}

}  // namespace thalweg::bindings
