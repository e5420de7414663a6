#include <vector>

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

py::tuple valid_targets(const std::string& loss, const py::dict& parameters, Index outputs,
                        const py::object& y) {
  const loss::LossBlock block =
      find_loss_block(loss, parameters_of(find_loss(loss), parameters), outputs);
  const py::array target = checked<double>("y", y, 1, "a contiguous float64 vector");
  py::array_t<bool> valid(target.shape(0));
  for (Index i = 0; i < target.shape(0); ++i) valid.mutable_at(i) = block.validate(data(target)[i]);
  return py::make_tuple(valid, std::string(block.domain()));
}

py::array loss_values(const std::string& loss, const py::dict& parameters, const py::object& y,
                      const py::object& eta) {
  const Asked asked(loss, parameters, eta);
  const py::array target = float64_vector("y", y, asked.rows);
  py::array_t<double> values(asked.rows);
  for (Index i = 0; i < asked.rows; ++i) {
    const loss::Rows row{.y = data(target) + i, .s = nullptr, .n = 1, .stride = asked.rows};
    values.mutable_at(i) = asked.block.value(row, data(asked.predictions) + i);
  }
  return values;
}

py::tuple loss_derivatives(const std::string& loss, const py::dict& parameters, const py::object& y,
                           const py::object& eta) {
  const Asked asked(loss, parameters, eta);
  const py::array target = float64_vector("y", y, asked.rows);
  auto gradient = asked.like(), curvature = asked.like();
  asked.block.curvature({.y = data(target), .s = nullptr, .n = asked.rows, .stride = asked.rows},
                        data(asked.predictions), gradient.mutable_data(), curvature.mutable_data());
  return py::make_tuple(gradient, curvature);
}

py::array loss_information(const std::string& loss, const py::dict& parameters,
                           const py::object& eta) {
  const Asked asked(loss, parameters, eta);
  if (!core::flag(asked.block.info(), "likelihood")) {
    throw core::InvalidArgument("loss '" + loss + "' is no likelihood and has no information");
  }
  auto information = asked.like();
  const Vector any(static_cast<std::size_t>(asked.rows));  // no target is looked at
  asked.block.information({.y = any.data(), .s = nullptr, .n = asked.rows, .stride = asked.rows},
                          data(asked.predictions), information.mutable_data());
  return information;
}

}  // namespace

void bind_loss(py::module_& m) {
  const auto parameters = py::arg("parameters");
  m.def("inverse_link", &inverse_link, py::arg("loss"), parameters, py::arg("eta"),
        "Means, or probabilities of classes, for predictions of shape (n, outputs).");
  m.def("valid_targets", &valid_targets, py::arg("loss"), parameters, py::arg("outputs"),
        py::arg("y"), "(which targets are in the domain of the loss, the domain in words).");
  m.def("loss_values", &loss_values, py::arg("loss"), parameters, py::arg("y"), py::arg("eta"),
        "The loss of every sample.");
  m.def("loss_derivatives", &loss_derivatives, py::arg("loss"), parameters, py::arg("y"),
        py::arg("eta"),
        "(gradient, curvature) of every sample; of several outputs, the probabilities of classes "
        "take the place of the curvature.");
  m.def("loss_information", &loss_information, py::arg("loss"), parameters, py::arg("eta"),
        "Of a likelihood, the expectation of the curvature under the model, of every sample.");
}

}  // namespace thalweg::bindings
