// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/suite/losses.h"

#include <limits>

namespace conadv {
namespace {

namespace F = torch::nn::functional;

torch::Tensor LogitOf(const torch::Tensor& logits, const torch::Tensor& classes) {
  return logits.gather(1, classes.view({-1, 1})).squeeze(1);
}

torch::Tensor Margin(const torch::Tensor& logits, const torch::Tensor& labels) {
  const torch::Tensor wrong =
      logits.scatter(1, labels.view({-1, 1}), -std::numeric_limits<double>::infinity());
  return std::get<0>(wrong.max(1)) - LogitOf(logits, labels);
}

torch::Tensor TargetedDlr(const torch::Tensor& logits, const torch::Tensor& labels,
                          const torch::Tensor& targets) {
  const torch::Tensor distance = LogitOf(logits, targets) - LogitOf(logits, labels);
  const int64_t classes = logits.size(1);
  if (classes < 3) return distance;
  const torch::Tensor sorted = std::get<0>(logits.sort(1, /*descending=*/true));
  const torch::Tensor third = sorted.select(1, 2);
  const torch::Tensor low = classes == 3 ? third : 0.5 * (third + sorted.select(1, 3));
  constexpr double kNotZero = 1e-12;
  return distance / (sorted.select(1, 0) - low + kNotZero);
}

}  // namespace

torch::Tensor Losses(AttackLoss loss, const torch::Tensor& logits, const torch::Tensor& labels,
                     const torch::Tensor& targets) {
  switch (loss) {
    case AttackLoss::kCrossEntropy: break;
    case AttackLoss::kMargin: return Margin(logits, labels);
    case AttackLoss::kTargetedDlr: return TargetedDlr(logits, labels, targets);
  }
  return F::cross_entropy(logits, labels, F::CrossEntropyFuncOptions().reduction(torch::kNone));
}

LossGradient GradientAt(Replica& replica, const torch::Tensor& images, AttackLoss loss,
                        const torch::Tensor& labels, const torch::Tensor& targets) {
  const torch::Tensor input = images.detach().requires_grad_(true);
  torch::AutoGradMode with_grad(true);
  LossGradient result;
  const torch::Tensor logits = replica.Forward(input);
  const torch::Tensor losses = Losses(loss, logits, labels, targets);
  result.gradient = torch::autograd::grad({losses.sum()}, {input})[0];
  result.logits = logits.detach();
  result.losses = losses.detach();
  return result;
}

torch::Tensor Fallen(const torch::Tensor& logits, const torch::Tensor& labels) {
  return logits.argmax(1).ne(labels);
}

int64_t ZeroGradients(const torch::Tensor& gradient) {
  return std::get<0>(gradient.flatten(1).abs().max(1)).eq(0).sum().item<int64_t>();
}

}  // namespace conadv
