// SPDX-License-Identifier: Apache-2.0
// The ball that an evaluation's attacks stay in. Pure functions of tensors on one device.
#ifndef CONADV_WORKER_EVALUATE_SUITE_BALL_H_
#define CONADV_WORKER_EVALUATE_SUITE_BALL_H_

#include <torch/torch.h>

#include "worker/evaluate/suite/victims.h"

namespace conadv {

// One value per example, [n], as a shape that multiplies images.
torch::Tensor PerExample(const torch::Tensor& values);

// Each example's L2 norm, [n, 1, 1, 1], and that of a gradient whose squares would vanish, too.
torch::Tensor NormsOf(const torch::Tensor& images);

// The nearest point of the ball around `center`, then of [0, 1].
torch::Tensor ProjectTo(const Ball& ball, const torch::Tensor& images, const torch::Tensor& center);

// The step of length 1 that raises a linear loss most; 0 where there is no gradient.
torch::Tensor SteepestIn(EvaluationNorm norm, const torch::Tensor& gradient);

// Where restarts begin: drawn on the host, so that every kind of device has the same.
enum class StartFrom {
  kInside,   // uniform in the ball, as PGD starts
  kSurface,  // scaled to the radius, as APGD starts
};
// Within [0, 1], too.
torch::Tensor RandomStarts(const AttackContext& context, const Victims& victims, Draw attack,
                           uint32_t restart, StartFrom from);

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_SUITE_BALL_H_
