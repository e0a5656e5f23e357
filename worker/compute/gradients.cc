// SPDX-License-Identifier: Apache-2.0
#include "worker/compute/gradients.h"

#include <utility>

namespace conadv {

namespace F = torch::nn::functional;

namespace {

PassResult MeasuresOf(const torch::Tensor& loss, const torch::Tensor& logits,
                      const torch::Tensor& labels) {
  torch::NoGradGuard no_grad;
  const torch::Tensor right = logits.argmax(1).eq(labels);
  return {loss.item<float>(), right.to(torch::kFloat32).mean().item<float>(), {}};
}

}  // namespace

PassResult ComputeGradients(Replica& replica, const torch::Tensor& images,
                            const torch::Tensor& labels, float label_smoothing,
                            std::shared_ptr<Arena> gradients, GradientOf of,
                            PassProgress* progress) {
  const bool of_images = of == GradientOf::kWeightsAndImages;
  replica.BindGradients(std::move(gradients));
  const torch::Tensor input = of_images ? images.detach().requires_grad_(true) : images;
  const torch::Tensor logits = replica.Forward(input);
  torch::Tensor loss = F::cross_entropy(
      logits, labels, F::CrossEntropyFuncOptions().label_smoothing(label_smoothing));
  PassResult result;
  // Elsewhere to ask for the loss would be to wait for the device.
  const bool tells = progress != nullptr && replica.gradients_in_place();
  if (tells) {
    result = MeasuresOf(loss, logits, labels);
    progress->OnMeasures(result.loss, result.accuracy);
    replica.Backward(loss, [progress](size_t placement) { progress->OnTensor(placement); });
  } else {
    replica.Backward(loss);
  }
  const std::unique_ptr<GradientBuffer> buffer = replica.FinishGradients();
  if (!tells) result = MeasuresOf(loss, logits, labels);
  if (of_images) {
    torch::NoGradGuard no_grad;
    // The loss is the examples' mean.
    result.image_gradient = input.grad() * images.size(0);
  }
  buffer->FinishCopy();
  return result;
}

}  // namespace conadv
