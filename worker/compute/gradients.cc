// SPDX-License-Identifier: Apache-2.0
#include "worker/compute/gradients.h"

#include <utility>

namespace conadv {

namespace F = torch::nn::functional;

PassResult ComputeGradients(Replica& replica, const torch::Tensor& images,
                            const torch::Tensor& labels, float label_smoothing,
                            std::shared_ptr<Arena> gradients, GradientOf of) {
  const bool of_images = of == GradientOf::kWeightsAndImages;
  replica.BindGradients(std::move(gradients));
  const torch::Tensor input = of_images ? images.detach().requires_grad_(true) : images;
  const torch::Tensor logits = replica.Forward(input);
  torch::Tensor loss = F::cross_entropy(
      logits, labels, F::CrossEntropyFuncOptions().label_smoothing(label_smoothing));
  loss.backward();
  const std::unique_ptr<GradientBuffer> buffer = replica.FinishGradients();

  PassResult result;
  {
    torch::NoGradGuard no_grad;
    const torch::Tensor right = logits.argmax(1).eq(labels);
    result = {loss.item<float>(), right.to(torch::kFloat32).mean().item<float>(), {}};
    // The loss is the examples' mean.
    if (of_images) result.image_gradient = input.grad() * images.size(0);
  }
  buffer->FinishCopy();
  return result;
}

}  // namespace conadv
