// SPDX-License-Identifier: Apache-2.0
#include "worker/attack/attack.h"

#include <algorithm>
#include <limits>

#include "worker/attack/start.h"

namespace conadv {
namespace {

namespace F = torch::nn::functional;

// One value per example → a shape that multiplies images.
torch::Tensor PerExample(const torch::Tensor& values, const torch::Tensor& images) {
  std::vector<int64_t> shape(static_cast<size_t>(images.dim()), 1);
  shape[0] = images.size(0);
  return values.view(shape);
}

// Each example's L2 norm. Scaled by the largest element first: squares of small gradients would
// vanish.
torch::Tensor Norms(const torch::Tensor& images) {
  const torch::Tensor rows = images.flatten(1);
  const torch::Tensor largest =
      std::get<0>(rows.abs().max(1, /*keepdim=*/true)).clamp_min(std::numeric_limits<float>::min());
  return PerExample((rows / largest).norm(2, 1, /*keepdim=*/true) * largest, images);
}

torch::Tensor Direction(const torch::Tensor& gradient, AttackStep step) {
  switch (step) {
    case AttackStep::kSign: return gradient.sign();
    // An example without a gradient stays where it is.
    case AttackStep::kL2:
      return gradient / Norms(gradient).clamp_min(std::numeric_limits<float>::min());
    case AttackStep::kRaw: break;
  }
  return gradient;
}

// Onto the ball around `center`, then into the data range, which contains the center: the second
// step stays in the ball.
torch::Tensor Project(const torch::Tensor& images, const torch::Tensor& center,
                      const AttackOptions& options) {
  torch::Tensor result = images;
  if (options.epsilon > 0 && options.step == AttackStep::kSign) {
    result = torch::max(torch::min(images, center + options.epsilon), center - options.epsilon);
  } else if (options.epsilon > 0 && options.step == AttackStep::kL2) {
    const torch::Tensor moved = images - center;
    const torch::Tensor norms = Norms(moved);
    result =
        torch::where(norms > options.epsilon, center + moved * (options.epsilon / norms), images);
  }
  return result.clamp(0, 1);
}

}  // namespace

torch::Tensor AttackStart(const torch::Tensor& images, const AttackOptions& options,
                          const AttackSeed& seed, Device& device) {
  if (!(options.random_start > 0)) return images.detach();
  torch::NoGradGuard no_grad;
  const torch::Tensor offsets = RandomOffsets(images.sizes(), options, seed, device);
  return Project(images.detach() + offsets, images, options);
}

torch::Tensor AttackStepFrom(const torch::Tensor& adversarial, const torch::Tensor& gradient,
                             const torch::Tensor& images, const AttackOptions& options) {
  torch::NoGradGuard no_grad;
  const float step_size = options.targeted ? -options.step_size : options.step_size;
  return Project(adversarial + step_size * Direction(gradient, options.step), images, options);
}

torch::Tensor ImageGradient(Replica& replica, const torch::Tensor& images,
                            const torch::Tensor& goals, float label_smoothing) {
  const auto options =
      F::CrossEntropyFuncOptions().reduction(torch::kSum).label_smoothing(label_smoothing);
  const torch::Tensor input = images.detach().requires_grad_(true);
  torch::AutoGradMode with_grad(true);
  const torch::Tensor loss = F::cross_entropy(replica.Forward(input), goals, options);
  return torch::autograd::grad({loss}, {input})[0];
}

torch::Tensor MakeAdversarial(Replica& replica, const torch::Tensor& images,
                              const torch::Tensor& labels, int64_t classes,
                              const AttackOptions& options, float label_smoothing,
                              const AttackSeed& seed, AttackBeginning* beginning) {
  const torch::Tensor goals =
      options.targeted ? WrongClasses(labels, classes, seed, replica.device()) : labels;
  torch::Tensor adversarial = AttackStart(images, options, seed, replica.device());
  for (uint32_t k = 0; k < options.steps; ++k) {
    const torch::Tensor gradient = ImageGradient(replica, adversarial, goals, label_smoothing);
    if (k == 0 && beginning != nullptr) *beginning = {adversarial, goals, gradient};
    adversarial = AttackStepFrom(adversarial, gradient, images, options);
  }
  return adversarial.detach();
}

}  // namespace conadv
