// SPDX-License-Identifier: Apache-2.0
// The attack: x̂ = Π(x + α · step(∇_x L(θ; x, y))), k times. A pure function of its arguments.
#ifndef CONADV_WORKER_ATTACK_ATTACK_H_
#define CONADV_WORKER_ATTACK_ATTACK_H_

#include <torch/torch.h>

#include "common/base/ids.h"
#include "common/job/job.h"
#include "worker/model/replica.h"

namespace conadv {

// What the attack's random numbers are a function of.
struct AttackSeed {
  uint64_t seed = 0;
  Unit unit;
};

// Its parts, for those who have the gradient from elsewhere. Where it begins: the images, or random
// points around them.
torch::Tensor AttackStart(const torch::Tensor& images, const AttackOptions& options,
                          const AttackSeed& seed, Device& device);
// One step from `adversarial` up a loss whose gradient there is `gradient`, projected to the ball
// around `images`.
torch::Tensor AttackStepFrom(const torch::Tensor& adversarial, const torch::Tensor& gradient,
                             const torch::Tensor& images, const AttackOptions& options);

// For each example the gradient of its own loss in its image: that of the sum over the batch, never
// of the mean. `goals` [n], int64: the classes of the loss. All on the replica's device.
torch::Tensor ImageGradient(Replica& replica, const torch::Tensor& images,
                            const torch::Tensor& goals, float label_smoothing);

// What an attack began with, for whoever wants to know what other weights would have made of it.
struct AttackBeginning {
  torch::Tensor images;    // where it began
  torch::Tensor goals;     // [n], int64: the labels, or those that it aims at
  torch::Tensor gradient;  // its first, of the images' shape
};

// Shapes: images [n, c, h, w] in [0, 1]; labels [n], int64; result like images, without a gradient
// history; all on the replica's device. Projected to the ball around `images` and to [0, 1] after
// every step. `beginning`, unless it is nullptr, gets what it began with.
// Source: arXiv 2106.00221, eq. 5; PGD: arXiv 1706.06083.
torch::Tensor MakeAdversarial(Replica& replica, const torch::Tensor& images,
                              const torch::Tensor& labels, int64_t classes,
                              const AttackOptions& options, float label_smoothing,
                              const AttackSeed& seed, AttackBeginning* beginning = nullptr);

}  // namespace conadv

#endif  // CONADV_WORKER_ATTACK_ATTACK_H_
