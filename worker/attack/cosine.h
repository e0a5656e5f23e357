// SPDX-License-Identifier: Apache-2.0
// How far two gradients of the same examples agree. Pure.
#ifndef CONADV_WORKER_ATTACK_COSINE_H_
#define CONADV_WORKER_ATTACK_COSINE_H_

#include <torch/torch.h>

#include <optional>

namespace conadv {

// The mean over the examples of the cosine between their two gradients, -1 to 1. Shape of both:
// [n, ...], float32, one device. An example whose gradient is 0 in either has no direction and is
// left out. Nothing: no example is left, or a gradient is not finite.
std::optional<float> MeanCosine(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace conadv

#endif  // CONADV_WORKER_ATTACK_COSINE_H_
