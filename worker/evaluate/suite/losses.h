// SPDX-License-Identifier: Apache-2.0
// What the suite's attacks raise, and its gradient. Pure functions of tensors on one device.
#ifndef CONADV_WORKER_EVALUATE_SUITE_LOSSES_H_
#define CONADV_WORKER_EVALUATE_SUITE_LOSSES_H_

#include <torch/torch.h>

#include "worker/model/replica.h"

namespace conadv {

enum class AttackLoss {
  kCrossEntropy,
  kMargin,       // the largest wrong logit less the right one: > 0 for who is wrong
  kTargetedDlr,  // arXiv 2003.01690, eq. 7
};

// Shape: logits [n, classes], labels and targets [n] → [n]. `targets` is for kTargetedDlr alone.
// With fewer than four classes its denominator has the logits that there are: of three the largest
// less the smallest, of two it is 1.
torch::Tensor Losses(AttackLoss loss, const torch::Tensor& logits, const torch::Tensor& labels,
                     const torch::Tensor& targets);

struct LossGradient {
  torch::Tensor logits;    // [n, classes]
  torch::Tensor losses;    // [n]
  torch::Tensor gradient;  // of each example's own loss, as images
};

// One pass forward and one backward.
LossGradient GradientAt(Replica& replica, const torch::Tensor& images, AttackLoss loss,
                        const torch::Tensor& labels, const torch::Tensor& targets);

// [n], bool: who is classified as anything but its label.
torch::Tensor Fallen(const torch::Tensor& logits, const torch::Tensor& labels);

// How many examples have no gradient at all.
int64_t ZeroGradients(const torch::Tensor& gradient);

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_SUITE_LOSSES_H_
