// SPDX-License-Identifier: Apache-2.0
// One forward and backward pass over a slot, into a flat gradient arena.
#ifndef CONADV_WORKER_COMPUTE_GRADIENTS_H_
#define CONADV_WORKER_COMPUTE_GRADIENTS_H_

#include <torch/torch.h>

#include <memory>

#include "common/tensor/arena.h"
#include "worker/compute/pass_progress.h"
#include "worker/model/replica.h"

namespace conadv {

struct PassResult {
  float loss = 0;      // mean over the slot
  float accuracy = 0;  // fraction of the slot
  // If it was asked for: each example's gradient in its image, of its own loss; shape as the
  // images.
  torch::Tensor image_gradient;
};

enum class GradientOf { kWeights, kWeightsAndImages };

// The mean gradient over the slot and the pass's batch statistics, into `gradients`
// (layout.total_size() elements; those that the pass has no gradient for are left alone). REQUIRES:
// the replica's pass is one that trains, its weights are bound. `progress` hears of them as they
// come, if it is not nullptr and the device makes them in the arena itself. Shapes: images [n, c,
// h, w] in [0, 1]; labels [n], int64; both on the replica's device.
PassResult ComputeGradients(Replica& replica, const torch::Tensor& images,
                            const torch::Tensor& labels, float label_smoothing,
                            std::shared_ptr<Arena> gradients, GradientOf of = GradientOf::kWeights,
                            PassProgress* progress = nullptr);

}  // namespace conadv

#endif  // CONADV_WORKER_COMPUTE_GRADIENTS_H_
