// SPDX-License-Identifier: Apache-2.0
// What the attack draws at random: where it starts and which class it aims at. Drawn on the host,
// so that every kind of device has the same; pure functions.
#ifndef CONADV_WORKER_ATTACK_START_H_
#define CONADV_WORKER_ATTACK_START_H_

#include <torch/torch.h>

#include "common/job/job.h"
#include "worker/attack/attack.h"
#include "worker/device/device.h"

namespace conadv {

// For each example, with probability options.random_start, a point drawn uniformly from the ball of
// radius options.start_radius, or epsilon if that is 0, around 0: the box for kSign, the L2 ball
// for kL2. Zeros for the rest, and for all if there is no ball (kRaw, or epsilon 0). On the device.
torch::Tensor RandomOffsets(torch::IntArrayRef shape, const AttackOptions& options,
                            const AttackSeed& seed, Device& device);

// For each label another class, each equally likely. With one class there is no other: the labels.
// Both on the device.
torch::Tensor WrongClasses(const torch::Tensor& labels, int64_t classes, const AttackSeed& seed,
                           Device& device);

}  // namespace conadv

#endif  // CONADV_WORKER_ATTACK_START_H_
